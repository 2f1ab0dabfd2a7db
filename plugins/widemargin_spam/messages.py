"""Messages: what all loaders of this plugin share."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from pydantic import Field

from widemargin import DataError, Dataset, DatasetCard, DatasetLoader, Items
from widemargin.data import agreeing, counted, iter_texts, text_items
from widemargin.encoders import Columns, ItemsError
from widemargin_spam.copies import similar_groups
from widemargin_spam.mail import (
    Headers,
    MailReader,
    iter_mbox,
    mail_text,
    maildir_files,
    unique_name,
)

__all__ = [
    "MailLoader",
    "MessageLoader",
    "Row",
    "Unread",
    "eml_files",
    "file_rows",
    "message_card",
    "message_dataset",
    "readable",
]

Row = tuple[str, str, str | None]
"""A message as it was read: its name, its class, and its text.

The text is None where it cannot be decoded, and an `Unread` where the file cannot be read.
"""

_TEXT_ENDINGS = {".txt", ".csv", ".tsv", ".parquet", ".jsonl", ".ndjson", ".gz"}


class Unread(str):
    """The empty text that stands for a file which cannot be read, and why."""

    why: str = ""


class MessageLoader(DatasetLoader):
    """What the loaders of messages share: the ways to read items."""

    def read_items(self, source: Path) -> Iterator[Items]:
        """Read messages: a folder or a file of mail, a table's column, or lines of text."""
        messages = _read_messages(source, self._column(), self._reads_mail(), self._headers())
        return text_items(messages)

    def checked(self, X: Columns) -> Columns:
        """Refuse the messages whose files cannot be read; the others are answered."""
        texts = list(X["text"]) if "text" in X else []
        problems = {row: text.why for row, text in enumerate(texts) if isinstance(text, Unread)}
        if problems:
            raise ItemsError(problems, len(texts), item="message")
        return X

    def read_message(self, raw: bytes) -> Items:
        """Read one raw mail, as `read_items` reads a file of it."""
        return next(text_items(iter([("message", mail_text(raw, self._headers()))])))

    def _column(self) -> str:
        return "text"

    def _headers(self) -> Headers:
        """Say which headers of mail are read."""
        return ("subject",)

    def _reads_mail(self) -> bool:
        """Whether a file of unknown kind is one mail; lines of text otherwise."""
        return False


class MailLoader(MessageLoader):
    """What the loaders of mail share: which headers are read, and which mails are copies."""

    headers: Headers = Field(
        ("subject",),
        description="names of the headers to read, or all; those that say who sent a mail and by "
        "which way tell its label without its text",
    )
    similar: Annotated[float, Field(gt=0, le=1)] = Field(
        0.5,
        description="share of their runs of four words from which on two mails count as copies, "
        "and stay on one side of every split",
    )

    def _headers(self) -> Headers:
        return self.headers

    def _reads_mail(self) -> bool:
        return True

    def _dataset(self, card: DatasetCard, rows: Iterable[Row]) -> Dataset:
        dataset = message_dataset(card, rows)
        groups = similar_groups(list(dataset.X["text"]), self.similar)
        alike = len(groups) - len(set(groups.tolist()))
        return replace(dataset, groups=groups) if alike else dataset


def message_card(
    title: str,
    source: str,
    *,
    licence: str = "the user's own",
    citation: str = "",
    sha256: str = "",
    notes: tuple[str, ...] = (),
) -> DatasetCard:
    """Describe a data set of messages, of which spam is the class that matters."""
    return DatasetCard(
        title=title,
        source=source,
        licence=licence,
        citation=citation,
        sha256=sha256,
        positive_class="spam",
        item="message",
        notes=notes,
    )


def message_dataset(card: DatasetCard, rows: Iterable[Row]) -> Dataset:
    """Make the data set; messages without a text are left out, counted and noted."""
    import numpy as np
    import pandas as pd

    kept: list[tuple[str, str, str]] = []
    empty: list[str] = []
    undecodable: list[str] = []
    unread: list[str] = []
    for name, label, text in rows:
        if isinstance(text, Unread):
            unread.append(name)
        elif text is None:
            undecodable.append(name)
        elif not _says_something(text):
            empty.append(name)
        else:
            kept.append((name, label, text))
    lost = [
        f"{len(names)} {what} (first: {names[0]})"
        for what, names in (
            ("empty", empty),
            ("undecodable", undecodable),
            ("that cannot be read", unread),
        )
        if names
    ]
    if lost:
        n_lost = len(empty) + len(undecodable) + len(unread)
        of = counted(len(kept) + n_lost, "message")
        note = f"{n_lost:,} of {of} {agreeing(n_lost, 'were')} left out: {', '.join(lost)}."
        card = replace(card, notes=(*card.notes, note))
    dataset = Dataset(
        X=pd.DataFrame({"text": [text for _, _, text in kept]}),
        kinds={"text": "text"},
        y=np.array([label for _, label, _ in kept], dtype=np.str_),
        ids=np.array([name for name, _, _ in kept], dtype=np.str_),
        card=card,
    )
    dataset.check_learnable()
    return dataset


def file_rows(root: Path, files: Iterable[tuple[Path, str]], headers: Headers) -> Iterator[Row]:
    """Read files of one raw message each, given with their classes."""
    reader = MailReader()
    for file, label in files:
        # In a Maildir, what follows ":2," are flags, which change when the message is read.
        name = unique_name(file.relative_to(root).as_posix())
        text: str | None
        try:
            text = readable(reader.read(file), headers)
        except OSError as error:
            text = Unread()
            text.why = f"{file}: cannot be read ({error.strerror or error})."
        yield name, label, text


def readable(raw: bytes, headers: Headers) -> str | None:
    """Read a raw message; None where it cannot be decoded."""
    try:
        return mail_text(raw, headers)
    except DataError:
        return None


def eml_files(folder: Path) -> list[Path]:
    """List the ``.eml`` files in a folder and below, in order."""
    files = (Path(at, name) for at, _, names in os.walk(folder) for name in names)
    return sorted(p for p in files if p.suffix.lower() == ".eml" and p.is_file())


def _says_something(text: str) -> bool:
    return any(sign.isprintable() and not sign.isspace() for sign in text)


def _read_messages(
    source: Path, column: str, reads_mail: bool, headers: Headers
) -> Iterator[tuple[str, str]]:
    source = source.expanduser()
    if source.is_dir():
        files = maildir_files(source) or eml_files(source)
        if not files:
            raise DataError(f"{source}: there is neither an .eml file nor a Maildir in it.")
        yield from _texts(file_rows(source, ((file, "") for file in files), headers))
        return
    ending = source.suffix.lower()
    is_file = source.is_file()
    if is_file and (ending == ".mbox" or _begins_like_mbox(source)):
        for name, raw in iter_mbox(source):
            yield name, readable(raw, headers) or ""
    elif is_file and (ending == ".eml" or (reads_mail and ending not in _TEXT_ENDINGS)):
        yield from _texts(file_rows(source.parent, [(source, "")], headers))
    else:
        yield from iter_texts(source, column)


def _texts(rows: Iterable[Row]) -> Iterator[tuple[str, str]]:
    for name, _, text in rows:
        yield name, "" if text is None else text


def _begins_like_mbox(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return re.match(rb"From \S+ .*\d\d:\d\d", file.read(200)) is not None
    except OSError:  # told by who reads it
        return False
