r"""Sigmoid: :math:`p = 1 / (1 + \exp(A f + B))` for two classes.

Platt 1999, "Probabilistic outputs for support vector machines", with his smoothed targets:
:math:`(n_1 + 1) / (n_1 + 2)` for the second class's rows and :math:`1 / (n_0 + 2)` for the
first's, which keep separable rows from certainty; fitted by Newton's method as Lin, Lin & Weng 2007
(doi:10.1007/s10994-007-5018-6) advise. A stays at most 0: decisions that say the contrary leave the
share of the classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from widemargin.svm.calibration.softmax import fit_softmax, softmax

__all__ = ["Sigmoid", "fit_sigmoid"]


@dataclass(frozen=True)
class Sigmoid:
    """A sigmoid of the decision.

    Parameters
    ----------
    slope, offset : float
        A and B above.

    Examples
    --------
    >>> Sigmoid(-2.0, 0.0).probabilities(np.array([0.0, 1.0])).round(2)
    array([[0.5 , 0.5 ],
           [0.12, 0.88]])
    """

    slope: float
    offset: float

    def probabilities(self, decision: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return probabilities of shape (n_samples, 2) for decisions of shape (n_samples,)."""
        first = self.slope * decision + self.offset
        return softmax(np.stack([first, np.zeros_like(first)])).T

    def to_data(self) -> dict[str, Any]:
        """Return JSON."""
        return {"method": "sigmoid", "slope": self.slope, "offset": self.offset}


def fit_sigmoid(
    decision: NDArray[np.float64], codes: NDArray[np.int64], weight: NDArray[np.float64]
) -> Sigmoid:
    """Fit to held-out decisions of shape (n_samples,).

    Examples
    --------
    >>> fitted = fit_sigmoid(np.array([-1.0, 1.0]), np.array([0, 1]), np.ones(2))
    >>> fitted.probabilities(np.array([1.0])).round(4)
    array([[0.3333, 0.6667]])
    """
    above, below = weight[codes == 1].sum(), weight[codes == 0].sum()
    second = np.where(codes == 1, (above + 1) / (above + 2), 1 / (below + 2))
    # Unit size, so that the decisions' unit has no say in the fit.
    size = float(np.sqrt(np.mean(decision**2))) or 1.0
    nothing = np.zeros_like(decision)
    features = np.array([[nothing, decision / size], [nothing, nothing + 1]])
    slope, offset = fit_softmax(
        features,
        np.stack([1 - second, second]),
        weight,
        start=np.array([0.0, np.log((above + 1) / (below + 1))]),
        lower=np.array([0.0, -np.inf]),
    )
    return Sigmoid(-float(slope) / size, -float(offset))
