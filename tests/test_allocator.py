"""Memory that queries free stays in the process until it is given back."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="NumPy's part of it is glibc's")

_SCRIPT = """
import resource
from pyflare.io.allocator import give_back, keep_pages
keep_pages()
import numpy as np
import pyarrow as pa

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def resident():
    return int(open("/proc/self/statm").read().split()[1]) >> 8  # MiB, for pages of 4 KiB

def use():
    np.full(64 << 20, 1, np.uint8)
    np.asarray(pa.allocate_buffer(64 << 20)).fill(1)

before = resident()
use()
kept, first = resident() - before, faults()
use()
again = faults() - first
give_back()
print(kept, again, resident() - before)
"""


def test_freed_pages_serve_the_next_query_until_they_are_given_back() -> None:
    done = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=True)
    kept, faults_again, left = map(int, done.stdout.split())
    assert kept >= 120
    assert faults_again < 100
    assert left < kept / 4
