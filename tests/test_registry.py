"""Plugins are found by their entry points; a broken one is named and takes nothing else down."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from typing import Any

import pytest

import widemargin
from widemargin.api import Run
from widemargin.contracts import RunRecord
from widemargin.errors import PluginError
from widemargin.registry import Registry, discover

Install = Callable[[str, Mapping[str, str], Mapping[str, str]], Path]

HOOKS = (
    "register_use_cases, register_encoders, register_kernels, register_metrics, "
    "register_commands, run_started, run_finished"
)

KERNEL = """
from widemargin import Kernel, hookimpl

def squares(X, Y):
    return (X @ Y.T + 1.0) ** 2

@hookimpl
def register_kernels():
    return [Kernel(name="{name}", summary="(x . y + 1)^2", pairwise=squares)]
"""


def install_kernel(install: Install, distribution: str, name: str) -> None:
    module = f"{distribution.replace('-', '_')}_plugin"
    install(distribution, {distribution: module}, {f"{module}.py": KERNEL.format(name=name)})


def reason(install: Install, source: str, **files: str) -> str:
    """Install a plugin beside a good one; return why it was left out."""
    install_kernel(install, "sunny", "sunshine")
    more = {f"{name}.py": content for name, content in files.items()}
    install("rainy", {"rain": "rain_plugin"}, {"rain_plugin.py": source, **more})
    registry = discover()
    assert "sunshine" in registry.kernels
    assert {"spam", "table", "texts"} <= set(registry.use_cases)
    [broken] = registry.broken
    assert (broken.name, broken.distribution) == ("rain", "rainy")
    assert "rain" not in [plugin.name for plugin in registry.plugins]
    return broken.reason


def reason_at(install: Install, source: str, line: int | None) -> str:
    """Return why a plugin was left out, without the line of its code that is named behind it."""
    said, _, place = reason(install, source).rpartition(" (")
    assert place.endswith(f"rain_plugin.py, line {line})" if line else "rain_plugin.py)")
    return said


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "widemargin", *words],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def test_our_own_plugins_come_through_entry_points_like_anybodys() -> None:
    registry = discover()
    assert {("generic", "widemargin"), ("spam", "widemargin")} <= {
        (plugin.name, plugin.distribution) for plugin in registry.plugins
    }
    assert not registry.broken
    assert not discover([]).use_cases


def test_a_plugin_of_another_distribution_is_found(install_plugin: Install) -> None:
    install_kernel(install_plugin, "sunny", "sunshine")
    registry = discover()
    [plugin] = [one for one in registry.plugins if one.distribution == "sunny"]
    assert plugin.version == "1.2"
    assert plugin.package == "sunny_plugin"
    assert plugin.registered == {"register_kernels": ("sunshine",)}
    assert registry.packages()[0] == "widemargin"
    assert "sunny_plugin" in registry.packages()


# Broken plugins


def test_a_failing_import_is_named_with_its_place(install_plugin: Install) -> None:
    said = reason(install_plugin, "import math\n\nimport no_such_library\n")
    assert said.startswith("ModuleNotFoundError: No module named 'no_such_library'")
    assert said.endswith("rain_plugin.py, line 3)")


def test_a_syntax_error_is_named_with_its_place(install_plugin: Install) -> None:
    said = reason(install_plugin, "def rain(:\n    pass\n")
    assert said.startswith("SyntaxError: ")
    assert said.endswith("rain_plugin.py, line 1)")


@pytest.mark.parametrize("stop", ["raise SystemExit(3)", "import sys; sys.exit('no rain today')"])
def test_a_plugin_that_exits_takes_nothing_down(install_plugin: Install, stop: str) -> None:
    assert reason(install_plugin, stop).startswith("SystemExit: ")


def test_an_error_inside_a_hook_is_named_with_its_place(install_plugin: Install) -> None:
    source = """
from widemargin import hookimpl

@hookimpl
def register_metrics():
    return [{}["rain"]]
"""
    said = reason(install_plugin, source)
    assert said.startswith("KeyError: 'rain'")
    assert said.endswith("rain_plugin.py, line 6)")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Rain today", "made of lower-case letters"),
        ("comparisons", "no use case can be named 'comparisons'"),
    ],
)
def test_a_use_case_that_is_refused_says_why(install_plugin: Install, name: str, why: str) -> None:
    source = f"""
