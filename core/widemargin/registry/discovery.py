"""Finding plugins: one at a time, broken ones kept apart."""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any

from widemargin.contracts import Asset
from widemargin.contracts.command import RESERVED
from widemargin.contracts.places import GROUP, where_raised
from widemargin.contracts.written import where_given, where_written
from widemargin.encoders.built_in import BUILT_IN, EncoderSpecs, asset_of
from widemargin.errors import PluginError
from widemargin.evaluation import METRICS
from widemargin.registry.hooks import HOOKS, offers_of
from widemargin.registry.installed import Broken, Plugin, Registry, assets_of
from widemargin.svm import KERNELS

__all__ = ["discover"]


def discover(points: Iterable[EntryPoint] | None = None) -> Registry:
    """Load every installed plugin, one at a time, and keep the broken ones apart.

    Parameters
    ----------
    points : iterable of EntryPoint, optional
        Instead of the installed entry points of the group ``widemargin.plugins``.

    Returns
    -------
    Registry

    Examples
    --------
    >>> "tfidf" in discover([]).encoders
    True
    """
    found: dict[str, dict[str, Any]] = {kind: {} for kind, _ in HOOKS.values()}
    owners: dict[tuple[str, str], str] = {
        ("commands", name): "widemargin itself" for name in RESERVED
    }
    found["encoders"] |= BUILT_IN
    found["kernels"] |= {kernel.name: kernel for kernel in KERNELS}
    found["metrics"] |= {metric.name: metric for metric in METRICS}
    owners |= {(kind, name): "widemargin itself" for kind in found for name in found[kind]}
    assets: dict[str, tuple[Asset, str]] = {}
    plugins: list[Plugin] = []
    broken: list[Broken] = []
    chosen = entry_points(group=GROUP) if points is None else points
    for point in sorted(chosen, key=_precedence):
        distribution = point.dist.name if point.dist else "an unknown distribution"
        version = point.dist.version if point.dist else ""
        mine = f"the plugin {point.name!r} of {distribution}"
        try:
            module = _load(point, {plugin.name: plugin for plugin in plugins})
            offered = offers_of(module, point.name)
            _refuse_duplicates(offered, owners, mine, module)
            own = _own_assets(offered, assets, mine)
        # Whatever a plugin's import raises, SystemExit included, must not take the others down.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            package = point.module.partition(".")[0]
            fault = error if isinstance(error, PluginError) else _told(error, package)
            broken.append(Broken(point.name, distribution, str(fault), fault.place))
            continue
        assets |= own
        for kind, items in offered.items():
            for item in items:
                found[kind][item.name] = item
                owners[kind, item.name] = mine
        plugins.append(
            Plugin(
                name=point.name,
                distribution=distribution,
                version=version,
                package=point.module.partition(".")[0],
                registered=MappingProxyType(
                    {
                        hook: tuple(item.name for item in offered[kind])
                        for hook, (kind, _) in HOOKS.items()
                        if offered[kind]
                    }
                ),
                module=module,
            )
        )
    # Those that are asked for are imported; all of them take a sixth of a short command's time.
    encoders = EncoderSpecs(found.pop("encoders"))
    return Registry(
        plugins=tuple(plugins),
        broken=tuple(broken),
        encoders=encoders,
        **{kind: MappingProxyType(items) for kind, items in found.items()},
    )


def _precedence(point: EntryPoint) -> tuple[bool, str, str]:
    # widemargin's own plugins first, so that of two that claim a name the newcomer is refused.
    distribution = point.dist.name if point.dist else ""
    return (distribution != "widemargin", distribution, point.name)


def _load(point: EntryPoint, loaded: Mapping[str, Plugin]) -> Any:
    if point.name in loaded:
        other = loaded[point.name].distribution
        raise PluginError(
            f"the entry point name {point.name!r} is taken by {other}; "
            "give it another name in pyproject.toml or uninstall one of the two."
        )
    written = f'the entry point {point.name} = "{point.value}"'
    remedy = "correct it in pyproject.toml, and install the plugin again."
    try:
        module = importlib.import_module(point.module)
    except ModuleNotFoundError as error:
        # A module that the plugin itself asks for is told with the line that asks.
        if not error.name or not f"{point.module}.".startswith(f"{error.name}."):
            raise
        raise PluginError(
            f"{written} names the module {error.name!r}, which is not there; {remedy}"
        ) from error
    try:
        return functools.reduce(getattr, point.attr.split(".") if point.attr else [], module)
    except AttributeError as error:
        raise PluginError(f"{written}: {error}; {remedy}") from error


def _refuse_duplicates(
    offered: Mapping[str, tuple[Any, ...]],
    owners: Mapping[tuple[str, str], str],
    mine: str,
    module: Any,
) -> None:
    for hook, (kind, _) in HOOKS.items():
        items = offered[kind]
        for item in items:
            if (kind, item.name) in owners:
                other = owners[kind, item.name]
                raise PluginError(
                    f"the {kind.replace('_', ' ')[:-1]} {item.name!r} is registered by {other} "
                    f"already. Rename it in {mine}, or uninstall one of the two.",
                    where_written(getattr(module, hook, None), item, "name"),
                )


def _own_assets(
    offered: Mapping[str, tuple[Any, ...]], known: Mapping[str, tuple[Asset, str]], mine: str
) -> dict[str, tuple[Asset, str]]:
    """Return a plugin's assets with their owner; two that differ cannot share a folder."""
    own: dict[str, tuple[Asset, str]] = {}
    for asset in assets_of(offered["use_cases"], offered["encoders"]):
        ours = asset_of(asset.name)
        default = (ours, "widemargin itself") if ours else (asset, mine)
        other, owner = {**own, **known}.get(asset.name, default)
        if other != asset:
            raise PluginError(
                f"the asset {asset.name!r} is another one in {owner} already. Rename it in {mine}, "
                "or uninstall one of the two."
            )
        own.setdefault(asset.name, (asset, owner))
    return own


def _told(error: BaseException, package: str) -> PluginError:
    """Say what a plugin raised, and where in its code."""
    said = f"{type(error).__name__}: {' '.join(str(error).split())}"
    if isinstance(error, SyntaxError):
        said = f"SyntaxError: {error.msg}"
    place = where_raised(error, {package})
    if misspelt := re.search(r"unexpected keyword argument '(\w+)'", said):
        place = where_given(place, misspelt[1])
    return PluginError(said, place)
