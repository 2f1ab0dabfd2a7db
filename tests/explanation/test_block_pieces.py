"""The words of linear blocks inside a sum of kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from widemargin.contracts import Dataset, DatasetCard
from widemargin.encoders import JoinedEncoders, TfidfEncoder
from widemargin.explanation import block_pieces
from widemargin.svm.expression import Expression, Product, Sum, Term
from widemargin.svm.kernels import LINEAR, RBF
from widemargin.svm.machine import Machine

TEXTS = ["win cash now", "win a prize", "see you now", "you win nothing", "cash for you", "see now"]
WORDS, CHARACTERS = Term(LINEAR, "words"), Term(RBF, "characters")


@pytest.fixture(scope="module")
def features() -> JoinedEncoders:
    both = [
        ("words", ("text",), TfidfEncoder(min_df=1, characters=None)),
        ("characters", ("text",), TfidfEncoder(min_df=1, words=None)),
    ]
    return JoinedEncoders(both).fit({"text": TEXTS})


@pytest.fixture
def dataset() -> Dataset:
    import pandas as pd

    return Dataset(
        X=pd.DataFrame({"text": [*TEXTS, *TEXTS]}),
        kinds={"text": "text"},
        y=np.array(["spam", "spam", "ham", "spam", "spam", "ham"] * 2),
        ids=np.array([str(row) for row in range(2 * len(TEXTS))]),
        card=DatasetCard(title="Six, twice, so that no word is of one item alone"),
    )


def machine_of(features: JoinedEncoders, expression: Expression, n_classes: int = 2) -> Machine:
    X = features.transform({"text": TEXTS})
    n_functions = 1 if n_classes <= 2 else 3
    return Machine(
        scheme="single" if n_classes <= 2 else "one-vs-one",
        n_classes=n_classes,
        kernel=expression.prepare(X, blocks=features.blocks_).fit(1.0),
        vectors=X,
        dual_coef=np.random.default_rng(0).normal(size=(n_functions, len(TEXTS))),
        intercept=np.zeros(n_functions),
    )


def total(found: dict[str, Any]) -> float:
    return float(sum(one["contribution"] * one["items"] for one in found["pieces"]))


@pytest.mark.parametrize("weights", [(1.0, 1.0), (9.0, 1.0)])
def test_the_pieces_of_a_linear_block_make_up_what_the_block_adds(
    features: JoinedEncoders, dataset: Dataset, weights: tuple[float, float]
) -> None:
    machine = machine_of(features, Sum((WORDS, CHARACTERS), weights=weights))
    [found] = block_pieces(features, machine, dataset)
    assert found["block"] == "words"
    assert {one["piece"] for one in found["pieces"]} == {w for text in TEXTS for w in text.split()}
    parts = dict(machine.parts(features.transform({"text": TEXTS})))
    assert total(found) == pytest.approx(2 * parts["words"].sum())


def test_pieces_speak_for_the_positive_class_in_the_targets_units(
    features: JoinedEncoders, dataset: Dataset
) -> None:
    machine = machine_of(features, Sum((WORDS, CHARACTERS)))
    [one], [other] = (
        block_pieces(features, machine, dataset, positive=positive) for positive in (1, 0)
    )
    assert total(one) == pytest.approx(-total(other))
    [tripled] = block_pieces(features, machine, dataset, scale=3.0)
    assert total(tripled) == pytest.approx(3 * total(one))


def test_a_linear_block_alone_and_two_of_them_are_listed_by_name(
    features: JoinedEncoders, dataset: Dataset
) -> None:
    [alone] = block_pieces(features, machine_of(features, WORDS), dataset)
    assert alone["block"] == "words"
    two = Sum((WORDS, Term(LINEAR, "characters")))
    found = block_pieces(features, machine_of(features, two), dataset)
    assert [one["block"] for one in found] == ["words", "characters"]


@pytest.mark.parametrize(
    ("expression", "n_classes"),
    [
        (CHARACTERS, 2),
        (Product((WORDS, CHARACTERS)), 2),
        (Sum((WORDS, CHARACTERS)), 3),
    ],
)
def test_where_no_block_has_weights_none_are_listed(
    features: JoinedEncoders, dataset: Dataset, expression: Expression, n_classes: int
) -> None:
    machine = machine_of(features, expression, n_classes)
    assert block_pieces(features, machine, dataset) == []


def test_features_that_do_not_know_their_blocks_are_not_listed(
    features: JoinedEncoders, dataset: Dataset
) -> None:
    machine = machine_of(features, Sum((WORDS, CHARACTERS)))
    assert block_pieces(object(), machine, dataset) == []
