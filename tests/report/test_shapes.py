"""A run's files that were altered are refused by name, and never end in a traceback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from widemargin.errors import RunNotFoundError
from widemargin.report.shapes import check_explanation, check_map, check_search

CELL = {"C": 1.0, "gamma": None, "mean": 0.9, "std": 0.1, "converged": True}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"cells": 3}, "cells is 3"),
        ({"cells": [CELL, []]}, r"cells\[1\] is \[\]"),
        ({"cells": [{"gamma": 1.0}]}, r"cells\[0\].C is absent"),
        ({"cells": [{"C": True}]}, r"cells\[0\].C is True"),
        ({"cells": [CELL], "chosen": 1}, "chosen is 1, and there are 1 cells"),
        ({"cells": [CELL], "chosen": "0"}, "chosen is '0'"),
        ({"outer": {"fold": 1}}, r"outer is {'fold': 1}"),
        ({"outer": [{"score": "x" * 99}]}, r"outer\[0\].score is 'xxx+\.\.\.$"),
    ],
)
def test_a_search_of_another_shape_is_refused(content: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{reason}"):
        check_search(content)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"blocks": [{"block": "a", "weight": 1}]}, r"blocks\[0\].share is absent"),
        ({"pieces": [{"piece": "a", "contribution": "1"}]}, r"pieces\[0\].contribution is '1'"),
        ({"block_pieces": [{"block": "a", "pieces": None}]}, r"block_pieces\[0\].pieces is None"),
        ({"note": []}, r"note is \[\]"),
        ({"mistakes": [{"true": "a"}]}, r"mistakes\[0\].predicted is absent"),
        ({"mistakes": [{"true": 1.0, "predicted": "b"}]}, r"mistakes\[0\].true is 1.0"),
        ({"support_vectors": []}, r"support_vectors is \[\]"),
        ({"support_vectors": {"examples": ["a"]}}, r"support_vectors.examples\[0\] is 'a'"),
    ],
)
def test_an_explanation_of_another_shape_is_refused(content: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{reason}"):
        check_explanation(content, of_numbers=False)


def test_mistakes_of_a_regression_are_numbers() -> None:
    told = {"mistakes": [{"true": 1.0, "predicted": 2}]}
    check_explanation(told, of_numbers=True)
    with pytest.raises(ValueError, match=r"true is 1\.0"):
        check_explanation(told, of_numbers=False)


PLACES = {"x": [0.5, 1], "y": [1, 2.5]}
MAP = {
    "n_items": 9,
    "id": ["a", "b"],
    "label": ["ham", "spam"],
    "predicted": ["ham", "ham"],
    "text": ["", "win"],
    "pca": {**PLACES, "shares": [0.5, 0.1]},
    "tsne": {**PLACES, "perplexity": 3.0},
    "pictures": {"1": "AAAA"},
}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"n_items": "9"}, "n_items is '9'"),
        ({"id": ["a"]}, "label has 2 entries, and id has 1"),
        ({"label": [1.0, 2.0]}, r"label\[0\] is 1.0"),
        ({"text": ["", None]}, r"text\[1\] is None"),
        ({"pca": PLACES}, "pca.shares is absent"),
        ({"pca": {**PLACES, "shares": [1.0]}}, "pca.shares is not of two axes"),
        ({"tsne": {**PLACES, "x": [1.0], "perplexity": 3}}, "tsne.x has 1 entries, and id has 2"),
        ({"tsne": PLACES}, "tsne.perplexity is absent"),
        ({"pictures": ["AAAA"]}, r"pictures is \['AAAA'\]"),
        ({"pictures": {"1": "?"}}, "pictures.1 is no base64"),
    ],
)
def test_a_map_of_another_shape_is_refused(changed: Any, reason: str) -> None:
    check_map(MAP, of_numbers=False)
    check_map({**MAP, "tsne": None}, of_numbers=False)
    with pytest.raises(ValueError, match=f"^{reason}"):
        check_map({**MAP, **changed}, of_numbers=False)


def test_a_map_of_no_points_is_refused() -> None:
    none: dict[str, list[Any]] = {name: [] for name in ("id", "label", "predicted", "text")}
    with pytest.raises(ValueError, match=r"^id is \[\]$"):
        check_map(
            {**none, "n_items": 0, "pca": {"x": [], "y": [], "shares": [0.0, 0.0]}},
            of_numbers=True,
        )


def test_what_is_absent_is_no_damage() -> None:
    check_search({})
    check_explanation({}, of_numbers=True)
    check_search({"cells": [{"C": 1}], "chosen": None})


@pytest.mark.parametrize(
    ("name", "key"),
    [("search", "cells"), ("explanation", "pieces"), ("embedding_map", "text")],
)
def test_the_file_is_named_with_what_to_do(
    write: Any, render: Any, tmp_path: Path, name: str, key: str
) -> None:
    record = write(tmp_path / "run", "binary")
    path = record.path / f"{name}.json"
    content = json.loads(path.read_text())
    content[key] = "gone"
    path.write_text(json.dumps(content))
    with pytest.raises(RunNotFoundError) as caught:
        render(record, "binary")
    assert str(caught.value) == (
        f"{path} is not what a run writes there: {key} is 'gone'. Delete the file, for a report "
        "without what rests on it, or run the use case again: widemargin run --like "
        f"{record.id}."
    )
