"""A fixture for tests that call functions which queries share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from numba.core import sigutils

from pyflare.runtime.library import FUNCTIONS


@pytest.fixture(autouse=True)
def only_foreseen_types() -> Iterator[None]:
    """No function is called with types that would not have been compiled beforehand."""
    yield
    for function in FUNCTIONS:
        foreseen = {sigutils.normalize_signature(signature)[0] for signature in function.signatures}
        assert set(function.compiled.signatures) <= foreseen, function.__name__
