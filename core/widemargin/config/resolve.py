"""Resolving: defaults, file and overrides become one typed config, or all that is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from widemargin.config.describe import describe
from widemargin.config.document import ConfigPath, Document, path_words
from widemargin.config.layers import Layers
from widemargin.config.problems import Translator
from widemargin.config.schema import (
    RunConfig,
    choose_loader,
    config_model,
    json_schema,
    source_names,
)
from widemargin.config.words import shown
from widemargin.contracts import DatasetLoader, EncoderSpec, Kernel, UseCase
from widemargin.contracts.loader import sources
from widemargin.errors import ConfigError, Problem, nearest

__all__ = ["resolve"]


def resolve(
    use_case: UseCase,
    documents: Iterable[Document | Mapping[str, Any]] = (),
    *,
    encoders: Mapping[str, EncoderSpec],
    kernels: Mapping[str, Kernel],
) -> RunConfig:
    """Lay documents over a use case's defaults and check the whole.

    Parameters
    ----------
    use_case : UseCase
        Its defaults are the lowest layer.
    documents : iterable of Document or mapping
        From the lowest to the highest: a file, then overrides. A mapping is values from Python.
    encoders, kernels : mapping
        What is installed, by name.

    Returns
    -------
    RunConfig
        Each setting with its value; settings of encoders included.

    Raises
    ------
    ConfigError
        Where anything is wrong; it names every problem of all documents, each once.
    """
    lowest = Document(dict(use_case.defaults), f"defaults of {use_case.name}")
    upper = [one if isinstance(one, Document) else Document(dict(one)) for one in documents]
    layers = Layers([lowest, *upper])
    values = layers.values
    problems = [problem for document in upper for problem in document.problems]
    problems += layers.problems
    problems += _check_use_case(use_case, layers)
    loader, unknown_source = _settle_data(use_case, layers, lowest)
    problems += unknown_source
    values["use_case"] = use_case.name

    model = config_model(use_case, loader)

    def validated() -> RunConfig:
        return model.model_validate_json(
            json.dumps(values), context={"encoders": encoders, "kernels": kernels}
        )

    def translator() -> Translator:
        settings = describe(use_case, encoders, kernels)
        return Translator(values, json_schema(model), settings, encoders, kernels)

    try:
        try:
            config = validated()
        except ValidationError as error:
            if not _as_written(layers, translator().texts(error)):
                raise
            config = validated()
    except ValidationError as error:
        told = {problem.path for problem in problems}
        for path, message in translator().translate(error):
            # What was refused above is absent here; that it is absent is no second problem.
            follows = path_words(path) in told and layers.value(path) is None
            if not follows and not (unknown_source and path[0] == "data"):
                problems.append(layers.problem(message, path))
    else:
        if not problems:
            return config
    raise ConfigError(_in_order(problems, upper))


def _as_written(layers: Layers, paths: Iterable[ConfigPath]) -> bool:
    """Take numbers at these paths for the text that they were written as; say if there are any."""
    known = {path: text for path in paths if (text := layers.written(path)) is not None}
    for path, text in known.items():
        layers.put(path, text)
    return bool(known)


def _check_use_case(use_case: UseCase, layers: Layers) -> list[Problem]:
    name = layers.values.get("use_case", use_case.name)
    if name == use_case.name:
        return []
    message = f"must be {use_case.name}, the use case that is to run; got {shown(name)}"
    return [layers.problem(message, ("use_case",))]


def _settle_data(
    use_case: UseCase, layers: Layers, lowest: Document
) -> tuple[type[DatasetLoader], list[Problem]]:
    """Choose the loader; take out the defaults that are none of its settings."""
    data: dict[str, Any] = layers.values["data"]
    usual = {key for key in data if layers.origin(("data", key)) is lowest}
    given = {key: value for key, value in data.items() if key not in usual}
    loader = choose_loader(use_case, given, {key: data[key] for key in usual})
    if "source" in usual and data["source"] not in sources(loader):
        del data["source"]
    known = json_schema(loader)["properties"]
    for key in usual & data.keys():
        if key not in known:
            del data[key]
    source = given.get("source")
    names = source_names(use_case.data)
    if "source" not in given or source in names:
        return loader, []
    near = nearest(source, names) if isinstance(source, str) else ""
    message = f"must be one of {', '.join(names)}; got {shown(source)}{near and '.' + near}"
    return loader, [layers.problem(message, ("data", "source"))]


def _in_order(problems: list[Problem], documents: list[Document]) -> list[Problem]:
    """Sort by document and line; each problem once."""
    names = [document.name for document in documents]

    def place_of(problem: Problem) -> tuple[int, int]:
        layer = names.index(problem.file) if problem.file in names else len(names)
        return layer, problem.line or 0

    return sorted(dict.fromkeys(problems), key=place_of)
