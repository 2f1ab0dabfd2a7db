"""A machine that chooses its own C and gamma, out of one Gram matrix a gamma."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import check_cv
from sklearn.utils import ClassifierTags, RegressorTags, check_random_state
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
from widemargin.svm.estimators.told import Told, label, parts_of
from widemargin.svm.expression import Expression, Product, Sum, Term, gram_bytes
from widemargin.svm.kernels import from_callable
from widemargin.svm.memory import check_gram_size
from widemargin.svm.selection import Rule, is_linear, select
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
        ``auto`` takes a target of type float for numbers, and any other for labels. scikit-learn's
        tools, which divide classes evenly among folds, see a classifier only where it is said.
    tol : float, default=1e-3
        Largest violation of the optimality conditions; a tenth of it for the linear kernel.
    max_iter : int, default=-1
        Most steps of one problem at one C; -1 for no limit.
    engine : {"auto", "native", "scikit-learn", "reference"}, default="auto"
        What solves the problems.
    n_jobs : int, optional
        Number of threads; by default all that the process may use.
    random_state : int, RandomState or None, default=0
        Seed of what is drawn to measure distances; None is 0.

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
    n_iter_ : int
        Iterations of its slowest function.
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
        tol: float = 1e-3,
        max_iter: int = -1,
        engine: str = "auto",
        n_jobs: int | None = None,
        random_state: Any = 0,
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
        self.tol = tol
        self.max_iter = max_iter
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
            weight = self._weigh(weight, target)
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
        parts = parts_of(splits, X.shape[0])
        rows = np.concatenate([held_out for _, held_out in parts])
        told = Told(self, X, y, target, parts, rows, weight)
        found = select(
            X,
            Solver(
                y=target,
                n_classes=n_classes,
                engine=choose_engine(self.engine),
                scheme=self.scheme,
                epsilon=float(self.epsilon),
                sample_weight=weight,
                random_state=_seed_of(self.random_state),
                n_threads=threads(self.n_jobs),
                tol=float(self.tol),
                max_iter=int(self.max_iter),
            ),
            expression=expression,
            C=_values(self.C),
            parts=parts,
            scorer=told.scorer(),
            blocks=self._slices(X),
            rule=self.rule,
        )
        loose = sum(not cell.converged for cell in found.cells)
        if loose or not found.converged:
            whose = f"in {loose} of {len(found.cells)} cells" if loose else "of the refit"
            warnings.warn(
                f"SVMSearch: machines {whose} were stopped before they converged. Scale the rows, "
                "as with sklearn.preprocessing.StandardScaler, lower C, or raise "
                f"max_iter={self.max_iter} or tol={self.tol:g}.",
                ConvergenceWarning,
                stacklevel=2,
            )
        self.cells_, self.best_ = found.cells, found.best
        self.machine_, self.support_ = found.machine, found.support
        self.n_iter_ = found.n_iter
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
        return decision if self.calibration_ is None else label(self.classes_, decision)

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
        check_number(self, "tol", 0.0)
        check_number(self, "max_iter", -1, closed="left", whole=True)

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


def _seed_of(random_state: Any) -> int:
    """Return a number to seed with."""
    if random_state is None:
        return 0
    if isinstance(random_state, Integral):
        return abs(int(random_state))
    return int(check_random_state(random_state).randint(2**31 - 1))


def _values(given: Any) -> Any:
    """Return auto, one number, or a tuple of numbers."""
    if isinstance(given, str):
        return given
    return float(given) if np.ndim(given) == 0 else tuple(float(value) for value in given)


def _name(expression: Expression) -> str:
    if isinstance(expression, Term):
        return expression.kernel.name
    return type(expression).__name__.lower()
