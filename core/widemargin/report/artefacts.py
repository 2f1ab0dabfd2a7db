"""What a run left in its folder, read for the report."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from widemargin.contracts import Metric, Predictions, RunRecord, UseCase
from widemargin.errors import RunNotFoundError
from widemargin.report.shapes import check_explanation, check_map, check_search
from widemargin.report.wordings import listing, number

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["Artefacts", "read_artefacts"]

Json = Mapping[str, Any]
OF_ONE_CLASS = frozenset({"f1", "precision", "recall"})
"""Metrics that speak of the positive class alone, without saying so."""


@dataclass(frozen=True, kw_only=True)
class Artefacts:
    """All that the report speaks of; a file that is not there is an empty mapping.

    Parameters
    ----------
    record : RunRecord
        The run.
    use_case : UseCase
        Its problem, for wording and sections of its own.
    known : mapping of str to Metric
        How metrics are named and written.
    predictions : Predictions or None
        The out-of-fold predictions.
    search, explanation, dataset : mapping
        What the JSON files of those names hold.
    map : mapping
        What ``embedding_map.json`` holds, which a run may do without.
    config_text : str
        The resolved config as it was written.
    """

    record: RunRecord
    use_case: UseCase
    known: Mapping[str, Metric]
    predictions: Predictions | None
    search: Json
    explanation: Json
    dataset: Json
    map: Json
    config_text: str

    @property
    def metrics(self) -> Json:
        """What ``metrics.json`` holds."""
        return self.record.metrics

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names; empty for regression."""
        return tuple(self.metrics.get("classes") or ())

    @property
    def positive(self) -> str:
        """The class that binary metrics are about; empty unless there are two."""
        return str(self.metrics.get("positive") or "")

    @property
    def units(self) -> str:
        """Units of a numeric target."""
        return str(self.metrics.get("units") or "")

    @property
    def primary(self) -> str:
        """Name of the headline's metric."""
        return str(self.metrics.get("primary") or "")

    @property
    def shares(self) -> NDArray[np.float64]:
        """What each prediction counts for, of shape (n_samples,): its weight, 1 on average."""
        import numpy as np

        assert self.predictions is not None
        weight = self.predictions.weight
        return np.asarray(weight / weight.mean(), dtype=np.float64)

    @property
    def weighting(self) -> str:
        """The sentence beside counts where weights differ; empty where they do not."""
        weight = None if self.predictions is None else self.predictions.weight
        if weight is None or (weight == weight[0]).all():
            return ""
        return f" Each {self.use_case.wording.item} counts by its weight, which is 1 on average."

    def metric(self, name: str) -> Metric:
        """Say how a metric is written; an unknown one goes by its name."""
        if name in self.known:
            return self.known[name]
        return Metric(
            name=name,
            title=name,
            summary="",
            task="classification" if self.classes else "regression",
            compute=lambda predictions: float("nan"),
        )

    def title(self, name: str) -> str:
        """Name a metric within a sentence; one of a single class says of which."""
        title = self.metric(name).title
        single = name in OF_ONE_CLASS and self.positive and self.positive not in title
        return f"{title} of {self.positive}" if single else title

    def label(self, label: object) -> str:
        """Write an item's label: a class's name, or a number."""
        try:
            return str(label) if self.classes else number(float(str(label)))
        except ValueError:
            return str(label)


