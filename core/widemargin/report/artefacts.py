"""What a run left in its folder, read for the report."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from widemargin.contracts import Metric, Pictures, Predictions, ReportSection, RunRecord, UseCase
from widemargin.contracts.counting import counted
from widemargin.contracts.kept_sections import load_sections
from widemargin.errors import RunNotFoundError
from widemargin.report.shapes import check_explanation, check_map, check_search, check_training
from widemargin.report.wordings import listing, number
from widemargin.runs.predictions import predictions_of

if TYPE_CHECKING:
    import numpy as np
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
    training : sequence of mapping
        What ``training.json`` holds: a history a trained network.
    analysis : sequence of ReportSection
        What ``analysis.json`` holds: what the use case found in its own analysis.
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
    training: Sequence[Json]
    analysis: Sequence[ReportSection]
    config_text: str

    @property
    def sheets(self) -> frozenset[str]:
        """The titles of the contact sheets that the run made of its pictures."""
        blocks = (block for section in self.analysis for block in section.blocks)
        return frozenset(block.title for block in blocks if isinstance(block, Pictures))

    def written(self, one: Json) -> str | None:
        """Return the text of an item; None where its name says as much, or there are no words."""
        text, name = str(one.get("text", "")), str(one.get("id", ""))
        kinds = set((self.dataset.get("kinds") or {}).values())
        wordless = kinds == {"series"} or (kinds in ({"image"}, {"audio"}) and name.endswith(text))
        return None if wordless else text

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
        """What each prediction counts for among the items, of shape (n_samples,)."""
        assert self.predictions is not None
        return self.predictions.shares

    @property
    def repeats(self) -> int:
        """How often each item was held out."""
        if self.predictions is None:
            return 1
        return max(1, round(len(self.predictions) / self.predictions.n_items))

    @property
    def averaged(self) -> str:
        """What is said of counts where items were held out several times; else empty."""
        return f", on average over {self.repeats} repeats" if self.repeats > 1 else ""

    @property
    def weighting(self) -> str:
        """The sentence beside counts where weights differ; empty where they do not."""
        weight = None if self.predictions is None else self.predictions.weight
        if weight is None or (weight == weight[0]).all():
            return ""
        return f" Each {self.use_case.wording.item} counts by its weight, which is 1 on average."

    def items(self, number: float, verb: str = "") -> str:
        """Write so many items, and the verb that goes with them, as in "1 message was"."""
        wording = self.use_case.wording
        return counted(round(number), wording.item, verb, wording.items)

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
    training: Sequence[Json] = []
    if (folder / "training.json").is_file():
        training = _read_json(folder / "training.json", unread).get("networks") or []
    name = "search"
    try:
        check_search(search)
        name = "explanation"
        of_numbers = not record.metrics.get("classes")
        check_explanation(explanation, of_numbers=of_numbers)
        name = "embedding_map"
        check_map(items_map, of_numbers=of_numbers)
        name = "training"
        check_training({"networks": training})
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
        training=training,
        analysis=_read_sections(folder / "analysis.json", unread),
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


def _read_sections(path: Path, unread: list[str]) -> list[ReportSection]:
    try:
        return load_sections(path.read_bytes()) if path.is_file() else []
    except (OSError, ValueError):
        unread.append(f"{path.name} is damaged")
        return []


def _read_predictions(path: Path, metrics: Json, unread: list[str]) -> Predictions | None:
    if not path.is_file():
        unread.append(f"{path.name} is absent")
        return None
    import pandas as pd

    try:
        return predictions_of(pd.read_parquet(path), metrics)
    except (OSError, ValueError, KeyError, TypeError):  # torn, or without a column that it needs
        unread.append(f"{path.name} is damaged")
        return None
