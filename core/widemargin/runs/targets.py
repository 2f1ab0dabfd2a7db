"""Targets: what the user names, resolved into the config of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from widemargin.contracts import RunRecord

if TYPE_CHECKING:
    from widemargin.config import Document, RunConfig
    from widemargin.registry import Registry

__all__ = ["resolve_target"]


def resolve_target(
    target: str, overrides: Sequence[Document], like: RunRecord | None, registry: Registry
) -> tuple[RunConfig, str]:
    """Resolve what a target names; return the config and the use case's name."""
    from widemargin.config import Document, read, resolve

    layers: list[Document | Mapping[str, Any]] = []
    if like is not None:
        layers.append(Document(dict(like.config), f"config of {like.id}"))
        name = like.use_case
    elif target.endswith((".yaml", ".yml")):
        document = read(Path(target))
        layers.append(document)
        name = document.use_case()
    else:
        name = target
    layers.extend(overrides)
    use_case = registry.use_case(name)
    config = resolve(use_case, layers, encoders=registry.encoders, kernels=registry.kernels)
    return config, name
