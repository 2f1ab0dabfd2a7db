"""The card of a plugin: a line a rule, whatever the plugin does."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from widemargin.contracts import Kernel, Metric, UseCase
from widemargin.errors import AssetError, LibraryError, PluginError
from widemargin.registry import Registry, discover
from widemargin.testing import (
    ConformanceError,
    check_kernel,
    check_metric,
    examine,
    kernel_checks,
    metric_checks,
    use_case_checks,
)

Install = Callable[[str, Mapping[str, str], Mapping[str, str]], Path]
REGISTRY = discover()

PLUGIN = """
from dataclasses import replace
import widemargin_generic
from widemargin import hookimpl
{before}
@hookimpl
def register_use_cases():
    return [replace(widemargin_generic.register_use_cases()[1], name="rain", {changed})]
"""


def install(install_plugin: Install, changed: str, before: str = "") -> None:
    source = PLUGIN.format(before=before, changed=changed)
    install_plugin("rainy", {"rain": "rain_plugin"}, {"rain_plugin.py": source})


def test_a_card_has_a_line_a_rule_in_order() -> None:
    told = list(examine("table", REGISTRY))
    assert [one.check for one in told] == [check.__name__ for check in use_case_checks()]
    assert {one.subject for one in told} == {"use case 'table'"}
    assert {one.status for one in told} == {"passed", "does not apply"}
    assert told[2].rule == "The fixture loads without network and with an empty data home."
    assert all(one.found for one in told if one.status == "does not apply")


def test_a_plugin_is_tried_with_its_encoders_and_metrics() -> None:
    subjects = dict.fromkeys(one.subject for one in examine("credit", REGISTRY))
    assert list(subjects) == [
        "plugin 'credit'",
        "use case 'credit'",
        "encoder 'loan'",
        "metric 'gini'",
        "metric 'ks'",
    ]


def test_a_rule_that_fails_says_what_was_found_and_the_remedy(install_plugin: Install) -> None:
    install(install_plugin, "metrics=('r3',)")
    told = {one.check: one for one in examine("rain")}
    failed = told["check_metrics"]
    assert failed.status == "failed"
    assert told["check_read_items"].status == "passed"
    assert "'r3', which nothing registers" in failed.found
    assert failed.where.endswith("rain_plugin.py, line 8")
    assert failed.remedy.startswith("correct the name; ")
    # A run asks for it too, and has no other place to tell.
    again = told["check_runs_offline"]
    assert (again.status, again.found) == ("failed", "the same as check_metrics found.")
    assert (again.where, again.remedy) == ("", "")


@pytest.mark.parametrize(
    ("check", "changed", "word"),
    [
        ("check_metrics", "metrics=(\n'f1',\n'r3'\n)", "'r3'"),
        (
            "check_metrics",
            "\nmetrics=('f1_macro',), primary_metric={\n'classification': 'r2'\n,\n"
            "'regression': 'r2'}",
            "'classification'",
        ),
        ("check_metrics", "\nwording=Wording(\nheadline='{r3}'\n)", "headline"),
        ("check_metrics", "\nwording=Wording(\nheadline='{r3'\n)", "headline"),
        ("check_loads_offline", "defaults={\n'svm': {\n'gamma': -1\n}}", "'gamma'"),
        ("check_loads_offline", "fixture={\n'pth': 'a.csv'\n}", "'pth'"),
        ("check_loads_offline", "\ndefaults={\n'features': {}}", "'features'"),
        ("check_loads_offline", "\nfixture={\n'label': 'a'}", "fixture"),
    ],
)
def test_a_word_that_is_wrong_is_told_by_its_own_line(
    install_plugin: Install, check: str, changed: str, word: str
) -> None:
    before = "from widemargin import Wording"
    source = PLUGIN.format(before=before, changed=changed)
    install(install_plugin, changed, before)
    told = next(one for one in examine("rain") if one.check == check)
    assert told.status == "failed"
    line = source[: source.index(word)].count("\n") + 1
    assert told.where.endswith(f"rain_plugin.py, line {line}")


def test_a_check_that_crashes_names_the_plugins_line(install_plugin: Install) -> None:
    before = """
