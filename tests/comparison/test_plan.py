"""The plan: which cells an input makes, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from widemargin.comparison import Cell, Plan, ask, make_plan
from widemargin.config import Document, parse_overrides
from widemargin.errors import ConfigError, InputError, PluginError
from widemargin.registry import discover
from widemargin.runs.store import RunStore

REGISTRY = discover()


def plan(target: str = "spam", settings: tuple[str, ...] = (), **axes: Any) -> Plan:
    return plan_of(target, settings=settings, **axes)


def plan_of(*targets: str, settings: tuple[str, ...] = (), **axes: Any) -> Plan:
    overrides: Document = parse_overrides(settings)
    asked = ask(targets, axes, overrides, RunStore(Path("no-such-folder")), REGISTRY)
    return make_plan(asked, REGISTRY)


def config_of(cell: Cell) -> Any:
    assert cell.config is not None
    return cell.config


def encoders_of(config: Any) -> list[str]:
    return [choice.spec.name for choice in config.features.encoder]


def test_each_value_makes_a_cell_that_differs_in_it_alone() -> None:
    made = plan(encoder="tfidf, minilm", settings=("svm.C=10", "evaluation.outer=3"))
    assert [cell.name for cell in made.cells] == ["tfidf", "minilm"]
    assert [encoders_of(config_of(cell)) for cell in made.cells] == [["tfidf"], ["minilm"]]
    first, second = (config_of(cell).to_dict() for cell in made.cells)
    assert first.pop("features") != second.pop("features")
    assert first == second
    assert first["svm"]["C"] == 10


def test_cells_are_all_combinations_of_the_axes() -> None:
    made = plan(kernel="linear,rbf", encoder="tfidf,glove")
    assert made.axes == ("encoder", "kernel")
    assert [cell.name for cell in made.cells] == [
        "tfidf with linear",
        "tfidf with rbf",
        "glove with linear",
        "glove with rbf",
    ]
    assert [config_of(cell).svm.kernel for cell in made.cells] == ["linear", "rbf"] * 2


def test_one_encoder_under_two_kernels_is_a_comparison() -> None:
    assert len(plan(encoder="tfidf", kernel="linear,rbf").cells) == 2


def test_an_encoder_may_have_settings_and_several_may_be_joined() -> None:
    made = plan(
        encoder="glove, {name: glove, vectors: corpus}, {name: lsa, as: topics}, [tfidf, minilm]"
    )
    assert [cell.name for cell in made.cells] == [
        "glove",
        "glove (vectors: corpus)",
        "topics",
        "tfidf + minilm",
    ]
    assert config_of(made.cells[1]).features.encoder[0].settings.vectors == "corpus"
    assert encoders_of(config_of(made.cells[3])) == ["tfidf", "minilm"]


def test_one_encoder_may_be_compared_frozen_and_fine_tuned() -> None:
    made = plan(encoder="minilm, {name: minilm, train: {}}, {name: minilm, train: {method: last}}")
    assert [cell.name for cell in made.cells] == [
        "minilm",
        "minilm (fine-tuned)",
        "minilm (fine-tuned, method: last)",
    ]
    told = [config_of(cell).to_dict()["features"] for cell in made.cells]
    assert [one["train"] and one["train"]["method"] for one in told] == [None, "lora", "last"]
    assert told[0]["encoder"] == told[1]["encoder"]
    over = plan(encoder="minilm,{name: minilm, train: null}", settings=("features.train={}",))
    assert [cell.name for cell in over.cells] == ["minilm", "minilm (frozen)"]
    assert [config_of(cell).features.trains for cell in over.cells] == [True, False]


def test_the_folder_is_the_same_in_any_order_and_another_for_other_settings() -> None:
    one, turned = plan(encoder="tfidf,minilm"), plan(encoder="minilm,tfidf")
    assert one.name == turned.name
    assert one.name.startswith("spam-")
    assert one.name != plan(encoder="tfidf,minilm", settings=("seed=1",)).name
    assert one.name != plan(encoder="tfidf,lsa").name


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        (
            {},
            "Say what to compare: --encoders tfidf,minilm or --kernels linear,rbf, or name several",
        ),
        ({"encoder": "tfidf"}, "--encoders names 'tfidf' only, and a comparison needs two or more"),
        ({"encoder": "tfidf,lsa,tfidf"}, "--encoders names 'tfidf' twice"),
        ({"encoder": " "}, "--encoders names nothing; write it as in --encoders tfidf,minilm."),
        (
            {"encoder": "tfidf,{name: tfidf, min_df: 2}"},
            "'tfidf' and 'tfidf (min_df: 2)' have the same settings",
        ),
    ],
)
def test_what_is_no_comparison_is_refused(axes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as refused:
        plan(**axes)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ({"encoder": "tfidf,hgo"}, "--encoders: features.encoder: 'hgo' is no encoder"),
        ({"encoder": "tfidf,lsaa"}, "Did you mean 'lsa'?"),
        ({"kernel": "linear,rbff"}, "--kernels: svm.kernel: 'rbff' is no kernel"),
        ({"encoder": "tfidf,["}, "--encoders: features.encoder: is not YAML"),
        (
            {"encoder": "tfidf,{name: lsa, dimension: 9}"},
            "features.encoder.dimension: unknown setting",
        ),
        ({"encoder": "tfidf,3"}, "must be an encoder's name"),
        ({"encoder": "minilm,{name: tfidf, train: {}}"}, "tfidf cannot be fine-tuned"),
        ({"encoder": "lsa,{name: minilm, train: {epoch: 2}}"}, "--encoders: features.train.epoch"),
        (
            {"encoder": "lsa,[tfidf,{name: minilm, train: {}}]"},
            "--encoders: features.encoder: train stands with one encoder that is not in a list",
        ),
    ],
)
def test_a_value_that_cannot_be_is_refused_before_anything_runs(
    axes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        plan(**axes)
    assert message in str(refused.value)


def test_all_that_is_wrong_is_told_at_once_and_each_only_once() -> None:
    with pytest.raises(ConfigError) as refused:
        plan(encoder="tfdif,hgo", settings=("svm.C=-1",))
    text = str(refused.value)
    assert text.count("svm.C: must be") == 1
    assert "'tfdif' is no encoder" in text
    assert "'hgo' is no encoder" in text


def test_a_shared_setting_cannot_be_what_an_axis_varies() -> None:
    with pytest.raises(ConfigError) as refused:
        plan(encoder="tfidf,lsa", settings=("features.encoder.min_df=3",))
    assert "--set: features.encoder: is what --encoders varies" in str(refused.value)
    assert "--encoders 'tfidf,{name: glove, vectors: corpus}'" in str(refused.value)
    with pytest.raises(ConfigError, match=r"svm\.kernel: is what --kernels varies"):
        plan(kernel="linear,rbf", settings=("svm.kernel=rbf",))
    assert len(plan(encoder="tfidf,lsa", settings=("svm.kernel=rbf",)).cells) == 2


def test_a_use_case_that_is_not_there_is_named_once() -> None:
    with pytest.raises(PluginError, match="Did you mean 'spam'"):
        plan("spamm", encoder="tfidf,lsa")
