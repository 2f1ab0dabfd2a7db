"""Encoders as a config names them: a name, a mapping of it and settings, or a list of those."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, ValidationError, ValidationInfo
from pydantic_core import InitErrorDetails, PydanticCustomError

from widemargin.contracts import EncoderSpec, Section
from widemargin.errors import nearest

__all__ = ["EncoderChoice", "Encoders"]

# Names begin the names of arrays in a saved model, up to a slash.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


@dataclass(frozen=True)
class EncoderChoice:
    """An encoder with its settings, as a config names it.

    Parameters
    ----------
    spec : EncoderSpec
        The encoder.
    settings : Section
        Its settings, of the type ``spec.settings``.
    block : str, optional
        What its features are called; by default the encoder's name.
    known : mapping of str to EncoderSpec, optional
        The encoders that it was chosen from.
    """

    spec: EncoderSpec
    settings: Section
    block: str = ""
    known: Mapping[str, EncoderSpec] = field(default_factory=dict, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The name of the block that it makes."""
        return self.block or self.spec.name

    def to_data(self) -> dict[str, Any]:
        """Return ``{"name": ..., setting: value}``, with ``as`` where the block is named."""
        named = {"as": self.block} if self.block else {}
        return {"name": self.spec.name, **named, **self.settings.model_dump(mode="json")}


def _parse_choices(value: Any, info: ValidationInfo) -> tuple[EncoderChoice, ...]:
    known: Mapping[str, EncoderSpec] = (info.context or {}).get("encoders", {})
    if isinstance(value, tuple) and all(isinstance(item, EncoderChoice) for item in value):
        return value
    given = value if isinstance(value, list) else [value]
    if not given:
        raise ValueError("must name at least one encoder")
    choices, problems = [], []
    for at, item in enumerate(given):
        place: tuple[int, ...] = (at,) if isinstance(value, list) else ()
        try:
            choices.append(_parse_choice(item, known))
        except ValidationError as error:
            problems += [
                InitErrorDetails(
                    type=PydanticCustomError(
                        "value_error", "{said}", {"said": own["msg"].removeprefix("Value error, ")}
                    )
                    if own["type"] == "value_error"
                    else own["type"],
                    loc=(*place, *own["loc"]),
                    input=own["input"],
                    ctx=own.get("ctx", {}),
                )
                for own in error.errors()
            ]
        except ValueError as error:
            told = PydanticCustomError("value_error", "{error}", {"error": str(error)})
            problems.append(InitErrorDetails(type=told, loc=place, input=item))
    if problems:
        # pydantic puts these, with their places, among the errors of the whole config.
        raise ValidationError.from_exception_data("encoder", problems)
    names = [choice.name for choice in choices]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(
                f"names {name!r} twice; give each a name of its own, as in "
                f"{{name: {name}, as: {name}2}}"
            )
    return tuple(choices)


def _parse_choice(value: Any, known: Mapping[str, EncoderSpec]) -> EncoderChoice:
    if isinstance(value, str):
        value = {"name": value}
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise ValueError(
            "must be an encoder's name, a mapping with a name and settings, or a list of those"
        )
    settings = {key: part for key, part in value.items() if key not in ("name", "as")}
    name, block = value["name"], value.get("as", "")
    if name not in known:
        allowed = ", ".join(sorted(known))
        raise ValueError(f"{name!r} is no encoder; allowed are {allowed}.{nearest(name, known)}")
    if not isinstance(block, str) or ("as" in value and not _NAME.fullmatch(block)):
        raise ValueError(
            f"{block!r} is no name of a block; take letters, digits, hyphens and underscores, "
            "a letter first"
        )
    spec = known[name]
    return EncoderChoice(
        spec, spec.settings.model_validate_json(json.dumps(settings)), block, known
    )


def _write_choices(choices: tuple[EncoderChoice, ...]) -> Any:
    written = [choice.to_data() for choice in choices]
    return written[0] if len(written) == 1 else written


Encoders = Annotated[
    tuple[EncoderChoice, ...], PlainValidator(_parse_choices), PlainSerializer(_write_choices)
]
"""The type of a setting that chooses encoders: a name, a mapping, or a list of those."""
