"""What a scan keeps of row groups that are read in slices."""

from __future__ import annotations

from pyflare.io.pins import MAX_ROW_GROUPS, Pins


def test_the_row_groups_used_last_are_kept_until_the_run_has_ended() -> None:
    pins = Pins()
    groups = [pins.of(0, number) for number in range(MAX_ROW_GROUPS)]
    assert all(pins.of(0, number) is group for number, group in enumerate(groups))
    pins.of(0, MAX_ROW_GROUPS)
    assert pins.of(0, 0) is not groups[0]
    last = pins.of(0, 0)
    pins.clear()
    assert pins.of(0, 0) is not last
