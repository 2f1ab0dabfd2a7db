"""Shares of columns against the rows that a model learned from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from widemargin.contracts import Items, Population
from widemargin.encoders import JoinedEncoders, TabularEncoder
from widemargin.explanation import explain_items, knows_population
from widemargin.svm.expression import Term
from widemargin.svm.kernels import RBF
from widemargin.svm.machine import Machine


class Knowing(TabularEncoder):
    """A table's encoder that keeps every value of its training rows."""

    def population(self) -> Mapping[str, Population]:
        values = {name: TABLE[name].tolist() for name in self.columns_}
        return {name: (own, [1 / len(own)] * len(own)) for name, own in values.items()}


rng = np.random.default_rng(0)
TABLE = pd.DataFrame({"a": rng.normal(size=30), "b": rng.normal(size=30), "c": list("xyz") * 10})
KINDS: Any = dict.fromkeys(TABLE, "table")


def items(X: Any = TABLE) -> Items:
    return Items(X=X, kinds=KINDS, ids=[str(row) for row in range(len(X))])


def linear(features: Any) -> Machine:
    width = features.transform(TABLE).shape[1]
    coef = np.random.default_rng(1).normal(size=(1, width))
    return Machine(scheme="single", n_classes=2, intercept=np.array([0.3]), coef=coef)


def test_a_linear_machines_share_is_the_columns_part_less_its_mean() -> None:
    features = Knowing().fit(TABLE)
    machine = linear(features)
    assert machine.coef is not None
    parts = features.transform(TABLE) * machine.coef[0]
    told = explain_items(features, machine, items())
    expected = parts - parts.mean(axis=0)
    for row, shares in enumerate(told):
        assert [share.piece.split(" = ")[0] for share in shares] == ["a", "b", "c"]
        assert shares[0].contribution == pytest.approx(expected[row, 0])
        assert shares[2].contribution == pytest.approx(expected[row, 2:].sum())
    turned = explain_items(features, machine, items(), positive=0)
    assert turned[3][0].contribution == pytest.approx(-told[3][0].contribution)


def test_shares_of_a_kernel_machine_are_what_averaging_the_column_loses() -> None:
    features = JoinedEncoders([("one", ("a", "b"), Knowing()), ("other", ("c",), Knowing())])
    rows = features.fit_transform(TABLE)
    machine = Machine(
        scheme="single",
        n_classes=2,
        kernel=Term(RBF).prepare(rows).fit(1.0),
        vectors=rows,
        dual_coef=np.random.default_rng(2).normal(size=(1, len(rows))),
        intercept=np.zeros(1),
    )
    own = TABLE.iloc[[4]].reset_index(drop=True)
    (shares,) = explain_items(features, machine, items(own))
    for column, share in zip(("a", "b", "c"), shares, strict=True):
        changed = pd.concat([own] * len(TABLE), ignore_index=True)
        changed[column] = TABLE[column]
        lost = (
            machine.decide(features.transform(own))
            - machine.decide(features.transform(changed)).mean()
        )
        assert share.contribution == pytest.approx(float(lost[0]), abs=1e-6)


def test_encoders_that_do_not_know_the_population_explain_as_before() -> None:
    plain = TabularEncoder().fit(TABLE)
    assert not knows_population(plain, KINDS)
    mixed = JoinedEncoders([("one", ("a",), Knowing()), ("other", ("c",), TabularEncoder())])
    mixed.fit(TABLE)
    assert not knows_population(mixed, KINDS)
    machine = linear(plain)
    told = explain_items(plain, machine, items())
    for shares, decision in zip(told, machine.decide(plain.transform(TABLE)), strict=True):
        assert sum(one.contribution for one in shares) + 0.3 == pytest.approx(float(decision))


def test_missing_values_and_plain_columns_are_explained() -> None:
    features = Knowing().fit(TABLE)
    columns = {"a": [None, 1.0], "b": [0.5, None], "c": ["x", None]}
    told = explain_items(features, linear(features), Items(X=columns, kinds=KINDS, ids=["1", "2"]))
    assert [share.piece for share in told[0]] == ["a = missing", "b = 0.5", "c = x"]
    assert np.isfinite([share.contribution for own in told for share in own]).all()
