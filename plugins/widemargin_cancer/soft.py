"""SOFT files of the Gene Expression Omnibus: families of samples (GSE, GSM) and data sets (GDS)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from widemargin import DataError
from widemargin.data import agreeing, counted
from widemargin_cancer.profiles import Profiles, cell_text
from widemargin_cancer.series_matrix import add_characteristics, numbers_in

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["read_soft"]

_SYMBOLS = ("gene symbol", "gene_symbol", "symbol", "ilmn_gene", "gene")


def read_soft(lines: Iterable[str], where: str) -> tuple[Profiles, dict[str, str]]:
    """Read a SOFT file through Biopython.

    Parameters
    ----------
    lines : iterable of str
        The file's.
    where : str
        Its name, for messages.

    Returns
    -------
    profiles : Profiles
        The values of the probes that every sample has.
    symbols : dict of str to str
        The gene of each probe, where the file has a platform that says it.

    Raises
    ------
    DataError
        Where Biopython is not installed, or the file has no samples with values, or samples have no
        probe in common.
    """
    try:
        from Bio.Geo import parse
    except ModuleNotFoundError as error:
        raise DataError(
            "SOFT files need Biopython, which is not installed. "
            'Install it with pip install "widemargin[bio]".'
        ) from error

    samples: dict[str, dict[str, float]] = {}
    told: dict[str, dict[str, str]] = {}
    symbols: dict[str, str] = {}
    whole: Profiles | None = None
    records: Any = parse  # Biopython has no type hints
    for record in records(iter(lines)):
        kind = "" if record is None else record.entity_type.upper()
        if kind == "SAMPLE":
            samples[record.entity_id] = _values(record, where)
            told[record.entity_id] = _told(record)
        elif kind == "PLATFORM":
            symbols |= _symbols(record)
        elif kind == "SUBSET":
            _add_subset(told, record)
        elif kind == "DATASET" and record.table_rows:
            whole, symbols = _dataset(record, where)
    if whole is None:
        whole = _together(samples, where)
    names = dict.fromkeys(name for own in told.values() for name in own)
    by_name = {
        name: [told.get(sample, {}).get(name, "") for sample in whole.samples] for name in names
    }
    return Profiles(whole.values, whole.genes, whole.samples, by_name, whole.notes), symbols


def _values(record: Any, where: str) -> dict[str, float]:
    if not record.table_rows:
        return {}
    head = [name.upper() for name in record.table_rows[0]]
    for name in ("ID_REF", "VALUE"):
        if name not in head:
            raise DataError(
                f"{where}: the table of {record.entity_id} has no column {name}; its columns are "
                f"{', '.join(record.table_rows[0])}."
            )
    at, value = head.index("ID_REF"), head.index("VALUE")
    rows = [row for row in record.table_rows[1:] if len(row) > max(at, value)]
    numbers = numbers_in([row[value] for row in rows])
    return dict(zip((row[at] for row in rows), numbers.tolist(), strict=True))


def _told(record: Any) -> dict[str, str]:
    told: dict[str, str] = {}
    for key, name in (("Sample_title", "title"), ("Sample_source_name_ch1", "source name")):
        if value := _texts(record, key):
            told[name] = cell_text(value[0])
    for key in record.entity_attributes:
        if key.startswith("Sample_characteristics_ch"):
            add_characteristics(told, _texts(record, key))
    return told


def _texts(record: Any, key: str) -> list[str]:
    """Return an attribute's values, of which Biopython gives a single one as it is."""
    value = record.entity_attributes.get(key, [])
    return value if isinstance(value, list) else [value]


def _symbols(record: Any) -> dict[str, str]:
    if not record.table_rows:
        return {}
    head = [name.lower() for name in record.table_rows[0]]
    column = next((head.index(name) for name in _SYMBOLS if name in head), None)
    if column is None or "id" not in head:
        return {}
    at = head.index("id")
    return {
        row[at]: symbol
        for row in record.table_rows[1:]
        if len(row) > max(at, column) and (symbol := cell_text(row[column].partition("///")[0]))
    }


def _add_subset(told: dict[str, dict[str, str]], record: Any) -> None:
    """Add a subset of a data set: its kind is what is told, its description the value."""
    kind = (_texts(record, "subset_type") or ["subset"])[0]
    value = (_texts(record, "subset_description") or [""])[0]
    for names in _texts(record, "subset_sample_id"):
        for name in names.split(","):
            told.setdefault(name.strip(), {})[kind.strip().lower()] = cell_text(value)


def _dataset(record: Any, where: str) -> tuple[Profiles, dict[str, str]]:
    import numpy as np

    head, *rows = record.table_rows
    columns = [place for place, name in enumerate(head) if name.upper().startswith("GSM")]
    rows = [row for row in rows if len(row) == len(head)]
    if not columns or not rows:
        raise DataError(f"{where}: the data set has no table with samples (GSM...) as columns.")
    values: NDArray[np.float64] = np.stack(
        [numbers_in([row[place] for place in columns]) for row in rows], axis=1
    )
    named = "IDENTIFIER" in [name.upper() for name in head]
    symbols = {row[0]: row[1] for row in rows if cell_text(row[1])} if named else {}
    samples = [head[place] for place in columns]
    return Profiles(values, [row[0] for row in rows], samples, {}), symbols


def _together(samples: dict[str, dict[str, float]], where: str) -> Profiles:
    import numpy as np

    measured = {name: own for name, own in samples.items() if own}
    if not measured:
        raise DataError(
            f"{where}: no sample has a table of values. Series of sequencing have none: take the "
            "table of counts from their supplementary files, with --set data.source=file "
            "--set data.genes=rows."
        )
    first = next(iter(measured.values()))
    genes = [name for name in first if all(name in own for own in measured.values())]
    if not genes:
        raise DataError(
            f"{where}: the samples have no probe in common; they are of several platforms, of "
            "which each has a series matrix file of its own. Take one of those."
        )
    notes = []
    if lost := len(first) - len(genes):
        notes.append(
            f"{counted(lost, 'probe')} that some samples lack {agreeing(lost, 'were')} left out."
        )
    if lost := len(samples) - len(measured):
        notes.append(f"{counted(lost, 'sample')} without values {agreeing(lost, 'were')} left out.")
    values = np.array([[own[name] for name in genes] for own in measured.values()])
    return Profiles(values, genes, list(measured), {}, tuple(notes))
