"""What a fragment is compiled to, as text."""

from __future__ import annotations

from collections.abc import Iterator

from pyflare.codegen.generate import Generated
from pyflare.io.cache import ColumnCache
from pyflare.run.fragment import Programs


def kernel_sources(programs: Programs, cache: ColumnCache) -> list[dict[str, str]]:
    """Title and Python source of each kernel of a fragment, in the order in which they run."""
    _, generated = programs.ready(cache)
    kernels = {id(kernel): kernel for root in generated for kernel in _kernels(root)}
    return [{"title": g.source.title, "source": g.source.text} for g in kernels.values() if g.source]


def _kernels(root: Generated) -> Iterator[Generated]:
    for child in root.inputs:
        yield from _kernels(child)
    yield root
