"""Recordings as encoders need them: long enough, not silent, and which of them are not read whole.

Of a recording without sound, or with less of it than a step of analysis, nothing can be said; it
would else get the answer that silence happens to lie beside. A whole frame is not asked for: drum
kits hold clicks of 17 ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Columns
from widemargin.encoders.sound.reading import name_of, read_sound, seconds_of, sounds_of
from widemargin.encoders.unreadable import Unreadable, count_rows
from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.encoders.sound.reading import Sound

__all__ = ["MOST_SECONDS", "REFUSED", "read_recording", "unread_recordings"]

REFUSED = "silence, and less than a step"
"""What no encoder of recordings takes; kept vectors of times when they did are not used."""

MOST_SECONDS = 600
"""The most that encoders can be told to read of a recording."""

_SILENT = 1e-5  # of full scale, 100 dB below it: less than the smallest step of 16 bits


def read_recording(
    item: Sound, rate: int, max_seconds: float, encoder: str, least: int
) -> NDArray[np.float64]:
    """Return a recording's samples as `read_sound` does, and refuse one that says nothing.

    Parameters
    ----------
    item, rate, max_seconds, encoder
        As in `read_sound`.
    least : int
        Samples of the shortest recording that is taken: those of one step.

    Raises
    ------
    DataError
        Where it cannot be read, is shorter than that, or silent.

    Examples
    --------
    >>> read_recording(np.zeros(800), 8000, 1.0, "mfcc", 200)
    Traceback (most recent call last):
    ...
    widemargin.errors.DataError: a recording of 800 samples: is silent, in all of the 0.1 seconds \
that are read. Record it again, or leave it out.
    """
    samples = read_sound(item, rate, max_seconds, encoder)
    seconds, shortest = len(samples) / rate, least / rate
    if len(samples) < least:
        raise DataError(
            f"{name_of(item)}: lasts {1000 * seconds:.3g} ms, less than the "
            f"{1000 * shortest:.3g} ms that {encoder} needs. Record more of it, or leave it out."
        )
    if float(np.abs(samples).max()) < _SILENT:
        raise DataError(
            f"{name_of(item)}: is silent, in all of the {seconds:.3g} seconds that are read. "
            "Record it again, or leave it out."
        )
    return samples


def unread_recordings(
    X: Columns | Sequence[Any], rate: int, max_seconds: float, encoder: str
) -> dict[int, str]:
    """Say of each recording that is longer than what is read of it how much is.

    Parameters
    ----------
    X : columns or sequence
        As for `sounds_of`; those that cannot be read are left to whoever reads them.
    rate : int
        Samples a second of arrays.
    max_seconds : float
        Seconds that the encoder reads.
    encoder : str
        Its name.

    Returns
    -------
    dict of int to str
        By row, the longest first.

    Examples
    --------
    >>> unread_recordings([np.ones(8000), np.ones(20_000)], 8000, 2.0, "mfcc")[1]
    'mfcc reads the first 2 of its 2.5 seconds; {name: mfcc, max_seconds: 3} in features.encoder \
reads all of it'
    """
    found = Unreadable(count_rows(X))
    lengths = {}
    for row, item in found.items(sounds_of, X).items():
        with found.at([row]):
            lengths[row] = seconds_of(item, rate, encoder)
    longest = sorted(lengths.items(), key=lambda pair: -pair[1])
    # Ten milliseconds are less than any sound, and as much as a coded file may be padded by.
    return {
        row: f"{encoder} reads the first {max_seconds:g} of its {seconds:,.4g} seconds; "
        f"{_remedy(encoder, seconds)}"
        for row, seconds in longest
        if seconds > max_seconds + 0.01
    }


def _remedy(encoder: str, seconds: float) -> str:
    if seconds > MOST_SECONDS:
        return f"cut it into pieces, since max_seconds goes up to {MOST_SECONDS}"
    return f"{{name: {encoder}, max_seconds: {ceil(seconds)}}} in features.encoder reads all of it"
