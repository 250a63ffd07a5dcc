"""The settings and their documentation."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyflare import config


def test_the_documentation_is_up_to_date() -> None:
    written = Path(__file__).parent.parent / "docs" / "configuration.md"
    assert written.read_text() == config.markdown(), "run `make docs`"


def test_values_are_read() -> None:
    conf = {"spark.pyflare.memory": "512m", "spark.pyflare.enabled": "FALSE", "spark.sql.ansi.enabled": "true"}
    read = config.Config.from_conf(conf)
    assert (read.memory, read.enabled, read.threads) == (512 * 2**20, False, 0)


@pytest.mark.parametrize(
    ("key", "value"),
    [("spark.pyflare.memory", "a lot"), ("spark.pyflare.enabled", "yes"), ("spark.pyflare.threads", "two")],
)
def test_a_value_that_cannot_be_read_is_named(key: str, value: str) -> None:
    with pytest.raises(ValueError, match=key):
        config.Config.from_conf({key: value})
