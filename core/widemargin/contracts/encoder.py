"""Encoders: raw items in, vectors out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from widemargin.contracts.asset import Asset
from widemargin.contracts.dataset import Columns, Kind
from widemargin.contracts.section import Section

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Encoder", "EncoderSpec", "Learns", "Population", "Share", "State"]

Learns = Literal["nothing", "X", "y"]
"""What a transformer takes from the rows that it is fitted on."""

Population = tuple[Sequence[Any], Sequence[float]]
"""Values of a column, None for a missing one, and the share of training rows with each."""


@dataclass(frozen=True)
class State:
    """What a fitted object needs in order to come back: arrays and JSON, no code.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        Saved as safetensors.
    meta : mapping of str to JSON value
        Saved as JSON.
    """

    arrays: Mapping[str, NDArray[Any]]
    meta: Mapping[str, Any]


@dataclass(frozen=True)
class Share:
    """A piece of one item and what it adds to the margin.

    Parameters
    ----------
    piece : str
        The piece in the domain's words: a word, a column with its value.
    contribution : float
        What it adds to the decision; above 0 speaks for the positive class.
    letter : int or None
        Which letter of a sequence the piece is, from 1, white space aside; None for others.
    """

    piece: str
    contribution: float
    letter: int | None = None


@runtime_checkable
class Encoder(Protocol):
    """A scikit-learn transformer that can be saved as data.

    One of tables may have a further method, ``population() -> mapping of str to Population``: the
    values that training rows have in each column. Explanations then say what a column's value adds
    against those, in place of what is lost without any. Another one, ``doubts(X) -> list of mapping
    of int to str``, says for each column in which rows a cell counts otherwise than it is written;
    predictions carry that as their note.

    One that reads no more than a part of a long item may have ``unread(X) -> mapping of int to
    str``: by row, what it reads of an item and what reads all of it. People are told, and an answer
    to such an item carries it as its note.
    """

    def fit(self, X: Columns, y: Any = None) -> Encoder:
        """Learn what `learns` allows from the training rows."""
        ...

    def transform(self, X: Columns) -> Any:
        """Return vectors, dense or CSR, of shape (n_samples, n_features)."""
        ...

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Name the columns that `transform` returns."""
        ...

    def get_state(self) -> State:
        """Return what was learnt, as data."""
        ...

    def set_state(self, state: State) -> Encoder:
        """Take up what another of the same settings had learnt."""
        ...

    def explain(self, X: Columns, coef: NDArray[np.float64]) -> Sequence[Sequence[Share]]:
        """Split ``transform(X) @ coef`` into the pieces that people see, one list a row.

        The contributions of a row sum to its product with `coef`.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class EncoderSpec:
    """What the registry knows of an encoder; making one imports no heavy library.

    Parameters
    ----------
    name : str
        What ``features.encoder`` calls it.
    summary : str
        One line for people.
    kinds : tuple of Kind
        The kinds of column that it reads.
    learns : {"nothing", "X", "y"}
        What it takes from training rows at the usual settings; decides where it is fitted.
    settings : type of Section
        Its part of the config.
    build : callable
        ``build(settings) -> Encoder``, unfitted.
    dimension : int, optional
        How many numbers an item becomes at the usual settings; None where data decide.
    licence : str
        The licence of its weights; empty where it brings none.
    assets : tuple of Asset
        All weight files that any settings need.
    needs : callable, optional
        ``needs(settings) -> tuple of Asset``: which of them these settings need; by default all.
    learns_from : callable, optional
        ``learns_from(settings) -> Learns``, where settings decide what it learns.
    extra : str
        The extra of widemargin that brings its libraries, as in ``"text"``; empty for none.
    trains : bool
        Whether fitting trains a network, which takes long: one held-out part then chooses C and
        gamma in place of the inner folds.
    tunable : bool
        Whether ``features.train`` can fine-tune it: what it builds is a `TunableEncoder`.
    """

    name: str
    summary: str
    kinds: tuple[Kind, ...]
    learns: Learns
    settings: type[Section]
    build: Callable[[Any], Encoder]
    dimension: int | None = None
    licence: str = ""
    assets: tuple[Asset, ...] = ()
    needs: Callable[[Any], tuple[Asset, ...]] | None = None
    learns_from: Callable[[Any], Learns] | None = None
    extra: str = ""
    trains: bool = False
    tunable: bool = False

    def learns_at(self, settings: Any) -> Learns:
        """Return what the encoder takes from training rows at these settings."""
        return self.learns if self.learns_from is None else self.learns_from(settings)

    def assets_for(self, settings: Any) -> tuple[Asset, ...]:
        """Return the weight files that the encoder needs at these settings."""
        return self.assets if self.needs is None else self.needs(settings)
