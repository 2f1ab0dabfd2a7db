"""The predictor: a run's model, loaded once, asked often."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.config import resolve
from widemargin.contracts import Columns, Items, Kind, RunRecord, Share, UseCase, n_rows
from widemargin.encoders.tables.cells import words_of
from widemargin.encoders.unreadable import Unreadable, reason_of, take_rows
from widemargin.errors import DataError, ItemsError, ModelError, nearest
from widemargin.explanation import explain_items
from widemargin.runs.model import Model, parse_model
from widemargin.serving.answers import EMPTY, Answers, Prediction
from widemargin.serving.deciding import deciding_margin

if TYPE_CHECKING:
    from widemargin.registry import Registry

__all__ = ["Predictor"]

_BATCH = 1000


class Predictor:
    """A run's model, ready to answer.

    Parameters
    ----------
    record : RunRecord
        The run.
    registry : Registry
        What is installed; the run's use case, encoders and kernel must be.

    Raises
    ------
    ModelError
        Where the model is absent or altered.
    PluginError
        Where the use case is not installed.
    """

    def __init__(self, record: RunRecord, registry: Registry) -> None:
        self.record = record
        self.use_case: UseCase = registry.use_case(record.use_case)
        self.config = resolve(
            self.use_case, [record.config], encoders=registry.encoders, kernels=registry.kernels
        )
        try:
            described = json.loads((record.path / "dataset.json").read_bytes())
            self.kinds: dict[str, Kind] = described["kinds"]
            self._learned_from = str(described["card"]["title"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"{record.path} does not say what its columns hold: its dataset.json is absent or "
                "damaged. Run the use case again."
            ) from error
        folder = record.path / "model"
        if not folder.is_dir():
            raise ModelError(f"{record.path} has no model. Run the use case again.")
        self.model: Model = parse_model(
            {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()},
            features=self.config.features.build(self.kinds),
            kernels=registry.kernels,
            trusted=registry.packages(),
            scikit_learn=record.manifest.get("versions", {}).get("scikit-learn", ""),
        )
        positive = record.metrics.get("positive")
        self._positive = self.model.classes.index(positive) if positive else 1
        self.threshold: float | None = None
        """The margin from which on the label is the positive class, of two; may be infinite."""
        if len(self.model.classes) == 2 and self.model.calibration is not None:
            self.threshold = deciding_margin(
                self.model.calibration, self._positive, self.model.label_weights
            )

    @property
    def positive(self) -> str:
        """The class of two that a margin above 0 speaks for; empty for more, and for a number."""
        return self.model.classes[self._positive] if len(self.model.classes) == 2 else ""

    def which(self, asked: str) -> str:
        """Say which run answers, where its id was not asked for: the last one may have changed."""
        if self.record.id in asked:
            return ""
        return f"Run {self.record.id}, which learned from {self._learned_from}."

    @property
    def reads_files(self) -> bool:
        """Whether an item is a file of its own: a picture or a recording."""
        return list(self.kinds.values()) in (["image"], ["audio"])

    def predict(
        self, X: Columns, ids: Sequence[str] | None = None, *, explain: bool = False
    ) -> list[Prediction]:
        """Predict items given as columns.

        Parameters
        ----------
        X : Columns
            The columns that the model was trained on.
        ids : sequence of str, optional
            Names of the items; numbers from 1 by default.
        explain : bool, default=False
            Whether to say what each piece adds.

        Raises
        ------
        DataError
            Where a column is absent.
        ItemsError
            Where items cannot be read; it names all of them.
        """
        n = n_rows(X)
        names = [str(row + 1) for row in range(n)] if ids is None else list(ids)
        if n == 0:
            return []
        notes = [EMPTY if blank else "" for blank in self._blank(X, n)]
        X = self.config.data.checked(X)
        outcome = self.model.predict(X)
        for asked in ("unread", "doubts"):
            told = getattr(self.model.features, asked, None)
            for row, what in told(X).items() if told is not None else ():
                notes[row] = notes[row] or what
        shares: list[list[Share]] = [[] for _ in range(n)]
        if explain:
            kinds = {column: kind for column, kind in self.kinds.items() if column in X}
            shares = explain_items(
                self.model.features,
                self.model.machine,
                Items(X=X, kinds=kinds, ids=names),
                positive=self._positive,
                scale=self.model.scale,
                codes=outcome.prediction,
            )
        strongest = [sorted(own, key=lambda share: -abs(share.contribution)) for own in shares]
        classes = self.model.classes
        if outcome.probability is None:
            return [
                Prediction(
                    id=names[row],
                    label=float(outcome.prediction[row]),
                    probability=None,
                    margin=None,
                    probabilities={},
                    shares=strongest[row],
                    note=notes[row],
                )
                for row in range(n)
            ]
        sign = -1.0 if len(classes) == 2 and self._positive == 0 else 1.0
        threshold = self.threshold
        if threshold is not None and not math.isfinite(threshold):
            threshold = None
        predictions = []
        for row, code in enumerate(outcome.prediction.tolist()):
            decision = outcome.decision[row]
            probabilities = outcome.probability[row].tolist()
            predictions.append(
                Prediction(
                    id=names[row],
                    label=classes[code],
                    probability=probabilities[code],
                    margin=float(decision[code] if outcome.decision.ndim == 2 else sign * decision),
                    margin_for=self.positive or classes[code],
                    threshold=threshold,
                    probabilities=dict(zip(classes, probabilities, strict=True)),
                    shares=strongest[row],
                    note=notes[row],
                )
            )
        return predictions

    def _blank(self, X: Columns, n: int) -> list[bool]:
        """Say which items have neither text nor any cell, where items are nothing else."""
        if not set(self.kinds.values()) <= {"text", "sequence", "table"}:
            return [False] * n
        left = np.ones(n, dtype=bool)
        for name, kind in self.kinds.items():
            if name in X and left.any():  # mostly the first column tells
                cells = words_of(X[name]) if kind == "table" else X[name]
                left &= [value is None or not str(value).strip() for value in cells]
        return [bool(one) for one in left]

    def answer(self, items: Items, *, explain: bool = False) -> Answers:
        """Predict the items that can be read, and say what is wrong with each of the others.

        Raises
        ------
        DataError
            Where all of several items are refused in the same words, so that it is not the items
            that are at fault.
        """
        refused = Unreadable(len(items))
        given = list(range(len(items)))
        predictions = list(self._answered(items, given, refused, explain))
        if reason := refused.alike(given):
            raise DataError(reason)
        if not refused.problems:
            return Answers(predictions)
        error = ItemsError(refused.problems, len(items), items.ids, self.use_case.wording.item)
        return Answers(predictions, [error.line(row) for row in error.problems])

    def _answered(
        self, items: Items, rows: list[int], refused: Unreadable, explain: bool
    ) -> Iterator[Prediction]:
        whole = len(rows) == len(items)
        X = items.X if whole else take_rows(items.X, rows)
        try:
            yield from self.predict(X, [items.ids[row] for row in rows], explain=explain)
        except ItemsError as error:
            for place, why in error.problems.items():
                refused.problems[rows[place]] = why
            if rest := [row for row in rows if row not in refused.problems]:
                yield from self._answered(items, rest, refused, explain)
        except DataError as error:
            # An encoder that does not tell which item it was: it is looked for by halving.
            if len(rows) == 1:
                refused.problems[rows[0]] = reason_of(error)
                return
            middle = len(rows) // 2
            yield from self._answered(items, rows[:middle], refused, explain)
            yield from self._answered(items, rows[middle:], refused, explain)

    def predict_items(self, batches: Iterable[Items], *, explain: bool) -> Iterator[Prediction]:
        """Predict batches one after the other, in constant memory."""
        for items in batches:
            yield from self.predict(items.X, items.ids, explain=explain)

    def read(self, source: Path) -> Iterator[Items]:
        """Read items from a file or folder as the run's own data were read."""
        return self.config.data.read_items(source)

    def batches_of(self, lines: Iterable[Any], name: str) -> Iterator[Items]:
        """Make batches of lines: texts, paths of files, or JSON objects with a table's columns.

        In place of a path there may be what the encoders read too, such as an image's array.

        Raises
        ------
        DataError
            Where a line is no JSON object, or the model reads neither texts nor tables.
        """
        iterator = iter(lines)
        return self.batches_of_groups(iter(lambda: list(islice(iterator, _BATCH)), []), name)

    def batches_of_groups(self, groups: Iterable[Sequence[Any]], name: str) -> Iterator[Items]:
        """Make at least one batch of each group of lines, so that none waits for the next group.

        Raises
        ------
        DataError
            As `batches_of`.
        """
        number = 0
        for group in groups:
            for start in range(0, len(group), _BATCH):
                values = group[start : start + _BATCH]
                ids = [f"{name}:{number + at}" for at in range(1, len(values) + 1)]
                number += len(values)
                if self.reads_files:
                    # A path says more than its place.
                    both = zip(values, ids, strict=True)
                    ids = [str(it) if isinstance(it, str | Path) else own for it, own in both]
                yield Items(X=self._columns(values, ids), kinds=self.kinds, ids=ids)

    def _columns(self, values: Sequence[Any], ids: Sequence[str]) -> Columns:
        if list(self.kinds.values()) == ["text"]:
            return {next(iter(self.kinds)): list(values)}
        if self.reads_files:
            paths = str | Path
            own = [Path(it).expanduser() if isinstance(it, paths) else it for it in values]
            return {next(iter(self.kinds)): own}
        if list(self.kinds.values()) == ["sequence"]:
            return {next(iter(self.kinds)): list(values)}
        if not set(self.kinds.values()) <= {"text", "table"}:
            raise DataError(
                f"{self.use_case.wording.items} of this run cannot be typed in; give a file or "
                "folder with --file."
            )
        import pandas as pd

        rows = []
        for value, where in zip(values, ids, strict=True):
            try:
                row = json.loads(value)
            except ValueError:
                row = None
            if not isinstance(row, dict):
                raise DataError(
                    f"{where}: each item of this run is a row with the columns "
                    f"{', '.join(self.kinds)}; write it as a JSON object, or give a table with "
                    "--file."
                )
            for key in row:
                if key not in self.kinds:
                    raise DataError(
                        f"{where}: the model knows no column {key!r}.{nearest(key, self.kinds)} "
                        f"Give {', '.join(self.kinds)}, and leave out the rest."
                    )
            if absent := [key for key in self.kinds if key not in row]:
                raise DataError(
                    f"{where}: {', '.join(absent)} is absent. Give {', '.join(self.kinds)}; null "
                    "is a missing value."
                )
            rows.append(row)
        return pd.DataFrame(rows, columns=list(self.kinds))
