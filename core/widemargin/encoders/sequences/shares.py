"""What each letter of a sequence adds, given what its stretches of letters do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from widemargin.contracts import Share

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["letter_shares", "spread"]


def spread(
    places: NDArray[np.intp], parts: NDArray[np.float64], n_letters: int
) -> NDArray[np.float64]:
    """Divide each part equally among the letters that it belongs to.

    Parameters
    ----------
    places : ndarray of shape (n_parts, n_letters_each)
        The letters of each part.
    parts : ndarray of shape (n_parts,)
        What each adds.
    n_letters : int
        Letters in all.

    Returns
    -------
    ndarray of shape (n_letters,)
        With the sum of `parts`.

    Examples
    --------
    >>> spread(np.array([[0, 1], [1, 2]]), np.array([1.0, 4.0]), 3)
    array([0.5, 2.5, 2. ])
    """
    each = np.repeat(parts / max(1, places.shape[1]), places.shape[1])
    total: NDArray[np.float64] = np.bincount(places.ravel(), each, n_letters).astype(np.float64)
    return total


def letter_shares(letters: str, values: NDArray[np.float64]) -> list[Share]:
    """Name the letters of a sequence by their places, as ``K12``, white space aside.

    Parameters
    ----------
    letters : str
        The sequence in capitals.
    values : ndarray of shape (len(letters),)
        What each adds.

    Examples
    --------
    >>> [(one.piece, one.letter) for one in letter_shares("M KT", np.zeros(4))]
    [('M1', 1), ('K2', 2), ('T3', 3)]
    """
    shown = [
        (letter, value)
        for letter, value in zip(letters, values.tolist(), strict=True)
        if not letter.isspace()
    ]
    return [
        Share(f"{letter}{number}", value, letter=number)
        for number, (letter, value) in enumerate(shown, 1)
    ]
