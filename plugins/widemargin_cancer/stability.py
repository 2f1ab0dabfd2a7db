r"""How steady a choice of genes is over resamples.

With M signatures of :math:`k_1, \dots, k_M` genes out of d, of which gene f is in a share
:math:`\hat p_f`,

.. math::
    \hat\Phi = 1 - \frac{\frac1d \sum_f \frac{M}{M-1} \hat p_f (1 - \hat p_f)}
                        {\frac{\bar k}{d} \left(1 - \frac{\bar k}{d}\right)}

is 1 where all are the same and 0, on average, where genes are drawn by lot; its variance, and so
its interval, come from the same paper: Nogueira, Sechidis & Brown 2018, "On the stability of
feature selection algorithms", JMLR 18(174).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Stability", "draw_units", "stability"]

_Z = 1.959963984540054


@dataclass(frozen=True)
class Stability:
    """The index with its 95% interval."""

    index: float
    low: float
    high: float


def stability(chosen: NDArray[np.bool_]) -> Stability | None:
    """Return the stability index of some signatures.

    Parameters
    ----------
    chosen : ndarray of shape (n_resamples, n_genes)
        Whether each gene is in the signature of each resample.

    Returns
    -------
    Stability or None
        None where it is undefined: fewer than two signatures, or all genes or none in each.

    Examples
    --------
    >>> same = np.array([[True, False, False]] * 3)
    >>> stability(same).index
    1.0
    """
    n_resamples, n_genes = chosen.shape
    own = chosen.sum(axis=1)
    mean = own.mean() / n_genes
    if n_resamples < 2 or not 0 < mean < 1:
        return None
    share = chosen.mean(axis=0)
    by_lot = mean * (1 - mean)
    index = 1 - n_resamples / (n_resamples - 1) * (share * (1 - share)).mean() / by_lot
    sizes = own / n_genes
    each = (
        (chosen * share).mean(axis=1)
        - sizes * mean
        + index / 2 * (2 * mean * sizes - sizes - mean + 1)
    ) / by_lot
    half = _Z * 2 / n_resamples * float(np.sqrt(((each - each.mean()) ** 2).sum()))
    return Stability(float(index), max(-1.0, float(index) - half), min(1.0, float(index) + half))


def draw_units(
    y: NDArray[Any], groups: NDArray[Any] | None, share: float, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Draw a share of each class without replacement; a patient's samples come together.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Classes.
    groups : ndarray of shape (n_samples,), optional
        Patients; each counts among the class of the first sample.
    share : float
        The share drawn; at least two units of each class, where it has two.
    rng : numpy.random.Generator
        The source of chance.

    Returns
    -------
    ndarray of int
        Rows, ascending.
    """
    units = np.arange(len(y)) if groups is None else np.unique(groups, return_inverse=True)[1]
    first = np.unique(units, return_index=True)[1]
    drawn = []
    for name in np.unique(y[first]):
        own = units[first][y[first] == name]
        count = min(len(own), max(2, round(share * len(own))))
        drawn.append(rng.choice(own, count, replace=False))
    return np.flatnonzero(np.isin(units, np.concatenate(drawn)))
