"""Whether two engines gave the same answer."""

from __future__ import annotations

import math
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeAlias

Row: TypeAlias = tuple[Any, ...]

_RELATIVE: Final = 1e-9


def difference(expected: Any, actual: Any, exact: bool) -> str:
    """What is different, or an empty text. Rows in any order, also those of tables (paths of Arrow files).

    `exact`: values must be equal, floating-point ones to 1e-9. Otherwise a decimal may differ by one in its last digit,
    since engines differ in the types of averages and quotients, and some cut where others round.
    """
    if isinstance(expected, str | Path):
        return _table_difference(Path(expected), Path(actual))
    if len(expected) != len(actual):
        return f"{len(actual)} rows instead of {len(expected)}"
    for left, right in zip(sorted(expected, key=_key), sorted(actual, key=_key), strict=True):
        if len(left) != len(right) or not all(_same(a, b, exact) for a, b in zip(left, right, strict=True)):
            return f"{right} instead of {left}"
    return ""


def _key(row: Row) -> tuple[str, ...]:
    """Numbers come last and rounded, so that rows which differ in their last digits stay beside each other."""
    exact = [repr(value) for value in row if not isinstance(value, float | Decimal)]
    rough = [f"{float(value):.4e}" for value in row if isinstance(value, float | Decimal)]
    return (*exact, *rough)


def _same(left: Any, right: Any, exact: bool) -> bool:
    numbers = (int, float, Decimal)
    if isinstance(left, float) and isinstance(right, float):
        return left == right or math.isclose(left, right, rel_tol=_RELATIVE) or (left != left and right != right)
    if exact or not isinstance(left, numbers) or not isinstance(right, numbers):
        return bool(repr(left) == repr(right))
    size = max(abs(float(left)), abs(float(right)))
    return abs(float(left) - float(right)) <= max(_RELATIVE * size, _last_digit(left), _last_digit(right))


def _last_digit(value: Any) -> float:
    if not isinstance(value, Decimal):
        return 0.0
    exponent = value.as_tuple().exponent
    return 1.0000001 * 10.0**exponent if isinstance(exponent, int) else 0.0


def _table_difference(expected: Path, actual: Path) -> str:
    import pyarrow as pa

    tables = []
    for path in (expected, actual):
        with pa.memory_map(str(path)) as source:
            tables.append(pa.ipc.open_stream(source).read_all())
    left, right = tables
    if left.num_rows != right.num_rows:
        return f"{right.num_rows} rows instead of {left.num_rows}"
    right = pa.table({name: right[name].cast(left[name].type) for name in left.column_names})
    if _unequal(left, right):
        keys = [(field.name, "ascending") for field in left.schema if not pa.types.is_floating(field.type)]
        left, right = left.sort_by(keys), right.sort_by(keys)
    different = _unequal(left, right)
    return f"columns {', '.join(different)} differ" if different else ""


def _unequal(left: Any, right: Any) -> list[str]:
    """The columns that are not equal row by row."""
    return [name for name in left.column_names if not left[name].equals(right[name])]
