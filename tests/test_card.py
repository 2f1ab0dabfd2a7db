"""The card of a plugin: a line a rule, whatever the plugin does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from widemargin.contracts import Kernel, Metric
from widemargin.errors import PluginError
from widemargin.registry import discover
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
    assert told[0].rule == "The fixture loads without network and with an empty data home."
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
    assert failed.remedy.startswith("correct the name")


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
    assert failed.found.startswith("ZeroDivisionError: division by zero (")
    assert failed.found.endswith("rain_plugin.py, line 13)")
    assert failed.remedy == "mend the line that is named."
    assert "Traceback" not in str(told)
    # One mistake is one failure; what it stands in the way of is said to be untried.
    assert sum(one.status == "failed" for one in told.values()) == 1
    assert told["check_learns"].status == "does not apply"
    assert told["check_learns"].found.startswith("not tried: what check_loads_offline found")


def test_what_the_plugin_says_of_its_data_is_the_remedy(install_plugin: Install) -> None:
    install(install_plugin, "defaults={'svm': {'kernal': 'rbf'}}")
    failed = [one for one in examine("rain") if one.status == "failed"]
    assert len(failed) == 1
    assert "Did you mean 'kernel'?" in failed[0].found
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
    assert f"the check could not be carried out: {kind}: wet (" in failed.found
    assert "rain_plugin.py, line 7)" in failed.found
    assert failed.remedy == "mend the line that is named."


def test_a_broken_plugin_has_a_card_of_one_line(install_plugin: Install) -> None:
    install_plugin("rainy", {"rain": "rain_plugin"}, {"rain_plugin.py": "import no_such_library"})
    for name in ("rain", "rainy"):
        [only] = examine(name)
        assert only.status == "failed"
        assert only.found.startswith("ModuleNotFoundError: No module named 'no_such_library' (")
        assert "rain_plugin.py, line 1)" in only.found


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
            "ZeroDivisionError: division by zero (",
        ),
        ({"parameters": ("gamma",)}, "gamma changes nothing"),
        (
            {"value": lambda quantity, p, out: np.multiply(quantity, p.gamma, out=out)},
            "gamma changes values. Remedy: name it: 'gamma'.",
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


def share_right(told: Any) -> float:
    return float(np.average(told.y_true == told.y_pred, weights=told.weight))


@pytest.mark.parametrize(
    ("compute", "found"),
    [
        (lambda told: 1.0 - share_right(told), "0 of the truth, and "),
        (lambda told: float("nan"), "nan of the truth"),
        (lambda told: float(np.mean(told.y_true == told.y_pred)), "with weights of 2, and "),
        (lambda told: share_right(told) + told.y_pred[0] * 1e-3, "in another order"),
        (lambda told: told.no_such_thing, "AttributeError: "),
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


def test_every_metric_check_is_in_its_list() -> None:
    assert len(metric_checks()) == 2
