"""Folders: their names say whether the messages in them are spam or ham."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from widemargin import DataError

__all__ = ["label_of", "labelled_files"]

_SPAM = {"spam", "junk", "bulk"}
_HAM = {"ham", "legit", "legitimate", "good"}
_INBOX = {"inbox", "archive"}
_NOT = {"not", "non", "no"}
_OWN = {"sent", "draft", "drafts", "outbox", "templates", "trash", "deleted"}


def label_of(parts: Sequence[str]) -> str:
    """Say what the folders above a message make of it.

    Parameters
    ----------
    parts : sequence of str
        Names of folders, the outermost first.

    Returns
    -------
    str
        ``spam``, ``ham``, ``own`` for what was sent, drafted or thrown away, or nothing where the
        names do not tell or contradict each other.

    Examples
    --------
    >>> label_of(["easy_ham"]), label_of([".INBOX.Junk"]), label_of(["not-spam"]), label_of(["x"])
    ('ham', 'spam', 'ham', '')
    """
    words = [set(re.findall(r"[a-z]+", part.lower())) for part in parts]
    if any(_OWN & of_part for of_part in words):
        return "own"
    found = {
        "ham" if _HAM & of_part or _NOT & of_part else "spam"
        for of_part in words
        if (_SPAM | _HAM) & of_part
    }
    if not found and any(_INBOX & of_part for of_part in words):
        return "ham"
    return found.pop() if len(found) == 1 else ""


def labelled_files(
    root: Path, files: Sequence[tuple[Path, Sequence[str]]], ignore: Sequence[str]
) -> tuple[dict[Path, str], tuple[str, ...]]:
    """Label files by the folders that they lie in.

    Parameters
    ----------
    root : Path
        The folder that was named, for messages.
    files : sequence of (Path, sequence of str)
        Each file with the names of the folders between it and the root.
    ignore : sequence of str
        Names of folders to leave out.

    Returns
    -------
    labels : dict of Path to str
        ``spam`` or ``ham`` by file.
    notes : tuple of str
        What was left out.

    Raises
    ------
    DataError
        Where a folder's name is not recognised.
    """
    labels: dict[Path, str] = {}
    unknown: dict[str, None] = {}
    left_out: dict[str, None] = {}
    for file, parts in files:
        label = label_of(parts)
        name = "/".join(parts)
        if any(part in ignore for part in parts) or label == "own":
            left_out[name] = None
        elif label:
            labels[file] = label
        else:
            unknown[name or "."] = None
    if unknown:
        shown = ", ".join(map(repr, list(unknown)[:10])) + (", ..." if len(unknown) > 10 else "")
        raise DataError(
            f"{root}: these folders say neither spam nor ham: {shown}. Give each a name with one "
            "of the words spam, junk, bulk, or ham, legit, good, inbox, archive; or leave some "
            f"out with --set 'data.ignore=[{next(iter(unknown))}]'."
        )
    n_left = len(files) - len(labels)
    if not left_out:
        return labels, ()
    return labels, (f"Folders left out: {', '.join(left_out)} (messages: {n_left}).",)
