"""Places in the code of plugins: where an error came from, and where a thing is defined."""

from __future__ import annotations

import functools
import importlib
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from widemargin.contracts.metric import finite
from widemargin.contracts.places import (
    asks_network,
    last_raised,
    plugin_packages,
    told,
    unwrapped,
    where_called,
    where_defined,
    where_raised,
)
from widemargin.errors import PluginError
from widemargin.testing.blame import packages_of

HERE = __name__.partition(".")[0]


def caught(function: Callable[[], object]) -> BaseException:
    with pytest.raises(Exception) as error:  # noqa: PT011  # whatever it is
        function()
    return error.value


def fail() -> None:
    json.loads("{")


LINE = fail.__code__.co_firstlineno + 1


def test_the_line_of_the_package_is_named_and_not_that_of_a_library() -> None:
    assert where_raised(caught(fail), {HERE}) == f"{__file__}, line {LINE}"
    assert where_raised(caught(fail), {"json"}).partition(", line ")[0].endswith("decoder.py")
    assert where_raised(caught(fail), {"no_such_package"}) == ""


def test_the_line_of_a_cause_counts_where_the_error_itself_came_another_way() -> None:
    error = RuntimeError("no rain")
    error.__cause__ = caught(fail)
    assert where_raised(error, {HERE}) == f"{__file__}, line {LINE}"


def test_a_syntax_error_names_its_own_line_in_a_file_of_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "rainy_place"
    package.mkdir()
    (package / "__init__.py").write_text("from rainy_place import data\n", encoding="utf-8")
    (package / "data.py").write_text("a = 1\nb = = 2\n", encoding="utf-8")
    (tmp_path / "torn_place.py").write_text("\n\nb = = 2\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    within, whole = (
        caught(lambda name=name: importlib.import_module(name))  # type: ignore[misc]  # its default
        for name in ("rainy_place", "torn_place")
    )
    assert where_raised(within, {"json", "rainy_place"}) == f"{package / 'data.py'}, line 2"
    assert where_raised(whole, {"torn_place"}) == f"{tmp_path / 'torn_place.py'}, line 3"
    assert where_raised(within, {"json"}) == ""


def test_a_syntax_error_of_another_file_is_told_by_the_line_that_asked() -> None:
    def read() -> object:
        return compile("a = \nb = = 2", "/rain/data.py", "exec")

    error = caught(read)
    assert where_raised(error, {HERE}) == f"{__file__}, line {read.__code__.co_firstlineno + 1}"
    assert where_raised(error, {"json"}) == ""


def test_errors_that_are_their_own_cause_have_an_end() -> None:
    def again() -> None:
        error = ValueError("rain")
        raise error from error

    error = caught(again)
    assert where_raised(error, {"no_such_package"}) == ""
    assert not asks_network(error)
    one, other = ValueError("rain"), ValueError("sun")
    one.__cause__, other.__cause__ = other, one
    assert where_raised(one, {HERE}) == ""


def test_the_last_line_says_whose_it_is_and_whether_ours_came_after() -> None:
    def ask() -> object:
        return finite("sky")  # type: ignore[arg-type]  # the mistake

    line = ask.__code__.co_firstlineno + 1
    assert last_raised(caught(ask), {HERE}) == (HERE, f"{__file__}, line {line}", True)
    assert last_raised(caught(fail), {HERE}) == (HERE, f"{__file__}, line {LINE}", False)
    raised = last_raised(caught(fail), {HERE, "json"})
    assert raised is not None
    assert raised.package == "json"


def test_the_line_that_is_carried_out_is_the_innermost_of_the_package() -> None:
    def asking() -> str:
        return where_called({HERE})

    assert asking() == f"{__file__}, line {asking.__code__.co_firstlineno + 1}"
    assert where_called({"no_such_package"}) == ""


class Rain:
    def fall(self) -> None:
        pass


def test_functions_methods_classes_and_objects_have_a_place() -> None:
    line = fail.__code__.co_firstlineno
    assert where_defined(fail) == f"{__file__}, line {line}"
    assert where_defined(functools.partial(fail)) == f"{__file__}, line {line}"
    assert where_defined(Rain) == where_defined(Rain())
    inside = Rain.fall.__code__.co_firstlineno
    assert where_defined(Rain) == f"{__file__}, line {inside - 1}"
    assert where_defined(Rain().fall) == f"{__file__}, line {inside}"


def test_the_function_within_caches_and_partials_has_the_place() -> None:
    def rain() -> None:
        pass

    kept = functools.lru_cache(rain)
    line = rain.__code__.co_firstlineno
    for thing in (kept, functools.partial(kept), functools.wraps(kept)(functools.partial(kept))):
        assert unwrapped(thing) is rain
        assert where_defined(thing) == f"{__file__}, line {line}"
        assert packages_of(thing) == {HERE}
    circle: Any = functools.partial(rain)
    circle.__wrapped__ = circle
    assert unwrapped(circle) is rain


LIBRARYS = [json.loads, accuracy_score, functools.partial(accuracy_score), np.mean]


@pytest.mark.parametrize("ours", [where_defined, PluginError, 3, None, len, *LIBRARYS])
def test_what_is_ours_or_a_librarys_has_no_place(ours: Any) -> None:
    assert where_defined(ours) == ""
    assert packages_of(ours) == set()


def test_what_comes_from_asking_for_the_network_is_told_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import urllib.request

    def refuse(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    error = caught(lambda: urllib.request.urlopen("http://rain.example.org", timeout=1))
    assert asks_network(error)
    assert not asks_network(caught(lambda: open("/no/such/file")))  # noqa: PTH123, SIM115
    assert not asks_network(caught(fail))
    # Not every library's own error is one of the operating system.
    wrapped = RuntimeError("no connection")
    wrapped.__context__ = error
    assert asks_network(wrapped)


def test_every_installed_plugin_has_its_package() -> None:
    assert plugin_packages()["widemargin_generic"] == "generic"


def test_an_error_is_told_in_a_line() -> None:
    assert told(ValueError("no\n rain")) == "ValueError: no rain"
    assert told(ValueError()) == "ValueError"
    assert told(PluginError("no rain.", "/rain.py, line 3")) == (
        "PluginError: no rain. (/rain.py, line 3)"
    )
