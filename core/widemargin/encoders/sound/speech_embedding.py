"""Google's speech embedding: a convolutional network over log-mel spectra, pooled over time.

The network (Lin, Kilgour, Roblek & Sharifi 2020, "Training keyword spotters with limited and
synthesized speech data", arXiv:2002.01322) was trained to tell spoken words apart. It looks at 775
ms at a time, 76 frames of 32 mel bands, and describes each window by 96 numbers; windows follow one
another every 80 ms. Their mean, deviation and maximum over a recording make 288 numbers. A
recording shorter than a window, and the last window of a longer one, are filled up with silence.

The network has no padding over time, so that one pass over a long spectrum gives what a pass a
window would, six times as fast. Its spectra have a floor 80 dB below their loudest band; it is
taken over the whole recording, where a listener to a live stream would take it every 80 ms.
"""

from __future__ import annotations

import platform
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from widemargin.contracts import Asset, AssetFile, Columns, EncoderSpec, Package, Section
from widemargin.encoders.frozen import FrozenEncoder
from widemargin.encoders.sound.reading import sounds_of
from widemargin.encoders.sound.recordings import (
    MOST_SECONDS,
    REFUSED,
    read_recording,
    unread_recordings,
)
from widemargin.encoders.sound.tflite import TfliteNetwork
from widemargin.encoders.weights import weights_folder
from widemargin.encoders.workers import vectors_of
from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "SPEECH_EMBEDDING",
    "SPEECH_WEIGHTS",
    "SpeechEmbeddingEncoder",
    "SpeechEmbeddingSettings",
]

_RATE = 16000
_FRAME, _HOP = 512, 160  # samples of a mel frame, and from one to the next
_WINDOW, _STEP = 76, 8  # mel frames of a window, and from one to the next
_SAMPLES = (_WINDOW - 1) * _HOP + _FRAME  # that a window spans
_AT_ONCE = 128  # windows of one pass: about 11 seconds
_WIDTH = 96
_NAME = "speech-embedding"

SPEECH_WEIGHTS = Asset(
    name="speech-embedding",
    title="Google speech embedding",
    licence="Apache-2.0",
    origin="Lin et al. 2020, arXiv:2002.01322 (TensorFlow Hub, google/speech_embedding); converted "
    "for openWakeWord",
    files=(
        AssetFile(
            name="embedding_model.tflite",
            member="pyopen_wakeword/models/embedding_model.tflite",
            sha256="c0aea21eb84a4ce90a08c870da41b7a7173b45269e6a3207c71d67c40f3a59d8",
            size=1_330_312,
        ),
        AssetFile(
            name="melspectrogram.tflite",
            member="pyopen_wakeword/models/melspectrogram.tflite",
            sha256="96fa0adccb6e8cf95cb14465409a1a2898ee4a96a85bb9ed3c7eb0e68bf163e8",
            size=1_092_516,
        ),
        AssetFile(
            name="libtensorflowlite_c.so",
            member="pyopen_wakeword/lib/libtensorflowlite_c.so",
            sha256="25465edb5cd7aadd00249d4d28f1d922ce5cc90195ad4403458111dd63493bae",
            size=4_835_320,
        ),
    ),
    package=Package(
        index="pip",
        name="pyopen-wakeword",
        version="1.1.0",
        sha256="754347a59de2b3d378a0cbc404a8b41164036e74fa1c185f88056974e4bfb6b4",
        size=7_132_152,
    ),
)
"""The two networks, and the library that runs them on Linux x86-64."""


class SpeechEmbeddingSettings(Section):
    """Settings of the encoder ``speech-embedding``."""

    max_seconds: Annotated[float, Field(gt=0, le=MOST_SECONDS)] = Field(
        60.0, description="seconds read of a recording, from its beginning; the rest is left out"
    )


class SpeechEmbeddingEncoder(FrozenEncoder):
    """Google's speech embedding, pooled to 288 numbers a recording.

    Parameters
    ----------
    max_seconds : float, default=60
        Seconds read of a recording, from its beginning.

    Examples
    --------
    >>> SpeechEmbeddingEncoder().dimension
    288
    """

    name: ClassVar[str] = _NAME
    libraries: ClassVar[tuple[str, ...]] = ("scipy", "soundfile")
    refuses: ClassVar[str] = REFUSED
    chunk: ClassVar[int] = 256

    def __init__(self, max_seconds: float = 60.0) -> None:
        self.max_seconds = max_seconds

    @property
    def dimension(self) -> int:
        """How many numbers a recording becomes: 288."""
        return 3 * _WIDTH

    def items(self, X: Columns | Sequence[Any]) -> list[Any]:
        """Return one recording a row."""
        return list(sounds_of(X))

    def unread(self, X: Columns | Sequence[Any]) -> dict[int, str]:
        """Say of the recordings longer than `max_seconds` how much of each is read."""
        return unread_recordings(X, _RATE, self.max_seconds, self.name)

    def weights_hash(self) -> str:
        """Return the hash of the weights and of what runs them."""
        return sha256("".join(file.sha256 for file in SPEECH_WEIGHTS.files).encode()).hexdigest()

    def encode(self, items: Sequence[Any]) -> NDArray[np.float32]:
        """Return vectors of shape (n_items, 288).

        Raises
        ------
        DataError
            Where a recording cannot be read, or the network does not run on this platform.
        AssetError
            Where its files are absent.
        """
        files = _files()
        own = threading.local()  # a network serves one thread

        def one(item: Any) -> NDArray[np.float32]:
            if not hasattr(own, "networks"):
                own.networks = _Networks(files)
            samples = read_recording(item, _RATE, self.max_seconds, self.name, _HOP)
            return _pool(own.networks.windows(samples))

        return vectors_of(items, one, self.dimension)


