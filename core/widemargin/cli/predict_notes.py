"""What ``widemargin predict`` says beside the predictions: how to read them, and what to mind."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from widemargin.contracts.counting import agreeing, counted
from widemargin.errors import InputError

if TYPE_CHECKING:
    from widemargin.contracts import Wording
    from widemargin.serving import Answers, Predictor

__all__ = ["Tally", "legend", "legend_of_pieces", "taken_as_texts"]


_NAMED = 5
"""How many items are named with their notes."""


class _UnansweredError(InputError):
    """Some items were answered and others not."""

    exit_code = 3


@dataclass
class Tally:
    """What is counted on the way, and said at the end."""

    answered: int = 0
    refused: int = 0
    empty: int = 0
    undecodable: int = 0
    explained: int = 0
    noted: int = 0
    examples: list[str] = field(default_factory=list)

    def count(self, answers: Answers) -> None:
        """Count a batch."""
        told = answers.predictions
        self.answered += len(told)
        self.refused += len(answers.refused)
        self.explained += sum(bool(one.shares) for one in told)
        self.empty += sum(one.is_empty for one in told)
        noted = [f"{one.id}: {one.note}" for one in told if one.note and not one.is_empty]
        self.noted += len(noted)
        self.examples += noted[: _NAMED - len(self.examples)]

    def notes(self) -> Iterator[str]:
        """Say what was counted that people may not expect."""
        if self.empty:
            yield (
                f"{counted(self.empty, 'item', 'are')} empty, and marked so: the answer is only "
                "what the model takes for granted."
            )
        if self.noted:
            # Of what is not read whole, or counts otherwise than it is written.
            said = [f"{counted(self.noted, 'item', 'have')} a note:", *self.examples]
            if more := self.noted - len(self.examples):
                said.append(f"and {more:,} more; json and csv give the note of each.")
            yield "\n  ".join(said)
        if self.undecodable:
            lines = counted(self.undecodable, "line", "were")
            yield f"{lines} not UTF-8, and read as Windows-1252."

    def check(self, wording: Wording) -> None:
        """Refuse to end well where items were not answered."""
        if self.refused:
            n_items = self.answered + self.refused
            of = wording.item if n_items == 1 else wording.items
            were = agreeing(self.refused, "were")
            message = f"{self.refused:,} of {n_items:,} {of} {were} not answered; see above."
            raise (_UnansweredError if self.answered else InputError)(message)


def taken_as_texts(items: Sequence[str]) -> Iterator[str]:
    """Say which texts are names of files or folders, and how those are read."""
    for item in items:
        if not item.strip():
            continue
        path = Path(item)
        try:
            what = "folder" if path.is_dir() else "file" if path.is_file() else ""
        except (OSError, ValueError):  # a text that no path can be
            continue
        if what:
            yield f"{item} is taken as a text; --file {shlex.quote(item)} reads the {what}."


def legend(predictor: Predictor) -> str:
    """Say what a margin speaks for, and what decides the label; nothing for a number."""
    if predictor.positive:
        return _of_two(predictor)
    if not predictor.model.classes:
        return ""
    margin = "how many other classes the label beats, and a bit for how clearly"
    if predictor.model.machine.scheme == "one-vs-rest":
        margin = "that of the label against all other classes"
    chosen = _chosen(predictor)
    return f"Margin: {margin}." + (f" Label: {chosen}." if chosen else "")


def legend_of_pieces(predictor: Predictor) -> str:
    """Say what follows the margin."""
    from widemargin.explanation import way_of

    machine, classes = predictor.model.machine, predictor.model.classes
    way = way_of(predictor.model.features, machine, predictor.kinds)
    piece = {"letters": "letter", "blocks": "block of features"}.get(
        way, predictor.use_case.wording.piece
    )
    line = f"{'After the margin' if classes else 'After the number'}: "
    if way == "loss":
        return f"{line}what it loses without each {piece}, the strongest first."
    line += f"what each {piece} adds, the strongest first"
    if way == "population":
        return f"{line}, against the mean over what the model learned from."
    if len(classes) > 2 and machine.scheme == "one-vs-one":
        return f"{line}, against the other classes one by one and on average."
    if predictor.positive:
        sign = 1.0 if predictor.positive == classes[1] else -1.0
        line += f"; a constant of {sign * float(machine.intercept[0]):+.2f} comes to all"
    return f"{line}."


def _of_two(predictor: Predictor) -> str:
    positive, threshold = predictor.positive, predictor.threshold
    other = next(name for name in predictor.model.classes if name != positive)
    assert threshold is not None
    if math.isfinite(threshold):
        # Plus 0, lest it be -0.00.
        rule = f"{positive} from a margin of {round(threshold, 2) + 0.0:+.2f} on"
    else:
        rule = f"{other if threshold > 0 else positive} whatever the margin"
    chosen = _chosen(predictor) or "the more probable class"
    return f"Margin: above 0 speaks for {positive}, below 0 for {other}. Label: {chosen}, {rule}."


def _chosen(predictor: Predictor) -> str:
    """Say which class the label is where it need not be the most probable one."""
    if not predictor.model.label_weights:
        return ""
    if predictor.config.svm.costs != "none":
        return "the class of the least expected cost"
    return "the most probable class after the classes' weights"
