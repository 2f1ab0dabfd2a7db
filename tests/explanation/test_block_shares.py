"""What each block of features adds to the margin."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest

from widemargin.contracts import Items, Share
from widemargin.explanation import block_shares, explain_items, margin, way_of
from widemargin.svm.expression import Expression, Product, Sum, Term
from widemargin.svm.kernels import LINEAR, RBF
from widemargin.svm.machine import Machine

BLOCKS = {"loud": slice(0, 2), "quiet": slice(2, 4)}
LOUD, QUIET = Term(LINEAR, "loud"), Term(RBF, "quiet")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 4))


class Columns:
    """A transformer without words or columns of its own to take away."""

    def transform(self, X: Any) -> Any:
        return np.stack([np.asarray(X[name], dtype=float) for name in X], axis=1)


def make_machine(
    expression: Expression,
    n_classes: int = 2,
    scheme: Literal["single", "one-vs-one", "one-vs-rest"] = "single",
) -> Machine:
    n_functions = 1 if scheme == "single" else 3
    return Machine(
        scheme=scheme,
        n_classes=n_classes,
        kernel=expression.prepare(X, blocks=BLOCKS).fit(1.0),
        vectors=X,
        dual_coef=RNG.normal(size=(n_functions, 40)),
        intercept=RNG.normal(size=n_functions),
    )


def make_items(rows: Any) -> Items:
    table = pd.DataFrame(rows, columns=list("abcd"))
    # Series are of no kind whose pieces can be taken away.
    return Items(
        X=table, kinds=dict.fromkeys("abcd", "series"), ids=[str(row) for row in range(len(table))]
    )


def test_shares_are_the_mean_size_of_what_each_block_adds() -> None:
    machine = make_machine(Sum((LOUD, QUIET), weights=(9.0, 1.0)))
    (_, loud), (_, quiet) = machine.parts(X)
    by_hand = np.mean(np.abs(loud) / (np.abs(loud) + np.abs(quiet)))
    shares = {one["block"]: one for one in block_shares(machine, X)}
    assert shares["loud"]["share"] == pytest.approx(by_hand)
    assert shares["quiet"]["share"] == pytest.approx(1 - by_hand)
    assert (shares["loud"]["weight"], shares["quiet"]["weight"]) == (0.9, 0.1)
    assert next(iter(shares)) == "loud"


@pytest.mark.parametrize("scheme", ["one-vs-one", "one-vs-rest"])
def test_shares_of_several_functions_add_up_to_one(scheme: Any) -> None:
    shares = block_shares(make_machine(Sum((LOUD, QUIET)), 3, scheme), X)
    assert sum(one["share"] for one in shares) == pytest.approx(1.0)


def test_rows_about_which_no_block_says_anything_do_not_count() -> None:
    machine = make_machine(Sum((LOUD, Term(LINEAR, "quiet"))))
    silent = np.zeros((3, 4))
    assert block_shares(machine, np.concatenate([X, silent])) == block_shares(machine, X)
    assert [one["share"] for one in block_shares(machine, silent)] == [0.0, 0.0]


def test_many_rows_are_sampled_by_the_seed() -> None:
    machine = make_machine(Sum((LOUD, QUIET)))
    many = np.concatenate([X] * 60)
    shares = block_shares(machine, many, random_state=3)
    assert shares == block_shares(machine, many, random_state=3)
    assert shares != block_shares(machine, many, random_state=4)


@pytest.mark.parametrize("expression", [Term(RBF), Product((LOUD, QUIET)), Sum((LOUD,))], ids=str)
def test_a_kernel_that_is_no_sum_has_no_shares(expression: Expression) -> None:
    assert block_shares(make_machine(expression), X) == []


@pytest.mark.parametrize("positive", [0, 1])
def test_items_without_pieces_are_explained_by_their_blocks(positive: int) -> None:
    machine = make_machine(Sum((LOUD, QUIET)))
    explained = explain_items(Columns(), machine, make_items(X[:3]), positive=positive, scale=2.0)
    sign = 2.0 if positive else -2.0
    for row, shares in enumerate(explained):
        assert [share.piece for share in shares] == ["loud", "quiet"]
        total = sum(share.contribution for share in shares)
        wanted = sign * (machine.decide(X[row : row + 1])[0] - machine.intercept[0])
        assert total == pytest.approx(wanted)


def test_of_several_classes_the_one_decided_for_is_explained() -> None:
    machine = make_machine(Sum((LOUD, QUIET)), 3, "one-vs-rest")
    for row, shares in enumerate(explain_items(Columns(), machine, make_items(X[:5]))):
        decided = machine.decide(X[row : row + 1])[0]
        code = int(decided.argmax())
        total = sum(share.contribution for share in shares)
        assert total == pytest.approx(decided[code] - machine.intercept[code])


def test_of_duels_nothing_is_shown_that_does_not_divide_the_margin() -> None:
    machine = make_machine(Sum((LOUD, QUIET)), 3, "one-vs-one")
    items = make_items(X[:2])
    assert explain_items(Columns(), machine, items) == [[], []]
    assert way_of(Columns(), machine, items.kinds) == "none"
    rest = make_machine(Sum((LOUD, QUIET)), 3, "one-vs-rest")
    assert way_of(Columns(), rest, items.kinds) == "blocks"


def test_a_kernel_that_is_no_sum_explains_nothing_without_pieces() -> None:
    assert explain_items(Columns(), make_machine(Term(RBF)), make_items(X[:2])) == [[], []]


class Words(Columns):
    """Knows words, and is linear in them."""

    def transform(self, X: Any) -> Any:
        return np.array([[len(str(text)), str(text).count("a")] for text in X["text"]], float)

    def explain(self, X: Any, coef: Any) -> list[list[Share]]:
        return [[Share("weighed", float(part))] for part in self.transform(X) @ coef]


def linear(n_classes: int = 2) -> Machine:
    coef = RNG.normal(size=(1, 2))
    return Machine(scheme="single", n_classes=n_classes, intercept=np.zeros(1), coef=coef)


@pytest.mark.parametrize(
    ("way", "pieces"),
    [
        ("weights", ["weighed"]),
        ("loss", ["aa", "b"]),
        ("blocks", ["loud", "quiet"]),
        ("none", []),
        ("population", ["of the population"]),
        ("letters", ["of the letters"]),
    ],
)
def test_items_are_explained_in_the_way_that_is_told(
    monkeypatch: pytest.MonkeyPatch, way: str, pieces: list[str]
) -> None:
    # The way is decided once: what way_of says is what explain_items does.
    monkeypatch.setattr(margin, "way_of", lambda *_: way)
    for name in ("population", "letters"):
        by = "explain_by_population" if name == "population" else "explain_letters"
        monkeypatch.setattr(margin, by, lambda *_, n=name, **__: [[Share(f"of the {n}", 1.0)]])
    items = Items(X={"text": ["aa b"]}, kinds={"text": "text"}, ids=["1"])
    machine = linear()
    if way == "blocks":
        items, machine = make_items(X[:1]), make_machine(Sum((LOUD, QUIET)))
    features = Columns() if way == "blocks" else Words()
    (shares,) = explain_items(features, machine, items)
    assert [share.piece for share in shares] == pieces


def test_what_nothing_can_be_taken_from_is_not_explained_in_another_way() -> None:
    # A loss is told; shares of blocks would be taken for losses.
    machine = make_machine(Sum((LOUD, QUIET)))

    class Refusing(Columns):
        def transform(self, X: Any) -> Any:
            rows = super().transform(X)
            if np.isnan(rows).any():
                raise ValueError("a value is missing")
            return rows

    table = pd.DataFrame(X[:2], columns=list("abcd"))
    items = Items(X=table, kinds=dict.fromkeys("abcd", "table"), ids=["1", "2"])
    assert way_of(Refusing(), machine, items.kinds) == "loss"
    assert explain_items(Refusing(), machine, items) == [[], []]