import widemargin_spam
from dataclasses import replace
from widemargin import hookimpl

@hookimpl
def register_use_cases():
    return [replace(widemargin_spam.register_use_cases()[0], name={name!r})]
"""
    assert why in reason(install_plugin, source)


@pytest.mark.parametrize(
    ("misspelt", "right"),
    [
        ("register_kernel", "register_kernels"),
        ("register_usecases", "register_use_cases"),
        ("run_finish", "run_finished"),
    ],
)
def test_a_misspelt_hook_is_refused_with_the_nearest(
    install_plugin: Install, misspelt: str, right: str
) -> None:
    source = f"from widemargin import hookimpl\n\n@hookimpl\ndef {misspelt}():\n    return []\n"
    assert reason_at(install_plugin, source, 3) == (
        f"{misspelt!r} is no hook. Did you mean {right!r}? The hooks are {HOOKS}."
    )


def test_a_hook_with_an_argument_that_it_does_not_have_is_refused(install_plugin: Install) -> None:
    source = "from widemargin import hookimpl\n\n@hookimpl\ndef register_kernels(colour): ...\n"
    said = reason(install_plugin, source)
    assert "colour" in said
    assert "register_kernels" in said


def test_a_plugin_without_a_hook_is_refused_with_the_remedy(install_plugin: Install) -> None:
    assert reason_at(install_plugin, "def register_kernels():\n    return []\n", None) == (
        f"implements no hook. Mark a function with @widemargin.hookimpl; the hooks are {HOOKS}."
    )


REGISTERING = {
    "register_use_cases": "UseCase",
    "register_encoders": "EncoderSpec",
    "register_kernels": "Kernel",
    "register_metrics": "Metric",
    "register_commands": "Command",
}


@pytest.mark.parametrize(("hook", "wanted"), REGISTERING.items())
@pytest.mark.parametrize(
    ("returned", "what"),
    [
        ("None", "None"),
        ("'rain'", "a value of type str"),
        ("{'rain': 1}", "a value of type dict"),
        ("(1 for one in 'ab')", "a value of type generator"),
    ],
)
def test_what_is_no_list_is_refused_with_the_remedy(
    install_plugin: Install, hook: str, wanted: str, returned: str, what: str
) -> None:
    source = f"from widemargin import hookimpl\n\n@hookimpl\ndef {hook}():\n    return {returned}\n"
    assert reason_at(install_plugin, source, 3) == (
        f"{hook} returned {what}; it must return a list, as in `return [{wanted}(...)]`."
    )


@pytest.mark.parametrize(("hook", "wanted"), REGISTERING.items())
def test_an_item_of_another_type_is_refused(
    install_plugin: Install, hook: str, wanted: str
) -> None:
    source = f"from widemargin import hookimpl\n\n@hookimpl\ndef {hook}():\n    return ['rain']\n"
    assert reason_at(install_plugin, source, 3) == (
        f"{hook} returned a list with a value of type str in it; each item must be of the type "
        f"widemargin.{wanted}."
    )


@pytest.mark.parametrize(
    ("point", "said"),
    [
        ("rainy_plugin", "names the module 'rainy_plugin', which is not there"),
        ("rain_plugin.hooks", "names the module 'rain_plugin.hooks', which is not there"),
        ("rain_plugin:hooks", ": module 'rain_plugin' has no attribute 'hooks'"),
        ("rain_plugin:sky.hooks", " has no attribute 'hooks'"),
    ],
)
def test_an_entry_point_to_what_is_not_there_is_told_as_such(
    install_plugin: Install, point: str, said: str
) -> None:
    install_plugin("rainy", {"rain": point}, {"rain_plugin/__init__.py": "sky = 3\n"})
    [broken] = discover().broken
    assert broken.reason.startswith(f'the entry point rain = "{point}"')
    assert said in broken.reason
    assert broken.reason.endswith("; correct it in pyproject.toml, and install the plugin again.")


def test_an_entry_point_may_name_an_object_of_a_module(install_plugin: Install) -> None:
    source = f"import types\n{KERNEL.format(name='rain')}\n"
    source += "sky = types.SimpleNamespace(hooks=types.SimpleNamespace())\n"
    source += "sky.hooks.register_kernels = register_kernels\n"
    install_plugin("rainy", {"rain": "rain_plugin:sky.hooks"}, {"rain_plugin.py": source})
    assert "rain" in discover().kernels


# Names that clash


def test_a_name_of_two_distributions_is_refused_by_naming_both(install_plugin: Install) -> None:
    install_kernel(install_plugin, "sunny", "light")
    install_kernel(install_plugin, "twilight", "light")
    registry = discover()
    [broken] = registry.broken
    assert (broken.name, broken.distribution) == ("twilight", "twilight")
    assert broken.reason == (
        "the kernel 'light' is registered by the plugin 'sunny' of sunny already. Rename it in "
        f"the plugin 'twilight' of twilight, or uninstall one of the two. ({broken.where})"
    )
    assert broken.where.endswith("twilight_plugin.py, line 9")
    assert registry.kernels["light"].pairwise.__module__ == "sunny_plugin"


def test_a_name_of_widemargins_own_is_refused(install_plugin: Install) -> None:
    install_kernel(install_plugin, "sunny", "rbf")
    [broken] = discover().broken
    assert "the kernel 'rbf' is registered by widemargin itself already" in broken.reason


def test_the_newcomer_is_refused_whatever_its_name(install_plugin: Install) -> None:
    source = """
