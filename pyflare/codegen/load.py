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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numba

import pyflare.runtime
from pyflare.codegen.kernel import Kernel
from pyflare.codegen.values import Param
from pyflare.codegen.writer import INDENT
from pyflare.config import cache_home
from pyflare.runtime.memory import OPTIONS
from pyflare.runtime.outlined import make_ready

_log = logging.getLogger(__name__)
_lock = threading.Lock()
_loaded: dict[str, Callable[..., int]] = {}


@dataclass(frozen=True)
class KernelSource:
    """A kernel's Python source and the parameters it takes after `lo` and `hi`."""

    title: str
    text: str
    params: tuple[Param, ...]


def assemble(kernel: Kernel, title: str) -> KernelSource:
    """Put the pieces of a kernel together: imports, signature, loop."""
    params = tuple(kernel.params.values())
    types = "".join(f"{INDENT}{param.numba_type},\n" for param in params)
    names = "".join(f"{INDENT}{param.name},\n" for param in params)
    head = [
        f'"""{title}"""',
        "from numba import boolean, float32, float64, int8, int16, int32, int64, types, uint8, uint16, uint64",
        *sorted(kernel.imports),
        "",
        f"SIGNATURE = types.int64(\n{INDENT}types.uint64,\n{INDENT}types.uint64,\n{types})",
        *(line for function in kernel.functions.values() for line in ("", "", "@compiled", *function.lines)),
        "",
        "",
        f"def kernel(\n{INDENT}lo,\n{INDENT}hi,\n{names}):",
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
        body.append(INDENT + "resume[0] = 0")
    body.append(INDENT + "return int64(hi)")
    return KernelSource(title, "\n".join([*head, *body]) + "\n", params)


@cache
def _environment() -> str:
    """What compiled code depends on besides its own text."""
    digest = hashlib.sha256(f"{numba.__version__} {OPTIONS}".encode())
    for path in sorted(Path(pyflare.runtime.__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def load(source: KernelSource) -> tuple[Callable[..., int], int]:
    """The compiled kernel, and the nanoseconds it took to get it. Thread-safe; compiles each kernel once.

    Who needs a kernel that another thread compiles waits for it, and that is what it took.
    """
    key = hashlib.sha256((_environment() + source.text).encode()).hexdigest()[:24]
    found = _loaded.get(key)
    if found is not None:
        return found, 0
    started = time.perf_counter_ns()
    with _lock:
        function = _loaded.get(key)
        if function is None:
            _loaded[key] = function = _compile(_write(key, source.text), source)
    return function, time.perf_counter_ns() - started


def _write(key: str, text: str) -> Path:
    folder = cache_home() / "kernels"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"k_{key}.py"
    if not path.exists():
        handle, temporary = tempfile.mkstemp(dir=folder, suffix=".tmp")
        with os.fdopen(handle, "w") as file:
            file.write(text)
        Path(temporary).replace(path)
    return path


def _compile(path: Path, source: KernelSource) -> Callable[..., int]:
    spec = importlib.util.spec_from_file_location(f"pyflare_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module  # Numba's cached code looks its module up by name
    try:
        spec.loader.exec_module(module)
        make_ready(vars(module))
        return numba.njit(module.SIGNATURE, **OPTIONS)(module.kernel)  # type: ignore[no-any-return]
    except Exception:
        _log.error("compiling %s failed, its source is in %s:\n%s", source.title, path, source.text)
        raise


def arguments(params: Sequence[Param], frame: Any) -> list[Any]:
    """The kernel's arguments after `lo` and `hi`."""
    return [param.bind(frame) for param in params]
