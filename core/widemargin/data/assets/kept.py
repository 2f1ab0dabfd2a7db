"""Files that no hash pins, such as live data, kept in the data home."""

from __future__ import annotations

import os
from pathlib import Path

from widemargin.errors import AssetError

__all__ = ["keep_file"]


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
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_bytes(content)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise AssetError(
            f"{path} cannot be written ({error.strerror or error}). Set WIDEMARGIN_HOME to a "
            "folder that can be, or see to its permissions and the space left."
        ) from error
    return path
