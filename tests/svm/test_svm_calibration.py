"""Calibration: scikit-learn's sigmoid, one unit-free fit, and labels that follow probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.calibration import _SigmoidCalibration

from widemargin.runs.model import Model
from widemargin.svm import Calibration, Machine, fit_calibration

SEEDS = st.integers(0, 10_000)


def draw(
    seed: int, n: int = 200, slope: float = 2.0, offset: float = 0.5
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    f = rng.normal(size=n)
    return f, (rng.random(n) < 1 / (1 + np.exp(-(slope * f + offset)))).astype(np.int64)


def model_of(calibration: Calibration, n_classes: int) -> Model:
    return Model(
        features=None,
        machine=Machine(scheme="single", n_classes=n_classes, intercept=np.zeros(1)),
        calibration=calibration,
        classes=tuple("abcdefgh"[:n_classes]),
    )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("weighted", [False, True])
def test_the_sigmoid_is_scikit_learns(seed: int, weighted: bool) -> None:
    f, y = draw(seed)
    weight = np.random.default_rng(seed).uniform(0.2, 3, len(f)) if weighted else None
    other = _SigmoidCalibration().fit(f, y, weight)
    own = fit_calibration(f, y, weight)
    np.testing.assert_allclose([own.slope, own.offset], [other.a_, other.b_], atol=2e-4)
    np.testing.assert_allclose(own.probabilities(f)[:, 1], other.predict(f), atol=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_the_temperature_minimises_the_loss_of_smoothed_targets(seed: int) -> None:
    rng = np.random.default_rng(seed)
    f = rng.normal(size=(150, 3))
    p = np.exp(1.7 * f) / np.exp(1.7 * f).sum(axis=1, keepdims=True)
    y = np.array([rng.choice(3, p=row) for row in p])
    n = len(y)
    target = np.where(np.eye(3, dtype=bool)[y], (n + 1) / (n + 3), 1 / (n + 3))

    def loss(beta: NDArray[np.float64]) -> float:
        logits = beta[0] * f
        return float(-(target * (logits - np.log(np.exp(logits).sum(1))[:, None])).sum())

    expected = minimize(loss, [1.0], method="Nelder-Mead", options={"xatol": 1e-8}).x[0]
    assert -fit_calibration(f, y).slope == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1e3, 1e9])
def test_the_unit_of_decisions_has_no_say(scale: float) -> None:
    f, y = draw(1)
    for decision in (f, np.stack([-f, f, 0.3 * f**2], axis=1)):
        plain = fit_calibration(decision, y).probabilities(decision)
        scaled = fit_calibration(scale * decision, y).probabilities(scale * decision)
        np.testing.assert_allclose(scaled, plain, atol=1e-6)


@settings(max_examples=50, deadline=None)
@given(SEEDS, st.floats(-5, 5), st.floats(-5, 5), st.integers(4, 60))
def test_probabilities_rise_with_the_decision_and_are_never_certain(
    seed: int, slope: float, offset: float, n: int
) -> None:
    f, y = draw(seed, n, slope, offset)
    p = fit_calibration(f, y).probabilities(np.sort(f))
    assert (np.diff(p[:, 1]) >= 0).all()
    assert ((p > 0) & (p < 1)).all()
    np.testing.assert_allclose(p.sum(axis=1), 1)


@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_perfect_separation_is_no_certainty(n_classes: int) -> None:
    y = np.repeat(np.arange(n_classes), 10)
    f = np.where(np.eye(n_classes, dtype=bool)[y], 1.0, -1.0)
    p = fit_calibration(f if n_classes > 2 else f[:, 1], y).probabilities(
        f if n_classes > 2 else f[:, 1]
    )
    own = p[np.arange(len(y)), y]
    # Two classes count each class's rows, as Platt does; one temperature counts all of them.
    n = 10 if n_classes == 2 else len(y)
    assert own == pytest.approx((n + 1) / (n + n_classes), abs=1e-3)


def test_decisions_that_say_the_contrary_leave_the_share_of_the_classes() -> None:
    rng = np.random.default_rng(0)
    y = (np.arange(1000) < 300).astype(np.int64)
    fitted = fit_calibration(5 - y + 0.3 * rng.normal(size=1000), y)
    assert fitted.slope == 0
    np.testing.assert_allclose(
        fitted.probabilities(np.array([-9.0, 0.0, 9.0]))[:, 1], 0.3, atol=0.01
    )


@pytest.mark.parametrize("value", [0.0, 1.0, 100.0, -1e8])
def test_equal_decisions_leave_the_share_of_the_classes(value: float) -> None:
    y = (np.arange(1000) < 300).astype(np.int64)
    f = np.full(1000, value)
    np.testing.assert_allclose(fit_calibration(f, y).probabilities(f)[:, 1], 0.3, atol=0.01)


def test_a_weight_of_two_is_as_two_rows_but_for_rounding() -> None:
    f, y = draw(3)
    for decision in (f, np.stack([-f, f], axis=1)):
        weighted = fit_calibration(decision, y, 1.0 + (y == 1))
        doubled = fit_calibration(
            np.concatenate([decision, decision[y == 1]]), np.append(y, y[y == 1])
        )
        assert weighted.slope == pytest.approx(doubled.slope, rel=1e-4)
        assert weighted.offset == pytest.approx(doubled.offset, abs=1e-4)


@settings(max_examples=50, deadline=None)
@given(SEEDS, st.integers(2, 6), st.floats(0.01, 100))
def test_labels_are_the_most_probable_class(seed: int, n_classes: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, n_classes, 40)
    y[:n_classes] = np.arange(n_classes)
    shape = (40,) if n_classes == 2 else (40, n_classes)
    decision = scale * rng.normal(size=shape)
    outcome = model_of(fit_calibration(decision, y), n_classes).judge(decision)
    assert outcome.probability is not None
    assert outcome.probability.shape == (40, n_classes)
    np.testing.assert_array_equal(outcome.prediction, outcome.probability.argmax(axis=1))
    np.testing.assert_array_equal(outcome.decision, decision)
    if n_classes > 2:
        np.testing.assert_array_equal(outcome.prediction, decision.argmax(axis=1))


def test_huge_decisions_overflow_nowhere() -> None:
    huge = np.array([-1e300, -1e6, 0.0, 1e6, 1e300])
    p = Calibration(-2.0, 0.1).probabilities(huge)
    assert p[:, 1].tolist() == pytest.approx([0, 0, 0.475, 1, 1], abs=1e-3)
    p = Calibration(-2.0, 0.0).probabilities(np.stack([huge, -huge, 0 * huge], axis=1))
    assert np.isfinite(p).all()
