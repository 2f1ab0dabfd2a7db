"""Files and folders that no hash pins, such as live data, kept in the data home."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from widemargin.contracts.progress import Progress
from widemargin.data.assets.staging import hold
from widemargin.errors import AssetError

__all__ = ["keep_file", "keep_folder"]

_REMEDY = (
    "Set WIDEMARGIN_HOME to a folder that can be, or see to its permissions and the space left."
)


def keep_file(path: Path, content: bytes) -> Path:
    """Write a file whole or not at all, in place of an earlier one.

    Parameters
    ----------
    path : Path
        Where; its folder is made where it is absent.
    content : bytes
        What the file will hold.

    Raises
    ------
    AssetError
        Where it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> path = keep_file(Path(tempfile.mkdtemp(), "prices", "a.csv"), b"date,close")
    >>> path.read_bytes()
    b'date,close'
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    with _writing(path, _REMEDY):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_bytes(content)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    return path


@contextmanager
def keep_folder(path: Path, *, progress: Progress, remedy: str = _REMEDY) -> Iterator[Path]:
    """Lend an empty folder whose files are put into place together, or not at all.

    It lies beside `path`, and takes its place where the block ends without an error and has left
    something in it. Files of an earlier folder that it has not are kept. One process at a time has
    it; what a killed one left is swept by the next.

    Parameters
    ----------
    path : Path
        Where the folder will be; what it lies in is made where it is absent.
    progress : Progress
        Told where another process has it, and is waited for.
    remedy : str, optional
        What to do where it cannot be written, for the message.

    Yields
    ------
    Path
        The folder to fill.

    Raises
    ------
    AssetError
        Where it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from widemargin.contracts import Silent
    >>> path = Path(tempfile.mkdtemp(), "digits")
    >>> with keep_folder(path, progress=Silent()) as folder:
    ...     _ = (folder / "a.csv").write_bytes(b"1")
    >>> [file.name for file in path.iterdir()]
    ['a.csv']
    """
    path = path.resolve()
    part, aside, lock = (path.with_name(f".{path.name}.{end}") for end in ("part", "old", "lock"))
    with ExitStack() as stack:
        with _writing(path, remedy):
            said = f"Another process is writing {path}: waiting for it."
            stack.enter_context(hold(lock, said, progress))
            _sweep(path, part, aside)
            part.mkdir()
        try:
            yield part
            with _writing(path, remedy):
                if any(part.iterdir()):
                    _put(part, path, aside)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def _sweep(path: Path, part: Path, aside: Path) -> None:
    """Delete what a killed process left; an earlier folder that it had put aside comes back."""
    if part.exists():
        shutil.rmtree(part)
    if aside.exists() and path.exists():
        shutil.rmtree(aside)
    elif aside.exists():
        aside.rename(path)


def _put(part: Path, path: Path, aside: Path) -> None:
    if not path.exists():
        part.rename(path)
        return
    for file in path.rglob("*"):
        if file.is_file() and not (new := part / file.relative_to(path)).exists():
            new.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, new)
    path.rename(aside)
    part.rename(path)
    shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def _writing(path: Path, remedy: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise AssetError(
            f"{path} cannot be written ({error.strerror or error}). {remedy}"
        ) from error
