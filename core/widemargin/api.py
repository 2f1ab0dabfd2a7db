"""Running and loading from Python; the command line goes through here too."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from widemargin.contracts import Metric, Progress, RunRecord, Silent, Wording
from widemargin.contracts.counting import counted
from widemargin.errors import DataError
from widemargin.registry import Registry, discover
from widemargin.runs.store import RunStore, runs_home
from widemargin.runs.targets import resolve_target

if TYPE_CHECKING:
    import pandas as pd

    from widemargin.config import Document
    from widemargin.serving import Predictor

__all__ = ["Run", "load", "resolve_target", "run", "run_documents"]


class Run:
    """A finished run: its numbers, its report and its model.

    Shown as a table of metrics in a notebook.

    Parameters
    ----------
    record : RunRecord
        The run's folder and what it says.
    registry : Registry
        What is installed.
    """

    def __init__(self, record: RunRecord, registry: Registry) -> None:
        self.record = record
        self._registry = registry
        self._predictor: Predictor | None = None

    @property
    def id(self) -> str:
        """The run's name."""
        return self.record.id

    @property
    def path(self) -> Path:
        """The run's folder."""
        return self.record.path

    @property
    def report(self) -> Path:
        """The run's report, an HTML file."""
        return self.record.path / "report.html"

    @property
    def metrics(self) -> dict[str, float]:
        """Each metric's value, out of fold; nan where undefined."""
        metrics: Mapping[str, Mapping[str, float | None]] = self.record.metrics["metrics"]
        return {name: _number(own["value"]) for name, own in metrics.items()}

    @property
    def wording(self) -> Wording:
        """How the run's use case speaks; in general words where it is not installed any more."""
        use_case = self._registry.use_cases.get(self.record.use_case)
        return use_case.wording if use_case else Wording()

    @property
    def kinds(self) -> Mapping[str, str]:
        """What each column of an item holds; nothing where the run does not say."""
        try:
            kinds: Mapping[str, str] = json.loads((self.path / "dataset.json").read_bytes())[
                "kinds"
            ]
        except (OSError, ValueError, KeyError, TypeError):
            return {}
        return kinds

    @property
    def predictor(self) -> Predictor:
        """The run's model, loaded when it is first used."""
        if self._predictor is None:
            from widemargin.serving import Predictor

            self._predictor = Predictor(self.record, self._registry)
        return self._predictor

    def predict(
        self, items: Sequence[Any] | pd.DataFrame | Path, *, explain: bool = False
    ) -> pd.DataFrame:
        """Predict new items.

        Parameters
        ----------
        items : sequence, DataFrame or Path
            Texts, or images and recordings as paths, bytes or arrays; a table with the columns of
            the training data; or a file or folder that is read as these were.
        explain : bool, default=False
            Whether to add a column ``shares``: what each piece adds to the margin.

        Returns
        -------
        pandas.DataFrame
            ``id``, ``label``, and for classes ``probability`` and ``margin``; one row an item.

        Raises
        ------
        DataError
            Where the items are not of the kind that the model was trained on.
        """
        import pandas as pd

        predictor = self.predictor
        if isinstance(items, Path):
            predictions = list(predictor.predict_items(predictor.read(items), explain=explain))
        elif isinstance(items, pd.DataFrame):
            predictions = predictor.predict(items, explain=explain)
        elif isinstance(items, str):
            raise DataError("predict takes a list of texts; write predict([text]) for one.")
        else:
            batches = predictor.batches_of(items, "item")
            predictions = list(predictor.predict_items(batches, explain=explain))
        columns: dict[str, Any] = {
            "id": [one.id for one in predictions],
            "label": [one.label for one in predictions],
        }
        if predictor.model.classes:
            columns["probability"] = [one.probability for one in predictions]
            columns["margin"] = [one.margin for one in predictions]
        if explain:
            columns["shares"] = [
                {share.piece: share.contribution for share in one.shares} for one in predictions
            ]
        return pd.DataFrame(columns)

    def table(self) -> list[tuple[str, str, str, list[str]]]:
        """Return rows of title, value, interval and baselines' values, as people read them."""
        said = self.record.metrics
        rows = []
        for name, own in said["metrics"].items():
            metric = self._registry.metrics.get(name)
            ends = f"{_show(metric, own['low'])} to {_show(metric, own['high'])}"
            rows.append(
                (
                    _title(metric, name, said["units"]),
                    _show(metric, own["value"]),
                    ends if own["low"] is not None else "undefined",
                    [
                        _show(metric, baseline["metrics"].get(name))
                        for baseline in said["baselines"].values()
                    ],
                )
            )
        return rows

    def baselines(self) -> list[str]:
        """Return the baselines' titles, in the order of `table`."""
        return [own["title"] for own in self.record.metrics["baselines"].values()]

    def __repr__(self) -> str:
        title, value, interval, _ = self.table()[0]
        return f"<Run {self.record.use_case}/{self.id}: {title} {value} ({interval})>"

    def _repr_html_(self) -> str:
        heads = ["", "", f"{self.record.metrics['confidence']:.0%} interval", *self.baselines()]
        lines = [
            (title, value, interval, *baselines)
            for title, value, interval, baselines in self.table()
        ]
        head = "".join(f"<th>{html.escape(text)}</th>" for text in heads)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in line) + "</tr>"
            for line in lines
        )
        name = html.escape(f"{self.record.use_case} / {self.id}")
        count = self.record.metrics["n_items"]
        return (
            f"<b>{name}</b> &middot; {counted(count, 'item')}"
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )


