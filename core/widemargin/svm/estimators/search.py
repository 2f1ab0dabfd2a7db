"""A machine that chooses its own C and gamma, for little more than the price of one fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.metrics import get_scorer
from sklearn.model_selection import check_cv
from sklearn.utils import ClassifierTags, RegressorTags
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, indexable

from widemargin.contracts import Kernel
from widemargin.svm.calibration import Calibration, fit_calibration
from widemargin.svm.engines import choose_engine
from widemargin.svm.estimators.base import (
    Blocks,
    KernelLike,
    SupportVectorMachine,
    named_kernel,
    threads,
)
from widemargin.svm.estimators.parameters import check_choice, check_number, is_number, refuse
from widemargin.svm.expression import Expression, Product, Sum, Term, gram_bytes
from widemargin.svm.kernels import from_callable
from widemargin.svm.memory import check_gram_size
from widemargin.svm.schemes import Part
from widemargin.svm.selection import Rule, Scorer, is_linear, select
from widemargin.svm.solver import Solver

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SVMSearch"]

Values = Literal["auto"] | float | Sequence[float]


def _tells_classes(search: SVMSearch) -> bool:
    if search.task == "regression" or getattr(search, "calibration_", True) is None:
        raise AttributeError("a regression has neither margins nor probabilities")
    return True


class SVMSearch(SupportVectorMachine):
    """Support vector machine that chooses C and gamma by cross-validation.

    All folds, values of C and pairs of classes read one Gram matrix a gamma, and each solution
    starts from the one before it. The linear kernel, which needs no Gram matrix, minimises the
    squared hinge, as scikit-learn's LinearSVC does; the others minimise the hinge, as `SVC`.

    Parameters
    ----------
    kernel : str, Kernel, callable, Term, Sum or Product, default="rbf"
        As for `SVC`. For a Sum or Product, gamma is a factor of all its automatic widths.
    C : "auto", float or sequence of float, default="auto"
        Values to try; ``auto`` goes along a geometric path until two steps bring nothing.
    gamma : "auto", float or sequence of float, default="auto"
        Values to try; ``auto`` is a path around the inverse median distance of the rows.
    degree : int, default=3
        Degree of poly.
    coef0 : float, default=0.0
        Constant term of poly and sigmoid.
    blocks : dict of str to slice or columns, optional
        Columns of each block of features.
    cv : int, splitter or iterable of (train, test), default=5
        Anything that scikit-learn takes: LeaveOneOut, GroupKFold, RepeatedStratifiedKFold, ...
    scoring : str, callable or None, default=None
        Any scorer of scikit-learn's; None is accuracy, or R2 for numbers. One that needs
        probabilities sees held-out decisions after calibration.
    rule : {"max", "one-standard-error"}, default="max"
        The best mean score, or the smallest C, then gamma, within a standard error of it.
    scheme : {"one-vs-one", "one-vs-rest"}, default="one-vs-one"
        How more than two classes are told apart.
    epsilon : float, default=0.1
        Half-width of the tube of a regression, in the target's units.
    class_weight : dict, "balanced" or None, default=None
        Factor of C by class.
    calibration : {"auto", "sigmoid", "isotonic", "temperature"}, default="auto"
        How ``predict_proba`` turns decisions into probabilities.
    task : {"auto", "classification", "regression"}, default="auto"
        ``auto`` takes a target of type float for numbers, and any other for labels.
    engine : {"auto", "native", "scikit-learn", "reference"}, default="auto"
        What solves the problems.
    n_jobs : int, optional
        Number of threads; by default all that the process may use.
    random_state : int, default=0
        Seed of what is drawn to measure distances.

    Attributes
    ----------
    cells_ : tuple of GridCell
        Every cell that was tried, with its score on every fold.
    best_ : GridCell
        The chosen one.
    machine_ : Machine
        Refitted to all rows.
    support_ : ndarray of shape (n_support,)
        Rows on or inside the margin.
    held_out_rows_ : ndarray of shape (n_held_out,)
        Rows that were held out, fold by fold.
    held_out_decision_ : ndarray of shape (n_held_out,) or (n_held_out, n_classes)
        Their decisions at the chosen cell by machines that had not seen them.
    calibration_ : Calibration or None
        Fitted to these; None for regression.
    classes_ : ndarray of shape (n_classes,)
        Class labels; absent for regression.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> search = SVMSearch(C=(0.1, 1.0, 10.0)).fit(X, y)
    >>> len(search.cells_), bool(search.best_.mean > 0.95)
    (12, True)
    >>> search.predict(X[:2]), search.predict_proba(X[:1]).shape
    (array([0, 0]), (1, 3))
    """

    def __init__(
        self,
        kernel: KernelLike = "rbf",
        *,
        C: Values = "auto",
        gamma: Values = "auto",
        degree: int = 3,
        coef0: float = 0.0,
        blocks: Blocks | None = None,
        cv: Any = 5,
        scoring: str | Callable[[Any, Any, Any], float] | None = None,
        rule: Rule = "max",
        scheme: Literal["one-vs-one", "one-vs-rest"] = "one-vs-one",
        epsilon: float = 0.1,
        class_weight: dict[Any, float] | Literal["balanced"] | None = None,
        calibration: Literal["auto", "sigmoid", "isotonic", "temperature"] = "auto",
        task: Literal["auto", "classification", "regression"] = "auto",
        engine: str = "auto",
        n_jobs: int | None = None,
        random_state: int = 0,
    ) -> None:
        self.kernel = kernel
        self.C = C
        self.gamma = gamma
        self.degree = degree
        self.coef0 = coef0
        self.blocks = blocks
        self.cv = cv
        self.scoring = scoring
        self.rule = rule
        self.scheme = scheme
        self.epsilon = epsilon
        self.class_weight = class_weight
        self.calibration = calibration
        self.task = task
        self.engine = engine
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: Any, groups: Any = None, sample_weight: Any = None) -> Self:
        """Search, and refit at the chosen cell.

        Parameters
        ----------
        X : array or CSR of shape (n_samples, n_features)
            Rows; float32 rows are compared in float32, which is faster.
        y : array of shape (n_samples,)
            Labels or numbers.
        groups : array of shape (n_samples,), optional
            Handed to the splitter.
        sample_weight : array of shape (n_samples,), optional
            Factor of C by row; scores are not weighted.

        Raises
        ------
        ValueError
            Where parameters or data cannot be used, in scikit-learn's words.
        DataError
            Where the Gram matrix would not fit, or no fold defines the score.
        """
        self._check_search()
        given = X
        X, y = self._check_rows(X, y)
        weight = self._check_weight(sample_weight, X)
        is_classification = self._is_classification(y)
        if is_classification:
            check_classification_targets(y)
            self.classes_, target = np.unique(y, return_inverse=True)
            n_classes = len(self.classes_)
            if n_classes < 2:
                raise ValueError(
                    f"The number of classes has to be greater than one; got {n_classes} class"
                )
            if self.class_weight is not None:
                by_class = compute_sample_weight(self.class_weight, y)
                weight = by_class if weight is None else weight * by_class
        else:
            n_classes, target = 0, np.asarray(y, dtype=np.float64)
            # Of an earlier fit, to labels.
            self.__dict__.pop("classes_", None)
        expression = self._expression()
        if not is_linear(expression):
            n, itemsize = X.shape[0], X.dtype.itemsize
            matrices = gram_bytes(expression, n, itemsize) // (n * n * itemsize) + 1
            check_gram_size(n, itemsize, _name(expression), matrices)
        cv = check_cv(self.cv, y, classifier=is_classification)
        splits = cv.split(*indexable(given, y, groups))
        parts = _parts(splits, X.shape[0])
        rows = np.concatenate([held_out for _, held_out in parts])
        told = _Told(self, X, y, target, parts, rows, weight)
        found = select(
            X,
            Solver(
                y=target,
                n_classes=n_classes,
                engine=choose_engine(self.engine),
                scheme=self.scheme,
                epsilon=float(self.epsilon),
                sample_weight=weight,
                random_state=self.random_state,
                n_threads=threads(self.n_jobs),
            ),
            expression=expression,
            C=_values(self.C),
            parts=parts,
            scorer=told.scorer(),
            blocks=self._slices(X),
            rule=self.rule,
        )
        self.cells_, self.best_ = found.cells, found.best
        self.machine_, self.support_ = found.machine, found.support
        self.held_out_rows_, self.held_out_decision_ = found.rows, found.held_out
        self.calibration_: Calibration | None = None
        if is_classification:
            self.calibration_ = self._calibrate(found.held_out, target[rows], weight, rows)
        return self

    @available_if(_tells_classes)  # type: ignore[untyped-decorator]  # scikit-learn has no type hints
    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return signed margins, (n_samples,), or (n_samples, n_classes) beyond two classes."""
        return self._decide(X)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class of each row by its decision, or its predicted number."""
        decision = self._decide(X)
        return decision if self.calibration_ is None else _label(self.classes_, decision)

    @available_if(_tells_classes)  # type: ignore[untyped-decorator]  # scikit-learn has no type hints
    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return probabilities of shape (n_samples, n_classes).

        They are calibrated on the held-out decisions of the search.

        Raises
        ------
        AttributeError
            For regression.
        """
        check_is_fitted(self)
        assert self.calibration_ is not None
        return self.calibration_.probabilities(self._decide(X))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return accuracy, or R2 for numbers."""
        from sklearn.metrics import accuracy_score, r2_score

        check_is_fitted(self)
        measure = r2_score if self.calibration_ is None else accuracy_score
        return float(measure(y, self.predict(X), sample_weight=sample_weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        # Without a task it is the target that decides, which only a fit has seen.
        if self.task != "auto":
            tags.estimator_type = {"classification": "classifier"}.get(self.task, "regressor")
        if self.task != "regression":
            tags.classifier_tags = ClassifierTags()
        if self.task != "classification":
            tags.regressor_tags = RegressorTags()
        return tags

    def _check_search(self) -> None:
        kernel = self.kernel
        if isinstance(kernel, str):
            named_kernel(self, kernel)
        elif not (isinstance(kernel, Kernel | Term | Sum | Product) or callable(kernel)):
            refuse(self, "kernel", "a str, a callable, a Kernel, or a Term, Sum or Product")
        for name in ("C", "gamma"):
            value = getattr(self, name)
            if isinstance(value, str) and value == "auto":
                continue
            several = [value] if np.ndim(value) == 0 else list(value)
            closed = "neither" if name == "C" else "left"
            if not several or not all(is_number(one, 0.0, np.inf, closed) for one in several):
                opening = "(" if name == "C" else "["
                refuse(
                    self,
                    name,
                    f"'auto', a float in the range {opening}0.0, inf), or a sequence of those",
                )
        check_choice(self, "rule", ("max", "one-standard-error"))
        check_choice(self, "scheme", ("one-vs-one", "one-vs-rest"))
        check_choice(self, "calibration", ("auto", "sigmoid", "isotonic", "temperature"))
        check_choice(self, "task", ("auto", "classification", "regression"))
        check_number(self, "epsilon", 0.0, closed="left")
        check_number(self, "degree", 0, closed="left", whole=True)
        check_number(self, "coef0")

    def _is_classification(self, y: NDArray[Any]) -> bool:
        if self.task != "auto":
            return self.task == "classification"
        return y.dtype.kind != "f"

    def _expression(self) -> Expression:
        kernel = self.kernel
        if isinstance(kernel, Term | Sum | Product):
            return kernel
        if isinstance(kernel, str):
            kernel = named_kernel(self, kernel)
        elif not isinstance(kernel, Kernel):
            kernel = from_callable(kernel)
        return Term(kernel, gamma=_values(self.gamma), degree=self.degree, coef0=self.coef0)

    def _calibrate(
        self,
        decision: NDArray[np.float64],
        codes: NDArray[np.int64],
        weight: NDArray[np.float64] | None,
        rows: NDArray[np.intp],
    ) -> Calibration:
        own = None if weight is None else weight[rows]
        return fit_calibration(decision, codes, own, method=self.calibration)


class _Told(ClassifierMixin, RegressorMixin, BaseEstimator):  # type: ignore[misc]  # no type hints
    """Held-out decisions in the shape of an estimator, which is what scorers ask."""

    def __init__(
        self,
        search: SVMSearch,
        X: Any,
        y: NDArray[Any],
        target: NDArray[Any],
        parts: Sequence[Part],
        rows: NDArray[np.intp],
        weight: NDArray[np.float64] | None,
    ) -> None:
        self.search, self.X, self.y, self.target = search, X, y, target
        self.parts, self.rows, self.weight = parts, rows, weight
        self.ends = np.cumsum([0, *(len(held_out) for _, held_out in parts)])
        if hasattr(search, "classes_"):
            self.classes_ = search.classes_

    def scorer(self) -> Scorer:
        """Return what scores one cell's decisions, fold by fold."""
        scoring = self.search.scoring
        is_classification = hasattr(self, "classes_")
        if scoring in (None, "accuracy") and is_classification:
            return self._accuracies
        if scoring is None:
            scoring = "r2"
        ask = get_scorer(scoring)
        return lambda decisions: list(self._ask(ask, decisions))

    def _accuracies(self, decisions: NDArray[np.float64]) -> list[float]:
        codes = decisions > 0 if decisions.ndim == 1 else decisions.argmax(axis=-1)
        right = np.concatenate([[0], np.cumsum(codes == self.target[self.rows])])
        told = right[self.ends]
        shares: list[float] = (np.diff(told) / np.diff(self.ends)).tolist()
        return shares

    def _ask(
        self, ask: Callable[[Any, Any, Any], float], decisions: NDArray[np.float64]
    ) -> Iterable[float]:
        self.decisions = decisions
        self.calibration: Calibration | None = None
        for (_, held_out), first, last in zip(
            self.parts, self.ends[:-1], self.ends[1:], strict=True
        ):
            self.own = slice(first, last)
            yield float(ask(self, self.X[held_out], self.y[held_out]))

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.estimator_type = "classifier" if hasattr(self, "classes_") else "regressor"
        return tags

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        return self.decisions[self.own]

    def predict(self, X: Any) -> NDArray[Any]:
        decision = self.decisions[self.own]
        return _label(self.classes_, decision) if hasattr(self, "classes_") else decision

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        fitted = self.calibration
        if fitted is None:
            fitted = self.calibration = self.search._calibrate(
                self.decisions, self.target[self.rows], self.weight, self.rows
            )
        return fitted.probabilities(self.decisions[self.own])


