"""Every setting of a use case is described, and a template holds them all."""

from __future__ import annotations

import re
from typing import Any

import pytest

from widemargin.config import Document, Setting, describe, template
from widemargin.contracts import UseCase

# Fixtures come from conftest.py; these are their types.
Fixture = Any


@pytest.fixture
def settings(use_case: UseCase, encoders: Fixture, kernels: Fixture) -> list[Setting]:
    return describe(use_case, encoders, kernels)


def only(settings: list[Setting], path: str, of: str = "") -> Setting:
    (found,) = (one for one in settings if (one.path, one.of) == (path, of))
    return found


def test_settings_come_in_the_order_of_a_config(settings: list[Setting]) -> None:
    assert [(one.path, one.of) for one in settings] == [
        ("use_case", ""),
        ("data.source", "sms"),
        ("data.limit", "sms"),
        ("data.source", "csv"),
        ("data.path", "csv"),
        ("data.text", "csv"),
        ("data.label", "csv"),
        ("data.source", "mbox"),
        ("data.path", "mbox"),
        ("data.strip_quotes", "mbox"),
        ("features.encoder", ""),
        ("features.encoder.bits", "hashing"),
        ("features.encoder.words", "tfidf"),
        ("features.encoder.min_df", "tfidf"),
        ("features.lengths.shortest", ""),
        ("features.lengths.longest", ""),
        ("svm.kernel", ""),
        ("svm.blocks", ""),
        ("svm.combine", ""),
        ("svm.weights", ""),
        ("svm.C", ""),
        ("svm.gamma", ""),
        ("svm.degree", ""),
        ("svm.coef0", ""),
        ("svm.epsilon", ""),
        ("svm.class_weight", ""),
        ("svm.costs", ""),
        ("svm.scheme", ""),
        ("svm.calibration", ""),
        ("svm.rule", ""),
        ("svm.engine", ""),
        ("evaluation.split", ""),
        ("evaluation.outer", ""),
        ("evaluation.inner", ""),
        ("evaluation.repeats", ""),
        ("evaluation.embargo", ""),
        ("evaluation.shots", ""),
        ("evaluation.resamples", ""),
        ("evaluation.confidence", ""),
        ("evaluation.positive", ""),
        ("evaluation.map", ""),
        ("seed", ""),
    ]


def test_a_setting_has_type_default_help_and_what_is_allowed(settings: list[Setting]) -> None:
    kernel = only(settings, "svm.kernel")
    assert kernel.help == "similarity of two items: linear, poly, rbf"
    assert kernel.allowed == ("linear", "poly", "rbf")
    assert kernel.default == "linear"
    C = only(settings, "svm.C")
    assert C.type == "auto, a number above 0, or a list of them"
    assert C.default == "auto"
    path = only(settings, "data.path", "csv")
    assert (path.type, path.default, path.required) == ("a path", "required", True)
    words = only(settings, "features.encoder.words", "tfidf")
    assert (words.type, words.default) == ("a list of 2 whole numbers from 1 to 10", "[1, 2]")
    assert only(settings, "data.source", "csv").allowed == ("csv", "tsv")
    encoder = only(settings, "features.encoder")
    assert encoder.allowed == ("hashing", "tfidf")
    assert encoder.help == "what turns a message into a vector: hashing, tfidf"
    assert only(settings, "features.lengths.longest").default == "99"
    assert only(settings, "data.strip_quotes", "mbox").type == "true or false"
    assert only(settings, "data.limit", "sms").default == "null"


def test_every_setting_has_a_line_of_help(settings: list[Setting]) -> None:
    assert [one.path for one in settings if not one.help or "\n" in one.help] == []


def test_the_use_cases_own_defaults_count(
    make_use_case: Fixture, encoders: Fixture, kernels: Fixture
) -> None:
    defaults = {
        "evaluation": {"repeats": 9},
        "features": {"encoder": ["tfidf", "hashing"], "lengths": {"longest": 5}},
        "data": {"source": "tsv", "path": "usual.tsv"},
        "seed": 4,
    }
    found = describe(make_use_case(defaults=defaults), encoders, kernels)
    assert only(found, "evaluation.repeats").value == 9
    assert only(found, "features.encoder").default == "[tfidf, hashing]"
    assert only(found, "features.lengths.longest").value == 5
    assert only(found, "features.lengths.shortest").value == 1
    assert only(found, "seed").value == 4
    assert found[1].of == "csv"
    assert only(found, "data.source", "csv").value == "tsv"
    assert only(found, "data.path", "csv").value == "usual.tsv"
    # A key of the defaults counts for every source that knows it, as it does in a run.
    assert only(found, "data.path", "mbox").value == "usual.tsv"


def test_what_is_described_is_what_a_config_resolves_to(
    settings: list[Setting], resolved: Fixture
) -> None:
    values = resolved().to_dict()
    for setting in settings:
        if setting.of in ("", "sms") and setting.path != "features.encoder":
            value = values
            for key in setting.path.split("."):
                value = value[key]
            assert value == setting.value, setting.path


@pytest.mark.parametrize(
    "defaults",
    [
        {"features": {"encoder": "tfidf"}},
        {
            "features": {"encoder": ["hashing", {"name": "tfidf", "words": [2, 2]}]},
            "data": {"source": "mbox", "path": "no: 'good'\u00e9.mbox"},
            "svm": {"class_weight": {"yes": 1.5}, "C": [1e-9, 1e22]},
        },
    ],
)
def test_a_template_changes_nothing(
    make_use_case: Fixture,
    encoders: Fixture,
    kernels: Fixture,
    resolved: Fixture,
    defaults: dict[str, Any],
) -> None:
    case = make_use_case(defaults=defaults)
    text = template(case, encoders, kernels)
    document = Document.parse(text, "my.yaml")
    assert document.use_case() == "spam"
    assert resolved(document, case=case) == resolved(case=case)


def test_a_template_names_every_setting_with_its_help(
    use_case: UseCase, encoders: Fixture, kernels: Fixture, settings: list[Setting]
) -> None:
    text = template(use_case, encoders, kernels)
    assert all(len(line) <= 96 for line in text.splitlines())
    words = " ".join(re.sub(r"^\s*#\s*", "", line) for line in text.splitlines())
    for setting in settings:
        assert f"{setting.path.rpartition('.')[2]}:" in words
        assert setting.help in words
    assert "  # Or, in place of the settings above, data from source csv:" in text
    assert "  # Settings of the encoder tfidf stand beside its name:" in text
    assert "  #     encoder: {name: tfidf, words: [1, 2]}" in text


def test_required_settings_of_a_template_are_to_be_filled_in(
    make_use_case: Fixture,
    encoders: Fixture,
    kernels: Fixture,
    resolved: Fixture,
    refused: Fixture,
) -> None:
    case = make_use_case("csv")
    text = template(case, encoders, kernels)
    (line,) = refused(text, case=case)
    assert re.fullmatch(r"my\.yaml:\d+: data\.path: is required: the file\. .*", line)
    assert "  # the file (a path); required: fill it in and remove the '#'\n  # path:\n" in text
    filled = text.replace("  # path:\n", "  path: mails.csv\n")
    config = resolved(Document.parse(filled), case=case)
    assert config == resolved({"data": {"path": "mails.csv"}}, case=case)
