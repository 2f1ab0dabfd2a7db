r"""Temperature: :math:`p \propto \exp(\beta f)` for more than two classes.

Guo et al. 2017, "On calibration of modern neural networks". It never changes the order of the
classes.

One-vs-one decisions are whole votes with a third of a vote's worth of margins (see
`widemargin.svm.machine.vote`), so one temperature tells little of how clearly duels were won. The
class's mean margin :math:`m` can be read back from the third, and gets a temperature of its own:
:math:`p \propto \exp(\beta f + \gamma m')`, where :math:`m'` are the row's mean margins dealt out
again in the order of the votes, which keeps that order.

The targets that are fitted to count one made-up row in equal shares of the classes (Perks 1947,
"Some observations on inverse probability"): the true class gets :math:`(n + 1/K) / (n + 1)`, which
keeps separable rows from certainty. One row of each class, as the rule of succession has it, told
93% of ten digits of which 98% were right, and each class's own rows, as Platt counts them, 80%.

Class weights move the decisions, and rare classes that weigh much come out too probable. Then each
class has an offset: :math:`p \propto \exp(\beta f + \gamma m' + b)`, which a made-up row of each
class holds to 0 where rows are few. The most probable class may then be another than the decisions
say; `label_weights` bring their order back. Without class weights there are none, so that the label
is the most probable class.

Measured: log loss, where both the machine (rbf, C = 1) and the calibration are cross-validated, all
by the rule of succession and without offsets.

=====================================  ======  ======  ======
calibration                            digits  iris    wine
=====================================  ======  ======  ======
one temperature on votes               0.203   0.173   0.082
one temperature on mean margins        0.121   0.102   0.066
a slope and offset a class, on votes   0.214   0.173   0.089
isotonic                               0.126   0.139   0.116
both temperatures                      0.108   0.103   0.065
=====================================  ======  ======  ======

A temperature on mean margins alone also changes the prediction of 1.5% of the digits for the worse.

Log loss and expected calibration error on new rows, with class weights
(``python tests/benchmarks/calibration.py``): rows counted as they weigh, by the rule of succession;
temperatures of rows as they come; the same with offsets, which is what is done; the probabilities
of pairs coupled (Wu, Lin & Weng 2004); isotonic.

=================  ===========  ===========  ===========  ===========  ===========
data               weighed      as it comes  offsets      coupled      isotonic
=================  ===========  ===========  ===========  ===========  ===========
proteins, root     1.290 0.147  1.246 0.052  1.237 0.024
... balanced       1.446 0.251  1.265 0.051  1.247 0.025
sounds             0.853 0.080  0.841 0.041  0.826 0.052
digits             0.127 0.054  0.118 0.041  0.103 0.023  0.100 0.048  0.127 0.041
... uneven         0.185 0.069  0.166 0.022  0.153 0.018  0.177 0.080
iris, uneven       0.196 0.062  0.161 0.010  0.153 0.010  0.145 0.059
wine               0.094 0.009  0.088 0.009  0.093 0.010  0.095 0.039  0.128 0.008
... uneven         0.116 0.034  0.105 0.014  0.106 0.007  0.135 0.038
=================  ===========  ===========  ===========  ===========  ===========

Coupled pairs lose least on digits and uneven irises, elsewhere more, and are worse calibrated;
isotonic regression loses more. With offsets another class than the label is the most probable in
10% of the proteins and 0.9% of the digits. Of two classes, where a sigmoid takes the weights out of
the odds: spam, balanced, from 0.055 0.027 to 0.032 0.002; credit, without costs, from 0.538 0.146
to 0.478 0.021.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from widemargin.svm.calibration.softmax import fit_softmax, softmax

__all__ = ["Temperature", "fit_temperature"]


@dataclass(frozen=True)
class Temperature:
    """A softmax of the decision.

    Parameters
    ----------
    decision, margin : float
        The inverse temperatures of the decision, above 0, and of the mean margins, 0 where the
        decisions are no votes.
    offsets : tuple of float
        What is added to each class's scores; empty where nothing is.

    Examples
    --------
    >>> Temperature(0.7).probabilities(np.array([[0.0, 1.0, 2.0]])).round(2)
    array([[0.14, 0.28, 0.57]])
    """

    decision: float
    margin: float = 0.0
    offsets: tuple[float, ...] = ()

    @property
    def label_weights(self) -> tuple[float, ...]:
        """By what probabilities are multiplied to be in the order of the decisions again."""
        return tuple(float(np.exp(-own)) for own in self.offsets)

    def probabilities(self, decision: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return probabilities of the shape of the decisions, (n_samples, n_classes)."""
        scores = self.decision * decision
        if self.margin:
            scores += self.margin * ordered_margins(decision)
        if self.offsets:
            scores += np.array(self.offsets)
        return softmax(scores.T).T

    def to_data(self) -> dict[str, Any]:
        """Return JSON."""
        told = {"method": "temperature", "decision": self.decision, "margin": self.margin}
        return told | ({"offsets": list(self.offsets)} if self.offsets else {})


