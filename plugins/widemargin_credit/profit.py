"""What decisions cost and earn: the threshold that costs imply, and profit by share accepted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from widemargin import Predictions, ReportSection
from widemargin.evaluation import Facts, Lines, Series
from widemargin_credit.applications import BAD, GOOD

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["profit_curve", "profit_sections"]

_POINTS = 200


def profit_curve(
    bad: Sequence[float],
    is_bad: Sequence[bool],
    weight: Sequence[float],
    costs: tuple[float, float],
) -> tuple[list[float], list[float]]:
    """Return the share accepted and the profit per application, the safest accepted first.

    A good credit earns what refusing it would cost, and a bad one loses what accepting it costs.

    Examples
    --------
    >>> profit_curve([0.1, 0.9], [False, True], [1.0, 1.0], (5.0, 1.0))
    ([0.0, 0.5, 1.0], [0.0, 0.5, -2.0])
    """
    likely, truth, weights = (np.asarray(own, dtype=np.float64) for own in (bad, is_bad, weight))
    order = np.argsort(likely, kind="stable")
    earned = np.where(truth[order] > 0, -costs[0], costs[1]) * weights[order]
    total = weights.sum()
    # Applications of equal probability are accepted together.
    ends = np.append(np.diff(likely[order]) > 0, True)
    accepted = np.concatenate([[0.0], np.cumsum(weights[order])[ends] / total])
    profit = np.concatenate([[0.0], np.cumsum(earned)[ends] / total])
    return accepted.tolist(), profit.tolist()


def profit_sections(predictions: Predictions) -> list[ReportSection]:
    """Say what the costs imply, and draw the profit curve; nothing where there are no costs."""
    if predictions.probability is None or set(predictions.classes) != {GOOD, BAD}:
        return []
    if not predictions.costs:
        return []
    place = predictions.classes.index(BAD)
    bad = predictions.probability[:, place]
    is_bad = predictions.y_true == place
    weight = predictions.weight
    costs = (predictions.costs[place], predictions.costs[1 - place])
    threshold = costs[1] / (costs[0] + costs[1])
    refused = predictions.y_pred == place

    def mean_cost(refuses: np.ndarray) -> float:
        lost = np.where(is_bad & ~refuses, costs[0], 0.0)
        lost += np.where(~is_bad & refuses, costs[1], 0.0)
        return float((lost * weight).sum() / weight.sum())

    own, nobody = mean_cost(refused), mean_cost(np.ones_like(refused))
    everybody = mean_cost(np.zeros_like(refused))
    accepted, profit = profit_curve(bad.tolist(), is_bad.tolist(), weight.tolist(), costs)
    best = int(np.argmax(profit))
    share = float(1 - (weight * refused).sum() / weight.sum())
    share_good = float((weight * ~is_bad).sum() / weight.sum())
    hindsight = costs[1] * share_good - profit[best]
    return [
        ReportSection(
            title="What mistakes cost",
            intro=(
                "An application is refused where that is expected to cost less than accepting it. "
                "All numbers are of applications that the models had not seen. "
                + _verdict(own, everybody, nobody)
            ),
            blocks=[
                Facts(
                    pairs=[
                        ("Accepting a bad application costs", f"{costs[0]:g}"),
                        ("Refusing a good one costs", f"{costs[1]:g}"),
                        (
                            "Refused from a probability of bad of",
                            f"{threshold:.1%}, which is {costs[1]:g} / ({costs[0]:g} + "
                            f"{costs[1]:g})",
                        ),
                        ("Share refused", f"{1 - share:.1%}"),
                        ("Mean cost", f"{own:.3f}"),
                        ("... accepting everybody", f"{everybody:.3f}"),
                        ("... refusing everybody", f"{nobody:.3f}"),
                        ("... refusing from 50%", f"{mean_cost(bad >= 0.5):.3f}"),
                        (
                            "... where it is least in hindsight",
                            f"{hindsight:.3f}, {_bound_in_words(bad, best)}",
                        ),
                    ]
                ),
                Lines(
                    title="Profit by the share accepted",
                    x_label="share of applications accepted, the safest first",
                    y_label="profit per application",
                    series=[
                        _thinned("by score", accepted, profit),
                        Series(name="by lot", x=[0.0, 1.0], y=[0.0, profit[-1]], style="reference"),
                    ],
                    x_range=(0.0, 1.0),
                    vertical=[(share, "accepted by the costs")],
                    note=f"A good credit earns {costs[1]:g}, what refusing it would cost; a bad "
                    f"one loses {costs[0]:g}. In hindsight {profit[best]:.3f} is most, with "
                    f"{accepted[best]:.0%} accepted.",
                ),
            ],
        )
    ]


def _bound_in_words(bad: NDArray[np.float64], place: int) -> str:
    """Say who is refused where the `place` least different probabilities are accepted."""
    bounds = np.unique(bad)
    if place == len(bounds):
        return "accepting everybody"
    return "refusing everybody" if not place else f"refusing from {bounds[place]:.1%}"


def _verdict(own: float, everybody: float, nobody: float) -> str:
    """Say whether the model is worth having at these costs."""
    least = min(everybody, nobody)
    crowd = "accepting" if everybody <= nobody else "refusing"
    if own < least:
        return (
            f"The model's decisions cost {own:.3f} an application; {crowd} everybody, the cheaper "
            f"of the two ways to do without one, would cost {least:.3f}."
        )
    return (
        f"The model is not worth having at these costs: its decisions cost {own:.3f} an "
        f"application, and {crowd} everybody {least:.3f}."
    )


def _thinned(name: str, x: Sequence[float], y: Sequence[float]) -> Series:
    kept = np.unique(np.linspace(0, len(x) - 1, min(len(x), _POINTS)).astype(int)).tolist()
    best = int(np.argmax(y))
    places = sorted({*kept, best})
    return Series(name=name, x=[x[at] for at in places], y=[y[at] for at in places])
