"""The fixture: loaded and trained on as a run does it, but without network and assets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from widemargin.config import RunConfig, resolve
from widemargin.contracts import Dataset, Silent, UseCase
from widemargin.contracts.places import plugin_packages
from widemargin.contracts.written import where_written
from widemargin.errors import AssetError, ConfigError, Problem
from widemargin.registry import Registry, discover
from widemargin.runs.loading import Loaded, load_dataset
from widemargin.runs.runner import prepare
from widemargin.runs.training import train
from widemargin.testing.blame import (
    NETWORK,
    ConformanceError,
    DoesNotApply,
    blame,
    packages_of,
    place_of,
    violation,
)
from widemargin.testing.offline import Asked, empty_data_home, offline

if TYPE_CHECKING:
    from widemargin.runs.model import Model

__all__ = [
    "Fixture",
    "broken",
    "expecting",
    "hook_of",
    "load_fixture",
    "own_packages",
    "refused_network",
]

_LOADS = "The fixture must load offline, from files inside the plugin."
_SMALL = (
    "let `fixture` name a small file beside the plugin's code, as in "
    '{"path": str(Path(__file__).with_name("fixture.csv"))}.'
)


def broken(
    use_case: UseCase, rule: str, found: str, remedy: str, *parts: object
) -> ConformanceError:
    """Return the error that says which rule a use case breaks, how, where, and what to do.

    The first of `parts`, functions or classes, that is the plugin's own is where to look.
    """
    where = place_of(own_packages(use_case), *parts)
    return violation(f"use case {use_case.name!r}", rule, found, remedy, where)


def own_packages(use_case: UseCase) -> set[str]:
    """Name the packages that a use case's own code may be in: where its parts are, and plugins."""
    parts = (*use_case.data, use_case.features, use_case.report_sections, use_case.analyse)
    return packages_of(*parts).union(plugin_packages())


def hook_of(use_case: UseCase, registry: Registry) -> object:
    """Return the function that registers a use case; its loader where none does."""
    for plugin in registry.plugins:
        if use_case.name in plugin.registered.get("register_use_cases", ()):
            return getattr(plugin.module, "register_use_cases", use_case.data[0])
    return use_case.data[0]


def refused_network(use_case: UseCase, rule: str, remedy: str, asked: Asked) -> ConformanceError:
    """Return the error that says which host a use case asked for, and in which line."""
    found = f"the network was asked for {asked.host}."
    return violation(f"use case {use_case.name!r}", rule, found, remedy, asked.where)


@dataclass(frozen=True, kw_only=True)
class Fixture:
    """A use case's fixture, ready for training.

    Parameters
    ----------
    use_case : UseCase
        Whose fixture it is.
    registry : Registry
        What is installed.
    config : RunConfig
        The use case's defaults with the fixture as data and C = 1, so that little is searched.
    loaded : Loaded
        The data set with and without its near-duplicates.
    """

    use_case: UseCase
    registry: Registry
    config: RunConfig
    loaded: Loaded

    @property
    def dataset(self) -> Dataset:
        """The data set that a run trains on."""
        return self.loaded.dataset

    @property
    def reader(self) -> tuple[object, ...]:
        """Where to look for what is wrong with the data."""
        return self.config.data.load, type(self.config.data)

    @property
    def maker(self) -> tuple[object, ...]:
        """Where to look for what is wrong with the features."""
        section = self.config.features
        return type(section.build(self.dataset.kinds)), section.build

    def train(self) -> Model:
        """Train a model on the whole fixture."""
        with expecting(
            self.use_case,
            "A model must be trainable on the fixture.",
            "give the fixture a few dozen items, half of them of each class, and see that the "
            "features take them.",
            "a model can be trained on the fixture",
        ):
            setup = prepare(self.config, self.use_case, self.registry, self.loaded)
            return train(setup, self.dataset, progress=Silent()).model


def load_fixture(use_case: UseCase, registry: Registry | None = None) -> Fixture:
    """Load a use case's fixture.

    Parameters
    ----------
    use_case : UseCase
        Whose fixture.
    registry : Registry, optional
        What is installed; found by `widemargin.registry.discover` if it is not given.

    Raises
    ------
    ConformanceError
        Where it cannot be loaded, or the loader asks for the network.
    """
    registry = discover() if registry is None else registry

    def refuse(asked: Asked) -> ConformanceError:
        return refused_network(use_case, _LOADS, f"{NETWORK} And {_SMALL}", asked)

    promise = "`load` returns a Dataset of the fixture"
    hook = hook_of(use_case, registry)
    with expecting(use_case, _LOADS, _SMALL, promise, (hook,)):
        try:
            config = resolve(
                use_case,
                [{"data": dict(use_case.fixture), "svm": {"C": 1.0}, "evaluation": {"inner": 2}}],
                encoders=registry.encoders,
                kernels=registry.kernels,
            )
        except ConfigError as error:
            told = blame(error, (), "", "")
            where = where_written(hook, use_case, *_path_to(error.problems, use_case))
            subject = f"use case {use_case.name!r}"
            raise violation(subject, _LOADS, told.found, told.remedy, where) from error
    loader = (config.data.load, type(config.data))
    with expecting(use_case, _LOADS, _SMALL, promise, loader):
        try:
            with empty_data_home(), offline(own_packages(use_case), refuse):
                loaded = load_dataset(
                    config, use_case.split, offline=True, mirror="", progress=Silent()
                )
        # Whatever is not beside the plugin's code.
        except (AssetError, FileNotFoundError) as error:
            told = blame(error, own_packages(use_case), "", "")
            subject = f"use case {use_case.name!r}"
            raise violation(subject, _LOADS, told.found, _SMALL, told.where) from error
    return Fixture(use_case=use_case, registry=registry, config=config, loaded=loaded)


def _path_to(problems: Sequence[Problem], use_case: UseCase) -> tuple[str, ...]:
    """Return the keyword and keys of a use case that say what a config refuses.

    Of several problems the first counts that is not of something absent.
    """
    paths: list[tuple[str, ...]] = []
    for problem in problems:
        words = tuple(re.findall(r"[^.\[\]]+", problem.path))
        of_fixture = words[:1] == ("data",) and not problem.file
        paths.append(("fixture", *words[1:]) if of_fixture else ("defaults", *words))
    return next((path for path in paths if _says(use_case, path)), paths[0])


def _says(use_case: UseCase, path: tuple[str, ...]) -> bool:
    value: object = getattr(use_case, path[0])
    for word in path[1:]:
        if not isinstance(value, Mapping) or word not in value:
            return False
        value = value[word]
    return True


@contextmanager
def expecting(
    use_case: UseCase,
    rule: str,
    remedy: str,
    promise: str = "nothing is raised there",
    parts: tuple[object, ...] = (),
) -> Iterator[None]:
    """Turn whatever the use case's code raises into a broken rule; see `blame`.

    Where none of its lines is on the way, one of `parts` is where to look.
    """
    try:
        yield
    except (ConformanceError, DoesNotApply):
        raise
    # A plugin's SystemExit must not end whoever checks it.
    except (Exception, SystemExit) as error:
        packages = own_packages(use_case)
        told = blame(error, packages, remedy, promise)
        where = told.where or place_of(packages, *parts)
        subject = f"use case {use_case.name!r}"
        raise violation(subject, rule, told.found, told.remedy, where) from error
