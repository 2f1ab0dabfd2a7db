"""What is installed: plugins in order, broken ones, and all that they register."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from widemargin.contracts import Asset, Command, EncoderSpec, Kernel, Metric, RunRecord, UseCase
from widemargin.contracts.places import told
from widemargin.errors import PluginError, nearest
from widemargin.registry.hooks import new_manager

__all__ = ["Broken", "Plugin", "Registry", "assets_of"]


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
    """A plugin that was left out, and why.

    Parameters
    ----------
    name : str
        Its entry point's name.
    distribution : str
        The installed package that it came with.
    reason : str
        What is wrong, and the line of its code at the end where that is known.
    where : str
        That line alone, as in ``/home/me/weather/data.py, line 12``.
    """

    name: str
    distribution: str
    reason: str
    where: str = ""


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
        found = assets_of(self.use_cases.values(), self.encoders.values())
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
            manager = new_manager()
            manager.register(plugin.module, plugin.name)
            try:
                getattr(manager.hook, hook)(**event)
            except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever a plugin raises
                warnings.warn(
                    f"plugin {plugin.name!r} of {plugin.distribution}: {hook} failed: "
                    f"{told(error)}",
                    RuntimeWarning,
                    stacklevel=3,
                )


def assets_of(use_cases: Iterable[UseCase], encoders: Iterable[EncoderSpec]) -> Iterator[Asset]:
    for case in use_cases:
        for loader in case.data:
            yield from loader.assets
    for encoder in encoders:
        yield from encoder.assets
