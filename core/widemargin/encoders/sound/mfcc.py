r"""Mel-frequency cepstra: the classic description of a sound's colour, pooled over time.

From the power :math:`P_{tj}` of `M` mel bands in each frame,

.. math:: c_{tk} = s_k \sum_{j=1}^{M} \log_{10} P_{tj}
          \cos\left(\frac{\pi k (j - \frac{1}{2})}{M}\right), \quad k = 0, \dots, K - 1

with :math:`s_0 = \sqrt{1/M}` and else :math:`\sqrt{2/M}` (the orthonormal DCT-II; Davis &
Mermelstein 1980, doi:10.1109/TASSP.1980.1163420), and how they change,

.. math:: \Delta_t = \frac{\sum_{n=1}^{2} n (c_{t+n} - c_{t-n})}{2 \sum_{n=1}^{2} n^2}

(Furui 1986, doi:10.1109/TASSP.1986.1164788). Their mean, deviation and maximum over all frames that
are not silence make the vector. The logarithm is to base 10, so that cepstra and the numbers of
`shape` are of one order and need no scaling between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from widemargin.contracts import Columns, EncoderSpec, Section
from widemargin.encoders.named import NamedEncoder
from widemargin.encoders.sound.mel import Spectra
from widemargin.encoders.sound.reading import sounds_of
from widemargin.encoders.sound.recordings import (
    MOST_SECONDS,
    REFUSED,
    read_recording,
    unread_recordings,
)
from widemargin.encoders.sound.shape import SHAPE_NAMES, shape_of
from widemargin.encoders.workers import vectors_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MFCC", "MfccEncoder", "MfccSettings"]

Pool = Literal["mean", "deviation", "max"]

_BELOW_PEAK = 1e-8  # of the loudest band: 80 dB, about what 16 bits can tell from nothing
_SILENT = 1e-10  # power below which a whole recording counts as silent


class MfccSettings(Section):
    """Settings of the encoder ``mfcc``."""

    rate: Annotated[int, Field(ge=4000, le=96000)] = Field(
        22050, description="samples a second that recordings are resampled to"
    )
    n_mfcc: Annotated[int, Field(ge=1, le=128)] = Field(
        20, description="cepstra kept of each frame; no more than n_mels"
    )
    n_mels: Annotated[int, Field(ge=2, le=256)] = Field(40, description="mel bands")
    frame: Annotated[float, Field(ge=2, le=1000)] = Field(
        25.0, description="length of a frame in milliseconds"
    )
    hop: Annotated[float, Field(ge=1, le=1000)] = Field(
        10.0, description="step from one frame to the next in milliseconds"
    )
    deltas: Annotated[int, Field(ge=0, le=2)] = Field(
        1, description="0 for cepstra alone, 1 with their change, 2 with its change too"
    )
    pooling: Annotated[tuple[Pool, ...], Field(min_length=1)] = Field(
        ("mean", "deviation", "max"), description="what is taken of each cepstrum over time"
    )
    level: Literal["relative", "absolute"] = Field(
        "relative",
        description="relative measures power against the recording's loudest band, so that how "
        "loud it was recorded does not matter; absolute keeps that",
    )
    silence: Annotated[float, Field(gt=0, le=200)] = Field(
        60.0, description="frames so many decibels below the loudest one are left out as silence"
    )
    envelope: bool = Field(
        True, description="add attack, decay, spectral centroid and the like: 21 numbers"
    )
    max_seconds: Annotated[float, Field(gt=0, le=MOST_SECONDS)] = Field(
        60.0, description="seconds read of a recording, from its beginning; the rest is left out"
    )

    @model_validator(mode="after")
    def _check_sizes(self) -> Self:
        if self.n_mfcc > self.n_mels:
            raise ValueError(
                f"n_mfcc is {self.n_mfcc}, and {self.n_mels} mel bands give no more than "
                f"{self.n_mels} cepstra; lower n_mfcc or raise n_mels"
            )
        if len(set(self.pooling)) < len(self.pooling):
            raise ValueError("pooling names one way twice; name each once")
        return self


class MfccEncoder(NamedEncoder):
    """Mel-frequency cepstra of recordings, pooled over time.

    Parameters
    ----------
    rate, n_mfcc, n_mels, frame, hop, deltas, pooling, level, silence, envelope, max_seconds
        As in `MfccSettings`.

    Examples
    --------
    >>> tone = np.sin(0.3 * np.arange(11025))
    >>> MfccEncoder().transform([tone, tone / 2]).shape
    (2, 141)
    """

    name: ClassVar[str] = "mfcc"
    libraries: ClassVar[tuple[str, ...]] = ("scipy", "soundfile")
    refuses: ClassVar[str] = REFUSED

    def __init__(
        self,
        rate: int = 22050,
        n_mfcc: int = 20,
        n_mels: int = 40,
        frame: float = 25.0,
        hop: float = 10.0,
        deltas: int = 1,
        pooling: tuple[Pool, ...] = ("mean", "deviation", "max"),
        level: Literal["relative", "absolute"] = "relative",
        silence: float = 60.0,
        envelope: bool = True,
        max_seconds: float = 60.0,
    ) -> None:
        self.rate = rate
        self.n_mfcc = n_mfcc
        self.n_mels = n_mels
        self.frame = frame
        self.hop = hop
        self.deltas = deltas
        self.pooling = pooling
        self.level = level
        self.silence = silence
        self.envelope = envelope
        self.max_seconds = max_seconds

    @property
    def columns(self) -> tuple[str, ...]:
        """The name of each number: ``cepstrum 3 mean``, ``attack``."""
        kinds = ("cepstrum", "change of cepstrum", "bend of cepstrum")[: 1 + self.deltas]
        cepstra = (
            f"{kind} {k} {pool}"
            for pool in self.pooling
            for kind in kinds
            for k in range(self.n_mfcc)
        )
        return (*cepstra, *(SHAPE_NAMES if self.envelope else ()))

    def items(self, X: Columns | Sequence[Any]) -> list[Any]:
        """Return one recording a row."""
        return list(sounds_of(X))

    def unread(self, X: Columns | Sequence[Any]) -> dict[int, str]:
        """Say of the recordings longer than `max_seconds` how much of each is read."""
        return unread_recordings(X, self.rate, self.max_seconds, self.name)

    def encode(self, items: Sequence[Any]) -> NDArray[np.float32]:
        """Return vectors of shape (n_items, dimension)."""
        return vectors_of(items, self._vector, self.dimension)

    def _vector(self, item: Any) -> NDArray[np.float32]:
        spectra = Spectra(self.rate, self.frame, self.hop, self.n_mels)
        samples = read_recording(item, self.rate, self.max_seconds, self.name, spectra.shortest)
        power = spectra.power(samples)
        bands = spectra.bands(power)
        loudest = max(float(bands.max()), _SILENT)
        if self.level == "relative":
            bands, loudest = bands / loudest, 1.0
        cepstra = np.log10(np.maximum(bands, loudest * _BELOW_PEAK)) @ _dct(
            self.n_mfcc, self.n_mels
        )
        tracks = [cepstra]
        for _ in range(self.deltas):
            tracks.append(_change(tracks[-1]))
        energy = power.sum(axis=1)
        heard = energy >= energy.max() * 10 ** (-self.silence / 10)
        joined = np.concatenate(tracks, axis=1)[heard]
        pools = {"mean": joined.mean, "deviation": joined.std, "max": joined.max}
        parts = [pools[pool](axis=0) for pool in self.pooling]
        if self.envelope:
            parts.append(shape_of(samples, power, self.rate))
        return np.concatenate(parts).astype(np.float32)


@lru_cache(maxsize=8)
def _dct(n_mfcc: int, n_mels: int) -> NDArray[np.float64]:
    """Return the orthonormal DCT-II of shape (n_mels, n_mfcc)."""
    angles = np.pi * np.outer(np.arange(n_mels) + 0.5, np.arange(n_mfcc)) / n_mels
    basis: NDArray[np.float64] = np.cos(angles) * np.sqrt(2 / n_mels)
    basis[:, 0] = np.sqrt(1 / n_mels)
    return basis


def _change(track: NDArray[np.float64]) -> NDArray[np.float64]:
    padded = np.pad(track, ((2, 2), (0, 0)), mode="edge")
    n = len(track)
    change: NDArray[np.float64] = (
        padded[3 : 3 + n] - padded[1 : 1 + n] + 2 * (padded[4 : 4 + n] - padded[:n])
    ) / 10
    return change


def _build(settings: MfccSettings) -> MfccEncoder:
    return MfccEncoder(**settings.model_dump())


MFCC = EncoderSpec(
    name="mfcc",
    summary="mel-frequency cepstra, attack and colour of a recording",
    kinds=("audio",),
    learns="nothing",
    settings=MfccSettings,
    build=_build,
    dimension=MfccEncoder().dimension,
    extra="audio",
)
