"""Fitted kernels: sums and products over blocks of features, all numbers settled, saved as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Kernel, KernelParameters
from widemargin.errors import ModelError
from widemargin.svm.blocks import UNIT, check_values, inverse_lengths, normalise, take_block

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FittedKernel", "FittedProduct", "FittedSum", "FittedTerm", "fitted_kernel"]

# Lengths of rows in a kernel's space come from small Gram matrices of this many rows.
_CHUNK = 64
_DEEPEST = 16


@dataclass(frozen=True, kw_only=True)
class FittedTerm:
    r"""One kernel with its numbers, on one block of the features.

    Parameters
    ----------
    kernel : Kernel
        The kernel.
    parameters : KernelParameters
        Its numbers.
    block : str or None
        Name of the block; None for all features.
    columns : tuple of (int, int) or None
        First column of the block and the one behind its last; None for all.
    dense : bool
        Whether the block is made dense where the rows are CSR.
    normalised : bool
        Whether values are divided by :math:`\sqrt{k(x, x)\, k(y, y)}`, as in sums and products.

    Examples
    --------
    >>> from widemargin.svm.kernels import LINEAR
    >>> term = FittedTerm(kernel=LINEAR, parameters=KernelParameters(), normalised=True)
    >>> term.gram(np.array([[3.0, 0.0], [0.0, 2.0]]), np.array([[1.0, 0.0]]))
    array([[1.],
           [0.]])
    """

    kernel: Kernel
    parameters: KernelParameters
    block: str | None = None
    columns: tuple[int, int] | None = None
    dense: bool = False
    normalised: bool = False
    _known: tuple[Any, Any, NDArray[Any] | None] | None = field(
        default=None, init=False, compare=False, repr=False
    )

    @property
    def name(self) -> str:
        """The block's name, or the kernel's."""
        return self.block or self.kernel.name

    @property
    def width(self) -> int:
        """The fewest features that rows must have; 0 where any number does."""
        return self.columns[1] if self.columns else 0

    def gram(self, X: Any, Y: Any) -> NDArray[Any]:
        """Return the kernel's values for all rows of X and Y, of shape (n_X, n_Y).

        Raises
        ------
        ParameterError
            Where a row has no value.
        """
        own_x, scale_x = self._take(X)
        if Y is X:
            own_y, scale_y = own_x, scale_x
        else:
            # A machine always compares with the same support vectors.
            if self._known is None or self._known[0] is not Y:
                object.__setattr__(self, "_known", (Y, *self._take(Y)))
            assert self._known is not None
            _, own_y, scale_y = self._known
        gram = _writable(self.kernel.gram(own_x, own_y, self.parameters), own_x)
        if scale_x is not None and scale_y is not None:
            normalise(gram, scale_x, scale_y)
        check_values(gram, self.kernel, self.block)
        return gram

    def take(self, X: Any) -> Any:
        """Return the block's columns."""
        return take_block(X, self.columns, self.dense, self.kernel, self.block)

    def _take(self, X: Any) -> tuple[Any, NDArray[Any] | None]:
        """Return the block's columns and, where they matter, the inverse lengths of the rows."""
        own = self.take(X)
        if not self.normalised or self.kernel.name in UNIT:
            return own, None
        chunks = (own[start : start + _CHUNK] for start in range(0, own.shape[0], _CHUNK))
        squares = [
            self.kernel.gram(chunk, chunk, self.parameters).diagonal().copy() for chunk in chunks
        ]
        return own, inverse_lengths(np.concatenate(squares) if squares else np.empty(0))

    def parts(self, X: Any, Y: Any) -> list[tuple[str, NDArray[Any]]]:
        """Return the one summand that there is, by name."""
        return [(self.name, self.gram(X, Y))]

    def terms(self) -> Iterator[FittedTerm]:
        """Go through all kernels."""
        yield self

    def to_data(self) -> dict[str, Any]:
        """Return JSON that `fitted_kernel` reads."""
        return {
            "kernel": self.kernel.name,
            "gamma": self.parameters.gamma,
            "degree": self.parameters.degree,
            "coef0": self.parameters.coef0,
            "block": self.block,
            "columns": None if self.columns is None else list(self.columns),
            "dense": self.dense,
            "normalised": self.normalised,
        }


