"""Entries of sequence files: FASTA, SwissProt, GenBank, tables, and one sequence a line."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from widemargin import DataError
from widemargin.data import cell_text, check_columns, iter_table, open_text

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["Entry", "Form", "iter_entries", "sniff_form"]

Form = Literal["fasta", "swissprot", "genbank", "table", "lines"]
"""How a file is written."""

TABLES = (".csv", ".tsv", ".parquet", ".jsonl", ".ndjson")

_BROKEN = (ValueError, AssertionError, LookupError, AttributeError, TypeError)
"""What Biopython's parsers raise of an entry that is not as it should be."""


@dataclass(frozen=True)
class Entry:
    """One sequence of a file.

    Parameters
    ----------
    id : str
        Its name in the file.
    text : str
        The sequence as it is written there, perhaps on several lines.
    line : int
        The line on which it begins, from 1.
    told : mapping of str to str
        What the file says of it, by name.
    header : str
        The whole line above it, of FASTA.
    """

    id: str
    text: str
    line: int
    told: Mapping[str, str] = field(default_factory=dict)
    header: str = ""

    def fact(self, name: str) -> str:
        """Return what is told of the entry; empty where it is not.

        ``keyword=NAME`` is NAME of the entries with that keyword and ``other`` of the others. Of a
        FASTA header ``name=value``, ``name:value`` and ``[name=value]`` are read; a number is a
        field between upright strokes, from 1.

        Examples
        --------
        >>> entry = Entry("sp|P1", "MKT", 2, header="sp|P1|X_HUMAN Some OS=Homo sapiens GN=ABC")
        >>> entry.fact("OS"), entry.fact("2"), entry.fact("nothing")
        ('Homo sapiens', 'P1', '')
        """
        if name in self.told:
            return self.told[name].strip()
        if name.startswith("keyword=") and "keywords" in self.told:
            wanted = name.removeprefix("keyword=").strip()
            held = [one.strip().casefold() for one in self.told["keywords"].split(";")]
            return wanted if wanted.casefold() in held else "other"
        if name.isdecimal():
            fields = self.header.split("|")
            return fields[int(name) - 1].strip() if 0 < int(name) <= len(fields) else ""
        found = re.search(
            rf"(?:^|[\s|;\[]){re.escape(name)}\s*[=:]\s*([^|;\]]*?)\s*(?=$|[|;\]]|\s\w+[=:])",
            self.header,
        )
        return found.group(1) if found else ""

    def facts(self) -> list[str]:
        """Return the names of what `fact` could tell."""
        names = [name for name in self.told if name != "keywords"]
        if "keywords" in self.told:
            names.append("keyword=NAME")
        names += re.findall(r"(?:^|[\s|;\[])(\w+)\s*[=:]", self.header)
        names += [str(number + 1) for number in range(self.header.count("|") + 1)] * (
            "|" in self.header
        )
        return list(dict.fromkeys(names))


def sniff_form(path: Path) -> Form:
    """Say how a file is written: by its ending for tables, by its first line otherwise.

    Raises
    ------
    DataError
        Where the file is absent or cannot be read.
    """
    if path.name.lower().removesuffix(".gz").endswith(TABLES):
        return "table"
    with open_text(path) as lines:
        first = next((line for line in lines if line.strip()), "")
    if first.lstrip().startswith((">", ";")):
        return "fasta"
    if re.match(r"ID {3}\S", first):
        return "swissprot"
    return "genbank" if first.startswith("LOCUS ") else "lines"


def iter_entries(
    path: Path, form: Form, *, columns: Sequence[str] = (), sequence: str = "sequence"
) -> Iterator[Entry]:
    """Read a file's entries in constant memory.

    Parameters
    ----------
    path : Path
        The file; ``.gz`` is unpacked.
    form : Form
        How it is written.
    columns : sequence of str
        Columns that a table must have besides that of sequences.
    sequence : str
        A table's column of sequences.

    Raises
    ------
    DataError
        Where something is malformed, with the line; or Biopython is needed and absent.
    """
    path = path.expanduser()
    if form == "table":
        yield from _of_table(path, sequence, columns)
    elif form == "fasta":
        yield from _of_fasta(path)
    elif form == "lines":
        yield from _of_lines(path)
    else:
        read = _swissprot if form == "swissprot" else _genbank
        for line, text in _blocks(path):
            yield from read(path, line, text)


def _of_fasta(path: Path) -> Iterator[Entry]:
    # By hand: Biopython does not say lines, and reading FASTA needs nothing else of it.
    header, start, held = "", 0, list[str]()
    with open_text(path) as lines:
        for number, line in enumerate(lines, 1):
            if line.startswith(">"):
                if start:
                    yield _fasta_entry(path, header, start, held)
                header, start, held = line[1:].strip(), number, []
            elif start:
                held.append(line)
            elif line.strip() and not line.startswith(";"):
                raise DataError(
                    f"{path}:{number}: {line.strip()[:30]!r} stands before the first header. In "
                    "FASTA a line that begins with > names each sequence."
                )
    if start:
        yield _fasta_entry(path, header, start, held)


