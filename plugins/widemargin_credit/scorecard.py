r"""The points scorecard of a linear machine on weights of evidence.

With log-odds of bad :math:`a f(x) + b` and a decision :math:`f(x) = \sum_j w_j e_j(x) + c`, where
:math:`e_j` is the weight of evidence of the bin that column j falls into, the score

.. math:: s = s_0 + \frac{\mathrm{pdo}}{\ln 2} \left(-a f(x) - b - \ln o_0\right)

is a base and a number of points for each column's bin (Siddiqi 2006, "Credit Risk Scorecards").
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.encoders import Columns, TabularEncoder
from widemargin_credit.applications import BAD
from widemargin_credit.deciding import Decider, Scale, applications_for, decider_of_run
from widemargin_credit.loan import LoanEncoder

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["Line", "Scorecard", "bent_columns", "card_of", "scorecard"]

_LEAST_GAIN = 0.1
_SURE = 3.0


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
    _read: Callable[[pd.DataFrame], pd.DataFrame]
    _encoders: tuple[tuple[tuple[str, ...], Any, NDArray[np.float64]], ...]

    def points(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return what each column adds, of shape (n_applications, n_columns), looked up by bin.

        Raises
        ------
        DataError
            Where a column is absent.
        """
        X = self._read(X)
        found = []
        for columns, encoder, weights in self._encoders:
            tabular, derived = _evidence(encoder, {name: X[name] for name in columns})
            places = tabular.bin_places(derived)
            for weight, name in zip(weights, tabular.columns_, strict=True):
                each = np.array([own.evidence for own in tabular.binnings_[name].bins]) * weight
                found.append(each[places[name]])
        return np.column_stack(found)

    def score(self, X: pd.DataFrame) -> NDArray[np.float64]:
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
    read = partial(applications_for, decider)
    return Scorecard(float(scale.points(intercept)), tuple(lines), scale, read, tuple(parts))


def bent_columns(features: Any, X: Columns, y: NDArray[Any]) -> list[tuple[str, float, float]]:
    r"""Find numbers along which risk seems to rise and fall, which monotone bins cannot follow.

    By chance alone k bins have an information of :math:`(k - 1)\, n / (n_0 n_1)` in n rows of two
    classes; three times that is asked for, and at least 0.1.

    Returns
    -------
    list of (str, float, float)
        The column, its information value in monotone bins, and that in bins that may rise and fall.
    """
    found: dict[str, tuple[str, float, float]] = {}
    for _, columns, encoder in getattr(features, "blocks", ()):
        tabular, derived = _evidence(encoder, {name: X[name] for name in columns})
        if not isinstance(tabular, TabularEncoder) or tabular.bins != "tree":
            continue
        names = [name for name in tabular.binnings_ if name in tabular.numeric_]
        numbers = {name: np.asarray(derived[name], dtype=np.float64) for name in names}
        free = TabularEncoder(**{**tabular.get_params(), "free": tuple(names)}).fit(numbers, y)
        n, n_bad = len(y), int((y == BAD).sum())
        for name, binning in free.binnings_.items():
            by_chance = (len(binning.bins) - 1) * n / (n_bad * (n - n_bad))
            own, other = tabular.binnings_[name].information_value, binning.information_value
            if other - own > max(_LEAST_GAIN, _SURE * by_chance):
                found.setdefault(name, (name, own, other))
    return list(found.values())


def _evidence(encoder: Any, X: Columns) -> tuple[TabularEncoder, Any]:
    if isinstance(encoder, LoanEncoder):
        return encoder.tabular_, encoder.derive(X)
    return encoder, X
