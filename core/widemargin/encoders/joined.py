"""Encoders side by side: one matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from widemargin.contracts import (
    Checkpoints,
    Columns,
    Encoder,
    Population,
    Progress,
    Share,
    State,
)
from widemargin.encoders.frozen import FrozenEncoder
from widemargin.encoders.items import check_present
from widemargin.encoders.training.tuned import TunedEncoder
from widemargin.encoders.transformer import Transformer
from widemargin.encoders.unreadable import Unreadable, count_rows
from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.encoders.store import EmbeddingStore

__all__ = ["JoinedEncoders"]


class JoinedEncoders(Transformer):
    """Encoders side by side: one matrix, and where each one's columns are.

    Parameters
    ----------
    blocks : sequence of (str, tuple of str, Encoder)
        Name, the columns it reads, and the encoder.
    scale : bool, default=False
        Divide each block by the root mean square length of its training rows, so that no block
        outweighs another by its units or its number of columns.

    Attributes
    ----------
    blocks_ : dict of str to slice
        Each block's columns of the matrix.
    scales_ : tuple of float
        What each block is multiplied by.

    Examples
    --------
    >>> from widemargin.encoders import TfidfEncoder
    >>> joined = JoinedEncoders([("tfidf", ("text",), TfidfEncoder(min_df=1))])
    >>> joined.fit_transform({"text": ["win cash", "see you"]}).shape[0]
    2
    >>> list(joined.blocks_)
    ['tfidf']
    """

    scales_: tuple[float, ...]

    def __init__(
        self, blocks: Sequence[tuple[str, tuple[str, ...], Encoder]], scale: bool = False
    ) -> None:
        self.blocks = blocks
        self.scale = scale

    def use(
        self,
        store: EmbeddingStore | None,
        progress: Progress,
        checkpoints: Checkpoints | None = None,
    ) -> Self:
        """Let encoders keep their vectors in a store, where these depend on no other row.

        Those that train a network keep how far it is in `checkpoints`.
        """
        for _, _, encoder in self.blocks:
            if isinstance(encoder, FrozenEncoder):
                encoder.store = store
            elif isinstance(encoder, TunedEncoder):
                # For the vectors of the encoder as published; what training makes is not kept.
                encoder.encoder.store = store
            if hasattr(encoder, "progress"):
                encoder.progress = progress
            if hasattr(encoder, "checkpoints"):
                encoder.checkpoints = checkpoints
        return self

    def check(self, X: Columns) -> None:
        """Read every item once, where an encoder's items may be unreadable.

        Raises
        ------
        ItemsError
            Where some cannot be read; it names all of them, whichever encoder found them.
        """
        found = Unreadable(count_rows(X))
        for _, columns, encoder in self.blocks:
            check = getattr(encoder, "check", None)
            if check is not None:
                with found.at(range(found.n_items)):
                    check(_select(X, columns))
        found.check()

    def unread(self, X: Columns) -> dict[int, str]:
        """Say of the items of which an encoder leaves something out what each one reads."""
        said: dict[int, list[str]] = {}
        for _, columns, encoder in self.blocks:
            own = getattr(encoder, "unread", None)
            for row, what in own(_select(X, columns)).items() if own is not None else ():
                said.setdefault(row, []).append(what)
        return {row: ". ".join(whats) for row, whats in said.items()}

    def fit(self, X: Columns, y: Any = None) -> Self:
        """Fit every encoder on its columns."""
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: Columns, y: Any = None) -> Any:
        """Fit every encoder and return the joined matrix."""
        parts = []
        for _, columns, encoder in self.blocks:
            own = _select(X, columns)
            fit_transform = getattr(encoder, "fit_transform", None)
            parts.append(
                fit_transform(own, y) if fit_transform else encoder.fit(own, y).transform(own)
            )
        ends = np.cumsum([0, *(part.shape[1] for part in parts)]).tolist()
        self._place(ends)
        self.scales_ = tuple(1 / _length(part) if self.scale else 1.0 for part in parts)
        return _join(parts, self.scales_)

    def transform(self, X: Columns) -> Any:
        """Return the joined matrix, CSR if any block is sparse."""
        self._check_fitted("blocks_")
        parts = [encoder.transform(_select(X, columns)) for _, columns, encoder in self.blocks]
        return _join(parts, self.scales_)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Name the columns, block by block."""
        self._check_fitted("blocks_")
        return np.concatenate([encoder.get_feature_names_out() for _, _, encoder in self.blocks])

    def get_state(self) -> State:
        """Return every encoder's state under its block's name."""
        self._check_fitted("blocks_")
        states = {name: encoder.get_state() for name, _, encoder in self.blocks}
        return State(
            {
                f"{name}/{key}": array
                for name, state in states.items()
                for key, array in state.arrays.items()
            },
            {
                "ends": [part.stop for part in self.blocks_.values()],
                "scales": list(self.scales_),
                "blocks": {name: dict(state.meta) for name, state in states.items()},
            },
        )

    def set_state(self, state: State) -> Self:
        """Take up every encoder's state."""
        for name, _, encoder in self.blocks:
            start = f"{name}/"
            arrays = {
                key.removeprefix(start): array
                for key, array in state.arrays.items()
                if key.startswith(start)
            }
            encoder.set_state(State(arrays, state.meta["blocks"][name]))
        self._place([0, *state.meta["ends"]])
        self.scales_ = tuple(float(scale) for scale in state.meta["scales"])
        if len(self.scales_) != len(self.blocks) or not np.isfinite(self.scales_).all():
            raise DataError("the saved scales do not fit the blocks of features.")
        return self

    def explain(self, X: Columns, coef: NDArray[np.float64]) -> list[list[Share]]:
        """Split each row's product with `coef` into the pieces of every block."""
        self._check_fitted("blocks_")
        rows: list[list[Share]] = []
        for (name, columns, encoder), scale in zip(self.blocks, self.scales_, strict=True):
            own = encoder.explain(_select(X, columns), scale * coef[self.blocks_[name]])
            rows = (
                [[*row, *more] for row, more in zip(rows, own, strict=True)]
                if rows
                else [list(row) for row in own]
            )
        return rows

    def doubts(self, X: Columns) -> dict[int, str]:
        """Say by row which cells of tables count otherwise than they are written."""
        found: dict[int, list[str]] = {}
        for _, columns, encoder in self.blocks:
            own = getattr(encoder, "doubts", None)
            for column in own(_select(X, columns)) if own else ():
                for row, said in column.items():
                    if said not in found.setdefault(row, []):
                        found[row].append(said)
        return {row: "; ".join(said) for row, said in found.items()}

    def population(self) -> dict[str, Population]:
        """Return what values training rows have in each column, as far as encoders know them.

        Nothing where one of them does not: a column is then taken away in another way.
        """
        known: dict[str, Population] = {}
        for _, _, encoder in self.blocks:
            own = getattr(encoder, "population", None)
            if own is None:
                return {}
            known |= own()
        return known

    def _place(self, ends: Sequence[int]) -> None:
        names = [name for name, _, _ in self.blocks]
        self.blocks_ = {
            name: slice(start, end)
            for name, start, end in zip(names, ends[:-1], ends[1:], strict=True)
        }


def _select(X: Columns, columns: tuple[str, ...]) -> Any:
    check_present(X, columns)
    if hasattr(X, "loc"):
        # As a frame: of an expression profile's thousands of columns each would take its time.
        frame: Any = X
        return frame if list(frame.columns) == list(columns) else frame[list(columns)]
    return {name: X[name] for name in columns}


def _length(rows: Any) -> float:
    """Return the root mean square length of rows; 1 where there is nothing to measure."""
    squares = rows.multiply(rows).sum() if hasattr(rows, "tocsr") else np.vdot(rows, rows)
    length = float(np.sqrt(float(squares) / max(1, rows.shape[0])))
    return length if np.isfinite(length) and length > 0 else 1.0


def _join(parts: Sequence[Any], scales: Sequence[float]) -> Any:
    parts = [
        part if scale == 1 else part * scale for part, scale in zip(parts, scales, strict=True)
    ]
    if len(parts) == 1:
        return parts[0]
    if any(hasattr(part, "tocsr") for part in parts):
        from scipy.sparse import csr_matrix, hstack

        return csr_matrix(hstack(parts, format="csr"))
    return np.concatenate(parts, axis=1)