def _fasta_entry(path: Path, header: str, line: int, held: list[str]) -> Entry:
    text = "".join(one for one in held if not one.startswith(";"))
    return Entry((header.split() or [f"{path.name}:{line}"])[0], text, line + 1, header=header)


def _of_lines(path: Path) -> Iterator[Entry]:
    with open_text(path) as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield Entry(f"{path.name}:{number}", line, number)


def _of_table(path: Path, sequence: str, columns: Sequence[str]) -> Iterator[Entry]:
    checked = False
    for rows in iter_table(path):
        names = [str(name) for name in rows.columns]
        if not checked:
            check_columns(path, [sequence, *columns], names)
            checked = True
        facts = {
            name: [cell_text(value) for value in rows[name]] for name in names if name != sequence
        }
        # NA is a peptide, and no missing cell.
        letters = [
            "" if value is None or value != value else str(value) for value in rows[sequence]
        ]
        for at, line in enumerate(rows.index):
            told = {name: own[at] for name, own in facts.items()}
            yield Entry(f"{path.name}:{line}", letters[at], int(line), told)


def _blocks(path: Path) -> Iterator[tuple[int, str]]:
    """Cut a file at its lines of two strokes, which end entries; with each entry's first line."""
    held: list[str] = []
    start = 1
    with open_text(path) as lines:
        for number, line in enumerate(lines, 1):
            if not held and not line.strip():
                continue
            if not held:
                start = number
            held.append(line)
            if line.rstrip() == "//":
                yield start, "".join(held)
                held = []
    if held:
        raise DataError(
            f"{path}:{start}: the file ends within the entry that begins here; entries end with //."
        )


def _swissprot(path: Path, line: int, text: str) -> Iterator[Entry]:
    reader = _biopython("Bio.SwissProt", path)
    record = _parsed(lambda: reader.read(StringIO(text)), path, line, "SwissProt")
    told = {"keywords": "; ".join(record.keywords), "organism": record.organism.rstrip(".")}
    for comment in record.comments:
        if comment.startswith("SUBCELLULAR LOCATION:"):
            told.setdefault("location", _first_location(comment))
    told.setdefault("location", "")
    begins = next((at for at, own in enumerate(text.split("\n")) if own.startswith("SQ ")), 0)
    name = record.accessions[0] if record.accessions else record.entry_name
    # Counted from the line after SQ; the record's own sequence has no line breaks.
    yield Entry(name, record.sequence, line + begins + 1, told)


def _first_location(comment: str) -> str:
    """Return the first location that a comment names.

    Examples
    --------
    >>> _first_location("SUBCELLULAR LOCATION: [Isoform 1]: Cell membrane {ECO:1}; Single-pass.")
    'Cell membrane'
    """
    said = comment.partition(":")[2].strip()
    said = re.sub(r"^\[[^\]]*\]:\s*", "", said)
    if said.startswith("Note="):
        return ""
    return re.split(r"[.;,{]", said, maxsplit=1)[0].strip()


def _genbank(path: Path, line: int, text: str) -> Iterator[Entry]:
    reader = _biopython("Bio.SeqIO", path)
    record = _parsed(lambda: reader.read(StringIO(text), "genbank"), path, line, "GenBank")
    annotations = record.annotations
    told = {
        "definition": record.description,
        "organism": str(annotations.get("organism", "")),
        "keywords": "; ".join(annotations.get("keywords", [])),
    }
    # Where the first line's columns are shifted, Biopython does not say what the molecule is.
    locus = text.split("\n", 1)[0]
    if annotations.get("molecule_type") == "protein" or re.search(r"\s\d+ aa\s", locus):
        for feature in record.features:
            for key, values in feature.qualifiers.items():
                told.setdefault(key, str(values[0]))
        yield Entry(record.id, str(record.seq), line, told)
        return
    for number, feature in enumerate(record.features, 1):
        own = {key: str(values[0]) for key, values in feature.qualifiers.items()}
        if feature.type == "CDS" and "translation" in own:
            translation = own.pop("translation")
            name = own.get("protein_id") or own.get("locus_tag") or f"{record.id} CDS {number}"
            yield Entry(name, translation, line, {**told, **own})


def _parsed(read: Callable[[], Any], path: Path, line: int, form: str) -> Any:
    try:
        with warnings.catch_warnings():
            # What it warns of are dates and lengths, which are nothing to us.
            warnings.simplefilter("ignore")
            return read()
    except _BROKEN as error:
        raise DataError(
            f"{path}:{line}: the entry that begins here is no {form} that can be read "
            f"({str(error).splitlines()[0] if str(error) else type(error).__name__})."
        ) from None


def _biopython(module: str, path: Path) -> ModuleType:
    from importlib import import_module

    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise DataError(
            f"{path}: reading SwissProt and GenBank files needs Biopython, which is not installed. "
            'Install it with pip install "widemargin[bio]".'
        ) from error