class Odd(widemargin_generic.TableFile):
    def load(self, data_home):
        made = super().load(data_home)
        return None if self.seen else made

    @property
    def seen(self):
        return 1 / 0
"""
    install(install_plugin, "data=(Odd,)", before)
    told = {one.check: one for one in examine("rain")}
    failed = told["check_loads_offline"]
    assert failed.status == "failed"
    assert failed.found == "ZeroDivisionError: division by zero."
    assert failed.where.endswith("rain_plugin.py, line 13")
    assert failed.remedy == "mend that line, so that `load` returns a Dataset of the fixture."
    assert "Traceback" not in str(told)
    # One mistake is one failure; what it stands in the way of is said to be untried.
    assert sum(one.status == "failed" for one in told.values()) == 1
    assert told["check_learns"].status == "not tried"
    assert told["check_learns"].found == "what check_loads_offline found stands in the way."


def test_after_a_rule_that_others_rest_on_these_are_not_tried(install_plugin: Install) -> None:
    before = """
import numpy as np
class Odd(widemargin_generic.TableFile):
    def load(self, data_home):
        made = super().load(data_home)
        return replace(made, y=np.random.default_rng().permutation(made.y))
"""
    install(install_plugin, "data=(Odd,)", before)
    told = {one.check: one for one in examine("rain")}
    [failed] = [one for one in told.values() if one.status == "failed"]
    assert failed.check == "check_deterministic"
    assert failed.where.endswith("rain_plugin.py, line 8")
    assert "draw nothing at random" in failed.remedy
    untried = told["check_runs_offline"]
    assert untried.status == "not tried"
    assert untried.found == "what check_deterministic found stands in the way."


@pytest.mark.parametrize("error", [AssetError, LibraryError])
def test_what_needs_what_is_not_there_is_not_tried(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    from widemargin.testing import card

    def fall(use_case: UseCase, registry: Registry | None = None) -> None:
        """Check that rain falls."""
        raise error("the clouds are not there.")

    monkeypatch.setattr(card, "use_case_checks", lambda: [fall])
    [told] = examine("table", REGISTRY)
    assert (told.status, told.found) == ("not tried", "the clouds are not there.")


def test_what_the_plugin_says_of_its_data_is_the_remedy(install_plugin: Install) -> None:
    install(install_plugin, "defaults={'svm': {'kernal': 'rbf'}}")
    failed = [one for one in examine("rain") if one.status == "failed"]
    assert len(failed) == 1
    assert "Did you mean 'kernel'?" in failed[0].found
    assert failed[0].where.endswith("rain_plugin.py, line 8")
    assert failed[0].remedy == "mend what is named there."


@pytest.mark.parametrize("stop", ["ValueError('wet')", "SystemExit('wet')"])
def test_what_no_check_foresees_is_a_line_too(
    monkeypatch: pytest.MonkeyPatch, install_plugin: Install, stop: str
) -> None:
    install(install_plugin, "", f"\ndef fall(use_case, registry=None):\n    raise {stop}\n")
    registry = discover()
    import rain_plugin  # type: ignore[import-not-found]  # installed by this test

    from widemargin.testing import card

    monkeypatch.setattr(card, "use_case_checks", lambda: [rain_plugin.fall])
    rain_plugin.fall.__doc__ = "Check that rain falls."
    [_, failed] = examine("rain", registry)
    kind = stop.partition("(")[0]
    assert failed.status == "failed"
    assert failed.rule == "Rain falls."
    assert failed.found == f"{kind}: wet."
    assert failed.where.endswith("rain_plugin.py, line 7")
    assert failed.remedy == "mend that line, so that the rule can be tried."


def test_what_is_found_in_another_place_is_another_mistake(
    monkeypatch: pytest.MonkeyPatch, install_plugin: Install
) -> None:
    before = """
