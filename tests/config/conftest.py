"""A use case, encoders and kernels for the tests of the config, without any plugin."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, PlainSerializer, PlainValidator, ValidationInfo

from widemargin.config import Document, RunConfig, resolve
from widemargin.contracts import (
    Dataset,
    DatasetLoader,
    EncoderSpec,
    FeatureSection,
    Items,
    Kernel,
    Kind,
    Section,
    UseCase,
)
from widemargin.errors import ConfigError


class Loader(DatasetLoader):
    def load(self, data_home: Path) -> Dataset:
        raise NotImplementedError

    def read_items(self, source: Path) -> Iterator[Items]:
        raise NotImplementedError


class Sms(Loader):
    source: Literal["sms"] = "sms"
    limit: Annotated[int, Field(ge=1)] | None = Field(None, description="messages to read")


class Csv(Loader):
    source: Literal["csv", "tsv"] = "csv"
    path: Path = Field(description="the file")
    text: str = Field("text", description="column of the text")
    label: str = Field("label", description="column of the label")


class Mbox(Loader):
    source: Literal["mbox"] = "mbox"
    path: Path = Field(description="the mailbox")
    strip_quotes: bool = Field(True, description="leave out quoted lines")


class BagSettings(Section):
    words: tuple[Annotated[int, Field(ge=1, le=10)], Annotated[int, Field(ge=1, le=10)]] = Field(
        (1, 2), description="shortest and longest run of words"
    )
    min_df: Annotated[int, Field(ge=1)] = Field(2, description="rarest word kept")


class HashSettings(Section):
    bits: int = Field(18, description="width")


def _parse(value: Any, info: ValidationInfo) -> Any:
    assert info.context is not None
    if isinstance(value, list):
        return tuple(_parse(one, info) for one in value)
    given = {"name": value} if isinstance(value, str) else dict(value)
    name = given.pop("name")
    return name, info.context["encoders"][name].settings.model_validate_json(_json(given))


def _json(value: Any) -> str:
    import json

    return json.dumps(value)


def _write(value: Any) -> Any:
    if isinstance(value[0], tuple):
        return [_write(one) for one in value]
    return {"name": value[0], **value[1].model_dump(mode="json")}


class Lengths(Section):
    shortest: int = Field(1, description="characters at least")
    longest: int = Field(99, description="characters at most")


class Features(FeatureSection):
    encoder: Annotated[Any, PlainValidator(_parse), PlainSerializer(_write)] = Field(
        description="what turns a message into a vector: {encoders}"
    )
    lengths: Lengths = Field(Lengths(), description="which words count")

    def build(self, kinds: Mapping[str, Kind]) -> Any:
        raise NotImplementedError


def make_encoder(name: str, settings: type[Section]) -> EncoderSpec:
    return EncoderSpec(
        name=name,
        summary="",
        kinds=("text",),
        learns="X",
        settings=settings,
        build=lambda settings: settings,
    )


ENCODERS = {
    "tfidf": make_encoder("tfidf", BagSettings),
    "hashing": make_encoder("hashing", HashSettings),
}


def _no_pairs(X: Any, Y: Any) -> Any:
    raise NotImplementedError


KERNELS = {
    name: Kernel(name=name, summary="", pairwise=_no_pairs) for name in ("linear", "rbf", "poly")
}
DEFAULTS = {"features": {"encoder": "tfidf"}, "evaluation": {"repeats": 2}}

MakeUseCase = Callable[..., UseCase]
Resolve = Callable[..., RunConfig]
Refused = Callable[..., list[str]]


@pytest.fixture
def encoders() -> Mapping[str, EncoderSpec]:
    return ENCODERS


@pytest.fixture
def kernels() -> Mapping[str, Kernel]:
    return KERNELS


@pytest.fixture
def make_use_case() -> MakeUseCase:
    loaders: dict[str, type[DatasetLoader]] = {"sms": Sms, "csv": Csv, "mbox": Mbox}

    def make(*sources: str, defaults: Mapping[str, Any] = DEFAULTS) -> UseCase:
        return UseCase(
            name="spam",
            summary="Which messages are spam?",
            task="classification",
            data=tuple(loaders[name] for name in sources or loaders),
            features=Features,
            primary_metric={"classification": "f1"},
            metrics=("f1",),
            fixture={},
            defaults=defaults,
        )

    return make


@pytest.fixture
def use_case(make_use_case: MakeUseCase) -> UseCase:
    return make_use_case()


@pytest.fixture
def resolved(use_case: UseCase) -> Resolve:
    def run(*documents: Document | Mapping[str, Any], case: UseCase = use_case) -> RunConfig:
        return resolve(case, documents, encoders=ENCODERS, kernels=KERNELS)

    return run


@pytest.fixture
def refused(resolved: Resolve) -> Refused:
    """Return the lines of the message; a text is taken for the file ``my.yaml``."""

    def run(*documents: Any, **options: Any) -> list[str]:
        layers = [
            Document.parse(one, "my.yaml") if isinstance(one, str) else one for one in documents
        ]
        with pytest.raises(ConfigError) as caught:
            resolved(*layers, **options)
        return str(caught.value).splitlines()

    return run
