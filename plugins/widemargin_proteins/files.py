"""Loaders of people's own sequences: FASTA, SwissProt, GenBank and tables, a file or a folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from widemargin import DataError, Dataset, DatasetCard, DatasetLoader, Items
from widemargin.data import agreeing, cell_text, check_columns, counted, hash_file, read_table
from widemargin.encoders import Columns, ItemsError
from widemargin_proteins.entries import TABLES, Entry, Form, iter_entries, sniff_form
from widemargin_proteins.sequences import (
    COLUMN,
    LIKENESS,
    Labelled,
    check_protein,
    clean_sequence,
    sequence_dataset,
    sequence_items,
    without_contradictions,
    without_repeats,
)

__all__ = ["SequenceFile", "SequenceLoader"]

_ENDINGS = (
    *(".fasta", ".fa", ".faa", ".fas", ".fsa", ".seq", ".pep"),
    *(".dat", ".sprot", ".swiss", ".txt", ".gb", ".gbk", ".gp", ".gpff", ".genbank"),
    *TABLES,
)
_NAMED = 12


class SequenceLoader(DatasetLoader):
    """A loader of sequences, which reads new ones from a file of any form."""

    def read_items(self, source: Path) -> Iterator[Items]:
        """Read sequences of FASTA, SwissProt, GenBank, a table, lines, or a folder of these."""
        return sequence_items(
            (entry.id, letters) for _, entry, letters in _read(source, self._column(), ())
        )

    def checked(self, X: Columns) -> Columns:
        """Tidy sequences, and refuse what is no protein."""
        tidy: list[str] = []
        problems: dict[int, str] = {}
        for row, text in enumerate(map(str, X[COLUMN])):
            try:
                if text.startswith(">"):
                    raise DataError("is the header of a FASTA file; give the file with --file.")
                letters = clean_sequence(text)
                check_protein(letters, "the sequence")
            except DataError as error:
                problems[row] = str(error)
            else:
                tidy.append(letters)
        if problems:
            raise ItemsError(problems, len(X[COLUMN]))
        return {COLUMN: tidy}

    def _column(self) -> str:
        """Return the column of sequences in a table."""
        return COLUMN


class SequenceFile(SequenceLoader):
    """Sequences of one's own: a file, or a folder with a file for each class."""

    source: Literal["file", "fasta", "swissprot", "genbank", "csv", "tsv", "parquet", "folder"] = (
        Field("file", description="how it is written; file looks for itself, also in a .gz file")
    )
    path: Path = Field(
        description="FASTA, SwissProt, GenBank or a table; or a folder with a file for each class"
    )
    label: str = Field(
        "",
        description="what tells the class: a table's column (empty: label), a field of FASTA "
        "headers (name=value, or a number between strokes), location or keyword=NAME of SwissProt, "
        "a qualifier of GenBank; empty takes the names of a folder's files",
    )
    labels: Path | None = Field(
        None, description="a table whose first column has the ids and whose column `label` classes"
    )
    group: str = Field(
        "", description="what tells groups that are never split, as label does; beside clusters"
    )
    likeness: Annotated[float, Field(gt=0, le=1)] | None = Field(
        LIKENESS,
        description="share of 3-mers in common from which on sequences are never on both sides of "
        "a split; null groups nothing",
    )
    sequence: str = Field("sequence", description="a table's column of sequences")
    at_least: int = Field(1, ge=1, description="sequences that a class must have, or is left out")
    positive: str = Field(
        "", description="the class, of two, that metrics are about; empty: the rarer one"
    )

    def load(self, data_home: Path) -> Dataset:
        """Read the file, or every file of the folder."""
        path = self.path.expanduser()
        classes = self._table_of_labels()
        rows: list[Labelled] = []
        empty = unlabelled = 0
        name = self.label or ("label" if classes is None else "")
        wanted = [] if classes is not None else [name, *([self.group] if self.group else [])]
        by_file = path.is_dir() and not self.label and classes is None
        known: dict[str, None] = {}
        for file, entry, letters in _read(
            path, self.sequence, [] if by_file else wanted, self._form()
        ):
            known |= dict.fromkeys(entry.facts()) if len(known) < _NAMED else {}
            if by_file:
                label = _stem(file)
            elif classes is not None:
                label = classes.get(entry.id, "")
            else:
                label = entry.fact(name)
            if not letters:
                empty += 1
            elif not label:
                unlabelled += 1
            else:
                group = entry.fact(self.group) if self.group else ""
                rows.append(Labelled(entry.id, letters, label, f"{file}:{entry.line}", group))
        if not rows:
            raise DataError(self._no_label(unlabelled, known))
        if self.group and not any(one.group for one in rows):
            raise DataError(
                f"{self.path}: data.group is {self.group!r}, and no sequence tells it. Told are "
                f"{', '.join(known) or 'no facts'}."
            )
        notes = []
        if empty:
            notes.append(f"{counted(empty, 'empty sequence', 'were')} left out.")
        if unlabelled:
            notes.append(f"{counted(unlabelled, 'sequence', 'were')} left out: no class.")
        return self._dataset(rows, notes)

    def _dataset(self, rows: list[Labelled], notes: list[str]) -> Dataset:
        rows, note = without_contradictions(rows)
        notes += note
        rows, note = without_repeats(rows)
        notes += note
        sizes = Counter(one.label for one in rows)
        rare = sorted(name for name, size in sizes.items() if size < self.at_least)
        if rare:
            lost = sum(sizes[name] for name in rare)
            shown = ", ".join(rare[:_NAMED]) + ", ..." * (len(rare) > _NAMED)
            notes.append(
                f"{counted(lost, 'sequence')} of classes with fewer than {self.at_least} "
                f"{agreeing(lost, 'were')} left out: {shown}."
            )
            rows = [one for one in rows if one.label not in rare]
        if notes and len({one.label for one in rows}) < 2:
            raise DataError(f"{self.path}: fewer than two classes are left. {' '.join(notes)}")
        if self.positive and self.positive not in sizes:
            raise DataError(
                f"{self.path}: data.positive is {self.positive!r}, and the classes are "
                f"{', '.join(sorted(sizes)[:_NAMED])}."
            )
        path = self.path.expanduser()
        card = DatasetCard(
            title=self.path.name,
            source=str(self.path),
            licence="the user's own",
            sha256="" if path.is_dir() else hash_file(path),
            positive_class=self.positive,
            target=self.label or "class",
            item="sequence",
        )
        groups = None
        if self.group:
            # A sequence of no group is one by itself.
            groups = [one.group or f"\0{place}" for place, one in enumerate(rows)]
        return sequence_dataset(
            [one.sequence for one in rows],
            [one.label for one in rows],
            _distinct(rows),
            card,
            notes=notes,
            likeness=self.likeness,
            groups=groups,
        )

    def _column(self) -> str:
        return self.sequence

    def _form(self) -> Form | None:
        if self.source in ("csv", "tsv", "parquet"):
            return "table"
        return None if self.source in ("file", "folder") else self.source  # type: ignore[return-value]  # mypy narrows no tuple of literals

    def _table_of_labels(self) -> Mapping[str, str] | None:
        if self.labels is None:
            return None
        table = read_table(self.labels)
        column = self.label or "label"
        check_columns(self.labels, [column], [str(one) for one in table.columns])
        classes: dict[str, str] = {}
        for line, name, label in zip(table.index, table.iloc[:, 0], table[column], strict=True):
            key, said = cell_text(name), cell_text(label)
            if classes.setdefault(key, said) != said:
                raise DataError(f"{self.labels}:{line}: gives {key!r} a second class.")
        return classes

    def _no_label(self, unlabelled: int, known: Mapping[str, None]) -> str:
        if not unlabelled:
            return f"{self.path}: there is no sequence in it."
        if self.labels is not None:
            return (
                f"{self.path}: none of its {unlabelled:,} sequences has a class in {self.labels}, "
                "whose first column must hold the names that stand there."
            )
        told = ", ".join(list(known)[:_NAMED])
        can = (
            f"Told of its sequences are: {told}. Choose one with --set data.label=NAME"
            if told
            else "Its headers tell nothing by name, as in >p1 class=secreted"
        )
        return (
            f"{self.path}: no sequence tells {self.label or 'label'!r}, its class. {can}; or give "
            "a table of names and classes with --set data.labels=FILE, or a folder with a file for "
            "each class."
        )


