"""The passes of Numba's compiler that a kernel needs.

Kernels are plain loops over numbers: no closures, comprehensions, `with` blocks, array expressions, optional arguments
or calls to inline. The passes for those would find nothing, at a tenth of the time that a compilation takes.
"""

from __future__ import annotations

from typing import Any

from numba.core import typed_passes, untyped_passes
from numba.core.compiler import CompilerBase
from numba.core.compiler_machinery import PassManager

_PASSES = (
    untyped_passes.TranslateByteCode,
    untyped_passes.FixupArgs,
    untyped_passes.IRProcessing,
    untyped_passes.GenericRewrites,
    untyped_passes.ReconstructSSA,
    typed_passes.NopythonTypeInference,
    typed_passes.PreLowerStripPhis,
    typed_passes.AnnotateTypes,
    typed_passes.IRLegalization,
    typed_passes.NativeLowering,
    typed_passes.NoPythonBackend,
)


class Pipeline(CompilerBase):
    """Numba's compiler, for kernels."""

    def define_pipelines(self) -> list[Any]:
        """The one way to compile them."""
        manager = PassManager("kernel")
        for found in _PASSES:
            manager.add_pass(found, found.__name__)
        manager.finalize()
        return [manager]
