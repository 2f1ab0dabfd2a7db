"""Loaders of texts: a table with a column of texts, or a folder of class folders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from widemargin import DataError, Dataset, DatasetCard, DatasetLoader, Items
from widemargin.data import (
    TableFormat,
    TaskChoice,
    agreeing,
    cell_text,
    counted,
    decode,
    hash_file,
    iter_texts,
    parse_target,
    read_table,
    text_items,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["TextFile", "TextFolder"]

_MAX_CLASSES = 10  # stars from 1 to 10 are classes, prices are not


class TextFile(DatasetLoader):
    """A table with a column of texts and one of labels."""

    source: Literal["file", "csv", "tsv", "parquet", "jsonl"] = Field(
        "file", description="how the table is written; file goes by the file's ending"
    )
    path: Path = Field(description="the table")
    text: str = Field("text", description="column of the texts")
    label: str = Field("label", description="column of the labels: classes or a number")
    task: TaskChoice = Field(
        "auto",
        description="classification, regression, or auto: numbers with more than 10 distinct "
        "values mean regression",
    )

    def load(self, data_home: Path) -> Dataset:
        """Read the table."""
        form: TableFormat = "auto" if self.source == "file" else self.source
        table = read_table(self.path, form, columns=[self.text, self.label])
        labels = [cell_text(value) for value in table[self.label]]
        texts = [
            "" if value is None or value != value else str(value) for value in table[self.text]
        ]
        kept = [i for i, text in enumerate(texts) if text.strip() and labels[i]]
        n_empty = sum(not text.strip() for text in texts)
        ids = [f"{self.path.name}:{table.index[i]}" for i in kept]
        where = f"{self.path}: column {self.label!r}"
        if not kept:
            raise DataError(f"{self.path}: no row has both a text and a label.")
        y, note = parse_target([labels[i] for i in kept], ids, where, self.task, _MAX_CLASSES)
        notes = [note] if note else []
        if lost := len(texts) - len(kept):
            notes.append(
                f"{lost:,} of {counted(len(texts), 'row')} {agreeing(lost, 'were')} left out: "
                f"{n_empty} without text, "
                f"{lost - n_empty} without label."
            )
        card = DatasetCard(
            title=self.path.name,
            source=str(self.path),
            licence="the user's own",
            sha256=hash_file(self.path),
            target=self.label,
            item="text",
            notes=tuple(notes),
        )
        return _dataset([texts[i] for i in kept], y, ids, card)

    def read_items(self, source: Path) -> Iterator[Items]:
        """Read texts: the column of a table, or the lines of any other file."""
        return text_items(iter_texts(source, self.text))


class TextFolder(DatasetLoader):
    """A folder with a folder of ``.txt`` files for each class."""

    source: Literal["folder"] = Field("folder", description="a folder of class folders")
    path: Path = Field(description="the folder; the folders in it are named after the classes")

    def load(self, data_home: Path) -> Dataset:
        """Read every ``.txt`` file below the class folders."""
        import numpy as np

        root = self.path.expanduser()
        files = [file for file in _txt_files(root) if file.parent != root]
        if not files:
            raise DataError(
                f"{root}: there is no folder with .txt files in it; each class needs a folder of "
                "its own, as in positive/1.txt."
            )
        names = [file.relative_to(root).as_posix() for file in files]
        texts = [_read(file) for file in files]
        kept = [i for i, text in enumerate(texts) if text and text.strip()]
        notes = []
        if lost := len(texts) - len(kept):
            n_undecodable = texts.count(None)
            first = next(names[i] for i in range(len(names)) if i not in set(kept))
            notes.append(
                f"{lost:,} of {counted(len(texts), 'file')} {agreeing(lost, 'were')} left out: "
                f"{lost - n_undecodable} empty, {n_undecodable} undecodable (first: {first})."
            )
        card = DatasetCard(
            title=root.name,
            source=str(self.path),
            licence="the user's own",
            item="text",
            notes=tuple(notes),
        )
        labels = np.array([names[i].split("/")[0] for i in kept], dtype=np.str_)
        return _dataset([texts[i] or "" for i in kept], labels, [names[i] for i in kept], card)

    def read_items(self, source: Path) -> Iterator[Items]:
        """Read texts: each ``.txt`` file of a folder, one ``.txt`` file, or a table's column."""
        source = source.expanduser()
        if source.is_dir():
            files = _txt_files(source)
            if not files:
                raise DataError(f"{source}: there is no .txt file in it.")
            return text_items(_documents(source, files))
        if source.suffix.lower() == ".txt" and source.is_file():
            return text_items(_documents(source.parent, [source]))
        return text_items(iter_texts(source))


def _dataset(
    texts: Sequence[str], y: NDArray[Any], ids: Sequence[str], card: DatasetCard
) -> Dataset:
    import numpy as np
    import pandas as pd

    dataset = Dataset(
        X=pd.DataFrame({"text": list(texts)}),
        kinds={"text": "text"},
        y=y,
        ids=np.array(ids, dtype=np.str_),
        card=card,
    )
    dataset.check_learnable()
    return dataset


def _documents(root: Path, files: Iterable[Path]) -> Iterator[tuple[str, str]]:
    for file in files:
        yield file.relative_to(root).as_posix(), _read(file) or ""


def _txt_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise DataError(f"{folder}: {what}; a folder of class folders is needed.")
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() == ".txt" and p.is_file())


def _read(file: Path) -> str | None:
    """Return a file's text; None where it cannot be decoded."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror or error}).") from None
    try:
        return decode(raw)
    except DataError:
        return None
