"""`cnn` learns what tells the classes of these images apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from widemargin.contracts import State
from widemargin.encoders.images.cnn import CNN, CnnEncoder, CnnSettings
from widemargin.encoders.training import keeping
from widemargin.encoders.training.settings import Precision
from widemargin.errors import DataError

pytest.importorskip("torch", reason='needs pip install "widemargin[vision]"')
pytest.importorskip("PIL", reason='needs pip install "widemargin[vision]"')


def stripes(n: int, seed: int = 0) -> tuple[list[NDArray[np.uint8]], NDArray[np.str_]]:
    """Draw noisy stripes across or down, at random places: no pixel tells them apart."""
    rng = np.random.default_rng(seed)
    y = np.array(["across", "down"])[rng.integers(0, 2, n)]
    images = []
    for label in y:
        wave = 127 + 60 * np.sin(np.arange(16) * 1.6 + rng.uniform(0, 6.3))
        image = np.tile(wave, (16, 1)) + rng.normal(0, 25, (16, 16))
        upright = image if label == "down" else image.T
        images.append(upright.clip(0, 255).astype(np.uint8))
    return images, y


SMALL: dict[str, Any] = {"size": 16, "colour": "grey", "dimension": 8, "epochs": 6}


@pytest.fixture(scope="module")
def fitted() -> CnnEncoder:
    return CnnEncoder(**SMALL).fit(*stripes(160))


def test_a_linear_separator_tells_new_images_apart(fitted: CnnEncoder) -> None:
    from sklearn.svm import LinearSVC

    X, y = stripes(160)
    new, expected = stripes(100, seed=1)
    linear = LinearSVC().fit(fitted.transform(X), y)
    assert (linear.predict(fitted.transform(new)) == expected).mean() > 0.9
    pixels = LinearSVC(max_iter=10_000).fit(np.array(X).reshape(160, -1) / 255, y)
    assert (pixels.predict(np.array(new).reshape(100, -1) / 255) == expected).mean() < 0.8


def test_the_same_seed_gives_the_same_vectors_and_another_one_others(fitted: CnnEncoder) -> None:
    X, y = stripes(160)
    assert np.array_equal(CnnEncoder(**SMALL).fit(X, y).transform(X), fitted.transform(X))
    other = CnnEncoder(**{**SMALL, "seed": 1, "epochs": 1}).fit(X, y)
    assert not np.allclose(other.transform(X), fitted.transform(X))


@pytest.mark.parametrize("loss", ["supervised-contrastive", "triplet", "info-nce"])
def test_what_is_learnt_can_be_chosen(loss: Any) -> None:
    from sklearn.svm import LinearSVC

    X, y = stripes(160)
    new, expected = stripes(100, seed=1)
    encoder = CnnEncoder(**SMALL, loss=loss).fit(X, y)
    linear = LinearSVC().fit(encoder.transform(X), y)
    assert (linear.predict(encoder.transform(new)) == expected).mean() > 0.9


def test_how_training_went_is_kept_and_saved(fitted: CnnEncoder) -> None:
    history = fitted.history_
    assert len(history.epochs) == 6
    assert history.epochs[-1].train < history.epochs[0].train
    again = CnnEncoder(**SMALL).set_state(fitted.get_state())
    assert again.history_ == history


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_interrupted_training_goes_on(
    precision: Precision, fitted: CnnEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "PACE", keeping.Pace(0, 0))
    X, y = stripes(160)
    kept: dict[str, State] = {}

    class Interrupted:
        def load(self, key: str) -> State | None:
            return kept.get(key)

        def save(self, key: str, state: State) -> None:
            before = kept.setdefault(key, state)
            if before is not state:
                raise KeyboardInterrupt

        def drop(self, key: str) -> None:
            del kept[key]

    options = {**SMALL, "precision": precision}
    expected = fitted if precision == "float32" else CnnEncoder(**options).fit(X, y)
    encoder = CnnEncoder(**options)
    encoder.checkpoints = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        encoder.fit(X, y)
    assert len(kept) == 1
    monkeypatch.setattr(keeping, "PACE", keeping.Pace(1e9, 0))
    again = CnnEncoder(**options)
    again.checkpoints = Interrupted()
    again.fit(X, y)
    assert not kept
    assert np.array_equal(again.transform(X), expected.transform(X))


def test_the_user_s_random_numbers_go_on_as_if_nothing_had_been(fitted: CnnEncoder) -> None:
    import torch

    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    CnnEncoder(**{**SMALL, "epochs": 1}).fit(*stripes(20))
    assert torch.equal(torch.rand(3), expected)


def test_saved_and_loaded_is_the_same_bit_for_bit(fitted: CnnEncoder) -> None:
    X, _ = stripes(30, seed=2)
    state = fitted.get_state()
    kept = State({name: own.copy() for name, own in state.arrays.items()}, dict(state.meta))
    assert all(own.flags.c_contiguous for own in state.arrays.values())
    again = CnnEncoder(**SMALL).set_state(kept)
    assert np.array_equal(again.transform(X), fitted.transform(X))
    assert again.classes_.tolist() == ["across", "down"]


def test_weights_that_do_not_fit_the_settings_are_refused(fitted: CnnEncoder) -> None:
    with pytest.raises(DataError, match="do not fit the settings"):
        CnnEncoder(**{**SMALL, "dimension": 9}).set_state(fitted.get_state())


def test_an_image_s_vector_does_not_depend_on_the_others(fitted: CnnEncoder) -> None:
    X, _ = stripes(70)
    alone = np.concatenate([fitted.transform([image]) for image in X])
    assert np.abs(fitted.transform(X) - alone).max() < 1e-5 * np.abs(alone).max()
    assert fitted.transform([]).shape == (0, 8)


@pytest.mark.parametrize("options", [{"flip": True}, {"shift": 0}, {"shift": 40}])
def test_training_images_may_be_mirrored_and_moved(options: dict[str, Any]) -> None:
    X, y = stripes(40)
    made = CnnEncoder(**{**SMALL, "epochs": 1, **options}).fit(X, y).transform(X)
    assert np.isfinite(made).all()


def test_moving_repeats_the_border_and_mirroring_turns_left_and_right() -> None:
    import torch

    batch = torch.arange(16.0).reshape(1, 1, 4, 4).repeat(200, 3, 1, 1)
    generator = torch.Generator().manual_seed(0)
    moved = CnnEncoder(shift=1)._augmented(batch, generator)
    assert moved.shape == batch.shape
    seen = {tuple(image[0, 0].tolist()) for image in moved}
    assert {(0.0, 0.0, 1.0, 2.0), (0.0, 1.0, 2.0, 3.0), (5.0, 6.0, 7.0, 7.0)} <= seen
    turned = CnnEncoder(shift=0, flip=True)._augmented(batch, generator)
    assert {tuple(image[2, 0].tolist()) for image in turned} == {
        (0.0, 1.0, 2.0, 3.0),
        (3.0, 2.0, 1.0, 0.0),
    }


@pytest.mark.parametrize(("has", "meant"), [(True, "bfloat16"), (False, "float32")])
def test_auto_is_bfloat16_where_the_processor_has_instructions_for_it(
    has: bool, meant: Precision, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, "avx512_bf16": has})
    X, y = stripes(40)
    options = {**SMALL, "epochs": 1, "device": "cpu"}
    made = CnnEncoder(**options, precision="auto").fit(X, y).transform(X)
    expected = CnnEncoder(**options, precision=meant).fit(X, y).transform(X)
    assert np.array_equal(made, expected)


def test_the_vector_of_an_image_and_of_its_mirror_image_are_one(fitted: CnnEncoder) -> None:
    X, _ = stripes(30, seed=2)
    turned = [image[:, ::-1].copy() for image in X]
    both = CnnEncoder(**SMALL, mirror=True).set_state(fitted.get_state())
    assert not np.allclose(fitted.transform(X), fitted.transform(turned), atol=1e-3)
    assert both.transform(X) == pytest.approx(both.transform(turned), abs=1e-5)
    mean = (fitted.transform(X) + fitted.transform(turned)) / 2
    assert both.transform(X) == pytest.approx(mean, abs=1e-5)


def test_channels_are_those_of_the_first_stage_and_double() -> None:
    network = CnnEncoder(channels=3, colour="grey", dimension=5).build_network()
    shapes = [tuple(own.shape[:2]) for own in network.parameters() if own.ndim == 4]
    assert shapes == [(3, 1), (3, 3), (6, 3), (6, 6), (12, 6), (12, 12)]


def test_training_in_bfloat16_leaves_weights_and_vectors_of_float32(fitted: CnnEncoder) -> None:
    X, y = stripes(160)
    rough = CnnEncoder(**SMALL, precision="bfloat16").fit(X, y)
    assert {own.dtype for own in rough.get_state().arrays.values()} == {
        own.dtype for own in fitted.get_state().arrays.values()
    }
    made = rough.transform(X)
    assert made.dtype == np.float32
    # A network as trained is one matter, what encodes with it another.
    same = CnnEncoder(**SMALL).set_state(rough.get_state())
    assert np.array_equal(same.transform(X), made)
    assert not np.array_equal(made, fitted.transform(X))
    assert rough.history_.epochs[-1].train < rough.history_.epochs[0].train


@pytest.mark.parametrize(
    ("y", "told"),
    [
        (np.arange(4.0), "the target is a number"),
        (["a"] * 4, "the training rows have 1. It needs 2 or more"),
        (None, "learns from labels: got 0 for 4 images"),
        (["a", "b"], "learns from labels: got 2 for 4 images"),
    ],
)
def test_without_classes_there_is_nothing_to_learn(y: Any, told: str) -> None:
    with pytest.raises(DataError, match=told):
        CnnEncoder(**SMALL).fit(stripes(4)[0], y)


def test_images_of_one_value_do_no_harm() -> None:
    flat = [np.full((16, 16), 9, np.uint8)] * 4
    made = CnnEncoder(**{**SMALL, "epochs": 1}).fit(flat, ["a", "b", "a", "b"]).transform(flat)
    assert np.isfinite(made).all()


def test_the_shares_of_a_row_add_up(fitted: CnnEncoder) -> None:
    X, _ = stripes(3)
    coef = np.arange(8.0)
    told = fitted.explain(X, coef)
    assert [sum(share.contribution for share in own) for own in told] == pytest.approx(
        list(fitted.transform(X).astype(float) @ coef)
    )


def test_the_spec_builds_it_with_its_usual_settings() -> None:
    built: Any = CNN.build(CnnSettings())
    assert built.get_params() == CnnEncoder().get_params()
    assert CNN.dimension == CnnEncoder().dimension
