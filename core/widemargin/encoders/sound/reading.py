"""Recordings as samples: any file that libsndfile reads, as one channel at one rate.

A recording is a path, the bytes of a sound file, or an array of samples. Files are read block by
block and mixed down at once, so that memory is bounded by the seconds that are asked for and not by
the file. Other rates are resampled by the exact ratio of the two (a polyphase filter).

Files that end early, and broken ones, are refused. libsndfile reads a WAV, AIFF or AU file that was
cut short as if it were whole, so that `lengths.py` compares what its header promises with what is
there.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from math import ceil, gcd, isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

import numpy as np

from widemargin.contracts import Columns
from widemargin.encoders.items import column_of
from widemargin.encoders.libraries import require_library
from widemargin.encoders.sound.lengths import share_present
from widemargin.encoders.unreadable import Unreadable
from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Sound: TypeAlias = Path | bytes | NDArray[np.floating[Any]]

__all__ = ["envelope", "name_of", "read_sound", "seconds_of", "sounds_of"]

_BLOCK = 1 << 18  # numbers that are decoded at a time, of all channels together
_RATES = (1_000, 400_000)  # recorders go up to 384 kHz; others are headers gone wrong
_STREAMED = 1 << 40  # frames; months of sound
_LOUDEST = 1e4  # full scale is 1; a float file may pass it, but not by 80 dB


def sounds_of(X: Columns | Sequence[Any]) -> list[Sound]:
    """Return one recording a row: a `Path`, the bytes of a file, or an array of samples.

    Parameters
    ----------
    X : columns or sequence
        Its only column, or the recordings themselves: paths as text or `Path`, bytes of sound
        files, or float arrays of shape (n_samples,) or (n_samples, n_channels).

    Returns
    -------
    list of Path, bytes or ndarray
        Arrays with one channel.

    Raises
    ------
    ItemsError
        Where a row holds none of these, no file is there, or samples are not finite; it names all
        such rows.
    DataError
        Where there are several columns.

    Examples
    --------
    >>> sounds_of([np.array([[0.5, 0.25], [0.0, 0.0]])])
    [array([0.375, 0.   ])]
    """
    column = column_of(X, "audio")
    found = Unreadable(len(column))
    sounds = []
    for row, item in enumerate(column):
        with found.at([row]):
            sounds.append(_sound(item))
    found.check()
    return sounds


def _sound(item: Any) -> Sound:
    if isinstance(item, str | Path):
        path = Path(item)
        if not str(item).strip():
            raise DataError("the path of the recording is empty. Leave the row out.")
        try:
            found = path.is_file()
        except ValueError:  # a null character in the path
            found = False
        if not found:
            reason = "is a folder, not a recording" if path.is_dir() else "there is no such file"
            raise DataError(
                f"{path}: {reason}. Paths are relative to the working folder; "
                "correct the path, or leave the row out."
            )
        return path
    if isinstance(item, bytes):
        return item
    if isinstance(item, np.ndarray):
        return _samples(item)
    raise DataError(
        "expected a recording (a path, the bytes of a sound file, or a float array), got "
        f"{type(item).__name__}."
    )


def _samples(item: NDArray[Any]) -> NDArray[np.floating[Any]]:
    if item.dtype.kind != "f" or item.ndim not in (1, 2):
        raise DataError(
            "expected float samples of shape (n_samples,) or (n_samples, n_channels), got "
            f"{item.dtype} of shape {item.shape}. Divide integers by their largest value, as in "
            "samples / 32768."
        )
    if item.size == 0:
        raise DataError("the recording holds no samples. Leave the row out.")
    _check_samples(item, "", None)
    return item if item.ndim == 1 else item.mean(axis=1)


def name_of(item: Sound) -> str:
    """Return what messages call a recording.

    Examples
    --------
    >>> name_of(Path("drums/kick.wav")), name_of(b"RIFF")
    ('drums/kick.wav', 'a recording of 4 bytes')
    """
    if isinstance(item, Path):
        return item.as_posix()
    return f"a recording of {len(item):,} {'bytes' if isinstance(item, bytes) else 'samples'}"


def read_sound(item: Sound, rate: int, max_seconds: float, encoder: str) -> NDArray[np.float64]:
    """Return a recording's samples: one channel, at `rate`, from its beginning.

    Parameters
    ----------
    item : Path, bytes or ndarray
        As `sounds_of` returns it; an array is taken to be at `rate`.
    rate : int
        Samples a second of the result.
    max_seconds : float
        How much is read; the rest of a longer recording is left out.
    encoder : str
        Who asks, for messages.

    Returns
    -------
    ndarray of shape (n_samples,)
        At least one sample, all finite; full scale is 1.

    Raises
    ------
    DataError
        Where it cannot be read, is cut short, empty, or not finite; it names the recording.
    """
    if isinstance(item, np.ndarray):
        return np.asarray(item[: ceil(max_seconds * rate)], dtype=np.float64)
    with _opened(item, encoder) as sound:
        own = sound.samplerate
        mono = _mixed(sound, ceil(max_seconds * own), name_of(item))
    if own == rate:
        return mono
    from scipy.signal import resample_poly

    shared = gcd(own, rate)
    resampled: NDArray[np.float64] = resample_poly(mono, rate // shared, own // shared)
    return resampled[: ceil(max_seconds * rate)]


def seconds_of(item: Sound, rate: int, encoder: str) -> float:
    """Return how long a recording is, by its header; 0 where that does not say.

    Parameters
    ----------
    item, rate, encoder
        As in `read_sound`.

    Raises
    ------
    DataError
        Where it cannot be opened.

    Examples
    --------
    >>> seconds_of(np.zeros(4000), 8000, "mfcc")
    0.5
    """
    if isinstance(item, np.ndarray):
        return len(item) / rate
    with _opened(item, encoder) as sound:
        # A file that was streamed promises more than anything could hold.
        frames = sound.frames if 0 < sound.frames < _STREAMED else 0
        return float(frames / sound.samplerate)


@contextmanager
def _opened(item: Path | bytes, encoder: str) -> Iterator[Any]:
    """Open a sound file; what libsndfile cannot read becomes a `DataError`."""
    try:
        soundfile = require_library("soundfile", encoder, "audio")
    except OSError as error:  # soundfile is there, its C library is not
        raise DataError(
            f"{encoder} needs libsndfile, which soundfile does not find. Install it with the "
            "system's packages, or install soundfile from a wheel."
        ) from error
    name = name_of(item)
    source = None
    try:
        with io.BytesIO(item) if isinstance(item, bytes) else item.open("rb") as stream:
            if not stream.read(1):
                raise DataError(f"{name}: is empty. Copy it again, or leave it out.")
            present = share_present(stream)
            stream.seek(0)
            source = _Source(stream)
            with soundfile.SoundFile(source) as sound:
                if not _RATES[0] <= sound.samplerate <= _RATES[1]:
                    raise DataError(
                        f"{name}: has {sound.samplerate:,} samples a second; allowed are "
                        f"{_RATES[0]:,} to {_RATES[1]:,}. The file is damaged; leave it out."
                    )
                if present < 1 and sound.frames > 0:
                    have = sound.frames / sound.samplerate
                    raise DataError(_cut_short(name, have, have / present))
                yield sound
    except OSError as error:
        raise DataError(f"{name}: cannot be read ({error.strerror or error}).") from error
    except (soundfile.SoundFileRuntimeError, TypeError, ValueError) as error:
        if source is not None and source.failure is not None:
            failure = source.failure
            raise DataError(f"{name}: cannot be read ({failure.strerror or failure}).") from failure
        reason = getattr(error, "error_string", str(error)).strip().rstrip(".")
        raise DataError(
            f"{name}: cannot be read as sound ({reason}). Write it anew as WAV, FLAC, OGG, AIFF or "
            "MP3, or leave it out."
        ) from error


class _Source:
    """A stream for libsndfile, through calls in which nothing can be raised.

    It has no name, since soundfile would take a wrong file extension at its word.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.failure: OSError | None = None

    def seek(self, offset: int, whence: int = 0) -> None:
        """Go to a place; a damaged header may ask for one before the beginning."""
        with suppress(OSError, ValueError):
            self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def read(self, size: int = -1) -> bytes:
        try:
            return self._stream.read(size)
        except OSError as error:
            self.failure = error
            return b""


