"""Recordings that say nothing are refused, and those that are not read whole are told."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from widemargin.encoders import EmbeddingStore
from widemargin.encoders.sound.logmel_cnn import LogmelCnnEncoder
from widemargin.encoders.sound.mfcc import MfccEncoder
from widemargin.encoders.sound.recordings import read_recording, unread_recordings
from widemargin.encoders.sound.strokes import StrokesEncoder
from widemargin.errors import DataError, ItemsError

soundfile = pytest.importorskip("soundfile")

TONE = np.sin(np.arange(44100) * 0.1) / 2


@pytest.mark.parametrize("encoder", [MfccEncoder(), StrokesEncoder()])
def test_silence_and_less_than_a_step_are_refused_all_at_once(encoder: Any) -> None:
    items = [TONE, np.zeros(44100), TONE[:5], np.full(44100, 1e-6), TONE]
    with pytest.raises(ItemsError) as caught:
        encoder.transform(items)
    assert list(caught.value.problems) == [1, 2, 3]
    assert "is silent, in all of the" in caught.value.problems[1]
    assert f"ms that {encoder.name} needs. Record more" in caught.value.problems[2]


def test_a_click_of_a_drum_kit_is_a_recording() -> None:
    click = TONE[: round(0.0171 * 44100)]
    for encoder in (MfccEncoder(), StrokesEncoder()):
        assert np.isfinite(encoder.transform([click])).all()
    LogmelCnnEncoder().check([click])


def test_a_trained_encoder_refuses_silence_before_any_training() -> None:
    with pytest.raises(ItemsError) as caught:
        LogmelCnnEncoder().check([TONE, np.zeros(44100), TONE[:5]])
    assert list(caught.value.problems) == [1, 2]


@pytest.mark.parametrize(("n", "taken"), [(199, False), (200, True)])
def test_one_step_is_enough(n: int, taken: bool) -> None:
    if taken:
        assert len(read_recording(TONE[:n], 8000, 1.0, "mfcc", 200)) == n
        return
    said = r"lasts 24\.9 ms, less than the 25 ms that mfcc needs"
    with pytest.raises(DataError, match=said):
        read_recording(TONE[:n], 8000, 1.0, "mfcc", 200)


def test_vectors_that_were_kept_of_silence_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(MfccEncoder, "refuses", "")
        before.setattr("widemargin.encoders.sound.recordings._SILENT", 0.0)
        earlier = MfccEncoder()
        earlier.store = EmbeddingStore(tmp_path)
        assert earlier.transform([np.zeros(22050)]).shape == (1, 141)
    now = MfccEncoder()
    now.store = EmbeddingStore(tmp_path)
    with pytest.raises(DataError, match="is silent"):
        now.transform([np.zeros(22050)])


def test_recordings_that_are_not_read_whole_are_told_the_longest_first() -> None:
    file = io.BytesIO()
    soundfile.write(file, np.tile(TONE, 3), 44100, format="WAV")
    items = [TONE[:8000], TONE[:20_000], file.getvalue(), TONE[:16_000]]
    told = unread_recordings(items, 8000, 2.0, "mfcc")
    assert list(told) == [2, 1]
    assert told[2] == (
        "mfcc reads the first 2 of its 3 seconds; {name: mfcc, max_seconds: 3} in "
        "features.encoder reads all of it"
    )


def test_no_setting_is_named_where_none_would_do() -> None:
    (said,) = unread_recordings([np.ones(601 * 10)], 10, 60.0, "mfcc").values()
    assert said.endswith("cut it into pieces, since max_seconds goes up to 600")
