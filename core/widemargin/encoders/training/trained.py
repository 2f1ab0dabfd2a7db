"""What encoders share that train a network of their own on the user's items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from widemargin.contracts import Checkpoints, Columns, Progress, Share, Silent, State
from widemargin.encoders.training.arrays import arrays_of, load_arrays, seeded
from widemargin.encoders.training.classes import class_numbers
from widemargin.encoders.training.history import History
from widemargin.encoders.training.inputs import KnownInputs
from widemargin.encoders.training.loop import train_network
from widemargin.encoders.training.settings import TrainingSettings
from widemargin.encoders.transformer import Transformer
from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["TrainedEncoder"]

_PREFIX = "network."


class TrainedEncoder(Transformer):
    """An encoder whose vectors are what a network of its own says of an item.

    A subclass has a `name`, a `settings_type` and its fields for parameters. It makes the network
    in `build_network`, calls `train` in `fit`, encodes with `network_` in `transform`, and adds to
    the state what it learnt besides.

    Attributes
    ----------
    network_ : torch.nn.Module
        The trained network, without the last layer of cross-entropy.
    history_ : History
        How training went.
    progress : Progress
        Told of every epoch. Not a parameter: no vector depends on it.
    checkpoints : Checkpoints or None
        Where training that takes long keeps how far it is. Not a parameter either.
    """

    name: ClassVar[str]
    settings_type: ClassVar[type[TrainingSettings]]

    progress: Progress = Silent()
    checkpoints: Checkpoints | None = None
    dimension: int
    seed: int

    network_: Any
    history_: History

    def transform(self, X: Columns | Sequence[Any]) -> NDArray[np.float32]:
        """Return vectors of shape (n_samples, dimension), float32."""
        raise NotImplementedError

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Name the columns by the encoder and their place."""
        return np.array([f"{self.name}: {k + 1}" for k in range(self.dimension)], dtype=object)

    def explain(
        self, X: Columns | Sequence[Any], coef: NDArray[np.float64]
    ) -> Sequence[Sequence[Share]]:
        """Give each row's product with `coef` as one piece: the numbers have no words."""
        return [
            [Share(f"{self.name} embedding", float(row @ coef))]
            for row in self.transform(X).astype(np.float64)
        ]

    def build_network(self) -> Any:
        """Return the network in torch, of random weights; `seed` is set when it is called.

        ``network(batch)`` returns vectors of shape (n_items, dimension).
        """
        raise NotImplementedError

    def class_numbers(
        self, y: Any, n_items: int, items: str = "items"
    ) -> tuple[NDArray[np.str_], NDArray[np.intp]]:
        """Return the names of the classes and each item's class number.

        Raises
        ------
        DataError
            Where labels are absent, too few, numbers, or all the same.
        """
        instead = "Use another encoder."
        return class_numbers(y, n_items, learner=self.name, items=items, instead=instead)

    def train(
        self,
        inputs: KnownInputs,
        target: NDArray[np.intp],
        groups: NDArray[np.intp] | None = None,
    ) -> None:
        """Build the network and train it, as `train_network` does.

        Parameters
        ----------
        inputs : KnownInputs
            What the network reads; `ArrayInputs` for the rows of an array.
        target : ndarray of shape (n_items,)
            Numbers of classes, from 0.
        groups : ndarray of shape (n_items,), optional
            Items of one number are of one class and held out together, or not at all.
        """
        with seeded(self.seed):
            network = self.build_network()
        self.history_ = train_network(
            network,
            inputs,
            target,
            # What it was built with, as it is: configs are checked where they are read.
            self.settings_type.model_construct(**self.get_params()),
            dimension=self.dimension,
            n_classes=int(target.max()) + 1,
            groups=groups,
            progress=self.progress,
            checkpoints=self.checkpoints,
            key="" if self.checkpoints is None else f"{self.name}-{inputs.digest()[:16]}",
            name=self.name,
        )
        self.network_ = network

    def get_state(self) -> State:
        """Return the weights and the history."""
        self._check_fitted("network_")
        weights = {f"{_PREFIX}{name}": own for name, own in arrays_of(self.network_).items()}
        return State(weights, {"history": self.history_.to_data()})

    def set_state(self, state: State) -> Self:
        """Take up the weights and the history.

        Raises
        ------
        DataError
            Where the weights are of other shapes than the settings make.
        """
        with seeded(self.seed):
            network = self.build_network()
        weights = {
            name.removeprefix(_PREFIX): own
            for name, own in state.arrays.items()
            if name.startswith(_PREFIX)
        }
        try:
            load_arrays(network, weights)
        except RuntimeError as error:
            raise DataError(
                f"{self.name}: the saved weights do not fit the settings. Run the use case again."
            ) from error
        self.network_ = network
        self.history_ = History.from_data(state.meta["history"])
        return self
