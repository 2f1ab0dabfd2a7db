"""The config's features section: encoders side by side, and what it refuses."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from widemargin.config import RunConfig, dump_yaml, parse_overrides, resolve
from widemargin.encoders import ENCODERS, Features, JoinedEncoders, TabularEncoder, TfidfEncoder
from widemargin.errors import ConfigError, DataError
from widemargin.registry import discover

REGISTRY = discover()


def resolved(features: Any, *words: str, use_case: str = "texts") -> RunConfig:
    case = REGISTRY.use_case(use_case)
    layers: list[Any] = [{"data": dict(case.fixture), "features": features}]
    return resolve(
        case,
        [*layers, *([parse_overrides(list(words))] if words else [])],
        encoders=REGISTRY.encoders,
        kernels=REGISTRY.kernels,
    )


def refused(features: Any, *words: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        resolved(features, *words)
    return str(caught.value).splitlines()


def chosen(config: RunConfig) -> Features:
    assert isinstance(config.features, Features)
    return config.features


@pytest.fixture
def columns() -> pd.DataFrame:
    return pd.DataFrame(
        {"body": ["win cash now", "see you", "win you"], "age": [1.0, 5.0, 9.0]}, index=[7, 3, 5]
    )


@pytest.fixture
def joined() -> JoinedEncoders:
    return JoinedEncoders(
        [("tfidf", ("body",), TfidfEncoder(min_df=1)), ("tabular", ("age",), TabularEncoder())]
    )


def test_a_name_a_mapping_and_a_list_choose_encoders() -> None:
    for given in ("tfidf", {"name": "tfidf"}, ["tfidf"], [{"name": "tfidf"}]):
        features = chosen(resolved({"encoder": given}))
        assert [choice.spec.name for choice in features.encoder] == ["tfidf"]


def test_settings_reach_the_encoder() -> None:
    features = chosen(resolved({"encoder": {"name": "tfidf", "min_df": 1, "words": None}}))
    ((name, columns, encoder),) = features.build({"text": "text", "age": "table"}).blocks
    assert (name, columns) == ("tfidf", ("text",))
    assert isinstance(encoder, TfidfEncoder)
    assert (encoder.min_df, encoder.words, encoder.characters) == (1, None, (2, 4))


def test_settings_without_a_name_are_those_of_the_usual_encoder() -> None:
    (choice,) = chosen(resolved({"encoder": {"min_df": 1}})).encoder
    assert (choice.spec.name, choice.to_data()["min_df"]) == ("tfidf", 1)


def test_an_override_reaches_into_the_encoder() -> None:
    features = chosen(resolved({"encoder": {"name": "tfidf"}}, "features.encoder.min_df=7"))
    assert features.encoder[0].to_data()["min_df"] == 7


def test_the_choice_is_written_as_it_was_read() -> None:
    config = resolved({"encoder": ["tfidf", {"name": "tabular", "scale": "robust"}]})
    written = config.to_dict()["features"]["encoder"]
    assert [one["name"] for one in written] == ["tfidf", "tabular"]
    assert resolved({"encoder": written}) == config
    assert "scale: robust" in dump_yaml(config)


def test_features_learn_as_much_as_the_encoder_that_learns_most() -> None:
    assert chosen(resolved({"encoder": "tfidf"})).learns == "X"


def test_unknown_encoders_are_refused_with_the_nearest_name() -> None:
    allowed = ", ".join(sorted(REGISTRY.encoders))
    assert refused({"encoder": "tfdif"}) == [
        f"features.encoder: 'tfdif' is no encoder; allowed are {allowed}. Did you mean 'tfidf'?"
    ]


def test_an_encoder_is_joined_twice_only_by_two_names() -> None:
    assert refused({"encoder": ["tfidf", {"name": "tfidf", "min_df": 1}]}) == [
        "features.encoder: names 'tfidf' twice; give each a name of its own, as in "
        "{name: tfidf, as: tfidf2}"
    ]
    given = [{"name": "tfidf", "as": "words", "characters": None}, {"name": "tfidf"}]
    config = resolved({"encoder": given})
    blocks = chosen(config).build({"text": "text"}).blocks
    assert [name for name, _, _ in blocks] == ["words", "tfidf"]
    written = config.to_dict()["features"]["encoder"]
    assert [one.get("as") for one in written] == ["words", None]
    assert resolved({"encoder": written}) == config


@pytest.mark.parametrize("name", ["a/b", "", "2x", "two words", 3, None])
def test_a_block_has_a_plain_name(name: Any) -> None:
    assert refused({"encoder": {"name": "tfidf", "as": name}}) == [
        f"features.encoder: {name!r} is no name of a block; take letters, digits, hyphens and "
        "underscores, a letter first"
    ]


def test_two_blocks_of_one_encoder_are_saved_apart() -> None:
    texts = {"text": ["win cash now", "see you there", "cash prize"]}
    made = [
        JoinedEncoders(
            [
                ("words", ("text",), TfidfEncoder(min_df=1, characters=None)),
                ("characters", ("text",), TfidfEncoder(min_df=1, words=None)),
            ]
        )
        for _ in range(2)
    ]
    rows = made[0].fit_transform(texts)
    back = made[1].set_state(made[0].get_state())
    assert (back.transform(texts) != rows).nnz == 0
    assert list(back.blocks_) == ["words", "characters"]


def test_no_encoder_at_all_is_refused() -> None:
    assert refused({"encoder": []}) == ["features.encoder: must name at least one encoder"]


@pytest.mark.parametrize("given", [3, {"name": 4}, [None]])
def test_what_is_no_choice_is_refused(given: Any) -> None:
    (line,) = refused({"encoder": given})
    assert "must be an encoder's name, a mapping with a name and settings, or a list" in line


def test_every_wrong_setting_of_every_encoder_is_told_with_its_path() -> None:
    lines = refused(
        {
            "encoder": [
                {"name": "tfidf", "min_df": 0, "wrods": [1, 2]},
                {"name": "tabular", "scale": 3},
            ]
        }
    )
    paths = {line.split(": ")[0] for line in lines}
    assert len(lines) == 3
    assert all(re.match(r"features\.encoder", path) for path in paths)
    text = "\n".join(lines)
    assert "min_df" in text
    assert "Did you mean 'words'?" in text
    assert "standard, robust" in text


def test_a_contradiction_inside_an_encoder_is_told_with_its_path() -> None:
    (line,) = refused({"encoder": {"name": "tfidf", "words": None, "characters": None}})
    assert line.startswith(
        "features.encoder: words and characters are both null; give at least one of them"
    )


def test_an_encoder_of_another_kind_is_refused() -> None:
    features = chosen(resolved({"encoder": "tabular"}))
    with pytest.raises(DataError) as caught:
        features.build({"text": "text"})
    fit = ", ".join(sorted(one.name for one in ENCODERS if "text" in one.kinds))
    assert "tfidf" in fit
    assert "pixels" not in fit
    assert str(caught.value) == (
        "features.encoder: tabular reads table, and the data have text, which it does not read. "
        f"Encoders that do: {fit}. See: widemargin encoders --kind text"
    )


def test_sparse_and_dense_blocks_join_into_csr(
    joined: JoinedEncoders, columns: pd.DataFrame
) -> None:
    X: Any = joined.fit_transform(columns)
    assert X.format == "csr"
    assert (joined.transform(columns) != X).nnz == 0
    text, age = (X[:, part].toarray() for part in joined.blocks_.values())
    alone = TfidfEncoder(min_df=1).fit_transform(columns["body"].tolist())
    np.testing.assert_array_equal(text, alone.toarray())
    np.testing.assert_array_equal(age, TabularEncoder().fit_transform(columns[["age"]]))


def test_dense_blocks_join_into_a_dense_matrix(columns: pd.DataFrame) -> None:
    blocks = [("a", ("age",), TabularEncoder()), ("b", ("age",), TabularEncoder(scale="none"))]
    X = JoinedEncoders(blocks).fit_transform(columns)
    assert isinstance(X, np.ndarray)
    assert X[:, 1].tolist() == [1, 5, 9]


def test_blocks_say_where_each_encoder_stands(
    joined: JoinedEncoders, columns: pd.DataFrame
) -> None:
    X = joined.fit(columns).transform(columns)
    names = joined.get_feature_names_out()
    assert len(names) == X.shape[1] == joined.blocks_["tabular"].stop
    assert names[joined.blocks_["tabular"]].tolist() == ["age"]
    assert joined.blocks_["tfidf"] == slice(0, X.shape[1] - 1)


def test_shares_of_all_blocks_sum_to_the_product(
    joined: JoinedEncoders, columns: pd.DataFrame
) -> None:
    X = joined.fit_transform(columns)
    coef = np.random.default_rng(0).normal(size=X.shape[1])
    shares = joined.explain(columns, coef)
    totals = [sum(share.contribution for share in own) for own in shares]
    np.testing.assert_allclose(totals, X @ coef, atol=1e-9)
    assert [share.piece for share in shares[1]] == ["see", "you", "age = 5"]


def test_the_state_of_a_join_brings_back_the_same_rows(
    joined: JoinedEncoders, columns: pd.DataFrame
) -> None:
    X = joined.fit_transform(columns)
    back = clone(joined).set_state(joined.get_state())
    assert (back.transform(columns) != X).nnz == 0
    assert back.blocks_ == joined.blocks_


def test_a_clone_is_unfitted_and_shares_no_encoder(
    joined: JoinedEncoders, columns: pd.DataFrame
) -> None:
    joined.fit(columns)
    copy = clone(joined)
    assert not hasattr(copy, "blocks_")
    assert copy.blocks[0][2] is not joined.blocks[0][2]
    copy.fit(columns.assign(body="other"))
    assert joined.transform(columns).shape[1] > copy.transform(columns).shape[1]


def test_an_absent_column_is_named(joined: JoinedEncoders, columns: pd.DataFrame) -> None:
    joined.fit(columns)
    with pytest.raises(DataError, match="the column 'age', which the model was trained on, is"):
        joined.transform({"body": ["win"], "aeg": [1.0]})


def test_what_is_not_fitted_says_so_as_scikit_learn_does() -> None:
    encoder = JoinedEncoders([("tfidf", ("text",), TfidfEncoder())])
    message = (
        "This JoinedEncoders instance is not fitted yet. Call 'fit' with appropriate "
        "arguments before using this estimator."
    )
    for ask in (
        lambda: encoder.transform({"text": ["win"]}),
        lambda: encoder.explain({"text": ["win"]}, np.ones(1)),
        encoder.get_feature_names_out,
        encoder.get_state,
    ):
        with pytest.raises(NotFittedError) as caught:
            ask()
        assert str(caught.value) == message


def test_joined_blocks_are_scaled_to_equal_length(columns: pd.DataFrame) -> None:
    features = chosen(resolved({"encoder": [{"name": "tfidf", "min_df": 1}, "tabular"]}))
    joined = features.build({"body": "text", "age": "table"})
    assert joined.scale
    rows = joined.fit_transform(columns)
    for place in joined.blocks_.values():
        part = rows[:, place].toarray()
        assert np.sqrt((part**2).sum(axis=1).mean()) == pytest.approx(1.0)


def scaled() -> JoinedEncoders:
    return JoinedEncoders(
        [("tfidf", ("body",), TfidfEncoder(min_df=1)), ("tabular", ("age",), TabularEncoder())],
        scale=True,
    )


def test_scaling_learns_from_training_rows_and_comes_back_with_the_state(
    columns: pd.DataFrame,
) -> None:
    joined = scaled().fit(columns)
    new = pd.DataFrame({"body": ["win"], "age": [3.0]})
    copy = clone(scaled()).set_state(joined.get_state())
    assert (copy.transform(new) != joined.transform(new)).nnz == 0
    assert copy.scales_ == joined.scales_ != (1.0, 1.0)


def test_shares_of_scaled_blocks_sum_to_the_rows_product(columns: pd.DataFrame) -> None:
    joined = scaled()
    rows = joined.fit_transform(columns)
    coef = np.random.default_rng(0).normal(size=rows.shape[1])
    told = [sum(share.contribution for share in own) for own in joined.explain(columns, coef)]
    assert told == pytest.approx(rows @ coef)


def test_a_lone_encoder_is_not_scaled_unless_it_is_asked_for() -> None:
    assert not chosen(resolved({"encoder": "tfidf"})).build({"text": "text"}).scale
    asked = chosen(resolved({"encoder": "tfidf", "scaling": "length"}))
    assert asked.build({"text": "text"}).scale
    none = chosen(resolved({"encoder": [{"name": "tfidf", "as": "a"}, "tfidf"], "scaling": "none"}))
    assert not none.build({"text": "text"}).scale
