"""The native engine's library: plain C behind ctypes, compiled by ``core/build_native.py``."""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache
from pathlib import Path

__all__ = ["VERSION", "level", "library", "reason"]

VERSION = 2
"""What ``wm_version()`` must return; raised whenever a C function's arguments change."""

_LEVELS = ("portable", "avx2", "avx512")
_SUFFIX = {"win32": ".dll", "cygwin": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
_PATH = Path(__file__).with_name(f"_widemargin{_SUFFIX}")
_AGAIN = "install widemargin again, with pip's --force-reinstall --no-deps --no-cache-dir"


def library() -> ctypes.CDLL | None:
    """Return the library; nothing where it cannot be had, and `reason` says why."""
    return _load()[0]


def reason() -> str:
    """Say why there is no library and what to do about it; empty where there is one."""
    return _load()[1]


def level() -> str:
    """Name the processor's instructions that the library uses; empty where there is none."""
    return _load()[2]


@cache
def _load() -> tuple[ctypes.CDLL | None, str, str]:
    if os.environ.get("WIDEMARGIN_NATIVE") == "0":
        return None, "WIDEMARGIN_NATIVE=0 turns it off; unset the variable to use it", ""
    if not _PATH.exists():
        return None, f"it was not compiled; install a C compiler (gcc or clang), then {_AGAIN}", ""
    try:
        found = ctypes.CDLL(str(_PATH))
        version = found.wm_version()
        if version != VERSION:
            return None, f"{_PATH} is of version {version}, not {VERSION}; {_AGAIN}", ""
        return found, "", _LEVELS[found.wm_set_level(-1)]
    except (OSError, AttributeError) as error:
        return None, f"{_PATH} cannot be loaded ({error}); {_AGAIN}", ""
