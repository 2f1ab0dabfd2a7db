"""Defaults, a file and overrides become one typed config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from widemargin.config import Document, RunConfig, dump_yaml, parse_overrides
from widemargin.contracts import UseCase

# Fixtures come from conftest.py; these are their types.
Resolve = Any
MakeUseCase = Any


def test_a_use_case_needs_no_config_at_all(resolved: Resolve) -> None:
    config = resolved()
    assert config.use_case == "spam"
    assert config.seed == 0
    assert config.data.source == "sms"
    assert config.svm.kernel == "linear"
    assert config.svm.C == "auto"
    assert config.evaluation.outer == 5


def test_defaults_give_way_to_the_file_and_the_file_to_overrides(resolved: Resolve) -> None:
    file = Document.parse("evaluation: {repeats: 3, outer: 4}\nsvm: {C: 1}", "my.yaml")
    config = resolved(file, parse_overrides(["svm.C=[1, 10]", "evaluation.outer=3"]))
    assert resolved().evaluation.repeats == 2
    assert config.evaluation.repeats == 3
    assert config.evaluation.outer == 3
    assert config.svm.C == (1.0, 10.0)


def test_values_from_python_may_be_tuples_paths_and_numpys_numbers(resolved: Resolve) -> None:
    import numpy as np

    config = resolved({"svm": {"C": (1, np.float64(10))}, "data": {"path": Path("x.csv")}})
    assert config.svm.C == (1.0, 10.0)
    assert config.data.path == Path("x.csv")


def test_a_config_is_frozen_and_equal_to_its_like(resolved: Resolve) -> None:
    assert resolved() == resolved({"seed": 0})
    assert resolved() != resolved({"seed": 1})
    with pytest.raises(ValueError, match="frozen"):
        resolved().seed = 3


@pytest.mark.parametrize("written", ["1", "007", "1e3", "True", "0x1F"])
def test_a_number_is_the_text_that_was_written_where_the_setting_is_text(
    written: str, resolved: Resolve
) -> None:
    # As the name of a column.
    assert (
        resolved(parse_overrides(["data.path=x.csv", f"data.label={written}"])).data.label
        == written
    )
    file = Document.parse(f"data:\n  path: 2024\n  label: {written}\n", "my.yaml")
    config = resolved(file)
    assert (config.data.label, config.data.path) == (written, Path("2024"))
    assert resolved(Document.parse(dump_yaml(config))) == config
    # A later layer's word is what counts.
    assert resolved(file, parse_overrides(["data.label=2"])).data.label == "2"
    assert resolved(file, parse_overrides(["svm.C=2", "seed=3"])).svm.C == 2.0


def test_classes_may_be_named_by_numbers(resolved: Resolve) -> None:
    config = resolved(Document.parse("svm: {class_weight: {0: 1, 1: 5.5}}"))
    assert config.svm.class_weight == {"0": 1.0, "1": 5.5}


def test_a_section_without_settings_says_nothing(resolved: Resolve) -> None:
    assert resolved(Document.parse("svm:\ndata:\n")) == resolved()


@pytest.mark.parametrize(
    ("data", "source"),
    [
        ({}, "sms"),
        ({"limit": 3}, "sms"),
        ({"path": "x"}, "csv"),
        ({"path": "x", "strip_quotes": False}, "mbox"),
        ({"path": "x", "source": "mbox"}, "mbox"),
        ({"path": "x", "source": "tsv"}, "tsv"),
    ],
)
def test_the_loader_is_named_or_the_first_that_knows_the_keys(
    resolved: Resolve, data: dict[str, Any], source: str
) -> None:
    assert resolved({"data": data}).data.source == source


def test_the_usual_source_comes_first_as_long_as_it_knows_the_keys(
    resolved: Resolve, make_use_case: MakeUseCase
) -> None:
    defaults = {
        "features": {"encoder": "tfidf"},
        "data": {"source": "mbox", "path": "usual.mbox", "strip_quotes": False},
    }
    case = make_use_case(defaults=defaults)
    assert resolved(case=case).data.source == "mbox"
    assert resolved({"data": {"path": "x"}}, case=case).data.source == "mbox"
    assert resolved({"data": {"limit": 2}}, case=case).data.model_dump() == {
        "source": "sms",
        "limit": 2,
    }
    changed = resolved({"data": {"source": "csv"}}, case=case).data
    assert changed.path == Path("usual.mbox")


def test_an_encoder_replaces_the_one_below_whole(resolved: Resolve) -> None:
    below = {"features": {"encoder": {"name": "tfidf", "min_df": 5}}}
    assert encoder(resolved(below)) == {"name": "tfidf", "words": [1, 2], "min_df": 5}
    again = {"features": {"encoder": {"name": "tfidf"}}}
    assert encoder(resolved(below, again))["min_df"] == 2
    other = parse_overrides(["features.encoder.name=hashing", "features.encoder.bits=4"])
    assert encoder(resolved(below, other)) == {"name": "hashing", "bits": 4}
    joined = resolved(below, {"features": {"encoder": ["tfidf", "hashing"]}})
    assert [one["name"] for one in encoder(joined)] == ["tfidf", "hashing"]


def test_default_blocks_that_other_encoders_do_not_make_are_left_out_with_the_old_ones(
    resolved: Resolve, use_case: UseCase
) -> None:
    below = {
        "features": {"encoder": ["tfidf", "hashing"]},
        "svm": {
            "kernel": "rbf",
            "blocks": {"tfidf": {"gamma": 1}, "hashing": {"gamma": 2}},
            "weights": {"tfidf": 1, "hashing": 2},
        },
    }
    case = replace(use_case, defaults=below)
    alone = {"features": {"encoder": "tfidf"}}
    other = resolved(alone, case=case)
    assert (other.svm.kernel, other.svm.blocks, other.svm.weights) == ("rbf", None, "equal")
    # The same names keep them, and a layer's own are its own.
    again = {"features": {"encoder": ["hashing", {"name": "tfidf", "min_df": 3}]}}
    assert resolved(again, case=case).svm == resolved(case=case).svm
    own = {**alone, "svm": {"blocks": {"tfidf": "linear"}}}
    assert list(resolved(own, case=case).svm.blocks) == ["tfidf"]
    # What a person wrote stays, and is refused where it does not fit.
    assert list(resolved(below, alone).svm.blocks) == ["tfidf", "hashing"]
    # A setting that is added to an encoder changes no name.
    one = {"features": {"encoder": "tfidf"}, "svm": {"blocks": {"tfidf": "rbf"}}}
    amended = resolved(one, parse_overrides(["features.encoder.min_df=7"]))
    assert list(amended.svm.blocks) == ["tfidf"]


def test_an_encoder_setting_without_a_name_amends_the_encoder_below(resolved: Resolve) -> None:
    override = parse_overrides(["features.encoder.min_df=7"])
    assert encoder(resolved(override)) == {"name": "tfidf", "words": [1, 2], "min_df": 7}
    below = {"features": {"encoder": {"name": "tfidf", "words": [1, 1]}}}
    assert encoder(resolved(below, override))["words"] == [1, 1]


def encoder(config: RunConfig) -> Any:
    return config.to_dict()["features"]["encoder"]


def test_neither_defaults_nor_documents_are_changed(
    resolved: Resolve, make_use_case: MakeUseCase
) -> None:
    defaults: dict[str, Any] = {"features": {"encoder": {"name": "tfidf"}}, "data": {"limit": 1}}
    file: dict[str, Any] = {"features": {"encoder": {"min_df": 3}}, "data": {"path": "x"}}
    resolved(file, {"data": {"label": "y"}}, case=make_use_case(defaults=defaults))
    assert defaults == {"features": {"encoder": {"name": "tfidf"}}, "data": {"limit": 1}}
    assert file == {"features": {"encoder": {"min_df": 3}}, "data": {"path": "x"}}


def test_the_resolved_config_spells_everything_out(resolved: Resolve) -> None:
    values = resolved({"svm": {"C": [1, 10]}}).to_dict()
    assert list(values) == ["use_case", "data", "features", "svm", "evaluation", "seed"]
    assert values["data"] == {"source": "sms", "limit": None}
    assert values["features"]["encoder"] == {"name": "tfidf", "words": [1, 2], "min_df": 2}
    assert values["svm"]["C"] == [1.0, 10.0]


grids = (
    st.just("auto")
    | st.floats(1e-300, 1e300)
    | st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=3)
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
data_sections = st.fixed_dictionaries(
    {"path": texts.filter(bool)}, optional={"text": texts, "label": texts}
) | st.fixed_dictionaries({}, optional={"limit": st.none() | st.integers(1, 9)})
encoders = st.sampled_from(
    ["tfidf", {"name": "hashing", "bits": 3}, ["hashing", {"name": "tfidf", "words": [2, 3]}]]
)
weights = st.sampled_from(["none", "root", "balanced"]) | st.dictionaries(texts, st.floats(0.1, 9))
configs = st.fixed_dictionaries(
    {
        "data": data_sections,
        "features": st.fixed_dictionaries({"encoder": encoders}),
        "svm": st.fixed_dictionaries(
            {},
            optional={
                "C": grids,
                "coef0": st.floats(allow_nan=False, allow_infinity=False),
                "class_weight": weights,
            },
        ),
        "seed": st.integers(0, 2**32 - 1),
    }
)


@settings(
    suppress_health_check=[
        *settings().suppress_health_check,
        HealthCheck.function_scoped_fixture,
    ]
)
@given(values=configs)
def test_a_resolved_config_resolves_again_to_an_equal_one(
    resolved: Resolve, values: Mapping[str, Any]
) -> None:
    config = resolved(values)
    assert resolved(config.to_dict()) == config
    assert resolved(Document.parse(dump_yaml(config))) == config


def test_a_loader_without_a_source_is_its_authors_mistake(use_case: UseCase) -> None:
    import dataclasses

    from widemargin.contracts import DatasetLoader

    with pytest.raises(TypeError, match="the loader DatasetLoader must declare `source`"):
        dataclasses.replace(use_case, data=(DatasetLoader,))
