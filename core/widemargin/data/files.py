"""Loaders of pictures and recordings: folders of class folders, and tables of paths.

Use cases offer them as they are, or make them their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from widemargin.contracts import Dataset, DatasetCard, DatasetLoader, Items, Kind
from widemargin.contracts.counting import agreeing, counted
from widemargin.data.fingerprint import hash_file
from widemargin.data.near_duplicates import merge_groups
from widemargin.data.readers import iter_table, read_table
from widemargin.data.target import TaskChoice, cell_text, parse_target
from widemargin.errors import DataError, ItemsError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "PictureFolder",
    "PictureLoader",
    "PictureTable",
    "RecordingFolder",
    "RecordingLoader",
    "RecordingTable",
]

_BATCH = 256
_MAX_CLASSES = 10
_NAMED = 5  # names in a note
_TABLES = (".csv", ".tsv", ".parquet", ".jsonl", ".txt")


class _Files(DatasetLoader):
    """Items that are files of their own; the data set holds their paths."""

    kind: ClassVar[Kind]
    item: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]

    @property
    def path_column(self) -> str:
        """The column of a table of new items that holds their paths."""
        return "file"

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
            column = self.path_column
            names = (
                (name, _beside(source, name))
                for rows in iter_table(source, columns=[column])
                for name in map(cell_text, rows[column])
                if name
            )
        else:
            names = iter([(source.name, source)])
        names = iter(names)
        while own := list(islice(names, _BATCH)):
            ids = [name for name, _ in own]
            paths = [path for _, path in own]
            yield Items(X={self.item: paths}, kinds={self.item: self.kind}, ids=ids)

    def _found(self, folder: Path) -> list[Path]:
        return sorted(path for path in _visible(folder) if self._is_one(path))

    def _is_one(self, path: Path) -> bool:
        return path.suffix.lower() in self.suffixes and path.is_file()

    def file_dataset(
        self,
        paths: Sequence[Path],
        y: NDArray[Any],
        ids: Sequence[str],
        card: DatasetCard,
        named: Sequence[str] = (),
    ) -> Dataset:
        """Put a data set together; `named` says which rows belong together, if any do."""
        import numpy as np
        import pandas as pd

        # Copies of a file under other names are on one side of every split.
        contents = self._hashes(paths, ids)
        copies = len(contents) - len(set(contents))
        groups: NDArray[Any] | None = np.array(named, dtype=np.str_) if named else None
        if copies:
            same = np.unique(contents, return_inverse=True)[1]
            groups = merge_groups(same) if groups is None else merge_groups(groups, same)
            are = f"{self.item} is a copy" if copies == 1 else f"{self.item}s are copies"
            note = f"{copies:,} {are} of another one; no split parts copies."
            card = replace(card, notes=(*card.notes, note, *self._contradictions(same, y, ids)))
        dataset = Dataset(
            X=pd.DataFrame({self.item: pd.Series(list(paths), dtype=object)}),
            kinds={self.item: self.kind},
            y=y,
            ids=np.array(ids, dtype=np.str_),
            card=card,
            groups=groups,
            # Copies may tie groups, whose names are worth knowing all the same.
            aside=pd.DataFrame({"group": list(named)}) if named else None,
        )
        dataset.check_learnable()
        return dataset

    def _contradictions(
        self, same: NDArray[Any], y: NDArray[Any], ids: Sequence[str]
    ) -> tuple[str, ...]:
        """Name copies that have another label than their like."""
        first: dict[int, int] = {}
        pairs = []
        for row, content in enumerate(same.tolist()):
            other = first.setdefault(content, row)
            if y[other] != y[row]:
                pairs.append(f"{ids[other]} ({y[other]}) and {ids[row]} ({y[row]})")
        if not pairs:
            return ()
        said = counted(len(pairs), "copy", "have", several="copies")
        return (f"{said} another label than the first of the same content: {_first(pairs)}.",)

    def _hashes(self, paths: Sequence[Path], ids: Sequence[str]) -> list[str]:
        """Hash every file's content; all that cannot be read are named at once."""
        contents, problems = [], {}
        for row, path in enumerate(paths):
            try:
                contents.append(hash_file(path))
            except OSError as error:
                problems[row] = f"{path}: cannot be read ({error.strerror or error})."
            except DataError as error:
                problems[row] = str(error)
        if problems:
            raise ItemsError(problems, len(paths), ids, self.item)
        return contents


class _Folder(_Files):
    source: Literal["folder"] = Field("folder", description="a folder of class folders")
    path: Path = Field(description="the folder; the folders in it are named after the classes")
    group: Literal["none", "subfolder"] = Field(
        "none",
        description="subfolder: what lies in folders of one name within the classes' folders "
        "belongs together, such as one person's, and is never split",
    )

    def load(self, data_home: Path) -> Dataset:
        """Find every file below the class folders."""
        import numpy as np

        root = self.path.expanduser()
        if not root.is_dir():
            what = "is a file" if root.exists() else "does not exist"
            # Not every use case of folders reads tables too.
            table = root.suffix.lower() in _TABLES and root.is_file()
            said = "; a table of paths and labels may be what data.source=table reads"
            raise DataError(
                f"{root}: {what}; a folder of class folders is needed{said if table else ''}."
            )
        files = [path for path in self._found(root) if path.parent != root]
        if not files:
            raise DataError(
                f"{root}: there is no {self.item} in its folders ({', '.join(self.suffixes)}); "
                f"each class needs a folder of its own, as in {root.name}/cat/1{self.suffixes[0]}."
            )
        names = [path.relative_to(root).as_posix() for path in files]
        card = DatasetCard(
            title=root.name,
            source=str(self.path),
            licence="the user's own",
            item=self.item,
            notes=_left_out(root, files, self.item),
        )
        labels = np.array([name.split("/")[0] for name in names], dtype=np.str_)
        return self.file_dataset(files, labels, names, card, self._groups(root, names))

    def _groups(self, root: Path, names: Sequence[str]) -> list[str]:
        if self.group == "none":
            return []
        parts = [name.split("/") for name in names]
        loose = next((name for name, own in zip(names, parts, strict=True) if len(own) < 3), None)
        if loose is not None:
            raise DataError(
                f"{root}: {loose} lies in no folder within its class's, and data.group is "
                f"subfolder. Put every {self.item} into one, as in {parts[0][0]}/anna/1"
                f"{self.suffixes[0]}, or leave data.group out."
            )
        return [own[1] for own in parts]


