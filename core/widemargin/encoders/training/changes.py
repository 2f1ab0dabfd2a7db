r"""What fine-tuning changed of a network's weights, and those weights with it.

Kept are whole weights, or the two factors of a low-rank change (E. J. Hu et al., "LoRA", 2021,
arXiv:2106.09685), which are merged into the weights of use:

.. math::

    W \leftarrow W + B A, \qquad A \in R^{r \times n_{in}}, \; B \in R^{n_{out} \times r}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.encoders.training.arrays import digest_of
from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Changes", "factor_names", "merged"]


@dataclass(frozen=True, eq=False)
class Changes:
    """What training changed, by the names of weights.

    Two of them are never equal, so that they can be keys of a cache without being compared.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        Under a weight's name what it became, or under the names that `factor_names` gives the
        factors of what is added to it. Weights that have no entry are as they were.

    Examples
    --------
    >>> changes = Changes({"out.weight": np.ones((2, 2), np.float32)})
    >>> changes.of("out.weight", np.zeros((2, 2), np.float32)).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """

    arrays: Mapping[str, NDArray[Any]]

    def of(self, name: str, weight: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a weight as training left it.

        Raises
        ------
        DataError
            Where what was kept has another shape.
        """
        whole = self.arrays.get(name)
        if whole is not None:
            if whole.shape != weight.shape:
                raise _misfit(name, whole, weight)
            return np.asarray(whole, dtype=np.float32)
        first, second = factor_names(name)
        if first in self.arrays and second in self.arrays:
            return merged(name, weight, self.arrays[first], self.arrays[second])
        return weight

    @cached_property
    def digest(self) -> str:
        """The hash of all of them, 64 hexadecimal digits."""
        return digest_of(self.arrays)


def factor_names(name: str) -> tuple[str, str]:
    """Return what the factors A and B of a weight's low-rank change are called.

    Examples
    --------
    >>> factor_names("layer.0.dense.weight")
    ('layer.0.dense.weight.lora_a', 'layer.0.dense.weight.lora_b')
    """
    return f"{name}.lora_a", f"{name}.lora_b"


def merged(
    name: str, weight: NDArray[np.float32], a: NDArray[Any], b: NDArray[Any]
) -> NDArray[np.float32]:
    """Return a weight with ``b @ a`` added, of its own shape (n_out, n_in[, 1, 1]).

    Raises
    ------
    DataError
        Where the factors are not for it.

    Examples
    --------
    >>> weight = np.zeros((2, 1), np.float32)
    >>> merged("out", weight, np.array([[3.0]]), np.array([[1.0], [2.0]])).tolist()
    [[3.0], [6.0]]
    """
    fits = a.ndim == b.ndim == 2 and len(a) == b.shape[1]
    if not fits or (len(b), a.shape[1]) != weight.shape[:2] or any(n > 1 for n in weight.shape[2:]):
        raise _misfit(name, b @ a if fits else a, weight)
    # In float64 the order of the sum does not show in what is rounded to float32.
    added = b.astype(np.float64) @ a.astype(np.float64)
    return np.asarray(weight + added.reshape(weight.shape), dtype=np.float32)


def _misfit(name: str, kept: NDArray[Any], weight: NDArray[Any]) -> DataError:
    return DataError(
        f"fine-tuning kept a change of shape {kept.shape} for {name}, which has the shape "
        f"{weight.shape}: it is of another network."
    )
