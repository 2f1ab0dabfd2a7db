"""What follows a margin is called what it is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from widemargin.cli.predict_notes import Tally, legend_of_pieces
from widemargin.serving.answers import EMPTY, Answers, Prediction


class Words:
    """Features whose linear margin divides."""

    def explain(self, X: Any, coef: Any) -> Any:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("coef", "classes", "scheme", "said"),
    [
        (1, ("a", "b"), "single", "what each word adds, the strongest first; a constant of +0.50"),
        (1, ("a", "b", "c"), "one-vs-one", "against the other classes one by one and on average."),
        (1, ("a", "b", "c"), "one-vs-rest", "what each word adds, the strongest first."),
        (0, ("a", "b"), "single", "what it loses without each word, the strongest first."),
    ],
)
def test_the_line_says_what_the_numbers_are(
    coef: int, classes: tuple[str, ...], scheme: str, said: str
) -> None:
    machine = SimpleNamespace(
        coef=np.ones((1, 2)) if coef else None,
        kernel=None,
        n_classes=len(classes),
        scheme=scheme,
        intercept=[0.5],
    )
    predictor: Any = SimpleNamespace(
        model=SimpleNamespace(machine=machine, classes=classes, features=Words()),
        kinds={"text": "text"},
        use_case=SimpleNamespace(wording=SimpleNamespace(piece="word")),
        positive=classes[1] if len(classes) == 2 else "",
    )
    line = legend_of_pieces(predictor)
    assert line.startswith("After the margin: ")
    assert said in line


def answers(*notes: str, first: int = 1) -> Answers:
    """Return a batch of rows of a file, by their notes."""
    return Answers(
        [
            Prediction(
                id=f"new.csv:{line}",
                label="a",
                probability=0.9,
                margin=1.0,
                probabilities={},
                note=note,
            )
            for line, note in enumerate(notes, first)
        ]
    )


def test_items_with_a_note_are_counted_and_the_first_few_of_all_batches_named() -> None:
    tally = Tally()
    tally.count(answers("town: 'Ulm' is new", "", EMPTY, "age: 'x' is no number"))
    tally.count(answers(*(f"cut {number}" for number in range(1_200)), first=5))
    empty, noted = tally.notes()
    assert empty.startswith("1 item is empty, and marked so")
    assert noted.splitlines() == [
        "1,202 items have a note:",
        "  new.csv:1: town: 'Ulm' is new",
        "  new.csv:4: age: 'x' is no number",
        "  new.csv:5: cut 0",
        "  new.csv:6: cut 1",
        "  new.csv:7: cut 2",
        "  and 1,197 more; json and csv give the note of each.",
    ]


def test_all_are_named_where_they_are_few() -> None:
    tally = Tally()
    tally.count(answers("", "", "", ""))
    assert list(tally.notes()) == []
    tally.count(answers("cut", first=5))
    assert list(tally.notes()) == ["1 item has a note:\n  new.csv:5: cut"]
    tally.count(answers("cut", first=6))
    assert list(tally.notes()) == [
        "2 items have a note:\n  new.csv:5: cut\n  new.csv:6: cut",
    ]