import widemargin_spam
from widemargin import hookimpl

@hookimpl
def register_use_cases():
    return widemargin_spam.register_use_cases()
"""
    install_plugin("aaa", {"aaa": "aaa_plugin"}, {"aaa_plugin.py": source})
    registry = discover()
    [broken] = registry.broken
    assert "the use case 'spam' is registered by the plugin 'spam' of widemargin" in broken.reason
    assert "in the plugin 'aaa' of aaa" in broken.reason


def test_a_name_twice_in_one_list_is_refused(install_plugin: Install) -> None:
    source = KERNEL.format(name="rain").replace("return [", "return 2 * [")
    assert reason_at(install_plugin, source, 7) == (
        "register_kernels returned 'rain' twice; rename one of them."
    )


def test_a_command_that_could_not_be_reached_is_refused(install_plugin: Install) -> None:
    source = COMMAND.replace('name="drizzle"', 'name="predict"')
    line = source[: source.index('name="predict"')].count("\n") + 1
    assert reason_at(install_plugin, source, line) == (
        "the command 'predict' is registered by widemargin itself already. Rename it in the plugin "
        "'rain' of rainy, or uninstall one of the two."
    )


# Arguments that nothing gives


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        (
            "def run_started(usecase, run_id): pass",
            "run_started is given no 'usecase'. Did you mean 'use_case'? Its arguments are "
            "use_case, run_id.",
        ),
        (
            "def run_finished(run, more=3): pass",
            "run_finished is given no 'run'. Its arguments are record.",
        ),
        (
            "def register_metrics(registry): return []",
            "register_metrics is given no 'registry'. Its parentheses stay empty.",
        ),
    ],
)
def test_an_argument_that_a_hook_has_not_is_told_with_those_that_it_has(
    install_plugin: Install, hook: str, said: str
) -> None:
    source = f"from widemargin import hookimpl\n\n@hookimpl\n{hook}\n"
    assert reason_at(install_plugin, source, 3) == said


def test_a_misspelt_argument_of_a_spec_has_its_own_line(install_plugin: Install) -> None:
    source = KERNEL.format(name="rain").replace("summary=", "\n        sumary=")
    assert reason_at(install_plugin, source, 10) == (
        "TypeError: Kernel.__init__() got an unexpected keyword argument 'sumary'"
    )


ASSET = """
from dataclasses import replace
import widemargin_spam
from widemargin import hookimpl

@hookimpl
def register_use_cases():
    [spam] = widemargin_spam.register_use_cases()

    class Loader({base}):
        assets = ({asset},)

    return [replace(spam, name="{name}", data=(Loader, *spam.data[1:]))]