def fall(use_case, registry=None):
    raise ValueError('wet')
def rise(use_case, registry=None):
    raise ValueError('wet')
def sink(use_case, registry=None):
    fall(use_case)
"""
    install(install_plugin, "", before)
    registry = discover()
    import rain_plugin

    from widemargin.testing import card

    checks = [rain_plugin.fall, rain_plugin.rise, rain_plugin.sink]
    monkeypatch.setattr(card, "use_case_checks", lambda: checks)
    [_, fell, rose, sank] = examine("rain", registry)
    assert fell.where.endswith("rain_plugin.py, line 7")
    assert rose.where.endswith("rain_plugin.py, line 9")
    assert (fell.status, rose.status) == ("failed", "failed")
    assert (sank.status, sank.found) == ("failed", "the same as fall found.")


LENT = """
import functools
from sklearn.metrics import accuracy_score
from widemargin import Metric, hookimpl
def score(told):
    return 1 / 0
def lent(name, compute):
    return Metric(name=name, title=name, summary="", task="classification", compute=compute)
@hookimpl
def register_metrics():
    return [
        lent("whole", accuracy_score),
        lent("part", functools.partial(score)),
        lent("kept", functools.lru_cache(lambda told: 1 / 0)),
        lent("late", functools.partial(functools.reduce, lambda told, _: score(told), [1])),
    ]
