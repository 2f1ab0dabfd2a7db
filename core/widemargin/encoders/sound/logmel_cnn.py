"""A small convolutional network over log-mel spectra, trained on the user's own recordings.

A recording's mel spectrum, in powers of 10 below its loudest band, is cut into windows that overlap
by half. Three convolutions with batch norm and ReLU, which shrink a window eightfold, look at it;
what they find is pooled over time but not over frequency, since where a sound lies tells a bass
drum from a cymbal. Then comes a layer of `dimension` numbers. What they learn, window by window, is
chosen by the loss; by default a last layer tells the classes apart, in training only. A recording's
vector is the mean over its windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field

from widemargin.contracts import Columns, EncoderSpec, State
from widemargin.encoders.libraries import require_library
from widemargin.encoders.sound.mel import Spectra
from widemargin.encoders.sound.reading import sounds_of
from widemargin.encoders.sound.recordings import MOST_SECONDS, read_recording, unread_recordings
from widemargin.encoders.training.inputs import ArrayInputs
from widemargin.encoders.training.settings import Device, LossName, TrainingSettings
from widemargin.encoders.training.trained import TrainedEncoder
from widemargin.encoders.unreadable import Unreadable, count_rows
from widemargin.encoders.workers import check_readable, one_torch_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LOGMEL_CNN", "LogmelCnnEncoder", "LogmelCnnSettings"]

_NAME = "logmel-cnn"
_FLOOR = -8.0  # powers of 10 below the loudest band; silence
_HEARD = -6.0  # a window that never gets so loud holds nothing to learn from
_SILENT = 1e-10  # power below which a whole recording counts as silent


class LogmelCnnSettings(TrainingSettings):
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
    batch_size: Annotated[int, Field(ge=2, le=65_536)] = Field(
        32, description="windows of one step"
    )
    max_seconds: Annotated[float, Field(gt=0, le=MOST_SECONDS)] = Field(
        10.0, description="seconds read of a recording, from its beginning; the rest is left out"
    )


class LogmelCnnEncoder(TrainedEncoder):
    """Vectors of a network that is trained on the recordings.

    Parameters
    ----------
    rate, n_mels, frame, hop, window, dimension, max_seconds
        As in `LogmelCnnSettings`.
    loss, temperature, margin, epochs, batch_size, learning_rate, patience, device, seed
        As in `TrainingSettings`.

    Attributes
    ----------
    n_classes_ : int
        How many classes it was trained on.
    network_, history_, progress, checkpoints
        As in `TrainedEncoder`.

    Examples
    --------
    >>> LogmelCnnEncoder(dimension=64).get_params()["dimension"]
    64
    """

    name: ClassVar[str] = _NAME
    settings_type: ClassVar[type[TrainingSettings]] = LogmelCnnSettings

    n_classes_: int
    centre_: NDArray[np.float32]
    spread_: NDArray[np.float32]

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
        loss: LossName = "cross-entropy",
        temperature: float = 0.1,
        margin: float = 0.5,
        patience: int = 5,
        device: Device = "auto",
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
        self.loss = loss
        self.temperature = temperature
        self.margin = margin
        self.patience = patience
        self.device = device

    def check(self, X: Columns | Sequence[Any]) -> None:
        """Read every recording once, before any training.

        Raises
        ------
        ItemsError
            Where some cannot be read; it names all of them.
        """
        check_readable(X, sounds_of, self._read)

    def unread(self, X: Columns | Sequence[Any]) -> dict[int, str]:
        """Say of the recordings longer than `max_seconds` how much of each is read."""
        return unread_recordings(X, self.rate, self.max_seconds, _NAME)

    def fit(self, X: Columns | Sequence[Any], y: Any = None) -> Self:
        """Train the network to tell the classes of `y` apart.

        Raises
        ------
        DataError
            Where a recording cannot be read, or there are no two classes.
        """
        self._learn(self._windows(X), y)
        return self

    def fit_transform(self, X: Columns | Sequence[Any], y: Any = None) -> NDArray[np.float32]:
        """Train, and return the training recordings' vectors, reading each recording once."""
        windows = self._windows(X)
        self._learn(windows, y)
        return self._encode(windows)

    def transform(self, X: Columns | Sequence[Any]) -> NDArray[np.float32]:
        """Return vectors of shape (n_samples, dimension), float32."""
        self._check_fitted("network_")
        return self._encode(self._windows(X))

    def get_state(self) -> State:
        """Return the network's weights as arrays."""
        network = super().get_state()
        scale = {"centre": self.centre_, "spread": self.spread_}
        return State({**network.arrays, **scale}, {"n_classes": self.n_classes_, **network.meta})

    def set_state(self, state: State) -> Self:
        """Take up the weights.

        Raises
        ------
        DataError
            Where they are of other shapes than the settings make.
        """
        self.n_classes_ = int(state.meta["n_classes"])
        self.centre_ = np.asarray(state.arrays["centre"], dtype=np.float32)
        self.spread_ = np.asarray(state.arrays["spread"], dtype=np.float32)
        return super().set_state(state)

    def _learn(self, windows: Sequence[NDArray[np.float32]], y: Any) -> None:
        require_library("torch", _NAME, "audio")
        classes, codes = self.class_numbers(y, len(windows), "recordings")
        self.n_classes_ = len(classes)
        stacked = np.concatenate(windows)
        self.centre_ = stacked.mean(axis=(0, 1), dtype=np.float64).astype(np.float32)
        self.spread_ = np.maximum(stacked.std(axis=(0, 1), dtype=np.float64), 0.1).astype(
            np.float32
        )
        n_windows = [len(own) for own in windows]
        # Windows of a recording overlap.
        recordings = np.repeat(np.arange(len(windows)), n_windows)
        self.train(ArrayInputs(self._scaled(stacked)), codes[recordings], recordings)

    def _encode(self, windows: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        torch = require_library("torch", _NAME, "audio")
        vectors = np.empty((len(windows), self.dimension), dtype=np.float32)
        with torch.inference_mode(), one_torch_thread:
            # Recording by recording: no vector depends on what else is in a batch.
            for row, own in enumerate(windows):
                made = self.network_(torch.from_numpy(self._scaled(own))).numpy()
                vectors[row] = made.mean(axis=0, dtype=np.float64)
        return vectors

    def _scaled(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scale every band by what training saw; of shape (n_windows, 1, n_mels, window)."""
        scaled = (windows - self.centre_) / self.spread_
        return np.ascontiguousarray(scaled.transpose(0, 2, 1)[:, None])

    def _windows(self, X: Columns | Sequence[Any]) -> list[NDArray[np.float32]]:
        """Return each recording's windows, of shape (n_windows, window, n_mels)."""
        found = Unreadable(count_rows(X))
        windows = []
        for row, item in found.items(sounds_of, X).items():
            with found.at([row]):
                windows.append(self._cut(self._spectra.mel(self._read(item))))
        found.check()
        return windows

    def _read(self, item: Any) -> NDArray[np.float64]:
        least = self._spectra.shortest
        return read_recording(item, self.rate, self.max_seconds, _NAME, least)

    @property
    def _spectra(self) -> Spectra:
        return Spectra(self.rate, self.frame, self.hop, self.n_mels)

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

    def build_network(self) -> Any:
        """Return the network, of random weights."""
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
        # For the last layer alone, and idle after training.
        layers.append(nn.Dropout(0.3))
        return nn.Sequential(*layers)


def _build(settings: LogmelCnnSettings) -> LogmelCnnEncoder:
    return LogmelCnnEncoder(**settings.model_dump())


LOGMEL_CNN = EncoderSpec(
    name=_NAME,
    summary="a small network over log-mel spectra, trained on your recordings",
    kinds=("audio",),
    learns="y",
    trains=True,
    settings=LogmelCnnSettings,
    build=_build,
    dimension=128,
    extra="audio",
)
