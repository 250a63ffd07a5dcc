"""Time zones: the JVM's own rules, read and laid out by us, against `java.time` inside Spark."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
import pytest
from pyspark.sql import SparkSession

from pyflare import zones
from pyflare.errors import Unsupported
from pyflare.runtime import zones as runtime
from tests.differential import assert_same

ZONES = (
    "America/Los_Angeles",
    "America/Sao_Paulo",
    "America/Toronto",
    "Africa/Casablanca",
    "Africa/Monrovia",
    "Antarctica/Troll",
    "Asia/Gaza",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Europe/Dublin",
    "Europe/Paris",
    "Pacific/Apia",
)
# Every hour from 1880 to 2100, counted by years, and about as far as timestamps go, counted by cycles of the calendar.
NEAR = ("range(-2840140800, 4102444800, 3600)", 31556952)
FAR = ("range(-9223300000000, 9223300000000, 86413333)", zones.CYCLE)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("seconds", "span"), [NEAR, FAR], ids=["near", "far"])
def test_offsets(spark: SparkSession, zone: str, seconds: str, span: int) -> None:
    """Both ways between instants and local times: how many there are with each offset, in each span."""
    for function in ("from_utc_timestamp", "to_utc_timestamp"):
        query = f"""
            SELECT moved - id AS offset, id DIV {span} AS span, count(*), min(id), max(id)
            FROM (SELECT id, unix_seconds({function}(timestamp_seconds(id), '{zone}')) AS moved FROM {seconds})
            GROUP BY moved - id, id DIV {span}"""
        assert_same(spark, query)


def test_every_zone() -> None:
    """Each zone's tables find the offset that its periods have."""
    rng = np.random.default_rng(1)
    for name in zones.region_names():
        zone = zones.zone_of(name)
        for part in (zone, zone.between(1_400_000_000, 1_700_000_000)):
            changes = np.array((*part.starts[1:], *part.local_starts[1:]), np.int64)
            seconds = np.concatenate((rng.integers(-(10**10), 2 * 10**10, 20), changes[-40:], changes[-40:] - 1))
            for local, starts in ((False, part.starts), (True, part.local_starts)):
                table = np.array(part.table(local=local), np.int64)
                found = [runtime.offset_at(table, second) for second in seconds]
                assert found == [part.offsets[bisect_right(starts, second) - 1] for second in seconds], name


@pytest.mark.parametrize(
    ("name", "offset"),
    [
        ("UTC", 0),
        ("Z", 0),
        ("Etc/UTC", 0),
        ("+05:30", 19800),
        ("-8:00", -28800),
        ("+5", 18000),
        ("GMT+0530", 19800),
        ("UTC-01:02:03", -3723),
        ("+05:3", 18180),
        ("Asia/Tokyo", None),
        ("PST", None),
    ],
)
def test_names(name: str, offset: int | None) -> None:
    """Names as Spark's `getZoneId` takes them."""
    assert zones.zone_of(name).fixed == offset


@pytest.mark.parametrize("name", ["", "x", "+19:00", "+05:60", "+0530:15", "EST", "America/Atlantis"])
def test_unknown_names(name: str) -> None:
    """A name that is not known, or that means different things to different versions of Java."""
    with pytest.raises(Unsupported):
        zones.zone_of(name)


def test_parts() -> None:
    """A part of a zone is as small as its bounds allow."""
    paris = zones.zone_of("Europe/Paris")
    assert paris.between(1_720_000_000, 1_725_000_000).fixed == 7200
    assert len(paris.between(1_672_531_200, 1_704_067_199).starts) == 3
    assert paris.between(0, 10**12) == paris
