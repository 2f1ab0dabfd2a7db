"""Expressions: one kernel, or sums and products of kernels over named blocks of features.

In sums and products every kernel sees its own block's columns, and is divided by the lengths that
rows have in its space, so that no block outweighs another by its scale alone. A sum of kernels is
the kernel of their features side by side, a product that of all pairs of features (Shawe-Taylor &
Cristianini 2004, "Kernel Methods for Pattern Analysis", section 3.4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from widemargin.contracts import Kernel, SVMSettings
from widemargin.errors import nearest
from widemargin.svm.blocks import Blocks
from widemargin.svm.grid import WIDTHS
from widemargin.svm.kernels import KERNELS
from widemargin.svm.prepared import (
    Prepared,
    PreparedProduct,
    PreparedSum,
    PreparedTerm,
    Weights,
)
from widemargin.svm.quantities import Within

__all__ = ["Expression", "Prepared", "Product", "Sum", "Term", "expression"]


@dataclass(frozen=True, repr=False)
class Term:
    """One kernel on one block of the features.

    Parameters
    ----------
    kernel : Kernel or str
        The kernel, or the name of one that comes with widemargin. On its own it is taken as it is;
        in sums and products it is normalised to ``k(x, x) = 1``.
    block : str, optional
        Name of the block; by default all features.
    gamma : "auto", "scale", float or tuple of float, default="auto"
        ``auto`` is a path around what the rows suggest; in sums and products, what they suggest
        times a factor that all terms share. ``scale`` is the inverse of the number of features
        times their variance. A tuple is for a term on its own.
    degree : int, default=3
        Degree of poly.
    coef0 : float, default=0.0
        Constant term of poly and sigmoid.

    Examples
    --------
    >>> from widemargin.svm.kernels import RBF
    >>> prepared = Term(RBF, gamma=(0.5, 1.0)).prepare(np.array([[0.0], [1.0]]))
    >>> prepared.gammas
    (0.5, 1.0)
    >>> prepared.gram(prepared.fit(0.5)).round(2)
    array([[1.  , 0.61],
           [0.61, 1.  ]])
    >>> Term(RBF, "words", gamma=0.5)
    Term('rbf', 'words', gamma=0.5)
    """

    kernel: Kernel
    block: str | None = None
    gamma: Literal["auto", "scale"] | float | tuple[float, ...] = "auto"
    degree: int = 3
    coef0: float = 0.0

    if TYPE_CHECKING:  # a name is taken too, and its kernel is kept

        def __init__(
            self,
            kernel: Kernel | str,
            block: str | None = None,
            gamma: Literal["auto", "scale"] | float | tuple[float, ...] = "auto",
            degree: int = 3,
            coef0: float = 0.0,
        ) -> None: ...

    def __post_init__(self) -> None:
        given: Any = self.kernel
        if isinstance(given, str):
            known = {kernel.name: kernel for kernel in KERNELS}
            if given not in known:
                allowed = ", ".join(known)
                raise ValueError(
                    f"{given!r} is no kernel; allowed are {allowed}.{nearest(given, known)}"
                )
            object.__setattr__(self, "kernel", known[given])
        elif not isinstance(given, Kernel):
            raise ValueError(f"a term takes a kernel's name or a Kernel; got {given!r}")
        several: Any = self.gamma if isinstance(self.gamma, tuple) else (self.gamma,)
        for one in several:
            if one in ("auto", "scale"):
                continue
            if isinstance(one, str) or not (np.isfinite(one) and one >= 0):
                raise ValueError(f"gamma is auto, scale, or a number of at least 0; got {one!r}")

    def __repr__(self) -> str:
        own = self.kernel
        shown = [repr(own.name) if own in KERNELS else f"<kernel {own.name!r}>"]
        if self.block is not None:
            shown.append(repr(self.block))
        for name in ("gamma", "degree", "coef0"):
            value = getattr(self, name)
            if value != getattr(Term, name):
                shown.append(f"{name}={value!r}")
        return f"Term({', '.join(shown)})"

    @property
    def has_automatic_width(self) -> bool:
        """Whether the term has a width in sums and products that a search varies."""
        return self.gamma == "auto" and self.kernel.name in WIDTHS

    def prepare(
        self,
        X: Any,
        *,
        blocks: Blocks | None = None,
        n_classes: int = 2,
        random_state: int = 0,
        within: Within | None = None,
    ) -> PreparedTerm:
        """Take up training rows.

        Parameters
        ----------
        X : ndarray or CSR of shape (n_samples, n_features)
            All rows of the search.
        blocks : mapping of str to slice, optional
            Columns of each block.
        n_classes : int, default=2
            0 for regression; matters where weights are learned.
        random_state : int, default=0
            Which rows are drawn to measure distances.
        within : Within, optional
            Where quantities of these rows have been computed among others.

        Raises
        ------
        ParameterError
            Where the block is unknown.
        """
        return PreparedTerm(
            self, X, blocks, random_state=random_state, joined=False, keep=None, within=within
        )


@dataclass(frozen=True, repr=False)
class Sum:
    """A weighted sum of kernels.

    Parameters
    ----------
    terms : tuple of Expression
        The summands.
    weights : "equal", "aligned", "learned" or tuple of float, default="equal"
        ``aligned`` and ``learned`` find them on the training rows (`widemargin.svm.block_weights`
        says how); given ones are divided by their sum.

    Raises
    ------
    ValueError
        Where weights are negative, all 0, or too few or many; where a term has several gammas.

    Examples
    --------
    >>> from widemargin.svm.kernels import LINEAR
    >>> both = Sum((Term(LINEAR, "a"), Term(LINEAR, "b")), weights=(3.0, 1.0))
    >>> prepared = both.prepare(np.array([[2.0, 5.0], [2.0, -5.0]]),
    ...                         blocks={"a": slice(0, 1), "b": slice(1, 2)})
    >>> prepared.gram(prepared.fit(None))
    array([[1. , 0.5],
           [0.5, 1. ]])
    """

    terms: tuple[Expression, ...]
    weights: Weights = "equal"

    def __post_init__(self) -> None:
        _check_terms(self.terms, "sum")
        given = self.weights
        if isinstance(given, str):
            if given not in ("equal", "aligned", "learned"):
                raise ValueError(
                    f"weights are equal, aligned, learned, or one number a summand; got {given!r}"
                )
        elif len(given) != len(self.terms):
            raise ValueError(f"there are {len(self.terms)} summands and {len(given)} weights")
        elif not all(np.isfinite(given)) or min(given) < 0 or sum(given) == 0:
            raise ValueError(f"weights are at least 0, and not all 0; got {given}")

    def __repr__(self) -> str:
        weights = "" if self.weights == "equal" else f", weights={self.weights!r}"
        return f"Sum({self.terms!r}{weights})"

    @property
    def learns_y(self) -> bool:
        """Whether the sum's own weights depend on the target."""
        return self.weights in ("aligned", "learned")

    @property
    def is_settled(self) -> bool:
        """Whether it has one Gram matrix, which is kept in place of its summands'."""
        return not self.learns_y and all(
            isinstance(term, Term) and not term.has_automatic_width for term in self.terms
        )

    def prepare(
        self,
        X: Any,
        *,
        blocks: Blocks | None = None,
        n_classes: int = 2,
        random_state: int = 0,
        within: Within | None = None,
    ) -> PreparedSum:
        """Take up training rows; parameters as for `Term.prepare`."""
        prepared = _prepare(self, X, blocks, n_classes, random_state, within)
        assert isinstance(prepared, PreparedSum)
        return prepared


