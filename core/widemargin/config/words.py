"""Words about settings: what a JSON schema allows, in plain English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from widemargin.config.document import ConfigPath
from widemargin.config.scalars import inline

__all__ = [
    "allowed_keys",
    "allowed_words",
    "at",
    "narrow",
    "properties",
    "shown",
    "takes_text",
    "type_words",
]

Schema = Mapping[str, Any]

_LONGEST = 60


def shown(value: Any) -> str:
    """Write a value that a user gave: text in quotes, the rest as in YAML.

    Examples
    --------
    >>> shown("abc"), shown(True), shown([1, "x"])
    ("'abc'", 'true', '[1, x]')
    """
    text = repr(value) if isinstance(value, str) else inline(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def resolved(schema: Schema, root: Schema) -> Schema:
    """Follow references until there is none."""
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    return schema


def _choices(schema: Schema, root: Schema) -> list[Schema]:
    """List the ways in which a value may fit, unions taken apart."""
    schema = resolved(schema, root)
    parts = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    return [way for part in parts for way in _choices(part, root)] if parts else [schema]


def at(path: ConfigPath, root: Schema) -> Schema | None:
    """Return the schema of the value at a path; None where the schema knows no such place."""
    schema = root
    for part in path:
        for way in _choices(schema, root):
            below = _below(way, part)
            if below is not None:
                schema = below
                break
        else:
            return None
    return resolved(schema, root)


def _below(schema: Schema, part: str | int) -> Schema | None:
    if isinstance(part, int):
        several = schema.get("prefixItems", ())
        return several[part] if part < len(several) else _mapping(schema.get("items"))
    return _mapping(schema.get("properties", {}).get(part, schema.get("additionalProperties")))


def _mapping(schema: Any) -> Schema | None:
    return schema if isinstance(schema, Mapping) else None


def properties(schema: Schema | None, root: Schema) -> dict[str, Schema]:
    """Return the schemas of a section's settings by name; nothing where it is no section."""
    found: dict[str, Schema] = {}
    for way in _choices(schema, root) if schema is not None else ():
        found |= way.get("properties", {})
    return found


def allowed_keys(path: ConfigPath, root: Schema) -> list[str]:
    """Name the settings of the section at a path."""
    return list(properties(at(path, root), root))


def allowed_words(schema: Schema, root: Schema) -> list[str]:
    """List the words that a setting takes, as none and balanced."""
    words: list[str] = []
    for way in _choices(schema, root):
        values = way.get("enum", [way["const"]] if "const" in way else [])
        words += [inline(value) for value in values]
    return words


def narrow(schema: Schema, value: Any, root: Schema) -> Schema:
    """Return the part of a union that a value of this kind is meant for."""
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}
    kind = kinds.get(type(value), "object")
    fitting = [
        way
        for way in _choices(schema, root)
        if way.get("type") in ((kind, "number") if kind == "integer" else (kind,))
    ]
    return fitting[0] if len(fitting) == 1 else schema


def takes_text(schema: Schema, root: Schema) -> bool:
    """Say whether any text fits, as a column's name."""
    ways = _choices(schema, root)
    return any(way.get("type") == "string" and not allowed_words(way, root) for way in ways)


def type_words(schema: Schema, root: Schema) -> str:
    """Say what a schema allows.

    Examples
    --------
    >>> whole = {"type": "integer", "minimum": 2}
    >>> type_words(whole, {})
    'a whole number of at least 2'
    >>> type_words({"anyOf": [{"const": "auto"}, whole, {"type": "array", "items": whole}]}, {})
    'auto, a whole number of at least 2, or a list of them'
    """
    ways = _choices(schema, root)
    words = allowed_words(schema, root)
    others = [way for way in ways if "enum" not in way and "const" not in way]
    if not others and len(words) > 1:
        return "one of " + ", ".join(words)
    for way in others:
        before = [other for other in others if other is not way]
        if way.get("items") and way["items"] in before and "prefixItems" not in way:
            words.append("a list of them")
        else:
            words.append(_noun(way, root, plural=False))
    return _or(list(dict.fromkeys(words)))


def _or(words: list[str]) -> str:
    if len(words) == 2 and words[1] == "null":
        return words[0] + ", or null"
    if len(words) < 3:
        return " or ".join(words) or "anything"
    return ", ".join(words[:-1]) + ", or " + words[-1]


def _plural(schema: Schema, root: Schema) -> str:
    ways = _choices(schema, root)
    if len(ways) == 1 and "enum" not in ways[0] and "const" not in ways[0]:
        return _noun(ways[0], root, plural=True)
    return f"values, each {type_words(schema, root)}"


def _noun(schema: Schema, root: Schema, *, plural: bool) -> str:
    kind = schema.get("type")
    if kind in ("integer", "number"):
        noun = "whole number" if kind == "integer" else "number"
        return (noun + "s" if plural else "a " + noun) + _bounds(schema)
    if kind == "string":
        if "path" in schema.get("format", ""):
            return "paths" if plural else "a path"
        return ("texts" if plural else "text") + _length(schema, "character")
    if kind == "boolean":
        return "true or false"
    if kind == "null":
        return "null"
    if kind == "array":
        return ("lists of " if plural else "a list of ") + _items(schema, root)
    if kind == "object":
        if "properties" in schema:
            return (
                ("sections" if plural else "a section") + " with " + ", ".join(schema["properties"])
            )
        below = _mapping(schema.get("additionalProperties"))
        noun = "mappings of names" if plural else "a mapping of names"
        return f"{noun} to {_plural(below, root) if below else 'values'}"
    return "anything"


def _items(schema: Schema, root: Schema) -> str:
    several = schema.get("prefixItems")
    if several:
        if all(item == several[0] for item in several):
            return f"{len(several)} {_plural(several[0], root)}"
        return ", ".join(type_words(item, root) for item in several)
    items = _mapping(schema.get("items"))
    return (_plural(items, root) if items else "values") + _length(schema, "value")


def _length(schema: Schema, noun: str) -> str:
    suffix = "Items" if noun == "value" else "Length"
    least, most = schema.get("min" + suffix), schema.get("max" + suffix)
    bounds = []
    if least is not None and not (noun == "value" and least == 1):
        bounds.append(f"at least {least}")
    if most is not None:
        bounds.append(f"at most {most}")
    if not bounds:
        return ""
    number = most if most is not None else least
    return f" of {' and '.join(bounds)} {noun}{'' if number == 1 else 's'}"


def _bounds(schema: Schema) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if least is not None and most is not None:
        return f" from {inline(least)} to {inline(most)}"
    bounds = [
        f"{word} {inline(bound)}"
        for word, bound in (
            ("above", above),
            ("of at least", least),
            ("below", below),
            ("of at most" if above is None else "at most", most),
        )
        if bound is not None
    ]
    return "".join(" " + " and ".join(bounds)) if bounds else ""
