"""What is asked for: several targets, comparisons in files, and runs that exist."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from widemargin.api import Run, run_documents
from widemargin.comparison import Cell, Plan, ask, make_plan
from widemargin.comparison.asked import ComparisonFile
from widemargin.config import Document, parse_overrides
from widemargin.errors import ConfigError, InputError, PluginError, RunNotFoundError
from widemargin.registry import discover
from widemargin.runs.store import RunStore

REGISTRY = discover()
ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "configs" / "comparisons").glob("*.yaml"))


def plan(*targets: str | Path, settings: tuple[str, ...] = (), runs: str = "", **axes: Any) -> Plan:
    store = RunStore(Path(runs or "no-such-folder"))
    asked = ask([str(one) for one in targets], axes, parse_overrides(settings), store, REGISTRY)
    return make_plan(asked, REGISTRY)


def config_of(cell: Cell) -> Any:
    assert cell.config is not None
    return cell.config


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str, name: str = "mine.yaml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Make one small run."""
    quick = {
        "data": dict(REGISTRY.use_case("table").fixture),
        "evaluation": {"outer": 3, "inner": 2, "resamples": 100, "map": "none"},
        "svm": {"C": 1.0},
    }
    home = tmp_path_factory.mktemp("runs")
    return run_documents("table", [Document(quick)], store=RunStore(home))


def test_several_use_cases_are_one_axis_in_the_order_given() -> None:
    found = plan("spam", "cancer", "credit")
    assert found.axes == ("use case",)
    assert [cell.name for cell in found.cells] == ["spam", "cancer", "credit"]
    assert found.use_cases == ("spam", "cancer", "credit")
    assert [config_of(cell).use_case for cell in found.cells] == ["spam", "cancer", "credit"]
    assert found.name.startswith("cancer-credit-spam-")
    assert found.name == plan("credit", "spam", "cancer").name
    many = plan("spam", "cancer", "credit", "trading")
    assert many.name.startswith("4-use-cases-")


def test_targets_and_kernels_make_all_combinations() -> None:
    found = plan("spam", "credit", kernel="linear,rbf")
    assert found.axes == ("use case", "kernel")
    assert [cell.name for cell in found.cells] == [
        "spam: linear", "spam: rbf", "credit: linear", "credit: rbf",
    ]  # fmt: skip
    assert [config_of(cell).svm.kernel for cell in found.cells] == ["linear", "rbf"] * 2


def test_configs_are_called_by_their_files(write: Any) -> None:
    spam, slow = write("use_case: spam\n", "usual.yaml"), write("use_case: spam\nseed: 1\n")
    found = plan(spam, slow)
    assert found.axes == ("config",)
    assert [cell.name for cell in found.cells] == ["usual", "mine"]
    credit = write("use_case: credit\n", "loans.yaml")
    assert [cell.name for cell in plan(spam, credit).cells] == ["spam/usual", "credit/loans"]
    assert plan(spam, "credit").axes == ("run",)


def test_configs_of_one_name_are_called_by_their_paths(write: Any, tmp_path: Path) -> None:
    first = write("use_case: spam\n")
    (tmp_path / "other").mkdir()
    second = tmp_path / "other" / "mine.yaml"
    second.write_text("use_case: spam\nseed: 1\n", encoding="utf-8")
    assert [cell.name for cell in plan(first, second).cells] == [str(first), str(second)]


def test_a_file_lists_runs_with_settings_and_names_of_their_own(write: Any) -> None:
    path = write(
        "title: Two seeds\n"
        "runs:\n"
        "  - spam\n"
        "  - target: spam\n"
        "    as: other seed\n"
        "    settings: {seed: 7, svm: {C: 3}}\n"
        "kernels: [linear, rbf]\n"
        "settings:\n"
        "  svm: {C: 2}\n"
        "  evaluation: {outer: 3}\n"
        "seed: 5\n"
    )
    found = plan(path)
    assert (found.title, found.file) == ("Two seeds", "mine")
    assert found.name.startswith("mine-")
    configs = [config_of(cell) for cell in found.cells]
    assert [one.seed for one in configs] == [5, 5, 7, 7]
    assert [one.svm.C for one in configs] == [2, 2, 3, 3]  # a run's own settings count more
    assert {one.evaluation.outer for one in configs} == {3}
    assert [cell.name for cell in found.cells] == [
        "spam: linear", "spam: rbf", "other seed: linear", "other seed: rbf",
    ]  # fmt: skip


def test_what_is_typed_counts_more_than_the_file(write: Any) -> None:
    path = write("runs: [spam]\nencoders: [tfidf, lsa]\nseed: 5\n")
    found = plan(path, settings=("seed=9",), encoder="tfidf,kmer", kernel="rbf")
    assert [cell.name for cell in found.cells] == ["tfidf with rbf", "kmer with rbf"]
    assert {config_of(cell).seed for cell in found.cells} == {9}


