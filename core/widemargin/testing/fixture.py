"""The fixture: loaded and trained on as a run does it, but without network and assets."""

from __future__ import annotations

import os
import socket
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from unittest import SkipTest
from unittest.mock import patch

from widemargin.config import RunConfig, resolve
from widemargin.contracts import Dataset, Silent, UseCase
from widemargin.errors import WidemarginError
from widemargin.registry import Registry, discover
from widemargin.runs.loading import Loaded, load_dataset
from widemargin.runs.runner import prepare
from widemargin.runs.training import train

if TYPE_CHECKING:
    from widemargin.runs.model import Model

__all__ = [
    "ConformanceError",
    "DoesNotApply",
    "Fixture",
    "blocked_network",
    "broken",
    "empty_data_home",
    "expecting",
    "load_fixture",
    "named",
    "violation",
    "where_raised",
]


class ConformanceError(AssertionError):
    """A rule is broken; the message states the rule, what was found and the remedy.

    Attributes
    ----------
    found, remedy : str
        What was found, and what to do.
    """

    found: str = ""
    remedy: str = ""


class DoesNotApply(SkipTest):
    """A rule says nothing of what is checked; the message says why.

    unittest and pytest take it for a test that is skipped.
    """


def violation(subject: str, rule: str, found: str, remedy: str) -> ConformanceError:
    """Return the error that says which rule something breaks, how, and what to do."""
    error = ConformanceError(f"{subject}: {rule} Found: {found} Remedy: {remedy}")
    error.found, error.remedy = found, remedy
    return error


def broken(use_case: UseCase, rule: str, found: str, remedy: str) -> ConformanceError:
    """Return the error that says which rule a use case breaks, how, and what to do.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> print(broken(SimpleNamespace(name="rain"), "Rules hold.", "none.", "add one."))
    use case 'rain': Rules hold. Found: none. Remedy: add one.
    """
    return violation(f"use case {use_case.name!r}", rule, found, remedy)


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

    def train(self) -> Model:
        """Train a model on the whole fixture."""
        with expecting(
            self.use_case,
            "A model must be trainable on the fixture.",
            "give the fixture a few dozen items, half of them of each class, and see that the "
            "features take them.",
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
    with expecting(
        use_case,
        "The fixture must load offline, from files inside the plugin.",
        "let `fixture` name a small file beside the plugin's code, as in "
        '{"path": str(Path(__file__).with_name("fixture.csv"))}.',
        loading=True,
    ):
        config = resolve(
            use_case,
            [{"data": dict(use_case.fixture), "svm": {"C": 1.0}, "evaluation": {"inner": 2}}],
            encoders=registry.encoders,
            kernels=registry.kernels,
        )
        with empty_data_home(), blocked_network() as asked:
            loaded = load_dataset(
                config, use_case.split, offline=True, mirror="", progress=Silent()
            )
        if asked:
            # The loader may have caught the error and gone on; it asked all the same.
            raise OSError(f"the network was asked for {asked[0]}")
    return Fixture(use_case=use_case, registry=registry, config=config, loaded=loaded)


@contextmanager
def expecting(
    use_case: UseCase, rule: str, remedy: str, *, loading: bool = False
) -> Iterator[None]:
    """Turn whatever the use case's code raises into a broken rule.

    What stops the loading says itself what to mend, unless it is a file or the network.
    """
    try:
        yield
    except (ConformanceError, DoesNotApply):
        raise
    # A plugin's SystemExit must not end whoever checks it.
    except (Exception, SystemExit) as error:
        packages = _modules_of(use_case)
        if loading and isinstance(error, WidemarginError):
            remedy = "mend what is named there."
        elif loading and not isinstance(error, OSError) and where_raised(error, packages):
            remedy = "mend the line that is named."
        raise broken(use_case, rule, named(error, packages), remedy) from error


def named(error: BaseException, packages: Collection[str]) -> str:
    """Write what was raised in one line, with the place in the code of these packages."""
    said = f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(": ")
    # What is raised on purpose says itself where the data are at fault.
    place = "" if isinstance(error, WidemarginError) else where_raised(error, packages)
    return f"{said} ({place})" if place else said


def where_raised(error: BaseException, packages: Collection[str]) -> str:
    """Return the last line of these packages' code on the way to an error, as ``FILE, line N``."""
    frame, place = error.__traceback__, ""
    while frame is not None:
        if str(frame.tb_frame.f_globals.get("__name__")).partition(".")[0] in packages:
            place = f"{frame.tb_frame.f_code.co_filename}, line {frame.tb_lineno}"
        frame = frame.tb_next
    return place


def _modules_of(use_case: UseCase) -> set[str]:
    """Name the packages that a use case's own code is in."""
    parts = (*use_case.data, use_case.features, use_case.report_sections, use_case.analyse)
    return {getattr(one, "__module__", "").partition(".")[0] for one in parts} - {"", "widemargin"}


@contextmanager
def empty_data_home() -> Iterator[None]:
    """Let data sets and weights be looked for where there are none."""
    with TemporaryDirectory() as home, patch.dict(os.environ, WIDEMARGIN_HOME=home):
        yield


@contextmanager
def blocked_network() -> Iterator[list[str]]:
    """Refuse every connection and look-up of a host; yield the list of those asked for."""
    asked: list[str] = []
    connect = socket.socket.connect

    def refuse(*address: Any, **options: Any) -> Any:
        asked.append(str(address[0] if address else options))
        raise OSError("the network is blocked while this is checked")

    def connect_locally(self: socket.socket, address: Any) -> Any:
        # A socket that is a file is how processes of one machine talk.
        if self.family in (socket.AF_INET, socket.AF_INET6):
            refuse(address)
        return connect(self, address)

    with (
        patch.object(socket.socket, "connect", connect_locally),
        patch.object(socket.socket, "connect_ex", connect_locally),
        patch.object(socket, "getaddrinfo", refuse),
    ):
        yield asked
