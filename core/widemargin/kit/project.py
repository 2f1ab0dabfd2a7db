"""Writing a new plugin's project: all of it, or nothing."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp

from widemargin.contracts.use_case import COMPARISONS
from widemargin.errors import InputError, nearest
from widemargin.kit.kinds import KINDS
from widemargin.registry import Registry

__all__ = ["check_name", "new_project", "project_files"]

_LONGEST = 30
_RENDERED = ".in"
"""The ending of a template; other files are copied as they are."""


_RESERVED = {
    COMPARISONS: "comparisons are kept in that folder, beside those of the use cases",
    "latest": "it stands for the last run",
    **dict.fromkeys(("null", "true", "false"), "in a config it is no word"),
}
"""Names that mean something else, with what."""


def new_project(name: str, kind: str, folder: Path, registry: Registry) -> Path:
    """Write the project of a new plugin into a folder of its own.

    Parameters
    ----------
    name : str
        The plugin's, which is its use case's too, as in ``weather``.
    kind : str
        One of `KINDS`.
    folder : Path
        Where ``widemargin-NAME`` is made.
    registry : Registry
        What is installed, whose names are taken.

    Returns
    -------
    Path
        The project's folder.

    Raises
    ------
    InputError
        Where the name or the kind cannot be, or the project is there already. Nothing is written
        then.
    """
    check_name(name, registry)
    if kind not in KINDS:
        raise InputError(
            f"{kind!r} is no kind of item; allowed are {', '.join(KINDS)}.{nearest(kind, KINDS)}"
        )
    made = folder.expanduser() / f"widemargin-{name}"
    if made.exists() or made.is_symlink():
        raise InputError(
            f"{made} is there already, and is left as it is. Choose another name, or another "
            "folder with --into."
        )
    try:
        folder.expanduser().mkdir(parents=True, exist_ok=True)
        # Beside its place, so that it takes it in one step: half a project is never seen.
        draft = Path(mkdtemp(prefix=f".{made.name}-", dir=made.parent))
    except OSError as error:
        raise _unwritable(made, error) from None
    try:
        for path, content in project_files(name, kind):
            (draft / path).parent.mkdir(parents=True, exist_ok=True)
            (draft / path).write_bytes(content)
        draft.chmod(0o777 & ~_umask(draft))
        draft.rename(made)
    except OSError as error:
        raise _unwritable(made, error) from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return made


def check_name(name: str, registry: Registry) -> None:
    """Refuse a name that no plugin can have, or that one has already.

    Parameters
    ----------
    name : str
        As it was given.
    registry : Registry
        What is installed.

    Raises
    ------
    InputError
        With a name that can be had, where one is near.

    Examples
    --------
    >>> from widemargin.registry import discover
    >>> check_name("weather", discover([]))
    >>> check_name("My Weather", discover([]))
    Traceback (most recent call last):
    ...
    widemargin.errors.InputError: 'My Weather' ... as in 'my-weather'.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) or len(name) > _LONGEST:
        near = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")[:_LONGEST].strip("-")
        raise InputError(
            f"{name!r} cannot be a plugin's name: that is made of lower-case letters, digits and "
            f"single hyphens, begins with a letter, and is {_LONGEST} characters long at most, "
            f"as in {near or 'weather'!r}."
        )
    if name.startswith("widemargin"):
        short = name.removeprefix("widemargin").strip("-") or "weather"
        raise InputError(
            f"{name!r}: widemargin- is put before the name anyhow; give it without, as in "
            f"{short!r}."
        )
    if name in _RESERVED:
        raise InputError(
            f"{name!r} cannot be a use case's name: {_RESERVED[name]}. Choose another one."
        )
    taken = {plugin.name: f"the plugin of {plugin.distribution}" for plugin in registry.plugins}
    taken |= {
        broken.name: f"a broken plugin of {broken.distribution}" for broken in registry.broken
    }
    taken |= {case: "a use case" for case in registry.use_cases if case not in taken}
    if name in taken:
        raise InputError(
            f"{name!r} is taken by {taken[name]}, which is installed. Choose another name."
        )
    package = _package(name)
    if find_spec(package) is not None:
        raise InputError(
            f"{name!r} is taken: the package {package} is installed, or lies where Python finds "
            "it. Choose another name."
        )


def project_files(name: str, kind: str) -> Iterator[tuple[str, bytes]]:
    """Yield a project's files: paths from its folder on, and contents.

    Parameters
    ----------
    name, kind : str
        As for `new_project`; they are not checked.

    Examples
    --------
    >>> [path for path, _ in project_files("weather", "table") if path.startswith("configs")]
    ['configs/weather.yaml']
    """
    chosen = KINDS[kind]
    values = {**asdict(chosen), "name": name, "kind": kind, "package": _package(name)}
    templates = files("widemargin.kit") / "templates"
    sources = [templates / "every", templates / chosen.template]
    if (own := templates / kind).is_dir() and kind != chosen.template:
        sources.append(own)
    for source in sources:
        for path, content in _walk(source):
            # A leading dot would hide a template, and a .gitignore among them would count.
            path = path.replace("PACKAGE", values["package"]).replace("NAME", name)
            path = re.sub(r"\bDOT", ".", path)
            if path.endswith(_RENDERED):
                path = path.removesuffix(_RENDERED)
                content = _render(content.decode(), values).encode()
            yield path, content


def _walk(folder: Traversable, before: str = "") -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.is_dir():
            yield from _walk(entry, f"{before}{entry.name}/")
        else:
            yield before + entry.name, entry.read_bytes()


def _render(template: str, values: Mapping[str, str]) -> str:
    """Put values in; a value may name others."""

    def put(match: re.Match[str]) -> str:
        return _render(values[match[1]], values)

    return re.sub(r"\{\{ (\w+) \}\}", put, template)


def _package(name: str) -> str:
    return f"widemargin_{name.replace('-', '_')}"


def _umask(folder: Path) -> int:
    """Return what this process takes from new folders' permissions; mkdtemp's are the owner's."""
    probe = folder / "probe"
    probe.mkdir()
    mode = probe.stat().st_mode & 0o777
    probe.rmdir()
    return 0o777 & ~mode


def _unwritable(made: Path, error: OSError) -> InputError:
    if isinstance(error, FileExistsError | NotADirectoryError):
        return InputError(f"{made.parent} is no folder. Choose a folder with --into.")
    return InputError(
        f"{made}: cannot be written ({error.strerror or error}). Choose another folder with --into."
    )
