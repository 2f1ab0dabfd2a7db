"""Layers: a use case's defaults, a file and overrides laid over each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any

from widemargin.config.document import ConfigPath, Document, path_words
from widemargin.config.scalars import parse_scalar
from widemargin.config.schema import SECTIONS
from widemargin.config.words import shown
from widemargin.errors import Problem

__all__ = ["Layers", "plain"]

_ENCODER = ("features", "encoder")


class Layers:
    """Values merged from the lowest layer to the highest, and which layer gave each.

    Mappings merge key by key. Anything else replaces what lies below, and so does
    ``features.encoder``, since the settings of one encoder mean nothing to another; only a mapping
    without a name adds settings to the encoder below. The defaults' kernels and weights of
    blocks that the new encoders do not make are left out with the old ones.

    Parameters
    ----------
    documents : iterable of Document
        From the lowest to the highest.

    Attributes
    ----------
    values : dict
        The merged values.
    problems : list of Problem
        What cannot be merged.
    """

    def __init__(self, documents: Iterable[Document]) -> None:
        self.documents = tuple(documents)
        self.values: dict[str, Any] = {section: {} for section in SECTIONS}
        self.problems: list[Problem] = []
        self._origin: dict[ConfigPath, Document] = {}
        for document in self.documents:
            values = plain(document.values, document, self.problems)
            self._leave_blocks(values)
            self._lay(self.values, values, document, ())

    def _lay(
        self, base: dict[str, Any], layer: dict[str, Any], document: Document, path: ConfigPath
    ) -> None:
        for key, value in layer.items():
            here = (*path, key)
            if len(here) == 1 and key in SECTIONS and not isinstance(value, dict):
                # `svm:` with every line below it commented out says nothing.
                if value is not None:
                    message = f"must be a section with settings in it; got {shown(value)}"
                    self.problems.append(self.problem(message, here, document))
                continue
            if here == _ENCODER:
                base[key] = _encoder_below(base.get(key), value)
            if not isinstance(value, dict):
                base[key] = value
                self._forget(here)
            else:
                if not isinstance(base.get(key), dict):
                    base[key] = {}
                    self._forget(here)
                self._lay(base[key], value, document, here)
            self._origin[here] = document

    def _leave_blocks(self, values: dict[str, Any]) -> None:
        """Leave out blocks of lower layers that a layer's encoders do not make."""
        features, svm = values.get("features"), self.values["svm"]
        encoder = features.get("encoder") if isinstance(features, dict) else None
        made = _block_names(encoder)
        blocks = svm.get("blocks")
        if not made or not isinstance(blocks, dict) or set(blocks) <= made:
            return
        # What a person wrote is refused where it does not fit, and not left out.
        if any(self.origin(("svm", "blocks", name)) is not self.documents[0] for name in blocks):
            return
        for key in ("blocks", "weights", "combine"):
            svm.pop(key, None)
            self._forget(("svm", key))

    def _forget(self, path: ConfigPath) -> None:
        for known in [known for known in self._origin if known[: len(path)] == path]:
            del self._origin[known]

    def origin(self, path: ConfigPath) -> Document | None:
        """Return the layer that gave the value at a path, or the nearest value around it."""
        while path:
            if path in self._origin:
                return self._origin[path]
            path = path[:-1]
        return None

    def written(self, path: ConfigPath) -> str | None:
        """Return how the number, true or false at a path was written; None where it was not."""
        document = self.origin(path)
        text = document.written.get(path) if document else None
        # Of what another layer's value has replaced nothing is known.
        return text if text is not None and parse_scalar(text) == self.value(path) else None

    def put(self, path: ConfigPath, value: Any) -> None:
        """Set the value at a path that there is."""
        around = self.value(path[:-1])
        around[path[-1]] = value

    def value(self, path: ConfigPath) -> Any:
        """Return the merged value at a path; None where there is none."""
        value: Any = self.values
        for part in path:
            if isinstance(value, dict) and isinstance(part, str):
                value = value.get(part)
            elif isinstance(value, list) and isinstance(part, int) and part < len(value):
                value = value[part]
            else:
                return None
        return value

    def problem(self, message: str, path: ConfigPath, document: Document | None = None) -> Problem:
        """Say where a problem lies."""
        document = document or self.origin(path)
        if document is self.documents[0] and path not in self._origin:
            # What is absent is not the fault of the defaults that stand beside it.
            document = None
        if document is None:
            files = [one for one in self.documents if one.lines]
            return Problem(message, path_words(path), files[0].name if files else "")
        return Problem(message, path_words(path), document.name, _line(document, path))


def _line(document: Document, path: ConfigPath) -> int | None:
    while path:
        line = document.line_of(path)
        if line:
            return line
        path = path[:-1]
    return None


def _encoder_below(below: Any, value: Any) -> Any:
    if not isinstance(value, dict) or "name" in value:
        return None
    return {"name": below} if isinstance(below, str) else below


def _block_names(encoder: Any) -> set[str]:
    """Return the blocks that encoders make; none where settings are added to one, or it is bad."""
    several = encoder if isinstance(encoder, list) else [encoder]
    names = {one.get("as", one.get("name")) if isinstance(one, dict) else one for one in several}
    return {name for name in names if isinstance(name, str)}


def plain(value: Any, document: Document, problems: list[Problem], path: ConfigPath = ()) -> Any:
    """Copy values from Python or YAML into plain ones that JSON can hold.

    Tuples become lists, paths become text, and numpy's numbers become Python's.
    """
    if isinstance(value, Mapping):
        copy: dict[str, Any] = {}
        for key, part in value.items():
            if isinstance(key, str):
                copy[key] = plain(part, document, problems, (*path, key))
            else:
                message = f"a key must be text; got {key!r}"
                problems.append(Problem(message, path_words(path), document.name))
        return copy
    if isinstance(value, list | tuple):
        return [plain(part, document, problems, (*path, i)) for i, part in enumerate(value)]
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = value.item()
    if isinstance(value, PurePath):
        value = str(value)
    message = ""
    if isinstance(value, str):
        if not _is_unicode(value):
            message = f"is not valid Unicode text; got {value!r}"
    elif not (value is None or isinstance(value, bool | int | float)):
        message = (
            f"must be text, a number, true, false, None, a list or a mapping; "
            f"got {type(value).__name__}"
        )
    if message:
        line = _line(document, path)
        problems.append(Problem(message, path_words(path), document.name, line))
        return None
    return value


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