"""


def test_two_assets_that_differ_cannot_share_a_name(install_plugin: Install) -> None:
    source = ASSET.format(
        name="ham", base="spam.data[0]", asset="replace(spam.data[0].assets[0], licence='none')"
    )
    assert reason(install_plugin, source) == (
        "the asset 'sms-spam' is another one in the plugin 'spam' of widemargin already. Rename it "
        "in the plugin 'rain' of rainy, or uninstall one of the two."
    )
    assert discover().assets()["sms-spam"].licence == "CC BY 4.0"


def test_an_asset_of_an_encoder_of_ours_cannot_be_another_one(install_plugin: Install) -> None:
    source = ASSET.format(
        name="ham", base="spam.data[0]", asset="replace(spam.data[0].assets[0], name='minilm')"
    )
    assert reason(install_plugin, source) == (
        "the asset 'minilm' is another one in widemargin itself already. Rename it in the plugin "
        "'rain' of rainy, or uninstall one of the two."
    )


def test_two_loaders_may_use_the_same_asset(install_plugin: Install) -> None:
    source = ASSET.format(name="ham", base="spam.data[0]", asset="spam.data[0].assets[0]")
    install_plugin("rainy", {"rain": "rain_plugin"}, {"rain_plugin.py": source})
    registry = discover()
    assert not registry.broken
    assert "ham" in registry.use_cases


def test_an_entry_point_name_of_two_distributions_is_refused(install_plugin: Install) -> None:
    install_kernel(install_plugin, "sunny", "sunshine")
    files = {"other_plugin.py": KERNEL.format(name="other")}
    install_plugin("zebra", {"sunny": "other_plugin"}, files)
    [broken] = discover().broken
    assert broken.distribution == "zebra"
    assert broken.reason.startswith("the entry point name 'sunny' is taken by sunny")
    assert "pyproject.toml" in broken.reason


# What a registry is and says


def test_a_registry_cannot_be_changed(install_plugin: Install) -> None:
    install_kernel(install_plugin, "sunny", "sunshine")
    registry = discover()
    for field in fields(Registry):
        with pytest.raises(FrozenInstanceError):
            setattr(registry, field.name, None)
        held: Any = getattr(registry, field.name)
        assert isinstance(held, tuple) or not hasattr(held, "__setitem__")
    assert not hasattr(registry.plugins[0].registered, "__setitem__")
    with pytest.raises(FrozenInstanceError):
        registry.plugins[0].name = "other"  # type: ignore[misc]  # that it is refused is the point


def test_discovering_twice_gives_registries_of_their_own(install_plugin: Install) -> None:
    before = discover()
    install_kernel(install_plugin, "sunny", "sunshine")
    assert "sunshine" in discover().kernels
    assert "sunshine" not in before.kernels


def test_an_unknown_use_case_is_told_with_the_nearest_and_the_broken(
    install_plugin: Install,
) -> None:
    install_plugin("rainy", {"rain": "rain_plugin"}, {"rain_plugin.py": "1 / 0"})
    with pytest.raises(PluginError) as caught:
        discover().use_case("spma")
    first, second = str(caught.value).splitlines()
    said, installed = first.split(" Installed are ")
    assert said == "There is no use case 'spma'. Did you mean 'spam'?"
    assert installed == f"{', '.join(sorted(discover().use_cases))}."
    assert second.startswith(
        "The plugin 'rain' of rainy is broken: ZeroDivisionError: division by zero"
    )


def test_an_unknown_metric_is_told_with_the_nearest() -> None:
    with pytest.raises(PluginError, match=r"'acuracy', .* Did you mean 'accuracy'\?"):
        discover().metric("acuracy", "spam")


def test_the_assets_of_all_loaders_are_known() -> None:
    assert discover().assets()["sms-spam"].licence == "CC BY 4.0"


# Listening to runs

LISTENER = """
from widemargin import hookimpl

heard = []

@hookimpl
def run_started(use_case, run_id):
    {started}

@hookimpl
def run_finished(record):
    {finished}
