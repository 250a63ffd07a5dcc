"""Functions that queries share: what they compute, and that they are compiled once."""

from __future__ import annotations

import threading
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyflare.runtime import library
from pyflare.runtime.aggregation import find_or_insert, rehash
from pyflare.runtime.joins import ascends, count_groups, gather, hash_keys, mark_starts, put_in_order
from pyflare.runtime.shared import Shared, shared
from tests.foreseen import only_foreseen_types

__all__ = ["only_foreseen_types"]

KEYS = st.sampled_from([np.int32, np.int64])
LOWEST = st.sampled_from([-(2**31), -5, 0, 7])


def increased(numbers: npt.NDArray[np.int64], by: int) -> int:
    numbers += by
    return len(numbers)


@pytest.fixture
def function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shared:
    monkeypatch.setattr("numba.config.CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))  # Numba reads its settings again when a variable has changed
    return again()


def again() -> Shared:
    """What another process has of the function."""
    return shared("(int64[::1], int64)", usual=1)(increased)


def test_what_is_compiled_for_a_signature_is_what_a_call_loads(function: Shared) -> None:
    function.compile(0)
    assert function.is_ready
    other = again()
    assert not other.is_ready
    assert other(np.arange(3), 2) == 3
    assert sum(other.compiled.stats.cache_hits.values()) == 1
    assert not other.compiled.stats.cache_misses


def test_a_call_waits_for_who_compiles(function: Shared) -> None:
    done, asked = threading.Event(), []

    def elsewhere(name: str) -> threading.Event:
        asked.append(name)
        return done

    function.expect(elsewhere)
    function.expect(elsewhere)
    assert asked == ["increased 0"]
    numbers = np.arange(3)
    caller = threading.Thread(target=function, args=(numbers, 2))
    caller.start()
    caller.join(0.1)
    assert caller.is_alive()
    done.set()
    caller.join()
    assert numbers.tolist() == [2, 3, 4]
    function.expect(elsewhere)
    assert asked == ["increased 0"], "it is compiled"


def test_everything_usual_is_asked_for_by_a_name_that_another_process_knows() -> None:
    names: list[str] = []
    nobody = threading.Event()
    nobody.set()
    functions = [Shared(one.compiled.py_func, one.signatures, one.usual) for one in library.FUNCTIONS]
    for function in functions:
        function.expect(lambda name: names.append(name) or nobody)  # type: ignore[func-returns-value]
    assert names[0] == "mark_ends 0"
    for name in names:
        library.compile_named(name)
    with pytest.raises(StopIteration):
        library.compile_named("nothing 0")


@given(keys=st.lists(st.integers(0, 9), max_size=40), kind=KEYS, low=LOWEST, parts=st.integers(1, 4))
def test_groups_of_ascending_keys(keys: list[int], kind: type[np.integer], low: int, parts: int) -> None:
    values = (np.sort(np.array(keys, np.int64)) + low).astype(kind)
    starts = np.full(11, -1, np.int32)
    cuts = np.linspace(0, 11, parts + 1).astype(int).tolist()
    for first, last in pairwise(cuts):
        mark_starts(values, low, starts, first, last)
    assert starts.tolist() == np.searchsorted(values, np.arange(11) + low).tolist()


@given(keys=st.lists(st.integers(0, 9), max_size=40), kind=KEYS, low=LOWEST, data=st.data())
def test_groups_of_any_keys(keys: list[int], kind: type[np.integer], low: int, data: st.DataObject) -> None:
    values = (np.array(keys, np.int64) + low).astype(kind)
    ok = np.array(data.draw(st.lists(st.booleans(), min_size=len(keys), max_size=len(keys))), np.bool_)
    starts, order = np.empty(12, np.int32), np.empty(len(keys), np.int32)
    for valid in (ok, np.zeros(0, np.bool_)):
        has_group = valid if len(valid) else np.ones(len(keys), np.bool_)
        count_groups(values, valid, low, starts)
        assert starts[1:].tolist() == np.searchsorted(np.sort(values[has_group]), np.arange(11) + low).tolist()
        put_in_order(values, valid, low, starts, order)
        expected = [
            *np.flatnonzero(has_group)[np.argsort(values[has_group], kind="stable")],
            *np.flatnonzero(~has_group),
        ]
        assert order.tolist() == expected


@given(keys=st.lists(st.integers(-3, 3), max_size=9), repeats=st.sampled_from([1, 8000]), kind=KEYS)
def test_ascending(keys: list[int], repeats: int, kind: type[np.integer]) -> None:
    values = np.repeat(np.array(keys, kind), repeats)
    middle = len(values) // 2
    assert all(ascends(values, *part) for part in ((0, middle), (middle, len(values)))) == (keys == sorted(keys))


@given(numbers=st.lists(st.tuples(st.integers(-2, 2), st.sampled_from([0, 2**40])), max_size=60))
def test_keys_of_two_words_find_their_groups(numbers: list[tuple[int, int]]) -> None:
    words = np.array(numbers, np.int64).reshape(-1)
    texts, count = np.zeros(2, np.uint8), len(numbers)
    hashes, places = np.empty(count, np.uint64), np.empty(count, np.int64)
    hash_keys(words, texts, hashes)
    slots, kept_hashes, kept = np.full(128, -1, np.int32), np.zeros(64, np.uint64), np.zeros(128, np.int64)
    groups = find_or_insert(slots, kept_hashes, kept, texts, 0, hashes, words, places)
    assert groups == len(set(numbers))
    assert [tuple(kept.reshape(-1, 2)[place]) for place in places] == numbers
    rehashed = np.full(128, -1, np.int32)
    rehash(rehashed, kept_hashes, groups)
    once_more = np.empty(count, np.int64)
    assert find_or_insert(rehashed, kept_hashes, kept, texts, groups, hashes, words, once_more) == groups
    assert once_more.tolist() == places.tolist()


@pytest.mark.parametrize("rows", [np.int32, np.int64])
@pytest.mark.parametrize("word", [np.uint8, np.uint32, np.uint64, np.complex128])
def test_gathering(word: type[np.generic], rows: type[np.integer]) -> None:
    values, out = np.arange(200).astype(word), np.zeros(4, word)
    gather(values, np.array([3, 199, 0, 3], rows), out, 1, 4)
    assert out.tolist() == [0, 199, 0, 3]
