"""Lines of a plugin's source: where it registers something, and where it writes a word of that."""

from __future__ import annotations

import ast
import sys
import tokenize
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from widemargin.contracts.places import unwrapped, where_defined

__all__ = ["where_given", "where_written"]


def where_written(hook: object, name: str, *path: str) -> str:
    """Return where a plugin writes what one of its hooks registers, or a word of that.

    Parameters
    ----------
    hook : object
        The function that registers it.
    name : str
        Its name, which the call that makes it says in so many words, as in
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
    >>> place = where_written(register_use_cases, "spam", "metrics")
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
            rank = _rank(call, name, path[:1], here=file == own and call.lineno in within)
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
    with suppress(OSError, SyntaxError, ValueError):
        with tokenize.open(file) as source:
            tree = ast.parse(source.read())
        yield from (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _rank(
    call: ast.Call, name: str, asked: tuple[str, ...], *, here: bool
) -> tuple[bool, ...] | None:
    """Say how likely a call makes what has this name: the greater; None where it does not say it.

    What is asked for counts most, then the name, then whether the hook itself calls.
    """
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    named = "name" in keywords
    # A plugin's own function may make it; outside the hook the word may mean anything.
    places = [keywords["name"]] if named else call.args if here else []
    if not any(_says(place, name) for place in places):
        return None
    return all(word in keywords for word in asked), named, here


def _innermost(call: ast.Call, path: tuple[str, ...]) -> int:
    """Return the line of the last word of a path that is written within a call."""
    line = call.lineno
    node: ast.AST = call
    for word in path:
        parts: list[tuple[int, ast.AST]] = []
        if isinstance(node, ast.Call):
            parts = [(one.lineno, one.value) for one in node.keywords if one.arg == word]
        elif isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            parts = [(key.lineno, value) for key, value in pairs if key and _says(key, word)]
        if not parts:
            words = (one for one in ast.walk(node) if isinstance(one, ast.Constant))
            parts = [(one.lineno, one) for one in words if one.value == word]
        if not parts:
            break
        line, node = min(parts, key=lambda part: part[0])
    return line


def _says(node: ast.AST, word: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == word