"""


def run_table(tmp_path: Path, **sections: Any) -> Run:
    return widemargin.run(
        "table",
        data={"source": "diabetes"},
        svm={"kernel": "linear", "C": 1} | sections.pop("svm", {}),
        evaluation={"outer": 2, "inner": 2, "resamples": 100},
        runs=tmp_path / "runs",
        **sections,
    )


def test_a_plugin_hears_of_runs_as_it_asked(install_plugin: Install, tmp_path: Path) -> None:
    source = LISTENER.format(
        started="heard.append((use_case, run_id))", finished="heard.append(record)"
    )
    install_plugin("ears", {"ears": "ears_plugin"}, {"ears_plugin.py": source})
    run = run_table(tmp_path)
    import ears_plugin  # type: ignore[import-not-found]  # installed by this test

    (started, record) = ears_plugin.heard
    assert started == ("table", run.id)
    assert isinstance(record, RunRecord)
    assert record.path == run.path


@pytest.mark.parametrize("failing", ["raise ValueError('deaf')", "raise SystemExit('deaf')"])
def test_a_listener_that_fails_is_named_and_costs_no_run(
    install_plugin: Install, tmp_path: Path, failing: str
) -> None:
    deaf = LISTENER.format(started=failing, finished=failing)
    install_plugin("deaf", {"deaf": "deaf_plugin"}, {"deaf_plugin.py": deaf})
    hearing = LISTENER.format(started="heard.append(1)", finished="heard.append(2)")
    install_plugin("ears", {"ears": "ears_plugin"}, {"ears_plugin.py": hearing})
    with pytest.warns(RuntimeWarning, match="plugin 'deaf' of deaf: run_") as told:
        run = run_table(tmp_path)
    kind = failing.removeprefix("raise ").partition("(")[0]
    deaf_plugin = tmp_path / "site" / "deaf_plugin.py"
    assert [str(one.message) for one in told] == [
        f"plugin 'deaf' of deaf: run_started failed: {kind}: deaf ({deaf_plugin}, line 8)",
        f"plugin 'deaf' of deaf: run_finished failed: {kind}: deaf ({deaf_plugin}, line 12)",
    ]
    assert run.path.is_dir()
    import ears_plugin  # as above

    assert ears_plugin.heard == [1, 2]


# What plugins register is used

ENCODER = """
import numpy as np
from pydantic import Field
from widemargin import EncoderSpec, Section, hookimpl
from widemargin.encoders import Share, State, Transformer


class RankSettings(Section):
    power: float = Field(1.0, description="what ranks are raised to")


class RankEncoder(Transformer):
    def __init__(self, power=1.0):
        self.power = power

    def fit(self, X, y=None):
        self.columns_ = [np.sort(np.asarray(X[name], dtype=float)) for name in X]
        return self

    def transform(self, X):
        ranks = [
            np.searchsorted(own, np.asarray(X[name], dtype=float)) / len(own)
            for own, name in zip(self.columns_, X)
        ]
        return np.column_stack(ranks) ** self.power

    def get_feature_names_out(self, input_features=None):
        return np.array([f"rank {i}" for i in range(len(self.columns_))], dtype=object)

    def get_state(self):
        return State({str(i): own for i, own in enumerate(self.columns_)}, {})

    def set_state(self, state):
        self.columns_ = [state.arrays[str(i)] for i in range(len(state.arrays))]
        return self

    def explain(self, X, coef):
        return [
            [Share(str(name), float(part)) for name, part in zip(X, row * coef)]
            for row in self.transform(X)
        ]


@hookimpl
def register_encoders():
    return [
        EncoderSpec(
            name="rank", summary="Ranks of numbers.", kinds=("table",), learns="X",
            settings=RankSettings, build=lambda settings: RankEncoder(settings.power),
        )
    ]
"""


def test_a_run_uses_a_plugins_encoder_with_its_settings(
    install_plugin: Install, tmp_path: Path
) -> None:
    install_plugin("ranks", {"ranks": "ranks_plugin"}, {"ranks_plugin.py": ENCODER})
    run = run_table(tmp_path, features={"encoder": {"name": "rank", "power": 0.5}})
    assert run.record.config["features"]["encoder"] == {"name": "rank", "power": 0.5}
    assert run.metrics["r2"] > 0.3
    row = dict.fromkeys(("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"), 50.0)
    import pandas as pd

    assert len(run.predict(pd.DataFrame([row]), explain=True)) == 1


def test_a_setting_of_a_plugins_encoder_is_checked(install_plugin: Install, tmp_path: Path) -> None:
    install_plugin("ranks", {"ranks": "ranks_plugin"}, {"ranks_plugin.py": ENCODER})
    with pytest.raises(widemargin.WidemarginError, match="Did you mean 'power'"):
        run_table(tmp_path, features={"encoder": {"name": "rank", "powr": 2}})


def test_a_run_uses_a_plugins_kernel(install_plugin: Install, tmp_path: Path) -> None:
    install_kernel(install_plugin, "sunny", "sunshine")
    run = run_table(tmp_path, svm={"kernel": "sunshine", "C": 0.1})
    assert (
        json.loads((run.path / "model" / "model.json").read_bytes())["kernel"]["kernel"]
        == "sunshine"
    )


METRIC = """
from dataclasses import replace
import widemargin_generic
from widemargin import Metric, hookimpl

