"""Calibration: each method's law, and what all of them keep."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, softmax
from sklearn.calibration import _SigmoidCalibration
from sklearn.isotonic import IsotonicRegression

from widemargin.errors import DataError, ParameterError
from widemargin.svm.calibration import (
    Calibration,
    Isotonic,
    Method,
    Sigmoid,
    Temperature,
    fit_calibration,
    parse_calibration,
)
from widemargin.svm.calibration.isotonic import fit_isotonic
from widemargin.svm.calibration.sigmoid import fit_sigmoid
from widemargin.svm.calibration.softmax import fit_softmax
from widemargin.svm.calibration.temperature import ordered_margins
from widemargin.svm.machine import duels, vote

SEEDS = st.integers(0, 10_000)
Numbers = NDArray[np.float64]
Codes = NDArray[np.int64]


def draw(seed: int, n: int = 200, slope: float = 2.0, offset: float = 0.5) -> tuple[Numbers, Codes]:
    rng = np.random.default_rng(seed)
    f = rng.normal(size=n)
    return f, (rng.random(n) < expit(slope * f + offset)).astype(np.int64)


def draw_votes(seed: int, n_classes: int, n: int = 300) -> tuple[Numbers, Codes, Numbers]:
    """Draw one-vs-one decisions, classes, and the mean margins that the votes came from."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % n_classes
    strength = np.eye(n_classes)[y] + rng.normal(size=(n, n_classes))
    functions = np.stack(
        [
            strength[:, i] - strength[:, j] + 0.5 * rng.normal(size=n)
            for _, i, j in duels(n_classes)
        ],
        axis=1,
    )
    mean = np.zeros((n, n_classes))
    for column, i, j in duels(n_classes):
        mean[:, i] += functions[:, column] / (n_classes - 1)
        mean[:, j] -= functions[:, column] / (n_classes - 1)
    return vote(functions.T, n_classes), y, mean


def loss(p: Numbers, y: Codes) -> float:
    return float(-np.log(p[np.arange(len(y)), y]).mean())


CASES: list[tuple[Method, int]] = [
    ("sigmoid", 2),
    ("isotonic", 2),
    ("temperature", 3),
    ("isotonic", 3),
    ("temperature", 5),
]
cases = pytest.mark.parametrize(("method", "n_classes"), CASES)


def drawn(n_classes: int, seed: int = 1) -> tuple[Numbers, Codes]:
    return draw(seed) if n_classes == 2 else draw_votes(seed, n_classes)[:2]


# What all methods keep.


@cases
@settings(max_examples=25)
@given(seed=SEEDS)
def test_probabilities_add_up_to_1_and_are_never_certain(
    method: Method, n_classes: int, seed: int
) -> None:
    decision, y = drawn(n_classes, seed)
    p = fit_calibration(decision, y, method=method).probabilities(decision)
    assert p.shape == (len(y), n_classes)
    assert ((p > 0) & (p < 1)).all()
    np.testing.assert_allclose(p.sum(axis=1), 1)


@cases
@settings(max_examples=25)
@given(seed=SEEDS)
def test_a_weight_of_two_is_as_two_rows_and_of_zero_as_none(
    method: Method, n_classes: int, seed: int
) -> None:
    decision, y = drawn(n_classes, seed)
    weight = np.random.default_rng(seed).integers(0, 3, len(y))
    weight[:180] = np.maximum(weight[:180], 1)  # enough rows of each class for isotonic
    weighted = fit_calibration(decision, y, weight.astype(np.float64), method)
    repeated = fit_calibration(
        np.repeat(decision, weight, axis=0), np.repeat(y, weight), None, method
    )
    np.testing.assert_allclose(
        weighted.probabilities(decision), repeated.probabilities(decision), atol=1e-5
    )


