"""The schema: what a config of a use case may say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Annotated, Any

from pydantic import Field, SerializeAsAny, TypeAdapter, create_model
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from widemargin.config.scalars import to_yaml
from widemargin.contracts import (
    DatasetLoader,
    EvaluationSettings,
    FeatureSection,
    Section,
    SVMSettings,
    UseCase,
)
from widemargin.contracts.loader import sources

__all__ = ["SECTIONS", "RunConfig", "choose_loader", "dump_yaml", "json_schema"]

SECTIONS = ("data", "features", "svm", "evaluation")
"""The keys of a config that hold sections."""


class RunConfig(Section):
    """Everything that a run depends on, resolved: each setting has its value.

    A use case has its own subclass, whose `data` and `features` are the types that it declares.
    """

    use_case: str = Field(description="name of the use case")
    data: SerializeAsAny[DatasetLoader] = Field(description="where the data comes from")
    features: SerializeAsAny[FeatureSection] = Field(
        description="what turns items into vectors in front of the support vector machine"
    )
    svm: SVMSettings = Field(description="the support vector machine and its search")
    evaluation: EvaluationSettings = Field(description="how the numbers are come by")
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = Field(
        0, description="start of every random choice; equal seeds give equal numbers"
    )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that resolve to an equal config."""
        return self.model_dump(mode="json")


def dump_yaml(config: RunConfig) -> str:
    """Write a config as YAML that resolves to an equal config."""
    return to_yaml(config.to_dict())


@cache
def _model(loader: type[DatasetLoader], features: type[FeatureSection]) -> type[RunConfig]:
    # Kept, because two configs are equal only where their classes are the same.
    fields = RunConfig.model_fields
    return create_model(
        "Config",
        __base__=RunConfig,
        data=(loader, Field(description=fields["data"].description)),
        features=(features, Field(description=fields["features"].description)),
    )


def config_model(use_case: UseCase, loader: type[DatasetLoader]) -> type[RunConfig]:
    """Return the config's type for a use case that reads its data with `loader`."""
    return _model(loader, use_case.features)


def choose_loader(
    use_case: UseCase, given: Mapping[str, Any], usual: Mapping[str, Any]
) -> type[DatasetLoader]:
    """Choose what reads the data.

    Parameters
    ----------
    use_case : UseCase
        Its loaders are the choice.
    given : mapping
        The user's part of the ``data`` section.
    usual : mapping
        The use case's own part.

    Returns
    -------
    type of DatasetLoader
        The one that ``source`` names; else the one that knows most of the keys given, where the
        usual one comes before the others, and these come in order.
    """

    def misfit(loader: type[DatasetLoader]) -> tuple[bool, int, bool]:
        own = sources(loader)
        unknown = len(given.keys() - _keys(loader))
        return (
            "source" in given and given["source"] not in own,
            unknown,
            usual.get("source") not in own,
        )

    return min(use_case.data, key=misfit)


def _keys(section: type[Section]) -> set[str]:
    return {field.alias or name for name, field in section.model_fields.items()}


class _Lenient(GenerateJsonSchema):
    """Describes what it can; a type that JSON schema does not know may be anything."""

    ignored_warning_kinds = frozenset(("skipped-choice", "non-serializable-default"))  # type: ignore[assignment]  # pydantic only asks what it contains

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> JsonSchemaValue:
        return {}


@cache
def json_schema(section: type[Section]) -> Mapping[str, Any]:
    """Return the JSON schema of a section: the source of all words about it."""
    return TypeAdapter(section).json_schema(schema_generator=_Lenient)


def source_names(loaders: Iterable[type[DatasetLoader]]) -> list[str]:
    """Return all that ``data.source`` may say."""
    return [name for loader in loaders for name in sources(loader)]