class _Table(_Files):
    source: Literal["table"] = Field("table", description="a table of paths and labels")
    path: Path = Field(description="the table: CSV, TSV, Parquet or JSON lines")
    file: str = Field("file", description="column of the paths, which start at the table's folder")
    label: str = Field("label", description="column of the labels: classes or a number")
    group: str = Field("", description="column of groups that are never split, such as a person")
    task: TaskChoice = Field(
        "auto",
        description="classification, regression, or auto: numbers with more than 10 distinct "
        "values mean regression",
    )

    @property
    def path_column(self) -> str:
        """The column of the paths."""
        return self.file

    def load(self, data_home: Path) -> Dataset:
        """Read the table; every file in it must be there."""
        columns = [self.file, self.label, *filter(None, [self.group])]
        table = read_table(self.path, columns=columns)
        labels = [cell_text(value) for value in table[self.label]]
        named = [cell_text(value) for value in table[self.file]]
        kept = [i for i in range(len(named)) if named[i] and labels[i]]
        ids = [f"{self.path.name}:{table.index[i]}" for i in kept]
        if not kept:
            raise DataError(f"{self.path}: no row has both a path and a label.")
        paths = [_beside(self.path.expanduser(), named[i]) for i in kept]
        absent = {
            row: f"there is no file {path}. Paths start at the table's folder, or at the root of "
            "the disk."
            for row, path in enumerate(paths)
            if not path.is_file()
        }
        if absent:
            raise ItemsError(absent, len(paths), ids, self.item)
        where = f"{self.path}: column {self.label!r}"
        y, note = parse_target([labels[i] for i in kept], ids, where, self.task, _MAX_CLASSES)
        notes = [note] if note else []
        if lost := len(named) - len(kept):
            rows, were = counted(len(named), "row"), agreeing(lost, "were")
            notes.append(f"{lost:,} of {rows} {were} left out: no path or no label.")
        card = DatasetCard(
            title=self.path.name,
            source=str(self.path),
            licence="the user's own",
            sha256=hash_file(self.path),
            target=self.label,
            item=self.item,
            notes=tuple(notes),
        )
        groups = []
        if self.group:
            # A row without a group is one by itself; file:line is no value of the column.
            cells = [cell_text(value) for value in table[self.group]]
            groups = [cells[i] or row for i, row in zip(kept, ids, strict=True)]
        return self.file_dataset(paths, y, ids, card, groups)


def _visible(folder: Path) -> Iterator[Path]:
    """Find everything below a folder that is not hidden."""
    for path in folder.rglob("*"):
        if not any(part.startswith(".") for part in path.relative_to(folder).parts):
            yield path


def _left_out(root: Path, files: Sequence[Path], item: str) -> tuple[str, ...]:
    """Say which files and which folders of classes a data set does not have."""
    taken = set(files)
    classes = {path.relative_to(root).parts[0] for path in files}
    empty = sorted(
        path.name
        for path in root.iterdir()
        if path.is_dir() and not path.name.startswith(".") and path.name not in classes
    )
    others = sorted(
        path.relative_to(root).as_posix()
        for path in _visible(root)
        if path not in taken and not path.is_dir()
    )
    notes = []
    if empty:
        folders = counted(len(empty), "folder", "have")
        notes.append(f"{folders} no {item} and made no class: {_first(empty)}.")
    if others:
        notes.append(f"{counted(len(others), 'other file', 'were')} left out: {_first(others)}.")
    return tuple(notes)


def _first(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    return f"{shown} and {len(names) - _NAMED:,} more" if len(names) > _NAMED else shown


def _beside(table: Path, name: str) -> Path:
    try:
        path = table.parent / Path(name).expanduser()
    except RuntimeError:  # of nobody's home
        path = table.parent / name
    # Tables made on Windows part folders by a backslash, which elsewhere may be in a name.
    if "\\" in name and not path.exists():
        other = table.parent / name.replace("\\", "/")
        return other if other.exists() else path
    return path


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


class PictureLoader(_Picture, _Files):
    """What loaders of pictures share: the ways to read items, and copies kept together."""


class RecordingLoader(_Recording, _Files):
    """What loaders of recordings share: the ways to read items, and copies kept together."""


class PictureFolder(_Picture, _Folder):
    """A folder with a folder of pictures for each class."""


class PictureTable(_Picture, _Table):
    """A table with a column of paths of pictures and one of labels."""


class RecordingFolder(_Recording, _Folder):
    """A folder with a folder of recordings for each class."""


class RecordingTable(_Recording, _Table):
    """A table with a column of paths of recordings and one of labels."""