def ordered_margins(decision: NDArray[np.float64]) -> NDArray[np.float64]:
    """Read the classes' mean margins out of votes, and deal them out in the order of the votes.

    Parameters
    ----------
    decision : ndarray of shape (n_samples, n_classes)
        What `widemargin.svm.machine.vote` returned.

    Examples
    --------
    The second class won both its duels narrowly, the third only one, with ease:

    >>> from widemargin.svm.machine import vote
    >>> decision = vote(np.array([[-0.1], [-5.0], [0.1]]), 3)
    >>> decision.round(2)
    array([[-0.28,  2.06,  1.28]])
    >>> ordered_margins(decision).round(2)
    array([[-2.55,  2.45,  0.1 ]])
    """
    rest = decision - np.rint(decision)
    # The inverse of vote's squeezing; a margin too large for its digits is cut.
    margin: NDArray[np.float64] = (
        3 * rest / np.maximum(1 - 3 * np.abs(rest), 1e-12) / (decision.shape[1] - 1)
    )
    order = np.argsort(-decision, axis=1, kind="stable")
    dealt: NDArray[np.float64] = np.empty_like(margin)
    np.put_along_axis(dealt, order, -np.sort(-margin, axis=1), axis=1)
    return dealt


def fit_temperature(
    decision: NDArray[np.float64],
    codes: NDArray[np.int64],
    weight: NDArray[np.float64],
    *,
    offsets: bool = False,
) -> Temperature:
    """Fit to held-out decisions of shape (n_samples, n_classes), with an offset a class or without.

    Examples
    --------
    >>> fitted = fit_temperature(np.eye(3), np.arange(3), np.ones(3))
    >>> fitted.probabilities(np.eye(3)).diagonal().round(4)
    array([0.8333, 0.8333, 0.8333])
    """
    features = [decision, ordered_margins(decision)] if _are_votes(decision) else [decision]
    sizes = np.array([np.sqrt(np.mean(own**2)) or 1.0 for own in features])
    # Two numbers are fitted to all rows, so all are counted, and one more in equal shares.
    n, n_classes = weight.sum(), decision.shape[1]
    target = (n * np.eye(n_classes)[:, codes] + 1 / n_classes) / (n + 1)
    lower = np.array([np.exp(-5), 0.0])[: len(features)]
    scaled = np.stack([own.T / size for own, size in zip(features, sizes, strict=True)])
    if offsets:
        # What holds offsets to 0 where rows are few: a made-up row that has nothing else, even
        # between the classes, and counts as one row of each.
        scaled = np.concatenate([scaled, np.zeros((len(features), n_classes, 1))], axis=2)
        target = np.column_stack([target, np.full(n_classes, 1 / n_classes)])
        weight = np.append(weight, float(n_classes))
    found = fit_softmax(scaled, target, weight, start=lower + 0.5, lower=lower, offsets=offsets)
    decided, margin = [*(found[: len(sizes)] / sizes).tolist(), 0.0][:2]
    # The first class's is 0, and so is their sum when they are told.
    own = np.append(0.0, found[len(sizes) :])
    return Temperature(decided, margin, tuple((own - own.mean()).tolist()) if offsets else ())


def _are_votes(decision: NDArray[np.float64]) -> bool:
    """Say whether every row's whole parts add up to the number of duels."""
    whole = np.rint(decision)
    n_classes = decision.shape[1]
    of_duels = whole.sum(axis=1) == n_classes * (n_classes - 1) // 2
    return bool(of_duels.all() and np.abs(decision - whole).max() < 1 / 3)
