"""Identity: what a result depends on besides its settings: versions, sources, threads, git."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from widemargin.errors import ConfigError, Problem

__all__ = [
    "COMPARISON_VARIABLE",
    "engine_name",
    "git_state",
    "hash_of",
    "made_for",
    "sources_hash",
    "thread_count",
    "versions",
]

COMPARISON_VARIABLE = "WIDEMARGIN_COMPARISON"
"""Set for a run that a comparison makes, one of its cells: the comparison's name."""

_LIBRARIES = ("numpy", "scipy", "scikit-learn", "pandas")
# Those of extras, where they are installed.
_OF_EXTRAS = (
    *("biopython", "gensim", "onnxruntime", "pillow", "soundfile", "tokenizers", "torch"),
    *("torchvision", "transformers"),
)


def hash_of(value: Any) -> str:
    """Hash a JSON value, whatever the order of its keys.

    Examples
    --------
    >>> hash_of({"a": 1, "b": 2}) == hash_of({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def made_for() -> str:
    """Return the name of the comparison that this process makes a run for; empty for none.

    It is told once: a run that a listener starts when this one is written is nobody's cell.
    """
    return os.environ.pop(COMPARISON_VARIABLE, "")


def versions() -> dict[str, str]:
    """Return the versions of Python, widemargin and the libraries that results depend on."""
    found = {"python": platform.python_version()}
    for name in ("widemargin", *_LIBRARIES):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed as a distribution"
    for name in _OF_EXTRAS:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def engine_name(asked: str) -> str:
    """Return the engine that solves where `asked` is the setting, and the instructions it uses.

    Raises
    ------
    ConfigError
        Where it is not there.

    Examples
    --------
    >>> engine_name("scikit-learn")
    'scikit-learn'
    """
    from widemargin import native
    from widemargin.svm.engines import choose_engine

    try:
        name = choose_engine(asked).name
    except ValueError as error:
        raise ConfigError([Problem(str(error), "svm.engine")]) from error
    return f"{name} ({native.level()})" if name == "native" else name


def thread_count() -> int:
    """Return how many threads the numerical libraries may use."""
    from threadpoolctl import threadpool_info

    pools = [int(pool["num_threads"]) for pool in threadpool_info()]
    return max(pools, default=os.cpu_count() or 1)


def sources_hash(packages: Sequence[str]) -> str:
    """Hash the source of packages, C included, so that work kept by other code is not reused."""
    digest = hashlib.sha256()
    for name in packages:
        spec = find_spec(name)
        places = list(spec.submodule_search_locations or []) if spec else []
        files = [
            path
            for place in places
            for path in Path(place).rglob("*")
            if path.suffix in (".py", ".c", ".h")
        ]
        if spec and not places and spec.origin:
            files = [Path(spec.origin)]
        for path in sorted(files):
            digest.update(f"{name}:{path.name}:".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def git_state() -> dict[str, Any] | None:
    """Return the working directory's commit and whether it has changes; None outside a checkout."""

    def ask(*words: str) -> str:
        # Fixed words, no shell.
        done = subprocess.run(  # noqa: S603
            ["git", *words],  # noqa: S607  # whichever git the user has
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
        return done.stdout.strip()

    try:
        return {"commit": ask("rev-parse", "HEAD"), "dirty": bool(ask("status", "--porcelain"))}
    except (OSError, subprocess.SubprocessError):
        return None
