"""Targets: what the user names, resolved into the config of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from widemargin.contracts import RunRecord, UseCase
from widemargin.errors import ConfigError, PluginError, Problem

if TYPE_CHECKING:
    from widemargin.config import Document, RunConfig
    from widemargin.registry import Registry

__all__ = ["resolve_target", "use_case_of"]


def use_case_of(document: Document, registry: Registry) -> UseCase:
    """Return the use case that a config is for.

    Raises
    ------
    ConfigError
        Where it names none, or none that is installed; with its file and line.
    """
    name = document.use_case()
    try:
        return registry.use_case(name)
    except PluginError as error:
        line = document.line_of(("use_case",))
        raise ConfigError([Problem(str(error), "use_case", document.name, line)]) from None


def resolve_target(
    target: str, overrides: Sequence[Document], like: RunRecord | None, registry: Registry
) -> tuple[RunConfig, str]:
    """Resolve what a target names; return the config and the use case's name."""
    from widemargin.config import Document, read, resolve

    layers: list[Document | Mapping[str, Any]] = []
    if like is not None:
        layers.append(Document(dict(like.config), f"config of {like.id}"))
        use_case = registry.use_case(like.use_case)
    elif target.endswith((".yaml", ".yml")):
        document = read(Path(target))
        layers.append(document)
        use_case = use_case_of(document, registry)
    else:
        try:
            use_case = registry.use_case(target)
        except PluginError as error:
            if not Path(target).exists():
                raise
            raise PluginError(f"{error}\nThe name of a config file ends in .yaml.") from None
    layers.extend(overrides)
    config = resolve(use_case, layers, encoders=registry.encoders, kernels=registry.kernels)
    return config, use_case.name
