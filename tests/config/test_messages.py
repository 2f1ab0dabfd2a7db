"""Whatever is wrong with a config is said at once, each problem once, in plain sentences."""

from __future__ import annotations

from typing import Any

import pytest

from widemargin.config import Document, parse_overrides

# Fixtures come from conftest.py; these are their types.
Refused = Any
MakeUseCase = Any

SVM = (
    "Allowed are kernel, blocks, combine, weights, C, gamma, degree, coef0, epsilon, class_weight, "
    "costs, scheme, calibration, rule, engine."
)
TOP = "Allowed are use_case, data, features, svm, evaluation, seed."
GRID = "must be auto, a number above 0, or a list of them; got"


def test_every_problem_of_every_layer_is_told_once_with_its_place(refused: Refused) -> None:
    file = """\
use_case: spam
svm:
  kernal: rbf
  C: -1
  gamma: abc
  C: 3
evaluation:
  outer: 1
  inner: &x 2.5
seed: true
"""
    assert refused(file, parse_overrides(["svm.degree=0", "oops", "sed=1"])) == [
        f"my.yaml:3: svm.kernal: unknown setting. Did you mean 'kernel'? {SVM}",
        "my.yaml:4: svm.C: must be a number above 0; got -1",
        f"my.yaml:5: svm.gamma: {GRID} 'abc'",
        "my.yaml:6: svm.C: is given twice, on lines 4 and 6; keep one",
        "my.yaml:8: evaluation.outer: must be a whole number from 2 to 100; got 1",
        "my.yaml:9: evaluation.inner: the anchor &x is not allowed; remove it",
        "my.yaml:9: evaluation.inner: must be a whole number from 2 to 100; got 2.5",
        "my.yaml:10: seed: must be a whole number from 0 to 4294967295; got true",
        "--set: 'oops' must have the form key=value, as in svm.C=10",
        "--set: svm.degree: must be a whole number from 1 to 10; got 0",
        f"--set: sed: unknown setting. Did you mean 'seed'? {TOP}",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("svm: {C: 0}", "svm.C: must be a number above 0; got 0"),
        ("svm: {C: .inf}", "svm.C: must be a finite number above 0; got .inf"),
        ("svm: {C: .nan}", "svm.C: must be a finite number above 0; got .nan"),
        ("svm: {C: true}", f"svm.C: {GRID} true"),
        ("svm: {C: null}", f"svm.C: {GRID} null"),
        ("svm: {C: {number: 3}}", f"svm.C: {GRID} {{number: 3}}"),
        ("svm: {C: []}", "svm.C: must hold at least 1 value; got []"),
        ("svm: {C: [1, -1]}", "svm.C[1]: must be a number above 0; got -1"),
        ("svm: {C: [1, x]}", "svm.C[1]: must be a number above 0; got 'x'"),
        ("svm: {coef0: 'abc'}", "svm.coef0: must be a number; got 'abc'"),
        (
            "svm: {engine: fast}",
            "svm.engine: must be one of auto, native, scikit-learn; got 'fast'",
        ),
        ("svm: {kernel: 5}", "svm.kernel: '5' is no kernel; allowed are linear, poly, rbf."),
        (
            "svm: {kernel: rbff}",
            "svm.kernel: 'rbff' is no kernel; allowed are linear, poly, rbf. Did you mean 'rbf'?",
        ),
        (
            "svm: {class_weight: 5}",
            "svm.class_weight: must be none, root, balanced, or a mapping of names to numbers "
            "above 0; got 5",
        ),
        (
            "svm: {class_weight: {spam: 0}}",
            "svm.class_weight.spam: must be a number above 0; got 0",
        ),
        (
            "evaluation: {confidence: 1}",
            "evaluation.confidence: must be a number above 0.5 and below 1; got 1",
        ),
        ("evaluation: {map: 5}", "evaluation.map: must be a whole number from 10 to 5000; got 5"),
        (
            "evaluation: {map: all}",
            "evaluation.map: must be auto, none, or a whole number from 10 to 5000; got 'all'",
        ),
        ("svm: 5", "svm: must be a section with settings in it; got 5"),
        ("svm: [1]", "svm: must be a section with settings in it; got [1]"),
        ("use_case: ham", "use_case: must be spam, the use case that is to run; got 'ham'"),
        ("use_case: [a]", "use_case: must be spam, the use case that is to run; got [a]"),
        ("kernel: rbf", f"kernel: unknown setting. Did you mean 'svm.kernel'? {TOP}"),
        ("kernal: rbf", f"kernal: unknown setting. Did you mean 'svm.kernel'? {TOP}"),
        ("min_df: 3", f"min_df: unknown setting. Did you mean 'features.encoder.min_df'? {TOP}"),
        ("zzzzz: 3", f"zzzzz: unknown setting. {TOP}"),
        ("svm: {outer: 3}", f"svm.outer: unknown setting. Did you mean 'evaluation.outer'? {SVM}"),
        (
            "data: {source: cvs}",
            "data.source: must be one of sms, csv, tsv, mbox; got 'cvs'. Did you mean 'csv'?",
        ),
        ("data: {source: 5}", "data.source: must be one of sms, csv, tsv, mbox; got 5"),
        (
            "data: {source: sms, path: x}",
            "data.path: unknown setting for source sms; it belongs to source csv, mbox. "
            "Allowed are source, limit.",
        ),
        (
            "data: {path: x, txt: body}",
            "data.txt: unknown setting. Did you mean 'text'? Allowed are source, path, text, "
            "label.",
        ),
        (
            "data: {path: x, label: null}",
            "data.label: must be text; got null, which is text only in quotes",
        ),
        ("data: {limit: 0}", "data.limit: must be a whole number of at least 1; got 0"),
        (
            "data: {limit: few}",
            "data.limit: must be a whole number of at least 1, or null; got 'few'",
        ),
        (
            "data: {source: csv, path: null}",
            "data.path: must be a path; got null, which is text only in quotes",
        ),
        (
            "data: {source: csv}",
            "data.path: is required: the file. Give it in the config, or as --set data.path=...",
        ),
        (
            "features: {lengths: {shortest: a}}",
            "features.lengths.shortest: must be a whole number; got 'a'",
        ),
        (
            "features: {lengths: {short: 1}}",
            "features.lengths.short: unknown setting. Did you mean 'shortest'? "
            "Allowed are shortest, longest.",
        ),
        (
            "features: {encoder: {name: tfidf, words: [1]}}",
            "features.encoder.words: must be a list of 2 whole numbers from 1 to 10; got [1]",
        ),
        (
            "features: {encoder: {name: tfidf, words: [1, 11]}}",
            "features.encoder.words[1]: must be a whole number from 1 to 10; got 11",
        ),
        (
            "features: {encoder: [hashing, {name: tfidf, min_df: 0}]}",
            "features.encoder[1].min_df: must be a whole number of at least 1; got 0",
        ),
        (
            "features: {encoder: {name: tfidf, bits: 3}}",
            "features.encoder.bits: unknown setting for encoder tfidf; it belongs to encoder "
            "hashing. Allowed are words, min_df.",
        ),
        (
            "features: {encoder: {name: tfidf, word: 3}}",
            "features.encoder.word: unknown setting. Did you mean 'words'? Allowed are words, "
            "min_df.",
        ),
    ],
)
def test_a_message_says_what_is_allowed_and_what_was_given(
    refused: Refused, text: str, said: str
) -> None:
    assert refused(text) == [f"my.yaml:1: {said}"]


