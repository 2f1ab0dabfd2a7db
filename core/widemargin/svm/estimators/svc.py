"""Support vector classification."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from sklearn.base import ClassifierMixin

from widemargin.svm.estimators.base import Blocks, KernelLike, SupportVectorMachine
from widemargin.svm.estimators.parameters import check_choice, check_number
from widemargin.svm.estimators.targets import check_labels
from widemargin.svm.estimators.told import label
from widemargin.svm.estimators.weights import check_weight
from widemargin.svm.expression import Product, Sum
from widemargin.svm.machine import duels
from widemargin.svm.schemes import classification, count_functions, scheme_of, targets

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SVC"]


class SVC(ClassifierMixin, SupportVectorMachine):  # type: ignore[misc]  # scikit-learn has no hints
    """Support vector classification.

    Parameters
    ----------
    C : float, default=1.0
        Price of a margin violation.
    kernel : str, callable, Kernel, Term, Sum or Product, default="rbf"
        Similarity of two rows: the name of a kernel of `widemargin.svm.KERNELS`, "precomputed" for
        a Gram matrix in place of rows, a function ``k(X, Y)``, or an expression over blocks.
    gamma : "scale" or float, default="scale"
        Inverse width of rbf, laplacian and chi2, slope of poly and sigmoid. "scale" is the inverse
        of the number of features times their variance, in which rows count by `sample_weight`. The
        terms of sums and products have their own.
    degree : int, default=3
        Degree of poly.
    coef0 : float, default=0.0
        Constant term of poly and sigmoid.
    scheme : {"one-vs-one", "one-vs-rest"}, default="one-vs-one"
        How more than two classes are told apart: by duels of two, or each from all others.
    blocks : dict of str to slice or neighbouring columns, default=None
        Names for columns, which an expression refers to; the columns by number, or by name where X
        is a DataFrame.
    tol : float, default=1e-3
        Largest violation of the optimality conditions.
    max_iter : int, default=-1
        Most iterations of one function; -1 for no limit.
    class_weight : dict, "balanced" or None, default=None
        Factor of C by class; "balanced" makes all classes weigh the same.
    engine : {"auto", "native", "scikit-learn", "reference"}, default="auto"
        What solves the problem.
    n_jobs : int or None, default=None
        Number of threads; by default as many as the process may use. It changes no result.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Sorted class labels.
    class_weight_ : ndarray of shape (n_classes,)
        Factor of C by class.
    support_ : ndarray of shape (n_support,)
        Support vectors' rows, in order.
    support_vectors_ : ndarray or CSR of shape (n_support, n_features)
        Support vectors; empty for a Gram matrix.
    n_support_ : ndarray of shape (n_classes,)
        Number of support vectors by class.
    dual_coef_ : ndarray of shape (n_functions, n_support)
        Signed multipliers, one row a function: the only one of two classes, one a duel, in the
        order (0, 1), (0, 2), ..., (1, 2), ..., or one a class.
    coef_ : ndarray of shape (n_functions, n_features)
        Weights; only for the linear kernel.
    intercept_ : ndarray of shape (n_functions,)
        Constant terms.
    n_iter_ : ndarray of shape (n_functions,)
        Iterations.
    duality_gap_ : ndarray of shape (n_functions,)
        Relative to the objective; 0 at the optimum.
    converged_ : bool
        Whether all functions meet `tol`; `fit_status_` is 0 then, and otherwise 1.
    machine_ : Machine
        The fitted machine as arrays.

    References
    ----------
    Cortes & Vapnik 1995, "Support-vector networks", doi:10.1007/BF00994018.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.array([[0.0], [1.0], [4.0], [5.0]]), np.array(["a", "a", "b", "b"])
    >>> SVC(kernel="linear").fit(X, y).predict([[0.5], [4.5]])
    array(['a', 'b'], dtype='<U1')
    """

    def __init__(
        self,
        C: float = 1.0,
        *,
        kernel: KernelLike = "rbf",
        gamma: float | Literal["scale"] = "scale",
        degree: int = 3,
        coef0: float = 0.0,
        scheme: Literal["one-vs-one", "one-vs-rest"] = "one-vs-one",
        blocks: Blocks | None = None,
        tol: float = 1e-3,
        max_iter: int = -1,
        class_weight: dict[Any, float] | Literal["balanced"] | None = None,
        engine: str = "auto",
        n_jobs: int | None = None,
    ) -> None:
        self.C = C
        self.kernel = kernel
        self.gamma = gamma
        self.degree = degree
        self.coef0 = coef0
        self.scheme = scheme
        self.blocks = blocks
        self.tol = tol
        self.max_iter = max_iter
        self.class_weight = class_weight
        self.engine = engine
        self.n_jobs = n_jobs

    if not TYPE_CHECKING:  # which would take any name for an attribute

        def __getattr__(self, name: str) -> Any:
            if name in ("predict_proba", "predict_log_proba"):
                raise AttributeError(
                    f"{type(self).__name__} has margins and no {name}, since calibration takes "
                    "decisions of rows that were held out. SVCSearch has them anyway: take "
                    "SVCSearch(C=..., gamma=...), or sklearn.calibration.CalibratedClassifierCV."
                )
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to rows X of shape (n_samples, n_features), dense or CSR, and labels y.

        Rows of weight 0 are left out. float32 rows are compared in float32.
        """
        check_number(self, "C", 0.0)
        check_choice(self, "scheme", ("one-vs-one", "one-vs-rest"))
        self._check_parameters()
        X, y = self._check_rows(X, y)
        check_labels(y, "SVC", "SVR")
        self.classes_, codes = np.unique(y, return_inverse=True)
        n_classes = len(self.classes_)
        if n_classes < 2:
            raise ValueError(
                f"The number of classes has to be greater than one; got {n_classes} class"
            )
        by_row = check_weight(sample_weight, X)
        weight = self._weigh(by_row, codes)
        scheme = scheme_of(n_classes, self.scheme)
        target = None
        if isinstance(self.kernel, Sum | Product):
            rest: Literal["single", "one-vs-rest"] = "single" if n_classes == 2 else "one-vs-rest"
            target = np.stack(targets(codes, n_classes, rest), axis=1)
        prepared = self._prepare(X, n_classes, by_row, target)
        whole = np.arange(X.shape[0]), np.empty(0, dtype=np.intp)
        self._solve(
            X,
            prepared,
            classification(codes, n_classes, scheme, weight, [whole]),
            C=float(self.C),
            scheme=scheme,
            n_classes=n_classes,
            n_functions=count_functions(n_classes, scheme),
        )
        self.n_support_ = np.bincount(codes[self.support_], minlength=n_classes)
        return self

    def _keep_measures(self, n_iter: NDArray[np.int64], gap: NDArray[np.float64]) -> None:
        self.n_iter_ = n_iter.copy()
        self.duality_gap_ = gap.copy()

    def _function(self, k: int) -> str:
        if len(self.classes_) == 2:
            return ""
        if self.machine_.scheme == "one-vs-rest":
            return f" on class {self.classes_[k]!s} against the rest"
        _, first, second = list(duels(len(self.classes_)))[k]
        return f" on class {self.classes_[first]!s} against {self.classes_[second]!s}"

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return signed margins, (n_samples,), or (n_samples, n_classes) beyond two classes.

        For duels these are votes, with ties broken by margins, as scikit-learn's are.
        """
        return self._decide(X)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class of each row.

        Where duels end in a tie of votes, margins decide, as with scikit-learn's ``break_ties``.
        """
        decision = self._decide(X)
        return label(self.classes_, decision)
