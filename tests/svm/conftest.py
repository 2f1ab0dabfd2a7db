"""What several modules of tests ask of the native library."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from widemargin import native

LEVELS = ["portable", "avx2", "avx512"]


@pytest.fixture(params=range(3), ids=LEVELS)
def level(request: pytest.FixtureRequest) -> Iterator[int]:
    """Use one level of instructions, and the one before it afterwards."""
    found: Any = native.library()
    before = LEVELS.index(native.level())
    if found.wm_set_level(request.param) != request.param:
        found.wm_set_level(before)
        pytest.skip("this processor has no such instructions")
    yield request.param
    found.wm_set_level(before)
