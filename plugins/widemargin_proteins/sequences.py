"""Sequences into a data set: letters looked at, relatives made groups."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from widemargin import DataError, Dataset, DatasetCard, Items
from widemargin.data import agreeing, counted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "AMINO_ACIDS",
    "COLUMN",
    "LETTERS",
    "LIKENESS",
    "Labelled",
    "check_protein",
    "clean_sequence",
    "cluster_groups",
    "looks_like_dna",
    "sequence_dataset",
    "sequence_items",
    "without_contradictions",
    "without_repeats",
]

COLUMN = "sequence"
"""The one column of the data sets."""

AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"
"""The twenty amino acids, in the order in which encoders count them."""

LETTERS = AMINO_ACIDS + "XBZJUO"
"""Those, and X any, B D or N, Z E or Q, J I or L, U selenocysteine, O pyrrolysine."""

LIKENESS = 0.4
"""The share of 3-mers in common from which on two sequences are relatives, by default."""

_ALLOWED = (
    f"Allowed are the 20 amino acids ({AMINO_ACIDS}), X, B, Z and J where one is not known, "
    "U, O, * for a stop, and - or . for a gap, in capitals or small"
)
_FOREIGN = re.compile(f"[^{LETTERS}]")
_TIDY = {ord(small): small.upper() for small in "abcdefghijklmnopqrstuvwxyz"} | dict.fromkeys(
    map(ord, "-. \t\r\n\v\f"), None
)

# What is shorter may be a peptide of A, C, G and T.
_SHORTEST_DNA = 30
_DNA_SHARE = 0.95
_DNA_LEAST = 0.03


class Labelled(NamedTuple):
    """A clean sequence with its class."""

    id: str
    sequence: str
    label: str
    place: str = ""
    group: str = ""


def clean_sequence(text: str, where: str = "", line: int | None = None) -> str:
    r"""Return a protein in capitals, without gaps, white space and the stop at its end.

    A stop within it becomes X, so that no k-mer spans it.

    Parameters
    ----------
    text : str
        The sequence as it is written, perhaps on several lines.
    where : str
        File and line, or file alone, for the message.
    line : int, optional
        The line on which the text begins; the message then tells the line of the letter.

    Raises
    ------
    DataError
        Where another character is in it.

    Examples
    --------
    >>> clean_sequence("mkt-AY\nIAK*")
    'MKTAYIAK'
    >>> clean_sequence("MKT7")
    Traceback (most recent call last):
        ...
    widemargin.errors.DataError: '7' is no amino acid. Allowed are ...
    """
    letters = text.translate(_TIDY).rstrip("*").replace("*", "X")
    if (found := _FOREIGN.search(letters)) is not None:
        at = where
        if line is not None:
            wrong = re.search(f"(?i)[^{LETTERS}*\\-.\\s]", text)
            before = text[: wrong.start()] if wrong else ""
            at = f"{where}:{line + before.count(chr(10))}"
        raise DataError(f"{at}{': ' * bool(at)}{found.group()!r} is no amino acid. {_ALLOWED}.")
    return letters


def looks_like_dna(letters: str) -> bool:
    """Whether a sequence is made of bases, and all four of them.

    Examples
    --------
    >>> looks_like_dna("ATGGCGTTCAAGCTAGCCTTGAACGTTAGC"), looks_like_dna("GAGAAAGG")
    (True, False)
    """
    n = len(letters)
    if n < _SHORTEST_DNA:
        return False
    counts = [letters.count(base) for base in "ACG"]
    counts.append(letters.count("T") + letters.count("U"))
    return sum(counts) + letters.count("N") >= _DNA_SHARE * n and min(counts) >= _DNA_LEAST * n


def check_protein(letters: str, where: str) -> None:
    """Raise where a sequence is DNA or RNA.

    Raises
    ------
    DataError
        With what to do.
    """
    if looks_like_dna(letters):
        raise DataError(
            f"{where}: {letters[:30]}... is DNA or RNA, and proteins are needed. Translate it "
            "first; of GenBank files of genes the translations of their CDS features are taken."
        )


def without_contradictions(
    rows: Sequence[Labelled], but_for: str = ""
) -> tuple[list[Labelled], list[str]]:
    """Leave out sequences that have two classes; return the others, and a note where there were.

    Examples
    --------
    >>> rows = [Labelled("1", "MKT", "a"), Labelled("2", "MKT", "b"), Labelled("3", "GG", "a")]
    >>> without_contradictions(rows)[1]
    ['1 sequence with two labels was left out.']
    """
    labels: Mapping[str, set[str]] = defaultdict(set)
    for one in rows:
        labels[one.sequence].add(one.label)
    kept = [one for one in rows if len(labels[one.sequence]) == 1]
    lost = sum(len(own) > 1 for own in labels.values())
    said = f"{counted(lost, 'sequence')} with two labels{but_for}"
    note = f"{said} {agreeing(lost, 'were')} left out."
    return kept, [note] if lost else []


def without_repeats(rows: Sequence[Labelled]) -> tuple[list[Labelled], list[str]]:
    """Keep the first of equal sequences; return those kept, and a note where there were others."""
    first: dict[str, Labelled] = {}
    for one in rows:
        first.setdefault(one.sequence, one)
    lost = len(rows) - len(first)
    note = f"{counted(lost, 'repeated sequence', 'were')} left out."
    return list(first.values()), [note] if lost else []


def sequence_items(named: Iterable[tuple[str, str]], rows: int = 1000) -> Iterator[Items]:
    """Gather names and clean sequences into batches of items.

    Examples
    --------
    >>> [batch] = sequence_items([("a", "MKT")])
    >>> batch.X, batch.ids
    ({'sequence': ['MKT']}, ['a'])
    """
    remaining = iter(named)
    while batch := list(islice(remaining, rows)):
        yield Items(
            X={COLUMN: [letters for _, letters in batch]},
            kinds={COLUMN: "sequence"},
            ids=[name for name, _ in batch],
        )


def sequence_dataset(
    sequences: Sequence[str],
    labels: Sequence[str],
    ids: Sequence[str],
    card: DatasetCard,
    *,
    notes: Sequence[str] = (),
    likeness: float | None,
    groups: Sequence[str] | None = None,
) -> Dataset:
    """Make a data set of clean sequences, whose relatives are groups.

    Parameters
    ----------
    sequences, labels, ids : sequence of str of length n_sequences
        Sequences, their classes, their names.
    card : DatasetCard
        Where they come from.
    notes : sequence of str
        What is added to its notes.
    likeness : float or None
        Sequences are of one group from this share of 3-mers in common on (`identity_clusters`);
        None makes none.
    groups : sequence of str, optional
        Groups that the data name; clusters that share one are joined.

    Raises
    ------
    DataError
        Where there is nothing to learn from.
    """
    import numpy as np
    import pandas as pd

    notes = list(notes)
    clusters: NDArray[Any] | None = None if groups is None else np.array(groups, dtype=np.str_)
    if likeness is not None:
        clusters, note = cluster_groups(sequences, likeness, item=card.item, named=groups)
        notes.append(note)
    dataset = Dataset(
        X=pd.DataFrame({COLUMN: pd.Series(list(sequences), dtype=object)}),
        kinds={COLUMN: "sequence"},
        y=np.array(list(labels), dtype=np.str_),
        ids=np.array(list(ids), dtype=np.str_),
        card=replace(card, notes=(*card.notes, *notes)),
        groups=clusters,
    )
    dataset.check_learnable()
    return dataset


def cluster_groups(
    sequences: Sequence[str],
    likeness: float,
    *,
    item: str,
    named: Sequence[str] | None = None,
) -> tuple[NDArray[np.intp], str]:
    """Make groups of relatives, and the note that says how many there are.

    Parameters
    ----------
    sequences : sequence of str of length n_sequences
        Clean sequences.
    likeness : float
        The share of 3-mers in common from which on two are of one group (`identity_clusters`).
    item : str
        What the note calls one.
    named : sequence of str of length n_sequences, optional
        Groups that the data name; clusters that share one are joined.

    Returns
    -------
    groups : ndarray of shape (n_sequences,)
        The group of each sequence.
    note : str
        For the card.

    Examples
    --------
    >>> cluster_groups(["GIGKFLHSAK", "GIGKFLHSAG", "AAPRRW"], 0.4, item="peptide")[0].tolist()
    [0, 0, 1]
    """
    import numpy as np

    from widemargin.data import merge_groups
    from widemargin_proteins.clusters import identity_clusters

    groups = identity_clusters(sequences, threshold=likeness)
    if named is not None:
        groups = merge_groups(groups, list(named))
    sizes = np.bincount(groups)
    note = (
        f"{counted(len(sequences), item)} in {counted(len(sizes), 'cluster')} (3-mers in common "
        f"from {likeness:g}), the largest of {sizes.max(initial=0):,}; no cluster is on both sides "
        "of a split."
    )
    return groups, note
