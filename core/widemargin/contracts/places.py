"""Places in the code of plugins: where something was raised, and where it is defined."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Collection, Iterator
from contextlib import suppress
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

__all__ = [
    "GROUP",
    "Raised",
    "asks_network",
    "is_library",
    "last_raised",
    "plugin_packages",
    "told",
    "unwrapped",
    "where_called",
    "where_defined",
    "where_raised",
]

GROUP = "widemargin.plugins"
"""The entry points that plugins are found by."""

_NETWORK = frozenset({"aiohttp", "http", "requests", "socket", "ssl", "urllib"})
"""Where errors of the operating system come from the network; other libraries call these."""


class Raised(NamedTuple):
    """The last line of some packages' code on the way to an error.

    Parameters
    ----------
    package : str
        Which of them it is of.
    place : str
        As in ``/home/me/weather/data.py, line 12``.
    within_ours : bool
        Whether it led on into widemargin's code, which may be at fault then.
    """

    package: str
    place: str
    within_ours: bool


def plugin_packages() -> dict[str, str]:
    """Return the Python packages of installed plugins, broken ones too, with the plugins' names.

    Examples
    --------
    >>> plugin_packages()["widemargin_spam"]
    'spam'
    """
    return {_package(point.module): point.name for point in entry_points(group=GROUP)}


def told(error: BaseException) -> str:
    """Write an error in a line, with the line of a plugin's code that it came from.

    Examples
    --------
    >>> told(KeyError("wind"))
    "KeyError: 'wind'"
    """
    place = where_raised(error, plugin_packages())
    said = f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(": ")
    return f"{said} ({place})" if place and place not in said else said


def where_raised(error: BaseException, packages: Collection[str]) -> str:
    """Return the last line of these packages' code on the way to an error.

    Parameters
    ----------
    error : BaseException
        What was raised; where its own way leads through none of them, that of its cause counts.
    packages : collection of str
        Names of Python packages.

    Returns
    -------
    str
        As in ``/home/me/weather/data.py, line 12``; empty where there is none.
    """
    raised = last_raised(error, packages)
    return raised.place if raised else ""


def last_raised(error: BaseException, packages: Collection[str]) -> Raised | None:
    """Return the last line of these packages' code on the way to an error, and whose it is.

    A file of theirs that Python cannot read is named by its own line, and not by the import's.
    """
    for seen in _with_causes(error):
        if isinstance(seen, SyntaxError) and (package := _holding(seen.filename, packages)):
            return Raised(package, f"{seen.filename}, line {seen.lineno}", within_ours=False)
        found: Raised | None = None
        for frame, line in _way(seen):
            package = _package(str(frame.f_globals.get("__name__")))
            if package in packages:
                found = Raised(package, f"{frame.f_code.co_filename}, line {line}", False)
            elif package == "widemargin" and found:
                found = found._replace(within_ours=True)
        if found:
            return found
    return None


def where_called(packages: Collection[str]) -> str:
    """Return the line of these packages' code that is being carried out now, if one is."""
    frame = inspect.currentframe()
    while frame is not None:
        if _package(str(frame.f_globals.get("__name__"))) in packages:
            return f"{frame.f_code.co_filename}, line {frame.f_lineno}"
        frame = frame.f_back
    return ""


def where_defined(thing: Any) -> str:
    """Return where a function, a class or the class of an object is defined.

    Empty where that is in widemargin or in a library: nobody is to mend these.

    Examples
    --------
    >>> import json
    >>> where_defined(json.loads), where_defined(where_defined), where_defined(len)
    ('', '', '')
    """
    thing = unwrapped(thing)
    module = str(getattr(thing, "__module__", None) or "")
    if _package(module) == "widemargin" or is_library(module):
        return ""
    if code := getattr(thing, "__code__", None):
        return f"{code.co_filename}, line {code.co_firstlineno}"
    owner = thing if isinstance(thing, type) else type(thing)
    try:
        return f"{inspect.getsourcefile(owner)}, line {inspect.getsourcelines(owner)[1]}"
    except (OSError, TypeError):
        return ""


def unwrapped(thing: Any) -> Any:
    """Return the function within partial functions, caches and other decorators that say so."""
    seen: set[int] = set()
    while id(thing) not in seen:
        seen.add(id(thing))
        if isinstance(thing, functools.partial):
            thing = thing.func
        thing = getattr(thing, "__wrapped__", thing)
    return thing


def is_library(module: str) -> bool:
    """Say whether a module is Python's own, or was installed and is no plugin's.

    Examples
    --------
    >>> is_library("functools"), is_library("numpy.linalg"), is_library("widemargin_spam.data")
    (True, True, False)
    """
    package = _package(module)
    file = getattr(sys.modules.get(module) or sys.modules.get(package), "__file__", None) or ""
    if package in sys.stdlib_module_names:
        return True
    installed = not {"site-packages", "dist-packages"}.isdisjoint(Path(file).parts)
    return installed and package not in plugin_packages()


def asks_network(error: BaseException) -> bool:
    """Say whether an error, or one that it came of, is the network's."""
    return any(
        _package(str(frame.f_globals.get("__name__"))) in _NETWORK
        for seen in _with_causes(error)
        if isinstance(seen, OSError)
        for frame, _ in _way(seen)
    )


def _with_causes(error: BaseException) -> Iterator[BaseException]:
    """Go through an error and what it came of, each once: ``raise e from e`` is a circle."""
    met: set[int] = set()
    seen: BaseException | None = error
    while seen is not None and id(seen) not in met:
        met.add(id(seen))
        yield seen
        seen = seen.__cause__ or seen.__context__


def _holding(file: str | None, packages: Collection[str]) -> str:
    """Name the package that a file is of; it need not be imported, nor can it be."""
    for package in packages if file else ():
        with suppress(ImportError, ValueError):
            if spec := find_spec(package):
                folders = [*(spec.submodule_search_locations or ()), spec.origin or ""]
                if any(Path(str(file)).is_relative_to(one) for one in folders if one):
                    return package
    return ""


def _way(error: BaseException) -> Iterator[tuple[FrameType, int]]:
    step = error.__traceback__
    while step is not None:
        yield step.tb_frame, step.tb_lineno
        step = step.tb_next


def _package(module: str) -> str:
    return module.partition(".")[0]
