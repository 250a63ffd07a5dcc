"""The session's settings and the source's options that change what a Parquet file means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_PARQUET: Final = "spark.sql.parquet."


@dataclass(frozen=True)
class ReadSettings:
    """Spark's settings for reading; the rebase modes count for files whose writer is not known to be Spark."""

    datetime_rebase_mode: str
    int96_rebase_mode: str
    is_vectorized: bool
    is_vectorized_for_arrays: bool
    matches_field_ids: bool
    moves_int96: bool

    @classmethod
    def of(cls, conf: Mapping[str, str]) -> ReadSettings:
        """The settings in a session's configuration, to which the options of the source were added."""
        lower = {key.lower(): value for key, value in conf.items()}

        def setting(name: str, default: str) -> str:
            return lower.get((_PARQUET + name).lower(), default)

        def mode(option: str) -> str:
            return lower.get(option.lower(), setting(f"{option}InRead", "CORRECTED")).upper()

        return cls(
            datetime_rebase_mode=mode("datetimeRebaseMode"),
            int96_rebase_mode=mode("int96RebaseMode"),
            is_vectorized=setting("enableVectorizedReader", "true").lower() == "true",
            is_vectorized_for_arrays=setting("enableNestedColumnVectorizedReader", "true").lower() == "true",
            matches_field_ids=setting("fieldId.read.enabled", "false").lower() == "true",
            moves_int96=setting("int96TimestampConversion", "false").lower() == "true",
        )
