"""Series matrix files of the Gene Expression Omnibus."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from widemargin import DataError
from widemargin_cancer.profiles import Profiles, cell_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["add_characteristics", "numbers_in", "read_series_matrix"]

_TELLING = {"!Sample_title": "title", "!Sample_source_name_ch1": "source name"}
_CHARACTERISTICS = "!Sample_characteristics_ch"


def read_series_matrix(lines: Iterable[str], where: str) -> Profiles:
    r"""Read a series matrix: what is told of the samples, then a table with a row for each probe.

    Parameters
    ----------
    lines : iterable of str
        The file's.
    where : str
        Its name, for messages.

    Raises
    ------
    DataError
        Where it has no table, or a row of it is not as wide as its head.

    Examples
    --------
    >>> text = ('!Sample_characteristics_ch1\t"tissue: colon"\t"tissue: liver"\n'
    ...         '!series_matrix_table_begin\n"ID_REF"\t"GSM1"\t"GSM2"\n"p53"\t1.5\t2\n'
    ...         '!series_matrix_table_end\n')
    >>> profiles = read_series_matrix(text.splitlines(), "a.txt")
    >>> profiles.samples, profiles.told["tissue"], profiles.values.tolist()
    (['GSM1', 'GSM2'], ['colon', 'liver'], [[1.5], [2.0]])
    """
    import numpy as np

    told: list[tuple[str, list[str]]] = []
    samples: list[str] = []
    genes: list[str] = []
    values: list[NDArray[np.float64]] = []
    inside = False
    for number, row in enumerate(csv.reader(lines, delimiter="\t"), 1):
        if not row:
            continue
        head = row[0]
        if head == "!series_matrix_table_begin":
            inside = True
        elif head == "!series_matrix_table_end":
            break
        elif not inside:
            if head in _TELLING or head.startswith(_CHARACTERISTICS):
                told.append((head, row[1:]))
        elif not samples:
            samples = [name.strip() for name in row[1:]]
        else:
            if len(row) != len(samples) + 1:
                raise DataError(
                    f"{where}:{number}: the row has {len(row)} cells and the head of the table "
                    f"{len(samples) + 1}. The file may be cut short."
                )
            genes.append(head.strip())
            values.append(numbers_in(row[1:]))
    if not genes:
        raise DataError(
            f"{where}: there is no table of expression between !series_matrix_table_begin and "
            "!series_matrix_table_end. Series of sequencing have none: take the table of counts "
            "from their supplementary files, with --set data.source=file --set data.genes=rows."
        )
    of_samples: list[dict[str, str]] = [{} for _ in samples]
    for head, cells in told:
        for own, cell in zip(of_samples, cells, strict=False):
            if head in _TELLING:
                own[_TELLING[head]] = cell_text(cell)
            else:
                add_characteristics(own, [cell])
    names = dict.fromkeys(name for own in of_samples for name in own)
    by_name = {name: [own.get(name, "") for own in of_samples] for name in names}
    return Profiles(np.stack(values, axis=1), genes, samples, by_name)


def add_characteristics(told: dict[str, str], cells: Sequence[str]) -> None:
    """Add what cells such as ``tissue: colon`` say; one without a name is a characteristic.

    Examples
    --------
    >>> told = {}
    >>> add_characteristics(told, ["Tissue: colon", "stage II", ""])
    >>> told
    {'tissue': 'colon', 'characteristic': 'stage II'}
    """
    for cell in cells:
        name, colon, value = cell.partition(":")
        if not cell.strip():
            continue
        if not colon:
            name, value = "characteristic", cell
        told.setdefault(name.strip().lower(), cell_text(value))


def numbers_in(cells: Sequence[str]) -> NDArray[np.float64]:
    """Return cells as numbers; NaN for what is none.

    Examples
    --------
    >>> numbers_in(["1.5", "null", ""]).tolist()
    [1.5, nan, nan]
    """
    import numpy as np

    from widemargin.data import parse_numbers

    try:
        values = np.array(cells, dtype=np.float64)
    except ValueError:
        values = parse_numbers(list(cells))
    return np.where(np.isfinite(values), values, np.nan)
