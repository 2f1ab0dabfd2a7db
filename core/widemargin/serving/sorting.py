"""Sorting: files of people's own into one folder a class, none deleted, moved or overwritten."""

from __future__ import annotations

import filecmp
import os
import re
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from tempfile import mkstemp

from widemargin.errors import InputError

__all__ = ["NOT_SURE", "check_target", "class_folders", "folders_with", "place_file"]

NOT_SURE = "not sure"
"""The folder of what no class is probable enough for."""

_GAPS = 9
"""Numbered names are looked at up to here, even where one of them has been deleted."""

_UNFIT = re.compile(r'[<>:"/\\|?*\x00-\x1f]')


def class_folders(classes: Sequence[str]) -> dict[str, str]:
    """Name a folder for each class, with _ for what no file system takes.

    Raises
    ------
    InputError
        Where two classes would share one, or a class has the name of the unsure ones' folder.

    Examples
    --------
    >>> class_folders(["cat", "t-shirt/top"])
    {'cat': 'cat', 't-shirt/top': 't-shirt_top'}
    """
    folders: dict[str, str] = {}
    taken = {NOT_SURE: "what the model is not sure of"}
    for name in classes:
        folder = _UNFIT.sub("_", name).strip(" .") or "_"
        if folder.casefold() in taken:
            raise InputError(
                f"{name!r} and {taken[folder.casefold()]!r} would share the folder {folder!r}. "
                "Rename the class and train again."
            )
        taken[folder.casefold()] = name
        folders[name] = folder
    return folders


def check_target(
    source: Path, target: Path, folders: Iterable[str], learned_from: Path | None = None
) -> None:
    """Refuse a target that would mix what is sorted with something else.

    Parameters
    ----------
    source : Path
        The folder that is sorted, which the target may not be or lie in.
    target : Path
        Where the classes' folders go.
    folders : iterable of str
        Their names; a target that holds folders, and none of these, is another model's or none.
    learned_from : Path, optional
        What the model learned from, which would learn from its own guesses next time.

    Raises
    ------
    InputError
        Where it is refused.
    """
    if not source.is_dir():
        what = "is a file; sort takes the folder that it is in" if source.exists() else "is absent"
        raise InputError(f"{source}: {what}.")
    if target.exists() and not target.is_dir():
        raise InputError(f"{target}: is a file; name a folder with --into.")
    inner, outer = target.resolve(), source.resolve()
    if inner == outer or outer in inner.parents:
        raise InputError(
            f"{target}: lies in what is sorted, and would be sorted next time; name another folder "
            "with --into."
        )
    if learned_from is not None and learned_from.resolve() in (inner, *inner.parents):
        raise InputError(
            f"{target}: the model learned from what lies there, and would learn from its own "
            "guesses next time; name another folder with --into."
        )
    there = [] if not target.exists() else [path.name for path in target.iterdir() if path.is_dir()]
    if there and not {NOT_SURE, *folders} & set(there):
        raise InputError(
            f"{target}: holds the folder {min(there)!r} and none of this model's classes; name "
            "another folder with --into."
        )


def place_file(source: Path, target: Path, *, link: bool) -> bool:
    """Copy or link a file, under another name where its own is taken by another file.

    A copy appears whole or not at all, and never in place of a file that is there.

    Parameters
    ----------
    source : Path
        The file; it stays as it is.
    target : Path
        Where it goes; "name (2)" and so on where that is taken.
    link : bool
        Whether a symbolic link is made in place of a copy.

    Returns
    -------
    bool
        Whether anything was made: not where the same file was there before.

    Raises
    ------
    OSError
        Where the file system refuses.
    """
    if _is_there(source, target):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    part = None if link else _copy(source, target.parent)
    try:
        for number in count(1):
            place = _numbered(target, number)
            if place.is_symlink() or place.exists():
                continue
            with suppress(FileExistsError):  # somebody else was quicker: the next name
                if part is None:
                    place.symlink_to(source.resolve())
                else:
                    _rename_new(part, place)
                break
    finally:
        if part is not None:
            part.unlink(missing_ok=True)
    return True


def folders_with(source: Path, folders: Iterable[Path], name: str) -> list[Path]:
    """Return those folders in which the file stands already, under its name or "name (2)"."""
    return [folder for folder in folders if _is_there(source, folder / name)]


def _copy(source: Path, folder: Path) -> Path:
    """Copy a file under a short name of its own, since its name may be as long as a name can be."""
    opened, name = mkstemp(prefix=".", suffix=".part", dir=folder)
    os.close(opened)
    part = Path(name)
    try:
        shutil.copy2(source, part)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return part


def _is_there(source: Path, target: Path) -> bool:
    """Say whether the file stands in its place, or under one of its other names."""
    for number in count(1):
        place = _numbered(target, number)
        if place.is_symlink() or place.exists():
            # A link to nothing and a folder are no such file.
            with suppress(OSError):
                if place.samefile(source) or filecmp.cmp(source, place, shallow=False):
                    return True
        elif number > _GAPS:
            break
    return False


def _numbered(target: Path, number: int) -> Path:
    return target if number == 1 else target.with_stem(f"{target.stem} ({number})")


def _rename_new(part: Path, place: Path) -> None:
    """Give a finished file its name, which must be free."""
    try:
        os.link(part, place)  # unlike a rename, never replaces
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        with place.open("xb"):
            pass
        try:
            part.replace(place)
        except BaseException:
            place.unlink(missing_ok=True)
            raise