def _read(
    source: Path, column: str, columns: Iterable[str], form: Form | None = None
) -> Iterator[tuple[Path, Entry, str]]:
    """Read entries with their clean letters; what is malformed, or no protein, is a `DataError`."""
    begun = ""
    source = source.expanduser()
    for path in _files(source):
        own = form or sniff_form(path)
        found = False
        for entry in iter_entries(path, own, columns=list(columns), sequence=column):
            letters = clean_sequence(entry.text, str(path), entry.line)
            check_protein(letters, f"{path}:{entry.line}")
            if len(begun) < 300:
                # Primers and other short pieces show it only together.
                begun += letters
                check_protein(begun, str(path))
            found = True
            yield path, entry, letters
        if not found:
            what = (
                "no entry of a protein and no CDS feature with a translation"
                if own == "genbank"
                else "no sequence"
            )
            raise DataError(f"{path}: there is {what} in it.")


def _files(source: Path) -> list[Path]:
    if not source.is_dir():
        return [source]
    found = sorted(
        path
        for path in source.iterdir()
        if path.is_file() and not path.name.startswith(".") and _stem(path) != path.name
    )
    if not found:
        raise DataError(
            f"{source}: there is no file of sequences in it ({', '.join(_ENDINGS)}, also .gz)."
        )
    return found


def _stem(path: Path) -> str:
    """Return a file's name without the endings of sequence files; the name where it has none."""
    name = path.name[:-3] if path.name.lower().endswith(".gz") else path.name
    ending = next((one for one in _ENDINGS if name.lower().endswith(one)), "")
    return name[: -len(ending)] if ending else path.name


def _distinct(rows: list[Labelled]) -> list[str]:
    """Return each row's id; those that several have with the place of each."""
    counts = Counter(one.id for one in rows)
    return [one.id if counts[one.id] == 1 else f"{one.id} ({one.place})" for one in rows]
