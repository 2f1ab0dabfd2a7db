"""What is asked for: targets, axes and settings, from the command line or a comparison's file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, ValidationError, model_validator

from widemargin.comparison.axes import AXES, Values, check_shared, part, typed_values
from widemargin.comparison.targets import (
    Target,
    find_target,
    find_targets,
    is_file,
    with_names,
)
from widemargin.config import Document, read
from widemargin.config.document import ConfigPath, path_words
from widemargin.config.problems import Translator
from widemargin.config.schema import json_schema
from widemargin.contracts import Section
from widemargin.errors import ConfigError, InputError, Problem

if TYPE_CHECKING:
    from widemargin.registry import Registry
    from widemargin.runs.store import RunStore

__all__ = ["Asked", "ComparisonFile", "ask"]

_WANTED = "a use case's name, the path of a config file, or a run's id"


class ComparedRun(Section):
    """One of the runs of a comparison, with more than its name."""

    target: str = Field("", description=_WANTED)
    name: str = Field("", alias="as", description="what tables call it")
    settings: dict[str, Any] = Field({}, description="settings of this run alone, as in a config")

    @model_validator(mode="after")
    def _check_target(self) -> ComparedRun:
        if not self.target:
            raise ValueError(f"needs a target, {_WANTED}, as in {{target: spam, as: usual}}")
        return self


class ComparisonFile(Section):
    """What a comparison's file may say."""

    title: str = Field("", description="what the page and the table are headed")
    runs: Annotated[tuple[str | ComparedRun, ...], Field(min_length=1)] = Field(
        description="what is compared, in this order"
    )
    encoders: tuple[str | dict[str, Any] | list[Any], ...] | None = Field(
        None, description="as --encoders"
    )
    kernels: tuple[str, ...] | None = Field(None, description="as --kernels")
    settings: dict[str, Any] = Field({}, description="settings of all runs, as in a config")
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] | None = Field(
        None, description="start of every random choice, in all runs"
    )


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a comparison is of.

    Parameters
    ----------
    targets : tuple of Target
        What is compared, in the order given.
    axes : mapping of str to Values
        What each target is varied in, by the axis' name, in the order of `AXES`.
    overrides : Document
        Settings of all cells, above all others.
    file : str
        The comparison's file; empty where there is none.
    title : str
        What it is headed; empty where nothing was said.
    """

    targets: tuple[Target, ...]
    axes: Mapping[str, Values]
    overrides: Document
    file: str = ""
    title: str = ""

    @property
    def shared(self) -> list[Document]:
        """The settings that stand in the comparison's file, not in a config that it names."""
        return [
            layer
            for target in self.targets
            for layer in target.layers[1 if target.kind == "config" else 0 :]
        ]


def ask(
    words: Sequence[str],
    axes: Mapping[str, str],
    overrides: Document,
    store: RunStore,
    registry: Registry,
) -> Asked:
    """Read what was asked for.

    Parameters
    ----------
    words : sequence of str
        Use cases, config files and runs; or one comparison's file.
    axes : mapping of str to str
        Values by axis as they were typed, which count more than those of the file: what would
        stand in a list in a config, as in ``{"encoder": "tfidf,{name: glove, vectors: corpus}"}``.
        Beside an encoder's settings ``train`` says what ``features.train`` does, as in
        ``"minilm,{name: minilm, train: {}}"``.
    overrides : Document
        Settings of all runs, above all others.
    store : RunStore
        Where runs are looked for.
    registry : Registry
        What is installed.

    Raises
    ------
    InputError
        Where something cannot be found, or is named twice.
    ConfigError
        Where a file is not as it must be, or settings are given twice.
    """
    typed = {name: typed_values(AXES[name], text) for name, text in axes.items()}
    documents = {word: read(Path(word)) for word in dict.fromkeys(words) if is_file(word)}
    files = [word for word, document in documents.items() if "runs" in document.values]
    if files and len(words) > 1:
        raise InputError(
            f"{files[0]} lists the runs of a comparison; name it alone, or put the others into it."
        )
    if files:
        asked = _from_file(documents[files[0]], store, registry)
        asked = replace(asked, axes=_ordered({**asked.axes, **typed}), overrides=overrides)
    else:
        targets = find_targets(words, store, registry, documents)
        asked = Asked(targets=with_names(targets), axes=_ordered(typed), overrides=overrides)
    varied = [values.axis for values in asked.axes.values()]
    for document in (*asked.shared, overrides):
        check_shared(varied, document)
    return asked


def _ordered(axes: Mapping[str, Values]) -> dict[str, Values]:
    return {name: axes[name] for name in AXES if name in axes}


def _from_file(document: Document, store: RunStore, registry: Registry) -> Asked:
    content = _validated(document, registry)
    shared = [_settings(document, ("settings",))] if content.settings else []
    if content.seed is not None:
        seed_line = document.line_of(("seed",))
        lines: dict[ConfigPath, int] = {("seed",): seed_line} if seed_line else {}
        shared.append(Document({"seed": content.seed}, document.name, lines))
    targets: list[Target] = []
    problems: dict[Problem, None] = {}
    for place, one in enumerate(content.runs):
        try:
            found = find_target(one if isinstance(one, str) else one.target, store, registry)
            own = () if isinstance(one, str) else _own_settings(document, place, one, found)
        except ConfigError as error:  # it names its own file
            problems |= dict.fromkeys(error.problems)
        except InputError as error:
            problems[_problem(document, ("runs", place), str(error))] = None
        else:
            if not isinstance(one, str) and one.name:
                found = replace(found, name=one.name, is_named=True)
            targets.append(replace(found, layers=(*found.layers, *shared, *own)))
    if problems:
        raise ConfigError([*problems])
    axes = {
        axis.name: Values(axis=axis, source=document, root=(axis.key,), file=document.name)
        for axis in AXES.values()
        if document.values.get(axis.key) is not None
    }
    return Asked(
        targets=with_names(targets, document.name),
        axes=axes,
        overrides=Document({}),
        file=document.name,
        title=content.title,
    )


def _validated(document: Document, registry: Registry) -> ComparisonFile:
    try:
        content = ComparisonFile.model_validate_json(json.dumps(document.values))
    except ValidationError as error:
        translator = Translator(
            document.values, json_schema(ComparisonFile), [], registry.encoders, registry.kernels
        )
        problems = [_problem(document, *told) for told in translator.translate(error)]
        # Of a value that YAML does not give, nothing else is to be said.
        told = {problem.path for problem in document.problems}
        problems = [problem for problem in problems if problem.path not in told]
        raise ConfigError([*document.problems, *problems]) from None
    if document.problems:
        raise ConfigError(document.problems)
    if content.seed is not None and "seed" in content.settings:
        message = "is given twice, as seed and in settings; keep one"
        raise ConfigError([_problem(document, ("settings", "seed"), message)])
    return content


def _own_settings(
    document: Document, place: int, one: ComparedRun, found: Target
) -> tuple[Document, ...]:
    """Take a run's own settings; nothing where it has none."""
    path = ("runs", place, "settings")
    if one.settings and found.run:
        message = "this run exists, and its settings stay as they are"
        raise ConfigError(
            [_problem(document, path, f"{message}; leave them out, or name a config")]
        )
    return (_settings(document, path),) if one.settings else ()


def _problem(document: Document, path: ConfigPath, message: str) -> Problem:
    return Problem(message, path_words(path), document.name, document.line_of(path))


def _settings(document: Document, root: ConfigPath) -> Document:
    """Take settings out as a document of their own."""
    value: Any = document.values
    for key in root:
        value = value[key]
    return part(document, root, value)
