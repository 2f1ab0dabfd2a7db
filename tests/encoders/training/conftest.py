"""What the tests of training share."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def small() -> Any:
    """Return the module ``small_training``, which test processes also run."""
    pytest.importorskip("torch", reason='needs pip install "widemargin[vision]"')
    path = Path(__file__).with_name("small_training.py")
    spec = importlib.util.spec_from_file_location("small_training", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["small_training"] = module
    spec.loader.exec_module(module)
    return module
