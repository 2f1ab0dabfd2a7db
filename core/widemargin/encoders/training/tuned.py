"""Fine-tuning: a pretrained encoder, trained further on the user's own classes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from widemargin.contracts import Checkpoints, Columns, PositiveFloat, Progress, Share, Silent, State
from widemargin.encoders.items import content_key
from widemargin.encoders.training.changes import Changes
from widemargin.encoders.training.classes import class_numbers, group_equal
from widemargin.encoders.training.history import History
from widemargin.encoders.training.settings import LossName, TrainingSettings
from widemargin.encoders.training.trainable import TunableEncoder
from widemargin.encoders.transformer import Transformer

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Method", "TuneSettings", "TunedEncoder"]

Method = Literal["full", "last", "lora"]
"""Which weights learn: those of all layers, of the last ones, or low-rank changes beside them."""

_INNER = "encoder__"  # what names of the encoder's parameters begin with

# What was tried is in FINE_TUNING.md.
_RATES: dict[str, float] = {"full": 2e-4, "last": 2e-4, "lora": 2e-3}


class TuneSettings(TrainingSettings):
    """How a pretrained encoder is trained further."""

    method: Method = Field(
        "lora",
        description="which weights learn: full (all layers), last (the last ones), or lora "
        "(low-rank changes beside all layers)",
    )
    last: Annotated[int, Field(ge=1)] = Field(
        2, description="how many layers learn, from the last one backwards, for last"
    )
    rank: Annotated[int, Field(ge=1, le=1024)] = Field(8, description="rank of changes, for lora")
    loss: LossName = Field(
        "supervised-contrastive",
        description="what training makes small: cross-entropy (a last layer tells the classes "
        "apart), or supervised-contrastive, triplet or info-nce (items of a class lie close)",
    )
    epochs: Annotated[int, Field(ge=1, le=10_000)] = Field(
        3, description="how often training goes through the items, at most, if `steps` asks no more"
    )
    steps: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        60,
        description="the fewest steps, unless `patience` ends training before: few items are gone "
        "through more often than `epochs` says",
    )
    batch_size: Annotated[int, Field(ge=2, le=65_536)] = Field(16, description="items of one step")
    flip: bool = Field(
        False,
        description="train on mirror images too, where the encoder reads images; not where left "
        "and right matter",
    )
    learning_rate: PositiveFloat = Field(
        _RATES["lora"],
        description="highest step length of AdamW; by default "
        + ", ".join(f"{rate:g} for {method}" for method, rate in _RATES.items()),
    )

    @model_validator(mode="before")
    @classmethod
    def _rate_of_method(cls, given: Any) -> Any:
        """Give each method the learning rate that suits it, where none is set."""
        if isinstance(given, dict) and given.get("method") in _RATES:
            return {"learning_rate": _RATES[given["method"]], **given}
        return given


class TunedEncoder(Transformer):
    """A pretrained encoder, trained further on the classes of training rows.

    Its weights are those of `encoder` as published, with what training changed. Equal items are
    encoded once, and no vector is kept in the embedding store: they are this model's alone.

    Parameters
    ----------
    encoder : TunableEncoder
        The encoder to begin with.
    settings : TuneSettings
        How it is trained.

    Attributes
    ----------
    encoder_ : TunableEncoder
        The encoder with the weights that training left.
    history_ : History
        How training went.
    classes_ : ndarray of str
        The classes that it learnt to tell apart.
    progress : Progress
        Told of every epoch, and of encoding. Not a parameter.
    checkpoints : Checkpoints or None
        Where training keeps how far it is. Not a parameter.
    """

    progress: Progress = Silent()
    checkpoints: Checkpoints | None = None

    encoder_: TunableEncoder
    history_: History
    classes_: NDArray[np.str_]

    def __init__(self, encoder: TunableEncoder, settings: TuneSettings | None = None) -> None:
        self.encoder = encoder
        self.settings = settings

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters; with `deep`, the encoder's too, as ``encoder__pooling``."""
        own = super().get_params()
        inner = self.encoder.get_params() if deep else {}
        return {**own, **{f"{_INNER}{name}": value for name, value in inner.items()}}

    def set_params(self, **params: Any) -> Self:
        """Set parameters, as scikit-learn does."""
        inner = {key: value for key, value in params.items() if key.startswith(_INNER)}
        super().set_params(**{key: own for key, own in params.items() if key not in inner})
        self.encoder.set_params(**{key.removeprefix(_INNER): value for key, value in inner.items()})
        return self

    @property
    def name(self) -> str:
        """What the registry calls the encoder."""
        return self.encoder.name

    @property
    def dimension(self) -> int:
        """How many numbers an item becomes."""
        return self.encoder.dimension

    def weights_hash(self) -> str:
        """Return the hash of the weights that training begins with."""
        return self.encoder.weights_hash()

    def identity(self) -> Mapping[str, Any]:
        """Return what training begins with, and how it is done, as JSON values."""
        settings = self.settings or TuneSettings()
        return {**self.encoder.identity(), "train": settings.model_dump(mode="json")}

    def fit(self, X: Columns | Sequence[Any], y: Any = None) -> Self:
        """Train the encoder on items and their classes.

        Raises
        ------
        DataError
            Where there are no classes to learn, the encoder cannot be trained, or a library is
            absent.
        ItemsError
            Where items cannot be read.
        AssetError
            Where weights are absent.
        """
        self.encoder.check_tunable()
        settings = self.settings or TuneSettings()
        items = self.encoder.items(X)
        classes, target = class_numbers(
            y,
            len(items),
            learner=f"features.train: fine-tuning {self.name}",
            instead="Leave features.train out.",
        )
        trainable = self.encoder.trainable()
        from widemargin.encoders.training.fine_tuning import fine_tune

        keys = [content_key(item) for item in items]
        self.history_, changes = fine_tune(
            trainable,
            items,
            target,
            settings,
            dimension=self.dimension,
            groups=group_equal(keys, target),
            progress=self.progress,
            checkpoints=self.checkpoints,
            key=self._key(keys),
            name=self.name,
        )
        self.classes_ = classes
        self.encoder_ = self.encoder.tuned(changes)
        return self

    def transform(self, X: Columns | Sequence[Any]) -> NDArray[np.float32]:
        """Return vectors of shape (n_samples, dimension), float32.

        Raises
        ------
        ItemsError
            Where some items cannot be read; it names all of them.
        AssetError
            Where weights are absent.
        """
        self._check_fitted("encoder_")
        self.encoder_.progress = self.progress
        return self.encoder_.transform(X)

    def check(self, X: Columns | Sequence[Any]) -> None:
        """Read every item once, before any training.

        Raises
        ------
        ItemsError
            Where some cannot be read; it names all of them.
        """
        self.encoder.check(X)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Name the columns by the encoder and their place."""
        return self.encoder.get_feature_names_out(input_features)

    def explain(
        self, X: Columns | Sequence[Any], coef: NDArray[np.float64]
    ) -> Sequence[Sequence[Share]]:
        """Give each row's product with `coef` as one piece: the numbers have no words."""
        self._check_fitted("encoder_")
        return self.encoder_.explain(X, coef)

    def get_state(self) -> State:
        """Return what training changed, which weights it began with, and how it went."""
        self._check_fitted("encoder_")
        assert self.encoder_.changes is not None
        return State(
            dict(self.encoder_.changes.arrays),
            {
                **self.encoder.get_state().meta,
                "classes": self.classes_.tolist(),
                "history": self.history_.to_data(),
            },
        )

    def set_state(self, state: State) -> Self:
        """Take up what training had changed.

        Raises
        ------
        DataError
            Where the weights here are not those that training began with.
        """
        self.encoder.set_state(state)
        self.classes_ = np.array(state.meta["classes"], dtype=str)
        self.history_ = History.from_data(state.meta["history"])
        self.encoder_ = self.encoder.tuned(Changes(dict(state.arrays)))
        return self

    def _key(self, keys: Sequence[bytes]) -> str:
        """Say what training depends on besides its settings: the encoder, and the items."""
        whole = hashlib.sha256(json.dumps(dict(self.encoder.identity()), sort_keys=True).encode())
        for key in keys:
            whole.update(key)
        return whole.hexdigest()
