"""Engines: what solves the optimisation problem, behind one small interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from widemargin.svm.engines.scikit_learn import ScikitLearn

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from widemargin.svm.machine import Solution

__all__ = ["Engine", "choose_engine"]


class Engine(Protocol):
    """Solves one support vector problem; a new engine needs these two methods."""

    name: str

    def solve_linear(
        self,
        X: Any,
        y: NDArray[Any],
        *,
        n_classes: int,
        C: float,
        epsilon: float,
        sample_weight: NDArray[np.float64] | None,
        random_state: int,
    ) -> Solution:
        """Fit weights to rows, dense or CSR; `n_classes` 0 means regression."""
        ...

    def solve_gram(
        self,
        gram: NDArray[np.float64],
        y: NDArray[Any],
        *,
        n_classes: int,
        C: float,
        epsilon: float,
        sample_weight: NDArray[np.float64] | None,
        random_state: int,
    ) -> Solution:
        """Fit multipliers to a Gram matrix of the training rows."""
        ...


def choose_engine(name: str) -> Engine:
    """Return the engine of that name; ``auto`` takes the fastest that is installed.

    Examples
    --------
    >>> choose_engine("auto").name
    'scikit-learn'
    """
    engines: dict[str, type[Engine]] = {"auto": ScikitLearn, "scikit-learn": ScikitLearn}
    if name not in engines:
        allowed = ", ".join(map(repr, engines))
        raise ValueError(
            f"The 'engine' parameter must be a str among {{{allowed}}}. Got {name!r} instead."
        )
    return engines[name]()