@dataclass(frozen=True, kw_only=True)
class FittedSum:
    """A weighted sum of kernels.

    Parameters
    ----------
    summands : tuple of FittedKernel
        The summands.
    weights : tuple of float
        Their weights, which sum to 1.
    """

    summands: tuple[FittedKernel, ...]
    weights: tuple[float, ...]

    @property
    def name(self) -> str:
        """The summands' names."""
        return "(" + " + ".join(one.name for one in self.summands) + ")"

    @property
    def names(self) -> tuple[str, ...]:
        """One name a summand, no two equal."""
        names: list[str] = []
        for one in self.summands:
            name, number = one.name, 1
            while name in names:
                number += 1
                name = f"{one.name} {number}"
            names.append(name)
        return tuple(names)

    @property
    def width(self) -> int:
        """The fewest features that rows must have."""
        return max(one.width for one in self.summands)

    def gram(self, X: Any, Y: Any) -> NDArray[Any]:
        """Return the sum's values for all rows of X and Y, of shape (n_X, n_Y)."""
        total: NDArray[Any] | None = None
        for weight, one in zip(self.weights, self.summands, strict=True):
            if weight == 0 and total is not None:
                continue
            own = one.gram(X, Y)
            own *= weight
            total = own if total is None else np.add(total, own, out=total)
        assert total is not None
        return total

    def parts(self, X: Any, Y: Any) -> list[tuple[str, NDArray[Any]]]:
        """Return each summand by name, weight included."""
        grams = [one.gram(X, Y) for one in self.summands]
        for weight, gram in zip(self.weights, grams, strict=True):
            gram *= weight
        return list(zip(self.names, grams, strict=True))

    def terms(self) -> Iterator[FittedTerm]:
        """Go through all kernels."""
        for one in self.summands:
            yield from one.terms()

    def to_data(self) -> dict[str, Any]:
        """Return JSON that `fitted_kernel` reads."""
        return {
            "sum": [one.to_data() for one in self.summands],
            "weights": list(self.weights),
        }


@dataclass(frozen=True, kw_only=True)
class FittedProduct:
    """A product of kernels.

    Parameters
    ----------
    factors : tuple of FittedKernel
        The factors.
    """

    factors: tuple[FittedKernel, ...]

    @property
    def name(self) -> str:
        """The factors' names."""
        return " x ".join(one.name for one in self.factors)

    @property
    def width(self) -> int:
        """The fewest features that rows must have."""
        return max(one.width for one in self.factors)

    def gram(self, X: Any, Y: Any) -> NDArray[Any]:
        """Return the product's values for all rows of X and Y, of shape (n_X, n_Y)."""
        product = self.factors[0].gram(X, Y)
        for one in self.factors[1:]:
            product *= one.gram(X, Y)
        return product

    def parts(self, X: Any, Y: Any) -> list[tuple[str, NDArray[Any]]]:
        """Return the product as the one summand that it is."""
        return [(self.name, self.gram(X, Y))]

    def terms(self) -> Iterator[FittedTerm]:
        """Go through all kernels."""
        for one in self.factors:
            yield from one.terms()

    def to_data(self) -> dict[str, Any]:
        """Return JSON that `fitted_kernel` reads."""
        return {"product": [one.to_data() for one in self.factors]}


FittedKernel = FittedTerm | FittedSum | FittedProduct


