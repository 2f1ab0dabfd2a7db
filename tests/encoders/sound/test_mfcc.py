"""Mel cepstra: what the formulas say, whatever the loudness, the length and the neighbours."""

from __future__ import annotations

import io
import subprocess
import sys
from math import cos, log10, pi, sin, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError

from widemargin.encoders import EmbeddingStore
from widemargin.encoders.sound.mel import Spectra, mel_filters
from widemargin.encoders.sound.mfcc import MFCC, MfccEncoder, MfccSettings
from widemargin.encoders.sound.shape import SHAPE_NAMES, shape_of
from widemargin.errors import DataError
from widemargin.testing import check_encoder

Samples = NDArray[np.float64]


def noise(n: int = 4000, seed: int = 0) -> Samples:
    return np.random.default_rng(seed).normal(scale=0.1, size=n)


def drum(
    rate: int = 22050, pitch: float = 90.0, fall: float = 12.0, before: float = 0.0
) -> Samples:
    at = np.arange(round(0.6 * rate)) / rate
    struck: Samples = 0.7 * np.sin(2 * pi * pitch * at) * np.exp(-fall * at)
    return np.concatenate([np.zeros(round(before * rate)), struck])


def named(vector: Any, encoder: MfccEncoder) -> dict[str, float]:
    return dict(zip(encoder.columns, vector.tolist(), strict=True))


