"""The map of the embeddings that a run leaves."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from widemargin.runs.embedding_map import _neighbourhoods, _principal_axes, _sample

Run = Callable[..., Any]


def map_of(run: Any) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run.path / "embedding_map.json").read_bytes())
    return content


def test_each_item_is_on_the_map_with_its_held_out_prediction(run_quickly: Run) -> None:
    run = run_quickly(evaluation={"repeats": 2})
    content = map_of(run)
    told = pd.read_parquet(run.path / "predictions.parquet")
    told = told[told["repeat"] == 0].set_index("id").loc[content["id"]]
    assert len(set(content["id"])) == len(told) == content["n_items"]
    assert content["label"] == told["y_true"].tolist()
    assert content["predicted"] == told["y_pred"].tolist()
    assert content["learns"] == "X"
    assert all(content["text"])
    for side in "xy":
        assert len(content["pca"][side]) == len(content["tsne"][side]) == len(told)
    first, second = content["pca"]["shares"]
    assert 1 > first >= second > 0
    assert "map" in json.loads((run.path / "manifest.json").read_bytes())["timings"]


def test_the_map_repeats_to_the_byte_and_changes_no_number(run_quickly: Run) -> None:
    first, second = (run_quickly(fresh=True, seed=3) for _ in range(2))
    without = run_quickly(fresh=True, seed=3, evaluation={"map": "none"})
    name = "embedding_map.json"
    assert (first.path / name).read_bytes() == (second.path / name).read_bytes()
    assert not (without.path / name).exists()
    name = "metrics.json"
    assert (first.path / name).read_bytes() == (without.path / name).read_bytes()


def test_so_many_items_are_drawn_as_the_setting_says(run_quickly: Run) -> None:
    content = map_of(run_quickly(evaluation={"map": 12}))
    assert len(content["id"]) == 12 < content["n_items"]
    assert {content["label"].count(name) for name in set(content["label"])} <= {5, 6, 7}
    # So few have no neighbourhoods to speak of.
    assert content["tsne"] is None


def test_a_regression_has_numbers_for_labels(run_quickly: Run) -> None:
    run = run_quickly("table", data={"source": "diabetes"}, evaluation={"map": 40})
    content = map_of(run)
    assert all(isinstance(one, float) for one in content["label"] + content["predicted"])
    assert content["text"][0].startswith("age ")


def test_pictures_are_on_the_map_as_small_jpegs(run_quickly: Run) -> None:
    image = pytest.importorskip("PIL.Image", reason="needs Pillow")
    features = {"encoder": {"name": "pixels"}}
    content = map_of(run_quickly("pictures", features=features))
    assert set(content["pictures"]) == {str(k) for k in range(len(content["id"]))}
    assert set(content["text"]) == {""}
    for picture in content["pictures"].values():
        with image.open(io.BytesIO(base64.b64decode(picture))) as opened:
            assert opened.format == "JPEG"
            assert max(opened.size) <= 48


@settings(max_examples=40)
@given(
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=5),
    most=st.integers(0, 80),
    seed=st.integers(0, 99),
)
def test_each_class_has_its_share_of_the_sample(sizes: list[int], most: int, seed: int) -> None:
    target = np.random.default_rng(1).permutation(np.repeat(np.arange(len(sizes)), sizes))
    chosen = _sample(target, most, seed)
    n = len(target)
    assert len(set(chosen.tolist())) == len(chosen) == min(n, most)
    assert (np.diff(chosen) > 0).all()
    for name, size in enumerate(sizes):
        drawn = int((target[chosen] == name).sum())
        assert abs(drawn - size * min(1.0, most / n)) <= 1


def test_another_seed_draws_other_items() -> None:
    target = np.zeros(200)
    assert not np.array_equal(_sample(target, 50, 0), _sample(target, 50, 1))


@pytest.mark.parametrize("shape", [(60, 7), (40, 90), (20, 1)])
@pytest.mark.parametrize("sparse", [False, True])
def test_the_axes_are_the_principal_components(shape: tuple[int, int], sparse: bool) -> None:
    rows = np.random.default_rng(0).gamma(1, size=shape) * np.arange(1, shape[1] + 1)
    rows[rows < 1] = 0
    axes, shares = _principal_axes(csr_matrix(rows) if sparse else rows)
    expected = PCA(min(2, shape[1]))
    scores = expected.fit_transform(rows)
    for k in range(scores.shape[1]):
        scale = np.abs(scores[:, k]).max() / np.abs(axes[:, k]).max()
        same = np.abs(scale * axes[:, k] - scores[:, k]).max() / np.abs(scores).max()
        turned = np.abs(scale * axes[:, k] + scores[:, k]).max() / np.abs(scores).max()
        assert min(same, turned) < 1e-6
        assert shares[k] == pytest.approx(expected.explained_variance_ratio_[k])
        assert axes[np.abs(axes[:, k]).argmax(), k] > 0
    assert axes.shape[1] >= 2
    assert np.isfinite(axes).all()
    if shape[1] == 1:
        assert shares[1] == 0
        assert not axes[:, 1].any()


def test_huge_and_tiny_numbers_keep_their_axes() -> None:
    rows = np.random.default_rng(0).normal(size=(30, 4))
    axes, shares = _principal_axes(rows)
    for factor in (1e307, 1e-300):
        scaled, same = _principal_axes(rows * factor)
        np.testing.assert_allclose(scaled, axes, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(same, shares)


def test_what_varies_little_beside_a_large_constant_is_seen() -> None:
    rows = np.random.default_rng(0).normal(size=(30, 4))
    axes, _ = _principal_axes(rows)
    beside, _ = _principal_axes(np.hstack([rows, np.full((30, 1), 1e8)]))
    np.testing.assert_allclose(beside, axes, atol=1e-6)


@pytest.mark.parametrize("sparse", [False, True])
def test_rows_that_are_all_alike_have_no_axes(sparse: bool) -> None:
    rows = np.tile([[0.1, 0.7, 3.3e7]], (37, 1))
    _, shares = _principal_axes(csr_matrix(rows) if sparse else rows)
    assert not shares.any()


def test_items_that_are_all_alike_have_no_map(run_quickly: Run, tmp_path: Path) -> None:
    pd.DataFrame({"same": [1.0] * 40, "label": ["a", "b"] * 20}).to_csv(
        tmp_path / "same.csv", index=False
    )
    data = {"path": str(tmp_path / "same.csv"), "columns": ["same"]}
    run = run_quickly("table", data=data)
    assert not (run.path / "embedding_map.json").exists()


def test_neighbours_stay_together() -> None:
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.normal(0, 1, (40, 6)), rng.normal(9, 1, (40, 6))])
    with threadpool_limits(1):
        layout = _neighbourhoods(_principal_axes(rows)[0], seed=0)
    assert layout is not None
    assert layout["perplexity"] == pytest.approx(79 / 3)
    places = np.stack([layout["x"], layout["y"]], axis=1)
    apart = np.linalg.norm(places[:, None] - places, axis=2)
    np.fill_diagonal(apart, np.inf)
    assert ((apart.argmin(axis=1) < 40) == (np.arange(80) < 40)).all()


@pytest.mark.parametrize("n", [31, 40])
def test_items_on_a_line_and_repeated_ones_are_laid_out_too(n: int) -> None:
    axes, _ = _principal_axes(np.repeat(np.arange(n, dtype=np.float64), 2)[:n, None])
    with threadpool_limits(1):
        layout = _neighbourhoods(axes, seed=0)
    assert layout is not None
    assert np.isfinite(layout["x"] + layout["y"]).all()
    assert np.std(layout["y"]) > 0