def _parts(splits: Iterable[tuple[Any, Any]], n_samples: int) -> list[Part]:
    """Return checked row numbers, which the compiled engine follows blindly."""
    parts: list[Part] = []
    for split in splits:
        train, held_out = (np.asarray(rows) for rows in split)
        for rows in (train, held_out):
            whole = rows.ndim == 1 and rows.dtype.kind in "iu" and len(rows) > 0
            if not whole or rows.min() < 0 or rows.max() >= n_samples:
                raise ValueError(
                    "'cv' must give pairs of row numbers, to train on and to hold out: at least "
                    f"one of each, from 0 to {n_samples - 1}. Got {rows!r}."
                )
        parts.append((train.astype(np.intp), held_out.astype(np.intp)))
    if not parts:
        raise ValueError("'cv' gave no pairs of rows to train on and rows to hold out.")
    return parts


def _label(classes: NDArray[Any], decision: NDArray[np.float64]) -> NDArray[Any]:
    codes = (decision > 0).astype(int) if decision.ndim == 1 else decision.argmax(axis=1)
    labels: NDArray[Any] = classes[codes]
    return labels


def _values(given: Any) -> Any:
    """Return auto, one number, or a tuple of numbers."""
    if isinstance(given, str):
        return given
    return float(given) if np.ndim(given) == 0 else tuple(float(value) for value in given)


def _name(expression: Expression) -> str:
    if isinstance(expression, Term):
        return expression.kernel.name
    return type(expression).__name__.lower()
