r"""The points scorecard of a linear machine on weights of evidence.

With log-odds of bad :math:`a f(x) + b` and a decision :math:`f(x) = \sum_j w_j e_j(x) + c`, where
:math:`e_j` is the weight of evidence of the bin that column j falls into, the score

.. math:: s = s_0 + \frac{\mathrm{pdo}}{\ln 2} \left(-a f(x) - b - \ln o_0\right)

is a base and a number of points for each column's bin (Siddiqi 2006, "Credit Risk Scorecards").
"""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.encoders import Columns, TabularEncoder
from widemargin_credit.deciding import Decider, Scale, decider_of_run
from widemargin_credit.loan import LoanEncoder

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Line", "Scorecard", "card_of", "scorecard"]


@dataclass(frozen=True)
class Line:
    """One bin of one column.

    Parameters
    ----------
    column, bin : str
        Where it belongs, and its values in words.
    good, bad : int
        Training rows in it.
    points : float
        What it adds to the score.
    """

    column: str
    bin: str
    good: int
    bad: int
    points: float


@dataclass(frozen=True)
class Scorecard:
    """Points for each bin, which add up to the score.

    Parameters
    ----------
    base : float
        What everybody has.
    lines : tuple of Line
        The bins, column by column.
    scale : Scale
        What a score means.
    """

    base: float
    lines: tuple[Line, ...]
    scale: Scale
    _encoders: tuple[tuple[tuple[str, ...], Any, NDArray[np.float64]], ...]

    def points(self, X: Columns) -> NDArray[np.float64]:
        """Return what each column adds, of shape (n_applications, n_columns), looked up by bin."""
        found = []
        for columns, encoder, weights in self._encoders:
            tabular, derived = _evidence(encoder, {name: X[name] for name in columns})
            for weight, name in zip(weights, tabular.columns_, strict=True):
                binning = tabular.binnings_[name]
                each = np.array([own.evidence for own in binning.bins]) * weight
                found.append(each[binning.places(_values(tabular, name, derived[name]))])
        return np.column_stack(found)

    def score(self, X: Columns) -> NDArray[np.float64]:
        """Return the scores: the base and each application's points, added up."""
        total: NDArray[np.float64] = self.base + self.points(X).sum(axis=1)
        return total

    def csv(self) -> str:
        """Return the card as CSV, with all digits."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["column", "bin", "good", "bad", "points"])
        writer.writerow(["base", "", "", "", repr(self.base)])
        for line in self.lines:
            writer.writerow([line.column, line.bin, line.good, line.bad, repr(line.points)])
        return out.getvalue()


def scorecard(run: Any) -> Scorecard | None:
    """Return the scorecard of a run; None where its machine is not linear on weights of evidence.

    Parameters
    ----------
    run : Run
        What ``widemargin.load`` or ``widemargin.run`` returned.
    """
    decider = decider_of_run(run)
    return card_of(decider, decider.sample()) if decider.population else None


def card_of(decider: Decider, X: Columns) -> Scorecard | None:
    """Return the scorecard of a model, its scale laid by some applications."""
    if decider.coef is None or not hasattr(decider.features, "blocks_"):
        return None
    features = decider.features
    scale = decider.scale(X)
    parts, lines = [], []
    for (name, columns, encoder), times in zip(features.blocks, features.scales_, strict=True):
        tabular = encoder.tabular_ if isinstance(encoder, LoanEncoder) else encoder
        if not isinstance(tabular, TabularEncoder):
            return None
        weights = scale.per_margin * times * decider.coef[features.blocks_[name]]
        if len(tabular.binnings_) != len(weights):
            return None  # some columns are not weighed
        parts.append((tuple(columns), encoder, weights))
        lines += [
            Line(column, own.label, own.rows[1], own.rows[0], float(own.evidence * weight))
            for weight, column in zip(weights, tabular.columns_, strict=True)
            for own in tabular.binnings_[column].bins
        ]
    rows = features.transform(X)
    intercept = float((decider.judge(X).decision - rows @ decider.coef).mean())
    return Scorecard(float(scale.points(intercept)), tuple(lines), scale, tuple(parts))


def _evidence(encoder: Any, X: Columns) -> tuple[TabularEncoder, Any]:
    if isinstance(encoder, LoanEncoder):
        return encoder.tabular_, encoder.derive(X)
    return encoder, X


def _values(tabular: TabularEncoder, name: str, column: Any) -> Any:
    if name in tabular.numeric_:
        from widemargin.data import parse_numbers

        return parse_numbers(column)
    return [None if _missing(value) else str(value) for value in column]


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
