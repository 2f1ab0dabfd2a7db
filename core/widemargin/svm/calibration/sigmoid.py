r"""Sigmoid: :math:`p = 1 / (1 + \exp(A f + B))` for two classes.

Platt 1999, "Probabilistic outputs for support vector machines", with his smoothed targets:
:math:`(n_1 + 1) / (n_1 + 2)` for the second class's rows and :math:`1 / (n_0 + 2)` for the
first's, which keep separable rows from certainty; fitted by Newton's method as Lin, Lin & Weng 2007
(doi:10.1007/s10994-007-5018-6) advise. A stays at most 0: decisions that say the contrary leave the
share of the classes.

Two or three held-out rows a class say little of A and B. Where they happen to lie close to 0,
Platt's fit tells rows that lie further out with certainty; where they lie on one side of 0, it
calls nearly all others by one class. So three rows are made up, a prior in the form of data
(Bedrick, Christensen & Johnson 1996, "A new perspective on priors for generalized linear models"):
one of weight 4 in the margin's middle, even between the classes, and one of weight 1/4 at each of
its edges, a decision of -1 or 1, of that side's class by 98%. Where the rarer class has m rows, the
share 1 - (m / 10)^2 of that weight is left, and from 10 on none: the fit is then Platt's. So it is
where a network was trained on the machine's rows: held-out ones then lie on one side of 0, in the
right order, and with the prior the labels of 24 pictures fell from over 80% right to 50%.

Measured: mean and largest log loss, and accuracy, of 1,024 machines that learned from 3 to 30 rows
a class of eight problems of two classes (``python tests/benchmarks/calibration.py few``). Weights,
places and shares were chosen on the same problems, among some sixty.

=============  ==========================  ==========================
held-out rows  Platt's fit                 with the prior
=============  ==========================  ==========================
2 to 4         0.748 (12.29), 0.744 right  0.570 (1.75), 0.767 right
5 to 8         0.503 (2.73), 0.776         0.499 (2.72), 0.783
9 to 16        0.399 (1.10), 0.815         0.397 (1.10), 0.818
17 to 60       0.326 (0.90), 0.842         the same
=============  ==========================  ==========================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from widemargin.svm.calibration.softmax import fit_softmax, softmax

__all__ = ["Sigmoid", "fit_sigmoid"]

_PLACE = np.array([0.0, -1.0, 1.0])
_SECOND = np.array([0.5, 0.02, 0.98])
_WEIGHT = np.array([4.0, 0.25, 0.25])
"""Decisions, second class's shares and weights of the rows that are made up."""


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
    decision: NDArray[np.float64],
    codes: NDArray[np.int64],
    weight: NDArray[np.float64],
    prior: float = 0.0,
) -> Sigmoid:
    """Fit to held-out decisions of shape (n_samples,).

    Parameters
    ----------
    decision, codes, weight : ndarray of shape (n_samples,)
        Decisions, classes and weights of the rows.
    prior : float
        Which share of their weight the made-up rows have, from 0 to 1.

    Examples
    --------
    >>> rows = np.array([-0.02, 0.01]), np.array([0, 1]), np.ones(2)
    >>> far = np.array([-1.0, 1.0])
    >>> fit_sigmoid(*rows).probabilities(far)[:, 1].round(4)
    array([0., 1.])
    >>> fit_sigmoid(*rows, prior=1.0).probabilities(far)[:, 1].round(4)
    array([0.0112, 0.989 ])
    """
    above, below = weight[codes == 1].sum(), weight[codes == 0].sum()
    second = np.where(codes == 1, (above + 1) / (above + 2), 1 / (below + 2))
    # Unit size, so that the decisions' unit has no say in the fit.
    size = float(np.sqrt(np.mean(decision**2))) or 1.0
    if prior > 0:
        size = max(size, 1e-3)
        decision = np.concatenate([decision, _PLACE])
        second = np.concatenate([second, _SECOND])
        weight = np.concatenate([weight, prior * _WEIGHT])
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
