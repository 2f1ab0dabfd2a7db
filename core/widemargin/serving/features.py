"""Features by themselves, without a machine behind them: a config's, ready to encode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import Dataset, Progress
from widemargin.data.assets import data_home, require
from widemargin.encoders.store import EmbeddingStore, store_folder

if TYPE_CHECKING:
    from widemargin.config import RunConfig

__all__ = ["fit_features", "load"]


def load(config: RunConfig, *, offline: bool, mirror: str, progress: Progress) -> Dataset:
    """Bring a config's data and weights into the data home, and read the data set."""
    home = data_home()
    for asset in (*config.data.assets, *config.features.assets):
        require(asset, home, offline=offline, mirror=mirror, progress=progress)
    with progress.stage("reading the data"):
        return config.data.load(home)


def fit_features(config: RunConfig, dataset: Dataset, progress: Progress) -> Any:
    """Fit a config's features to its data set, to all rows where they learn of them.

    Parameters
    ----------
    config : RunConfig
        Resolved.
    dataset : Dataset
        What the config names.
    progress : Progress
        Told what is encoded, and what was learnt.

    Returns
    -------
    transformer
        Fitted.
    """
    features = config.features.build(dataset.kinds)
    if hasattr(features, "use"):
        features.use(EmbeddingStore(store_folder(), progress), progress)
    learns = config.features.learns
    part = dataset
    if learns == "nothing":
        part = dataset.take(np.arange(min(1, len(dataset)), dtype=np.intp))
    else:
        progress.note(
            f"The features learn {learns} and were fitted to all {len(dataset):,} rows; "
            "`widemargin run` fits them in each training part, which an honest score needs."
        )
    return features.fit(part.X, part.y)
