"""Loaders of mail: folders of ``.eml`` files, Maildirs, mbox files."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from widemargin import DataError, Dataset
from widemargin_spam.folders import labelled_files
from widemargin_spam.mail import is_maildir, iter_mbox, maildir_files
from widemargin_spam.messages import (
    MailLoader,
    eml_files,
    file_rows,
    message_card,
    readable,
)

__all__ = ["EmlFolder", "Maildir", "Mbox"]


class EmlFolder(MailLoader):
    """A folder of ``.eml`` files; the folders that they lie in say spam or ham."""

    source: Literal["eml"] = Field("eml", description="a folder of .eml files")
    path: Path = Field(description="the folder, with folders such as spam and ham in it")
    ignore: tuple[str, ...] = Field((), description="names of folders to leave out")

    def load(self, data_home: Path) -> Dataset:
        """Read every ``.eml`` file in the folder and below."""
        root = self.path.expanduser()
        _check_folder(root)
        files = eml_files(root)
        if not files:
            raise DataError(
                f"{root}: there is no .eml file in it. For a Maildir say "
                "--set data.source=maildir, for mbox files --set data.source=mbox."
            )
        named = [(file, file.parent.relative_to(root).parts) for file in files]
        labels, notes = labelled_files(root, named, self.ignore)
        return self._dataset(
            message_card(root.name, str(self.path), notes=notes),
            file_rows(root, labels.items(), self.headers),
        )


class Maildir(MailLoader):
    """Maildirs; the folders' names say spam or ham."""

    source: Literal["maildir"] = Field("maildir", description="a folder of Maildirs")
    path: Path = Field(description="a Maildir with folders such as .Junk, or a folder of Maildirs")
    ignore: tuple[str, ...] = Field((), description="names of folders to leave out")

    def load(self, data_home: Path) -> Dataset:
        """Read every message in the Maildir and below; its own ``cur`` and ``new`` are an inbox."""
        root = self.path.expanduser()
        _check_folder(root)
        files = maildir_files(root)
        if not files:
            raise DataError(
                f"{root}: there is no message in it; a Maildir keeps them in folders called cur "
                "and new. For a folder of .eml files say --set data.source=eml."
            )
        named = [(file, file.parent.parent.relative_to(root).parts or ("inbox",)) for file in files]
        labels, notes = labelled_files(root, named, self.ignore)
        return self._dataset(
            message_card(root.name, str(self.path), notes=notes),
            file_rows(root, labels.items(), self.headers),
        )


class Mbox(MailLoader):
    """Two mbox files, one of spam and one of ham."""

    source: Literal["mbox"] = Field("mbox", description="two mbox files")
    spam: Path = Field(description="mbox file of spam")
    ham: Path = Field(description="mbox file of ham")

    def load(self, data_home: Path) -> Dataset:
        """Read both files."""
        for path in (self.spam, self.ham):
            _check_mbox(path)
        title = f"{self.spam.name} and {self.ham.name}"
        pairs = (("ham", self.ham.expanduser()), ("spam", self.spam.expanduser()))
        return self._dataset(
            message_card(title, f"{self.ham}, {self.spam}"),
            (
                (f"{label}/{name}", label, readable(raw, self.headers))
                for label, path in pairs
                for name, raw in iter_mbox(path)
            ),
        )


def _check_folder(path: Path) -> None:
    if not path.is_dir():
        what = "is a file" if path.exists() else "does not exist"
        raise DataError(f"{path}: {what}; a folder of messages is needed in data.path.")


def _check_mbox(path: Path) -> None:
    if is_maildir(path.expanduser()):
        raise DataError(f"{path}: is a Maildir; read it with --set data.source=maildir.")
    if not path.expanduser().is_file():
        what = "is a folder" if path.expanduser().is_dir() else "does not exist"
        raise DataError(f"{path}: {what}; an mbox file is needed here.")
