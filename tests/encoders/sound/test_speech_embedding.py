"""The speech embedding: one pass gives what a pass a window would, on the platform that has it."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from widemargin.data.assets import data_home
from widemargin.encoders.sound import speech_embedding
from widemargin.encoders.sound.speech_embedding import (
    SPEECH_EMBEDDING,
    SPEECH_WEIGHTS,
    SpeechEmbeddingEncoder,
    SpeechEmbeddingSettings,
)
from widemargin.encoders.sound.tflite import TfliteNetwork
from widemargin.errors import AssetError, DataError
from widemargin.testing import check_encoder


def spoken(seconds: float, seed: int = 0) -> NDArray[np.float64]:
    """Make noise that swells and falls, as speech does."""
    random = np.random.default_rng(seed)
    at = np.arange(round(16000 * seconds)) / 16000
    pitch = np.sin(2 * np.pi * (150 + 40 * seed) * at) + 0.3 * random.normal(size=len(at))
    return np.asarray(0.2 * pitch * (1 + np.sin(2 * np.pi * 3 * at)), dtype=np.float64)


@pytest.fixture
def encoder() -> SpeechEmbeddingEncoder:
    made = SpeechEmbeddingEncoder()
    try:
        made.transform([np.zeros(1)])
    except (AssetError, DataError) as error:
        pytest.skip(str(error))
    return made


def slow_windows(samples: NDArray[np.float64], *, live: bool) -> NDArray[np.float32]:
    """Run one window at a time; `live` makes the spectra 80 ms at a time, as for a microphone."""
    files = speech_embedding._files()
    mel = TfliteNetwork(files.library, files.mel)
    embedding = TfliteNetwork(files.library, files.embedding)
    frames: list[NDArray[np.float32]] = []
    whole = (samples * 32767).astype(np.float32)
    for start in range(0, len(whole) - 1760 + 1, 1280) if live else (0,):
        stretch = whole[None, start : start + 1760] if live else whole[None]
        frames.extend(mel(stretch).reshape(-1, 32) / 10 + 2)
    return np.array(
        [
            embedding(np.stack(frames[at : at + 76])[None, :, :, None]).ravel()
            for at in range(0, len(frames) - 75, 8)
        ]
    )


@pytest.mark.parametrize("live", [False, True])
def test_one_pass_gives_what_a_pass_a_window_would(
    live: bool, encoder: SpeechEmbeddingEncoder
) -> None:
    # 12 windows, and so many samples that none is filled up: 12,512 + 11 * 1,280. For a live
    # stream the sound is steady, so that no part of it lies 80 dB below another.
    samples = np.random.default_rng(0).normal(scale=0.1, size=32000) if live else spoken(2.0)
    samples = samples[: 12512 + 11 * 1280]
    windows = slow_windows(np.concatenate([samples, np.zeros(768 * live)]), live=live)[:12]
    assert windows.shape == (12, 96)
    expected = np.concatenate([windows.mean(0), windows.std(0), windows.max(0)])
    made = encoder.transform([samples])[0]
    assert np.abs(made - expected).max() < 1e-5 * np.abs(expected).max()


def test_a_long_recording_is_read_in_stretches_with_the_same_result(
    encoder: SpeechEmbeddingEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = spoken(3.0)
    whole = encoder.transform([samples])
    monkeypatch.setattr(speech_embedding, "_AT_ONCE", 5)
    assert np.allclose(encoder.transform([samples]), whole, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("n", [160, 511, 512, 12511, 12512, 12513, 13792, 13793])
def test_a_recording_of_a_step_or_more_has_a_vector(
    n: int, encoder: SpeechEmbeddingEncoder
) -> None:
    made = encoder.transform([spoken(1.0)[:n], np.full(n, 1.1e-5)])
    assert made.shape == (2, 288)
    assert np.isfinite(made).all()
    # Up to a window's length there is one window, and it deviates from nothing.
    assert (made[0, 96:192] == 0).all() == (n <= 12512)


def test_vectors_tell_sounds_apart_and_repeat(encoder: SpeechEmbeddingEncoder) -> None:
    sounds = [spoken(0.5 + 0.3 * seed, seed) for seed in range(6)]
    whole = encoder.transform(sounds)
    assert len(np.unique(whole, axis=0)) == 6
    assert np.array_equal(encoder.transform(sounds[::-1])[::-1], whole)
    for row, sound in enumerate(sounds):
        assert np.array_equal(encoder.transform([sound])[0], whole[row])


def test_threads_and_processes_give_the_same_vectors(
    encoder: SpeechEmbeddingEncoder, tmp_path: Path
) -> None:
    sounds: list[Any] = [spoken(1.0, seed) for seed in range(4)]
    whole = encoder.transform(sounds)
    with ThreadPoolExecutor(4) as threads:
        for made in threads.map(encoder.transform, [sounds] * 4):
            assert np.array_equal(made, whole)
    np.save(tmp_path / "sounds.npy", np.stack(sounds))
    script = (
        "import sys, numpy as np; from widemargin.encoders import SpeechEmbeddingEncoder; "
        "sounds = list(np.load(sys.argv[1])); "
        "np.save(sys.argv[2], SpeechEmbeddingEncoder().transform(sounds))"
    )
    paths = [str(tmp_path / name) for name in ("sounds.npy", "vectors.npy")]
    subprocess.run([sys.executable, "-c", script, *paths], check=True)
    assert np.array_equal(np.load(paths[1]), whole)


def test_only_the_first_seconds_count(encoder: SpeechEmbeddingEncoder) -> None:
    short = SpeechEmbeddingEncoder(max_seconds=1.0)
    assert np.array_equal(short.transform([spoken(3.0)]), encoder.transform([spoken(3.0)[:16000]]))


def test_it_conforms(encoder: SpeechEmbeddingEncoder) -> None:
    check_encoder(SPEECH_EMBEDDING)


def test_a_state_of_other_weights_is_refused(encoder: SpeechEmbeddingEncoder) -> None:
    state = encoder.get_state()
    encoder.set_state(state)
    from widemargin.encoders import State

    with pytest.raises(DataError, match="not those that the model was trained with"):
        encoder.set_state(State({}, {**state.meta, "weights": "other"}))


@pytest.mark.parametrize(("system", "machine"), [("darwin", "arm64"), ("linux", "aarch64")])
def test_elsewhere_it_says_so_and_names_mfcc(
    system: str, machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    with pytest.raises(DataError, match=f"{machine}. Use the encoder mfcc, which runs everywhere"):
        SpeechEmbeddingEncoder().transform([np.zeros(9)])
    # There is no use in fetching what would not run.
    assert SPEECH_EMBEDDING.assets_for(SpeechEmbeddingSettings()) == ()


@pytest.fixture
def without_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the package be absent, as on a machine where only the asset was fetched."""
    if not speech_embedding._supported():
        pytest.skip("the library is for Linux on x86-64")
    monkeypatch.setattr(speech_embedding, "_installed", lambda: None)


