"""Calibration: decisions into probabilities that mean what they say.

Fitted to decisions of rows that were held out when they were made. Two classes: a sigmoid, or
isotonic regression, which takes any rising shape and needs more rows for it. More classes: two
temperatures, which never change the order of the classes, or isotonic regression class by class.
A fitted calibration is a few numbers, and NumPy is all that it needs.

Probabilities are of classes as frequent as the rows are, however a machine weighed the classes: it
weighs them for its labels. Temperatures and curves are fitted to rows as they come; beside class
weights, which leave classes too probable that weigh much, temperatures have an offset a class. A
sigmoid is fitted to rows weighed as the machine's were, since its prior says that a decision of 0
is even, and that holds among them; the weights are then taken out of the odds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from widemargin.errors import ParameterError, nearest
from widemargin.svm.calibration.isotonic import Isotonic, fit_isotonic
from widemargin.svm.calibration.sigmoid import Sigmoid, fit_sigmoid
from widemargin.svm.calibration.temperature import Temperature, fit_temperature

__all__ = [
    "Calibration",
    "Isotonic",
    "Method",
    "Sigmoid",
    "Temperature",
    "certainty",
    "check_calibration",
    "fit_calibration",
    "least_cost",
    "parse_calibration",
]

Method = Literal["auto", "sigmoid", "isotonic", "temperature"]

FEWEST = 30
"""Rows of each class without which isotonic regression is refused."""

FEW = 10
"""Rows of each class from which on a sigmoid has no prior."""


class Calibration(Protocol):
    """Turns decisions into probabilities: `Sigmoid`, `Isotonic` or `Temperature`.

    Examples
    --------
    >>> calibration: Calibration = Sigmoid(-2.0, 0.0)
    >>> calibration.probabilities(np.array([0.0, 1.0])).round(2)
    array([[0.5 , 0.5 ],
           [0.12, 0.88]])
    """

    def probabilities(self, decision: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return probabilities of shape (n_samples, n_classes).

        Parameters
        ----------
        decision : ndarray of shape (n_samples,) or (n_samples, n_classes)
            With one column, above 0 speaks for the second class.
        """

    def to_data(self) -> dict[str, Any]:
        """Return what `parse_calibration` reads: JSON."""


def fit_calibration(
    decision: NDArray[np.float64],
    codes: NDArray[np.int64],
    sample_weight: NDArray[np.float64] | None = None,
    method: Method = "auto",
    class_weight: NDArray[np.float64] | None = None,
    *,
    prior: bool = True,
) -> Calibration:
    """Fit to decisions of rows that were held out when they were made.

    Parameters
    ----------
    decision : ndarray of shape (n_samples,) or (n_samples, n_classes)
        Held-out decisions.
    codes : ndarray of shape (n_samples,)
        True classes as codes.
    sample_weight : ndarray of shape (n_samples,), optional
        Weight of each row; a weight of 2 is as two rows.
    method : {"auto", "sigmoid", "isotonic", "temperature"}, default="auto"
        "sigmoid" is for two classes and "temperature" for more; "auto" takes the one that fits.
        "isotonic" goes with both, from 30 rows a class.
    class_weight : ndarray of shape (n_classes,), optional
        Factors by which the machine weighed the classes, of which the ratio alone matters.
        Probabilities are of classes as frequent as the rows weigh without them; rows of a class of
        factor 0, of more than two, count for nothing.
    prior : bool, default=True
        Whether a sigmoid of few rows leans on the margin's middle and edges.

    Returns
    -------
    Calibration

    Raises
    ------
    ParameterError
        Where the method does not go with the number of classes or has too few rows, or one of two
        classes has a factor of 0.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> f = rng.normal(size=5000)
    >>> y = (rng.random(5000) < 1 / (1 + np.exp(-(3 * f - 1)))).astype(np.int64)
    >>> fitted = fit_calibration(f, y)
    >>> bool(abs(fitted.slope + 3) < 0.3 and abs(fitted.offset - 1) < 0.2)
    True
    >>> fit_calibration(f, y, method="isotonic").probabilities(np.array([1.0])).round(1)
    array([[0.1, 0.9]])
    """
    n_classes = 2 if decision.ndim == 1 else decision.shape[1]
    weight = np.ones(len(codes)) if sample_weight is None else sample_weight
    factor = np.ones(n_classes) if class_weight is None else class_weight
    weight = weight * (factor[codes] > 0)
    check_calibration(method, codes, n_classes, weight)
    if method == "auto":
        method = "sigmoid" if n_classes == 2 else "temperature"
    if method == "sigmoid":
        if not (factor > 0).all():
            raise ParameterError(
                "of two classes one has a weight of 0, so that there is nothing to tell it from. "
                "Give both a weight above 0.",
                "class_weight",
            )
        # The rows weigh as much in all, against the prior, in whatever unit the factors are.
        factor = factor * (weight.sum() / (weight * factor[codes]).sum())
        fewest = float(np.bincount(codes, weight, 2).min())
        share = max(0.0, 1 - (fewest / FEW) ** 2) if prior else 0.0
        weighed = fit_sigmoid(decision, codes, weight * factor[codes], share)
        return replace(weighed, offset=weighed.offset + float(np.log(factor[1] / factor[0])))
    if method == "temperature":
        return fit_temperature(decision, codes, weight, offsets=bool((factor != factor[0]).any()))
    return fit_isotonic(decision, codes, weight)


