"""Expression profiles into a data set: names, labels, patients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from widemargin import DataError, Dataset, DatasetCard, DatasetLoader, Items
from widemargin.data import MISSING, agreeing, counted

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["ExpressionLoader", "Profiles", "cell_text", "labelled"]

_BATCH = 256


@dataclass(frozen=True)
class Profiles:
    """Profiles as a file holds them.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_genes)
        Expression; NaN where a value is missing.
    genes, samples : sequence of str
        Their names, each distinct.
    told : mapping of str to sequence of str
        What the file says of each sample, by name of the characteristic; empty where it does not.
    notes : tuple of str
        What a reader should know: genes left out and why.
    """

    values: NDArray[np.float64]
    genes: Sequence[str]
    samples: Sequence[str]
    told: Mapping[str, Sequence[str]]
    notes: tuple[str, ...] = ()

    def frame(self) -> pd.DataFrame:
        """Return the profiles as columns, one a gene."""
        import pandas as pd

        return pd.DataFrame(self.values, columns=pd.Index(list(self.genes)))


class ExpressionLoader(DatasetLoader):
    """A loader of expression profiles."""

    def read_profiles(self, source: Path) -> Iterator[Profiles]:
        """Read profiles without labels from a file, in batches where its form allows."""
        raise NotImplementedError

    def read_items(self, source: Path) -> Iterator[Items]:
        """Read the samples of a file of the same form; labels are not needed."""
        for profiles in self.read_profiles(source):
            frame = profiles.frame()
            for start in range(0, len(frame), _BATCH):
                part: Any = frame.iloc[start : start + _BATCH].reset_index(drop=True)  # Columns
                ids = list(profiles.samples[start : start + _BATCH])
                yield Items(X=part, kinds=dict.fromkeys(profiles.genes, "expression"), ids=ids)


def labelled(
    profiles: Profiles,
    card: DatasetCard,
    label: str,
    *,
    group: str = "",
    ignore: Sequence[str] = (),
    where: str,
    setting: str = "data.label",
) -> Dataset:
    """Make a data set of profiles; samples without a label are left out, and counted.

    Parameters
    ----------
    profiles : Profiles
        As read.
    card : DatasetCard
        Where they come from.
    label, group : str
        The characteristics that say the class, and the patient; no group where that is empty.
    ignore : sequence of str
        Classes to leave out.
    where : str
        The file, for messages.
    setting : str
        What chooses the label, for messages.

    Raises
    ------
    DataError
        Where no such characteristic is told of any sample; the message lists those that are.
    """
    import numpy as np

    for name, of in ((label, setting), (group, "data.group")):
        if name not in profiles.told and (name or of == setting):
            asked = f"{of} is {name!r}, which no sample tells" if name else f"{of} is not given"
            raise DataError(f"{where}: {asked}. {_told(profiles, of)}")
    unknown = [name for name in ignore if name not in profiles.told[label]]
    if unknown:
        raise DataError(
            f"{where}: data.ignore names {unknown[0]!r}, which {label!r} never says. "
            f"{_told(profiles, setting)}"
        )
    labels = list(profiles.told[label])
    kept = np.array([bool(text) and text not in ignore for text in labels])
    notes = list(profiles.notes)
    if lost := sum(not text for text in labels):
        samples, were = counted(len(labels), "sample"), agreeing(lost, "were")
        notes.append(f"{lost:,} of {samples} {were} left out: no {label}.")
    if ignore:
        notes.append(f"Left out as data.ignore says: {', '.join(ignore)}.")
    if not kept.any():
        raise DataError(f"{where}: no sample is left that has a class.")
    groups = None
    if group:
        # A sample of nobody is one by itself.
        named = zip(profiles.told[group], profiles.samples, strict=True)
        groups = np.array([who or f"\0{sample}" for who, sample in named])[kept]
    frame = profiles.frame().loc[kept].reset_index(drop=True)
    dataset = Dataset(
        X=frame,
        kinds=dict.fromkeys(frame.columns, "expression"),
        y=np.array([text for text, keep in zip(labels, kept, strict=True) if keep]),
        ids=np.array([name for name, keep in zip(profiles.samples, kept, strict=True) if keep]),
        groups=groups,
        card=replace(card, notes=(*card.notes, *notes)),
    )
    dataset.check_learnable()
    return dataset


def cell_text(value: Any) -> str:
    """Write a cell as text, an empty one where it is missing.

    Examples
    --------
    >>> cell_text(" ALL "), cell_text(1.0), cell_text("NA"), cell_text(None)
    ('ALL', '1', '', '')
    """
    if value is None or value != value:  # NaN
        return ""
    text = str(value).strip()
    if text in MISSING:
        return ""
    return text[:-2] if text.endswith(".0") and text[:-2].lstrip("-").isdigit() else text


def _told(profiles: Profiles, setting: str) -> str:
    """List what is told of samples, with some of its values."""
    if not profiles.told:
        return "Nothing is told of the samples there."
    lines = []
    for name, texts in profiles.told.items():
        distinct = list(dict.fromkeys(text for text in texts if text))
        shown = ", ".join(text[:40] for text in distinct[:4])
        lines.append(f"{name} ({shown}{f', ... {len(distinct)} in all' * (len(distinct) > 4)})")
    return f"Told of the samples are: {'; '.join(lines)}. Choose one with --set {setting}=NAME."
