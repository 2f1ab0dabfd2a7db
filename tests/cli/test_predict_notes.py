"""What follows a margin is called what it is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from widemargin.cli.predict_notes import legend_of_pieces


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