def read_artefacts(record: RunRecord, use_case: UseCase, known: Mapping[str, Metric]) -> Artefacts:
    """Read a run's folder; a warning names each file that is absent or torn.

    Parameters
    ----------
    record : RunRecord
        The run.
    use_case : UseCase
        Its problem.
    known : mapping of str to Metric
        The registered metrics.

    Returns
    -------
    Artefacts
        What the sections of the report are built from.

    Raises
    ------
    RunNotFoundError
        Where a file was altered, so that what it says cannot be read as a run's.
    """
    folder = record.path
    unread: list[str] = []
    predictions = _read_predictions(folder / "predictions.parquet", record.metrics, unread)
    search, explanation, dataset = (
        _read_json(folder / f"{name}.json", unread) for name in ("search", "explanation", "dataset")
    )
    items_map: Json = {}
    if (folder / "embedding_map.json").is_file():
        items_map = _read_json(folder / "embedding_map.json", unread)
    name = "search"
    try:
        check_search(search)
        name = "explanation"
        of_numbers = not record.metrics.get("classes")
        check_explanation(explanation, of_numbers=of_numbers)
        name = "embedding_map"
        check_map(items_map, of_numbers=of_numbers)
    except ValueError as error:
        raise RunNotFoundError(
            f"{folder / name}.json is not what a run writes there: {error}. Delete the file, for a "
            "report without what rests on it, or run the use case again: "
            f"widemargin run --like {record.id}."
        ) from error
    config = folder / "config.yaml"
    found = Artefacts(
        record=record,
        use_case=use_case,
        known=known,
        predictions=predictions,
        search=search,
        explanation=explanation,
        dataset=dataset,
        map=items_map,
        config_text=config.read_text(encoding="utf-8") if config.is_file() else "",
    )
    if unread:
        warnings.warn(
            f"{folder}: {listing(unread)}. The report leaves out what rests on "
            f"{'it' if len(unread) == 1 else 'them'}; running the use case again writes "
            f"{'it' if len(unread) == 1 else 'them'} anew.",
            stacklevel=2,
        )
    return found


def _read_json(path: Path, unread: list[str]) -> Json:
    """Read a JSON object; what is none is an empty one, and `unread` says so."""
    if not path.is_file():
        unread.append(f"{path.name} is absent")
        return {}
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        content = None
    if not isinstance(content, dict):
        unread.append(f"{path.name} is damaged")
        return {}
    return content


def _read_predictions(path: Path, metrics: Json, unread: list[str]) -> Predictions | None:
    if not path.is_file():
        unread.append(f"{path.name} is absent")
        return None
    import pandas as pd

    try:
        return _predictions(pd.read_parquet(path), metrics)
    except (OSError, ValueError, KeyError, TypeError):  # torn, or without a column that it needs
        unread.append(f"{path.name} is damaged")
        return None


def _predictions(frame: pd.DataFrame, metrics: Json) -> Predictions | None:
    import numpy as np

    if frame.empty:
        return None
    classes = tuple(metrics.get("classes") or ())
    if classes:
        code = {name: k for k, name in enumerate(classes)}
        y_true = frame["y_true"].astype(str).map(code).to_numpy(dtype=np.int64)
        y_pred = frame["y_pred"].astype(str).map(code).to_numpy(dtype=np.int64)
    else:
        y_true = frame["y_true"].to_numpy(dtype=np.float64)
        y_pred = frame["y_pred"].to_numpy(dtype=np.float64)
    decision: NDArray[np.float64]
    if "decision" in frame:
        decision = frame["decision"].to_numpy(dtype=np.float64)
    elif all(f"decision: {name}" in frame for name in classes) and classes:
        columns = [f"decision: {name}" for name in classes]
        decision = frame[columns].to_numpy(dtype=np.float64)
    else:
        decision = y_pred.astype(np.float64)
    probability = None
    if classes and all(f"probability: {name}" in frame for name in classes):
        columns = [f"probability: {name}" for name in classes]
        probability = frame[columns].to_numpy(dtype=np.float64)
    positive = metrics.get("positive")
    # Runs of before there was the column were unweighted.
    weight = np.ones(len(frame))
    if "weight" in frame:
        weight = frame["weight"].to_numpy(dtype=np.float64)
    return Predictions(
        y_true=y_true,
        y_pred=y_pred,
        decision=decision,
        probability=probability,
        classes=classes,
        positive=classes.index(positive) if positive in classes else 1,
        ids=frame["id"].to_numpy().astype(np.str_),
        weight=weight,
    )