def largest_error(predictions):
    return float(abs(predictions.y_true - predictions.y_pred).max())

@hookimpl
def register_metrics():
    return [
        Metric(
            name="largest_error", title="largest error", summary="The worst miss.",
            task="regression", compute=largest_error, greater_is_better=False, unit="target",
        )
    ]

@hookimpl
def register_use_cases():
    table = widemargin_generic.register_use_cases()[1]
    return [replace(table, name="worst", metrics=("r2", "largest_error"))]
"""


def test_a_run_measures_a_plugins_metric(install_plugin: Install, tmp_path: Path) -> None:
    install_plugin("worst", {"worst": "worst_plugin"}, {"worst_plugin.py": METRIC})
    run = widemargin.run(
        "worst",
        data={"source": "diabetes"},
        svm={"kernel": "linear", "C": 1},
        evaluation={"outer": 2, "inner": 2, "resamples": 100},
        runs=tmp_path / "runs",
    )
    assert 100 < run.metrics["largest_error"] < 400
    assert run.table()[1][0].startswith("largest error")


COMMAND = """
from widemargin import Command, hookimpl

def drizzle(times: int = 1, colour: str = "grey") -> None:
    for _ in range(times):
        print(f"{colour} rain")

@hookimpl
def register_commands():
    return [Command(name="drizzle", summary="Rain a little.", run=drizzle)]
"""


def test_the_command_line_has_a_plugins_command(install_plugin: Install) -> None:
    install_plugin("rainy", {"rain": "rain_plugin"}, {"rain_plugin.py": COMMAND})
    done = command("drizzle", "--times", "2", "--colour", "blue")
    assert (done.stdout, done.stderr, done.returncode) == ("blue rain\nblue rain\n", "", 0)
    assert "Rain a little." in command("drizzle", "--help").stdout


# The command line with a broken plugin present


def test_plugin_list_shows_what_is_there_and_what_is_broken(install_plugin: Install) -> None:
    install_kernel(install_plugin, "sunny", "sunshine")
    install_plugin("rainy", {"rain": "rain_plugin"}, {"rain_plugin.py": "import no_such_library"})
    done = command("plugin", "list")
    assert done.returncode == 0
    said = " ".join((done.stdout + done.stderr).split())
    assert "spam widemargin" in said
    assert "use cases: spam" in said
    assert "sunny sunny 1.2 kernels: sunshine" in said
    assert "rain of rainy is broken and was left out: ModuleNotFoundError" in said
    assert "Traceback" not in said


def test_plugin_list_says_the_same_in_json(install_plugin: Install) -> None:
    install_kernel(install_plugin, "sunny", "sunshine")
    install_plugin("rainy", {"rain": "rain_plugin"}, {"rain_plugin.py": "raise SystemExit(7)"})
    done = command("plugin", "list", "--json")
    assert done.returncode == 0
    said = json.loads(done.stdout)
    [broken] = said["broken"]
    assert broken["name"] == "rain"
    assert broken["distribution"] == "rainy"
    assert broken["reason"].startswith("SystemExit: 7")
    assert {
        "name": "sunny",
        "distribution": "sunny",
        "version": "1.2",
        "registered": {"register_kernels": ["sunshine"]},
    } in said["plugins"]


def test_a_command_that_needs_no_broken_plugin_works(install_plugin: Install) -> None:
    install_plugin("rainy", {"rain": "rain_plugin"}, {"rain_plugin.py": "raise SystemExit(7)"})
    done = command("config", "show", "spam")
    assert done.returncode == 0
    assert "encoder" in done.stdout


def test_asking_for_a_broken_plugins_use_case_names_the_plugin(install_plugin: Install) -> None:
    install_plugin("rainy", {"rain": "rain_plugin"}, {"rain_plugin.py": "raise SystemExit(7)"})
    done = command("run", "rain")
    assert done.returncode == 2
    said = " ".join(done.stderr.split())
    assert "There is no use case 'rain'" in said
    assert "The plugin 'rain' of rainy is broken: SystemExit: 7" in said
