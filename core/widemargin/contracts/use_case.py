"""Use cases: named problems that a plugin solves."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from widemargin.contracts.blocks import ReportSection
from widemargin.contracts.dataset import Task
from widemargin.contracts.loader import DatasetLoader, sources
from widemargin.contracts.predictions import Predictions
from widemargin.contracts.settings import FeatureSection
from widemargin.contracts.split import SplitRule
from widemargin.contracts.study import Study

__all__ = ["COMPARISONS", "UseCase", "Wording"]

COMPARISONS = "comparisons"
"""The folder beside those of the use cases' runs, whose name no use case can have."""


@dataclass(frozen=True, kw_only=True)
class Wording:
    """How explanations speak of this domain.

    Parameters
    ----------
    item, items : str
        One item and several, as in ``"message"``, ``"messages"``.
    piece, pieces : str
        What an item's margin is split into, as in ``"word"``, ``"words"``.
    headline : str
        What the report says first, with metrics by name in braces, as in
        ``"Catches {recall} of {positive}"``; left out where one of them was not measured.
        ``{positive}`` and ``{negative}`` are the two classes by the names that the data has.
    example : str
        An item that the command line proposes to predict; empty where items are not typed in.
    labelled : bool
        Whether labels are somebody's judgement, so that some may be wrong; False where they are
        measured, as of what a price did.
    """

    item: str = "item"
    items: str = "items"
    piece: str = "feature"
    pieces: str = "features"
    headline: str = ""
    example: str = ""
    labelled: bool = True


@dataclass(frozen=True, kw_only=True)
class UseCase:
    """A named problem, with all that a run needs to know about it.

    Parameters
    ----------
    name : str
        Lower-case letters, digits and hyphens; ``widemargin run NAME``.
    summary : str
        One line for people.
    task : {"classification", "regression", "auto"}
        ``auto`` goes by the target that the loader returns.
    data : tuple of DatasetLoader types
        The ways to read data; the first of those that know most of the keys given is taken.
    features : type of FeatureSection
        The config section of the features.
    primary_metric : mapping of task to str
        The headline's metric, and what the inner search maximises.
    metrics : tuple of str
        The metrics of the table, in order; those of another task are left out.
    fixture : mapping
        The ``data`` section of a tiny data set inside the plugin, its file or folder as ``path``;
        for the conformance checks.
    fixture_is_noise : bool
        Whether nothing can be learned of the fixture, as of invented prices: no check then asks
        a model to be better on it than the dummy.
    defaults : mapping
        Config values that differ from the sections' own defaults.
    split : SplitRule
        How rows are divided.
    wording : Wording
        How explanations speak.
    report_sections : callable, optional
        ``report_sections(predictions) -> sequence of ReportSection``: the domain's own part of
        the report, made anew whenever the report is.
    analyse : callable, optional
        ``analyse(study) -> sequence of ReportSection``: what needs the data or the model, made
        once at the end of a run and kept with it.

    Raises
    ------
    ValueError
        Where the name is not of the form above, or is that of the folder of comparisons.
    TypeError
        Where `data` or `features` are no such classes, or `data` or `metrics` are no tuples.
    """

    name: str
    summary: str
    task: Literal["classification", "regression", "auto"]
    data: tuple[type[DatasetLoader], ...]
    features: type[FeatureSection]
    primary_metric: Mapping[Task, str]
    metrics: tuple[str, ...]
    fixture: Mapping[str, Any]
    fixture_is_noise: bool = False
    defaults: Mapping[str, Any] = field(default_factory=dict)
    split: SplitRule = field(default_factory=SplitRule)
    wording: Wording = field(default_factory=Wording)
    report_sections: Callable[[Predictions], Sequence[ReportSection]] | None = None
    analyse: Callable[[Study], Sequence[ReportSection]] | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9-]*", self.name):
            raise ValueError(
                f"a use case's name is made of lower-case letters, digits and hyphens; "
                f"got {self.name!r}"
            )
        if self.name == COMPARISONS:
            raise ValueError(
                f"no use case can be named {self.name!r}: comparisons are kept in that folder, "
                "beside those of the use cases"
            )
        self._check_types()
        if not self.data:
            raise ValueError(f"use case {self.name!r} names no loader in `data`")
        for task in ("classification", "regression"):
            if self.task in (task, "auto") and task not in self.primary_metric:
                raise ValueError(f"use case {self.name!r} has no primary metric for {task}")

    def _check_types(self) -> None:
        """Refuse what is easily mixed up, and would be told of much later."""
        for name, base in (("data", DatasetLoader), ("features", FeatureSection)):
            given: object = getattr(self, name)
            classes = given if name == "data" and isinstance(given, tuple | list) else (given,)
            for one in classes:
                if not (isinstance(one, type) and issubclass(one, base)):
                    what = one.__name__ if isinstance(one, type) else f"a {type(one).__name__}"
                    raise TypeError(
                        f"use case {self.name!r}: {name} names {what}; it takes classes that "
                        f"derive from widemargin.{base.__name__}, not objects of them"
                    )
                if issubclass(one, DatasetLoader):
                    sources(one)  # refuses one without
        if not isinstance(self.data, tuple | list) or not isinstance(self.metrics, tuple | list):
            raise TypeError(
                f"use case {self.name!r}: `data` and `metrics` are tuples, as in "
                'data=(TableLoader,) and metrics=("accuracy",)'
            )
