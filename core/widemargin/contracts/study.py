"""Studies: what a use case's own analysis may look at when a run is nearly done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from widemargin.contracts.dataset import Columns, Dataset, Items
from widemargin.contracts.encoder import Share
from widemargin.contracts.loader import DatasetLoader
from widemargin.contracts.predictions import Predictions
from widemargin.contracts.progress import Progress
from widemargin.contracts.split import Split

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Judged", "Refitted", "Study"]


@dataclass(frozen=True)
class Judged:
    """What the saved model says of some items.

    Parameters
    ----------
    label : ndarray of shape (n_samples,)
        Class names, or numbers for regression.
    decision : ndarray of shape (n_samples,) or (n_samples, n_classes)
        As `Refitted.decide` returns it.
    probability : ndarray of shape (n_samples, n_classes) or None
        Calibrated, the classes in sorted order; None for regression.
    """

    label: NDArray[Any]
    decision: NDArray[np.float64]
    probability: NDArray[np.float64] | None


class Refitted(Protocol):
    """Features and a machine, fitted to some rows at the run's C and gamma; not calibrated."""

    @property
    def features(self) -> Any:
        """The fitted transformer."""
        ...

    @property
    def coef(self) -> NDArray[np.float64] | None:
        """Weights of shape (n_functions, n_features); None unless the kernel is linear.

        A weight above 0 speaks for the positive class where there are two.
        """
        ...

    def decide(self, X: Columns) -> NDArray[np.float64]:
        """Return decisions of shape (n_samples,) or (n_samples, n_classes).

        With two classes above 0 speaks for the positive one; of a numeric target, its value.
        """
        ...

    def explain(self, items: Dataset | Items) -> Sequence[Sequence[Share]]:
        """Split each item's decision into its pieces, as ``widemargin predict --explain`` does."""
        ...


@dataclass(frozen=True, kw_only=True)
class Study:
    """A run that is measured and about to be saved.

    Parameters
    ----------
    dataset : Dataset
        All items.
    learned : ndarray of shape (n_learned,)
        The rows that the saved model learned from.
    splits : sequence of Split
        The outer parts.
    predictions : Predictions
        Out-of-sample predictions, part by part.
    rows : ndarray of shape (n_predictions,)
        The row of each prediction.
    model : Refitted
        The saved model.
    judge : callable
        ``judge(X) -> Judged``: the saved model's labels and calibrated probabilities.
    loader : DatasetLoader
        The run's ``data`` section.
    refit : callable
        ``refit(rows) -> Refitted``: the same features and machine fitted to other rows.
    seed : int
        The run's.
    progress : Progress
        Told of what takes long.
    searched : int
        Configurations that this run tried: the cells of its final search.
    searched_before : int
        Those of earlier runs of the use case in the same run store on data of the same source;
        runs of one config count once, and another run of this one's own not at all.
    runs_before : int
        How many configs those are.
    """

    dataset: Dataset
    learned: NDArray[np.intp]
    splits: Sequence[Split]
    predictions: Predictions
    rows: NDArray[np.intp]
    model: Refitted
    judge: Callable[[Columns], Judged]
    loader: DatasetLoader
    refit: Callable[[NDArray[np.intp]], Refitted]
    seed: int
    progress: Progress
    searched: int = 1
    searched_before: int = 0
    runs_before: int = 0