@cases
def test_the_order_of_rows_has_no_say(method: Method, n_classes: int) -> None:
    decision, y = drawn(n_classes)
    order = np.random.default_rng(0).permutation(len(y))
    np.testing.assert_allclose(
        fit_calibration(decision[order], y[order], method=method).probabilities(decision),
        fit_calibration(decision, y, method=method).probabilities(decision),
        rtol=1e-6,
    )


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1e3, 1e9])
@pytest.mark.parametrize(("method", "n_classes"), CASES)
def test_the_unit_of_decisions_has_no_say(method: Method, n_classes: int, scale: float) -> None:
    decision, y = drawn(n_classes)
    if n_classes > 2 and method == "temperature":
        decision = draw_votes(1, n_classes)[2]  # votes have no unit; margins do
    plain = fit_calibration(decision, y, method=method).probabilities(decision)
    scaled = fit_calibration(scale * decision, y, method=method).probabilities(scale * decision)
    np.testing.assert_allclose(scaled, plain, atol=1e-6)


@cases
def test_separable_rows_are_told_with_as_much_certainty_as_there_are_rows(
    method: Method, n_classes: int
) -> None:
    y = np.repeat(np.arange(n_classes), 40)
    decision = np.where(np.eye(n_classes, dtype=bool)[y], 1.0, -1.0)
    decision = decision[:, 1] if n_classes == 2 else decision
    p = fit_calibration(decision, y, method=method).probabilities(decision)
    n = len(y)
    expected = {
        "sigmoid": 41 / 42,  # Platt counts each class's own rows
        "temperature": (n + 1 / n_classes) / (n + 1),  # all rows, and one more in equal shares
        # The rows that agree, and one that does not; normalised beyond two classes.
        "isotonic": 40 / 41 if n_classes == 2 else (40 / 41) / (40 / 41 + 2 / 81),
    }
    assert p[np.arange(n), y] == pytest.approx(expected[method], abs=1e-3)


@cases
def test_no_decision_is_too_large(method: Method, n_classes: int) -> None:
    decision, y = drawn(n_classes)
    huge = np.array([-1e300, -1e6, 0.0, 1e6, 1e300])
    if n_classes > 2:
        huge = np.stack([huge, -huge, *[0 * huge] * (n_classes - 2)], axis=1)
    p = fit_calibration(decision, y, method=method).probabilities(huge)
    assert np.isfinite(p).all()
    np.testing.assert_allclose(p.sum(axis=1), 1)


@pytest.mark.parametrize("value", [0.0, 1.0, 100.0, -1e8])
@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_equal_decisions_leave_the_share_of_the_classes(method: Method, value: float) -> None:
    y = (np.arange(1000) < 300).astype(np.int64)
    f = np.full(1000, value)
    p = fit_calibration(f, y, method=method).probabilities(f)
    np.testing.assert_allclose(p[:, 1], 0.3, atol=0.01)


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_decisions_that_say_the_contrary_leave_the_share_of_the_classes(method: Method) -> None:
    rng = np.random.default_rng(0)
    y = (np.arange(1000) < 300).astype(np.int64)
    fitted = fit_calibration(5 - y + 0.3 * rng.normal(size=1000), y, method=method)
    # Isotonic regression leaves it between the ends, where single rows say what they may.
    p = fitted.probabilities(np.array([4.0, 4.5, 5.0]))[:, 1]
    np.testing.assert_allclose(p, 0.3, atol=0.01)
    assert np.ptp(p) < 1e-12


@settings(max_examples=50)
@given(SEEDS, st.floats(-5, 5), st.floats(-5, 5), st.integers(4, 100))
def test_two_classes_probabilities_rise_with_the_decision(
    seed: int, slope: float, offset: float, n: int
) -> None:
    f, y = draw(seed, n, slope, offset)
    line = np.linspace(-4, 4, 400)
    for fitted in (fit_calibration(f, y), fit_isotonic(f, y, np.ones(n))):
        assert (np.diff(fitted.probabilities(line)[:, 1]) >= 0).all()


