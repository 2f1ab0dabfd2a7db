"""Checks of how a use case is declared, and of what its plugin imports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from string import Formatter
from typing import TYPE_CHECKING

from widemargin.contracts import UseCase
from widemargin.errors import PluginError
from widemargin.registry import GROUP, discover
from widemargin.testing.fixture import broken

if TYPE_CHECKING:
    from widemargin.registry import Registry

__all__ = ["check_light_import", "check_metrics", "module_of"]

_HEAVY = ("torch", "sklearn", "pandas", "scipy", "transformers", "matplotlib", "pyarrow")

# Discovers the plugin as a run does, alone in a fresh interpreter.
_PROBE = """
import json, sys
from importlib.metadata import EntryPoint
from widemargin.registry import discover

_, module, group, *heavy = sys.argv
__import__(module)
discover([EntryPoint("plugin", module, group)])
print(json.dumps([name for name in heavy if name in sys.modules]))
"""


def check_light_import(use_case: UseCase, registry: Registry | None = None) -> None:
    """Check that importing the plugin, and asking it what it registers, imports no heavy library.

    Parameters
    ----------
    use_case : UseCase
        What is checked.
    registry : Registry, optional
        What is installed; found if it is not given.

    Raises
    ------
    ConformanceError
        Where one is imported, or a fresh interpreter cannot import the plugin.
    """
    module = module_of(use_case, discover() if registry is None else registry)
    rule = "Importing a plugin must not import a heavy library; every command would wait for it."
    # Our own words, no shell.
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", _PROBE, module, GROUP, *_HEAVY],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    if done.returncode:
        found = done.stderr.strip().splitlines()[-1]
        remedy = f"see that `python -c 'import {module}'` works."
        raise broken(use_case, rule, found, remedy)
    if imported := json.loads(done.stdout.splitlines()[-1]):
        raise broken(
            use_case,
            rule,
            f"{module} imports {', '.join(imported)}.",
            "import it inside the function that needs it.",
        )


def check_metrics(use_case: UseCase, registry: Registry | None = None) -> None:
    """Check that every metric the use case names is registered and fits its task.

    Parameters
    ----------
    use_case : UseCase
        What is checked.
    registry : Registry, optional
        What is installed; found if it is not given.

    Raises
    ------
    ConformanceError
        Where one is not, or the headline speaks of a metric that is not in the table.
    """
    registry = discover() if registry is None else registry
    rule = "Its metrics must be registered, and those of the headline be in the table."
    remedy = "correct the name; `widemargin.evaluation.METRICS` holds those of widemargin."
    primary = use_case.primary_metric
    try:
        for name in use_case.metrics:
            task = registry.metric(name, use_case.name).task
            if task not in primary:
                found = f"metrics names {name!r}, a metric of {task}, which it is not for."
                raise broken(use_case, rule, found, "take metrics of its own task.")
        for task, name in primary.items():
            if registry.metric(name, use_case.name).task != task:
                found = f"primary_metric names {name!r}, which is no metric of {task}."
                raise broken(use_case, rule, found, remedy)
    except PluginError as error:
        raise broken(use_case, rule, str(error), remedy) from error
    spoken = [name for _, name, _, _ in Formatter().parse(use_case.wording.headline) if name]
    # Two classes may be spoken of by the names that the data has.
    shown = {*use_case.metrics, *primary.values(), "positive", "negative"}
    for name in spoken:
        if name not in shown:
            found = f"the headline speaks of {name!r}."
            raise broken(use_case, rule, found, remedy)


def module_of(use_case: UseCase, registry: Registry) -> str:
    """Return the module that registers a use case; that of its loader where none does."""
    for plugin in registry.plugins:
        if use_case.name in plugin.registered.get("register_use_cases", ()):
            # An entry point may name an object of a module, too.
            return str(getattr(plugin.module, "__module__", None) or plugin.module.__name__)
    return use_case.data[0].__module__