def _pool(windows: NDArray[np.float32]) -> NDArray[np.float32]:
    wide = windows.astype(np.float64)
    return np.concatenate([wide.mean(0), wide.std(0), wide.max(0)]).astype(np.float32)


class _Networks:
    """The two networks, one after the other."""

    def __init__(self, files: _Files) -> None:
        try:
            self._mel = TfliteNetwork(files.library, files.mel)
            self._embedding = TfliteNetwork(files.library, files.embedding)
        except OSError as error:
            raise DataError(_elsewhere(f"it cannot be loaded here: {error}")) from error

    def windows(self, samples: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return the windows' vectors, of shape (n_windows, 96)."""
        step = _STEP * _HOP
        n_windows = 1 + max(0, -(-(len(samples) - _SAMPLES) // step))
        padded = np.zeros((n_windows - 1) * step + _SAMPLES, dtype=np.float32)
        # The network was trained on the range of 16-bit integers.
        padded[: len(samples)] = samples * 32767
        # The whole at once: its floor is 80 dB below the loudest band of what it is given.
        mel = self._mel(padded[None]).reshape(-1, 32) / np.float32(10) + np.float32(2)
        parts = []
        for start in range(0, n_windows, _AT_ONCE):
            count = min(_AT_ONCE, n_windows - start)
            stretch = mel[start * _STEP : (start + count - 1) * _STEP + _WINDOW]
            parts.append(self._embedding(stretch[None, :, :, None]).reshape(count, _WIDTH))
        return np.concatenate(parts)


@dataclass(frozen=True)
class _Files:
    embedding: Path
    mel: Path
    library: Path


def _files() -> _Files:
    """Return the verified files: those of the installed package, else those that were fetched."""
    if not _supported():
        raise DataError(_elsewhere(f"and this is {platform.system()} on {platform.machine()}"))
    installed = _installed()
    if installed is not None:
        return installed
    folder = weights_folder(SPEECH_WEIGHTS)
    return _Files(*(folder / file.name for file in SPEECH_WEIGHTS.files))


def _supported() -> bool:
    return sys.platform == "linux" and platform.machine() in ("x86_64", "AMD64")


def _elsewhere(reason: str) -> str:
    return (
        f"{_NAME} needs the TensorFlow Lite library, which its package has for Linux on x86-64 "
        f"with glibc 2.35 or later, {reason}. Use the encoder mfcc, which runs everywhere."
    )


@lru_cache(maxsize=1)
def _installed() -> _Files | None:
    """Look for the files in the installed package, without importing it."""
    found = find_spec("pyopen_wakeword")
    if found is None or not found.submodule_search_locations:
        return None
    above = Path(next(iter(found.submodule_search_locations))).parent
    paths = [above / file.member for file in SPEECH_WEIGHTS.files]
    for path, file in zip(paths, SPEECH_WEIGHTS.files, strict=True):
        if not path.is_file() or sha256(path.read_bytes()).hexdigest() != file.sha256:
            return None  # another version: the asset has the right one
    return _Files(*paths)


def _needs(settings: SpeechEmbeddingSettings) -> tuple[Asset, ...]:
    # Where nothing would run them, encoding says so; there is no use in fetching.
    return () if not _supported() or _installed() is not None else (SPEECH_WEIGHTS,)


def _build(settings: SpeechEmbeddingSettings) -> SpeechEmbeddingEncoder:
    return SpeechEmbeddingEncoder(**settings.model_dump())


SPEECH_EMBEDDING = EncoderSpec(
    name=_NAME,
    summary="a network trained on speech, over windows of 775 ms (Linux x86-64)",
    kinds=("audio",),
    learns="nothing",
    settings=SpeechEmbeddingSettings,
    build=_build,
    dimension=3 * _WIDTH,
    licence=SPEECH_WEIGHTS.licence,
    assets=(SPEECH_WEIGHTS,),
    needs=_needs,
    extra="audio",
)