# Sigmoid.


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("weighted", [False, True])
def test_the_sigmoid_is_scikit_learns(seed: int, weighted: bool) -> None:
    f, y = draw(seed)
    weight = np.random.default_rng(seed).uniform(0.2, 3, len(f)) if weighted else None
    other = _SigmoidCalibration().fit(f, y, weight)
    own = fit_calibration(f, y, weight)
    assert isinstance(own, Sigmoid)
    np.testing.assert_allclose([own.slope, own.offset], [other.a_, other.b_], atol=2e-4)
    np.testing.assert_allclose(own.probabilities(f)[:, 1], other.predict(f), atol=1e-4)


def prior_loss(theta: Numbers, f: Numbers, y: Codes, share: float) -> float:
    """Return the loss of Platt's targets and of the rows that are made up."""
    counts = np.bincount(y, minlength=2)
    target = np.where(y == 1, (counts[1] + 1) / (counts[1] + 2), 1 / (counts[0] + 2))
    f = np.append(f, [0.0, -1.0, 1.0])
    target = np.append(target, [0.5, 0.02, 0.98])
    weight = np.append(np.ones(len(y)), share * np.array([4.0, 0.25, 0.25]))
    scores = theta[0] * f + theta[1]
    return float(weight @ (np.logaddexp(0, scores) - target * scores))


@pytest.mark.parametrize("n", [4, 8, 12, 16])
def test_the_prior_counts_the_less_the_more_rows_the_rarer_class_has(n: int) -> None:
    f, y = draw(n, n)
    y[:2] = 0, 1
    share = 1 - (np.bincount(y).min() / 10) ** 2
    assert 0 < share < 1
    own = fit_calibration(f, y)
    assert isinstance(own, Sigmoid)
    found = minimize(
        prior_loss, [1.0, 0.0], (f, y, share), bounds=[(0, None), (None, None)], tol=1e-12
    ).x
    assert [-own.slope, -own.offset] == pytest.approx(found, abs=1e-3)


def test_from_ten_rows_a_class_there_is_no_prior() -> None:
    f, y = draw(0, 400)
    rows = np.concatenate([np.flatnonzero(y == 1)[:10], np.flatnonzero(y == 0)])
    other = _SigmoidCalibration().fit(f[rows], y[rows])
    own = fit_calibration(f[rows], y[rows])
    assert isinstance(own, Sigmoid)
    np.testing.assert_allclose([own.slope, own.offset], [other.a_, other.b_], atol=2e-4)
    fewer = fit_calibration(f[rows[5:]], y[rows[5:]])
    assert isinstance(fewer, Sigmoid)
    plain = _SigmoidCalibration().fit(f[rows[5:]], y[rows[5:]])
    assert abs(fewer.offset - plain.b_) > 1e-3


FAR, TRUTH = np.array([-1.2, -0.9, -0.8, 0.7, 1.0, 1.1]), np.array([0, 0, 0, 1, 1, 1])


@pytest.mark.parametrize(
    ("f", "y"),
    [
        ([0.4, 0.5, -0.1, 0.2], [0, 0, 1, 1]),  # the wrong order
        ([-1.0, -0.9, -0.8, -0.7], [0, 0, 1, 1]),  # on one side of 0
        ([0.6, 0.8, 1.3, 1.4], [0, 0, 1, 1]),
        ([0.3, 0.3, 0.3, 0.3], [0, 0, 1, 1]),  # no order
    ],
)
def test_a_few_held_out_rows_do_not_turn_the_sign_of_far_ones(f: list[float], y: list[int]) -> None:
    p = fit_calibration(np.array(f), np.array(y)).probabilities(FAR)
    np.testing.assert_array_equal(p.argmax(axis=1), TRUTH)


@pytest.mark.parametrize("near", [0.0001, 0.001, 0.01, 0.02])
def test_a_few_held_out_rows_near_0_do_not_make_the_slope_wild(near: float) -> None:
    f, y = near * np.array([-1.0, -2.0, 1.0, 2.0]), np.array([0, 0, 1, 1])
    assert fit_sigmoid(f, y, np.ones(4)).slope < -30
    fitted = fit_calibration(f, y)
    assert isinstance(fitted, Sigmoid)
    assert -25 < fitted.slope < -3


