"""What training needs besides the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from widemargin.contracts import (
    Dataset,
    Kind,
    Metric,
    Progress,
    Silent,
    SplitRule,
)
from widemargin.errors import ConfigError, Problem
from widemargin.runs.checkpoints import RunCheckpoints
from widemargin.runs.costs import Spent
from widemargin.svm.calibration import Calibration, Temperature, fit_calibration
from widemargin.svm.engines import choose_engine
from widemargin.svm.expression import Expression, Term
from widemargin.svm.selection import is_linear
from widemargin.svm.solver import Solver

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.config import RunConfig
    from widemargin.encoders import EmbeddingStore

__all__ = ["Setup", "codes_of", "shares_of", "unit_of"]


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
    shares : ndarray of shape (n_classes,), optional
        How common the classes are over all outer parts, for the baseline that knows nothing else;
        none where a part knows only its own training rows.
    store : EmbeddingStore, optional
        Where vectors are kept that no training row has a part in.
    checkpoints : RunCheckpoints, optional
        Where the training of networks keeps how far it is.
    one_part : bool
        Whether one held-out part of the training rows chooses C and gamma, as where features train
        a network.
    progress : Progress
        Told what is encoded.
    spent : Spent
        What work takes how long.
    """

    config: RunConfig
    expression: Expression
    metric: Metric
    split: SplitRule
    classes: tuple[str, ...]
    positive: int
    shares: NDArray[np.float64] | None = None
    store: EmbeddingStore | None = None
    checkpoints: RunCheckpoints | None = None
    one_part: bool = False
    progress: Progress = field(default_factory=Silent)
    spent: Spent = field(default_factory=Spent)

    @property
    def is_binary(self) -> bool:
        """Whether there are exactly two classes."""
        return len(self.classes) == 2

    @cached_property
    def costs(self) -> tuple[float, ...]:
        """What it costs to mistake an item of each class; empty where all mistakes are alike."""
        chosen = self.config.svm.costs
        if chosen == "none":
            return ()
        if not self.classes:
            message = "costs are of classes, and the target is a number; leave them out."
            raise ConfigError([Problem(message, "svm.costs")])
        self._check_classes(chosen, "svm.costs")
        return tuple(chosen.get(name, 1.0) for name in self.classes)

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
            features.use(self.store, self.progress, self.checkpoints)
        return features

    @property
    def frozen(self) -> Setup | None:
        """The same with pretrained encoders as they are; None where nothing is fine-tuned.

        C and gamma are chosen in the same way, so that the encoder is all that differs.
        """
        features = self.config.features
        if getattr(features, "train", None) is None:
            return None
        left = features.model_copy(update={"train": None})
        # What is only compared with is no cost of the model.
        return replace(
            self, config=self.config.model_copy(update={"features": left}), spent=Spent()
        )

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

        Each is in units of its own machine's margin. The ROC AUC ranks within each held-out part;
        where a metric needs one order of all (what is caught at a limit), decisions of several
        folds are ranked together as they are. Log-odds, and decisions less the margin from which
        the label turns, were tried instead, and rank worse more often than better: on spam 74% was
        caught at 0.1% blocked against 84%, and on 300 credits with little signal the ROC AUC of all
        fell from 0.613 to 0.578 and 0.544, within the parts 0.633. Where each fold trained a
        network of its own, `folds.hold_out` takes log-odds all the same.
        """
        return -decision if self.is_binary and self.positive == 0 else decision

    def calibrate(
        self, part: Dataset, codes: NDArray[Any], held_out: NDArray[np.float64]
    ) -> Calibration | None:
        """Fit probabilities, which are of items as they come, to a part's held-out decisions.

        None for regression. Class weights, which are in the decisions, are taken out whatever
        decides labels: `label_weights` count in once what mistakes cost.
        """
        if not self.classes:
            return None
        return fit_calibration(
            held_out,
            codes,
            part.sample_weight,
            method=self.config.svm.calibration,
            class_weight=self._class_weights(part),
            # A network has seen the machine's rows, and pulls new ones to one side of its margin.
            prior=not self.one_part,
        )

    def label_weights(self, part: Dataset, calibration: Calibration | None) -> tuple[float, ...]:
        """Return by what the probabilities are multiplied, of which the largest is the label's.

        `costs`; where there are none, class weights, which say what mistakes cost too: those of the
        part whose held-out decisions were calibrated, or what brings back the order of decisions in
        which class weights have had their say. Empty where those are all alike.
        """
        if self.costs:
            return self.costs
        if isinstance(calibration, Temperature):
            return calibration.label_weights
        weights = self._class_weights(part)
        if weights is None or (weights == weights[0]).all():
            return ()
        return tuple(weights.tolist())

    def weights(self, part: Dataset) -> NDArray[np.float64] | None:
        """Return each row's factor of C, or None where all are 1."""
        by_class = self._class_weights(part)
        if by_class is None:
            return part.sample_weight
        weights: NDArray[np.float64] = by_class[codes_of(part.y, self.classes)]
        return weights if part.sample_weight is None else weights * part.sample_weight

    def _class_weights(self, part: Dataset) -> NDArray[np.float64] | None:
        chosen = self.config.svm.class_weight
        if chosen == "none" or not self.classes:
            return None
        if isinstance(chosen, dict):
            self._check_classes(chosen, "svm.class_weight")
            return np.array([chosen.get(name, 1.0) for name in self.classes])
        counts = np.array([max(1, (part.y == name).sum()) for name in self.classes])
        by_class: NDArray[np.float64] = len(part) / (len(self.classes) * counts)
        return np.sqrt(by_class) if chosen == "root" else by_class

    def _check_classes(self, given: Mapping[str, float], path: str) -> None:
        unknown = sorted(set(given) - set(self.classes))
        if unknown:
            allowed = ", ".join(self.classes)
            message = f"{unknown[0]!r} is no class; the classes are {allowed}."
            raise ConfigError([Problem(message, path)])


def codes_of(y: NDArray[Any], classes: Sequence[str]) -> NDArray[Any]:
    """Return class codes, or the numbers themselves where there are no classes."""
    if not classes:
        return y.astype(np.float64)
    place = {name: code for code, name in enumerate(classes)}
    return np.array([place[str(name)] for name in y], dtype=np.int64)


def unit_of(target: NDArray[np.float64]) -> tuple[float, float]:
    """Return a target's mean and standard deviation; 1 where all its training values are equal."""
    return float(target.mean()), float(target.std()) or 1.0


def _fits_float32(rows: Any) -> bool:
    """Say whether rows keep their distances in float32: none too long, or far from the others."""
    if hasattr(rows, "tocsr"):
        return rows.nnz == 0 or float(np.abs(rows.data).max()) < 1e15
    if rows.size == 0:
        return True
    middle, spread = np.abs(rows.mean(axis=0)), rows.std(axis=0)
    far = (spread > 0) & (middle > 1e3 * spread)
    return bool(np.abs(rows).max() < 1e15 and not far.any())


def shares_of(config: RunConfig, dataset: Dataset, kind: str) -> NDArray[np.float64] | None:
    """Return how common the classes are, where the outer parts are folds of one population.

    A published test part or a later stretch of time is none, and with shots a part knows no more
    than those.
    """
    if kind not in ("folds", "leave-one-out") or config.evaluation.shots or not dataset.classes:
        return None
    codes = codes_of(dataset.y, dataset.classes)
    counts = np.bincount(codes, dataset.sample_weight, len(dataset.classes))
    return counts.astype(np.float64)
