"""What the searches share: C and gamma by cross-validation, out of one Gram matrix a gamma."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, indexable

from widemargin.svm.engines import choose_engine
from widemargin.svm.estimators.advice import SearchEdgeWarning, how_to_converge, tell_edge
from widemargin.svm.estimators.base import SupportVectorMachine, threads
from widemargin.svm.estimators.kernels import expression_of, is_precomputed, with_scale
from widemargin.svm.estimators.parameters import check_choice, is_number, refuse
from widemargin.svm.estimators.results import cv_results, params_of
from widemargin.svm.estimators.told import Told, parts_of
from widemargin.svm.expression import Product, Sum, Term
from widemargin.svm.memory import check_gram_size, gram_bytes
from widemargin.svm.selection import is_linear, select
from widemargin.svm.solver import Solver

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.svm.expression import Expression
    from widemargin.svm.schemes import Part
    from widemargin.svm.selection import Rule, Search

__all__ = ["Gammas", "Prices", "Scoring", "SupportVectorSearch"]

Prices = Literal["auto"] | float | Sequence[float]
Gammas = Literal["auto", "scale"] | float | Sequence[float]
Scoring = str | Callable[[Any, Any, Any], float] | None


class SupportVectorSearch(SupportVectorMachine):
    """What searches for classes and for numbers share."""

    # Whatever was given, until it is checked.
    C: Any
    cv: Any
    scoring: Scoring
    rule: Rule
    random_state: Any

    # Each is for one of the two kinds.
    scheme: Literal["one-vs-one", "one-vs-rest"] = "one-vs-one"
    epsilon: Any = 0.1

    def _check_search(self) -> None:
        self._check_parameters()
        if not (isinstance(self.C, str) and self.C == "auto"):
            self._check_values("C", "neither", "'auto', a float in the range (0.0, inf)")
        check_choice(self, "rule", ("max", "one-standard-error"))

    def _check_gamma(self) -> None:
        if isinstance(self.kernel, Sum | Product):
            if not (isinstance(self.gamma, str) and self.gamma == "auto"):
                refuse(self, "gamma", "'auto' for a Sum or Product, whose terms have their own")
        elif not (isinstance(self.gamma, str) and self.gamma in ("auto", "scale")):
            self._check_values("gamma", "left", "'auto', 'scale', a float in the range [0.0, inf)")

    def _check_values(self, name: str, closed: str, allowed: str) -> None:
        value = getattr(self, name)
        several = [value] if np.ndim(value) == 0 else list(value)
        if not several or not all(is_number(one, 0.0, np.inf, closed) for one in several):
            refuse(self, name, f"{allowed}, or a sequence of those")

    def _parts(self, X: Any, y: Any, groups: Any) -> list[Part]:
        """Return the rows of every fold."""
        cv = check_cv(self.cv, y, classifier=is_classifier(self))
        return parts_of(cv.split(*indexable(X, y, groups)), X.shape[0])

    def _search(
        self,
        X: Any,
        y: NDArray[Any],
        target: NDArray[Any],
        n_classes: int,
        parts: Sequence[Part],
        weight: NDArray[np.float64] | None,
        by_row: NDArray[np.float64] | None,
    ) -> None:
        """Search, refit, keep what was found, and warn of what may be wrong with it.

        `weight` are the rows' weights with those of their classes, `by_row` without.
        """
        rows = np.concatenate([held_out for _, held_out in parts])
        scorer = Told(self, X, y, target, parts, rows, weight).scorer(stacklevel=4)
        slices = self._slices(X)
        given = expression_of(self.kernel, _values(self.gamma), self.degree, self.coef0)
        expression = with_scale(given, X, slices, by_row)
        if not is_linear(expression):
            n, itemsize = X.shape[0], X.dtype.itemsize
            matrices = gram_bytes(expression, n, itemsize) // (n * n * itemsize) + 1
            check_gram_size(n, itemsize, _name(expression), matrices)
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
            scorer=scorer,
            blocks=slices,
            rule=self.rule,
        )
        self._keep(found, len(parts))
        self._warn_of_search(found, is_joined=not isinstance(expression, Term))
        self._warn_of_kernel(X, stacklevel=4)

    def _score(
        self, X: Any, y: Any, sample_weight: Any, usual: Callable[[Any, Any, Any], float]
    ) -> float:
        check_is_fitted(self)
        if self.scoring is None:
            return usual(X, y, sample_weight)
        own = {} if sample_weight is None else {"sample_weight": sample_weight}
        return float(check_scoring(self, scoring=self.scoring)(self, X, y, **own))

    def _keep(self, found: Search, n_splits: int) -> None:
        self.cv_results_ = cv_results(found.cells)
        self.best_index_ = found.chosen
        self.best_params_ = params_of(found.best)
        self.best_score_ = found.best.mean
        self.n_splits_ = n_splits
        self.machine_, self.support_ = found.machine, found.support
        if is_precomputed(self.kernel):
            # Rows to decide are kernel values already.
            self.machine_ = replace(found.machine, kernel=None, vectors=None)
        self.n_iter_ = found.n_iter
        self.converged_ = found.converged
        self.held_out_rows_, self.held_out_decision_ = found.rows, found.held_out

    def _warn_of_search(self, found: Search, *, is_joined: bool) -> None:
        name = type(self).__name__
        loose = sum(not cell.converged for cell in found.cells)
        if loose or not found.converged:
            whose = f"in {loose} of {len(found.cells)} cells" if loose else "of the refit"
            advice = how_to_converge(self.tol, self.max_iter, has_price=True)
            warnings.warn(
                f"{name}: machines {whose} were stopped before they converged. {advice}",
                ConvergenceWarning,
                stacklevel=4,
            )
        edge = tell_edge(found.cells, found.chosen, is_joined=is_joined)
        if edge:
            warnings.warn(f"{name}: {edge}", SearchEdgeWarning, stacklevel=4)


def _seed_of(random_state: Any) -> int:
    """Return a number to seed with."""
    if random_state is None:
        return 0
    if isinstance(random_state, Integral):
        return abs(int(random_state))
    return int(check_random_state(random_state).randint(2**31 - 1))


def _values(given: Any) -> Any:
    """Return a word, one number, or a tuple of numbers."""
    if isinstance(given, str):
        return given
    return float(given) if np.ndim(given) == 0 else tuple(float(value) for value in given)


def _name(expression: Expression) -> str:
    if isinstance(expression, Term):
        return expression.kernel.name
    return type(expression).__name__.lower()