def test_decisions_next_to_0_are_no_trouble() -> None:
    p = fit_calibration(np.array([-1e-300, 0.0, 1e-300]), np.array([0, 1, 1])).probabilities(FAR)
    assert np.isfinite(p).all()


# Class weights.


def draw_rare(n: int = 20_000) -> tuple[Numbers, Codes, Numbers]:
    """Draw decisions of a machine that weighed a class of 10% ninefold, and the true chances."""
    f = np.random.default_rng(0).normal(0.2, 1.5, size=n)
    chance = expit(2 * f - np.log(9))
    return f, (np.random.default_rng(1).random(n) < chance).astype(np.int64), chance


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_probabilities_are_of_rows_as_they_come_whatever_the_classes_weigh(
    method: Method,
) -> None:
    f, y, chance = draw_rare()
    fitted = fit_calibration(f, y, method=method, class_weight=np.array([1.0, 9.0]))
    p = fitted.probabilities(f)[:, 1]
    assert p.mean() == pytest.approx(y.mean(), abs=0.003)
    assert np.abs(p - chance).mean() < 0.01


@pytest.mark.parametrize("n", [20, 200, 2000])
def test_class_weights_times_probabilities_make_the_labels_of_weighed_rows(n: int) -> None:
    f, y, _ = draw_rare(n)
    y[:2] = 0, 1
    weight = np.array([0.5, 4.5])
    p = fit_calibration(f, y, class_weight=weight).probabilities(f)
    weight *= n / weight[y].sum()
    prior = max(0.0, 1 - (np.bincount(y).min() / 10) ** 2)
    weighed = fit_sigmoid(f, y, weight[y], prior).probabilities(f)
    np.testing.assert_allclose(p * weight / (p * weight).sum(axis=1, keepdims=True), weighed)


@pytest.mark.parametrize("n", [6, 20, 2000])
@pytest.mark.parametrize("unit", [1e-3, 0.1, 50.0])
def test_the_ratio_of_class_weights_alone_matters(n: int, unit: float) -> None:
    f, y, _ = draw_rare(n)
    y[:2] = 0, 1
    far = np.array([-1.5, -0.5, 0.0, 0.5, 1.5])
    for weight in (np.array([1.0, 9.0]), np.ones(2)):
        plain = fit_calibration(f, y, class_weight=weight).probabilities(far)
        told = fit_calibration(f, y, class_weight=unit * weight).probabilities(far)
        np.testing.assert_allclose(told, plain, atol=1e-6)
    alike = fit_calibration(f, y).probabilities(far)
    np.testing.assert_allclose(plain, alike, atol=1e-12)


def test_a_factor_of_0_for_one_of_two_classes_is_refused() -> None:
    f, y = drawn(2)
    with pytest.raises(ParameterError, match="of two classes one has a weight of 0") as refused:
        fit_calibration(f, y, class_weight=np.array([0.0, 1.0]))
    assert refused.value.parameter == "class_weight"


def test_class_weights_have_no_say_in_curves_nor_where_they_are_alike() -> None:
    decision, y = drawn(3)
    cases: list[tuple[Method, Numbers]] = [
        ("isotonic", np.array([0.2, 1.0, 9.0])),
        ("temperature", np.full(3, 2.0)),
    ]
    for method, weight in cases:
        weighed = fit_calibration(decision, y, method=method, class_weight=weight)
        plain = fit_calibration(decision, y, method=method)
        np.testing.assert_array_equal(
            weighed.probabilities(decision), plain.probabilities(decision)
        )