def least_cost(
    probability: NDArray[np.float64], label_weights: Sequence[float] = ()
) -> NDArray[np.intp]:
    r"""Return each row's class of the least expected cost: the most probable one by default.

    Mistaking an item of class k costs :math:`c_k`, whatever it is taken for, so that calling it j
    is expected to cost :math:`\sum_{k \ne j} c_k p_k`, least where :math:`c_j p_j` is largest
    (Elkan 2001, "The foundations of cost-sensitive learning"). Of two classes the second is taken
    above a probability of :math:`c_0 / (c_0 + c_1)`.

    Parameters
    ----------
    probability : ndarray of shape (n_samples, n_classes)
        Calibrated.
    label_weights : sequence of float
        What it costs to mistake an item of each class, or what class weights say of it; alike where
        there are none.

    Examples
    --------
    >>> probability = np.array([[0.8, 0.2], [0.9, 0.1]])
    >>> least_cost(probability), least_cost(probability, (1.0, 5.0))
    (array([0, 0]), array([1, 0]))
    """
    weighed = probability * np.array(label_weights) if len(label_weights) else probability
    return np.asarray(weighed.argmax(axis=1))


def certainty(
    probability: NDArray[np.float64], label: NDArray[Any], label_weights: Sequence[float] = ()
) -> NDArray[np.float64]:
    """Return how sure each row's label is: its share of the probabilities as they were weighed.

    Without weights that is its probability. With them a rare class may be the label at a
    probability far below another's, and then its probability says little of how clear that was.

    Parameters
    ----------
    probability : ndarray of shape (n_samples, n_classes)
        Calibrated.
    label : ndarray of shape (n_samples,)
        Codes of the classes that rows were called.
    label_weights : sequence of float
        By what the probabilities were multiplied, as for `least_cost`.

    Examples
    --------
    >>> probability = np.array([[0.8, 0.2], [0.6, 0.4]])
    >>> certainty(probability, np.array([1, 1]), (1.0, 6.0)).round(2)
    array([0.6, 0.8])
    """
    weighed = probability * np.array(label_weights) if len(label_weights) else probability
    own = np.take_along_axis(weighed, label[:, None], axis=1)[:, 0]
    return np.asarray(own / weighed.sum(axis=1), dtype=np.float64)