def slow_mel(samples: Samples, spectra: Spectra) -> list[list[float]]:
    """Compute the bands of every frame term by term."""
    size, hop, n_fft, rate = spectra.n_frame, spectra.n_hop, spectra.n_fft, spectra.rate

    def mel(f: float) -> float:
        return 2595 * log10(1 + f / 700)

    low, high = mel(20.0), mel(rate / 2)
    edges = [
        700 * (10 ** ((low + (high - low) * k / (spectra.n_mels + 1)) / 2595) - 1)
        for k in range(spectra.n_mels + 2)
    ]
    window = [sin(pi * (k + 0.5) / size) ** 2 for k in range(size)]
    frames = []
    for start in range(0, len(samples), hop):
        places = [start - size // 2 + k for k in range(size)]
        frame = [
            window[k] * (samples[place] if 0 <= place < len(samples) else 0.0)
            for k, place in enumerate(places)
        ]
        power = []
        for f in range(n_fft // 2 + 1):
            re = sum(x * cos(2 * pi * f * k / n_fft) for k, x in enumerate(frame))
            im = sum(x * sin(2 * pi * f * k / n_fft) for k, x in enumerate(frame))
            power.append((re * re + im * im) * (2 / sum(window)) ** 2)
        bands = []
        for left, middle, right in zip(edges[:-2], edges[1:-1], edges[2:], strict=True):
            total = 0.0
            for f, own in enumerate(power):
                hz = f * rate / n_fft
                if left < hz <= middle:
                    total += own * (hz - left) / (middle - left)
                elif middle < hz < right:
                    total += own * (right - hz) / (right - middle)
            bands.append(total)
        frames.append(bands)
    return frames


def test_bands_are_what_the_formula_says_term_by_term() -> None:
    spectra = Spectra(rate=4000, frame=16.0, hop=10.0, n_mels=8)
    samples = noise(190)
    made = spectra.mel(samples)
    assert made.shape == (5, 8)
    assert np.allclose(made, slow_mel(samples, spectra), rtol=1e-9)


def test_cepstra_are_what_the_formulas_say_term_by_term() -> None:
    encoder = MfccEncoder(
        rate=4000, n_mfcc=5, n_mels=8, frame=16.0, hop=10.0, deltas=2, silence=200.0, envelope=False
    )
    samples = noise(190)
    bands = slow_mel(samples, Spectra(rate=4000, frame=16.0, hop=10.0, n_mels=8))
    loudest = max(max(own) for own in bands)
    cepstra = [
        [
            sqrt((1 if k == 0 else 2) / 8)
            * sum(log10(own / loudest) * cos(pi * k * (j + 0.5) / 8) for j, own in enumerate(frame))
            for k in range(5)
        ]
        for frame in bands
    ]

    def changed(track: list[list[float]]) -> list[list[float]]:
        last = len(track) - 1
        return [
            [
                sum(n * (track[min(t + n, last)][k] - track[max(t - n, 0)][k]) for n in (1, 2)) / 10
                for k in range(5)
            ]
            for t in range(len(track))
        ]

    change = changed(cepstra)
    whole = np.concatenate([cepstra, change, changed(change)], axis=1)
    expected = np.concatenate([whole.mean(axis=0), whole.std(axis=0), whole.max(axis=0)])
    made = encoder.transform([samples])[0]
    assert np.allclose(made, expected, rtol=1e-5, atol=1e-6)


def test_the_cosines_are_scipys_orthonormal_dct() -> None:
    from scipy.fft import dct

    encoder = MfccEncoder(
        n_mfcc=12, n_mels=24, hop=100.0, deltas=0, pooling=("mean",), envelope=False
    )
    samples = noise(600)  # shorter than a hop: one frame
    bands = Spectra(rate=22050, frame=25.0, hop=100.0, n_mels=24).mel(samples)
    expected = dct(np.log10(bands / bands.max()), axis=1, norm="ortho")[0, :12]
    assert np.allclose(encoder.transform([samples])[0], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("n_mels", [2, 20, 40, 128, 256])
@pytest.mark.parametrize("rate", [4000, 16000, 44100])
def test_no_band_is_empty(n_mels: int, rate: int) -> None:
    spectra = Spectra(rate=rate, frame=5.0, hop=5.0, n_mels=n_mels)
    filters = mel_filters(n_mels, spectra.n_fft, rate)
    assert (filters.sum(axis=1) > 0).all()
    assert filters.max() <= 1


def test_a_tone_is_loudest_in_its_band_and_a_full_tone_has_the_power_1() -> None:
    spectra = Spectra(rate=16000, frame=32.0, hop=10.0, n_mels=40)
    tone = np.sin(2 * pi * 1000 * np.arange(16000) / 16000)
    assert np.isclose(spectra.power(tone)[50].max(), 1.0, rtol=1e-3)
    edges = 700 * (10 ** (np.linspace(log10(1 + 20 / 700), log10(1 + 8000 / 700), 42)) - 1)
    band = int(spectra.mel(tone)[50].argmax())
    assert edges[band] < 1000 < edges[band + 2]


def test_long_recordings_are_transformed_in_stretches_with_the_same_result() -> None:
    spectra = Spectra(rate=4000, frame=10.0, hop=1.0, n_mels=8)
    long = noise(4000 * 3)
    whole = spectra.power(long)
    assert len(whole) == 3000
    # Far from the ends a part's frames are those of the whole.
    part = spectra.power(long[4 * 900 : 4 * 1200])
    assert np.allclose(part[20:-20], whole[920:1180], rtol=1e-9, atol=1e-15)


@given(st.floats(1e-3, 1.0), st.integers(0, 2**31))
@settings(max_examples=20)
def test_how_loud_a_recording_is_does_not_matter(factor: float, seed: int) -> None:
    samples = noise(3000, seed)
    one, other = MfccEncoder().transform([samples, factor * samples])
    assert np.allclose(one, other, atol=1e-4)


def test_absolute_levels_keep_how_loud_a_recording_is() -> None:
    one, other = MfccEncoder(level="absolute", n_mfcc=2, n_mels=40).transform(
        [noise(), noise() / 10]
    )
    # A tenth of the amplitude is a hundredth of the power: 2 less in every band.
    assert np.isclose(one[0] - other[0], 2 * sqrt(40), rtol=1e-4)
    assert np.isclose(one[1], other[1], atol=1e-4)


def test_silence_around_a_sound_is_left_out() -> None:
    still = 1e-6 * noise(22050)
    framed = np.concatenate([still, drum(), still])

    def apart(silence: float) -> float:
        encoder = MfccEncoder(deltas=0, envelope=False, silence=silence)
        return float(np.abs(np.subtract(*encoder.transform([drum(), framed]))).max())

    # Where the sound begins, one frame more holds a part of it.
    assert apart(40.0) < 1 < 2 < apart(200.0)


@pytest.mark.parametrize("n", [220, 550, 551, 552])
def test_a_clip_of_a_step_or_more_has_a_vector(n: int) -> None:
    made = MfccEncoder(deltas=2).transform([noise(n)])
    assert made.shape == (1, 201)
    assert np.isfinite(made).all()


@pytest.mark.parametrize("level", ["relative", "absolute"])
def test_what_is_hardly_louder_than_silence_has_a_vector(level: Any) -> None:
    made = MfccEncoder(level=level).transform([np.eye(5000)[7] * 1.1e-5])
    assert np.isfinite(made).all()


def test_the_shape_tells_how_a_sound_begins_and_ends() -> None:
    encoder = MfccEncoder()
    swell = drum()[::-1]
    struck, slow, long, late = (
        named(own, encoder)
        for own in encoder.transform([drum(), swell, drum(fall=3.0), drum(before=0.3)])
    )
    assert struck["attack"] < slow["attack"] - 0.5
    assert struck["decay to -20 dB"] < long["decay to -20 dB"] - 0.2
    # Amplitude falls as exp(-12 t): by 20 dB in ln(10) / 12 seconds.
    assert np.isclose(10 ** struck["decay to -20 dB"], np.log(10) / 12, atol=0.015)
    assert np.isclose(struck["level after 100 ms"] * 20, -12 * 0.1 * 20 / np.log(10), atol=2)
    assert np.isclose(struck["duration"], log10(0.6))
    for name in ("attack", "decay to -20 dB", "temporal centroid", "level after 50 ms"):
        assert np.isclose(struck[name], late[name], atol=0.1), name


def test_the_shape_tells_the_colour_of_a_sound() -> None:
    encoder = MfccEncoder()
    low, high, hiss = (
        named(own, encoder)
        for own in encoder.transform([drum(pitch=250.0), drum(pitch=4000.0), noise(13230)])
    )
    assert np.isclose(low["centroid mean"], -2.0, atol=0.3)  # octaves above 1 kHz
    assert np.isclose(high["centroid mean"], 2.0, atol=0.1)
    assert low["rolloff mean"] < high["rolloff mean"]
    assert hiss["flatness mean"] > low["flatness mean"] + 1
    assert hiss["spread mean"] > high["spread mean"]
    assert np.isclose(high["zero crossings"], 2 * 4000 / 22050, atol=0.01)


@given(st.integers(1, 3000), st.integers(0, 9))
@settings(max_examples=30)
def test_the_shape_is_finite_and_small_for_anything(n: int, seed: int) -> None:
    samples = noise(n, seed)
    shape = shape_of(samples, Spectra(8000, 25.0, 10.0, 20).power(samples), 8000)
    assert shape.shape == (len(SHAPE_NAMES),)
    assert np.abs(shape).max() < 15


def test_files_of_other_rates_get_nearly_the_vector_of_the_same_sound(tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    for rate in (22050, 44100):
        soundfile.write(tmp_path / f"{rate}.flac", drum(rate, pitch=440.0), rate)
    encoder = MfccEncoder(envelope=False, silence=30.0)
    one, other = encoder.transform([str(tmp_path / "22050.flac"), tmp_path / "44100.flac"])
    cosine = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
    assert cosine > 0.999


def test_vectors_do_not_depend_on_neighbours_or_order() -> None:
    clips = [noise(500 * k + 551, k) for k in range(6)]
    whole = MfccEncoder().transform(clips)
    for row, clip in enumerate(clips):
        assert np.array_equal(MfccEncoder().transform([clip])[0], whole[row])
    assert np.array_equal(MfccEncoder().transform(clips[::-1])[::-1], whole)


def test_vectors_of_files_are_kept_by_their_content(tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    stream = io.BytesIO()
    soundfile.write(stream, drum(), 22050, format="WAV")
    (tmp_path / "a.wav").write_bytes(stream.getvalue())
    encoder = MfccEncoder()
    encoder.store = EmbeddingStore(tmp_path / "store")
    first = encoder.transform([tmp_path / "a.wav", stream.getvalue()])
    assert np.array_equal(first[0], first[1])
    again = MfccEncoder()
    again.store = EmbeddingStore(tmp_path / "store")
    again.encode = None  # type: ignore[assignment]  # nothing is left to encode
    (tmp_path / "a.wav").rename(tmp_path / "b.wav")
    assert np.array_equal(again.transform([tmp_path / "b.wav"]), first[:1])
    other = MfccEncoder(n_mfcc=19)
    other.store = EmbeddingStore(tmp_path / "store")
    assert other.transform([tmp_path / "b.wav"]).shape == (1, 135)


def test_every_column_has_a_name_of_its_own() -> None:
    for encoder in (MfccEncoder(), MfccEncoder(deltas=2, pooling=("max",), envelope=False)):
        names = encoder.get_feature_names_out().tolist()
        assert len(set(names)) == len(names) == encoder.dimension
    assert {"cepstrum 0 mean", "attack", "flatness deviation"} <= set(MfccEncoder().columns)


def test_an_unreadable_recording_is_named(tmp_path: Path) -> None:
    pytest.importorskip("soundfile")
    (tmp_path / "kick.wav").write_text("no sound")
    with pytest.raises(DataError, match=r"kick\.wav: cannot be read as sound"):
        MfccEncoder().transform([noise(), tmp_path / "kick.wav"])


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"n_mfcc": 41}, "40 mel bands give no more than 40 cepstra"),
        ({"pooling": ["max", "max"]}, "pooling names one way twice"),
        ({"pooling": []}, "pooling"),
        ({"rate": 10}, "rate"),
        ({"hop": 0}, "hop"),
    ],
)
def test_settings_that_cannot_be_are_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        MfccSettings.model_validate(given, strict=False)


def test_it_conforms() -> None:
    check_encoder(MFCC)
    check_encoder(MFCC, MfccSettings(deltas=0, level="absolute", envelope=False, rate=16000))


def test_arrays_are_encoded_without_any_library_but_numpy() -> None:
    script = (
        "import sys, numpy; from widemargin.encoders.sound.mfcc import MfccEncoder; "
        "MfccEncoder().transform([numpy.ones(999)]); "
        "print([name for name in sys.argv[1:] if name in sys.modules])"
    )
    heavy = ["scipy", "soundfile", "sklearn", "torch", "pandas"]
    said = subprocess.run(
        [sys.executable, "-c", script, *heavy], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "[]"
