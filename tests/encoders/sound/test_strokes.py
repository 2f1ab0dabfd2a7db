"""The encoder `strokes`: struck sounds, compared from where they begin."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError

from widemargin.encoders import StrokesEncoder
from widemargin.encoders.sound.strokes import STROKES, StrokesSettings
from widemargin.testing.encoder_checks import check_encoder

RATE = 44100


def stroke(
    pitch: float = 400.0, fall: float = 12.0, before: float = 0.0, seconds: float = 0.5
) -> NDArray[np.float64]:
    t = np.arange(round(seconds * RATE)) / RATE
    struck = np.exp(-fall * t) * np.sin(2 * np.pi * pitch * t)
    return np.concatenate([np.zeros(round(before * RATE)), struck])


def rows(samples: NDArray[np.float64], **given: Any) -> NDArray[np.float32]:
    encoder = StrokesEncoder(**given)
    return np.asarray(encoder.transform([samples])[0].reshape(-1, encoder.n_mels))


def test_what_stands_before_the_stroke_and_how_loud_it_is_do_not_matter() -> None:
    plain = rows(stroke())
    assert np.allclose(rows(0.01 * stroke()), plain, atol=1e-4)
    assert np.abs(rows(stroke(before=0.3)) - plain).mean() < 0.05


def test_a_band_falls_as_the_sound_does_and_ends_at_the_floor() -> None:
    made = rows(stroke(pitch=1000.0, fall=12.0))
    loudest = int(made[0].argmax())
    # Power falls as exp(-24 t): 20 dB, one unit, in ln(10) / 12 = 0.192 s.
    unit = np.log(10) / 12
    middles = {3: 0.03, 4: 0.06, 5: 0.12}  # of 20-40, 40-80 and 80-160 ms
    for late, early in ((4, 3), (5, 4)):
        expected = (middles[late] - middles[early]) / unit
        assert made[early, loudest] - made[late, loudest] == pytest.approx(expected, abs=0.06)
    assert (made[-1] == -3).all()  # the sound has ended 60 dB below
    assert (rows(stroke(), floor=40.0) >= -2).all()


def test_pitch_is_told_by_the_band() -> None:
    low, high = (int(rows(stroke(pitch=pitch))[3].argmax()) for pitch in (200.0, 5000.0))
    assert low < 8 < 20 < high


@given(st.integers(80, 4000), st.integers(0, 9))
@settings(max_examples=30)
def test_anything_has_a_finite_vector_within_the_floor(n: int, seed: int) -> None:
    samples = np.random.default_rng(seed).normal(size=n) * (1.0 if seed else 1e-4)
    made = StrokesEncoder(rate=8000, n_mels=8).transform([samples])
    assert np.isfinite(made).all()
    assert (made >= -3).all()
    assert (made <= 1e-6).all()


def test_names_say_which_band_and_when() -> None:
    encoder = StrokesEncoder(n_mels=2, edges=(5.0, 20.0))
    assert encoder.columns == (
        "band 1, 0 to 5 ms",
        "band 2, 0 to 5 ms",
        "band 1, 5 to 20 ms",
        "band 2, 5 to 20 ms",
    )


@pytest.mark.parametrize("edges", [(10.0, 5.0), (5.0, 5.0), (5.0, 6.0), (3.75, 6.25)])
def test_edges_that_do_not_rise_are_refused(edges: tuple[float, ...]) -> None:
    with pytest.raises(ValidationError, match=r"edges must rise, and be multiples of 2\.5"):
        StrokesSettings(edges=edges)


def test_it_conforms() -> None:
    check_encoder(STROKES, StrokesSettings(n_mels=6))