@pytest.mark.parametrize(
    ("svm", "said"),
    [
        (
            "blocks: {words: {kernal: rbf}}",
            "svm.blocks.words.kernal: unknown setting. Did you mean 'kernel'? Allowed are kernel, "
            "gamma, degree, coef0.",
        ),
        (
            "blocks: {words: {kernel: rfb}}",
            "svm.blocks.words.kernel: 'rfb' is no kernel; allowed are linear, poly, rbf. "
            "Did you mean 'rbf'?",
        ),
        (
            "blocks: {words: rfb}",
            "svm.blocks.words: 'rfb' is no kernel; allowed are linear, poly, rbf. "
            "Did you mean 'rbf'?",
        ),
        (
            "blocks: {words: {gamma: -1}}",
            "svm.blocks.words.gamma: must be a number above 0; got -1",
        ),
        ("blocks: {}", "svm.blocks: must hold at least 1 value; got {}"),
        ("weights: aligned", "svm: weights are for blocks, and there are none; give svm.blocks"),
        (
            "weights: {tfidf: 1}, blocks: {tfidf: rbf}, combine: product",
            "svm: weights are for a sum; a product of kernels has none",
        ),
        (
            "weights: {word: 1, words: 1}, blocks: {words: rbf}",
            "svm: weights: 'word' is none of svm.blocks; they are words. Did you mean 'words'?",
        ),
        (
            "weights: {words: 1}, blocks: {words: rbf, numbers: rbf}",
            "svm: weights: 'numbers' has none; give each of svm.blocks one",
        ),
        (
            "weights: {words: 0}, blocks: {words: rbf}",
            "svm.weights.words: must be a number above 0; got 0",
        ),
        (
            "gamma: [1, 2], blocks: {words: rbf}",
            "svm: gamma is a list, and the widths of blocks vary together; give auto or one "
            "number, or each block its own",
        ),
        # To YAML, "bad:5" is one name, of nothing.
        ("costs: {bad:5}", "svm.costs.bad:5: has no blank after the colon. Write bad: 5"),
        ("rule: best", "svm.rule: must be one of max, one-standard-error; got 'best'"),
        ("scheme: all", "svm.scheme: must be one of auto, one-vs-one, one-vs-rest; got 'all'"),
    ],
)
def test_what_is_wrong_with_blocks_is_told_at_its_place(
    refused: Refused, svm: str, said: str
) -> None:
    assert refused(f"svm: {{{svm}}}") == [f"my.yaml:1: {said}"]