@pytest.mark.usefixtures("without_package")
def test_without_the_package_the_asset_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIDEMARGIN_HOME", str(tmp_path))
    with pytest.raises(AssetError, match="widemargin data fetch speech-embedding"):
        SpeechEmbeddingEncoder().transform([np.zeros(9)])
    assert SPEECH_EMBEDDING.assets_for(SpeechEmbeddingSettings()) == (SPEECH_WEIGHTS,)


def test_the_asset_serves_as_the_package_does(
    tmp_path: Path, encoder: SpeechEmbeddingEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = speech_embedding._files()
    expected = encoder.transform([spoken(1.0)])
    monkeypatch.setenv("WIDEMARGIN_HOME", str(tmp_path))
    folder = data_home() / SPEECH_WEIGHTS.name
    folder.mkdir(parents=True)
    paths = (installed.embedding, installed.mel, installed.library)
    for path, file in zip(paths, SPEECH_WEIGHTS.files, strict=True):
        shutil.copy(path, folder / file.name)
    monkeypatch.setattr(speech_embedding, "_installed", lambda: None)
    assert speech_embedding._files().library.parent == folder
    assert np.array_equal(SpeechEmbeddingEncoder().transform([spoken(1.0)]), expected)


def test_another_version_of_the_package_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in SPEECH_WEIGHTS.files:
        path = tmp_path / file.member
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"another")
    (tmp_path / "pyopen_wakeword" / "__init__.py").write_text("raise ImportError('not imported')")
    monkeypatch.syspath_prepend(tmp_path)
    speech_embedding._installed.cache_clear()
    try:
        assert speech_embedding._installed() is None
    finally:
        speech_embedding._installed.cache_clear()


@pytest.mark.usefixtures("without_package")
def test_a_library_that_does_not_load_is_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in SPEECH_WEIGHTS.files:
        (tmp_path / file.name).write_bytes(b"no library")
    monkeypatch.setattr(speech_embedding, "weights_folder", lambda asset: tmp_path)
    with pytest.raises(DataError, match=r"cannot be loaded here: .*Use the encoder mfcc"):
        SpeechEmbeddingEncoder().transform([np.zeros(9)])


def test_a_network_that_is_none_is_refused(tmp_path: Path, encoder: SpeechEmbeddingEncoder) -> None:
    (tmp_path / "bad.tflite").write_bytes(b"no network")
    with pytest.raises(RuntimeError, match=r"bad\.tflite cannot be read"):
        TfliteNetwork(speech_embedding._files().library, tmp_path / "bad.tflite")
