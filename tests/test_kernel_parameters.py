"""The words that kernels take their arguments from."""

from __future__ import annotations

from typing import Any, Final

import numba
import numpy as np
import pytest
from numba import boolean, types

from pyflare.runtime.memory import OPTIONS
from pyflare.runtime.parameters import KERNEL, array, buffer, given, packing
from pyflare.runtime.passes import Pipeline

NUMBERS: Final[list[tuple[Any, list[Any]]]] = [
    (types.int8, [-128, 0, 127]),
    (types.uint8, [0, 255]),
    (types.int16, [-(2**15), 2**15 - 1]),
    (types.uint16, [2**16 - 1]),
    (types.int32, [-(2**31), np.int32(7), 2**31 - 1]),
    (types.uint32, [2**32 - 1]),
    (types.int64, [-(2**63), np.int64(-1), 2**63 - 1]),
    (types.uint64, [2**63, 2**64 - 1]),
    (types.float32, [-0.0, 1.5, float("inf"), float("nan")]),
    (types.float64, [-0.0, 1e300, float("-inf"), np.float64("nan")]),
]


def kernel(function: Any) -> Any:
    options = {**OPTIONS, "cache": False}
    return numba.njit(KERNEL, pipeline_class=Pipeline, **options)(function)


@pytest.mark.parametrize(("kind", "values"), NUMBERS, ids=[str(kind) for kind, _ in NUMBERS])
def test_numbers_and_buffers_of_every_type(kind: Any, values: list[Any]) -> None:
    """Between others, so that a wrong width or place would show: what a kernel reads is what it writes."""
    fields = {"before": types.int8, "number": kind, "read": buffer(kind), "written": buffer(kind), "after": types.int64}
    arguments = given(**fields)

    def copy(lo: Any, hi: Any, words: Any) -> Any:
        it = arguments(words)
        number, read, written = it.number, it.read, it.written
        for i in range(lo, hi):
            written[i] = read[i]
        written[hi] = number
        return len(written) * 100 + it.before * 10 + it.after

    read = np.array(values, str(kind))
    compiled, pack = kernel(copy), packing(list(fields.values()))
    for value in values:
        written = np.zeros(len(values) + 1, read.dtype)
        words = pack.pack([-3, value, read, written, 4])
        assert compiled(np.uint64(0), np.uint64(len(values)), words) == 100 * len(written) - 26
        assert written.tobytes() == np.array([*values, value], read.dtype).tobytes()


def test_truth_values_and_arrays() -> None:
    arguments = given(flags=buffer(boolean), numbers=array(types.int64))

    def mark(lo: Any, hi: Any, words: Any) -> Any:
        it = arguments(words)
        flags, numbers = it.flags, it.numbers
        for i in range(lo, hi):
            flags[i] = numbers[i] > 0
        return numbers.sum() + numbers.shape[0]

    flags, numbers = np.zeros((2, 2), bool), np.array([1, -1, 0, 5])
    words = packing([buffer(boolean), array(types.int64)]).pack([flags, numbers])
    assert kernel(mark)(np.uint64(1), np.uint64(4), words) == 9
    assert flags.tolist() == [[False, False], [False, True]]


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (np.zeros(3, np.int64), TypeError, "an array of int32 is wanted, not of int64"),
        (np.zeros(3, np.uint32), TypeError, "an array of int32 is wanted, not of uint32"),
        (np.zeros(6, np.int32)[::2], ValueError, "not contiguous|non-contiguous|C-contiguous"),
    ],
)
def test_other_memory_than_the_kernel_s_is_refused(value: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        packing([buffer(types.int32)]).pack([value])
