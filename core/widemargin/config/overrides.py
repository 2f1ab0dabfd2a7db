"""Overrides: ``--set svm.C=10``, read by the same rules as a file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from widemargin.config.document import ConfigPath, Document, compose, path_words
from widemargin.config.scalars import parse_scalar
from widemargin.errors import ConfigError, Problem

__all__ = ["parse_overrides"]

_NAME = "--set"


def parse_overrides(assignments: Iterable[str]) -> Document:
    """Read overrides as the command line gives them.

    The right side is what would stand behind the key in a file: a word, or a value in quotes,
    [ ] or { }. Of two values for one key the later counts. Where a setting is text, what looks like
    a number is text as well: ``data.label=1`` is the column 1.

    Parameters
    ----------
    assignments : iterable of str
        As ``"svm.C=10"``; dots lead into sections.

    Returns
    -------
    Document
        Named ``--set``; what could not be read is in its `problems`.

    Examples
    --------
    >>> parse_overrides(["svm.C=[1, 10]", "data.path=reviews.csv", "svm.kernel=rbf"]).values
    {'svm': {'C': [1, 10], 'kernel': 'rbf'}, 'data': {'path': 'reviews.csv'}}
    """
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    written: dict[ConfigPath, str] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        keys = tuple(name.strip().split("."))
        if not equals or not all(keys):
            message = f"{assignment!r} must have the form key=value, as in svm.C=10"
            problems.append(Problem(message, file=_NAME))
            continue
        text = text.strip()
        value: Any = None
        if text.startswith(("[", "{", '"', "'")):
            try:
                made = compose(text, _NAME, keys)
                value, found = made.value, made.problems
                written |= made.written
            except ConfigError as error:
                found = list(error.problems)
            # There is one line only, so that its number says nothing.
            problems += [Problem(problem.message, problem.path, _NAME) for problem in found]
            if found:
                continue
        else:
            # Anything else is one word, however odd: `data.path=C:\mails.csv`, `data.path=*.csv`.
            value = parse_scalar(text)
            if isinstance(value, bool | int | float):
                written[keys] = text
        blocked = _put(values, keys, value)
        if blocked:
            message = f"{assignment!r} sets a part of {blocked}, which another --set makes a value"
            problems.append(Problem(message, path_words(keys), _NAME))
    return Document(values, _NAME, problems=tuple(problems), written=written)


def _put(tree: dict[str, Any], keys: tuple[str, ...], value: Any) -> str:
    """Set a value; return the path that is in the way, if one is."""
    for depth, key in enumerate(keys[:-1], 1):
        branch: Any = tree.setdefault(key, {})
        if not isinstance(branch, dict):
            return ".".join(keys[:depth])
        tree = branch
    below = tree.get(keys[-1])
    if isinstance(value, dict) and isinstance(below, dict):
        for key, part in value.items():
            _put(below, (key,), part)
    else:
        tree[keys[-1]] = value
    return ""
