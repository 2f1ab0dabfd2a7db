"""Training: features, inner search, refit and calibration on one set of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import (
    Dataset,
    Kind,
    Metric,
    Predictions,
    Progress,
    Silent,
    Split,
    SplitRule,
)
from widemargin.data.splits import make_splits
from widemargin.errors import ConfigError, Problem
from widemargin.evaluation import take
from widemargin.runs.model import Model, as_rows, encode, judge
from widemargin.svm.calibration import Calibration, fit_calibration
from widemargin.svm.engines import choose_engine
from widemargin.svm.expression import Expression, Term
from widemargin.svm.prepared import Quantities
from widemargin.svm.selection import PartRows, Scorer, Search, is_linear, select
from widemargin.svm.solver import Solver

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.config import RunConfig
    from widemargin.encoders import EmbeddingStore

__all__ = ["Embedded", "Setup", "Trained", "codes_of", "embed", "fit_transform", "train", "unit_of"]


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What training needs besides the rows.

    Parameters
    ----------
    config : RunConfig
        The resolved config.
    expression : Expression
        The kernel that it names, or the sum or product of kernels.
    metric : Metric
        What the inner search maximises.
    split : SplitRule
        How rows are divided.
    classes : tuple of str
        All class names in sorted order; empty for regression.
    positive : int
        Code of the positive class of a binary task; 1 otherwise.
    store : EmbeddingStore, optional
        Where vectors are kept that no training row has a part in.
    progress : Progress
        Told what is encoded.
    """

    config: RunConfig
    expression: Expression
    metric: Metric
    split: SplitRule
    classes: tuple[str, ...]
    positive: int
    store: EmbeddingStore | None = None
    progress: Progress = field(default_factory=Silent)

    @property
    def is_binary(self) -> bool:
        """Whether there are exactly two classes."""
        return len(self.classes) == 2

    @property
    def kernel_title(self) -> str:
        """What a report calls the kernel."""
        if isinstance(self.expression, Term) and self.expression.block is None:
            return self.expression.kernel.name
        blocks = self.config.svm.blocks or {}
        own = [f"{name} ({one.kernel or self.config.svm.kernel})" for name, one in blocks.items()]
        return f"{self.config.svm.combine} of {', '.join(own)}"

    def features(self, kinds: Mapping[str, Kind]) -> Any:
        """Build the unfitted features of columns of these kinds."""
        features = self.config.features.build(kinds)
        if hasattr(features, "use"):
            features.use(self.store, self.progress)
        return features

    def solver(self, part: Dataset) -> Solver:
        """Return what is to be learned of a part; a target of numbers in units of its spread."""
        codes = codes_of(part.y, self.classes)
        centre, scale = (0.0, 1.0) if self.classes else unit_of(codes)
        settings = self.config.svm
        return Solver(
            y=codes if self.classes else (codes - centre) / scale,
            n_classes=len(self.classes),
            engine=choose_engine(settings.engine),
            scheme="one-vs-one" if settings.scheme == "auto" else settings.scheme,
            epsilon=settings.epsilon,
            sample_weight=self.weights(part),
            random_state=self.config.seed,
        )

    def rows(self, embedded: Any) -> Any:
        """Return rows as the machine takes them: float32 where it reads a Gram matrix.

        Rows too long or too far off for that stay float64.
        """
        if is_linear(self.expression) or not _fits_float32(embedded):
            return embedded
        return embedded.astype(np.float32)

    def orient(self, decision: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn a machine's decision so that above 0 speaks for the positive class.

        Decisions of several folds are ranked together as they are: each is in units of its own
        machine's margin. Log-odds were tried instead, and rank worse (on spam, 74% caught at 0.1%
        blocked against 84%), since each fold's calibration differs most where items are surest.
        """
        return -decision if self.is_binary and self.positive == 0 else decision

    def calibrate(
        self, part: Dataset, codes: NDArray[Any], held_out: NDArray[np.float64]
    ) -> Calibration | None:
        """Fit probabilities to held-out decisions; None for regression.

        Class weights count here too: they say what a mistake costs, and without them the
        calibration would undo what they did to the margin.
        """
        if not self.classes:
            return None
        method = self.config.svm.calibration
        return fit_calibration(held_out, codes, self.weights(part), method=method)

    def weights(self, part: Dataset) -> NDArray[np.float64] | None:
        """Return each row's factor of C, or None where all are 1."""
        chosen = self.config.svm.class_weight
        if chosen == "none" or not self.classes:
            return part.sample_weight
        if isinstance(chosen, dict):
            unknown = sorted(set(chosen) - set(self.classes))
            if unknown:
                allowed = ", ".join(self.classes)
                message = f"{unknown[0]!r} is no class; the classes are {allowed}."
                raise ConfigError([Problem(message, "svm.class_weight")])
            by_class = np.array([chosen.get(name, 1.0) for name in self.classes])
        else:
            counts = np.array([(part.y == name).sum() for name in self.classes])
            by_class = len(part) / (len(self.classes) * counts)
        weights: NDArray[np.float64] = by_class[codes_of(part.y, self.classes)]
        return weights if part.sample_weight is None else weights * part.sample_weight


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A model with what was found on the way.

    `rows` are the training rows' features, and `inner` the inner folds.
    """

    model: Model
    search: Search
    rows: Any
    inner: list[Split]


@dataclass(frozen=True)
class Embedded:
    """All items' features, where they learn nothing.

    Parameters
    ----------
    features : transformer
        What made them.
    rows : ndarray or CSR of shape (n_items, n_features)
        The features.
    quantities : Quantities
        What kernels compute of them, shared by all folds.
    """

    features: Any
    rows: Any
    quantities: Quantities


def embed(setup: Setup, dataset: Dataset) -> Embedded:
    """Compute all items' features, which learn nothing, once for the whole run."""
    features = setup.features(dataset.kinds)
    rows = fit_transform(features, dataset.X, dataset.y)
    return Embedded(features, rows, Quantities(setup.rows(rows)))


