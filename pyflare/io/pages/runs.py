"""Parquet's hybrid of repeated values and packed bits: definition levels and dictionary indices."""

from __future__ import annotations

from typing import Any, Final

from numba import int64, njit, uint64
from numba.core import types

from pyflare.io.pages.memory import INLINED, get64, get_byte, get_u32, put8, put32, put64
from pyflare.runtime.outlined import NUMBER, outlined

_ONE_WORD: Final = 8  # bits up to which 8 packed values lie in one word
_MAX_BITS: Final = 28  # bits up to which any two neighbours do

_EACH: Final = 0x0101010101010101
_DIAGONAL: Final = 0x8040201008040201
_SEVEN_BITS: Final = 0x7F7F7F7F7F7F7F7F


@njit(**INLINED)
def varint(at: Any, end: Any) -> Any:
    """An unsigned number and the address behind it, which is 0 if it is malformed."""
    number, shift = uint64(0), uint64(0)
    while at < end and shift <= uint64(63):
        byte = uint64(get_byte(at, uint64(0)))
        at += uint64(1)
        number |= (byte & uint64(127)) << shift
        if byte < uint64(128):
            return number, at
        shift += uint64(7)
    return number, uint64(0)


@njit(**INLINED)
def _spread_bits(source: Any, groups: Any, target: Any) -> None:
    """Eight bytes of 0 or 1 for the bits of each byte."""
    for group in range(groups):
        spread = (uint64(get_byte(source, uint64(group))) * uint64(_EACH)) & uint64(_DIAGONAL)
        put64(target, uint64(group), ((spread + uint64(_SEVEN_BITS)) >> uint64(7)) & uint64(_EACH))


@njit(**INLINED)
def _ones(flags: Any, count: Any) -> Any:
    total = int64(0)
    for i in range(count):
        total += get_byte(flags, uint64(i))
    return total


@outlined(NUMBER, types.uint64, NUMBER, NUMBER, types.uint64)
def read_levels(source: int, size: int, count: int, target: int) -> int:
    """Write `count` levels of one bit as bytes and return how many are 1; -1 if `size` bytes do not hold them.

    Up to 7 bytes more are written, and up to 8 more are read.
    """
    at, end = uint64(source), uint64(source) + uint64(size)
    done, wanted = uint64(0), uint64(count)
    while done < wanted:
        header, at = varint(at, end)
        run = header >> uint64(1)
        if at == uint64(0) or at >= end:
            return -1
        if header & uint64(1):
            if run > end - at:
                return -1
            groups = min(run, (wanted - done + uint64(7)) >> uint64(3))
            _spread_bits(at, groups, uint64(target) + done)
            at += run
            done += groups << uint64(3)
        else:
            level = get_byte(at, uint64(0))
            if level > 1:
                return -1
            run = min(run, wanted - done)
            for i in range(run):
                put8(uint64(target) + done, uint64(i), level)
            at += uint64(1)
            done += run
    return int(_ones(uint64(target), wanted))


@njit(**INLINED)
def _unpack_narrow(source: Any, width: Any, groups: Any, target: Any) -> None:
    mask = (uint64(1) << width) - uint64(1)
    for group in range(groups):
        word, to = uint64(get64(source + uint64(group) * width, uint64(0))), target + (uint64(group) << uint64(5))
        put32(to, uint64(0), word & mask)
        put32(to, uint64(1), (word >> width) & mask)
        put32(to, uint64(2), (word >> (width * uint64(2))) & mask)
        put32(to, uint64(3), (word >> (width * uint64(3))) & mask)
        put32(to, uint64(4), (word >> (width * uint64(4))) & mask)
        put32(to, uint64(5), (word >> (width * uint64(5))) & mask)
        put32(to, uint64(6), (word >> (width * uint64(6))) & mask)
        put32(to, uint64(7), (word >> (width * uint64(7))) & mask)


@njit(**INLINED)
def _unpack_wide(source: Any, width: Any, groups: Any, target: Any) -> None:
    mask = (uint64(1) << width) - uint64(1)
    bit = uint64(0)
    for pair in range(groups << uint64(2)):
        word = uint64(get64(source + (bit >> uint64(3)), uint64(0))) >> (bit & uint64(7))
        to = target + (uint64(pair) << uint64(3))
        put32(to, uint64(0), word & mask)
        put32(to, uint64(1), (word >> width) & mask)
        bit += width + width


@njit(**INLINED)
def _are_below(indices: Any, count: Any, entries: int) -> bool:
    largest = int64(-1)
    for i in range(count):
        largest = max(largest, get_u32(indices, uint64(i)))
    return bool(largest < entries)


@outlined(NUMBER, types.uint64, NUMBER, NUMBER, NUMBER, types.uint64)
def read_indices(source: int, size: int, count: int, entries: int, target: int) -> int:
    """Write `count` dictionary indices as int32; 0 if they are malformed or not all below `entries`, else 1.

    Their width in bits comes first. Up to 7 indices more are written, and up to 35 bytes more are read.
    """
    at, end = uint64(source), uint64(source) + uint64(size)
    if at >= end or get_byte(at, uint64(0)) > _MAX_BITS:
        return 0
    width = uint64(get_byte(at, uint64(0)))
    value_bytes = (width + uint64(7)) >> uint64(3)
    at += uint64(1)
    done, wanted = uint64(0), uint64(count)
    while done < wanted:
        header, at = varint(at, end)
        if at == uint64(0):
            return 0
        run, to = header >> uint64(1), uint64(target) + (done << uint64(2))
        if header & uint64(1):
            if run > end - at or run * width > end - at:
                return 0
            groups = min(run, (wanted - done + uint64(7)) >> uint64(3))
            if width <= uint64(_ONE_WORD):
                _unpack_narrow(at, width, groups, to)
            else:
                _unpack_wide(at, width, groups, to)
            at += run * width
            done += groups << uint64(3)
        else:
            if value_bytes > end - at:
                return 0
            value = get_u32(at, uint64(0)) & ((1 << int64(width)) - 1)
            run = min(run, wanted - done)
            for i in range(run):
                put32(to, uint64(i), value)
            at += value_bytes
            done += run
    return int((1 << int64(width)) <= entries or _are_below(uint64(target), wanted, entries))
