"""The forward pass of a BERT encoder by the compiled library: weights packed once, no padding."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from widemargin.native import level, library
from widemargin.native.jobs import Job, available_threads, run_job

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PackedBert", "Pooling", "chunk_bounds"]

Pooling = Literal["mean", "cls", "max"]

_POINTER, _COUNT = ctypes.c_void_p, ctypes.c_int64
_POOLINGS: tuple[Pooling, ...] = ("mean", "cls", "max")

# Tokens that a thread works on at once: enough to read the weights seldom, few enough that what
# they become stays near the processor.
_MOST_TOKENS, _FEWEST_TOKENS = 192, 48


class _BertJob(Job):
    """`wm_bert` of bert.h, field by field."""

    _fields_ = (
        ("ids", _POINTER),
        ("starts", _POINTER),
        ("chunks", _POINTER),
        ("n_chunks", _COUNT),
        ("most_tokens", _COUNT),
        ("longest", _COUNT),
        ("d", _COUNT),
        ("inner", _COUNT),
        ("heads", _COUNT),
        ("n_layers", _COUNT),
        ("eps", ctypes.c_double),
        ("taken", _POINTER),
        ("pooling", _COUNT),
        ("arithmetic", _COUNT),
        ("weights", _POINTER),
        ("out", _POINTER),
        ("states", _POINTER),
        ("next", _COUNT),
        ("stop", ctypes.c_int32),
        ("failed", ctypes.c_int32),
    )


class PackedBert:
    """A BERT encoder's weights as the library reads them.

    Parameters
    ----------
    first : sequence of ndarray
        Word embeddings of shape (n_words, d), position embeddings with the segment's added, of
        shape (n_positions, d), and the first normalisation's scale and shift, of shape (d,).
    layers : sequence of sequence of ndarray
        For each layer the weight, of shape (n_out, n_in), and the bias of the joined query, key
        and value (queries scaled by ``sqrt(heads / d)``), of the output of attention, then scale
        and shift of its normalisation; the same of the layer's inner part: weight and bias into
        it, out of it, scale and shift.
    heads : int
        How many heads attention has.
    eps : float
        What is added to variances.
    bfloat16 : bool
        Whether products with weights are of numbers rounded to bfloat16, summed in float32;
        processors that have such products do twice as many.

    Raises
    ------
    ValueError
        Where an array is of another shape, or the library does not take vectors of this length.
    """

    def __init__(
        self,
        first: Sequence[NDArray[np.float32]],
        layers: Sequence[Sequence[NDArray[np.float32]]],
        *,
        heads: int,
        eps: float,
        bfloat16: bool,
    ) -> None:
        found = library()
        assert found is not None
        first = [np.asarray(array, dtype=np.float32) for array in first]
        layers = [[np.asarray(array, dtype=np.float32) for array in layer] for layer in layers]
        _check_shapes(first, layers, heads)
        self.arithmetic = 0 if not bfloat16 else 2 if found.wm_sums_pairs() else 1
        self.heads, self.eps = heads, eps
        self.n_words, self.d = first[0].shape
        self.n_positions = len(first[1])
        self.n_layers = len(layers)
        self.inner = len(layers[0][6])
        # The library keeps addresses: the arrays live as long as this object does.
        self._arrays: list[NDArray[Any]] = [_aligned(array) for array in first]
        for layer in layers:
            for array in layer:
                packed = self._panels(array) if array.ndim == 2 else _whole(array)
                self._arrays.append(_aligned(packed))
        self._addresses = (_POINTER * len(self._arrays))(*(one.ctypes.data for one in self._arrays))

    @staticmethod
    def serves(d: int, inner: int) -> bool:
        """Say whether the library is there, and takes vectors of this length."""
        return library() is not None and d > 0 < inner and d % 16 == inner % 16 == 0

    @staticmethod
    def instructions() -> str:
        """Name what sums products: roundings to bfloat16 fall otherwise after other sums."""
        found = library()
        if found is None:
            return "numpy"
        return "pairs" if found.wm_sums_pairs() else level()

    def pooled(
        self,
        ids: NDArray[np.int32],
        starts: NDArray[np.int64],
        pooling: Pooling,
        taken: Sequence[int],
    ) -> NDArray[np.float32]:
        """Return a vector a text, of shape (n_texts, d).

        Parameters
        ----------
        ids : ndarray of int32
            The tokens of all texts, one text behind the other, each below `n_words`.
        starts : ndarray of int64, of shape (n_texts + 1,)
            Where each text begins; none is empty.
        pooling : {"mean", "cls", "max"}
            What is made of a text's tokens.
        taken : sequence of int
            The layers whose outputs are averaged, 0 for the embeddings.
        """
        out = np.empty((len(starts) - 1, self.d), dtype=np.float32)
        self._run(ids, starts, taken, pooling=_POOLINGS.index(pooling), out=out.ctypes.data)
        return out

    def states(
        self, ids: NDArray[np.int32], starts: NDArray[np.int64], taken: Sequence[int]
    ) -> NDArray[np.float32]:
        """Return a vector a token, of shape (n_tokens, d); parameters as for `pooled`."""
        states = np.empty((len(ids), self.d), dtype=np.float32)
        self._run(ids, starts, taken, states=states.ctypes.data)
        return states

    def _run(
        self,
        ids: NDArray[np.int32],
        starts: NDArray[np.int64],
        taken: Sequence[int],
        *,
        pooling: int = 0,
        out: int | None = None,
        states: int | None = None,
    ) -> None:
        if len(starts) < 2:
            return
        found = library()
        assert found is not None
        ids = np.ascontiguousarray(ids, dtype=np.int32)
        starts = np.ascontiguousarray(starts, dtype=np.int64)
        self._check_texts(ids, starts)
        share = len(ids) // (2 * available_threads())
        chunks = chunk_bounds(starts, min(max(share, _FEWEST_TOKENS), _MOST_TOKENS))
        flags = np.zeros(self.n_layers + 1, dtype=np.uint8)
        flags[list(taken)] = 1
        job = _BertJob(
            ids=ids.ctypes.data,
            starts=starts.ctypes.data,
            chunks=chunks.ctypes.data,
            n_chunks=len(chunks) - 1,
            most_tokens=int(np.diff(starts[chunks]).max()),
            longest=int(np.diff(starts).max()),
            d=self.d,
            inner=self.inner,
            heads=self.heads,
            n_layers=self.n_layers,
            eps=self.eps,
            taken=flags.ctypes.data,
            pooling=pooling,
            arithmetic=self.arithmetic,
            weights=ctypes.addressof(self._addresses),
            out=out,
            states=states,
        )
        run_job(found.wm_bert_work, job, small=len(chunks) == 2 and len(ids) < _MOST_TOKENS)

    def _check_texts(self, ids: NDArray[np.int32], starts: NDArray[np.int64]) -> None:
        lengths = np.diff(starts)
        if starts[0] < 0 or starts[-1] > len(ids) or lengths.min() < 1:
            raise ValueError(f"starts must grow from 0 to at most {len(ids)}, the number of ids")
        if lengths.max() > self.n_positions:
            raise ValueError(f"a text has {lengths.max()} tokens; {self.n_positions} are allowed")
        if ids.min() < 0 or ids.max() >= self.n_words:
            raise ValueError(f"ids must be from 0 to {self.n_words - 1}")

    def _panels(self, weight: NDArray[np.float32]) -> NDArray[Any]:
        """Lay 16 rows side by side, number by number, or pair by pair of bfloat16 numbers."""
        rows = _whole(weight)
        depth = rows.shape[1]
        if self.arithmetic == 0:
            return rows.reshape(-1, 16, depth).transpose(0, 2, 1)
        words = rows.view(np.uint32)
        words = words + np.uint32(0x7FFF) + ((words >> np.uint32(16)) & np.uint32(1))
        if self.arithmetic == 1:
            words &= np.uint32(0xFFFF0000)
            return words.view(np.float32).reshape(-1, 16, depth).transpose(0, 2, 1)
        halves = (words >> np.uint32(16)).astype("<u2").view(np.uint32)
        return halves.reshape(-1, 16, depth // 2).transpose(0, 2, 1)


def _check_shapes(
    first: Sequence[NDArray[np.float32]],
    layers: Sequence[Sequence[NDArray[np.float32]]],
    heads: int,
) -> None:
    """Refuse what the library would read beyond its end: it trusts these shapes."""
    if len(first) != 4 or not layers or any(len(layer) != 12 for layer in layers):
        raise ValueError("there must be 4 first arrays, and 12 of each layer, at least of one")
    if first[0].ndim != 2 or layers[0][6].ndim != 2:
        raise ValueError("embeddings and maps must be matrices")
    d, inner = first[0].shape[1], len(layers[0][6])
    if not PackedBert.serves(d, inner) or heads < 1 or d % heads:
        raise ValueError(
            f"d = {d} and inner = {inner} must be multiples of 16, and heads = {heads} divide d"
        )
    if not len(first[0]) or not len(first[1]):
        raise ValueError("there must be at least one word and one position")
    wanted: list[tuple[int, ...]] = [(len(first[0]), d), (len(first[1]), d), (d,), (d,)]
    each: list[tuple[int, ...]] = [(3 * d, d), (3 * d,), (d, d), (d,), (d,), (d,)]
    each += [(inner, d), (inner,), (d, inner), (d,), (d,), (d,)]
    for place, own, expected in [
        ("first", first, wanted),
        *((f"layer {number}", layer, each) for number, layer in enumerate(layers)),
    ]:
        for number, (array, shape) in enumerate(zip(own, expected, strict=True)):
            if array.shape != shape:
                raise ValueError(f"{place}, array {number}: has shape {array.shape}, not {shape}")


def chunk_bounds(starts: NDArray[np.int64], budget: int) -> NDArray[np.int64]:
    """Cut texts into pieces of at most so many tokens, or of one text; returns their bounds.

    Examples
    --------
    >>> chunk_bounds(np.array([0, 3, 5, 20, 22]), 6).tolist()
    [0, 2, 3, 4]
    """
    bounds, last = [0], len(starts) - 1
    while bounds[-1] < last:
        first = bounds[-1]
        end = int(np.searchsorted(starts, starts[first] + budget, side="right")) - 1
        bounds.append(max(end, first + 1))
    return np.array(bounds, dtype=np.int64)


def _whole(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """Add rows of zeros up to a multiple of 32."""
    missing = -len(array) % 32
    if not missing:
        return np.ascontiguousarray(array)
    return np.concatenate([array, np.zeros((missing, *array.shape[1:]), dtype=np.float32)])


def _aligned(array: NDArray[Any]) -> NDArray[Any]:
    """Return a contiguous array that begins on a cache line; a copy where it does not already."""
    if array.flags.c_contiguous and array.ctypes.data % 64 == 0:
        return array
    room = np.empty(array.nbytes + 64, dtype=np.uint8)
    first = -room.ctypes.data % 64
    own = room[first : first + array.nbytes].view(array.dtype).reshape(array.shape)
    own[...] = array
    return own
