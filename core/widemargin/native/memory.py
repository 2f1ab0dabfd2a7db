"""How much memory there is."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["memory_bytes"]

_CONTROL_GROUP = Path("/sys/fs/cgroup/memory.max")


def memory_bytes() -> int:
    """Return the memory of the machine, or of the container where that is less; 0 if unknown.

    Examples
    --------
    >>> memory_bytes() >= 0
    True
    """
    known = []
    try:
        known.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
        # A container may use less than the machine has; "max" where it may use all.
        known.append(int(_CONTROL_GROUP.read_text(encoding="ascii")))
    except (AttributeError, OSError, ValueError):
        pass
    return min(known, default=0)
