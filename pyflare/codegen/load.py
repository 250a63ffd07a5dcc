"""Kernel source → callable: a file in the cache directory, imported and compiled by Numba, which caches the result.

The file's name is the hash of its text and of everything that its compilation depends on (the runtime helpers it
inlines, versions), so a kernel is compiled once per machine and user.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Final, Protocol, cast

import numba

import pyflare.runtime
from pyflare.codegen.kernel import Kernel
from pyflare.codegen.values import Param
from pyflare.codegen.writer import INDENT, RESUME
from pyflare.config import cache_home
from pyflare.runtime import library
from pyflare.runtime.memory import OPTIONS
from pyflare.runtime.outlined import make_ready
from pyflare.runtime.parameters import KERNEL, CompiledKernel, Packing, packing
from pyflare.runtime.passes import Pipeline

_log = logging.getLogger(__name__)
_lock = threading.Lock()
_sending = threading.Lock()
_loaded: dict[str, CompiledKernel] = {}
_elsewhere: dict[str, threading.Event] = {}
_MANY: Final = 3  # kernels that are worth a process


@dataclass(frozen=True)
class KernelSource:
    """A kernel's Python source and its parameters."""

    title: str
    text: str
    params: tuple[Param, ...]

    @cached_property
    def packing(self) -> Packing:
        """How arguments become the words that the kernel takes."""
        return packing([param.type.numba for param in self.params])


def assemble(kernel: Kernel, title: str) -> KernelSource:
    """Put the pieces of a kernel together: imports, signature, loop."""
    params = tuple(kernel.params.values())
    head = [
        f'"""{title}"""',
        "from numba import boolean, float32, float64, int8, int16, int32, int64, uint8, uint16, uint64",
        "from pyflare.runtime.parameters import array, buffer, given",
        *sorted(kernel.imports),
        "",
        "arguments = given(",
        *(f"{INDENT}{param.name}={param.type.text}," for param in params),
        ")",
        *(line for function in kernel.functions.values() for line in ("", "", "@compiled", *function.lines)),
        "",
        "",
        "def kernel(lo, hi, words):",
        f"{INDENT}it = arguments(words)",
        *(f"{INDENT}{param.name} = it.{param.name}" for param in params),
    ]
    body = [INDENT + text for text in kernel.prologue]
    margin = kernel.writer.depth * INDENT
    row = [margin + text for text in kernel.row_prologue]
    row.extend(kernel.writer.lines)
    row.extend(margin + text for text in kernel.row_epilogue)
    if kernel.selection is not None:
        body.extend(kernel.selection.loops(row))
    elif not all(text.lstrip().startswith("#") for text in row):
        body.extend([INDENT + "for i in range(lo, hi):", *row])
    body.extend(INDENT + text for text in kernel.epilogue)
    if kernel.multiplies:
        body.append(f"{INDENT}{RESUME}[0] = 0")
    body.append(INDENT + "return int64(hi)")
    return KernelSource(title, "\n".join([*head, *body]) + "\n", params)


@cache
def _environment() -> str:
    """What compiled code depends on besides its own text."""
    digest = hashlib.sha256(f"{numba.__version__} {OPTIONS}".encode())
    for path in sorted(Path(pyflare.runtime.__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


class Elsewhere(Protocol):
    """Who compiles beside this process (`pyflare.aside.Compilers`)."""

    def start(self) -> None: ...
    @property
    def are_ready(self) -> bool: ...
    def compile(self, name: str) -> threading.Event: ...


def load_all(sources: Sequence[KernelSource], elsewhere: Elsewhere) -> None:
    """Load kernels. Those that have to be compiled are compiled elsewhere when somebody is ready."""
    if sum(_is_new(key) for key in set(map(_key, sources))) >= _MANY:
        elsewhere.start()
    for index, source in enumerate(sources):
        send(sources[index:], elsewhere)
        load(source)


def send(sources: Sequence[KernelSource], elsewhere: Elsewhere) -> None:
    """Have those kernels compiled elsewhere, if somebody is ready, that nobody has compiled or begins to.

    After many of them comes what such queries call between their kernels.
    """
    if not elsewhere.are_ready:
        return
    with _sending:
        sent = 0
        for source in sources:
            key = _key(source)
            if _is_new(key):
                _elsewhere[key] = elsewhere.compile(str(_written(key, source.text)))
                sent += 1
        if sent >= _MANY:
            library.expect_all(elsewhere.compile)


def load(source: KernelSource) -> tuple[CompiledKernel, int]:
    """The compiled kernel, and the nanoseconds it took to get it. Thread-safe; compiles each kernel once.

    Who needs a kernel that another thread compiles, or another process, waits for it, and that is what it took.
    """
    key = _key(source)
    found = _loaded.get(key)
    if found is not None:
        return found, 0
    started = time.perf_counter_ns()
    if (compiled := _elsewhere.get(key)) is not None:
        compiled.wait()
    with _lock:
        function = _loaded.get(key)
        if function is None:
            _loaded[key] = function = _compile(_written(key, source.text), source)
            _elsewhere.pop(key, None)
    return function, time.perf_counter_ns() - started


def _compile(path: Path, source: KernelSource) -> CompiledKernel:
    try:
        return compile_file(path)
    except Exception:
        _log.error("compiling %s failed, its source is in %s:\n%s", source.title, path, source.text)
        raise


def compile_file(path: Path) -> CompiledKernel:
    """The kernel in a file, compiled or from Numba's cache."""
    spec = importlib.util.spec_from_file_location(f"pyflare_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module  # Numba's cached code looks its module up by name
    spec.loader.exec_module(module)
    make_ready(vars(module))
    compile_ = numba.njit(KERNEL, pipeline_class=Pipeline, no_cfunc_wrapper=True, **OPTIONS)
    return cast(CompiledKernel, compile_(module.kernel))


def _key(source: KernelSource) -> str:
    return hashlib.sha256((_environment() + source.text).encode()).hexdigest()[:24]


def _is_new(key: str) -> bool:
    """Whether nobody on this machine has compiled a kernel, or begun to."""
    return key not in _loaded and not _path(key).exists()


def _path(key: str) -> Path:
    return cache_home() / "kernels" / f"k_{key}.py"


def _written(key: str, text: str) -> Path:
    """The kernel's file."""
    path = _path(key)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        with os.fdopen(handle, "w") as file:
            file.write(text)
        Path(temporary).replace(path)
    return path
