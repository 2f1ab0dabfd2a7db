"""How a recording begins, dies away and is coloured: a few numbers that tell struck things apart.

The descriptors are Peeters' (2004, "A large set of audio features for sound description in the
CUIDADO project", IRCAM): the logarithm of the attack time, decay, temporal centroid, and the
spectrum's centroid, spread, rolloff and flatness. Times are log10 of seconds, levels steps of 20
dB, frequencies octaves above 1 kHz, so that every number is of the order of 1. None depends on how
loud the recording is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SHAPE_NAMES", "shape_of"]

_STEP = 0.005  # seconds whose power is one point of the envelope
_FLOOR = -60.0  # dB below the loudest point; what is quieter is silence
_DECAYS = (-10.0, -20.0, -40.0)  # dB
_AFTER = (20, 50, 100, 200, 400, 800)  # milliseconds after the loudest point
_COLOURS = ("centroid", "spread", "rolloff", "flatness")

SHAPE_NAMES: tuple[str, ...] = (
    "duration",
    "attack",
    *(f"decay to {level:g} dB" for level in _DECAYS),
    "temporal centroid",
    *(f"level after {after} ms" for after in _AFTER),
    *(f"{colour} {pool}" for colour in _COLOURS for pool in ("mean", "deviation")),
    "zero crossings",
)
"""What each number of `shape_of` is."""


def shape_of(
    samples: NDArray[np.float64], power: NDArray[np.float64], rate: int
) -> NDArray[np.float64]:
    """Return the descriptors, in the order of `SHAPE_NAMES`.

    Parameters
    ----------
    samples : ndarray of shape (n_samples,)
        The recording.
    power : ndarray of shape (n_frames, n_frequencies)
        Its power spectra, from 0 Hz to half the rate.
    rate : int
        Samples a second.

    Examples
    --------
    >>> click = np.r_[np.zeros(800), 0.9 ** np.arange(7200)]
    >>> shape = shape_of(click, np.ones((10, 257)), 8000)
    >>> dict(zip(SHAPE_NAMES, shape.round(2).tolist()))["attack"]
    -2.3
    """
    return np.concatenate([_over_time(samples, rate), _colour(power, rate), [_crossings(samples)]])


def _over_time(samples: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    step = max(1, round(_STEP * rate))
    padded = np.zeros(-(-len(samples) // step) * step)
    padded[: len(samples)] = samples
    energy = np.square(padded).reshape(-1, step).sum(axis=1)
    peak = int(energy.argmax())
    if energy[peak] > 0:
        least = energy[peak] * 10 ** (_FLOOR / 10)
        level = 10 * np.log10(np.maximum(energy, least) / energy[peak])
    else:
        level = np.full(len(energy), _FLOOR)
    loud = np.flatnonzero(level[: peak + 1] >= -20)
    onset = int(loud[0]) if len(loud) else peak
    ends = [np.flatnonzero(level >= down) for down in _DECAYS]
    steps = [len(samples) / step, peak - onset + 1]
    steps += [(int(end[-1]) if len(end) else peak) - peak + 1 for end in ends]
    after_onset = energy[onset:]
    total = float(after_onset.sum())
    places = np.arange(1, len(after_onset) + 1)
    steps.append(float(after_onset @ places) / total if total > 0 else 1.0)
    later = [peak + round(after / 1000 / _STEP) for after in _AFTER]
    levels = [level[place] if place < len(level) else _FLOOR for place in later]
    return np.concatenate([np.log10(np.array(steps) * step / rate), np.array(levels) / 20])


def _colour(power: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """Describe each frame's spectrum, and pool over frames by their energy."""
    # Without the constant part. The loudest frame sums to 1, so that the floor below means the
    # same for every recording.
    power = power[:, 1:]
    loudest = float(power.sum(axis=1).max())
    power = (power / loudest if loudest > 0 else power) + 1e-12 / power.shape[1]
    octaves = np.log2(np.arange(1, power.shape[1] + 1) * rate / 2 / power.shape[1] / 1000)
    total = power.sum(axis=1)
    centroid = power @ octaves / total
    spread = np.sqrt(np.maximum(power @ octaves**2 / total - centroid**2, 0))
    reached = np.cumsum(power, axis=1) < 0.85 * total[:, None]
    rolloff = octaves[np.minimum(reached.sum(axis=1), len(octaves) - 1)]
    flatness = np.log10(power).mean(axis=1) - np.log10(power.mean(axis=1))
    weights = total / total.sum()
    pooled: list[float] = []
    for track in (centroid, spread, rolloff, flatness):
        mean = float(weights @ track)
        pooled += [mean, float(np.sqrt(weights @ np.square(track - mean)))]
    return np.array(pooled)


def _crossings(samples: NDArray[np.float64]) -> float:
    negative = samples < 0
    return float((negative[1:] != negative[:-1]).mean()) if len(samples) > 1 else 0.0
