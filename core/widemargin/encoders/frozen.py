"""Encoders that learn nothing: each item by itself, so that its vector can be kept."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from widemargin.contracts import Columns, Progress, Share, Silent, State
from widemargin.encoders.items import content_key
from widemargin.encoders.transformer import Transformer
from widemargin.encoders.unreadable import Unreadable, count_rows, reason_of
from widemargin.errors import DataError, ItemsError, LibraryError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.encoders.store import EmbeddingStore

__all__ = ["FrozenEncoder"]


class FrozenEncoder(Transformer):
    """Base of encoders that learn nothing from training rows.

    An encoder of this kind says what its items are (`items`), how many numbers it makes of one
    (`dimension`), and makes them (`encode`). What it inherits encodes equal items once, keeps
    their vectors in a store where it is given one, and takes them from there.

    Attributes
    ----------
    store : EmbeddingStore or None
        Where vectors are kept; None keeps none. Not a parameter: no vector depends on it.
    progress : Progress
        Told how many items are encoded.
    """

    name: ClassVar[str]
    """What the registry calls it."""
    version: ClassVar[int] = 1
    """Raised whenever the same items get other vectors, so that kept ones are not used."""
    libraries: ClassVar[tuple[str, ...]] = ()
    """Distributions whose versions vectors depend on."""
    refuses: ClassVar[str] = ""
    """What it refuses of the items that it could read; another says that kept vectors of them are
    not used."""
    chunk: ClassVar[int] = 1024
    """Items that are encoded before their vectors are kept."""

    store: EmbeddingStore | None = None
    progress: Progress = Silent()

    @property
    @abstractmethod
    def dimension(self) -> int:
        """How many numbers an item becomes."""

    @abstractmethod
    def items(self, X: Columns | Sequence[Any]) -> list[Any]:
        """Return one item a row: text, `Path`, bytes, or an array."""

    @abstractmethod
    def encode(self, items: Sequence[Any]) -> NDArray[np.float32]:
        """Return vectors of shape (n_items, dimension); no item's depends on the others.

        Raises
        ------
        ItemsError
            Where some items cannot be read, as `widemargin.encoders.workers.vectors_of` does.
        DataError
            Where one cannot be read, of which it is not known which; they are then tried in
            smaller parts.
        """

    def weights_hash(self) -> str:
        """Return the hash of the weights in use; empty where there are none."""
        return ""

    def identity(self) -> Mapping[str, Any]:
        """Return all that vectors depend on besides the item, as JSON values."""
        refused = {"refuses": self.refuses} if self.refuses else {}
        return {
            **refused,
            "name": self.name,
            "version": self.version,
            "parameters": {key: _plain(value) for key, value in self.get_params().items()},
            "weights": self.weights_hash(),
            "dimension": self.dimension,
            "dtype": "float32",
            "libraries": {name: _version(name) for name in self.libraries},
        }

    def fit(self, X: Columns | Sequence[Any], y: Any = None) -> Self:
        """Learn nothing."""
        return self

    def transform(self, X: Columns | Sequence[Any]) -> NDArray[np.float32]:
        """Return vectors of shape (n_samples, dimension), float32.

        Raises
        ------
        ItemsError
            Where some items cannot be read; it names all of them. The vectors of the others are
            in the store.
        DataError
            Where an item gets a vector that is not finite.
        AssetError
            Where weights are absent.
        """
        unreadable = Unreadable(count_rows(X))
        items = unreadable.items(self.items, X)
        rows: dict[bytes, list[int]] = {}
        for row, item in items.items():
            with unreadable.at([row]):
                rows.setdefault(content_key(item), []).append(row)
        unique = list(rows)
        first = [items[rows[key][0]] for key in unique]
        vectors = np.empty((len(unique), self.dimension), dtype=np.float32)
        shelf = None if self.store is None or not unique else self.store.shelf(self.identity())
        found = np.zeros(len(unique), bool) if shelf is None else shelf.read(unique, vectors)
        if self.store is not None and shelf is not None:
            self.store.found.setdefault(shelf.folder.name, (len(unique), int(found.sum())))
        missing = np.flatnonzero(~found)
        if len(missing):
            with self.progress.stage(f"encoding with {self.name}", total=len(missing)) as stage:
                for start in range(0, len(missing), self.chunk):
                    own = missing[start : start + self.chunk].tolist()
                    bad = Unreadable(len(first))
                    for part, made in self._encoded(first, own, bad):
                        vectors[part] = made
                        if shelf is not None:
                            shelf.write([unique[row] for row in part], vectors[part])
                    if reason := bad.alike(own):
                        raise DataError(reason)
                    for place, why in bad.problems.items():
                        for row in rows[unique[place]]:
                            unreadable.problems[row] = _said_of(items[row], why, first[place])
                    stage.advance(len(own))
        unreadable.check()
        places = np.empty(len(items), dtype=np.intp)
        for place, key in enumerate(unique):
            places[rows[key]] = place
        return vectors[places]

    def check(self, X: Columns | Sequence[Any]) -> None:
        """Read every item once; its vector is kept where there is a store.

        Raises
        ------
        ItemsError
            Where some cannot be read; it names all of them.
        """
        self.transform(X)

    def _encoded(
        self, items: Sequence[Any], rows: list[int], bad: Unreadable
    ) -> Iterator[tuple[list[int], NDArray[np.float32]]]:
        """Encode those of some rows that can be read, in parts, and note the others."""
        try:
            made = self.encode([items[row] for row in rows])
        except ItemsError as error:
            for place, why in error.problems.items():
                bad.problems[rows[place]] = why
            rest = [row for row in rows if row not in bad.problems]
            # All is refused in the end; only what is kept is worth the work.
            if rest and self.store is not None:
                yield from self._encoded(items, rest, bad)
        except LibraryError:
            raise
        except DataError as error:
            if len(rows) == 1:
                bad.problems[rows[0]] = reason_of(error)
                return
            middle = len(rows) // 2
            yield from self._encoded(items, rows[:middle], bad)
            yield from self._encoded(items, rows[middle:], bad)
        else:
            _check(made, (len(rows), self.dimension), self.name)
            yield rows, made

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Name the columns by the encoder and their place."""
        return np.array([f"{self.name}: {k + 1}" for k in range(self.dimension)], dtype=object)

    def get_state(self) -> State:
        """Return which weights were used; nothing else was learnt."""
        return State({}, {"weights": self.weights_hash(), "version": self.version})

    def set_state(self, state: State) -> Self:
        """Check that the weights here are those that were used.

        Raises
        ------
        DataError
            Where they are others.
        """
        if state.meta["version"] != self.version or state.meta["weights"] != self.weights_hash():
            raise DataError(
                f"{self.name}: the weights here are not those that the model was trained with. "
                "Put those back, or run the use case again."
            )
        return self

    def explain(
        self, X: Columns | Sequence[Any], coef: NDArray[np.float64]
    ) -> Sequence[Sequence[Share]]:
        """Give each row's product with `coef` as one piece: the numbers have no words."""
        return [
            [Share(f"{self.name} embedding", float(row @ coef))]
            for row in self.transform(X).astype(np.float64)
        ]


def _said_of(item: Any, why: str, first: Any) -> str:
    """Say of a copy what was found wrong with the file that was opened."""
    if not isinstance(item, Path) or not isinstance(first, Path):
        return why
    return why.replace(str(first), str(item)).replace(first.as_posix(), item.as_posix())


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def _plain(value: Any) -> Any:
    """Return a parameter as JSON has it."""
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _check(made: NDArray[np.float32], shape: tuple[int, int], name: str) -> None:
    if made.shape != shape or not np.isfinite(made).all():
        raise DataError(
            f"{name}: returned {made.shape} for {shape}, or numbers that are not finite. "
            "The weights are damaged, or not for this encoder."
        )
