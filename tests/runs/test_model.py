"""Saved models: the same bits come back, and what was tampered with is refused."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from importlib.metadata import version
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load, save
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from widemargin.encoders import JoinedEncoders, TabularEncoder, TfidfEncoder
from widemargin.errors import ModelError
from widemargin.runs.model import Model, dump_model, parse_model
from widemargin.runs.rows import as_rows
from widemargin.svm.calibration import Sigmoid, Temperature
from widemargin.svm.engines import choose_engine
from widemargin.svm.expression import Expression, Product, Sum, Term
from widemargin.svm.kernels import KERNELS, LINEAR, POLY, RBF
from widemargin.svm.machine import Machine
from widemargin.svm.schemes import (
    classification,
    count_functions,
    regression,
    scheme_of,
    solution,
)

KERNEL_OF = {kernel.name: kernel for kernel in KERNELS}
TEXTS = [
    "win cash now",
    "see you there",
    "cash prize £9",
    "you and me",
    "free prize",
    "at home",
] * 4
TABLE = pd.DataFrame(np.random.default_rng(0).normal(size=(24, 3)), columns=["a", "b", "c"])
Files = dict[str, bytes]


def text_features() -> JoinedEncoders:
    return JoinedEncoders([("tfidf", ("text",), TfidfEncoder(min_df=1))])


def table_features() -> JoinedEncoders:
    return JoinedEncoders([("tabular", ("a", "b", "c"), TabularEncoder())])


def joined_features() -> JoinedEncoders:
    return JoinedEncoders(
        [
            ("words", ("text",), TfidfEncoder(min_df=1, characters=None)),
            ("letters", ("text",), TfidfEncoder(min_df=1, words=None)),
            ("numbers", ("a", "b", "c"), TabularEncoder()),
        ]
    )


WORDS, LETTERS, NUMBERS = Term(LINEAR, "words"), Term(POLY, "letters"), Term(RBF, "numbers")


def train(rows: Any, n_classes: int, expression: Expression, blocks: Any, scheme: Any) -> Machine:
    """Train a machine on all rows: of weights if linear, else of support vectors."""
    everything = (np.arange(24), np.arange(0))
    own = scheme_of(n_classes, scheme)
    if n_classes:
        duals = classification(np.arange(24) % n_classes, n_classes, own, None, [everything])
    else:
        duals = regression(np.linspace(-1, 1, 24) ** 3, 0.1, None, [everything])
    engine = choose_engine("scikit-learn")
    if isinstance(expression, Term) and expression.kernel is LINEAR:
        solved = engine.solve_rows(rows, duals, np.array([1.3]))
        return Machine(
            scheme=own, n_classes=n_classes, coef=solved.coef[0], intercept=solved.intercept[0]
        )
    prepared = expression.prepare(rows, blocks=blocks)
    fitted = prepared.fit(0.21)
    duals_solved = engine.solve([prepared.gram(fitted)], duals, np.array([1.3]))
    found = solution(duals, duals_solved, own, count_functions(n_classes, own))
    return Machine(
        scheme=own,
        n_classes=n_classes,
        intercept=found.intercept,
        kernel=fitted,
        vectors=rows[found.support],
        dual_coef=found.dual_coef,
    )


def make_model(
    build: Callable[[], Any],
    kernel: str | Expression,
    n_classes: int,
    scheme: str = "one-vs-one",
) -> tuple[Model, Any]:
    X: Any = TABLE.assign(text=TEXTS)
    X = X if build in (text_features, joined_features) else TABLE
    features = build()
    rows = as_rows(features, features.fit_transform(X, np.arange(24) % max(n_classes, 2)), 24)
    expression = Term(KERNEL_OF[kernel], coef0=0.3) if isinstance(kernel, str) else kernel
    machine = train(rows, n_classes, expression, getattr(features, "blocks_", None), scheme)
    calibration = {0: None, 2: Sigmoid(-1.7, 0.2)}.get(n_classes, Temperature(1.7, 0.3))
    model = Model(
        features=features,
        machine=machine,
        calibration=calibration,
        classes=tuple("abc"[:n_classes]),
        centre=0.0 if n_classes else 31.7,
        scale=1.0 if n_classes else 0.3,
    )
    return model, X


def parsed(files: Files, build: Callable[[], Any] = text_features, **more: Any) -> Model:
    options = {"kernels": KERNEL_OF, "trusted": ("widemargin",), **more}
    return parse_model(files, features=build(), **options)


@pytest.fixture
def files() -> Files:
    return dump_model(make_model(text_features, "rbf", 2)[0])


def rehashed(files: Files, **changed: bytes) -> Files:
    """Change files and let the manifest vouch for it, as an attacker would."""
    changed = {name.replace("__", "."): content for name, content in changed.items()}
    files = {**files, **changed}
    del files["manifest.json"]
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return {**files, "manifest.json": json.dumps(hashes).encode()}


def refusal(files: Files, build: Callable[[], Any] = text_features, **more: Any) -> str:
    with pytest.raises(ModelError) as caught:
        parsed(files, build, **more)
    return str(caught.value)


@pytest.mark.parametrize("n_classes", [0, 2, 3])
@pytest.mark.parametrize("kernel", ["linear", "rbf", "poly", "sigmoid", "laplacian", "cosine"])
@pytest.mark.parametrize("build", [text_features, table_features])
def test_a_model_comes_back_bit_by_bit(
    build: Callable[[], Any], kernel: str, n_classes: int
) -> None:
    model, X = make_model(build, kernel, n_classes, "one-vs-one")
    files = dump_model(model)
    back = parsed(files, build)
    was, now = model.predict(X), back.predict(X)
    np.testing.assert_array_equal(now.decision, was.decision)
    np.testing.assert_array_equal(now.prediction, was.prediction)
    if was.probability is None:
        assert now.probability is None
    else:
        np.testing.assert_array_equal(now.probability, was.probability)
    assert (back.classes, back.centre, back.scale) == (model.classes, model.centre, model.scale)
    assert dump_model(back) == files


@pytest.mark.parametrize("scheme", ["one-vs-one", "one-vs-rest"])
@pytest.mark.parametrize("n_classes", [0, 2, 3])
@pytest.mark.parametrize(
    "expression",
    [
        Sum((WORDS, LETTERS, NUMBERS), weights=(1.0, 2.0, 4.0)),
        Product((WORDS, NUMBERS)),
        Sum((WORDS, Product((LETTERS, NUMBERS)))),
    ],
    ids=["sum", "product", "nested"],
)
def test_kernels_over_blocks_come_back_bit_by_bit(
    expression: Expression, n_classes: int, scheme: str
) -> None:
    model, X = make_model(joined_features, expression, n_classes, scheme)
    files = dump_model(model)
    back = parsed(files, joined_features)
    np.testing.assert_array_equal(back.predict(X).decision, model.predict(X).decision)
    assert back.machine.kernel == model.machine.kernel
    assert back.machine.scheme == (scheme if n_classes == 3 else "single")
    assert dump_model(back) == files


def test_a_machine_of_blocks_that_the_features_lack_is_refused() -> None:
    files = dump_model(make_model(joined_features, Sum((WORDS, NUMBERS)), 2)[0])
    meta = json.loads(files["model.json"])
    meta["kernel"]["sum"][1]["columns"][1] += 1
    changed = rehashed(files, model__json=json.dumps(meta).encode())
    assert refusal(changed, joined_features).startswith("the model's files do not fit each other")


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_scikit_learns_transformers_come_back_through_skops(kernel: str) -> None:
    def build() -> Any:
        return make_pipeline(StandardScaler(), SelectKBest(f_classif, k=2), PCA(2))

    model, X = make_model(build, kernel, 2)
    files = dump_model(model)
    assert "features.skops" in files
    back = parsed(files, build)
    np.testing.assert_array_equal(back.predict(X).decision, model.predict(X).decision)
    as_columns = {name: X[name].tolist() for name in X}
    np.testing.assert_array_equal(back.predict(as_columns).decision, model.predict(X).decision)


def test_nothing_in_the_folder_is_a_pickle() -> None:
    for build in (text_features, table_features):
        files = dump_model(make_model(build, "rbf", 2)[0])
        assert {name.rpartition(".")[2] for name in files} == {"json", "safetensors"}
        for content in files.values():
            assert not content.startswith(b"\x80")  # how every pickle of protocol 2 and up begins
    skops = dump_model(make_model(lambda: make_pipeline(PCA(2)), "rbf", 2)[0])
    assert skops["features.skops"].startswith(b"PK")  # a zip of JSON and arrays
    assert b".pkl" not in skops["features.skops"]


@pytest.mark.parametrize(
    "name", ["model.json", "machine.safetensors", "features.safetensors", "features.json"]
)
def test_an_altered_or_missing_file_is_refused(files: Files, name: str) -> None:
    altered = {**files, name: files[name] + b" "}
    assert refusal(altered) == (
        f"the model's {name} was altered after it was saved. "
        "Run the use case again, or restore the run's folder from a copy."
    )
    without = {key: content for key, content in files.items() if key != name}
    assert refusal(without).startswith(f"the model's {name} is absent.")
    assert refusal(rehashed(without)).startswith(f"the model's {name} is absent.")


@pytest.mark.parametrize("content", [None, b"", b"[1", b"[]", b"3"])
def test_a_missing_or_broken_manifest_is_refused(files: Files, content: bytes | None) -> None:
    broken = {key: own for key, own in files.items() if key != "manifest.json"}
    if content is not None:
        broken["manifest.json"] = content
    assert refusal(broken).startswith("the model's manifest.json is absent or unreadable.")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(files: Files, value: float) -> None:
    arrays = load(files["machine.safetensors"])
    arrays["dual_coef"][0, 0] = value
    assert refusal(rehashed(files, machine__safetensors=bytes(save(arrays)))) == (
        "the model's machine.safetensors has values in 'dual_coef' that are not finite."
    )


def test_a_file_that_is_no_safetensors_is_refused(files: Files) -> None:
    message = refusal(rehashed(files, machine__safetensors=b"\x00" * 40))
    assert message.startswith("the model's machine.safetensors cannot be read: ")


def changed_meta(files: Files, **changed: Any) -> Files:
    meta = {**json.loads(files["model.json"]), **changed}
    return rehashed(files, model__json=json.dumps(meta).encode())


def test_label_weights_are_kept_by_the_name_that_older_models_gave_them(files: Files) -> None:
    assert parsed(files).label_weights == ()
    older = parsed(changed_meta(files, costs=[1.0, 5.0]))
    assert older.label_weights == (1.0, 5.0)
    assert json.loads(dump_model(older)["model.json"])["costs"] == [1.0, 5.0]
    for wrong in ([1.0], [1.0, 0.0], [1.0, float("inf")]):
        assert "model.json has " in refusal(changed_meta(files, costs=wrong))


def test_another_format_is_refused(files: Files) -> None:
    assert refusal(changed_meta(files, format=99)) == (
        "the model has format 99, and this version reads 2. "
        "Run the use case again: widemargin run --like RUN."
    )


def test_a_kernel_that_is_not_installed_is_refused(files: Files) -> None:
    assert refusal(files, kernels={}) == (
        "the model uses the kernel 'rbf', which no installed plugin registers."
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"classes": None},
        {"classes": ["a", "b", "c"]},
        {"scheme": "best-of-three"},
        {"scheme": "one-vs-rest"},
        {"calibration": [1.0]},
        {"calibration": None},
        {"calibration": {"method": "sigmoid", "slope": float("nan"), "offset": 0.0}},
        {"scale": float("inf")},
        {"kernel": None},
        {"kernel": "rbf"},
        {"kernel": {"kernel": "rbf", "gama": 1}},
        {"kernel": {"sum": []}},
    ],
    ids=str,
)
def test_a_model_json_that_makes_no_sense_is_refused(files: Files, changed: Any) -> None:
    assert refusal(changed_meta(files, **changed)).startswith("the model's files do not fit ")


@pytest.mark.parametrize("content", [b"{", b"[]", b'"model"', b"\xff"])
def test_a_model_json_that_is_no_object_is_refused(files: Files, content: bytes) -> None:
    refusal(rehashed(files, model__json=content))


def shrink(name: str) -> Callable[[dict[str, NDArray[Any]]], None]:
    def change(arrays: dict[str, NDArray[Any]]) -> None:
        arrays[name] = np.ascontiguousarray(arrays[name][..., :-1])

    return change


def drop(name: str) -> Callable[[dict[str, NDArray[Any]]], None]:
    def change(arrays: dict[str, NDArray[Any]]) -> None:
        del arrays[name]

    return change


@pytest.mark.parametrize(
    "change",
    [
        shrink("intercept"),
        shrink("dual_coef"),
        shrink("vectors.indptr"),
        shrink("vectors.data"),
        drop("intercept"),
        drop("dual_coef"),
        drop("vectors.shape"),
    ],
)
def test_arrays_of_other_shapes_are_refused(files: Files, change: Any) -> None:
    arrays = load(files["machine.safetensors"])
    change(arrays)
    message = refusal(rehashed(files, machine__safetensors=bytes(save(arrays))))
    assert message.startswith("the model's files do not fit ")


def test_features_that_do_not_fit_the_machine_are_refused(files: Files) -> None:
    assert refusal(rehashed(files, features__json=b"{}")).startswith("the model's files do not fit")


def foreign(x: Any) -> Any:
    return x


def test_a_type_that_belongs_to_no_plugin_is_refused_unloaded() -> None:
    features = make_pipeline(FunctionTransformer(foreign))
    files = dump_model(make_model(lambda: features, "linear", 2)[0])
    message = refusal(files)
    assert message.startswith("the model names ")
    assert message.endswith("which is no transformer of an installed plugin; it is not loaded.")
    assert "foreign" in message


class Doubling(BaseEstimator, TransformerMixin):  # type: ignore[misc]  # scikit-learn's are untyped
    def fit(self, X: Any, y: Any = None) -> Any:
        self.fitted_ = True
        return self

    def transform(self, X: Any) -> Any:
        return 2 * np.asarray(X)


def test_only_transformers_that_a_plugin_defines_and_imported_are_trusted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = ModuleType("sunny_plugin")
    monkeypatch.setitem(sys.modules, "sunny_plugin", own)
    monkeypatch.setattr(Doubling, "__module__", "sunny_plugin")
    setattr(own, "Doubling", Doubling)  # noqa: B010  # mypy knows no such attribute
    model, X = make_model(lambda: make_pipeline(Doubling()), "linear", 2)
    files = dump_model(model)
    back = parsed(files, trusted=("sunny_plugin",))
    np.testing.assert_array_equal(back.predict(X).decision, model.predict(X).decision)
    refused = "the model names sunny_plugin.Doubling, which is no transformer of an installed "
    assert refusal(files, trusted=("widemargin",)).startswith(refused)
    for spoilt in (None, Doubling().fit, type("Doubling", (), {"__module__": "sunny_plugin"})):
        setattr(own, "Doubling", spoilt)  # noqa: B010  # as above
        assert refusal(files, trusted=("sunny_plugin",)).startswith(refused)
    monkeypatch.delitem(sys.modules, "sunny_plugin")
    assert refusal(files, trusted=("sunny_plugin",)).startswith(refused)


def test_features_of_another_scikit_learn_are_refused_with_what_to_do() -> None:
    files = dump_model(make_model(lambda: make_pipeline(PCA(2)), "linear", 2)[0])
    here = version("scikit-learn")
    major, minor, *_ = here.split(".")
    for same in ("", here, f"{major}.{minor}.99"):
        parsed(files, scikit_learn=same)
    other = f"{major}.{int(minor) + 1}.0"
    assert refusal(files, scikit_learn=other) == (
        f"the model's features were saved with scikit-learn {other}, and {here} is installed; what "
        "one writes, the other may misread. Run the use case again (widemargin run --like RUN), "
        f"or install that version: pip install scikit-learn=={other}."
    )


def test_our_own_features_are_read_whatever_the_version_of_scikit_learn(files: Files) -> None:
    parsed(files, scikit_learn="0.1.0")


def test_a_broken_skops_file_is_refused() -> None:
    files = dump_model(make_model(lambda: make_pipeline(PCA(2)), "linear", 2)[0])
    message = refusal(rehashed(files, features__skops=b"no zip"))
    assert message.startswith("the model's files do not fit each other (BadZipFile")


def test_a_state_that_the_encoder_refuses_is_a_models_fault(files: Files) -> None:
    arrays = load(files["features.safetensors"])
    arrays["tfidf/words.idf"] = arrays["tfidf/words.idf"][:-1]
    message = refusal(rehashed(files, features__safetensors=bytes(save(arrays))))
    assert message.startswith("the model's files do not fit each other (DataError: tfidf: words")


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
@pytest.mark.parametrize("build", [table_features, lambda: make_pipeline(StandardScaler())])
def test_as_many_features_as_the_machine_was_trained_on_are_asked_for(
    kernel: str, build: Callable[[], Any]
) -> None:
    files = dump_model(make_model(build, kernel, 2)[0])
    arrays = load(files["machine.safetensors"])
    name = "coef" if kernel == "linear" else "vectors"
    arrays[name] = np.ascontiguousarray(arrays[name][:, :2])
    message = refusal(rehashed(files, machine__safetensors=bytes(save(arrays))), build=build)
    assert "the features are 3, and the machine was trained on 2" in message
