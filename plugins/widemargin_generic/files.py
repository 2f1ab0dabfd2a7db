"""Loaders of pictures and recordings: folders of class folders, and tables of paths."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from widemargin import DataError, Dataset, DatasetCard, DatasetLoader, Items
from widemargin.data import hash_file, iter_table, read_table
from widemargin.encoders import Kind
from widemargin_generic.target import TaskChoice, cell_text, parse_target

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PictureFolder", "PictureTable", "RecordingFolder", "RecordingTable"]

_BATCH = 256
_MAX_CLASSES = 10
_TABLES = (".csv", ".tsv", ".parquet", ".jsonl", ".txt")


class _Files(DatasetLoader):
    """Items that are files of their own; the data set holds their paths."""

    kind: ClassVar[Kind]
    item: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]

    def read_items(self, source: Path) -> Iterator[Items]:
        """Read one file, every file of a folder, or the paths in a table's column."""
        source = source.expanduser()
        if source.is_dir():
            found = self._found(source)
            if not found:
                raise DataError(
                    f"{source}: there is no {self.item} in it ({', '.join(self.suffixes)})."
                )
            names: Iterable[tuple[str, Path]] = (
                (path.relative_to(source).as_posix(), path) for path in found
            )
        elif source.suffix.lower() in _TABLES:
            column = getattr(self, "file", "file")
            names = (
                (str(value), _beside(source, str(value)))
                for rows in iter_table(source, columns=[column])
                for value in rows[column]
            )
        else:
            names = iter([(source.name, source)])
        names = iter(names)
        while own := list(islice(names, _BATCH)):
            ids = [name for name, _ in own]
            paths = [path for _, path in own]
            yield Items(X={self.item: paths}, kinds={self.item: self.kind}, ids=ids)

    def _found(self, folder: Path) -> list[Path]:
        return sorted(
            path
            for path in folder.rglob("*")
            if path.suffix.lower() in self.suffixes
            and path.is_file()
            and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        )

    def _dataset(
        self, paths: Sequence[Path], y: NDArray[Any], ids: Sequence[str], card: DatasetCard
    ) -> Dataset:
        import numpy as np
        import pandas as pd

        # Copies of a file under other names are on one side of every split.
        contents = [hash_file(path) for path in paths]
        copies = len(contents) - len(set(contents))
        groups = None
        if copies:
            groups = np.unique(contents, return_inverse=True)[1]
            note = f"{copies} {self.item}s are copies of another one; no split parts copies."
            card = replace(card, notes=(*card.notes, note))
        dataset = Dataset(
            X=pd.DataFrame({self.item: pd.Series(list(paths), dtype=object)}),
            kinds={self.item: self.kind},
            y=y,
            ids=np.array(ids, dtype=np.str_),
            card=card,
            groups=groups,
        )
        dataset.check_learnable()
        return dataset


class _Folder(_Files):
    source: Literal["folder"] = Field("folder", description="a folder of class folders")
    path: Path = Field(description="the folder; the folders in it are named after the classes")

    def load(self, data_home: Path) -> Dataset:
        """Find every file below the class folders."""
        import numpy as np

        root = self.path.expanduser()
        if not root.is_dir():
            what = "is a file" if root.exists() else "does not exist"
            raise DataError(f"{root}: {what}; a folder of class folders is needed.")
        files = [path for path in self._found(root) if path.parent != root]
        if not files:
            raise DataError(
                f"{root}: no folder in it has a {self.item} ({', '.join(self.suffixes)}); each "
                f"class needs a folder of its own, as in {root.name}/cat/1{self.suffixes[0]}."
            )
        names = [path.relative_to(root).as_posix() for path in files]
        others = sum(path.is_file() for path in root.rglob("*")) - len(files)
        card = DatasetCard(
            title=root.name,
            source=str(self.path),
            licence="the user's own",
            item=self.item,
            notes=(f"Other files left out: {others}.",) if others else (),
        )
        labels = np.array([name.split("/")[0] for name in names], dtype=np.str_)
        return self._dataset(files, labels, names, card)


class _Table(_Files):
    source: Literal["table"] = Field("table", description="a table of paths and labels")
    path: Path = Field(description="the table: CSV, TSV, Parquet or JSON lines")
    file: str = Field("file", description="column of the paths, which start at the table's folder")
    label: str = Field("label", description="column of the labels: classes or a number")
    task: TaskChoice = Field(
        "auto",
        description="classification, regression, or auto: numbers with more than 10 distinct "
        "values mean regression",
    )

    def load(self, data_home: Path) -> Dataset:
        """Read the table; every file in it must be there."""
        table = read_table(self.path, columns=[self.file, self.label])
        labels = [cell_text(value) for value in table[self.label]]
        named = [cell_text(value) for value in table[self.file]]
        kept = [i for i in range(len(named)) if named[i] and labels[i]]
        ids = [f"{self.path.name}:{table.index[i]}" for i in kept]
        if not kept:
            raise DataError(f"{self.path}: no row has both a path and a label.")
        paths = [_beside(self.path.expanduser(), named[i]) for i in kept]
        absent = [name for name, path in zip(ids, paths, strict=True) if not path.is_file()]
        if absent:
            first = paths[ids.index(absent[0])]
            raise DataError(
                f"{absent[0]}: there is no file {first}"
                + (f", and {len(absent) - 1} more are absent" if len(absent) > 1 else "")
                + ". Paths start at the table's folder, or at the root of the disk."
            )
        where = f"{self.path}: column {self.label!r}"
        y, note = parse_target([labels[i] for i in kept], ids, where, self.task, _MAX_CLASSES)
        notes = [note] if note else []
        if lost := len(named) - len(kept):
            notes.append(f"{lost} of {len(named)} rows were left out: no path or no label.")
        card = DatasetCard(
            title=self.path.name,
            source=str(self.path),
            licence="the user's own",
            sha256=hash_file(self.path),
            target=self.label,
            item=self.item,
            notes=tuple(notes),
        )
        return self._dataset(paths, y, ids, card)


def _beside(table: Path, name: str) -> Path:
    return table.parent / Path(name).expanduser()


class _Picture:
    kind: ClassVar[Kind] = "image"
    item: ClassVar[str] = "picture"
    suffixes: ClassVar[tuple[str, ...]] = (
        *(".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp"),
        *(".tif", ".tiff", ".ppm", ".pgm"),
    )


class _Recording:
    kind: ClassVar[Kind] = "audio"
    item: ClassVar[str] = "recording"
    suffixes: ClassVar[tuple[str, ...]] = (".wav", ".flac", ".ogg", ".oga", ".aif", ".aiff", ".mp3")


class PictureFolder(_Picture, _Folder):
    """A folder with a folder of pictures for each class."""


class PictureTable(_Picture, _Table):
    """A table with a column of paths of pictures and one of labels."""


class RecordingFolder(_Recording, _Folder):
    """A folder with a folder of recordings for each class."""


class RecordingTable(_Recording, _Table):
    """A table with a column of paths of recordings and one of labels."""