def _mixed(sound: Any, wanted: int, name: str) -> NDArray[np.float64]:
    """Read at most so many frames, block by block, and average their channels."""
    told = sound.frames
    wanted = min(wanted, told) if told > 0 else wanted
    blocks: list[NDArray[np.float32]] = []
    have = 0
    step = max(1, _BLOCK // sound.channels)
    while have < wanted:
        block = sound.read(min(step, wanted - have), dtype="float32", always_2d=True)
        if not len(block):
            break
        _check_samples(block, name, have / sound.samplerate)
        blocks.append(block[:, 0] if sound.channels == 1 else block.mean(axis=1))
        have += len(block)
    if have < wanted and told > 0:
        raise DataError(_cut_short(name, have / sound.samplerate, told / sound.samplerate))
    if not have:
        raise DataError(f"{name}: holds no samples. Leave it out.")
    return np.concatenate(blocks, dtype=np.float64)


def _cut_short(name: str, have: float, promised: float) -> str:
    return (
        f"{name}: ends after {have:.3g} of {promised:.3g} seconds: it is damaged or was not copied "
        "whole. Copy it again, or leave it out."
    )


def _check_samples(samples: NDArray[Any], name: str, seconds: float | None) -> None:
    """Refuse samples that are no numbers, or far beyond full scale."""
    largest = float(np.abs(samples).max())
    if largest <= _LOUDEST:
        return
    start = f"{name}: " if name else ""
    if isfinite(largest):
        raise DataError(
            f"{start}a sample is {largest:.3g}, where full scale is 1. Divide the samples by "
            "their largest possible value."
        )
    where = "" if seconds is None else f" after {seconds:.3g} seconds or later"
    raise DataError(
        f"{start}holds a sample that is no finite number{where}. Write it anew from its source, "
        "or leave it out."
    )


def envelope(item: Sound | str, n: int, max_seconds: float = 60.0) -> list[float]:
    """Return the loudest sample of each of `n` equal stretches, 0 to 1: a picture of a recording.

    Parameters
    ----------
    item : str, Path, bytes or ndarray
        The recording.
    n : int
        How many stretches.
    max_seconds : float, default=60
        How much of the recording is drawn.

    Raises
    ------
    DataError
        Where the recording cannot be read.

    Examples
    --------
    >>> envelope(np.array([0.0, 0.5, -1.0, 0.25]), 2)
    [0.5, 1.0]
    """
    if n < 1:
        raise ValueError(f"n must be at least 1. Got {n}.")
    sound = _sound(item)
    loud = np.abs(read_sound(sound, 8_000, max_seconds, "the report"))
    # Where there are fewer samples than stretches, a sample fills several.
    edges = np.arange(n + 1) * len(loud) // n
    starts = np.minimum(edges[:-1], len(loud) - 1)
    most = [float(loud[a : max(a + 1, b)].max()) for a, b in zip(starts, edges[1:], strict=True)]
    peak = max(1.0, max(most))
    return [round(one / peak, 3) for one in most]