def test_a_block_may_give_its_kernels_name_alone(resolved: Any) -> None:
    short = resolved(Document.parse("use_case: spam\nsvm: {blocks: {words: rbf, numbers: {}}}\n"))
    spelt = {"words": {"kernel": "rbf"}, "numbers": {}}
    assert short == resolved({"svm": {"blocks": spelt}})
    assert short == resolved(short.to_dict())


def test_a_required_setting_that_nobody_gives_says_how_to_give_it(
    refused: Refused, make_use_case: MakeUseCase
) -> None:
    case = make_use_case("csv", defaults={"data": {"text": "body"}})
    assert refused(case=case) == [
        "data.path: is required: the file. Give it in the config, or as --set data.path=...",
        "features.encoder: is required: what turns a message into a vector: hashing, tfidf. "
        "Give it in the config, or as --set features.encoder=...",
    ]
    assert refused("seed: 1", case=case)[0].startswith("my.yaml: data.path: is required")
    assert refused("seed: 1\ndata:\n  label: y\n", case=case)[1].startswith(
        "my.yaml:2: data.path: is required"
    )


def test_a_value_that_was_refused_is_not_also_missing(
    refused: Refused, make_use_case: MakeUseCase
) -> None:
    assert refused("data:\n  source: csv\n  path: *x\n") == [
        "my.yaml:3: data.path: the alias *x is not allowed; write the value"
    ]


def test_a_value_that_an_override_replaces_is_not_complained_about(refused: Refused) -> None:
    assert refused("svm: {C: -1, degree: 0}", parse_overrides(["svm.C=1"])) == [
        "my.yaml:1: svm.degree: must be a whole number from 1 to 10; got 0"
    ]
    assert refused("svm: {C: 1}", parse_overrides(["svm.C.x=3"])) == [
        f"--set: svm.C: {GRID} {{x: 3}}"
    ]


def test_a_wrong_default_is_laid_to_the_use_case(
    refused: Refused, make_use_case: MakeUseCase
) -> None:
    case = make_use_case(defaults={"features": {"encoder": "tfidf"}, "svm": {"C": -1}})
    assert refused(case=case) == [
        "defaults of spam: svm.C: must be a number above 0; got -1",
    ]


def test_values_from_python_that_are_no_plain_values_are_named(refused: Refused) -> None:
    given: dict[Any, Any] = {
        "svm": {"C": object(), "class_weight": {1: 2.0}},
        "data": {"path": "x", "text": "\udcff"},
    }
    assert refused(given) == [
        "svm.C: must be text, a number, true, false, None, a list or a mapping; got object",
        "svm.class_weight: a key must be text; got 1",
        "data.text: is not valid Unicode text; got '\\udcff'",
    ]


def test_a_long_value_is_cut(refused: Refused) -> None:
    (line,) = refused({"svm": {"gamma": "x" * 500}})
    assert line.endswith("xxx...")
    assert len(line) < 150


def test_a_document_keeps_the_order_of_its_lines(refused: Refused) -> None:
    lines = refused(Document.parse("seed: x\nevaluation: {outer: x}\nsvm: {C: x}\nq: 1\n", "f"))
    assert [line.split(": ")[0] for line in lines] == ["f:1", "f:2", "f:3", "f:4"]
