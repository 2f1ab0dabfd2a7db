"""Answers: what a model says of one item, and of a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from widemargin.contracts import Share

__all__ = ["EMPTY", "Answers", "Prediction"]

EMPTY = "empty"
"""The note of an item without text, or of a row without any cell."""


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What a model says of one item.

    Parameters
    ----------
    id : str
        The item's name.
    label : str or float
        The predicted class, or the predicted number.
    probability : float or None
        Calibrated probability of `label`; None for a number.
    margin : float or None
        Signed distance to the margin's middle, above 0 for the class `margin_for`; beyond two
        classes, the decision of `label`; None for a number.
    margin_for : str or None
        The class that a margin above 0 speaks for; None for a number.
    threshold : float or None
        The margin from which on `label` is that class, since the probability decides; None beyond
        two classes, for a number, and where all margins mean one class.
    probabilities : mapping of str to float
        Of every class.
    shares : sequence of Share
        What each piece of the item adds to the margin, the strongest first; empty unless asked
        for.
    note : str
        ``"empty"`` for an item without text or any cell, whose answer is only what the model takes
        for granted; of one that is not read whole, how much of it is; of one whose cells count
        otherwise than they are written, which and how; else nothing.
    """

    id: str
    label: str | float
    probability: float | None
    margin: float | None
    margin_for: str | None = None
    threshold: float | None = None
    probabilities: Mapping[str, float]
    shares: Sequence[Share] = ()
    note: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether the item has neither text nor any cell."""
        return self.note == EMPTY


@dataclass(frozen=True)
class Answers:
    """What a model says of a batch of items.

    Parameters
    ----------
    predictions : sequence of Prediction
        Of the items that can be read, in their order.
    refused : sequence of str
        A line for each of the others: its name, and why it was not answered.
    """

    predictions: Sequence[Prediction]
    refused: Sequence[str] = ()
