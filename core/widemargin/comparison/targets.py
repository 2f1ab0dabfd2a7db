"""Targets: use cases, configs and existing runs, as the user names them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from widemargin.config import Document, read
from widemargin.contracts import RunRecord
from widemargin.errors import InputError, PluginError, RunNotFoundError
from widemargin.runs.targets import use_case_of

if TYPE_CHECKING:
    from widemargin.registry import Registry
    from widemargin.runs.store import RunStore

__all__ = ["Target", "find_target", "find_targets", "is_file", "where", "with_names"]

Kind = Literal["use case", "config", "run"]


@dataclass(frozen=True, kw_only=True)
class Target:
    """One thing that is compared: a use case or a config, which is run, or a run that exists.

    Parameters
    ----------
    name : str
        What tables call it.
    kind : {"use case", "config", "run"}
        What it is.
    use_case : str
        The problem that it solves.
    file : str
        The config file; empty where it is none.
    layers : tuple of Document
        What is laid over the use case's defaults, from the lowest to the highest.
    run : RunRecord, optional
        The run, where it exists.
    is_named : bool
        Whether the name was given with it, so that it stays as it is.
    """

    name: str
    kind: Kind
    use_case: str
    file: str = ""
    layers: tuple[Document, ...] = ()
    run: RunRecord | None = None
    is_named: bool = False


def where(file: str) -> str:
    """Begin a message about a comparison's file; nothing where there is none."""
    return f"{file}: " if file else ""


def is_file(word: str) -> bool:
    """Say whether a word names a YAML file, of a config or of a comparison."""
    return word.endswith((".yaml", ".yml"))


def find_target(
    word: str, store: RunStore, registry: Registry, document: Document | None = None
) -> Target:
    """Find what a word names: a config file, a use case, or a run, in this order.

    Parameters
    ----------
    word : str
        As it was typed.
    store : RunStore
        Where runs are looked for.
    registry : Registry
        What is installed.
    document : Document, optional
        The file's content, where it has been read.

    Raises
    ------
    ConfigError
        Where a file cannot be read, or names no use case that is installed.
    PluginError, RunNotFoundError
        Where there is no such use case, and no such run either.
    """
    if is_file(word):
        document = document or read(Path(word))
        name = use_case_of(document, registry).name
        return Target(
            name=Path(word).stem, kind="config", use_case=name, file=word, layers=(document,)
        )
    if word in registry.use_cases:
        return Target(name=word, kind="use case", use_case=word)
    try:
        run = store.find(word)
    except RunNotFoundError as error:
        raise _unknown(word, store, registry, error) from None
    return Target(name=run.id, kind="run", use_case=run.use_case, run=run)


def find_targets(
    words: Sequence[str],
    store: RunStore,
    registry: Registry,
    documents: Mapping[str, Document] | None = None,
) -> list[Target]:
    """Find what each of several words names.

    Parameters
    ----------
    words : sequence of str
        As they were typed.
    store, registry
        As for `find_target`.
    documents : mapping of str to Document, optional
        The files' contents by their words, where they have been read.

    Raises
    ------
    InputError
        Naming every word that is wrong.
    """
    found: list[Target] = []
    errors: dict[str, InputError] = {}
    for word in words:
        try:
            found.append(find_target(word, store, registry, (documents or {}).get(word)))
        except InputError as error:
            errors.setdefault(str(error), error)
    if len(errors) == 1:
        raise next(iter(errors.values()))
    if errors:
        raise InputError("\n".join(errors))
    return found


def _unknown(
    word: str, store: RunStore, registry: Registry, not_found: RunNotFoundError
) -> InputError:
    """Choose what to say of a word that names nothing: what it looks most like."""
    if "/" in word or any(letter.isdigit() for letter in word) or word == "latest":
        return not_found
    try:
        registry.use_case(word)
    except PluginError as error:
        return PluginError(f"{error}\nNor is it a config file (.yaml) or a run in {store.home}.")
    return not_found


def with_names(targets: Sequence[Target], file: str = "") -> tuple[Target, ...]:
    """Name targets so that each name says which it is.

    A config is its file's name, and a run its id; the use case stands in front where targets solve
    several, and the whole path where that is still no name.

    Parameters
    ----------
    targets : sequence of Target
        What was found.
    file : str
        The comparison's file; empty where there is none.

    Raises
    ------
    InputError
        Where two are the same.
    """
    several = len({target.use_case for target in targets}) > 1
    named = [
        target
        if target.is_named or target.kind == "use case" or not several
        else replace(target, name=f"{target.use_case}/{target.name}")
        for target in targets
    ]
    count = Counter(target.name for target in named)
    named = [
        replace(target, name=target.file) if count[target.name] > 1 and target.file else target
        for target in named
    ]
    for target in named:
        if sum(other.name == target.name for other in named) > 1:
            raise InputError(
                f"{where(file)}{target.name!r} is named twice; take out one of them, or give each "
                "a name of its own in a comparison's file, as in {target: spam, as: with seed 1}."
            )
    return tuple(named)
