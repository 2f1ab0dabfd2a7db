"""Shapes: what the files that a report is made of must hold for its sections to read them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

__all__ = ["check_explanation", "check_map", "check_search", "check_training"]

_NUMBER: Any = (int, float)
_MAYBE: Any = (int, float, type(None))
_PIECE: dict[str, Any] = {"piece": str, "contribution": _NUMBER, "items?": _MAYBE}
_SEARCH: dict[str, Any] = {
    "scoring?": str,
    "cells?": [
        {"C": _NUMBER, "gamma?": _MAYBE, "mean?": _MAYBE, "std?": _MAYBE, "converged?": bool}
    ],
    "chosen?": (int, type(None)),
    "outer?": [
        {"repeat?": int, "fold?": int, "C?": _MAYBE, "gamma?": _MAYBE, "score?": _MAYBE},
    ],
}
_EXPLANATION: dict[str, Any] = {
    "blocks?": [{"block": str, "weight": _NUMBER, "share": _NUMBER}],
    "pieces?": [_PIECE],
    "block_pieces?": [{"block": str, "pieces": [_PIECE]}],
    "note?": str,
    "mistakes?": [
        {"id?": str, "text?": str, "shares?": [_PIECE], "probability?": _MAYBE, "decision?": _MAYBE}
    ],
    "support_vectors?": {
        "count?": _NUMBER,
        "at_bound?": _MAYBE,
        "examples?": [{"id?": str, "text?": str, "weight?": _MAYBE}],
    },
}
_PLACES: dict[str, Any] = {"x": [_NUMBER], "y": [_NUMBER]}
_MAP: dict[str, Any] = {
    "n_items": int,
    "learns?": str,
    "id": [str],
    "text": [str],
    "pca": {**_PLACES, "shares": [_NUMBER]},
}
_TRAINING: dict[str, Any] = {
    "networks": [
        {
            "block": str,
            "epochs": [{"train": _NUMBER, "held_out?": _MAYBE}],
            "best": int,
            "device": str,
            "batch_size": int,
            "stopped?": str,
            "notes?": [str],
        }
    ]
}


def check_training(content: Mapping[str, Any]) -> None:
    """Refuse what is no ``training.json``.

    Raises
    ------
    ValueError
        Naming the place.
    """
    _check(content, _TRAINING, "")


def check_search(content: Mapping[str, Any]) -> None:
    """Refuse what is no ``search.json``; what is absent is only left out of the report.

    Raises
    ------
    ValueError
        Naming the place.

    Examples
    --------
    >>> check_search({"cells": [{"C": 1.0}], "chosen": 0})
    >>> check_search({"cells": [{"C": "one"}]})
    Traceback (most recent call last):
    ValueError: cells[0].C is 'one'
    """
    _check(content, _SEARCH, "")
    chosen, n_cells = content.get("chosen"), len(content.get("cells", ()))
    if chosen is not None and not 0 <= chosen < n_cells:
        raise ValueError(f"chosen is {chosen}, and there are {n_cells} cells")


def check_explanation(content: Mapping[str, Any], *, of_numbers: bool) -> None:
    """Refuse what is no ``explanation.json``.

    Parameters
    ----------
    content : mapping
        What the file holds.
    of_numbers : bool
        Whether it is of a regression, whose mistakes are told in numbers.

    Raises
    ------
    ValueError
        Naming the place.
    """
    _check(content, _EXPLANATION, "")
    told = dict.fromkeys(("true", "predicted"), _NUMBER if of_numbers else str)
    _check(content, {"mistakes?": [told]}, "")


def check_map(content: Mapping[str, Any], *, of_numbers: bool) -> None:
    """Refuse what is no ``embedding_map.json``; an empty one stands for a run without.

    Raises
    ------
    ValueError
        Naming the place.

    Examples
    --------
    >>> check_map({}, of_numbers=False)
    >>> check_map({"n_items": "many"}, of_numbers=False)
    Traceback (most recent call last):
    ValueError: n_items is 'many'
    """
    if not content:
        return
    _check(content, _MAP, "")
    one = _NUMBER if of_numbers else str
    _check(content, {"label": [one], "predicted": [one]}, "")
    layouts = {"pca": content["pca"]}
    if content.get("tsne") is not None:
        layouts["tsne"] = content["tsne"]
        _check(content, {"tsne": {**_PLACES, "perplexity": _NUMBER}}, "")
    listed = {name: content[name] for name in ("label", "predicted", "text")}
    listed |= {f"{name}.{side}": of[side] for name, of in layouts.items() for side in "xy"}
    n = len(content["id"])
    for name, values in listed.items():
        if len(values) != n:
            raise ValueError(f"{name} has {len(values)} entries, and id has {n}")
    if n == 0:
        raise ValueError("id is []")
    if len(content["pca"]["shares"]) != 2:
        raise ValueError("pca.shares is not of two axes")
    pictures = content.get("pictures") or {}
    _check({"pictures": pictures}, {"pictures": {}}, "")
    for key, picture in pictures.items():
        _check(picture, str, f"pictures.{key}")
        try:
            base64.b64decode(picture, validate=True)
        except ValueError:
            raise ValueError(f"pictures.{key} is no base64") from None


def _check(content: Any, shape: Any, where: str) -> None:
    """Compare with a mapping of keys (``?`` ends what may be absent), a list, or types."""
    if isinstance(shape, dict):
        if not isinstance(content, dict):
            raise ValueError(f"{where} is {_shown(content)}")
        for key, wanted in shape.items():
            name = key.removesuffix("?")
            place = f"{where}.{name}" if where else name
            if name in content:
                _check(content[name], wanted, place)
            elif name == key:
                raise ValueError(f"{place} is absent")
    elif isinstance(shape, list):
        if not isinstance(content, list):
            raise ValueError(f"{where} is {_shown(content)}")
        for at, one in enumerate(content):
            _check(one, shape[0], f"{where}[{at}]")
    # To Python true and false are whole numbers too.
    elif not isinstance(content, shape) or (isinstance(content, bool) and shape is not bool):
        raise ValueError(f"{where} is {_shown(content)}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."
