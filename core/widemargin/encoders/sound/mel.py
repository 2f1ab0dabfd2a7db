r"""Mel spectra: how much power a recording has in each band that the ear tells apart, over time.

Frame `t` is centred on sample :math:`t h` of a recording padded with silence, weighed by a Hann
window, and its power spectrum :math:`|X_t(f)|^2` summed by triangles that are equally wide on

.. math:: \mathrm{mel}(f) = 2595 \log_{10}(1 + f / 700)

(Davis & Mermelstein 1980, doi:10.1109/TASSP.1980.1163420; the formula is O'Shaughnessy's, 1987).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Spectra", "mel_filters"]

_LOWEST = 20.0  # Hz; below it nothing is heard, and recordings hold rumble
_FRAMES = 1024  # frames that are transformed at a time


@dataclass(frozen=True)
class Spectra:
    """Short-time spectra at fixed settings.

    Parameters
    ----------
    rate : int
        Samples a second.
    frame, hop : float
        Length of a frame, and the step from one to the next, in milliseconds.
    n_mels : int
        Number of bands.

    Examples
    --------
    >>> spectra = Spectra(rate=16000, frame=25.0, hop=10.0, n_mels=40)
    >>> spectra.mel(np.zeros(16000)).shape
    (100, 40)
    """

    rate: int
    frame: float
    hop: float
    n_mels: int

    @property
    def n_frame(self) -> int:
        """Samples of a frame."""
        return max(2, round(self.frame * self.rate / 1000))

    @property
    def n_hop(self) -> int:
        """Samples from one frame to the next."""
        return max(1, round(self.hop * self.rate / 1000))

    @property
    def shortest(self) -> int:
        """Samples of the shortest recording of which anything can be said: one step, or frame."""
        return min(self.n_frame, self.n_hop)

    @property
    def n_fft(self) -> int:
        """Length of the transform: a power of 2, fine enough for the narrowest band."""
        narrowest = _edges(self.n_mels, self.rate)
        needed = max(self.n_frame, self.rate / (narrowest[1] - narrowest[0]))
        return int(2 ** np.ceil(np.log2(needed)))

    def power(self, samples: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return power spectra of shape (n_frames, n_fft // 2 + 1); one frame a hop.

        Parameters
        ----------
        samples : ndarray of shape (n_samples,)
            At least one.
        """
        size, hop = self.n_frame, self.n_hop
        before = size // 2
        n_frames = 1 + (len(samples) - 1) // hop
        padded = np.zeros((n_frames - 1) * hop + size)
        kept = min(len(samples), len(padded) - before)
        padded[before : before + kept] = samples[:kept]
        frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
        window = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(size) + 0.5) / size)
        power = np.empty((n_frames, self.n_fft // 2 + 1))
        for start in range(0, n_frames, _FRAMES):
            spectrum = np.fft.rfft(frames[start : start + _FRAMES] * window, self.n_fft)
            power[start : start + _FRAMES] = spectrum.real**2 + spectrum.imag**2
        # A sine of amplitude 1 has the peak 1 whatever the window's length.
        power *= (2 / window.sum()) ** 2
        return power

    def mel(self, samples: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the power of each band, of shape (n_frames, n_mels)."""
        return self.bands(self.power(samples))

    def bands(self, power: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum power spectra to bands, of shape (n_frames, n_mels)."""
        filters = mel_filters(self.n_mels, self.n_fft, self.rate)
        bands: NDArray[np.float64] = power @ filters.T
        return bands


@lru_cache(maxsize=16)
def mel_filters(n_mels: int, n_fft: int, rate: int) -> NDArray[np.float64]:
    """Return the triangles of shape (n_mels, n_fft // 2 + 1), each 1 at its middle.

    Examples
    --------
    >>> mel_filters(40, 512, 16000).shape
    (40, 257)
    """
    edges = _edges(n_mels, rate)
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    frequencies = np.arange(n_fft // 2 + 1) * rate / n_fft
    rising = (frequencies - low) / (middle - low)
    falling = (high - frequencies) / (high - middle)
    filters = np.maximum(0.0, np.minimum(rising, falling))
    filters.setflags(write=False)
    return filters


def _edges(n_mels: int, rate: int) -> NDArray[np.float64]:
    low, high = (2595 * np.log10(1 + f / 700) for f in (_LOWEST, rate / 2))
    edges: NDArray[np.float64] = 700 * (10 ** (np.linspace(low, high, n_mels + 2) / 2595) - 1)
    return edges
