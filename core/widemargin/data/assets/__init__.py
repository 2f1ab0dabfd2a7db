"""Assets: data sets and weight files, fetched once, pinned by hash, checked at every use."""

from widemargin.data.assets.fetching import fetch, require
from widemargin.data.assets.home import data_home, data_mirror
from widemargin.data.assets.kept import keep_file, keep_folder
from widemargin.data.assets.state import FileFinding, FileState, verify

__all__ = [
    "FileFinding",
    "FileState",
    "data_home",
    "data_mirror",
    "fetch",
    "keep_file",
    "keep_folder",
    "require",
    "verify",
]
