"""What a new plugin's items may be, and what its project says of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["KINDS", "KitKind"]

_TABLE_STEP = (
    "Name its columns and classes at the top of `{{ package }}/data.py`; the tests go by those."
)
_FOLDER_STEP = "Change `{{ package }}/data.py` where your folders are laid out otherwise."


@dataclass(frozen=True, kw_only=True)
class KitKind:
    """A kind of item that a project can be written for.

    Parameters
    ----------
    summary : str
        One line: what the use case does as it is written.
    item, piece : str
        Words of the report.
    encoder, kernel : str
        What the use case takes unless it is told otherwise.
    template : str
        The folder of templates beside those that every project has.
    sample, own : str
        The file or folder of made-up items that comes with it, and what a user's may be called.
    sampled : str
        What is in the sample.
    step : str
        What is changed for items of one's own.
    loader : str
        The loader's class.
    base : str
        The class in `widemargin.data` that it derives from, where there is one.
    requires : str
        What pip installs.
    positive, negative : str
        The classes of the sample.
    """

    summary: str
    item: str
    encoder: str
    template: str
    sampled: str
    piece: str = "feature"
    kernel: str = "rbf"
    sample: str = "sample.csv"
    own: str = "mine.csv"
    step: str = _TABLE_STEP
    loader: str = "TableLoader"
    base: str = ""
    requires: str = "widemargin"
    positive: str = ""
    negative: str = ""


KINDS: Mapping[str, KitKind] = MappingProxyType(
    {
        "table": KitKind(
            summary="Predict a class from the columns of a table.",
            item="row",
            piece="column",
            encoder="tabular",
            template="table",
            sampled="180 days at a weather station, and whether it rained on the next.",
        ),
        "text": KitKind(
            summary="Tell two kinds of text apart.",
            item="text",
            piece="word",
            encoder="tfidf",
            kernel="linear",
            template="column",
            sampled="80 messages to a help desk, urgent or calm, a few of them labelled wrongly.",
            positive="urgent",
            negative="calm",
        ),
        "sequence": KitKind(
            summary="Tell two kinds of sequence apart.",
            item="sequence",
            encoder="composition",
            template="column",
            sampled="80 peptides, rich in charged residues or in oily ones.",
            positive="charged",
            negative="oily",
        ),
        "image": KitKind(
            summary="Tell classes of pictures apart.",
            item="picture",
            encoder="hog",
            template="files",
            sample="sample",
            own="pictures",
            sampled="small drawings of bars and of discs.",
            step=_FOLDER_STEP,
            loader="FolderLoader",
            base="PictureLoader",
            requires="widemargin[vision]",
        ),
        "audio": KitKind(
            summary="Tell classes of recordings apart.",
            item="recording",
            encoder="mfcc",
            template="files",
            sample="sample",
            own="recordings",
            sampled="short tones, steady or falling.",
            step=_FOLDER_STEP,
            loader="FolderLoader",
            base="RecordingLoader",
            requires="widemargin[audio]",
        ),
    }
)
"""By the name that ``widemargin plugin new --kind`` takes; the first is the usual one."""
