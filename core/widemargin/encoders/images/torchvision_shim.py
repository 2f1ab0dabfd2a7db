"""Make torchvision importable beside a torch that its compiled part does not fit."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from importlib.machinery import PathFinder
from threading import Lock
from typing import Any

from widemargin.encoders.libraries import require_library

__all__ = ["ensure_torchvision_operators", "require_torchvision"]

_lock = Lock()
# torch forgets what a Library defined as soon as nothing refers to it.
_kept: list[Any] = []


def require_torchvision(name: str) -> Any:
    """Import torchvision, whether its compiled part fits torch or not.

    Parameters
    ----------
    name : str
        What needs it, for the message.

    Raises
    ------
    LibraryError
        Where it or torch is not installed.
    """
    require_library("torch", name, "vision")
    ensure_torchvision_operators()
    return require_library("torchvision", name, "vision")


def ensure_torchvision_operators() -> bool:
    """Define the operators that torchvision expects at import, where its own extension cannot load.

    The usual torchvision wheel is linked against CUDA. Beside a CPU-only torch its compiled part
    does not load; torchvision goes on without it, but registers Python code for two operators of
    that part and so fails at import ("operator torchvision::nms does not exist"). Their bare
    schemas are enough for its models, transforms and weights, none of which calls them.

    Call it before anything that may import torchvision, as transformers does. It does nothing
    where torchvision is absent, imported already, or whole; calling it again does nothing.

    Returns
    -------
    bool
        Whether the schemas are ours.
    """
    with _lock:
        if _kept:
            return True
        if (
            "torchvision" in sys.modules
            or (found := importlib.util.find_spec("torchvision")) is None
        ):
            return False
        torch: Any = importlib.import_module("torch")
        extension = PathFinder.find_spec("_C", list(found.submodule_search_locations or ()))
        if extension is not None and extension.origin is not None:
            try:
                torch.ops.load_library(extension.origin)
            except (ImportError, OSError):
                pass  # linked against libraries that are not here
            else:
                return False
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _kept.append(library)
        return True
