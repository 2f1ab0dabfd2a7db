"""Problems: what the schema refuses, said in plain sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from widemargin.config.describe import Setting, fill
from widemargin.config.document import ConfigPath, path_words
from widemargin.config.schema import json_schema
from widemargin.config.words import allowed_keys, at, narrow, shown, takes_text, type_words
from widemargin.contracts import EncoderSpec, Kernel
from widemargin.errors import nearest

__all__ = ["Translator"]

# The value is of the right kind but not in the right range: what is said is about this kind only,
# as "a number above 0" where auto would be allowed as well.
_RANGE = {
    "finite_number",
    "greater_than",
    "greater_than_equal",
    "less_than",
    "less_than_equal",
    "multiple_of",
    "string_pattern_mismatch",
    "string_too_long",
    "string_too_short",
    "too_long",
    "too_short",
}
_TEXT = {"string_type", "path_type"}
_ENCODER = ("features", "encoder")
# These say what they mean themselves.
_SPOKEN = {"value_error", "assertion_error", "missing", "extra_forbidden"}


class Translator:
    """Says what pydantic found in the words of the config.

    Parameters
    ----------
    values : dict
        The config that was validated.
    schema : mapping
        Its JSON schema.
    settings : sequence of Setting
        Every setting there is, for suggestions.
    encoders : mapping
        Encoders by name, whose settings ``features.encoder`` holds.
    kernels : mapping
        Kernels by name.
    """

    def __init__(
        self,
        values: dict[str, Any],
        schema: Mapping[str, Any],
        settings: Sequence[Setting],
        encoders: Mapping[str, EncoderSpec],
        kernels: Mapping[str, Kernel],
    ) -> None:
        self.values, self.schema, self.settings = values, schema, settings
        self.encoders, self.kernels = encoders, kernels

    def translate(self, error: ValidationError) -> list[tuple[ConfigPath, str]]:
        """Return path and message of every problem, each once."""
        found: dict[ConfigPath, list[Any]] = {}
        for item in error.errors(include_url=False):
            found.setdefault(self._path(item), []).append(item)
        told = []
        for path, items in found.items():
            # Of a union's members, those that were not meant complain about the kind.
            deeper = any(other[: len(path)] == path and other != path for other in found)
            meant = [item for item in items if item["type"] in _RANGE | _SPOKEN]
            meant = [item for item in meant if not self._is_long_enough(path, item)]
            if meant or not deeper:
                told.append((path, self._message(path, (meant or items)[0])))
        return told

    def _is_long_enough(self, path: ConfigPath, item: Any) -> bool:
        """Say whether a list is called short whose values are wrong: pydantic counts valid ones."""
        value = self._value(path)
        is_short = item["type"] == "too_short" and isinstance(value, list)
        return bool(is_short and len(value) >= item["ctx"]["min_length"])

    def texts(self, error: ValidationError) -> list[ConfigPath]:
        """Return where text is needed and something else stands."""
        found = error.errors(include_url=False)
        return [self._path(item) for item in found if item["type"] in _TEXT]

    def _path(self, item: Any) -> ConfigPath:
        """Take out of pydantic's location what stands in no config, as the tags of unions."""
        value: Any = self.values
        around: Any = None
        path: ConfigPath = ()
        for part in item["loc"]:
            if path == _ENCODER and isinstance(value, list) and isinstance(part, str):
                # Of several encoders pydantic names the setting alone.
                mine = (i for i, one in enumerate(value) if isinstance(one, dict) and part in one)
                for index in mine:
                    path, around, value = (*path, index), value, value[index]
                    break
            inside = isinstance(value, dict) and isinstance(part, str) and part in value
            if inside or (isinstance(value, list) and isinstance(part, int) and part < len(value)):
                path, around, value = (*path, part), value, value[part]
        if item["type"] == "missing":
            # A list that is too short is wrong as a whole.
            last = item["loc"][-1]
            return path if isinstance(last, int) else (*path, last)
        # A tag may be spelt like a key of the value.
        return path[:-1] if around == item["input"] != value else path

    def _value(self, path: ConfigPath) -> Any:
        value: Any = self.values
        for part in path:
            if isinstance(part, str) and part not in value:
                return None
            value = value[part]
        return value

    def _schema(self, path: ConfigPath) -> tuple[ConfigPath, Mapping[str, Any]]:
        """Return the schema to look a path up in, and the path within it."""
        if path[:2] == _ENCODER:
            depth = 3 if len(path) > 2 and isinstance(path[2], int) else 2
            value = self._value(path[:depth])
            name = value.get("name") if isinstance(value, dict) else value
            if len(path) > depth and isinstance(name, str) and name in self.encoders:
                return path[depth:], json_schema(self.encoders[name].settings)
        return path, self.schema

    def _message(self, path: ConfigPath, item: Any) -> str:
        kind = item["type"]
        name, colon, value = str(path[-1] if path else "").partition(":")
        if name and colon and value and self._value(path) is None:
            # To YAML this is one name, of nothing.
            return f"has no blank after the colon. Write {name}: {value}"
        if kind == "extra_forbidden":
            return self._unknown(path)
        inner, root = self._schema(path)
        schema = at(inner, root)
        if kind == "missing" and not (item["loc"] and isinstance(item["loc"][-1], int)):
            help_line = fill((schema or {}).get("description", ""), self.encoders, self.kernels)
            told = f"is required: {help_line}." if help_line else "is required."
            return f"{told} Give it in the config, or as --set {path_words(path)}=..."
        context = item.get("ctx", {})
        if kind in _SPOKEN and "error" in context:
            return str(context["error"])
        value = self._value(path)
        if schema is not None and kind in _RANGE:
            schema = narrow(schema, value, root)
        words = type_words(schema, root) if schema is not None else "anything"
        if kind in ("too_short", "too_long") and "prefixItems" not in (schema or {}):
            least, most = context.get("min_length"), context.get("max_length")
            words = f"at least {least}" if kind == "too_short" else f"at most {most}"
            words = f"must hold {words} value{'' if (least or most) == 1 else 's'}"
        elif words == "anything":
            # Nothing is known of this type but what its own validation says.
            words = item["msg"][:1].lower() + item["msg"][1:]
        elif kind == "finite_number":
            words = "must be " + words.replace("number", "finite number", 1)
        else:
            words = "must be " + words
        quotes = ""
        if schema is not None and takes_text(schema, root) and not isinstance(value, dict | list):
            quotes = ", which is text only in quotes"
        return f"{words}; got {shown(value)}{'' if isinstance(value, str) else quotes}"

    def _unknown(self, path: ConfigPath) -> str:
        name, section = str(path[-1]), path_words(path[:-1])
        here = path_words(path)
        inner, root = self._schema(path)
        allowed = allowed_keys(inner[:-1], root)
        elsewhere = [one for one in self.settings if one.path.rpartition(".")[2] == name]
        owners = [one.of for one in elsewhere if one.path == here]
        if owners:
            noun = "source" if section == "data" else "encoder"
            chosen = self._value(path[:-1]).get("source" if noun == "source" else "name")
            told = f"unknown setting{f' for {noun} {chosen}' if chosen else ''}; "
            told += f"it belongs to {noun} {', '.join(dict.fromkeys(owners))}."
        else:
            near = ""
            if elsewhere:
                near = f" Did you mean {elsewhere[0].path!r}?"
            near = near or nearest(name, allowed)
            if not near and not section:
                leaves = {one.path.rpartition(".")[2]: one.path for one in self.settings}
                found = nearest(name, leaves)
                near = next(
                    (f" Did you mean {leaves[x]!r}?" for x in leaves if repr(x) in found), ""
                )
            told = f"unknown setting.{near}"
        return f"{told} Allowed are {', '.join(allowed)}." if allowed else told