def test_an_encoder_with_settings_may_stand_in_a_file(write: Any) -> None:
    path = write("runs: [spam]\nencoders:\n  - tfidf\n  - {name: lsa, n_components: 9}\n")
    found = plan(path)
    assert [cell.name for cell in found.cells] == ["tfidf", "lsa (n_components: 9)"]
    assert config_of(found.cells[1]).features.encoder[0].settings.n_components == 9


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("runs: spam\n", "{file}:1: runs: must be a list of values"),
        ("runs: []\n", "{file}:1: runs: must hold at least 1 value"),
        ("runs: [spam]\nencodres: [tfidf]\n", "{file}:2: encodres: unknown setting. Did you mean"),
        ("runs: [spam, {as: x}]\n", "{file}:1: runs[1]: needs a target"),
        ("runs:\n  - spam\n  - {targt: spam}\n", "{file}:3: runs[1].targt: unknown setting"),
        ("runs:\n  - spam\n  - spamm\n", "{file}:3: runs[1]: There is no use case 'spamm'. Did"),
        ("runs: [spam, credit]\nseed: -1\n", "{file}:2: seed: must be a whole number from 0"),
        ("runs: [spam, credit]\nseed: 1\nseed: 2\n", "{file}:3: seed: is given twice, on lines"),
        (
            "runs: [spam, credit]\nseed: 1\nsettings: {seed: 2}\n",
            "{file}:3: settings.seed: is given twice, as seed and in settings",
        ),
        (
            "runs:\n  - spam\n  - target: credit\n    settings:\n      svm: {C: -1}\n",
            "{file}:5: svm.C: for credit: must be a number above 0; got -1",
        ),
        (
            "runs: [spam]\nencoders:\n  - tfidf\n  - {name: lsa, dimension: 3}\n",
            "{file}:4: features.encoder.dimension: unknown setting for encoder lsa",
        ),
        ("runs: [spam]\nkernels: [linear, linear]\n", "{file}: kernels names 'linear' twice"),
        ("runs: [spam]\nkernels: []\n", "{file}: kernels names nothing"),
        ("runs: [spam]\nkernels: [rbf]\n", "{file}: kernels names 'rbf' only"),
        (
            "runs: [spam]\nkernels: [rbf, linear]\nsettings: {svm: {kernel: poly}}\n",
            "{file}:3: svm.kernel: is what --kernels varies",
        ),
        ("runs: [spam]\n", "{file}: Say what to compare"),
        ("runs: [spam, spam]\n", "{file}: 'spam' is named twice"),
        (
            "runs: [spam, {target: spam, as: again}]\n",
            "{file}: 'spam' and 'again' have the same settings",
        ),
        ("runs: [spam, '']\n", "{file}:1: runs[1]: There is no use case ''."),
        ("runs: [spam]\nencoders: [tfidf, null]\n", "{file}:2: encoders[1]: must be text, a map"),
        ("runs: [spam]\nkernels: [rbf, 3]\n", "{file}:2: kernels[1]: must be text; got 3"),
        (
            "runs: [spam, credit]\nsettings: {use_case: spam}\n",
            "{file}:2: use_case: is no setting of a comparison, whose runs name their use cases",
        ),
        ("", "{file}: is empty"),
        ("runs:\n\t- spam\n", "{file}:2: is not YAML: a tab cannot indent a line; use spaces"),
    ],
)
def test_a_file_that_cannot_be_says_where_it_is_wrong(write: Any, text: str, message: str) -> None:
    path = write(text)
    with pytest.raises(InputError) as refused:
        plan(path)
    assert message.format(file=path) in str(refused.value)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("runs: [1, 2]\n", ["runs[0]", "runs[1]"]),
        ("runs: [[spam], [credit]]\n", ["runs[0]", "runs[1]"]),
        ("runs: [creditt, spam, spma]\n", ["runs[0]", "runs[2]"]),
        ("runs: [creditt, spam]\nkernels: [linear, rbff]\n", ["runs[0]"]),
        ("runs: [&a spam, *a]\n", ["runs[0]", "runs[1]"]),
    ],
)
def test_each_slip_is_told_once(write: Any, text: str, places: list[str]) -> None:
    with pytest.raises(ConfigError) as refused:
        plan(write(text))
    assert [problem.path for problem in refused.value.problems] == places


def test_a_config_of_no_use_case_is_named_with_its_line(write: Any) -> None:
    config = write("seed: 1\nuse_case: spma\n", "config.yaml")
    message = f"{config}:2: use_case: There is no use case 'spma'. Did you mean 'spam'?"
    for words in ([config, "credit"], [write(f"runs: ['{config}', credit]\n")]):
        with pytest.raises(ConfigError) as refused:
            plan(*words)
        assert str(refused.value).startswith(message)


def test_every_word_that_names_nothing_is_told() -> None:
    with pytest.raises(InputError) as refused:
        plan("spma", "credit", "creditt", "spma")
    assert str(refused.value).count("There is no use case") == 2
    assert "Did you mean 'spam'?" in str(refused.value)
    assert "Did you mean 'credit'?" in str(refused.value)


