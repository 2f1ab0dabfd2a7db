"""Report sections as JSON and back, so that a run can keep them."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any, TypeVar, get_args

from pydantic import TypeAdapter, ValidationError

from widemargin.contracts.blocks import Block, ReportSection
from widemargin.contracts.places import where_defined
from widemargin.contracts.text_blocks import Table
from widemargin.errors import PluginError

__all__ = ["dump_sections", "load_sections", "sections_of"]

T = TypeVar("T")

_BLOCKS: dict[str, type] = {kind.__name__: kind for kind in get_args(Block)}


def sections_of(build: Callable[[T], Iterable[ReportSection]], about: T) -> list[ReportSection]:
    """Ask a use case's own function for its sections.

    Raises
    ------
    PluginError
        Where it returns something else.
    """
    made: object = build(about)
    sections: list[Any] = list(made) if isinstance(made, Iterable) else [made]
    for section in sections:
        if not isinstance(section, ReportSection):
            what = "None" if section is None else f"a value of type {type(section).__name__}"
            raise PluginError(
                f"{getattr(build, '__name__', 'it')} returned {what}; it must return a list of "
                "widemargin.ReportSection.",
                where_defined(build),
            )
    return sections


def dump_sections(sections: Sequence[ReportSection]) -> bytes:
    """Write sections as JSON; each block says what it is.

    Raises
    ------
    TypeError
        Where a block holds what has no JSON.

    Examples
    --------
    >>> from widemargin.contracts import Text
    >>> load_sections(dump_sections([ReportSection(title="A", blocks=[Text(text="b")])]))
    [ReportSection(title='A', blocks=[Text(text='b')], intro='', advanced=False)]
    """
    told = [
        {
            **asdict(section),
            "blocks": [
                {"kind": type(block).__name__, "block": _plain(asdict(_told(block)))}
                for block in section.blocks
            ],
        }
        for section in sections
    ]
    return json.dumps(told, ensure_ascii=False, allow_nan=False).encode()


def load_sections(content: bytes) -> list[ReportSection]:
    """Read what `dump_sections` wrote.

    Raises
    ------
    ValueError
        Where it is something else.
    """
    try:
        return [
            ReportSection(
                title=str(one["title"]),
                intro=str(one["intro"]),
                advanced=bool(one["advanced"]),
                blocks=[
                    TypeAdapter(_BLOCKS[block["kind"]]).validate_python(block["block"])
                    for block in one["blocks"]
                ],
            )
            for one in json.loads(content, object_hook=_bytes)
        ]
    except (KeyError, TypeError, ValidationError) as error:
        raise ValueError(f"no report section: {error}") from error


def _plain(value: Any) -> Any:
    """Return what JSON has for a value: numbers that are none become words, bytes base64."""
    if isinstance(value, dict):
        return {str(key): _plain(own) for key, own in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(own) for own in value]
    if hasattr(value, "tolist"):  # NumPy's numbers and arrays count as Python's
        return _plain(value.tolist())
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _told(block: Block) -> Block:
    """Leave cells of a table empty whose number is none: a word would look like data."""
    if not isinstance(block, Table):
        return block
    rows = [
        [None if isinstance(cell, float) and not math.isfinite(cell) else cell for cell in row]
        for row in block.rows
    ]
    return replace(block, rows=rows)


def _bytes(value: dict[str, Any]) -> Any:
    return base64.b64decode(value["base64"]) if set(value) == {"base64"} else value
