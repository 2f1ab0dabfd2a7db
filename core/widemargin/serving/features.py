"""Features by themselves, without a machine behind them: a config's, ready to encode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Checkpoints, Dataset, Progress
from widemargin.data.assets import data_home, require
from widemargin.encoders.store import EmbeddingStore, store_folder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.config import RunConfig

__all__ = ["fit_features", "load"]


def load(config: RunConfig, *, offline: bool, mirror: str, progress: Progress) -> Dataset:
    """Bring a config's data and weights into the data home, and read the data set."""
    home = data_home()
    for asset in (*config.data.assets, *config.features.assets):
        require(asset, home, offline=offline, mirror=mirror, progress=progress)
    config.data.fetch(home, offline=offline, progress=progress)
    with progress.stage("reading the data"):
        return config.data.load(home)


def fit_features(
    config: RunConfig,
    dataset: Dataset,
    progress: Progress,
    *,
    rows: NDArray[np.intp] | None = None,
    checkpoints: Checkpoints | None = None,
) -> Any:
    """Fit a config's features to its data set, where they learn of its rows.

    Parameters
    ----------
    config : RunConfig
        Resolved.
    dataset : Dataset
        What the config names.
    progress : Progress
        Told what is encoded, and what was learnt.
    rows : ndarray of shape (n_rows,), optional
        Those to learn from; all by default.
    checkpoints : Checkpoints, optional
        Where training that takes long keeps how far it is.

    Returns
    -------
    transformer
        Fitted.
    """
    features = config.features.build(dataset.kinds)
    if hasattr(features, "use"):
        features.use(EmbeddingStore(store_folder(), progress), progress, checkpoints)
    learns = config.features.learns
    part = dataset if rows is None else dataset.take(rows)
    if learns == "nothing":
        part = dataset.take(np.arange(min(1, len(dataset)), dtype=np.intp))
    else:
        progress.note(
            f"The features learn {learns} and are fitted to {_told(len(part), len(dataset))}; "
            "`widemargin run` fits them in each training part, which an honest score needs."
        )
    return features.fit(part.X, part.y)


def _told(n_rows: int, of: int) -> str:
    return f"all {of:,} rows" if n_rows == of else f"{n_rows:,} of {of:,} rows"
