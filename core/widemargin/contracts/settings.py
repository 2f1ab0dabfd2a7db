"""The sections that every config has: features, svm and evaluation."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from widemargin.contracts.asset import Asset
from widemargin.contracts.dataset import Kind
from widemargin.contracts.encoder import Learns
from widemargin.contracts.section import Auto, Grid, PositiveFloat, Section
from widemargin.errors import nearest

__all__ = ["BlockSettings", "EvaluationSettings", "FeatureSection", "SVMSettings"]


class FeatureSection(Section):
    """A config section that builds the transformer in front of the SVM.

    Most use cases take `widemargin.encoders.Features`, which lets the user choose encoders; one of
    your own builds any scikit-learn transformer.
    """

    @property
    def learns(self) -> Learns:
        """What the transformer takes from training rows: nothing, X, or y."""
        return "X"

    @property
    def trains(self) -> bool:
        """Whether fitting trains a network, which takes long.

        One held-out part of the training rows then chooses C and gamma in place of the inner folds.
        """
        return False

    @property
    def assets(self) -> tuple[Asset, ...]:
        """The weight files that it needs."""
        return ()

    @abstractmethod
    def build(self, kinds: Mapping[str, Kind]) -> Any:
        """Build the unfitted transformer for columns of these kinds."""


def _known_kernel(name: str | None, info: ValidationInfo) -> str | None:
    known = (info.context or {}).get("kernels")
    if name is not None and known is not None and name not in known:
        allowed = ", ".join(sorted(known))
        raise ValueError(f"{name!r} is no kernel; allowed are {allowed}.{nearest(name, known)}")
    return name


Degree = Annotated[int, Field(ge=1, le=10)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class BlockSettings(Section):
    """The kernel of one block of features; what is left out is that of the section ``svm``.

    A config may give the kernel's name alone.
    """

    kernel: str | None = Field(None, description="similarity of two items' blocks: {kernels}")
    gamma: Auto | PositiveFloat | None = Field(
        None, description="auto, whose widths a search varies together, or one number"
    )
    degree: Degree | None = Field(None, description="degree of poly")
    coef0: Finite | None = Field(None, description="constant term of poly and sigmoid")

    _check_kernel = field_validator("kernel")(_known_kernel)

    @model_validator(mode="before")
    @classmethod
    def _take_name(cls, value: Any) -> Any:
        return {"kernel": value} if isinstance(value, str) else value


class SVMSettings(Section):
    """The support vector machine and its search."""

    kernel: str = Field("linear", description="similarity of two items: {kernels}")
    blocks: Annotated[dict[str, BlockSettings], Field(min_length=1)] | None = Field(
        None,
        description="blocks of features (encoders by name), each with a kernel's name, or with "
        "kernel, gamma, degree and coef0, of which those left out are the section's",
    )
    combine: Literal["sum", "product"] = Field(
        "sum", description="what the blocks' kernels make together"
    )
    weights: Literal["equal", "aligned", "learned"] | dict[str, PositiveFloat] = Field(
        "equal",
        description="what each block counts in the sum: equal, aligned (to the target), learned "
        "(with the machine), or a number per block",
    )
    C: Grid = Field(
        "auto",
        description="price of a margin violation: auto (searched), one number, or a list to search",
    )
    gamma: Grid = Field(
        "auto",
        description="inverse width of rbf, slope of poly and sigmoid: auto, one number, or a list",
    )
    degree: Degree = Field(3, description="degree of poly")
    coef0: Finite = Field(0.0, description="constant term of poly and sigmoid")
    epsilon: PositiveFloat = Field(
        0.1,
        description="half-width of the regression tube, in standard deviations of the target",
    )
    class_weight: Literal["none", "root", "balanced"] | dict[str, PositiveFloat] = Field(
        "none",
        description="none, balanced (all classes count alike), root (halfway: the square root of "
        "balanced), or a weight per class; they move labels, and probabilities are of the items as "
        "they come",
    )
    costs: Literal["none"] | dict[str, PositiveFloat] = Field(
        "none",
        description="what it costs to mistake an item, per class (1 for those left out); the label "
        "is then that of the least expected cost, in place of the most probable one",
    )
    scheme: Literal["auto", "one-vs-one", "one-vs-rest"] = Field(
        "auto",
        description="machines of more than two classes: one for each pair (auto), or one for each "
        "class against the rest",
    )
    calibration: Literal["auto", "sigmoid", "isotonic", "temperature"] = Field(
        "auto",
        description="how decisions become probabilities: auto (sigmoid for two classes, "
        "temperature for more), or isotonic, which takes any rising shape and 30 rows a class",
    )
    rule: Literal["max", "one-standard-error"] = Field(
        "max",
        description="which C and gamma are chosen: the best mean score, or the smallest C, then "
        "gamma, within a standard error of it",
    )
    engine: Literal["auto", "native", "scikit-learn"] = Field(
        "auto", description="what solves the optimisation problem"
    )

    _check_kernel = field_validator("kernel")(_known_kernel)

    @model_validator(mode="after")
    def _check_blocks(self) -> Self:
        names = list(self.blocks or ())
        if isinstance(self.gamma, tuple) and any(
            one.gamma is None for one in (self.blocks or {}).values()
        ):
            raise ValueError(
                "gamma is a list, and the widths of blocks vary together; "
                "give auto or one number, or each block its own"
            )
        if self.weights == "equal":
            return self
        if not names:
            raise ValueError("weights are for blocks, and there are none; give svm.blocks")
        if self.combine == "product":
            raise ValueError("weights are for a sum; a product of kernels has none")
        if isinstance(self.weights, dict):
            for name in self.weights:
                if name not in names:
                    raise ValueError(
                        f"weights: {name!r} is none of svm.blocks; they are {', '.join(names)}."
                        f"{nearest(name, names)}"
                    )
            if absent := [name for name in names if name not in self.weights]:
                raise ValueError(f"weights: {absent[0]!r} has none; give each of svm.blocks one")
        return self


class EvaluationSettings(Section):
    """How the numbers are come by."""

    split: Literal["auto", "folds", "leave-one-out"] = Field(
        "auto",
        description="auto keeps to the split that was published with the data, where there is one; "
        "folds divides all items by cross-validation; leave-one-out holds out each item, or each "
        "group of items, once",
    )
    outer: Annotated[int, Field(ge=2, le=100)] = Field(
        5, description="parts of the outer cross-validation, which measures"
    )
    inner: Annotated[int, Field(ge=2, le=100)] = Field(
        5, description="parts of the inner cross-validation, which chooses C and gamma"
    )
    repeats: Annotated[int, Field(ge=1, le=100)] = Field(
        1, description="how often the outer cross-validation is repeated with other splits"
    )
    embargo: Annotated[int, Field(ge=0, le=10_000)] = Field(
        0,
        description="moments (days, of daily data) before each held-out part at which no label "
        "that is learned from may have been known; for walk-forward splits",
    )
    shots: Annotated[int, Field(ge=3, le=100_000)] | None = Field(
        None,
        description="items of each class to learn from, drawn anew in every outer part; null "
        "learns from all",
    )
    resamples: Annotated[int, Field(ge=100, le=100_000)] = Field(
        1000,
        description="bootstrap resamples behind each interval of 100 items or groups and more, and "
        "of medians of fewer",
    )
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = Field(
        0.95, description="coverage of the intervals"
    )
    positive: str = Field(
        "",
        description="the class, of two, that metrics are about; empty goes by the data set, and "
        "where that names none, takes the rarer one",
    )
    map: Literal["auto", "none"] | Annotated[int, Field(ge=10, le=5000)] = Field(
        "auto",
        description="items drawn on the report's map of the embeddings: auto (1000), none, or a "
        "number; 5000 take half a minute",
    )
