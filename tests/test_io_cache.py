"""The column cache and the growing dictionaries under load."""

from __future__ import annotations

import random
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest

from pyflare.io import dictionaries
from pyflare.io.cache import Chunk, ColumnCache
from pyflare.io.columns import Column
from pyflare.io.dictionaries import DictionaryOverflowError, DictionaryRegistry, GrowingDictionary


def chunk(count: int) -> Chunk:
    """A chunk of `count` times 8 bytes."""
    return Chunk(Column(np.zeros(count, np.int64)))


def put(cache: ColumnCache, key: str, made: Chunk) -> None:
    """Make a chunk as a reader does."""
    _, is_mine = cache.claim(key)
    assert is_mine
    cache.settle(key, made)


def test_the_least_recently_used_goes_first() -> None:
    cache = ColumnCache(100)
    for key in ("a", "b", "c"):
        put(cache, key, chunk(4))
    assert not cache.claim("a")[1]
    put(cache, "d", chunk(4))
    assert [cache.claim(key)[1] for key in ("a", "c", "d", "b")] == [False, False, False, True]
    assert (cache.stats().bytes, cache.stats().evictions) == (96, 1)


def test_capacity() -> None:
    cache = ColumnCache(0)
    put(cache, "a", chunk(1))
    assert cache.stats().chunks == 0
    cache.resize(80)
    put(cache, "a", chunk(11))
    put(cache, "b", chunk(10))
    assert (cache.stats().chunks, cache.stats().bytes) == (1, 80)
    cache.resize(79)
    assert (cache.stats().chunks, cache.stats().bytes) == (0, 0)
    assert cache.stats().capacity == 79


def test_a_failure_reaches_those_who_wait_and_nobody_else() -> None:
    cache = ColumnCache(100)
    assert cache.claim("a")[1]
    waiting, is_mine = cache.claim("a")
    assert isinstance(waiting, Future)
    assert not is_mine
    cache.fail("a", ValueError("broken"))
    with pytest.raises(ValueError, match="broken"):
        waiting.result()
    put(cache, "a", chunk(1))


def test_many_threads_make_each_chunk_once() -> None:
    cache, made, lock = ColumnCache(1 << 20), [], threading.Lock()

    def read(seed: int) -> None:
        for number in random.Random(seed).sample(range(50), 50):
            found, is_mine = cache.claim(number)
            if is_mine:
                with lock:
                    made.append(number)
                cache.settle(number, chunk(number))
            else:
                ready = found if isinstance(found, Chunk) else found.result()
                assert len(ready.column.data) == number

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(read, range(8)))
    assert sorted(made) == list(range(50))


def test_codes_never_change_while_the_dictionary_grows() -> None:
    dictionary = GrowingDictionary()
    empty = dictionary.snapshot()
    assert len(empty) == 0
    assert dictionary.encode([b"x", b"", b"x", b"yy"]).tolist() == [0, 1, 0, 2]
    first = dictionary.snapshot()
    assert dictionary.snapshot() is first
    assert dictionary.encode([b"yy", b""]).tolist() == [2, 1]
    assert dictionary.snapshot() is first
    words = [f"word {number}".encode() for number in range(1000)]
    codes = dictionary.encode(words)
    assert [first[code] for code in range(3)] == [b"x", b"", b"yy"]
    assert [dictionary.snapshot()[code] for code in codes] == words
    assert len(empty) == 0


def test_threads_share_a_dictionary() -> None:
    dictionary = GrowingDictionary()

    def encode(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(200):
            words = [b"%d" % chance.randrange(500) for _ in range(20)]
            codes = dictionary.encode(words)
            snapshot = dictionary.snapshot()
            assert [snapshot[code] for code in codes] == words

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(encode, range(8)))
    whole = dictionary.snapshot()
    assert len({whole[code] for code in range(len(whole))}) == len(whole)


def test_a_full_dictionary_is_replaced_for_later_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dictionaries, "MAX_VALUES", 2)
    registry = DictionaryRegistry()
    first = registry.of("key")
    first.encode([b"a", b"b"])
    assert registry.of("key") is first
    first.encode([b"c"])
    second = registry.of("key")
    assert second is not first
    assert second.uid != first.uid


def test_a_dictionary_that_offsets_cannot_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dictionaries, "_INT32_MAX", 10)
    dictionary = GrowingDictionary()
    dictionary.encode([b"12345"])
    with pytest.raises(DictionaryOverflowError):
        dictionary.encode([b"1", b"123456"])
    assert dictionary.encode([b"12345", b"1"]).tolist() == [0, 1]
