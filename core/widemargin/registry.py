"""The registry: what is installed, broken plugins kept apart."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any, TypeVar

import pluggy

from widemargin import hookspecs
from widemargin.contracts import (
    Asset,
    Command,
    EncoderSpec,
    Kernel,
    Metric,
    RunRecord,
    UseCase,
)
from widemargin.contracts.command import RESERVED
from widemargin.encoders import ENCODERS
from widemargin.errors import PluginError, nearest
from widemargin.evaluation import METRICS
from widemargin.svm import KERNELS

__all__ = ["Broken", "Plugin", "Registry", "discover"]

GROUP = "widemargin.plugins"
T = TypeVar("T")


@dataclass(frozen=True)
class Plugin:
    """A plugin that is in order.

    Parameters
    ----------
    name : str
        Its entry point's name.
    distribution, version : str
        The installed package that it came with.
    package : str
        The Python package that holds it.
    registered : mapping of str to tuple of str
        Names by hook, as in ``{"register_use_cases": ("spam",)}``.
    """

    name: str
    distribution: str
    version: str
    package: str
    registered: Mapping[str, tuple[str, ...]]
    module: Any = field(repr=False, compare=False, default=None)


@dataclass(frozen=True)
class Broken:
    """A plugin that was left out, and why."""

    name: str
    distribution: str
    reason: str


@dataclass(frozen=True)
class Registry:
    """What is installed; immutable.

    `plugins` are in order, `broken` were left out; the mappings go by name.
    """

    plugins: tuple[Plugin, ...]
    broken: tuple[Broken, ...]
    use_cases: Mapping[str, UseCase]
    encoders: Mapping[str, EncoderSpec]
    kernels: Mapping[str, Kernel]
    metrics: Mapping[str, Metric]
    commands: Mapping[str, Command]

    def use_case(self, name: str) -> UseCase:
        """Return a use case by name.

        Raises
        ------
        PluginError
            Where no plugin registers it; names the nearest, and the plugins that are broken.
        """
        if name in self.use_cases:
            return self.use_cases[name]
        message = f"There is no use case {name!r}.{nearest(name, self.use_cases)}"
        message += f" Installed are {', '.join(sorted(self.use_cases)) or 'none'}."
        for broken in self.broken:
            message += f"\nThe plugin {broken.name!r} of {broken.distribution} is broken: "
            message += f"{broken.reason}"
        raise PluginError(message)

    def metric(self, name: str, use_case: str) -> Metric:
        """Return a metric by name.

        Raises
        ------
        PluginError
            Where no plugin registers it.
        """
        if name not in self.metrics:
            raise PluginError(
                f"use case {use_case!r} asks for the metric {name!r}, which nothing registers."
                f"{nearest(name, self.metrics)}"
            )
        return self.metrics[name]

    def assets(self) -> dict[str, Asset]:
        """Return the assets of all loaders and encoders, by name."""
        found = _assets_of(self.use_cases.values(), self.encoders.values())
        return {asset.name: asset for asset in found}

    def packages(self) -> tuple[str, ...]:
        """Name the Python packages of widemargin and of the plugins in order."""
        return ("widemargin", *sorted({plugin.package for plugin in self.plugins}))

    def notify_started(self, use_case: str, run_id: str) -> None:
        """Tell every plugin that a run begins; one that fails is warned about."""
        self._notify("run_started", use_case=use_case, run_id=run_id)

    def notify_finished(self, record: RunRecord) -> None:
        """Tell every plugin that a run was written; one that fails is warned about."""
        self._notify("run_finished", record=record)

    def _notify(self, hook: str, **event: Any) -> None:
        # One plugin at a time: pluggy stops at the first that raises, and a listener must never
        # cost anybody a run.
        for plugin in self.plugins:
            manager = _manager()
            manager.register(plugin.module, plugin.name)
            try:
                getattr(manager.hook, hook)(**event)
            except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever a plugin raises
                warnings.warn(
                    f"plugin {plugin.name!r} of {plugin.distribution}: {hook} failed: "
                    f"{type(error).__name__}: {error}",
                    RuntimeWarning,
                    stacklevel=3,
                )


_HOOKS: dict[str, tuple[str, type[Any]]] = {
    "register_use_cases": ("use_cases", UseCase),
    "register_encoders": ("encoders", EncoderSpec),
    "register_kernels": ("kernels", Kernel),
    "register_metrics": ("metrics", Metric),
    "register_commands": ("commands", Command),
}


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
    found: dict[str, dict[str, Any]] = {kind: {} for kind, _ in _HOOKS.values()}
    owners: dict[tuple[str, str], str] = {
        ("commands", name): "widemargin itself" for name in RESERVED
    }
    assets: dict[str, tuple[Asset, str]] = {
        asset.name: (asset, "widemargin itself") for asset in _assets_of((), ENCODERS)
    }
    for kind, core in (("encoders", ENCODERS), ("kernels", KERNELS), ("metrics", METRICS)):
        for item in core:
            found[kind][item.name] = item
            owners[kind, item.name] = "widemargin itself"
    plugins: list[Plugin] = []
    broken: list[Broken] = []
    chosen = entry_points(group=GROUP) if points is None else points
    for point in sorted(chosen, key=_precedence):
        distribution = point.dist.name if point.dist else "an unknown distribution"
        version = point.dist.version if point.dist else ""
        mine = f"the plugin {point.name!r} of {distribution}"
        try:
            module = _load(point, {plugin.name: plugin for plugin in plugins})
            offered = _ask(module, point.name)
            _refuse_duplicates(offered, owners, mine)
            own = _own_assets(offered, assets, mine)
        # Whatever a plugin's import raises, SystemExit included, must not take the others down.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            reason = str(error) if isinstance(error, PluginError) else _one_line(error)
            broken.append(Broken(point.name, distribution, reason))
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
                        for hook, (kind, _) in _HOOKS.items()
                        if offered[kind]
                    }
                ),
                module=module,
            )
        )
    return Registry(
        plugins=tuple(plugins),
        broken=tuple(broken),
        **{kind: MappingProxyType(items) for kind, items in found.items()},
    )


def _precedence(point: EntryPoint) -> tuple[bool, str, str]:
    # widemargin's own plugins first, so that of two that claim a name the newcomer is refused.
    distribution = point.dist.name if point.dist else ""
    return (distribution != "widemargin", distribution, point.name)


def _manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    return manager


def _load(point: EntryPoint, loaded: Mapping[str, Plugin]) -> Any:
    if point.name in loaded:
        other = loaded[point.name].distribution
        raise PluginError(
            f"the entry point name {point.name!r} is taken by {other}; "
            "give it another name in pyproject.toml or uninstall one of the two."
        )
    return point.load()


def _ask(module: Any, name: str) -> dict[str, tuple[Any, ...]]:
    """Collect what one plugin offers, checked."""
    manager = _manager()
    try:
        manager.register(module, name)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise PluginError(_explain_misfit(module, str(error))) from error
    if not any(caller.get_hookimpls() for caller in vars(manager.hook).values()):
        raise PluginError(
            "implements no hook. Mark a function with @widemargin.hookimpl; the hooks are "
            f"{', '.join(_hook_names())}."
        )
    offered: dict[str, tuple[Any, ...]] = {}
    for hook, (kind, wanted) in _HOOKS.items():
        # Called without pluggy, which would take a forgotten `return` for nothing to register.
        offered[kind] = tuple(
            item
            for implementation in getattr(manager.hook, hook).get_hookimpls()
            for item in _check_items(implementation.function(), hook, wanted)
        )
    return offered


def _check_items(returned: Any, hook: str, wanted: type[T]) -> tuple[T, ...]:
    if not isinstance(returned, list | tuple):
        raise PluginError(
            f"{hook} returned {_what(returned)}; it must return a list, as in "
            f"`return [{wanted.__name__}(...)]`."
        )
    for item in returned:
        if not isinstance(item, wanted):
            raise PluginError(
                f"{hook} returned a list with {_what(item)} in it; each item must be of the type "
                f"widemargin.{wanted.__name__}."
            )
    names = [getattr(item, "name", "") for item in returned]
    for repeated in {name for name in names if names.count(name) > 1}:
        raise PluginError(f"{hook} returned {repeated!r} twice; rename one of them.")
    return tuple(returned)


def _refuse_duplicates(
    offered: Mapping[str, tuple[Any, ...]], owners: Mapping[tuple[str, str], str], mine: str
) -> None:
    for kind, items in offered.items():
        for item in items:
            if (kind, item.name) in owners:
                other = owners[kind, item.name]
                raise PluginError(
                    f"the {kind.replace('_', ' ')[:-1]} {item.name!r} is registered by {other} "
                    f"already. Rename it in {mine}, or uninstall one of the two."
                )


def _assets_of(use_cases: Iterable[UseCase], encoders: Iterable[EncoderSpec]) -> Iterator[Asset]:
    for case in use_cases:
        for loader in case.data:
            yield from loader.assets
    for encoder in encoders:
        yield from encoder.assets


def _own_assets(
    offered: Mapping[str, tuple[Any, ...]], known: Mapping[str, tuple[Asset, str]], mine: str
) -> dict[str, tuple[Asset, str]]:
    """Return a plugin's assets with their owner; two that differ cannot share a folder."""
    own: dict[str, tuple[Asset, str]] = {}
    for asset in _assets_of(offered["use_cases"], offered["encoders"]):
        other, owner = {**own, **known}.get(asset.name, (asset, mine))
        if other != asset:
            raise PluginError(
                f"the asset {asset.name!r} is another one in {owner} already. Rename it in {mine}, "
                "or uninstall one of the two."
            )
        own.setdefault(asset.name, (asset, owner))
    return own


def _hook_names() -> list[str]:
    return [name for name in vars(hookspecs) if name.startswith(("register_", "run_"))]


def _explain_misfit(module: Any, message: str) -> str:
    hooks = _hook_names()
    for name in vars(module):
        if hasattr(getattr(module, name), "widemargin_impl") and name not in hooks:
            return f"{name!r} is no hook.{nearest(name, hooks)} The hooks are {', '.join(hooks)}."
    return " ".join(message.split())


def _what(value: Any) -> str:
    return "None" if value is None else f"a value of type {type(value).__name__}"


def _one_line(error: BaseException) -> str:
    """Say what a plugin raised, and where in its code."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename != __file__ and "importlib" not in frame.filename
    ]
    where = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())}{where}"
