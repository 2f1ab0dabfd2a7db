"""Kept: what a run's files show of single items, in words or as small pictures."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

__all__ = ["kept_pictures", "kept_texts", "longest", "read_json"]


def kept_texts(folder: Path) -> dict[str, str]:
    """Read the items that a run's files show in their own words, by id; the longest of each.

    What is only called by its id, as recordings are, has no words; nor have items of which all the
    same is told, as pictures of one size.
    """
    found: dict[str, str] = {}
    for name, text in _told(folder):
        if text != name and len(text) > len(found.get(name, "")):
            found[name] = text
    return found if len(found) == 1 or len(set(found.values())) > 1 else {}


def longest(texts: Mapping[str, str], others: Mapping[str, str]) -> dict[str, str]:
    """Take of each item the longer of two texts, of which one may be cut short."""
    return {
        name: max(texts.get(name, ""), others.get(name, ""), key=len)
        for name in {**texts, **others}
    }


def kept_pictures(folder: Path) -> dict[str, bytes]:
    """Read the items that a run's map shows as pictures, by id."""
    items_map = read_json(folder / "embedding_map.json")
    pictures = items_map.get("pictures")
    found: dict[str, bytes] = {}
    for k, name in enumerate(_list(items_map.get("id"))):
        picture = pictures.get(str(k)) if isinstance(pictures, dict) else None
        try:
            found |= {str(name): base64.b64decode(picture, validate=True)} if picture else {}
        except (binascii.Error, TypeError, ValueError):
            continue
    return found


def _told(folder: Path) -> Iterator[tuple[str, str]]:
    explained, described, items_map = (
        read_json(folder / f"{name}.json") for name in ("explanation", "dataset", "embedding_map")
    )
    support = explained.get("support_vectors")
    examples = support.get("examples") if isinstance(support, dict) else None
    for one in (*_list(explained.get("mistakes")), *_list(examples)):
        if isinstance(one, dict):
            yield str(one.get("id", "")), str(one.get("text") or "")
    for one in _list(described.get("preview")):
        if isinstance(one, dict):
            yield str(one.get("id", "")), str(one.get("text") or "")
    # Where one is torn, the shorter ends it.
    for name, text in zip(_list(items_map.get("id")), _list(items_map.get("text")), strict=False):
        yield str(name), str(text)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object of a run; an empty one where it is absent or torn."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
