"""The trained network: it tells sounds apart that it has not heard, and comes back exactly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from widemargin.contracts import State
from widemargin.encoders.sound import logmel_cnn
from widemargin.encoders.sound.logmel_cnn import LOGMEL_CNN, LogmelCnnEncoder, LogmelCnnSettings
from widemargin.encoders.training import trained
from widemargin.encoders.training.batches import held_out
from widemargin.encoders.training.loop import train_network
from widemargin.errors import DataError
from widemargin.testing import check_encoder

pytest.importorskip("torch")

SMALL: dict[str, Any] = {
    "rate": 8000,
    "n_mels": 16,
    "window": 32,
    "dimension": 8,
    "epochs": 4,
    "batch_size": 8,
}


def clips(n: int, seed: int = 0) -> tuple[list[NDArray[np.float64]], NDArray[np.str_]]:
    """Make struck tones and struck noise of several lengths and levels."""
    random = np.random.default_rng(seed)
    sounds, y = [], []
    for row in range(n):
        at = np.arange(random.integers(400, 6000)) / 8000
        tone = np.sin(2 * np.pi * random.uniform(100, 300) * at)
        hiss = random.normal(size=len(at))
        struck = (tone if row % 2 else hiss) * np.exp(-20 * at)
        sounds.append(random.uniform(0.05, 0.5) * struck)
        y.append("drum" if row % 2 else "cymbal")
    return sounds, np.array(y)


@pytest.fixture(scope="module")
def fitted() -> LogmelCnnEncoder:
    return LogmelCnnEncoder(**SMALL).fit(*clips(40))


def test_vectors_of_unheard_sounds_lie_with_their_class(fitted: LogmelCnnEncoder) -> None:
    rows, (sounds, y) = fitted.transform(clips(40)[0]), clips(20, seed=1)
    means = {name: rows[clips(40)[1] == name].mean(axis=0) for name in set(y.tolist())}
    for row, name in zip(fitted.transform(sounds), y.tolist(), strict=True):
        nearest = min(means, key=lambda own: float(np.linalg.norm(row - means[own])))
        assert nearest == name


def test_a_saved_network_comes_back_bit_for_bit(fitted: LogmelCnnEncoder) -> None:
    state = fitted.get_state()
    again = LogmelCnnEncoder(**SMALL).set_state(
        State({name: np.array(own) for name, own in state.arrays.items()}, dict(state.meta))
    )
    sounds = clips(10, seed=2)[0]
    assert np.array_equal(again.transform(sounds), fitted.transform(sounds))


def test_vectors_do_not_depend_on_neighbours_or_order(fitted: LogmelCnnEncoder) -> None:
    sounds = clips(8, seed=3)[0]
    whole = fitted.transform(sounds)
    assert np.array_equal(fitted.transform(sounds[::-1])[::-1], whole)
    for row, sound in enumerate(sounds):
        assert np.array_equal(fitted.transform([sound])[0], whole[row])
    assert fitted.transform([]).shape == (0, 8)


def test_training_twice_gives_the_same_network_and_another_seed_another() -> None:
    sounds, y = clips(16)
    one, two = (LogmelCnnEncoder(**SMALL).fit(sounds, y).transform(sounds) for _ in range(2))
    assert np.array_equal(one, two)
    assert np.array_equal(LogmelCnnEncoder(**SMALL).fit_transform(sounds, y), one)
    assert not np.array_equal(LogmelCnnEncoder(**SMALL, seed=1).fit_transform(sounds, y), one)


def test_torchs_random_numbers_and_threads_stay_as_they_were() -> None:
    import torch

    torch.manual_seed(5)
    expected = torch.rand(1)
    threads = torch.get_num_threads()
    torch.manual_seed(5)
    LogmelCnnEncoder(**SMALL).fit_transform(*clips(6))
    assert torch.rand(1) == expected
    assert torch.get_num_threads() == threads


def test_how_loud_a_recording_is_does_not_matter(fitted: LogmelCnnEncoder) -> None:
    sound = clips(1)[0][0]
    one, other = fitted.transform([sound, sound / 7])
    assert np.allclose(one, other, rtol=1e-3, atol=1e-4)


def test_windows_of_silence_are_left_out_but_one_is_always_left(fitted: LogmelCnnEncoder) -> None:
    sound = np.random.default_rng(0).normal(size=32 * 80)
    still = np.zeros(32 * 80 * 4)
    quiet = still + 0.0
    quiet[7] = 1.1e-5  # a click that no band hears
    assert [len(own) for own in fitted._windows([sound, np.r_[sound, still], quiet])] == [1, 3, 1]
    assert np.isfinite(fitted.transform([quiet])).all()


def test_no_recording_is_both_trained_on_and_held_out(monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, Any] = {}

    def remember(network: Any, inputs: Any, target: Any, settings: Any, **options: Any) -> Any:
        told.update(options, inputs=inputs, target=target)
        return train_network(network, inputs, target, settings, **options)

    monkeypatch.setattr(trained, "train_network", remember)
    sounds, y = clips(80)
    sounds = [np.tile(sound, 3) for sound in sounds]
    encoder = LogmelCnnEncoder(**{**SMALL, "epochs": 1}).fit(sounds, y)
    groups = told["groups"]
    own = encoder._windows(sounds)
    assert len(groups) == len(told["inputs"]) > 80
    assert np.bincount(groups).tolist() == [len(windows) for windows in own]
    assert all(len(set(told["target"][groups == clip].tolist())) == 1 for clip in range(80))
    held, rest = held_out(told["target"], encoder.seed, groups)
    assert len(set(groups[held].tolist())) == 8
    assert not set(groups[held].tolist()) & set(groups[rest].tolist())
    assert encoder.history_.epochs[0].held_out is not None


@pytest.mark.parametrize("n_frames", [1, 31, 32, 33, 48, 49, 100])
def test_every_frame_is_in_a_window(n_frames: int, fitted: LogmelCnnEncoder) -> None:
    bands = np.ones((n_frames, 16))
    bands[:, 3] = np.linspace(2, 3, n_frames)
    windows = fitted._cut(bands)
    assert windows.shape == (1 + max(0, -(-(n_frames - 32) // 16)), 32, 16)
    seen = {round(float(value), 4) for value in windows[:, :, 3].ravel()}
    assert {round(float(np.log10(value)), 4) for value in bands[:, 3] / bands.max()} <= seen


def test_training_is_told_of(fitted: LogmelCnnEncoder) -> None:
    told: list[str] = []

    class Told:
        @contextmanager
        def stage(self, name: str, total: float | None = None) -> Iterator[Any]:
            told.append(f"{name}: {total}")
            yield self

        def advance(self, steps: float = 1) -> None:
            told.append("step")

        def note(self, message: str) -> None:
            told.append(message)

    encoder = LogmelCnnEncoder(**SMALL)
    encoder.progress = Told()
    encoder.fit(*clips(6))
    assert told[0] == "training logmel-cnn: 4"
    # A step is told of an epoch, and of parts of one that takes long.
    assert len(told) > 4
    assert set(told[1:]) == {"step"}


@pytest.mark.parametrize(
    ("y", "says"),
    [
        (None, "learns from labels: got 0 for 3 recordings"),
        (["a", "b"], "learns from labels: got 2 for 3 recordings"),
        ([0.1, 0.2, 0.3], "learns classes, and the target is a number"),
        (["a", "a", "a"], "the training rows have 1. It needs 2 or more"),
    ],
)
def test_labels_that_teach_nothing_are_refused(y: Any, says: str) -> None:
    with pytest.raises(DataError, match=says):
        LogmelCnnEncoder(**SMALL).fit(clips(3)[0], y)


def test_weights_of_other_settings_are_refused(fitted: LogmelCnnEncoder) -> None:
    with pytest.raises(DataError, match="the saved weights do not fit the settings"):
        LogmelCnnEncoder(**{**SMALL, "dimension": 9}).set_state(fitted.get_state())


def test_an_unfitted_network_is_refused() -> None:
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError):
        LogmelCnnEncoder().transform([np.zeros(3)])


def test_an_unreadable_recording_is_named(tmp_path: Path, fitted: LogmelCnnEncoder) -> None:
    pytest.importorskip("soundfile")
    (tmp_path / "kick.wav").write_text("no sound")
    with pytest.raises(DataError, match=r"kick\.wav: cannot be read as sound"):
        fitted.transform([tmp_path / "kick.wav"])


def test_torch_is_missed_politely(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(DataError, match=r'logmel-cnn needs torch.*"widemargin\[audio\]"'):
        LogmelCnnEncoder(**SMALL).fit(*clips(3))


def test_it_conforms() -> None:
    usual = LOGMEL_CNN.build(LogmelCnnSettings())
    assert usual.get_feature_names_out().shape == (LOGMEL_CNN.dimension,)
    small = LogmelCnnSettings(**SMALL)
    check_encoder(replace(LOGMEL_CNN, dimension=8), small)
    assert logmel_cnn.LOGMEL_CNN.learns == "y"
