"""What a broken rule says: what was found, where in the plugin's code, and what to do."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from unittest import SkipTest

from widemargin.contracts.places import (
    asks_network,
    is_library,
    last_raised,
    unwrapped,
    where_defined,
)
from widemargin.errors import ModelError, PluginError, WidemarginError

__all__ = [
    "ASKED",
    "NETWORK",
    "UNFORESEEN",
    "Blame",
    "ConformanceError",
    "DoesNotApply",
    "blame",
    "packages_of",
    "place_of",
    "violation",
]

NETWORK = (
    "let it read files alone: what it needs is declared as `assets`, and what no hash can pin is "
    "brought in `fetch`."
)
"""The remedy for whatever asks for the network."""

UNFORESEEN = (
    "see whether the plugin returns what its hooks' types say; if it does, this is a defect of "
    "widemargin."
)
"""The remedy for what is raised in our own code, where nothing that it was given explains it."""

ASKED = (
    "see whether that line gives widemargin what it takes; if it does, this is a defect of "
    "widemargin."
)
"""The remedy for what is raised in our own code, where a plugin's line called it."""


class ConformanceError(AssertionError):
    """A rule is broken; the message states the rule, what was found, where, and the remedy.

    Attributes
    ----------
    found, where, remedy : str
        What was found; where in the plugin's code, as in ``/home/me/weather/data.py, line 12``,
        empty where that cannot be said; and what to do.
    """

    found: str = ""
    where: str = ""
    remedy: str = ""


class DoesNotApply(SkipTest):
    """A rule says nothing of what is checked; the message says why.

    unittest and pytest take it for a test that is skipped.
    """


@dataclass(frozen=True)
class Blame:
    """What was raised, where in a plugin's code, and what to do about it."""

    found: str
    where: str
    remedy: str


def violation(
    subject: str, rule: str, found: str, remedy: str, where: str = ""
) -> ConformanceError:
    """Return the error that says which rule something breaks, how, where, and what to do.

    Examples
    --------
    >>> print(violation("kernel 'rain'", "Rules hold.", "none.", "add one.", "rain.py, line 3"))
    kernel 'rain': Rules hold. Found: none. Where: rain.py, line 3. Remedy: add one.
    """
    place = f" Where: {where}." if where else ""
    error = ConformanceError(f"{subject}: {rule} Found: {found}{place} Remedy: {remedy}")
    error.found, error.where, error.remedy = found, where, remedy
    return error


def blame(error: BaseException, packages: Collection[str], remedy: str, promise: str) -> Blame:
    """Say what was raised, where in the code of these packages, and what to do.

    Parameters
    ----------
    error : BaseException
        What was raised.
    packages : collection of str
        The plugin's Python packages.
    remedy : str
        What to do where none of their lines is on the way: something that they returned is at
        fault.
    promise : str
        What the plugin's line was to do, as in ``"`load` returns a Dataset"``.

    Examples
    --------
    >>> blame(KeyError("wind"), ["weather"], "return a Dataset.", "`load` returns a Dataset")
    Blame(found="KeyError: 'wind'.", where='', remedy='return a Dataset.')
    """
    raised = last_raised(error, packages)
    where = raised.place if raised else ""
    found = " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")
    if isinstance(error, PluginError):
        found, where = error.message, error.place or where
    # What cannot be saved is told in words, and not how to mend the plugin.
    if isinstance(error, WidemarginError) and not isinstance(error, ModelError):
        remedy = "mend what is named there."
    elif asks_network(error):
        remedy = NETWORK
    elif raised and raised.within_ours:
        remedy = ASKED
    elif where:
        remedy = f"mend that line, so that {promise}."
    return Blame(found if found.endswith((".", "?", "!")) else f"{found}.", where, remedy)


def packages_of(*parts: object) -> set[str]:
    """Name the packages that define functions, classes or objects, ours and libraries left out."""
    modules = {str(getattr(unwrapped(part), "__module__", None) or "") for part in parts}
    packages = {module.partition(".")[0] for module in modules if not is_library(module)}
    return packages - {"", "widemargin"}


def place_of(packages: Collection[str], *parts: object) -> str:
    """Return where the first of some parts that these packages define is defined."""
    own = [part for part in parts if packages_of(part) & set(packages)]
    return next((place for part in own if (place := where_defined(part))), "")
