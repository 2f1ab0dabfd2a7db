"""Deciding: the label turns where the threshold says, whatever the calibration."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from widemargin.serving.deciding import deciding_margin
from widemargin.svm.calibration import Calibration, Isotonic, Sigmoid

STEEP = Isotonic((np.array([-1.0, 0.25, 2.0]),), (np.array([0.1, 0.4, 0.9]),))


def is_positive(calibration: Calibration, margin: float, positive: int) -> bool:
    raw = margin if positive == 1 else -margin
    return bool(calibration.probabilities(np.array([raw]))[0].argmax() == positive)


@given(slope=st.floats(-50, -0.01), offset=st.floats(-50, 50), positive=st.sampled_from([0, 1]))
def test_the_label_turns_at_the_threshold(slope: float, offset: float, positive: int) -> None:
    calibration = Sigmoid(slope, offset)
    threshold = deciding_margin(calibration, positive)
    sign = 1 if positive == 1 else -1
    assert threshold == pytest.approx(sign * -offset / slope, rel=1e-6, abs=1e-6)
    assert is_positive(calibration, threshold, positive)
    assert not is_positive(calibration, threshold - 1e-6 * max(1, abs(threshold)), positive)


@pytest.mark.parametrize("positive", [0, 1])
def test_the_label_turns_at_the_threshold_of_a_curve_too(positive: int) -> None:
    threshold = deciding_margin(STEEP, positive)
    assert math.isfinite(threshold)
    assert is_positive(STEEP, threshold, positive)
    assert not is_positive(STEEP, threshold - 1e-6, positive)


def test_a_threshold_is_infinite_where_every_margin_means_one_class() -> None:
    never, always = Sigmoid(0.0, 1.0), Sigmoid(0.0, -1.0)
    assert deciding_margin(never, 1) == deciding_margin(always, 0) == math.inf
    assert deciding_margin(always, 1) == deciding_margin(never, 0) == -math.inf