def check_calibration(
    method: str,
    codes: NDArray[np.int64],
    n_classes: int,
    sample_weight: NDArray[np.float64] | None = None,
) -> None:
    """Refuse a calibration that could not be fitted, before there are any decisions.

    Parameters
    ----------
    method : str
        As for `fit_calibration`.
    codes : ndarray of shape (n_samples,)
        True classes of the rows that will be held out.
    n_classes : int
        Number of classes.
    sample_weight : ndarray of shape (n_samples,), optional
        Weight of each row.

    Raises
    ------
    ParameterError
        Where the method is unknown, does not go with the number of classes, or has too few rows.

    Examples
    --------
    >>> check_calibration("isotonic", np.arange(80) % 2, 2)
    """
    methods = ("auto", "sigmoid", "isotonic", "temperature")
    if method not in methods:
        raise ParameterError(
            f"{method!r} is no calibration; allowed are {', '.join(methods)}."
            f"{nearest(method, methods)}",
            "calibration",
        )
    fits = {"sigmoid": n_classes == 2, "temperature": n_classes > 2}
    if not fits.get(method, True):
        wanted = "two classes" if method == "sigmoid" else "more than two classes"
        raise ParameterError(
            f"{method} calibration is for {wanted}, and there are {n_classes}. "
            "Choose calibration=auto or isotonic.",
            "calibration",
        )
    if method != "isotonic":
        return
    counted = codes if sample_weight is None else codes[sample_weight > 0]
    fewest = np.bincount(counted, minlength=n_classes).min()
    if fewest < FEWEST:
        raise ParameterError(
            f"isotonic calibration needs at least {FEWEST} rows of each class, and the rarest has "
            f"{fewest}. Choose calibration=auto, or add rows of the rarest class.",
            "calibration",
        )


def parse_calibration(data: Any, n_classes: int) -> Calibration:
    """Rebuild what `Calibration.to_data` returned, and trust none of it.

    Parameters
    ----------
    data : object
        Parsed JSON.
    n_classes : int
        Number of classes that the decisions are about, at least 2.

    Raises
    ------
    ValueError
        Where it describes no calibration of so many classes.

    Examples
    --------
    >>> parse_calibration(Sigmoid(-2.0, 0.5).to_data(), 2)
    Sigmoid(slope=-2.0, offset=0.5)
    """
    if not isinstance(data, dict):
        raise ValueError("the calibration is no object")
    numbers = {name: value for name, value in data.items() if name != "method"}
    method, names = data.get("method"), set(numbers)
    if method == "sigmoid" and n_classes == 2 and names == {"slope", "offset"}:
        slope, offset = _floats([numbers["slope"], numbers["offset"]])
        if slope > 0:
            raise ValueError("the sigmoid's slope is above 0")
        return Sigmoid(float(slope), float(offset))
    if method == "temperature" and n_classes > 2 and names - {"offsets"} == {"decision", "margin"}:
        decision, margin = _floats([numbers["decision"], numbers["margin"]])
        if decision <= 0 or margin < 0:
            raise ValueError("a temperature is not above 0")
        offsets = _floats(numbers.get("offsets", []))
        if len(offsets) not in (0, n_classes):
            raise ValueError(f"the temperature has offsets that are not of {n_classes} classes")
        return Temperature(float(decision), float(margin), tuple(offsets.tolist()))
    if method == "isotonic" and names == {"thresholds", "values"}:
        if not all(isinstance(own, list) for own in numbers.values()):
            raise ValueError("the calibration has something else in place of lists")
        thresholds = tuple(_floats(own) for own in numbers["thresholds"])
        values = tuple(_floats(own) for own in numbers["values"])
        if not len(thresholds) == len(values) == (1 if n_classes == 2 else n_classes):
            raise ValueError(f"the isotonic calibration is not of {n_classes} classes")
        for own, value in zip(thresholds, values, strict=True):
            _check_curve(own, value)
        return Isotonic(thresholds, values)
    raise ValueError(f"{method!r} with {sorted(names)} is no calibration of {n_classes} classes")


def _floats(numbers: Any) -> NDArray[np.float64]:
    if not isinstance(numbers, list) or not all(type(number) in (int, float) for number in numbers):
        raise ValueError("the calibration has something else in place of numbers")
    array = np.array(numbers, dtype=np.float64)
    if not np.isfinite(array).all():
        raise ValueError("the calibration has numbers that are not finite")
    return array


def _check_curve(thresholds: NDArray[np.float64], values: NDArray[np.float64]) -> None:
    if not len(thresholds) == len(values) > 0:
        raise ValueError("a curve of the calibration has more thresholds than values, or none")
    if (np.diff(thresholds) <= 0).any() or (np.diff(values) < 0).any():
        raise ValueError("a curve of the calibration does not rise")
    if values[0] <= 0 or values[-1] >= 1:
        raise ValueError("a curve of the calibration leaves the numbers between 0 and 1")