"""


def test_a_function_lent_from_a_library_or_within_another_has_the_plugins_place(
    install_plugin: Install,
) -> None:
    install_plugin("rainy", {"rain": "rain_plugin"}, {"rain_plugin.py": LENT})
    told = {one.subject: one for one in reversed(list(examine("rain"))) if one.status == "failed"}
    lines = {"whole": "12", "part": "6", "kept": "14", "late": "6"}
    for name, line in lines.items():
        failed = told[f"metric {name!r}"]
        assert failed.where.rpartition(" ")[2] == line, name
        assert "sklearn" not in failed.where
    assert told["metric 'whole'"].found == "TypeError: missing a required argument: 'y_pred'."
    assert "call a library's function within one of yours" in told["metric 'whole'"].remedy
    assert told["metric 'part'"].remedy.startswith("mend that line")


def test_a_broken_plugin_has_a_card_of_one_line(install_plugin: Install) -> None:
    install_plugin("rainy", {"rain": "rain_plugin"}, {"rain_plugin.py": "import no_such_library"})
    for name in ("rain", "rainy"):
        [only] = examine(name)
        assert only.status == "failed"
        assert only.found == "ModuleNotFoundError: No module named 'no_such_library'."
        assert only.where.endswith("rain_plugin.py, line 1")


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    with pytest.raises(PluginError, match=r"no use case 'spma'\. Did you mean 'spam'\?"):
        examine("spma", REGISTRY)


@pytest.mark.parametrize("check", kernel_checks(), ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", sorted(REGISTRY.kernels))
def test_every_registered_kernel_conforms(check: Callable[[Kernel], None], name: str) -> None:
    if (name, check.__name__) == ("sigmoid", "check_kernel_is_positive"):
        pytest.skip("known to be no kernel; a warning says so in a run")
    check(REGISTRY.kernels[name])


@pytest.mark.parametrize("name", sorted(REGISTRY.metrics))
def test_every_registered_metric_conforms(name: str) -> None:
    check_metric(REGISTRY.metrics[name])


def products(X: Any, Y: Any) -> Any:
    both = X @ Y.T
    return both.toarray() if hasattr(both, "toarray") else both


GOOD = Kernel(name="rain", summary="x y", pairwise=products)


def refused(kernel: Kernel) -> str:
    with pytest.raises(ConformanceError) as caught:
        check_kernel(kernel)
    return str(caught.value)


def test_a_kernel_that_keeps_every_rule_passes() -> None:
    check_kernel(GOOD)


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"pairwise": lambda X, Y: X @ Y.T}, "from CSR rows of float64"),
        (
            {"pairwise": lambda X, Y: products(X, Y).astype(np.float64)},
            "float64 from dense rows of float32",
        ),
        ({"pairwise": lambda X, Y: products(X, Y)[:1]}, "an array of shape (1, 7)"),
        ({"pairwise": lambda X, Y: products(X, Y) / 0.0 * 0.0}, "values without bounds"),
        ({"pairwise": lambda X, Y: -products(X, Y)}, "an eigenvalue of -"),
        ({"is_bounded": True, "pairwise": lambda X, Y: 9 * products(X, Y)}, "a value of "),
        (
            {"pairwise": lambda X, Y: products(X, Y) + X.mean(axis=1)[:, :1] if False else 1 / 0},
            f"ZeroDivisionError: division by zero. Where: {__file__}, line ",
        ),
        ({"parameters": ("gamma",)}, "gamma changes nothing"),
        (
            {"value": lambda quantity, p, out: np.multiply(quantity, p.gamma, out=out)},
            "Remedy: name it in `parameters`: 'gamma'.",
        ),
        (
            {"value": lambda quantity, p, out: quantity + 1.0},
            "`value` left other values in `out`",
        ),
    ],
)
def test_a_kernel_that_breaks_a_rule_is_refused(changed: dict[str, Any], found: str) -> None:
    with np.errstate(all="ignore"):
        assert found in refused(replace(GOOD, **changed))


def test_a_kernel_that_is_not_symmetric_is_refused() -> None:
    def lopsided(X: Any, Y: Any) -> Any:
        made = products(X, Y)
        return made + np.asarray(X.sum(axis=1)).reshape(-1, 1).astype(made.dtype)

    assert "k(x, y) is not k(y, x)" in refused(replace(GOOD, pairwise=lopsided))


DRAWN = itertools.count()


def share_right(told: Any) -> float:
    return float(np.average(told.y_true == told.y_pred, weights=told.weight))


@pytest.mark.parametrize(
    ("compute", "found"),
    [
        (lambda told: 1.0 - share_right(told), "0 of the truth, and "),
        (lambda told: float("nan"), "nan, of type float."),
        (lambda told: "good", "'good', of type str."),
        (lambda told: told.y_true == told.y_pred, "an array of shape (60,)."),
        (lambda told: None, "None, of type NoneType."),
        (lambda told: 0.5, "compare y_true with y_pred"),
        (lambda told: -share_right(told), "declare greater_is_better=False in the Metric"),
        (lambda told: share_right(told) - next(DRAWN) / 1e6, "a fixed seed"),
        (lambda told: float(np.mean(told.y_true == told.y_pred)), "with weights of 2, and "),
        (lambda told: share_right(told) + told.y_pred[0] * 1e-3, "in another order"),
        (lambda told: told.no_such_thing, "so that `compute` returns a float for predictions of 2"),
    ],
)
def test_a_metric_that_breaks_a_rule_is_refused(compute: Any, found: str) -> None:
    good = Metric(
        name="right", title="right", summary="", task="classification", compute=share_right
    )
    check_metric(good)
    with pytest.raises(ConformanceError) as caught:
        check_metric(replace(good, compute=compute))
    assert found in str(caught.value)
    assert f"Where: {__file__}, line " in str(caught.value)


def test_a_metric_beyond_its_bounds_is_refused() -> None:
    percent = Metric(
        name="right",
        title="right",
        summary="",
        task="classification",
        compute=lambda told: 100 * share_right(told),
        bounds=(0, 1),
    )
    with pytest.raises(ConformanceError, match="100, and bounds of 0 and 1"):
        check_metric(percent)
    check_metric(replace(percent, bounds=(0, 100)))


def test_every_metric_check_is_in_its_list() -> None:
    assert len(metric_checks()) == 2
