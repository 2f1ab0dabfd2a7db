"""Recordings become one channel at one rate, or a message that names them."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from widemargin.encoders.sound.reading import envelope, name_of, read_sound, sounds_of
from widemargin.errors import DataError, ItemsError

soundfile = pytest.importorskip("soundfile")

Samples = NDArray[np.float64]


def tone(rate: int = 16000, seconds: float = 0.5, pitch: float = 440.0) -> Samples:
    return 0.5 * np.sin(2 * np.pi * pitch * np.arange(round(rate * seconds)) / rate)


def file_of(samples: Samples, rate: int, kind: str, subtype: str | None = None) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, format=kind, subtype=subtype)
    return stream.getvalue()


def read(item: Any, rate: int = 16000, max_seconds: float = 60.0) -> Samples:
    return read_sound(sounds_of([item])[0], rate, max_seconds, "mfcc")


@pytest.mark.parametrize(
    ("kind", "subtype", "apart"),
    [
        ("WAV", "PCM_16", 1e-4),
        ("WAV", "PCM_U8", 1e-2),
        ("WAV", "PCM_24", 1e-6),
        ("WAV", "FLOAT", 1e-7),
        ("WAV", "ULAW", 2e-2),
        ("FLAC", "PCM_16", 1e-4),
        ("AIFF", "PCM_16", 1e-4),
        ("OGG", "VORBIS", 3e-2),
        ("MP3", None, 1e-1),
    ],
)
def test_every_format_gives_the_same_sound(
    kind: str, subtype: str | None, apart: float, tmp_path: Path
) -> None:
    if kind not in soundfile.available_formats():
        pytest.skip(f"this libsndfile does not write {kind}")
    expected = tone()
    data = file_of(expected, 16000, kind, subtype)
    path = tmp_path / f"a.{kind.lower()}"
    path.write_bytes(data)
    for item in (path, str(path), data):
        made = read(item)
        assert made.dtype == np.float64
        # An MP3 is filled up to whole blocks.
        assert len(expected) <= len(made) < len(expected) + 2400
        if kind != "MP3":
            assert len(made) == len(expected)
            assert np.abs(made - expected).max() < apart


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000, 96000, 15999])
def test_any_rate_is_resampled_to_the_one_that_is_asked_for(rate: int) -> None:
    made = read(file_of(tone(rate), rate, "WAV", "FLOAT"))
    expected = tone(16000)
    assert abs(len(made) - len(expected)) <= 1
    inside = slice(400, 7600)  # the filter knows nothing beyond the ends
    assert np.abs(made[inside] - expected[inside]).max() < 2e-3


def test_what_lies_above_half_the_new_rate_is_filtered_out() -> None:
    high = file_of(tone(48000, pitch=15000.0), 48000, "WAV", "FLOAT")
    assert np.abs(read(high)[400:-400]).max() < 2e-3


@pytest.mark.parametrize("channels", [2, 3, 6])
def test_channels_are_averaged(channels: int) -> None:
    whole = np.stack([tone() * (k + 1) / channels for k in range(channels)], axis=1)
    data = file_of(whole, 16000, "WAV", "FLOAT")
    assert np.allclose(read(data), whole.mean(axis=1), atol=1e-6)
    assert np.allclose(read(whole), whole.mean(axis=1))


def test_only_the_first_seconds_of_a_long_recording_are_read() -> None:
    long = tone(16000, 3.0)
    assert np.allclose(read(file_of(long, 16000, "FLAC"), max_seconds=0.25), long[:4000], atol=1e-4)
    assert read(file_of(tone(44100, 3.0), 44100, "FLAC"), max_seconds=0.25).shape == (4000,)
    assert np.array_equal(read(long, max_seconds=0.25), long[:4000])


def test_memory_is_bounded_by_the_seconds_and_not_by_the_file(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    with soundfile.SoundFile(path, "w", 48000, 8, subtype="PCM_16") as file:
        for _ in range(60):
            file.write(np.zeros((48000, 8), dtype=np.int16))
    size = path.stat().st_size
    read(path, max_seconds=1.0)  # what is imported does not count
    tracemalloc.start()
    try:
        read(path, max_seconds=1.0)
        assert tracemalloc.get_traced_memory()[1] < size / 5
    finally:
        tracemalloc.stop()


def test_an_unreadable_end_of_a_recording_does_not_matter_where_it_is_not_read() -> None:
    data = file_of(np.random.default_rng(0).uniform(-1, 1, 160000), 16000, "FLAC")
    assert read(data[: len(data) // 2], max_seconds=1.0).shape == (16000,)


@pytest.mark.parametrize("name", ["tone.mp3", "tone.raw", "tone", "tone.txt", "tøne ✓.WAV"])
def test_the_content_decides_and_not_the_extension(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(file_of(tone(), 16000, "WAV", "FLOAT"))
    assert np.allclose(read(path), tone(), atol=1e-6)


def test_silence_is_a_sound() -> None:
    assert not read(file_of(np.zeros(100), 16000, "WAV")).any()


def test_one_sample_is_a_sound() -> None:
    assert read(file_of(np.array([0.25]), 16000, "WAV", "FLOAT")).tolist() == [0.25]
    assert len(read(file_of(np.array([0.25]), 44100, "WAV", "FLOAT"))) == 1


@pytest.mark.parametrize("form", ["WAV", "RF64", "AIFF", "AU", "WAVEX"])
@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT", "PCM_24"])
def test_a_file_that_was_cut_short_is_refused_wherever_it_is_read(form: str, subtype: str) -> None:
    data = file_of(tone(), 16000, form, subtype)
    assert len(read(data)) == len(tone())
    for missing in (8, 4000):
        with pytest.raises(DataError, match=r"ends after 0\.\d+ of 0\.5 seconds: it is damaged"):
            read(data[:-missing], max_seconds=0.01)


@pytest.mark.parametrize("unset", [0x7FFFFFFF - 36, 0x7FFFF000, 0xFFFFFFFF])
def test_a_streamed_wav_file_holds_what_it_holds(unset: int) -> None:
    data = bytearray(file_of(tone(), 16000, "WAV", "PCM_16"))
    data[40:44] = unset.to_bytes(4, "little")
    assert len(read(bytes(data))) == len(tone())


def test_what_follows_the_samples_of_a_file_does_not_count() -> None:
    data = file_of(tone(), 16000, "WAV", "PCM_16")
    assert len(read(data + b"LIST\x04\x00\x00\x00INFO")) == len(tone())


def test_a_chunk_before_the_samples_may_have_an_odd_length() -> None:
    data = file_of(tone(), 16000, "WAV", "PCM_16")
    odd = data[:36] + b"note\x03\x00\x00\x00abc\x00" + data[36:]
    assert len(read(odd)) == len(tone())
    with pytest.raises(DataError, match="ends after"):
        read(odd[:-100])


def test_an_array_of_bad_recordings_is_refused_with_all_their_rows() -> None:
    with pytest.raises(ItemsError) as caught:
        sounds_of([None, np.zeros(3), "absent.wav"])
    assert list(caught.value.problems) == [0, 2]


def cut_flac() -> bytes:
    data = file_of(np.random.default_rng(0).uniform(-1, 1, 64000), 16000, "FLAC")
    return data[: len(data) // 2]


def wrong_rate() -> bytes:
    data = bytearray(file_of(tone(), 16000, "WAV", "PCM_16"))
    data[24:28] = (2_000_000_000).to_bytes(4, "little")
    return bytes(data)


def broken() -> Samples:
    samples = tone()
    samples[4000] = np.nan
    return samples


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty. Copy it again"),
        (b"RIFF", "cannot be read as sound"),
        (b"this is no sound at all, but text", "Write it anew as WAV, FLAC, OGG, AIFF or MP3"),
        (b"\x00" * 5000, "cannot be read as sound"),
        (file_of(tone(), 16000, "WAV")[:40], "cannot be read as sound|holds no samples"),
        (file_of(np.empty(0), 16000, "WAV"), "holds no samples. Leave it out"),
        (file_of(np.empty(0), 16000, "FLAC"), "is empty|holds no samples|cannot be read"),
        (cut_flac(), "seconds: it is damaged or was not copied whole|cannot be read as sound"),
        (file_of(tone(), 16000, "OGG")[:3000], "cannot be read as sound|damaged|no samples"),
        (wrong_rate(), "2,000,000,000 samples a second; allowed are 1,000 to 400,000"),
        (file_of(broken(), 16000, "WAV", "FLOAT"), "holds a sample that is no finite number"),
        (file_of(tone() * 32768, 16000, "WAV", "FLOAT"), "where full scale is 1"),
    ],
)
def test_what_cannot_be_read_is_named(data: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "kick.wav"
    path.write_bytes(data)
    with pytest.raises(DataError, match=says) as caught:
        read(path)
    assert str(caught.value).startswith(path.as_posix())
    with pytest.raises(DataError, match=says) as caught:
        read(data)
    assert str(caught.value).startswith(f"a recording of {len(data):,} bytes")


@pytest.mark.parametrize(
    ("item", "says"),
    [
        ("absent.wav", "row 2: absent.wav: there is no such file. Paths are relative"),
        (Path(), "row 2: .: is a folder, not a recording"),
        ("", "row 2: the path of the recording is empty"),
        ("a\0b", "row 2: .*there is no such file"),
        (None, "row 2: expected a recording .* got NoneType"),
        (7, "row 2: expected a recording .* got int"),
        (np.array([1, 2], dtype=np.int16), r"row 2: expected float samples .* got int16"),
        (np.zeros((2, 2, 2)), r"row 2: expected float samples .* shape \(2, 2, 2\)"),
        (np.empty(0), "row 2: the recording holds no samples"),
        (np.empty((5, 0)), "row 2: the recording holds no samples"),
        (np.array([0.0, np.nan]), "row 2: holds a sample that is no finite number"),
        (np.array([0.0, -np.inf]), "row 2: holds a sample that is no finite number"),
        (np.array([0.0, 32768.0]), r"row 2: a sample is 3.28e\+04, where full scale is 1"),
    ],
)
def test_a_row_that_holds_no_recording_is_named(item: Any, says: str) -> None:
    with pytest.raises(DataError, match=says):
        sounds_of({"sound": [np.zeros(3), item]})


def test_a_file_that_may_not_be_opened_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match=r"kick\.wav: cannot be read \(Permission denied\)"):
        read_sound(Path("kick.wav"), 16000, 1.0, "mfcc")


def test_a_disk_that_fails_is_told_from_a_broken_file(monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if size == 1:
                return super().read(1)
            raise OSError(5, "Input/output error")

    data = file_of(tone(), 16000, "WAV")
    monkeypatch.setattr(Path, "open", lambda *_: Failing(data))
    with pytest.raises(DataError, match=r"kick\.wav: cannot be read \(Input/output error\)"):
        read_sound(Path("kick.wav"), 16000, 1.0, "mfcc")


def test_two_columns_of_recordings_are_refused() -> None:
    with pytest.raises(DataError, match="2 columns of kind audio"):
        sounds_of({"one": ["a"], "other": ["b"]})


def test_soundfile_is_missed_politely(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(DataError, match=r'mfcc needs soundfile.*pip install "widemargin\[audio\]"'):
        read(b"RIFF")
    assert read(np.zeros(3)).tolist() == [0, 0, 0]


def test_a_soundfile_without_its_library_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    from widemargin.encoders.sound import reading

    def fail(*_: str) -> Any:
        raise OSError("cannot load library 'libsndfile.so'")

    monkeypatch.setattr(reading, "require_library", fail)
    with pytest.raises(DataError, match="mfcc needs libsndfile"):
        read(b"RIFF")


@given(st.binary(max_size=300))
def test_no_bytes_end_in_a_librarys_traceback(data: bytes) -> None:
    try:
        made = read(data)
    except DataError as error:
        told = str(error)
    else:
        assert np.isfinite(made).all()
        return
    assert name_of(data) in told


@given(st.integers(12, 400), st.binary(min_size=1, max_size=8))
def test_no_damage_ends_in_a_librarys_traceback(at: int, damage: bytes) -> None:
    for kind in ("WAV", "FLAC", "OGG", "AIFF"):
        data = bytearray(file_of(tone(seconds=0.05), 16000, kind))
        data[at : at + len(damage)] = damage
        try:
            made = read(bytes(data))
        except DataError:
            continue
        assert np.isfinite(made).all()


def test_an_envelope_is_the_loudest_sample_of_each_stretch(tmp_path: Path) -> None:
    sound = np.r_[np.zeros(4000), tone(8000, 0.5), np.zeros(8000)]
    path = tmp_path / "a.wav"
    path.write_bytes(file_of(sound, 8000, "WAV", "FLOAT"))
    assert envelope(path, 4) == envelope(sound, 4) == [0.0, 0.5, 0.0, 0.0]
    assert envelope(np.array([0.5, -1.0]), 4) == [0.5, 0.5, 1.0, 1.0]
    assert len(envelope(np.array([0.25]), 10)) == 10
    assert max(envelope(np.array([4.0, 2.0]), 2)) == 1.0


def test_an_envelope_of_no_stretch_is_refused() -> None:
    with pytest.raises(ValueError, match=r"n must be at least 1\. Got 0"):
        envelope(np.zeros(3), 0)
