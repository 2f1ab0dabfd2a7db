"""Checks of how a use case is declared, and of what its plugin imports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from string import Formatter
from typing import TYPE_CHECKING

from widemargin.contracts import UseCase
from widemargin.contracts.places import GROUP
from widemargin.contracts.written import where_written
from widemargin.errors import PluginError, nearest
from widemargin.registry import discover
from widemargin.testing.blame import ConformanceError, violation
from widemargin.testing.fixture import broken, hook_of

if TYPE_CHECKING:
    from widemargin.registry import Registry

__all__ = ["check_light_import", "check_metrics", "module_of"]

_HEAVY = ("torch", "sklearn", "pandas", "scipy", "transformers", "matplotlib", "pyarrow")

# Discovers the plugin as a run does, alone in a fresh interpreter; what it takes of widemargin is
# there before, and is not its own time.
_PROBE = """
import json, sys, time
start = time.perf_counter()
from importlib.metadata import EntryPoint
from widemargin.contracts.places import where_called
from widemargin.data import *
from widemargin.registry import discover

took = [time.perf_counter() - start]
from widemargin.encoders import *  # the plugin may ask for some; they are neither's time

_, module, group, *heavy = sys.argv
met = {}


class Watch:
    def find_spec(self, name, path=None, target=None):
        if name in heavy:
            met.setdefault(name, where_called({module.partition(".")[0]}))


sys.meta_path.insert(0, Watch())
ready = time.perf_counter()
__import__(module)
discover([EntryPoint("plugin", module, group)])
took.append(time.perf_counter() - ready)
print(json.dumps([met, *took]))
"""

_SLOW = 1.0
"""Seconds that an import may take anywhere; above that, it may take as long as widemargin's own."""
_LOOKS = 3
"""How often an import is measured that takes long: the machine may have been busy meanwhile."""


def check_light_import(use_case: UseCase, registry: Registry | None = None) -> None:
    """Check that importing the plugin, and asking it what it registers, imports no heavy library.

    Nor may it take longer than to import widemargin, which every command waits for anyhow.

    Parameters
    ----------
    use_case : UseCase
        What is checked.
    registry : Registry, optional
        What is installed; found if it is not given.

    Raises
    ------
    ConformanceError
        Where one is imported, it takes long, or a fresh interpreter cannot import the plugin.
    """
    registry = discover() if registry is None else registry
    module = module_of(use_case, registry)
    rule = "Importing a plugin must not import a heavy library; every command would wait for it."
    for _ in range(_LOOKS):
        done = _import_alone(module)
        if done.returncode:
            said = done.stderr.strip() or f"the interpreter ended with {done.returncode}."
            found, remedy = said.splitlines()[-1], f"see that `python -c 'import {module}'` works."
            raise broken(use_case, rule, found, remedy, hook_of(use_case, registry))
        imported, ours, own = json.loads(done.stdout.splitlines()[-1])
        if imported:
            # The first is imported by the plugin, and may have brought the others.
            where = next(filter(None, imported.values()), "")
            found = f"{module} imports {', '.join(imported)}."
            remedy = "import it inside the function that needs it."
            raise violation(f"use case {use_case.name!r}", rule, found, remedy, where)
        if own <= max(_SLOW, ours):
            return
    raise broken(
        use_case,
        rule,
        f"importing {module} took {own:.1f} s, and widemargin itself {ours:.1f} s.",
        "leave what takes long to the function that needs it; `python -X importtime -c "
        f"'import {module}'` says what does.",
        hook_of(use_case, registry),
    )


def _import_alone(module: str) -> subprocess.CompletedProcess[str]:
    # Our own words, no shell.
    return subprocess.run(  # noqa: S603
        [sys.executable, "-c", _PROBE, module, GROUP, *_HEAVY],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
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
    hook = hook_of(use_case, registry)
    primary, headline = use_case.primary_metric, use_case.wording.headline

    def refused(found: str, remedy: str, *path: str) -> ConformanceError:
        where = where_written(hook, use_case, *path)
        return violation(f"use case {use_case.name!r}", rule, found, remedy, where)

    def task_of(name: str, keyword: str) -> str:
        try:
            return registry.metric(name, use_case.name).task
        except PluginError as error:
            remedy = "correct the name; `widemargin.evaluation.METRICS` holds those of widemargin."
            raise refused(str(error), remedy, keyword, name) from error

    for name in use_case.metrics:
        if (task := task_of(name, "metrics")) not in primary:
            found = f"metrics names {name!r}, a metric of {task}, which it is not for."
            raise refused(found, "take metrics of its own task.", "metrics", name)
    for task, name in primary.items():
        if task_of(name, "primary_metric") != task:
            found = f"primary_metric names {name!r}, which is no metric of {task}."
            raise refused(found, f"name a metric of {task}.", "primary_metric", name)
    try:
        spoken = [name for _, name, _, _ in Formatter().parse(headline) if name]
    except ValueError as error:
        found = f"the headline {headline!r} cannot be read: {error}."
        remedy = "put names of metrics into braces, as in 'Names {accuracy} of them rightly'."
        raise refused(found, remedy, "wording", "headline") from error
    # Two classes may be spoken of by the names that the data has.
    shown = {*use_case.metrics, *primary.values(), "positive", "negative"}
    for name in spoken:
        if name not in shown:
            found = f"the headline speaks of {name!r}.{nearest(name, shown)}"
            remedy = f"name one of {', '.join(sorted(shown))}, or add it to `metrics`."
            raise refused(found, remedy, "wording", "headline")


def module_of(use_case: UseCase, registry: Registry) -> str:
    """Return the module that registers a use case; that of its loader where none does."""
    for plugin in registry.plugins:
        if use_case.name in plugin.registered.get("register_use_cases", ()):
            # An entry point may name an object of a module, too.
            return str(getattr(plugin.module, "__module__", None) or plugin.module.__name__)
    return use_case.data[0].__module__
