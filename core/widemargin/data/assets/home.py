"""Where assets lie on this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

__all__ = ["data_home", "data_mirror"]


def data_home(environ: Mapping[str, str] = os.environ) -> Path:
    """Say which folder holds the assets; nothing is created.

    Parameters
    ----------
    environ : mapping of str to str
        The environment. ``WIDEMARGIN_HOME`` names the folder; without it, it is the place
        where the operating system keeps a user's data.

    Returns
    -------
    Path
        An absolute path.

    Examples
    --------
    >>> data_home({"WIDEMARGIN_HOME": "/srv/widemargin"}).as_posix().endswith("/srv/widemargin")
    True
    >>> data_home({}).name
    'widemargin'
    """
    if named := environ.get("WIDEMARGIN_HOME", ""):
        return Path(named).expanduser().absolute()
    import platformdirs

    return platformdirs.user_data_path("widemargin", appauthor=False)


def data_mirror(environ: Mapping[str, str] = os.environ) -> str:
    """Say which mirror the environment names, as ``WIDEMARGIN_DATA_MIRROR``.

    Parameters
    ----------
    environ : mapping of str to str
        The environment.

    Returns
    -------
    str
        A folder or a base address; empty where there is none.

    Examples
    --------
    >>> data_mirror({"WIDEMARGIN_DATA_MIRROR": "https://mirror.example/assets"})
    'https://mirror.example/assets'
    """
    return environ.get("WIDEMARGIN_DATA_MIRROR", "")
