"""Settings, versions and whatever else two runs say of themselves: what differs, and only that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any

from widemargin.config import Setting, describe
from widemargin.config.scalars import inline
from widemargin.contracts import RunRecord
from widemargin.registry import Registry

__all__ = ["Differing", "differing", "differing_settings", "differing_versions"]

_ENCODER = "features.encoder"
# A setting of an encoder, however deep: of the only one, or of one of a list.
_WITHIN = re.compile(rf"{re.escape(_ENCODER)}(?:\[(?P<at>\d+)\])?\.(?P<name>.+)")
_ABSENT: Any = object()
_HASH = 12
# What an encoder's configs say already, or its model.
_TOLD = ("name", "parameters", "dimension")


@dataclass(frozen=True, kw_only=True)
class Differing:
    """One thing that two runs have otherwise.

    Parameters
    ----------
    name : str
        What it is: a path in the config, a library, a field of a card.
    first, second : str
        Both values, as a config would have them; empty where a run has none.
    defaults : (bool, bool)
        Whether each is what its use case has where nobody says otherwise.
    """

    name: str
    first: str
    second: str
    defaults: tuple[bool, bool] = (False, False)

    @property
    def values(self) -> tuple[str, str]:
        """Both values."""
        return self.first, self.second

    def to_data(self) -> dict[str, Any]:
        """Return it as JSON values; None is what a run does not have."""
        return {
            "name": self.name,
            "first": self.first or None,
            "second": self.second or None,
            "first_is_default": self.defaults[0],
            "second_is_default": self.defaults[1],
        }


def differing(first: Mapping[str, str], second: Mapping[str, str]) -> tuple[Differing, ...]:
    """List what differs between two mappings, in the order of the first.

    Examples
    --------
    >>> [one.name for one in differing({"a": "1", "b": "2"}, {"a": "1", "c": "3"})]
    ['b', 'c']
    """
    names = dict.fromkeys([*first, *second])
    return tuple(
        Differing(name=name, first=first.get(name, ""), second=second.get(name, ""))
        for name in names
        if first.get(name, "") != second.get(name, "")
    )


def differing_settings(
    first: RunRecord, second: RunRecord, registry: Registry
) -> tuple[Differing, ...]:
    """List the settings that differ, by their paths in the config.

    Encoders of other names differ as a whole, since the settings of one mean nothing to another.

    Parameters
    ----------
    first, second : RunRecord
        The runs.
    registry : Registry
        What is installed, which says what is a default.
    """
    one, other = (_Usual(run, registry) for run in (first, second))
    alike = _shape(first.config) == _shape(second.config)
    found = []
    for path, value, own in _apart(first.config, second.config, "", alike):
        texts = one.text(path, value), other.text(path, own)
        if texts[0] != texts[1]:
            defaults = one.is_default(path, texts[0]), other.is_default(path, texts[1])
            found.append(Differing(name=path, first=texts[0], second=texts[1], defaults=defaults))
    return tuple(found)


def differing_versions(first: RunRecord, second: RunRecord) -> tuple[Differing, ...]:
    """List what differs of versions, engine, threads, sources, machine and encoders' weights.

    An encoder of one run alone is a matter of the settings.
    """
    manifests = [run.manifest for run in (first, second)]
    used = [{one.get("name") for one in own.get("encoders") or ()} for own in manifests]
    told = [dict(_environment(own, used[0] & used[1])) for own in manifests]
    # A commit says less than the sources, and stands in where a run does not tell these.
    for own in told if all("sources" in own for own in told) else ():
        own.pop("working directory", None)
    return differing(*told)


def _environment(manifest: Mapping[str, Any], encoders: Set[Any]) -> Iterator[tuple[str, str]]:
    for name, version in (manifest.get("versions") or {}).items():
        yield name, str(version)
    for name in ("engine", "threads", "platform"):
        if manifest.get(name) is not None:
            yield name, str(manifest[name])
    if manifest.get("sources"):
        yield "sources", str(manifest["sources"])[:_HASH]
    git = manifest.get("git") or {}
    if git.get("commit"):
        changed = " with changes" if git.get("dirty") else ""
        yield "working directory", f"{git['commit'][:_HASH]}{changed}"
    for encoder in manifest.get("encoders") or ():
        for name, value in encoder.items() if encoder.get("name") in encoders else ():
            if name not in _TOLD and value not in ("", None, {}):
                words = [word[:_HASH] for word in str(value).split()]
                text = " ".join(words) if name == "weights" else inline(value)
                yield f"{encoder.get('name')} {name}", text


class _Usual:
    """A run's config, and what it would be where nobody says otherwise."""

    def __init__(self, run: RunRecord, registry: Registry) -> None:
        self.config = run.config
        use_case = registry.use_cases.get(run.use_case)
        known: Iterable[Setting] = ()
        if use_case is not None:
            known = describe(use_case, registry.encoders, registry.kernels)
        source = (run.config.get("data") or {}).get("source")
        of = {"", source, *_encoder_names(run.config)}
        self._defaults: dict[tuple[str, str], Setting] = {}
        for one in known:
            key = one.path, one.of if one.path.startswith(f"{_ENCODER}.") else ""
            # Of all sources the first one is the usual one.
            if not one.required and (one.of in of or one.path == "data.source"):
                self._defaults.setdefault(key, one)

    def text(self, path: str, value: Any) -> str:
        """Write a value; of encoders that differ as a whole, the name and what is no default."""
        if value is _ABSENT:
            return ""
        if path != _ENCODER:
            return inline(_spoken(value))
        several = value if isinstance(value, list) else [value]
        written = [self._encoder(one) for one in several]
        return written[0] if len(written) == 1 else f"[{', '.join(written)}]"

    def is_default(self, path: str, text: str) -> bool:
        """Say whether a value is the use case's own."""
        of = ""
        if within := _WITHIN.fullmatch(path):
            of = _encoder_names(self.config)[int(within["at"] or 0)]
            path = f"{_ENCODER}.{within['name']}"
        value = self._default(path, of)
        if value is _ABSENT or not text or path == "use_case":
            return False
        return text == self.text(path, value)

    def _default(self, path: str, of: str) -> Any:
        """Return a setting's default, or what stands at a path within that of the one above."""
        if (setting := self._defaults.get((path, of))) is not None:
            return setting.value
        above, _, key = path.rpartition(".")
        value = self._default(above, of) if above else None
        return value.get(key, _ABSENT) if isinstance(value, Mapping) else _ABSENT

    def _encoder(self, value: Any) -> str:
        if not isinstance(value, Mapping):
            return inline(value)
        name = str(value.get("name"))
        own = {
            key: own
            for key, own in value.items()
            if key != "name" and not self._is_usual(name, key, own)
        }
        return inline({"name": name, **own}) if own else name

    def _is_usual(self, encoder: str, key: str, value: Any) -> bool:
        setting = self._defaults.get((f"{_ENCODER}.{key}", encoder))
        # Numbers of a config that was written by hand may lack the point: 1 is 1.0.
        return setting is not None and (value == setting.value or inline(value) == setting.default)


