r"""Strokes: how a struck sound's spectrum goes on from its beginning, step by step.

The sound begins where its power first comes within 20 dB of its peak. From there time is cut at
edges that lie further and further apart, and for each stretch :math:`s` and mel band :math:`j`

.. math:: v_{sj} = \frac{1}{20} \max\Big(-f,
          10 \log_{10} \frac{1}{N_s} \sum_{t \in s} \frac{P_{tj}}{\max_{uk} P_{uk}}\Big)

with the power :math:`P_{tj}` of frames and bands, the :math:`N_s` frames that the stretch has room
for, silence after the end counting in, and a floor of :math:`f` decibels. Two recordings of one
instrument agree number by number, whatever stands before the stroke and however loud it was, which
statistics over all frames cannot say.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from widemargin.contracts import Columns, EncoderSpec, Section
from widemargin.encoders.named import NamedEncoder
from widemargin.encoders.sound.mel import Spectra
from widemargin.encoders.sound.reading import sounds_of
from widemargin.encoders.sound.recordings import REFUSED, read_recording
from widemargin.encoders.workers import vectors_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["STROKES", "StrokesEncoder", "StrokesSettings"]

_EDGES = (5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0, 1280.0)
_FRAME, _HOP = 10.0, 2.5  # milliseconds
_BEGINS = 1e-2  # of the peak's power
_SILENT = 1e-10  # power below which a whole recording counts as silent


class StrokesSettings(Section):
    """Settings of the encoder ``strokes``."""

    rate: Annotated[int, Field(ge=4000, le=96000)] = Field(
        44100, description="samples a second that recordings are resampled to"
    )
    n_mels: Annotated[int, Field(ge=2, le=128)] = Field(40, description="mel bands")
    edges: Annotated[
        tuple[Annotated[float, Field(ge=_HOP, le=60_000)], ...], Field(min_length=1, max_length=64)
    ] = Field(
        _EDGES, description="milliseconds after the beginning at which a stretch ends, rising"
    )
    floor: Annotated[float, Field(gt=0, le=200)] = Field(
        60.0, description="decibels below the loudest band and frame that count as silence"
    )

    @model_validator(mode="after")
    def _check_edges(self) -> Self:
        steps = [edge / _HOP for edge in self.edges]
        rises = all(late > early for early, late in pairwise(steps))
        if not rises or any(step != round(step) for step in steps):
            raise ValueError(f"edges must rise, and be multiples of {_HOP} milliseconds")
        return self


class StrokesEncoder(NamedEncoder):
    """Mel bands of a struck sound over stretches of time from where it begins.

    Parameters
    ----------
    rate, n_mels, edges, floor
        As in `StrokesSettings`.

    Examples
    --------
    >>> stroke = np.exp(-np.arange(22050) / 2000) * np.sin(0.3 * np.arange(22050))
    >>> late = np.r_[np.zeros(4410), stroke]
    >>> vectors = StrokesEncoder().transform([stroke, late])
    >>> vectors.shape, bool(np.abs(vectors[0] - vectors[1]).mean() < 0.1)
    ((2, 360), True)
    """

    name: ClassVar[str] = "strokes"
    libraries: ClassVar[tuple[str, ...]] = ("scipy", "soundfile")
    refuses: ClassVar[str] = REFUSED

    def __init__(
        self,
        rate: int = 44100,
        n_mels: int = 40,
        edges: tuple[float, ...] = _EDGES,
        floor: float = 60.0,
    ) -> None:
        self.rate = rate
        self.n_mels = n_mels
        self.edges = edges
        self.floor = floor

    @property
    def columns(self) -> tuple[str, ...]:
        """The name of each number: ``band 3, 5 to 10 ms``."""
        return tuple(
            f"band {band}, {begin:g} to {end:g} ms"
            for begin, end in pairwise((0.0, *self.edges))
            for band in range(1, self.n_mels + 1)
        )

    def items(self, X: Columns | Sequence[Any]) -> list[Any]:
        """Return one recording a row."""
        return list(sounds_of(X))

    def encode(self, items: Sequence[Any]) -> NDArray[np.float32]:
        """Return vectors of shape (n_items, dimension)."""
        return vectors_of(items, self._vector, self.dimension)

    def _vector(self, item: Any) -> NDArray[np.float32]:
        # The stroke may come late; what follows it is looked at no longer than the last edge.
        seconds = 5.0 + self.edges[-1] / 1000
        spectra = Spectra(self.rate, _FRAME, _HOP, self.n_mels)
        samples = read_recording(item, self.rate, seconds, self.name, spectra.n_frame)
        bands = spectra.mel(samples)
        energy = bands.sum(axis=1)
        peak = int(energy.argmax())
        bands = bands[int(np.argmax(energy[: peak + 1] >= energy[peak] * _BEGINS)) :]
        ends = [0, *(round(edge / _HOP) for edge in self.edges)]
        power = np.array(
            [bands[begin:end].sum(axis=0) / (end - begin) for begin, end in pairwise(ends)]
        )
        loudest = max(float(bands.max()), _SILENT)
        level = 10 * np.log10(np.maximum(power / loudest, 10 ** (-self.floor / 10)))
        return np.asarray(level.reshape(-1) / 20, dtype=np.float32)


def _build(settings: StrokesSettings) -> StrokesEncoder:
    return StrokesEncoder(**settings.model_dump())


STROKES = EncoderSpec(
    name="strokes",
    summary="how the bands of a struck sound go on from its beginning",
    kinds=("audio",),
    learns="nothing",
    settings=StrokesSettings,
    build=_build,
    dimension=StrokesEncoder().dimension,
    extra="audio",
)