def draw_favoured() -> tuple[Numbers, Codes, Numbers]:
    """Draw decisions that favour the rare classes, as class weights make them; true chances too."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(20_000, 4))
    p = softmax(2 * scores - np.array([0.0, 1.0, 2.0, 3.0]), axis=1)
    drawn_to = rng.random(len(p))[:, None]
    return scores + 50, (p.cumsum(axis=1) < drawn_to).sum(axis=1).clip(max=3), p


def test_temperatures_beside_class_weights_have_an_offset_a_class() -> None:
    decision, y, chance = draw_favoured()
    plain = fit_calibration(decision, y)
    fitted = fit_calibration(decision, y, class_weight=np.array([1.0, 2.0, 4.0, 8.0]))
    assert isinstance(plain, Temperature)
    assert isinstance(fitted, Temperature)
    assert plain.offsets == ()
    assert plain.label_weights == ()
    assert fitted.offsets == pytest.approx([1.5, 0.5, -0.5, -1.5], abs=0.1)
    p = fitted.probabilities(decision)
    assert np.abs(p - chance).mean() < 0.005
    assert np.abs(plain.probabilities(decision) - chance).mean() > 0.05


@settings(max_examples=25)
@given(SEEDS, st.integers(3, 6), st.sampled_from([0.0, 1.0]))
def test_offsets_are_features_that_are_1_for_one_class(
    seed: int, n_classes: int, lower: float
) -> None:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(2, n_classes, 50))
    target = rng.dirichlet(np.ones(n_classes), size=50).T
    weight = rng.random(50)
    each = np.repeat(np.eye(n_classes)[1:, :, None], 50, axis=2)
    free = np.full(n_classes - 1, -np.inf)
    start, bound = np.full(2, lower), np.full(2, lower)
    expected = fit_softmax(
        np.concatenate([features, each]),
        target,
        weight,
        start=np.append(start, np.zeros(n_classes - 1)),
        lower=np.append(bound, free),
    )
    found = fit_softmax(features, target, weight, start=start, lower=bound, offsets=True)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_offsets_of_many_classes_take_no_more_memory_than_their_rows() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(1000) % 60
    decision = np.eye(60)[y] + rng.normal(size=(1000, 60))
    peaks = []
    for weight in (None, np.linspace(1, 5, 60)):
        tracemalloc.start()
        fit_calibration(decision, y, class_weight=weight)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0]


@settings(max_examples=25)
@given(SEEDS, st.integers(3, 7))
def test_label_weights_bring_back_the_order_of_the_decisions(seed: int, n_classes: int) -> None:
    decision, y, _ = draw_votes(seed, n_classes, 60)
    fitted = fit_calibration(decision, y, class_weight=np.arange(1.0, n_classes + 1))
    assert isinstance(fitted, Temperature)
    weighed = fitted.probabilities(decision) * np.array(fitted.label_weights)
    np.testing.assert_array_equal(weighed.argmax(axis=1), decision.argmax(axis=1))


@pytest.mark.parametrize("each", [1, 3])
def test_offsets_of_few_rows_are_held_to_0(each: int) -> None:
    y = np.repeat(np.arange(3), [8 * each, each, each])
    decision = np.random.default_rng(0).normal(size=(len(y), 3))
    fitted = fit_calibration(decision, y, class_weight=np.array([0.4, 3.0, 3.0]))
    assert isinstance(fitted, Temperature)
    assert sum(fitted.offsets) == pytest.approx(0)
    n, held = len(y), 3  # ... as by a row of each class more
    share = (8 * each + held / 3) / (n + held)
    assert np.exp(fitted.offsets[0] - fitted.offsets[1]) == pytest.approx(
        share / ((1 - share) / 2), rel=0.35
    )


def test_rows_of_a_class_of_factor_0_count_for_nothing() -> None:
    decision, y = drawn(3)
    kept = y != 1
    none = fit_calibration(decision, y, class_weight=np.array([1.0, 0.0, 1.0]))
    without = fit_calibration(decision[kept], y[kept], class_weight=np.array([1.0, 0.0, 1.0]))
    np.testing.assert_allclose(
        none.probabilities(decision), without.probabilities(decision), atol=1e-4
    )


# Isotonic regression.


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("weighted", [False, True])
def test_the_curve_is_scikit_learns_of_rows_and_two_more(seed: int, weighted: bool) -> None:
    f, y = draw(seed)
    f = f.round(1)  # rows that share a decision
    weight = np.random.default_rng(seed).uniform(0.2, 3, len(f)) if weighted else np.ones(len(f))
    other = IsotonicRegression(out_of_bounds="clip").fit(
        np.append(f, [f.min(), f.max()]), np.append(y, [1, 0]), np.append(weight, [1, 1])
    )
    line = np.linspace(-4, 4, 333)
    p = fit_calibration(f, y, weight, "isotonic").probabilities(line)
    np.testing.assert_allclose(p[:, 1], other.predict(line), atol=1e-12)


def test_isotonic_regression_follows_a_link_that_no_sigmoid_follows() -> None:
    rng = np.random.default_rng(0)
    f = rng.normal(size=6000)
    chance = 0.1 + 0.4 * (f > -0.7) + 0.4 * (f > 0.7)
    y = (rng.random(6000) < chance).astype(np.int64)
    fit, new = slice(0, 3000), slice(3000, None)
    losses, briers = [], []
    methods: tuple[Method, ...] = ("isotonic", "sigmoid")
    for method in methods:
        p = fit_calibration(f[fit], y[fit], method=method).probabilities(f[new])
        losses.append(loss(p, y[new]))
        briers.append(float(np.mean((p[:, 1] - y[new]) ** 2)))
    assert losses[0] < losses[1] - 0.005
    assert briers[0] < briers[1] - 0.003


def test_beyond_two_classes_each_curve_is_the_class_against_the_rest() -> None:
    decision, y = drawn(3)
    curves = [
        fit_calibration(decision[:, code], (y == code).astype(np.int64), method="isotonic")
        for code in range(3)
    ]
    own = np.stack(
        [curve.probabilities(decision[:, code])[:, 1] for code, curve in enumerate(curves)], axis=1
    )
    np.testing.assert_allclose(
        fit_calibration(decision, y, method="isotonic").probabilities(decision),
        own / own.sum(axis=1, keepdims=True),
    )


# Temperatures.


@settings(max_examples=50)
@given(SEEDS, st.integers(3, 7))
def test_temperatures_never_change_the_order_of_the_classes(seed: int, n_classes: int) -> None:
    decision, y, _ = draw_votes(seed, n_classes, 60)
    p = fit_calibration(decision, y).probabilities(decision)
    np.testing.assert_array_equal(p.argsort(axis=1), decision.argsort(axis=1))
    np.testing.assert_array_equal(p.argmax(axis=1), decision.argmax(axis=1))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_classes", [3, 4])
@pytest.mark.parametrize("votes", [False, True])
def test_temperatures_minimise_the_loss_of_smoothed_targets(
    seed: int, n_classes: int, votes: bool
) -> None:
    decision, y, mean = draw_votes(seed, n_classes)
    features = [decision, ordered_margins(decision)] if votes else [mean]
    n = len(y)
    target = (n * np.eye(n_classes)[y] + 1 / n_classes) / (n + 1)

    def smoothed(beta: Numbers) -> float:
        scores = sum(b * f for b, f in zip(beta, features, strict=True))
        return float(-(target * log_softmax(scores, axis=1)).sum())

    least = np.exp(-5) / np.sqrt(np.mean(features[0] ** 2))
    expected = minimize(
        smoothed,
        [0.5] * len(features),
        method="L-BFGS-B",
        bounds=[(least, None), (0, None)][: len(features)],
        options={"ftol": 1e-15, "gtol": 1e-9},
    ).x
    own = fit_calibration(features[0], y)
    assert isinstance(own, Temperature)
    assert [own.decision, own.margin][: len(features)] == pytest.approx(expected, abs=1e-4)
    assert votes or own.margin == 0


@settings(max_examples=50)
@given(SEEDS, st.integers(3, 7), st.floats(1e-3, 1e4))
def test_mean_margins_are_read_back_from_votes(seed: int, n_classes: int, size: float) -> None:
    functions = size * np.random.default_rng(seed).normal(
        size=(20, n_classes * (n_classes - 1) // 2)
    )
    mean = np.zeros((20, n_classes))
    for column, i, j in duels(n_classes):
        mean[:, i] += functions[:, column] / (n_classes - 1)
        mean[:, j] -= functions[:, column] / (n_classes - 1)
    decision = vote(functions.T, n_classes)
    dealt = ordered_margins(decision)
    np.testing.assert_allclose(np.sort(dealt), np.sort(mean), rtol=1e-6, atol=1e-6 * size)
    for own, by in zip(dealt, decision, strict=True):
        assert (np.diff(own[np.argsort(by)]) >= 0).all()


def test_margins_make_votes_tell_more() -> None:
    decision, y, _ = draw_votes(0, 5, 2000)
    fit, new = slice(0, 1000), slice(1000, None)
    both = fit_calibration(decision[fit], y[fit])
    assert isinstance(both, Temperature)
    assert both.margin > 0
    # A constant added to all decisions hides that they are votes, and changes nothing else.
    alone = fit_calibration(decision[fit] + 0.5, y[fit])
    assert isinstance(alone, Temperature)
    assert alone.margin == 0
    told = loss(both.probabilities(decision[new]), y[new])
    assert told < loss(alone.probabilities(decision[new]), y[new]) - 0.01


# What is refused.


@pytest.mark.parametrize(
    ("method", "n_classes", "message"),
    [
        (
            "temperature",
            2,
            "temperature calibration is for more than two classes, and there are 2. "
            "Choose calibration=auto or isotonic.",
        ),
        (
            "sigmoid",
            3,
            "sigmoid calibration is for two classes, and there are 3. "
            "Choose calibration=auto or isotonic.",
        ),
        (
            "isotonik",
            2,
            "'isotonik' is no calibration; allowed are auto, sigmoid, isotonic, temperature. "
            "Did you mean 'isotonic'?",
        ),
    ],
)
def test_a_method_that_does_not_fit_is_refused(method: Any, n_classes: int, message: str) -> None:
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        fit_calibration(*drawn(n_classes), method=method)


def test_isotonic_regression_of_few_rows_is_refused() -> None:
    f, y = draw(0)
    rows = np.concatenate([np.flatnonzero(y == 1)[:29], np.flatnonzero(y == 0)])
    message = (
        "isotonic calibration needs at least 30 rows of each class, and the rarest has 29. "
        "Choose calibration=auto, or add rows of the rarest class."
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        fit_calibration(f[rows], y[rows], method="isotonic")
    weight = np.ones(len(f))
    weight[np.flatnonzero(y == 1)[29:]] = 0  # rows of no weight are none
    with pytest.raises(DataError, match="has 29"):
        fit_calibration(f, y, weight, "isotonic")


# Saving.


@cases
def test_a_calibration_comes_back_bit_by_bit(method: Method, n_classes: int) -> None:
    decision, y = drawn(n_classes)
    fitted = fit_calibration(decision, y, method=method)
    back = parse_calibration(json.loads(json.dumps(fitted.to_data())), n_classes)
    assert type(back) is type(fitted)
    np.testing.assert_array_equal(back.probabilities(decision), fitted.probabilities(decision))


SIGMOID = Sigmoid(-2.0, 0.5).to_data()
TEMPERATURE = Temperature(1.5, 0.3).to_data()
OFFSETS = Temperature(1.5, 0.3, (-1.0, 0.25, 0.75)).to_data()
CURVE = {"method": "isotonic", "thresholds": [[-1.0, 0.0, 2.0]], "values": [[0.1, 0.1, 0.9]]}


def test_what_older_versions_saved_is_read_and_tells_the_same() -> None:
    sigmoid = parse_calibration({"method": "sigmoid", "slope": -2.0, "offset": 0.5}, 2)
    np.testing.assert_allclose(
        sigmoid.probabilities(np.array([-1.0, 0.3]))[:, 1], expit([-2.5, 0.1]), rtol=1e-12
    )
    data = {"method": "temperature", "decision": 1.5, "margin": 0.3}
    decision = np.array([[1.0, 2.0, 0.0], [2.1, -0.1, 1.0]])
    expected = softmax(1.5 * decision + 0.3 * ordered_margins(decision), axis=1)
    np.testing.assert_allclose(
        parse_calibration(data, 3).probabilities(decision), expected, rtol=1e-12
    )


def test_the_untouched_are_taken() -> None:
    for data, n_classes in ((SIGMOID, 2), (TEMPERATURE, 3), (OFFSETS, 3), (CURVE, 2)):
        back: Calibration = parse_calibration(data, n_classes)
        assert back.to_data() == data


@pytest.mark.parametrize(
    ("data", "n_classes", "message"),
    [
        ([1.0], 2, "no object"),
        ({}, 2, "None with [] is no calibration of 2 classes"),
        (SIGMOID | {"method": "probit"}, 2, "'probit' with"),
        (SIGMOID, 3, "'sigmoid' with ['offset', 'slope'] is no calibration of 3 classes"),
        (TEMPERATURE, 2, "is no calibration of 2 classes"),
        (SIGMOID | {"bias": 1.0}, 2, "'sigmoid' with ['bias', 'offset', 'slope']"),
        (SIGMOID | {"slope": 0.1}, 2, "slope is above 0"),
        (SIGMOID | {"slope": math.nan}, 2, "not finite"),
        (SIGMOID | {"offset": "1"}, 2, "in place of numbers"),
        (SIGMOID | {"offset": True}, 2, "in place of numbers"),
        (SIGMOID | {"offset": None}, 2, "in place of numbers"),
        (TEMPERATURE | {"decision": 0.0}, 3, "not above 0"),
        (TEMPERATURE | {"margin": -0.1}, 3, "not above 0"),
        (TEMPERATURE | {"margin": math.inf}, 3, "not finite"),
        (OFFSETS, 4, "offsets that are not of 4 classes"),
        (OFFSETS | {"offsets": 1.0}, 3, "in place of numbers"),
        (OFFSETS | {"offsets": [0.0, 1.0, math.inf]}, 3, "not finite"),
        (CURVE, 3, "not of 3 classes"),
        (CURVE | {"values": []}, 2, "not of 2 classes"),
        (CURVE | {"values": [[0.1, 0.9]]}, 2, "more thresholds than values"),
        (CURVE | {"thresholds": [[]], "values": [[]]}, 2, "or none"),
        (CURVE | {"thresholds": [[0.0, 0.0, 2.0]]}, 2, "does not rise"),
        (CURVE | {"values": [[0.2, 0.1, 0.9]]}, 2, "does not rise"),
        (CURVE | {"values": [[0.0, 0.1, 0.9]]}, 2, "between 0 and 1"),
        (CURVE | {"values": [[0.1, 0.1, 1.0]]}, 2, "between 0 and 1"),
        (CURVE | {"values": [[0.1, math.nan, 0.9]]}, 2, "not finite"),
        (CURVE | {"values": [[0.1, [0.2], 0.9]]}, 2, "in place of numbers"),
        (CURVE | {"values": [3]}, 2, "in place of numbers"),
        (CURVE | {"values": 3}, 2, "in place of lists"),
    ],
)
def test_what_is_no_calibration_is_refused(data: Any, n_classes: int, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        parse_calibration(data, n_classes)


def test_arrays_of_isotonic_regression_are_not_shared_with_its_data() -> None:
    fitted = Isotonic((np.array([0.0, 1.0]),), (np.array([0.2, 0.8]),))
    fitted.to_data()["values"][0][0] = 7.0
    assert fitted.values[0][0] == 0.2


def test_reading_and_predicting_need_numpy_alone() -> None:
    code = (
        "import sys, numpy as np\n"
        "from widemargin.svm.calibration import parse_calibration\n"
        f"for data, n in ({SIGMOID}, 2), ({TEMPERATURE}, 3), ({CURVE}, 2):\n"
        "    parse_calibration(data, n).probabilities(np.zeros(3) if n == 2 else np.eye(3))\n"
        "print([name for name in ('sklearn', 'scipy', 'pandas') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "[]\n", done.stderr
