"""Every setting of a use case, with its type, its default and one line of help."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from widemargin.config.scalars import inline
from widemargin.config.schema import (
    RunConfig,
    choose_loader,
    json_schema,
)
from widemargin.config.words import allowed_words, type_words
from widemargin.contracts import EncoderSpec, EvaluationSettings, Kernel, SVMSettings, UseCase
from widemargin.contracts.loader import sources

__all__ = ["Setting", "describe"]


# Every loader has this setting; few say more about it.
_HELP = {"data.source": "where the data comes from"}


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting of a use case.

    Parameters
    ----------
    path : str
        As in ``svm.C``.
    of : str
        The source (for ``data``) or the encoder (for ``features.encoder``) that it belongs to;
        empty where it does not depend on a choice.
    type : str
        What it takes, in words.
    value : plain value
        Its default; None where it is required.
    required : bool
        Whether it has no default.
    help : str
        One line.
    allowed : tuple of str
        The words that it takes, where it takes words of a list.
    """

    path: str
    of: str = ""
    type: str
    value: Any
    required: bool = False
    help: str
    allowed: tuple[str, ...] = ()

    @property
    def default(self) -> str:
        """The default in words."""
        return "required" if self.required else inline(self.value)

    @property
    def takes(self) -> str:
        """The type, and the words that are allowed unless type or help say them."""
        allowed = ", ".join(self.allowed)
        said = allowed in self.type or allowed in self.help
        return self.type if said else f"{self.type}: {allowed}"

    @property
    def section(self) -> str:
        """The section that it stands in; empty for ``use_case`` and ``seed``."""
        return self.path.rpartition(".")[0]


def describe(
    use_case: UseCase,
    encoders: Mapping[str, EncoderSpec],
    kernels: Mapping[str, Kernel],
) -> list[Setting]:
    """List every setting of a use case with the use case's own defaults.

    Parameters
    ----------
    use_case : UseCase
        Its loaders each contribute their settings.
    encoders, kernels : mapping
        What is installed, by name.

    Returns
    -------
    list of Setting
        In the order of a config; the usual loader's settings before those of the others.
    """
    defaults = use_case.defaults
    usual = defaults.get("data", {})
    first = choose_loader(use_case, {}, usual)
    found: list[Setting] = []
    for setting in _settings(RunConfig, "", {"use_case": use_case.name, **defaults}):
        if setting.path == "data":
            for loader in sorted(use_case.data, key=lambda other: other is not first):
                own = (
                    usual
                    if usual.get("source", "") in sources(loader)
                    else {key: value for key, value in usual.items() if key != "source"}
                )
                found += _settings(loader, "data", own, of=sources(loader)[0])
        elif setting.path == "features":
            for one in _settings(use_case.features, "features", defaults.get("features", {})):
                if one.path == "features.encoder" and not one.allowed:
                    found += _encoder(one, encoders)
                else:
                    found.append(one)
        elif setting.path in ("svm", "evaluation"):
            section = SVMSettings if setting.path == "svm" else EvaluationSettings
            found += _settings(section, setting.path, defaults.get(setting.path, {}))
        else:
            found.append(setting)
    return [
        replace(
            setting,
            help=fill(setting.help, encoders, kernels),
            allowed=tuple(sorted(kernels)) if setting.path == "svm.kernel" else setting.allowed,
        )
        for setting in found
    ]


def _settings(
    section: type[BaseModel], path: str, defaults: Mapping[str, Any], of: str = ""
) -> Iterator[Setting]:
    schema = json_schema(section)
    for name, field in section.model_fields.items():
        key = field.alias or name
        here = f"{path}.{key}".removeprefix(".")
        nested = field.annotation
        if path and isinstance(nested, type) and issubclass(nested, BaseModel):
            own = {} if field.is_required() else _default(field)
            yield from _settings(nested, here, {**(own or {}), **defaults.get(key, {})}, of)
            continue
        place = schema["properties"].get(key, {})
        known = key in defaults or not field.is_required()
        yield Setting(
            path=here,
            of=of,
            type=type_words(place, schema),
            value=defaults[key] if key in defaults else _default(field) if known else None,
            required=not known,
            help=" ".join((field.description or _HELP.get(here, "")).split()),
            allowed=tuple(allowed_words(place, schema)),
        )


def _default(field: FieldInfo) -> Any:
    value = field.get_default(call_default_factory=True, validated_data={})
    return to_jsonable_python(value, inf_nan_mode="constants")


def _encoder(setting: Setting, encoders: Mapping[str, EncoderSpec]) -> Iterator[Setting]:
    yield Setting(
        path=setting.path,
        type="an encoder's name, a mapping of name and settings, or a list of these",
        value=setting.value,
        required=setting.required,
        help=setting.help,
        allowed=tuple(sorted(encoders)),
    )
    for name, spec in sorted(encoders.items()):
        yield from _settings(spec.settings, setting.path, {}, of=name)


def fill(text: str, encoders: Mapping[str, EncoderSpec], kernels: Mapping[str, Kernel]) -> str:
    """Put the names that are installed in place of ``{encoders}`` and ``{kernels}``."""
    for name, installed in (("encoders", encoders), ("kernels", kernels)):
        text = text.replace(f"{{{name}}}", ", ".join(sorted(installed)))
    return text