def _apart(one: Any, other: Any, path: str, alike: bool) -> Iterator[tuple[str, Any, Any]]:
    """List the values that may differ by path, as deep as both have settings below it."""
    keys: Iterable[tuple[str, Any]] = ()
    if path != _ENCODER or alike:
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            keys = [(f"{path}.{key}".removeprefix("."), key) for key in {**one, **other}]
        elif path == _ENCODER and isinstance(one, list):
            keys = [(f"{path}[{k}]", k) for k in range(len(one))]
    if not keys:
        yield path, one, other
    for below, key in keys:
        value, own = (
            each[key] if isinstance(each, list) else each.get(key, _ABSENT) for each in (one, other)
        )
        yield from _apart(value, own, below, alike)


def _spoken(value: Any) -> Any:
    """Leave out of a mapping what says nothing."""
    if not isinstance(value, Mapping):
        return value
    return {key: _spoken(own) for key, own in value.items() if own is not None}


def _shape(config: Mapping[str, Any]) -> tuple[bool, list[str]]:
    """Say whether a config's encoders stand in a list, and which they are."""
    return isinstance((config.get("features") or {}).get("encoder"), list), _encoder_names(config)


def _encoder_names(config: Mapping[str, Any]) -> list[str]:
    encoder = (config.get("features") or {}).get("encoder")
    if encoder is None:
        return []
    several = encoder if isinstance(encoder, list) else [encoder]
    return [str(one.get("name") if isinstance(one, Mapping) else one) for one in several]
