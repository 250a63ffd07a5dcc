"""Processes that compile beside the backend: what they leave in the cache, and that they end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from pyflare.aside import Compilers, Library
from pyflare.codegen import load
from pyflare.codegen.load import KernelSource, load_all
from pyflare.runtime import library
from tests.applications import eventually

KERNEL = '''"""Adds {number}"""
from numba import int64

def kernel(lo, hi, words):
    return int64(hi + {number})
'''
BROKEN = KERNEL.replace("hi +", "nothing +")
SECONDS = 60.0


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache for the processes that a test starts, of which none is left."""
    before = set(psutil.Process().children(recursive=True))
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    yield tmp_path / "cache"
    eventually(lambda: set(psutil.Process().children(recursive=True)) <= before, "the end of the processes")


def written(folder: Path, number: int, text: str = KERNEL) -> Path:
    path = folder / f"k_{number}.py"
    path.write_text(text.format(number=number))
    return path


def started(count: int, idle_seconds: float = 1.0) -> Compilers:
    compilers = Compilers(count, idle_seconds)
    compilers.start()
    eventually(lambda: compilers.are_ready, "a process")
    return compilers


def test_kernels_are_compiled_into_the_cache(tmp_path: Path, cache: Path) -> None:
    compilers = started(2)
    paths = [written(tmp_path, number) for number in range(4)]
    assert all(done.wait(SECONDS) for done in [compilers.compile(str(path)) for path in paths])
    assert {index.name.split(".")[0] for index in cache.rglob("k_*.nbi")} == {path.stem for path in paths}
    eventually(lambda: not compilers.are_ready, "the end of idle processes")
    assert compilers.compile(str(paths[0])).is_set(), "nobody is there to wait for"


def test_a_kernel_that_does_not_compile_stops_nothing(tmp_path: Path, cache: Path) -> None:
    compilers = started(1)
    first, second = (
        compilers.compile(str(written(tmp_path, number, text))) for number, text in ((1, BROKEN), (2, KERNEL))
    )
    assert first.wait(SECONDS)
    assert second.wait(SECONDS)
    assert [index.name.split(".")[0] for index in cache.rglob("k_*.nbi")] == ["k_2"]


def test_nobody_waits_for_a_process_that_has_been_killed(tmp_path: Path) -> None:
    before = set(psutil.Process().children())
    compilers = started(1, idle_seconds=SECONDS)
    (process,) = set(psutil.Process().children()) - before
    process.suspend()
    waiting = [compilers.compile(str(written(tmp_path, number))) for number in range(3)]
    assert not waiting[0].wait(0.1)
    process.kill()
    assert all(done.wait(SECONDS) for done in waiting)
    eventually(lambda: not compilers.are_ready, "the end of the killed process")


def test_the_library_is_compiled_at_the_lowest_priority_and_ends_with_its_input() -> None:
    library = Library()
    library.start()
    process = library._process
    assert process is not None
    assert process.stdin is not None
    assert psutil.Process(process.pid).nice() == 19
    assert process.poll() is None
    process.stdin.close()
    assert process.wait(SECONDS) == 0


class Recorder:
    """Somebody who compiles nothing, but says so at once."""

    def __init__(self, *, is_ready: bool) -> None:
        self.are_ready = is_ready
        self.asked: list[str] = []
        self.was_started = False

    def start(self) -> None:
        self.was_started = True

    def compile(self, name: str) -> threading.Event:
        self.asked.append(Path(name).read_text() if Path(name).is_absolute() else name)
        done = threading.Event()
        done.set()
        return done


@pytest.mark.parametrize(("count", "is_ready"), [(2, True), (4, True), (2, False), (3, False)])
def test_new_kernels_are_sent_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, is_ready: bool) -> None:
    monkeypatch.setattr(load, "cache_home", lambda: tmp_path)
    monkeypatch.setattr(load, "_loaded", {})
    elsewhere = Recorder(is_ready=is_ready)
    monkeypatch.setattr(library, "expect_all", lambda _compile: elsewhere.asked.append("what queries share"))
    sources = [KernelSource(f"adds {n}", KERNEL.format(number=n), ()) for n in (*range(count), 0)]
    load_all(sources, elsewhere)
    load_all(sources, elsewhere)
    asked = [source.text for source in sources[:-1]] + ["what queries share"] * (count >= 3)
    assert elsewhere.asked == (asked if is_ready else [])
    assert elsewhere.was_started == (count >= 3)
    kernel, spent = load.load(sources[-1])
    assert kernel(np.uint64(0), np.uint64(7), np.zeros(0, np.uint64)) == 7
    assert spent == 0