def test_all_that_is_wrong_with_a_file_is_told_at_once(write: Any) -> None:
    path = write("runs:\n  - {targt: spam}\n  - credit\nkernels: linear\nseed: 0.5\n")
    with pytest.raises(ConfigError) as refused:
        plan(path)
    assert [problem.line for problem in refused.value.problems] == [2, 4, 5]


def test_what_is_wrong_with_all_targets_is_told_once() -> None:
    with pytest.raises(ConfigError) as refused:
        plan("spam", "texts", settings=("svm.C=-1",))
    assert str(refused.value).count("svm.C: must be") == 1
    with pytest.raises(ConfigError, match=r"--set: data\.limit: for spam: unknown setting"):
        plan("spam", "images", settings=("data.limit=200",))


def test_a_comparisons_file_stands_alone(write: Any) -> None:
    path = write("runs: [spam, credit]\n")
    with pytest.raises(InputError, match="lists the runs of a comparison; name it alone"):
        plan("spam", path)
    nested = write(f"runs: [spam, '{path}']\n", "other.yaml")
    with pytest.raises(ConfigError, match="this file lists the runs of a comparison"):
        plan(nested)


def test_runs_that_exist_are_read_and_not_varied(made: Run) -> None:
    home = str(made.path.parents[1])
    found = plan("latest", "spam", runs=home)
    assert found.axes == ("run",)
    assert [cell.name for cell in found.cells] == [f"table/{made.id}", "spam"]
    assert found.cells[0].run == made.record
    assert found.cells[0].config is None
    for words, settings, axes, message in (
        (("latest", "spam"), (), {"kernel": "linear,rbf"}, "--kernels varies what is run, and"),
        (("latest",), (), {}, "or name several use cases, config files or runs"),
        (("latest", str(made.path)), (), {}, "is named twice"),
    ):
        with pytest.raises(InputError, match=message):
            plan(*words, settings=settings, runs=home, **axes)


def test_settings_change_nothing_of_runs_that_exist(made: Run, write: Any, tmp_path: Path) -> None:
    other = tmp_path / "runs" / "table" / f"{made.id}x"
    shutil.copytree(made.path, other)
    manifest = json.loads((other / "manifest.json").read_bytes())
    (other / "manifest.json").write_text(json.dumps(manifest | {"id": other.name}))
    home = str(made.path.parents[1])
    told = "seed would change what is run, and all of these runs exist already; leave it out"
    with pytest.raises(InputError, match=f"--set: {told}"):
        plan("latest", str(other), settings=("seed=1",), runs=home)
    for said in ("seed: 1", "settings: {seed: 1}"):
        path = write(f"runs: [latest, '{other}']\n{said}\n")
        with pytest.raises(InputError, match=re.escape(f"{path}: {told}")):
            plan(path, runs=home)
    path = write(f"runs:\n  - spam\n  - target: {made.id}\n    settings: {{seed: 1}}\n")
    with pytest.raises(ConfigError, match=r"4: runs\[1\]\.settings: this run exists"):
        plan(path, runs=home)


def test_what_names_nothing_is_told_with_what_it_could_be(made: Run) -> None:
    home = str(made.path.parents[1])
    with pytest.raises(PluginError, match="Did you mean 'credit'") as refused:
        plan("spam", "creditt", runs=home)
    assert f"Nor is it a config file (.yaml) or a run in {home}" in str(refused.value)
    with pytest.raises(RunNotFoundError, match="No run answers to '1999'"):
        plan("spam", "1999", runs=home)
    with pytest.raises(RunNotFoundError, match="There is none yet"):
        plan("spam", "latest")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_comparison_makes_a_plan(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    found = plan(path)
    assert found.title
    assert len(found.cells) >= 4


def test_the_shipped_comparisons_of_domains_are_of_all_of_them() -> None:
    domains = ["spam", "cancer", "proteins", "images", "credit", "trading", "sounds"]
    for name in ("domains", "quick"):
        found = plan(ROOT / "configs" / "comparisons" / f"{name}.yaml")
        assert [cell.use_case for cell in found.cells] == domains


def test_the_comparison_of_the_guide_makes_a_plan(
    write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    guide = (ROOT / "configs" / "README.md").read_text(encoding="utf-8")
    section = guide.partition("## Comparisons")[2].partition("\n## ")[0]
    [example] = re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)
    monkeypatch.chdir(ROOT)
    found = plan(write(example))
    assert len(found.cells) == 6
    assert found.axes == ("run", "kernel")
    assert all(f"`{key}`" in section for key in ComparisonFile.model_fields)
    assert all(f"`{path.name}`" in section for path in SHIPPED)


def test_a_slip_in_runs_is_named(write: Any) -> None:
    with pytest.raises(ConfigError, match=r"'rusn' is no setting\. Did you mean 'runs'\?"):
        plan(write("rusn: [spam, credit]\n"))
