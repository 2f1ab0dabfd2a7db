"""The card of a plugin: every rule that can be tried on it, and how that went."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from widemargin.contracts import UseCase
from widemargin.contracts.places import where_raised
from widemargin.contracts.written import where_written
from widemargin.errors import AssetError, LibraryError, PluginError, nearest
from widemargin.registry import Broken, Plugin, Registry, discover
from widemargin.testing.blame import UNFORESEEN, ConformanceError, DoesNotApply, blame
from widemargin.testing.conformance import use_case_checks
from widemargin.testing.encoder_checks import encoder_checks
from widemargin.testing.fixture import hook_of
from widemargin.testing.kernel_checks import kernel_checks
from widemargin.testing.metric_checks import metric_checks

__all__ = ["Status", "Verdict", "examine"]

Status = Literal["passed", "failed", "not tried", "does not apply"]
"""How a rule went."""

_IMPORTED = "The plugin can be imported, and its hooks return what they should."
_FIRST = frozenset(
    {
        "check_loads_offline",
        "check_lengths",
        "check_deterministic",
        "check_encoder_shape",
        "check_encoder_is_deterministic",
    }
)
"""Where one of these fails, what the rules after it would find are its consequences."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """How one rule went.

    Parameters
    ----------
    subject : str
        What was tried, as in ``"use case 'weather'"``.
    check : str
        The function in `widemargin.testing` that tried it; empty for the import.
    rule : str
        The rule, in a sentence.
    status : {"passed", "failed", "not tried", "does not apply"}
        How it went. What an earlier mistake stands in the way of is not tried, nor is what needs
        an asset or a library that is not there.
    seconds : float
        What that took.
    found : str
        What was found, or why the rule was not tried or does not apply.
    where : str
        Where in the plugin's code that is, as in ``/home/me/weather/data.py, line 12``; empty
        where it cannot be said.
    remedy : str
        What to do where it failed.
    """

    subject: str
    check: str
    rule: str
    status: Status
    seconds: float
    found: str = ""
    where: str = ""
    remedy: str = ""


def examine(name: str, registry: Registry | None = None) -> Iterator[Verdict]:
    """Try every rule on a plugin's use cases, encoders, kernels and metrics.

    Parameters
    ----------
    name : str
        A plugin, or one of the installed use cases.
    registry : Registry, optional
        What is installed; found if it is not given.

    Returns
    -------
    iterator of Verdict
        One a rule, as soon as it was tried.

    Raises
    ------
    PluginError
        Where neither a plugin nor a use case has the name.

    Examples
    --------
    >>> verdicts = examine("spam")
    >>> next(verdicts).status
    'passed'
    """
    registry = discover() if registry is None else registry
    for broken in registry.broken:
        if name in (broken.name, broken.distribution):
            return iter([_broken_plugin(broken)])
    for plugin in registry.plugins:
        if name == plugin.name:
            return _plugin(plugin, registry)
    if name in registry.use_cases:
        return _use_case(registry.use_cases[name], registry, _owner(name, registry))
    known = {plugin.name for plugin in registry.plugins} | set(registry.use_cases)
    known |= {broken.name for broken in registry.broken}
    raise PluginError(
        f"There is no plugin and no use case {name!r}.{nearest(name, known)} Installed are "
        f"{', '.join(sorted(known)) or 'none'}."
    )


def _broken_plugin(broken: Broken) -> Verdict:
    reason = broken.reason.removesuffix(f" ({broken.where})")
    return Verdict(
        subject=f"plugin {broken.name!r}",
        check="",
        rule=_IMPORTED,
        status="failed",
        seconds=0.0,
        found=reason if reason.endswith(".") else f"{reason}.",
        where=broken.where,
        remedy="mend what is named there, and check again; until then the plugin is left out.",
    )


def _plugin(plugin: Plugin, registry: Registry) -> Iterator[Verdict]:
    yield Verdict(
        subject=f"plugin {plugin.name!r}",
        check="",
        rule=_IMPORTED,
        status="passed",
        seconds=0.0,
    )
    names = plugin.registered
    for name in names.get("register_use_cases", ()):
        yield from _use_case(registry.use_cases[name], registry, plugin.package)
    tried: tuple[tuple[str, str, str, Any, Any], ...] = (
        ("register_encoders", "encoder", "build", registry.encoders, encoder_checks()),
        ("register_kernels", "kernel", "pairwise", registry.kernels, kernel_checks()),
        ("register_metrics", "metric", "compute", registry.metrics, metric_checks()),
    )
    for hook, what, part, items, checks in tried:
        for name in names.get(hook, ()):
            trials = ((check, partial(check, items[name])) for check in checks)
            # What is lent from a library has no other place in the plugin's code.
            lent = partial(where_written, getattr(plugin.module, hook, None), items[name], part)
            yield from _subject(f"{what} {name!r}", trials, plugin.package, lent)


def _use_case(use_case: UseCase, registry: Registry, package: str) -> Iterator[Verdict]:
    trials = ((check, partial(check, use_case, registry)) for check in use_case_checks())
    place = partial(where_written, hook_of(use_case, registry), use_case)
    yield from _subject(f"use case {use_case.name!r}", trials, package, place)


def _subject(
    subject: str,
    trials: Iterable[tuple[Any, Callable[[], None]]],
    package: str,
    registered: Callable[[], str],
) -> Iterator[Verdict]:
    """Try the rules of one subject; a mistake that breaks several is told once.

    What has no place of its own has that where the subject is registered.
    """
    seen: dict[tuple[str, str], str] = {}
    first = ""
    for check, trial in trials:
        verdict = Verdict(
            subject=subject,
            check=check.__name__,
            rule=rule_of(check),
            status="not tried",
            seconds=0.0,
            found=f"what {first} found stands in the way.",
        )
        if first:
            yield verdict
            continue
        verdict = _judge(verdict, trial, package)
        if verdict.status == "failed":
            mistake = (verdict.found, verdict.where)
            if mistake in seen:
                found = f"the same as {seen[mistake]} found."
                verdict = replace(verdict, found=found, where="", remedy="")
            else:
                # Without a place of its own it is the same wherever the first was found.
                seen |= {mistake: verdict.check, (verdict.found, ""): verdict.check}
                first = verdict.check if verdict.check in _FIRST else ""
                verdict = replace(verdict, where=verdict.where or registered())
        yield verdict


def _judge(untried: Verdict, trial: Callable[[], None], package: str) -> Verdict:
    """Try one rule; whatever is raised becomes a verdict."""
    status: Status = "passed"
    found = where = remedy = ""
    start = time.perf_counter()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trial()
    except DoesNotApply as error:
        status, found = "does not apply", str(error)
    except (AssetError, LibraryError) as error:
        status, found = "not tried", str(error)
    except ConformanceError as error:
        status, found = "failed", error.found or str(error)
        # A check knows the parts that it tries; the plugin may have lent them from a library.
        where, remedy = error.where or where_raised(error, {package}), error.remedy
    # A check that cannot be carried out is told like one that fails, SystemExit included.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        told = blame(error, {package}, UNFORESEEN, "the rule can be tried")
        status, found, where, remedy = "failed", told.found, told.where, told.remedy
    seconds = round(time.perf_counter() - start, 3)
    return replace(untried, status=status, seconds=seconds, found=found, where=where, remedy=remedy)


def rule_of(check: Any) -> str:
    """Return the rule that a check tries: its first line, without the words before the rule.

    Examples
    --------
    >>> from widemargin.testing import check_light_import
    >>> rule_of(check_light_import)
    'Importing the plugin, and asking it what it registers, imports no heavy library.'
    """
    rule = str(check.__doc__).partition("\n")[0].removeprefix("Check that ")
    return rule[:1].upper() + rule[1:]


def _owner(use_case: str, registry: Registry) -> str:
    for plugin in registry.plugins:
        if use_case in plugin.registered.get("register_use_cases", ()):
            return plugin.package
    return ""