def fitted_kernel(data: Any, kernels: Mapping[str, Kernel]) -> FittedKernel:
    """Rebuild what `to_data` wrote; nothing in it is executed.

    Parameters
    ----------
    data : JSON value
        What a file holds; nothing of it is trusted.
    kernels : mapping of str to Kernel
        The kernels that it may name.

    Raises
    ------
    ModelError
        Where it names a kernel that is not installed.
    ValueError
        Where it makes no sense.

    Examples
    --------
    >>> from widemargin.svm.kernels import RBF
    >>> term = FittedTerm(kernel=RBF, parameters=KernelParameters(gamma=0.5), block="words",
    ...                   columns=(0, 7), normalised=True)
    >>> fitted_kernel(term.to_data(), {"rbf": RBF}) == term
    True
    """
    return _parse(data, kernels, _DEEPEST)


def _parse(data: Any, kernels: Mapping[str, Kernel], deepest: int) -> FittedKernel:
    if not isinstance(data, dict) or deepest == 0:
        raise ValueError("a kernel is no mapping, or sums and products are too deep")
    for key in ("sum", "product"):
        if key in data:
            if not isinstance(data[key], list) or not data[key]:
                raise ValueError(f"a {key} of kernels has no list of them")
            below = tuple(_parse(one, kernels, deepest - 1) for one in data[key])
            if key == "product" and set(data) == {"product"}:
                return FittedProduct(factors=below)
            if key == "sum" and set(data) == {"sum", "weights"}:
                return FittedSum(
                    summands=below, weights=_parse_weights(data["weights"], len(below))
                )
            raise ValueError(f"a {key} of kernels has other keys: {', '.join(map(repr, data))}")
    return _parse_term(data, kernels)


def _parse_weights(weights: Any, n: int) -> tuple[float, ...]:
    if (
        not isinstance(weights, list)
        or len(weights) != n
        or not all(_is_number(one) and one >= 0 for one in weights)
        or abs(sum(weights) - 1) > 1e-6
    ):
        raise ValueError("the weights of a sum of kernels are absent, negative or not 1 together")
    return tuple(map(float, weights))


def _parse_term(data: Mapping[str, Any], kernels: Mapping[str, Kernel]) -> FittedTerm:
    known = {"kernel", "gamma", "degree", "coef0", "block", "columns", "dense", "normalised"}
    if set(data) != known:
        raise ValueError(f"a kernel has other keys: {', '.join(map(repr, data))}")
    name, block, columns = data["kernel"], data["block"], data["columns"]
    if not isinstance(name, str) or not (block is None or isinstance(block, str)):
        raise ValueError("a kernel or its block has no name")
    if name not in kernels:
        raise ModelError(
            f"the model uses the kernel {name!r}, which no installed plugin registers."
        )
    if columns is not None and not (
        isinstance(columns, list)
        and len(columns) == 2
        and all(type(one) is int for one in columns)
        and 0 <= columns[0] <= columns[1]
    ):
        raise ValueError(f"{name}: the columns are no two rising numbers")
    if not all(_is_number(data[key]) for key in ("gamma", "degree", "coef0")):
        raise ValueError(f"{name}: a parameter is no finite number")
    if type(data["degree"]) is not int:
        raise ValueError(f"{name}: the degree is no whole number")
    if type(data["dense"]) is not bool or type(data["normalised"]) is not bool:
        raise ValueError(f"{name}: dense and normalised are true or false")
    return FittedTerm(
        kernel=kernels[name],
        parameters=KernelParameters(
            gamma=float(data["gamma"]), degree=data["degree"], coef0=float(data["coef0"])
        ),
        block=block,
        columns=None if columns is None else (columns[0], columns[1]),
        dense=data["dense"],
        normalised=data["normalised"],
    )


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and bool(np.isfinite(value))


def _writable(gram: NDArray[Any], X: Any) -> NDArray[Any]:
    """Return a Gram matrix that may be changed: a kernel that was given may hand on its rows."""
    return gram.copy() if gram is X or not gram.flags.writeable else gram
