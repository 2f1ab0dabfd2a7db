"""A small convolutional network over log-mel spectra, trained on the user's own recordings.

A recording's mel spectrum, in powers of 10 below its loudest band, is cut into windows that overlap
by half. Three convolutions with batch norm and ReLU, which shrink a window eightfold, look at it;
what they find is pooled over time but not over frequency, since where a sound lies tells a bass
drum from a cymbal. Then comes a layer of `dimension` numbers, and one that tells the classes apart,
window by window, in training only. A recording's vector is the mean over its windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
from pydantic import Field

from widemargin.contracts import (
    Columns,
    EncoderSpec,
    PositiveFloat,
    Progress,
    Section,
    Share,
    Silent,
    State,
)
from widemargin.encoders.libraries import require_library
from widemargin.encoders.network_training import arrays_of, load_arrays, seeded, train_network
from widemargin.encoders.sound.mel import Spectra
from widemargin.encoders.sound.reading import read_sound, sounds_of
from widemargin.encoders.transformer import Transformer
from widemargin.encoders.workers import one_torch_thread
from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LOGMEL_CNN", "LogmelCnnEncoder", "LogmelCnnSettings"]

_NAME = "logmel-cnn"
_FLOOR = -8.0  # powers of 10 below the loudest band; silence
_HEARD = -6.0  # a window that never gets so loud holds nothing to learn from
_SILENT = 1e-10  # power below which a whole recording counts as silent


class LogmelCnnSettings(Section):
    """Settings of the encoder ``logmel-cnn``."""

    rate: Annotated[int, Field(ge=4000, le=96000)] = Field(
        22050, description="samples a second that recordings are resampled to"
    )
    n_mels: Annotated[int, Field(ge=16, le=256)] = Field(64, description="mel bands")
    frame: Annotated[float, Field(ge=2, le=1000)] = Field(
        25.0, description="length of a frame in milliseconds"
    )
    hop: Annotated[float, Field(ge=1, le=1000)] = Field(
        10.0, description="step from one frame to the next in milliseconds"
    )
    window: Annotated[int, Field(ge=16, le=2000)] = Field(
        96, description="frames that the network sees at a time"
    )
    dimension: Annotated[int, Field(ge=1, le=4096)] = Field(
        128, description="numbers that a recording becomes"
    )
    epochs: Annotated[int, Field(ge=1)] = Field(
        30, description="how often training goes through all windows, at most"
    )
    batch_size: Annotated[int, Field(ge=2)] = Field(32, description="windows of one step")
    learning_rate: PositiveFloat = Field(0.003, description="highest step length of AdamW")
    seed: Annotated[int, Field(ge=0)] = Field(0, description="seed of all that is random")
    max_seconds: Annotated[float, Field(gt=0, le=600)] = Field(
        10.0, description="seconds read of a recording, from its beginning; the rest is left out"
    )


class LogmelCnnEncoder(Transformer):
    """Vectors of a network that is trained on the recordings.

    Parameters
    ----------
    rate, n_mels, frame, hop, window, dimension, epochs, batch_size, learning_rate, seed
        As in `LogmelCnnSettings`.
    max_seconds
        As in `LogmelCnnSettings`.

    Attributes
    ----------
    network_ : torch.nn.Sequential
        The trained network; its first part, without the last layer, makes the vectors.
    n_classes_ : int
        How many classes it was trained on.
    progress : Progress
        Told how far training is. Not a parameter: no vector depends on it.

    Examples
    --------
    >>> LogmelCnnEncoder(dimension=64).get_params()["dimension"]
    64
    """

    network_: Any
    n_classes_: int
    centre_: NDArray[np.float32]
    spread_: NDArray[np.float32]
    progress: Progress = Silent()

    def __init__(
        self,
        rate: int = 22050,
        n_mels: int = 64,
        frame: float = 25.0,
        hop: float = 10.0,
        window: int = 96,
        dimension: int = 128,
        epochs: int = 30,
        batch_size: int = 32,
        learning_rate: float = 0.003,
        seed: int = 0,
        max_seconds: float = 10.0,
    ) -> None:
        self.rate = rate
        self.n_mels = n_mels
        self.frame = frame
        self.hop = hop
        self.window = window
        self.dimension = dimension
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.seed = seed
        self.max_seconds = max_seconds

    def fit(self, X: Columns | Sequence[Any], y: Any = None) -> Self:
        """Train the network to tell the classes of `y` apart.

        Raises
        ------
        DataError
            Where a recording cannot be read, or there are no two classes.
        """
        self._train(self._windows(X), y)
        return self

    def fit_transform(self, X: Columns | Sequence[Any], y: Any = None) -> NDArray[np.float32]:
        """Train, and return the training recordings' vectors, reading each recording once."""
        windows = self._windows(X)
        self._train(windows, y)
        return self._encode(windows)

    def transform(self, X: Columns | Sequence[Any]) -> NDArray[np.float32]:
        """Return vectors of shape (n_samples, dimension), float32."""
        self._check_fitted("network_")
        return self._encode(self._windows(X))

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Name the columns by the encoder and their place."""
        return np.array([f"{_NAME}: {k + 1}" for k in range(self.dimension)], dtype=object)

    def get_state(self) -> State:
        """Return the network's weights as arrays."""
        self._check_fitted("network_")
        weights = {f"network.{name}": own for name, own in arrays_of(self.network_).items()}
        scale = {"centre": self.centre_, "spread": self.spread_}
        return State({**weights, **scale}, {"n_classes": self.n_classes_})

    def set_state(self, state: State) -> Self:
        """Take up the weights.

        Raises
        ------
        DataError
            Where they are of other shapes than the settings make.
        """
        self.n_classes_ = int(state.meta["n_classes"])
        with seeded(self.seed):
            network = self._built()
        weights = {
            name.removeprefix("network."): own
            for name, own in state.arrays.items()
            if name.startswith("network.")
        }
        try:
            load_arrays(network, weights)
        except RuntimeError as error:
            raise DataError(
                f"{_NAME}: the saved weights do not fit the settings. Run the use case again."
            ) from error
        self.network_ = network
        self.centre_ = np.asarray(state.arrays["centre"], dtype=np.float32)
        self.spread_ = np.asarray(state.arrays["spread"], dtype=np.float32)
        return self

    def explain(
        self, X: Columns | Sequence[Any], coef: NDArray[np.float64]
    ) -> Sequence[Sequence[Share]]:
        """Give each row's product with `coef` as one piece: the numbers have no words."""
        return [
            [Share(f"{_NAME} embedding", float(row @ coef))]
            for row in self.transform(X).astype(np.float64)
        ]

    def _train(self, windows: Sequence[NDArray[np.float32]], y: Any) -> None:
        require_library("torch", _NAME, "audio")
        labels = np.asarray(y) if y is not None else np.empty(0)
        if len(labels) != len(windows):
            raise DataError(
                f"{_NAME} learns from labels: got {len(labels)} for {len(windows)} recordings."
            )
        if labels.dtype.kind == "f":
            raise DataError(f"{_NAME} learns classes, and the target is a number. Use mfcc.")
        classes, codes = np.unique(labels, return_inverse=True)
        if len(classes) < 2:
            raise DataError(
                f"{_NAME} learns to tell classes apart, and the training rows have "
                f"{len(classes)}. It needs 2 or more."
            )
        self.n_classes_ = len(classes)
        stacked = np.concatenate(windows)
        self.centre_ = stacked.mean(axis=(0, 1), dtype=np.float64).astype(np.float32)
        self.spread_ = np.maximum(stacked.std(axis=(0, 1), dtype=np.float64), 0.1).astype(
            np.float32
        )
        with seeded(self.seed):
            network = self._built()
        n_windows = [len(own) for own in windows]
        train_network(
            network,
            self._scaled(stacked),
            np.repeat(codes, n_windows),
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            seed=self.seed,
            progress=self.progress,
            name=_NAME,
            # Windows of a recording overlap.
            groups=np.repeat(np.arange(len(windows)), n_windows),
        )
        self.network_ = network

    def _encode(self, windows: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        torch = require_library("torch", _NAME, "audio")
        vectors = np.empty((len(windows), self.dimension), dtype=np.float32)
        body = self.network_[:-2]  # without dropout and the last layer
        with torch.inference_mode(), one_torch_thread:
            # Recording by recording: no vector depends on what else is in a batch.
            for row, own in enumerate(windows):
                made = body(torch.from_numpy(self._scaled(own))).numpy()
                vectors[row] = made.mean(axis=0, dtype=np.float64)
        return vectors

    def _scaled(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scale every band by what training saw; of shape (n_windows, 1, n_mels, window)."""
        scaled = (windows - self.centre_) / self.spread_
        return np.ascontiguousarray(scaled.transpose(0, 2, 1)[:, None])

    def _windows(self, X: Columns | Sequence[Any]) -> list[NDArray[np.float32]]:
        """Return each recording's windows, of shape (n_windows, window, n_mels)."""
        spectra = Spectra(self.rate, self.frame, self.hop, self.n_mels)
        return [
            self._cut(spectra.mel(read_sound(item, self.rate, self.max_seconds, _NAME)))
            for item in sounds_of(X)
        ]

    def _cut(self, bands: NDArray[np.float64]) -> NDArray[np.float32]:
        relative = bands / max(float(bands.max()), _SILENT)
        powers = np.log10(np.maximum(relative, 10**_FLOOR)).astype(np.float32)
        step = self.window // 2
        n_windows = 1 + max(0, -(-(len(powers) - self.window) // step))
        padded = np.full(((n_windows - 1) * step + self.window, self.n_mels), _FLOOR, np.float32)
        padded[: len(powers)] = powers
        windows = np.stack([padded[k * step : k * step + self.window] for k in range(n_windows)])
        heard = windows.max(axis=(1, 2)) >= _HEARD
        return windows[heard] if heard.any() else windows[:1]

    def _built(self) -> Any:
        nn = require_library("torch", _NAME, "audio").nn
        layers: list[Any] = []
        channels = 1
        for out, size, stride, pooled in ((16, 5, 2, 2), (32, 3, 1, 2), (64, 3, 1, 1)):
            layers += [
                nn.Conv2d(channels, out, size, stride=stride, padding=size // 2, bias=False),
                nn.BatchNorm2d(out),
                nn.ReLU(),
                nn.MaxPool2d(pooled),
            ]
            channels = out
        bands = self.n_mels // 8
        layers += [nn.AdaptiveMaxPool2d((bands, 1)), nn.Flatten()]
        layers += [nn.Linear(channels * bands, self.dimension), nn.ReLU()]
        layers += [nn.Dropout(0.3), nn.Linear(self.dimension, self.n_classes_)]
        return nn.Sequential(*layers)


def _build(settings: LogmelCnnSettings) -> LogmelCnnEncoder:
    return LogmelCnnEncoder(**settings.model_dump())


LOGMEL_CNN = EncoderSpec(
    name=_NAME,
    summary="a small network over log-mel spectra, trained on your recordings",
    kinds=("audio",),
    learns="y",
    settings=LogmelCnnSettings,
    build=_build,
    dimension=128,
    extra="audio",
)