@dataclass(frozen=True, repr=False)
class Product:
    """A product of kernels.

    Parameters
    ----------
    terms : tuple of Expression
        The factors.

    Raises
    ------
    ValueError
        Where a term has several gammas.
    """

    terms: tuple[Expression, ...]

    def __post_init__(self) -> None:
        _check_terms(self.terms, "product")

    def __repr__(self) -> str:
        return f"Product({self.terms!r})"

    def prepare(
        self,
        X: Any,
        *,
        blocks: Blocks | None = None,
        n_classes: int = 2,
        random_state: int = 0,
        within: Within | None = None,
    ) -> PreparedProduct:
        """Take up training rows; parameters as for `Term.prepare`."""
        prepared = _prepare(self, X, blocks, n_classes, random_state, within)
        assert isinstance(prepared, PreparedProduct)
        return prepared


Expression = Term | Sum | Product


def expression(settings: SVMSettings, kernels: Mapping[str, Kernel]) -> Expression:
    """Build what a config asks for.

    Parameters
    ----------
    settings : SVMSettings
        The section ``svm``.
    kernels : mapping of str to Kernel
        The registry's kernels.

    Examples
    --------
    >>> from widemargin.svm.kernels import RBF
    >>> expression(SVMSettings(kernel="rbf", gamma=0.5), {"rbf": RBF}).gamma
    0.5
    """
    if settings.blocks is None:
        return Term(
            kernels[settings.kernel],
            gamma=settings.gamma,
            degree=settings.degree,
            coef0=settings.coef0,
        )
    terms = tuple(
        Term(
            kernels[settings.kernel if own.kernel is None else own.kernel],
            block=name,
            gamma=settings.gamma if own.gamma is None else own.gamma,
            degree=settings.degree if own.degree is None else own.degree,
            coef0=settings.coef0 if own.coef0 is None else own.coef0,
        )
        for name, own in settings.blocks.items()
    )
    if settings.combine == "product":
        return Product(terms)
    weights = settings.weights
    if isinstance(weights, dict):
        return Sum(terms, weights=tuple(weights[name] for name in settings.blocks))
    return Sum(terms, weights=weights)


def _check_terms(terms: Sequence[Expression], what: str) -> None:
    if not terms:
        raise ValueError(f"a {what} of kernels needs at least one")
    for one in terms:
        if isinstance(one, Term) and isinstance(one.gamma, tuple):
            raise ValueError(
                f"a kernel in a {what} takes one gamma or auto, whose widths vary together; "
                f"got {one.gamma}"
            )


def _prepare(
    one: Expression,
    X: Any,
    blocks: Blocks | None,
    n_classes: int,
    random_state: int,
    within: Within | None,
    *,
    keep: bool | None = None,
) -> Prepared:
    """Prepare a part of a sum or product; `keep` is as for `PreparedTerm`."""
    if isinstance(one, Term):
        return PreparedTerm(
            one, X, blocks, random_state=random_state, joined=True, keep=keep, within=within
        )
    settled = isinstance(one, Sum) and one.is_settled
    if settled:
        keep = False
    elif isinstance(one, Sum) and one.learns_y:
        keep = True
    below = [
        _prepare(term, X, blocks, n_classes, random_state, within, keep=keep) for term in one.terms
    ]
    if isinstance(one, Sum):
        return PreparedSum(below, one.weights, is_regression=n_classes == 0, keep=settled)
    return PreparedProduct(below)