def codes_of(y: NDArray[Any], classes: Sequence[str]) -> NDArray[Any]:
    """Return class codes, or the numbers themselves where there are no classes."""
    if not classes:
        return y.astype(np.float64)
    place = {name: code for code, name in enumerate(classes)}
    return np.array([place[str(name)] for name in y], dtype=np.int64)


def unit_of(target: NDArray[np.float64]) -> tuple[float, float]:
    """Return a target's mean and standard deviation; 1 where all its training values are equal."""
    return float(target.mean()), float(target.std()) or 1.0


def train(
    setup: Setup,
    part: Dataset,
    *,
    embedded: Embedded | None = None,
    taken: NDArray[np.intp] | None = None,
    progress: Progress,
) -> Trained:
    """Fit features to a part's rows, choose C and gamma on inner folds, refit and calibrate.

    Parameters
    ----------
    setup : Setup
        Config and names.
    part : Dataset
        Training rows.
    embedded : Embedded, optional
        All items' features, where they learn nothing and were computed once for the whole run.
    taken : ndarray of shape (n_samples,), optional
        Which of these the part is; by default all.
    progress : Progress
        Told of every fit.
    """
    config = setup.config
    inner = make_splits(
        part.y,
        setup.split,
        n_splits=config.evaluation.inner,
        groups=part.groups,
        random_state=config.seed,
    )
    fold_rows = within = None
    if embedded is not None:
        features = embedded.features
        taken = np.arange(len(part)) if taken is None else taken
        rows, within = embedded.rows[taken], embedded.quantities.on(taken)
    else:
        features = setup.features(part.kinds)
        rows = fit_transform(features, part.X, part.y)
        if config.features.learns == "y":
            fold_rows = [_refit(setup, part, split) for split in inner]
    codes = codes_of(part.y, setup.classes)
    centre, scale = (0.0, 1.0) if setup.classes else unit_of(codes)
    held_out = np.concatenate([split.test for split in inner])
    search = select(
        setup.rows(rows),
        setup.solver(part),
        expression=setup.expression,
        C=config.svm.C,
        parts=[(split.train, split.test) for split in inner],
        scorer=_scorer(setup, part, codes, inner, held_out, centre, scale),
        blocks=getattr(features, "blocks_", None),
        part_rows=fold_rows,
        within=within,
        rule=config.svm.rule,
        progress=progress,
    )
    model = Model(
        features=features,
        machine=search.machine,
        calibration=setup.calibrate(part, codes, _in_order(search.held_out, held_out)),
        classes=setup.classes,
        centre=centre,
        scale=scale,
    )
    return Trained(model=model, search=search, rows=rows, inner=inner)


def fit_transform(features: Any, X: Any, y: Any) -> Any:
    """Fit a transformer and return its rows: dense float64 or CSR."""
    rows = (
        features.fit_transform(X, y)
        if hasattr(features, "fit_transform")
        else features.fit(X, y).transform(X)
    )
    return as_rows(rows)


def _refit(setup: Setup, part: Dataset, split: Split) -> PartRows:
    """Fit features that learn y on one inner training part."""
    features = setup.features(part.kinds)
    rows = fit_transform(features, part.X.iloc[split.train], part.y[split.train])
    others = encode(features, part.X.iloc[split.test])
    return setup.rows(rows), setup.rows(others), getattr(features, "blocks_", None)


def _fits_float32(rows: Any) -> bool:
    """Say whether rows keep their distances in float32: none too long, or far from the others."""
    if hasattr(rows, "tocsr"):
        return rows.nnz == 0 or float(np.abs(rows.data).max()) < 1e15
    if rows.size == 0:
        return True
    middle, spread = np.abs(rows.mean(axis=0)), rows.std(axis=0)
    far = (spread > 0) & (middle > 1e3 * spread)
    return bool(np.abs(rows).max() < 1e15 and not far.any())


def _in_order(held_out: NDArray[np.float64], rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return held-out decisions in the order of the rows, of which the folds hold each once."""
    ordered = np.empty_like(held_out)
    ordered[rows] = held_out
    return ordered


def _scorer(
    setup: Setup,
    part: Dataset,
    codes: NDArray[Any],
    inner: Sequence[Split],
    held_out: NDArray[np.intp],
    centre: float,
    scale: float,
) -> Scorer:
    """Return what the inner search maximises: the primary metric of each fold's held-out rows.

    A cell is judged as its model would be: its decisions are calibrated, and the most probable
    class is the prediction.
    """
    metric = setup.metric
    sign = 1.0 if metric.greater_is_better else -1.0
    weight = np.ones(len(part)) if part.sample_weight is None else part.sample_weight

    def score(decided: NDArray[np.float64]) -> list[float]:
        decision = _in_order(decided, held_out)
        calibration = setup.calibrate(part, codes, decision)
        outcome = judge(decision, calibration, centre, scale)
        told = Predictions(
            y_true=codes,
            y_pred=outcome.prediction,
            decision=setup.orient(outcome.decision),
            probability=outcome.probability,
            classes=setup.classes,
            positive=setup.positive,
            ids=part.ids,
            weight=weight,
        )
        return [sign * float(metric.compute(take(told, split.test))) for split in inner]

    return score
