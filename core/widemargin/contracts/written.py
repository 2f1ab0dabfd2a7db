"""Lines of a plugin's source: where it registers something, and where it writes a word of that."""

from __future__ import annotations

import ast
import sys
import tokenize
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeGuard

from widemargin.contracts.places import unwrapped, where_defined

__all__ = ["where_given", "where_written"]


def where_written(hook: object, registered: Any, *path: str) -> str:
    """Return where a plugin writes what one of its hooks registers, or a word of that.

    Parameters
    ----------
    hook : object
        The function that registers it.
    registered : UseCase, EncoderSpec, Kernel, Metric or Command
        What it registers. The call that makes it says its name in so many words, as in
        ``UseCase(name="weather", ...)``.
    *path : str
        Keywords, keys and words within that call, from without inwards, as in ``"defaults",
        "svm", "kernal"``.

    Returns
    -------
    str
        The line of the last word of `path` that is written there, as in
        ``/home/me/weather/__init__.py, line 12``; without one, that of the call; without a call,
        that of the hook; empty where the hook is ours or a library's.

    Examples
    --------
    >>> from widemargin_spam import register_use_cases
    >>> place = where_written(register_use_cases, register_use_cases()[0], "metrics")
    >>> Path(place.partition(", line ")[0]).parent.name
    'widemargin_spam'
    """
    defined = where_defined(hook)
    code = getattr(unwrapped(hook), "__code__", None)
    if not defined or code is None:
        return defined
    within = range(code.co_firstlineno, max(line or 0 for *_, line in code.co_lines()) + 1)
    own = Path(code.co_filename)
    best: tuple[tuple[bool, ...], Path, ast.Call] | None = None
    for file in _sources(own, str(getattr(hook, "__module__", ""))):
        for call in _calls(file):
            here = file == own and call.lineno in within
            rank = _rank(call, registered, path[:1], here=here)
            if rank and (best is None or rank > best[0]):
                best = rank, file, call
    return f"{best[1]}, line {_innermost(best[2], path)}" if best else defined


def where_given(place: str, keyword: str) -> str:
    """Return the line of an argument by its name, of a call that a place is within.

    Parameters
    ----------
    place : str
        As in ``/home/me/weather/__init__.py, line 12``.
    keyword : str
        The argument's name; where no call there says it, the place stays as it is.

    Examples
    --------
    >>> where_given("/no/such/file.py, line 12", "metrcs")
    '/no/such/file.py, line 12'
    """
    file, _, line = place.rpartition(", line ")
    for call in _calls(Path(file)) if line.isdecimal() else ():
        if call.lineno <= int(line) <= (call.end_lineno or 0):
            for one in call.keywords:
                if one.arg == keyword:
                    return f"{file}, line {one.lineno}"
    return place


def _sources(file: Path, module: str) -> Iterator[Path]:
    """Go through the hook's own file, then the others of its package."""
    yield file
    package = sys.modules.get(module.partition(".")[0])
    for folder in getattr(package, "__path__", ()):
        yield from sorted(one for one in Path(folder).rglob("*.py") if one != file)


def _calls(file: Path) -> Iterator[ast.Call]:
    # What cannot be read holds nothing to point at.
    with suppress(OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        with tokenize.open(file) as source, warnings.catch_warnings(action="ignore"):
            tree = ast.parse(source.read())
        yield from (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _rank(
    call: ast.Call, registered: Any, asked: tuple[str, ...], *, here: bool
) -> tuple[bool, ...] | None:
    """Say how likely a call makes what is registered: the greater; None where it names it not.

    The type that it calls counts most, then what is asked for, then the name, then whether the hook
    itself calls.
    """
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    named = "name" in keywords
    # A plugin's own function may make it; outside the hook the word may mean anything.
    places = [keywords["name"]] if named else call.args if here else []
    if not any(_says(place, registered.name) for place in places):
        return None
    called = getattr(call.func, "attr", getattr(call.func, "id", ""))
    is_made = called == type(registered).__name__
    return is_made, all(word in keywords for word in asked), named, here


def _innermost(call: ast.Call, path: tuple[str, ...]) -> int:
    """Return the line of the last word of a path that is written within a call."""
    line = call.lineno
    node: ast.AST = call
    for word in path:
        parts = list(_parts(node, word))
        if not parts:
            break
        line, node = min(parts, key=lambda part: part[0])
    return line


def _parts(node: ast.AST, word: str) -> Iterator[tuple[int, ast.AST]]:
    """Go through what a word names within a node, or where the node says it, each with its line."""
    pairs: list[tuple[str | None, int, ast.AST]]
    if isinstance(node, ast.Call):
        pairs = [(one.arg, one.lineno, one.value) for one in node.keywords]
    elif isinstance(node, ast.Dict):
        both = zip(node.keys, node.values, strict=True)
        pairs = [(_key(key), (key or value).lineno, value) for key, value in both]
    else:
        yield from ((one.lineno, one) for one in ast.walk(node) if _says(one, word))
        return
    if named := [(line, value) for key, line, value in pairs if key == word]:
        yield from named
        return
    for key, line, value in pairs:
        if key is None:
            yield from _parts(value, word)
        elif _says(value, word):
            yield line, value


def _key(node: ast.AST | None) -> str | None:
    """Return the text of a dict's key; None for the dict of ``**more``, as in a call's keywords."""
    if node is None:
        return None
    return str(node.value) if isinstance(node, ast.Constant) else ""


def _says(node: ast.AST, word: str) -> TypeGuard[ast.Constant]:
    return isinstance(node, ast.Constant) and node.value == word
