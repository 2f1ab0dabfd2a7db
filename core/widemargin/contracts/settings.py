"""The sections that every config has: features, svm and evaluation."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from widemargin.contracts.dataset import Kind
from widemargin.contracts.encoder import Learns
from widemargin.contracts.section import Grid, PositiveFloat, Section
from widemargin.errors import nearest

__all__ = ["EvaluationSettings", "FeatureSection", "SVMSettings"]


class FeatureSection(Section):
    """A config section that builds the transformer in front of the SVM.

    Most use cases take `widemargin.encoders.Features`, which lets the user choose encoders; one of
    your own builds any scikit-learn transformer.
    """

    @property
    def learns(self) -> Learns:
        """What the transformer takes from training rows: nothing, X, or y."""
        return "X"

    @abstractmethod
    def build(self, kinds: Mapping[str, Kind]) -> Any:
        """Build the unfitted transformer for columns of these kinds."""


class SVMSettings(Section):
    """The support vector machine and its search."""

    kernel: str = Field("linear", description="similarity of two items: {kernels}")
    C: Grid = Field(
        "auto",
        description="price of a margin violation: auto (searched), one number, or a list to search",
    )
    gamma: Grid = Field(
        "auto",
        description="inverse width of rbf, slope of poly and sigmoid: auto, one number, or a list",
    )
    degree: Annotated[int, Field(ge=1, le=10)] = Field(3, description="degree of poly")
    coef0: Annotated[float, Field(allow_inf_nan=False)] = Field(
        0.0, description="constant term of poly and sigmoid"
    )
    epsilon: PositiveFloat = Field(
        0.1,
        description="half-width of the regression tube, in standard deviations of the target",
    )
    class_weight: Literal["none", "balanced"] | dict[str, PositiveFloat] = Field(
        "none",
        description="none, balanced (rare classes count more), or a weight per class; "
        "probabilities follow the weighted classes",
    )
    engine: Literal["auto", "scikit-learn"] = Field(
        "auto", description="what solves the optimisation problem"
    )

    @field_validator("kernel")
    @classmethod
    def _check_kernel(cls, name: str, info: ValidationInfo) -> str:
        known = (info.context or {}).get("kernels")
        if known is not None and name not in known:
            allowed = ", ".join(sorted(known))
            raise ValueError(f"{name!r} is no kernel; allowed are {allowed}.{nearest(name, known)}")
        return name


class EvaluationSettings(Section):
    """How the numbers are come by."""

    outer: Annotated[int, Field(ge=2, le=100)] = Field(
        5, description="parts of the outer cross-validation, which measures"
    )
    inner: Annotated[int, Field(ge=2, le=100)] = Field(
        5, description="parts of the inner cross-validation, which chooses C and gamma"
    )
    repeats: Annotated[int, Field(ge=1, le=100)] = Field(
        1, description="how often the outer cross-validation is repeated with other splits"
    )
    resamples: Annotated[int, Field(ge=100, le=100_000)] = Field(
        1000, description="bootstrap resamples behind each interval"
    )
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = Field(
        0.95, description="coverage of the intervals"
    )