def run(
    use_case: str | Path,
    *,
    data: Mapping[str, Any] | None = None,
    features: Mapping[str, Any] | None = None,
    svm: Mapping[str, Any] | None = None,
    evaluation: Mapping[str, Any] | None = None,
    seed: int | None = None,
    fresh: bool = False,
    offline: bool = False,
    runs: Path | str | None = None,
    progress: Progress | None = None,
) -> Run:
    """Run a use case: train, judge, explain and save.

    Parameters
    ----------
    use_case : str or Path
        A use case's name, or the path of a config file.
    data, features, svm, evaluation : mapping, optional
        Sections of the config, as in ``svm={"C": 10}``.
    seed : int, optional
        Start of every random choice.
    fresh : bool, default=False
        Whether to ignore what an interrupted run kept.
    offline : bool, default=False
        Whether fetching a data set is forbidden.
    runs : Path or str, optional
        The folder of runs; ``WIDEMARGIN_RUNS`` or ``runs`` by default.
    progress : Progress, optional
        Told of every stage; silent by default.

    Returns
    -------
    Run

    Raises
    ------
    ConfigError, DataError, AssetError, PluginError
        Where settings, data, assets or plugins cannot be used.

    Examples
    --------
    >>> import tempfile, widemargin
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = widemargin.run("table", data={"source": "diabetes"}, svm={"C": 1}, runs=folder)
    ...     shown = round(made.metrics["r2"], 1)
    >>> shown
    0.5
    """
    from widemargin.config import Document

    given: dict[str, Any] = {
        key: dict(section)
        for key, section in (
            ("data", data),
            ("features", features),
            ("svm", svm),
            ("evaluation", evaluation),
        )
        if section is not None
    }
    if seed is not None:
        given["seed"] = seed
    return run_documents(
        str(use_case),
        [Document(given)],
        store=RunStore(runs_home() if runs is None else Path(runs)),
        fresh=fresh,
        offline=offline,
        progress=progress,
    )


def run_documents(
    target: str,
    overrides: Sequence[Document],
    *,
    like: RunRecord | None = None,
    store: RunStore,
    fresh: bool = False,
    offline: bool = False,
    mirror: str = "",
    progress: Progress | None = None,
) -> Run:
    """Run what `target` names, a use case or a config file, with overrides laid over it.

    Parameters
    ----------
    target : str
        Name of a use case, or path of a config; empty where `like` is given.
    overrides : sequence of Document
        From the lowest to the highest.
    like : RunRecord, optional
        A run whose config is repeated.
    store : RunStore
        Where the run is written.
    fresh, offline, progress
        As for `run`.
    mirror : str
        Folder or address that assets are looked for in first.
    """
    from widemargin.runs.runner import execute

    registry = discover()
    config, name = resolve_target(target, overrides, like, registry)
    store.check_writable()
    record = execute(
        config,
        registry.use_case(name),
        registry,
        store,
        fresh=fresh,
        offline=offline,
        mirror=mirror,
        progress=progress or Silent(),
    )
    write_report(record, registry, store)
    return Run(record, registry)


def write_report(record: RunRecord, registry: Registry, store: RunStore) -> Path:
    """Render a run's report and put it into the run's folder."""
    from widemargin.report import render_report

    page = render_report(record, registry.use_case(record.use_case), registry.metrics)
    return store.add_artefact(record.path, "report.html", page.encode())


def load(name: str | Path | Run, *, runs: Path | str | None = None) -> Run:
    """Load a finished run.

    Parameters
    ----------
    name : str, Path or Run
        A run's folder, its id or the beginning of it, a use case's name (its last run but for a
        comparison's), or ``latest``; a run that `run` returned is returned as it is.
    runs : Path or str, optional
        The folder of runs; ``WIDEMARGIN_RUNS`` or ``runs`` by default.

    Raises
    ------
    RunNotFoundError
        Where none, or more than one, answers to the name.
    """
    if isinstance(name, Run):
        return name
    store = RunStore(runs_home() if runs is None else Path(runs))
    return Run(store.find(str(name)), discover())


def _title(metric: Metric | None, name: str, units: str) -> str:
    """Return a metric's title, with the target's units once where its values are in them."""
    if metric is None:
        return name
    return f"{metric.title} ({units})" if metric.unit == "target" and units else metric.title


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _show(metric: Metric | None, value: float | None) -> str:
    return metric.format(_number(value)) if metric else f"{_number(value):.4f}"
