"""Support vector classification that chooses its own C and gamma."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from widemargin.svm.calibration import Calibration, check_calibration, fit_calibration
from widemargin.svm.estimators.kernels import KernelLike
from widemargin.svm.estimators.parameters import check_choice
from widemargin.svm.estimators.rows import Blocks
from widemargin.svm.estimators.search import Gammas, Prices, Scoring, SupportVectorSearch
from widemargin.svm.estimators.targets import check_labels
from widemargin.svm.estimators.told import label
from widemargin.svm.estimators.weights import check_weight

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.svm.selection import Rule

__all__ = ["SVCSearch"]


class SVCSearch(ClassifierMixin, SupportVectorSearch):  # type: ignore[misc]  # no type hints
    """Support vector classification that chooses C and gamma by cross-validation.

    All folds, values of C and pairs of classes read one Gram matrix a gamma, and each solution
    starts from the one before it. The linear kernel, which needs no Gram matrix, minimises the
    squared hinge, as scikit-learn's LinearSVC does; the others minimise the hinge, as `SVC`.

    Parameters
    ----------
    kernel : str, Kernel, callable, Term, Sum or Product, default="rbf"
        As for `SVC`, "precomputed" included.
    C : "auto", float or sequence of float, default="auto"
        Values to try; ``auto`` goes along a geometric path until two steps bring nothing.
    gamma : "auto", "scale", float or sequence of float, default="auto"
        Values to try; ``auto`` is a path around the inverse median distance of the rows, and
        ``scale`` the one value that it is for `SVC`, of all rows. For a Sum or Product only
        ``auto``, a common factor of their automatic widths.
    degree : int, default=3
        Degree of poly.
    coef0 : float, default=0.0
        Constant term of poly and sigmoid.
    blocks : dict of str to slice or columns, optional
        Columns of each block of features, as for `SVC`.
    cv : int, splitter or iterable of (train, test), default=5
        Anything that scikit-learn takes: LeaveOneOut, GroupKFold, RepeatedStratifiedKFold, ...; a
        number is of stratified folds.
    scoring : str, callable or None, default=None
        Any scorer of scikit-learn's; None is accuracy. One that needs probabilities sees held-out
        decisions after calibration. Folds that leave one of scikit-learn's undefined, as those of
        one class leave "roc_auc", are left out with a warning, and refused where all do.
    rule : {"max", "one-standard-error"}, default="max"
        The best mean score, or the smallest C, then gamma, within a standard error of it.
    scheme : {"one-vs-one", "one-vs-rest"}, default="one-vs-one"
        How more than two classes are told apart.
    class_weight : dict, "balanced" or None, default=None
        Factor of C by class. Probabilities are of classes as frequent as they are all the same.
    calibration : {"auto", "sigmoid", "isotonic", "temperature"}, default="auto"
        How ``predict_proba`` turns decisions into probabilities: "sigmoid" is for two classes,
        "temperature" for more, and "isotonic" for both from 30 rows a class.
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
    cv_results_ : dict
        As scikit-learn's searches keep it, without times: ``params``, ``param_C``,
        ``param_gamma``, ``split0_test_score``, ..., ``mean_test_score``, ``std_test_score``,
        ``rank_test_score``, and whether each ``converged``. A mean leaves out folds on which the
        score is undefined for all.
    best_params_ : dict
        The chosen C, and gamma where the kernel has one.
    best_score_ : float
        Their mean score.
    best_index_ : int
        Where they stand in ``cv_results_``.
    n_splits_ : int
        Number of folds.
    machine_ : Machine
        Refitted to all rows.
    support_ : ndarray of shape (n_support,)
        Rows on or inside the margin.
    n_iter_ : int
        Iterations of its slowest function.
    converged_ : bool
        Whether the refitted machine met the optimality conditions.
    held_out_rows_ : ndarray of shape (n_held_out,)
        Rows that were held out, fold by fold.
    held_out_decision_ : ndarray of shape (n_held_out,) or (n_held_out, n_classes)
        Their decisions at the chosen C and gamma by machines that had not seen them.
    calibration_ : Calibration
        Fitted to these.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    class_weight_ : ndarray of shape (n_classes,)
        Factor of C by class.

    Notes
    -----
    Columns count as far as they spread: those in units of thousands outweigh those in units of
    one. Scale columns of different units first, as
    ``make_pipeline(StandardScaler(), SVCSearch())``; the accuracy on `load_wine`, one of whose
    columns spreads 2,500 times as wide as another, rises from 0.94 to above 0.97. No warning says
    so, as numbers do not tell columns of different units from columns of one unit that had better
    stay as they are: pixels, counts of words, principal components.

    ``predict_proba`` speaks of a population in which rows are as frequent as they weigh by
    ``sample_weight``, and classes as frequent as these make them. `class_weight` moves decisions
    and labels alone, so that the label need not be the most probable class. Probabilities for
    classes as frequent as they weigh are ``p = search.predict_proba(X) * search.class_weight_``,
    divided by ``p.sum(axis=1, keepdims=True)``.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> search = SVCSearch(C=(0.1, 1.0, 10.0)).fit(X, y)
    >>> search.best_params_, bool(search.best_score_ > 0.95)
    ({'C': 1.0, 'gamma': 0.25}, True)
    >>> search.predict(X[:2]), search.predict_proba(X[:1]).shape
    (array([0, 0]), (1, 3))
    """

    def __init__(
        self,
        kernel: KernelLike = "rbf",
        *,
        C: Prices = "auto",
        gamma: Gammas = "auto",
        degree: int = 3,
        coef0: float = 0.0,
        blocks: Blocks | None = None,
        cv: Any = 5,
        scoring: Scoring = None,
        rule: Rule = "max",
        scheme: Literal["one-vs-one", "one-vs-rest"] = "one-vs-one",
        class_weight: dict[Any, float] | Literal["balanced"] | None = None,
        calibration: Literal["auto", "sigmoid", "isotonic", "temperature"] = "auto",
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
        self.class_weight = class_weight
        self.calibration = calibration
        self.tol = tol
        self.max_iter = max_iter
        self.engine = engine
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: Any, *, groups: Any = None, sample_weight: Any = None) -> Self:
        """Search, and refit at the chosen C and gamma.

        Parameters
        ----------
        X : array or CSR of shape (n_samples, n_features)
            Rows, or a Gram matrix; float32 rows are compared in float32, which is faster.
        y : array of shape (n_samples,)
            Labels.
        groups : array of shape (n_samples,), optional
            Handed to the splitter.
        sample_weight : array of shape (n_samples,), optional
            Factor of C by row; scores are not weighted.

        Raises
        ------
        ValueError
            Where parameters or data cannot be used; ParameterError, which is one, where they do
            not go together.
        """
        self._check_search()
        check_choice(self, "scheme", ("one-vs-one", "one-vs-rest"))
        check_choice(self, "calibration", ("auto", "sigmoid", "isotonic", "temperature"))
        X, y = self._check_rows(X, y)
        check_labels(y, "SVCSearch", "SVRSearch")
        self.classes_, target = np.unique(y, return_inverse=True)
        n_classes = len(self.classes_)
        if n_classes < 2:
            raise ValueError(
                f"The number of classes has to be greater than one; got {n_classes} class"
            )
        by_row = check_weight(sample_weight, X)
        weight = self._weigh(by_row, target)
        parts = self._parts(X, y, groups)
        rows = np.concatenate([held_out for _, held_out in parts])
        check_calibration(
            self.calibration, target[rows], n_classes, None if weight is None else weight[rows]
        )
        self._search(X, y, target, n_classes, parts, weight, by_row)
        own = None if by_row is None else by_row[rows]
        self.calibration_ = self._calibrate(self.held_out_decision_, target[rows], own)
        return self

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return signed margins, (n_samples,), or (n_samples, n_classes) beyond two classes."""
        return self._decide(X)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class of each row by its decision."""
        decision = self._decide(X)
        return label(self.classes_, decision)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return probabilities of shape (n_samples, n_classes).

        They are calibrated on the held-out decisions of the search, where rows count by their
        weights, and not by those of their classes; see the notes of the class.
        """
        check_is_fitted(self)
        return self.calibration_.probabilities(self._decide(X))

    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:
        """Return logarithms of probabilities, of shape (n_samples, n_classes)."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the score by which the search chose: of `scoring`, or the accuracy."""
        return self._score(X, y, sample_weight, super().score)

    def _calibrate(
        self,
        decision: NDArray[np.float64],
        codes: NDArray[np.int64],
        weight: NDArray[np.float64] | None,
    ) -> Calibration:
        return fit_calibration(
            decision, codes, weight, method=self.calibration, class_weight=self.class_weight_
        )
