"""Contact sheets of runs on images, and what decided by covering it."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import widemargin
from widemargin.contracts import Predictions
from widemargin.contracts.kept_sections import load_sections
from widemargin.evaluation import Picture, Pictures
from widemargin.runs.picture_sheets import _surest, cover

PLUGINS = Path(__file__).parents[2] / "plugins"


def bright_corner(images: NDArray[np.object_]) -> NDArray[np.float64]:
    """Say how bright an image's upper left eighth is, as the probability of class 1."""
    share = 0.02 + 0.96 * np.array([image[:2, :2].mean() / 255 for image in images])
    return np.column_stack([1 - share, share])


def test_covering_finds_the_piece_that_decides() -> None:
    image: NDArray[np.uint8] = np.zeros((16, 16), np.uint8)
    image[:2, :2] = 255
    worth = cover(bright_corner, image, called=1)
    assert worth.shape == (8, 8)
    assert worth.argmax() == 0
    assert worth[0, 0] > 3
    assert np.allclose(worth[2:, :], 0)
    assert np.allclose(worth[:, 2:], 0)
    against = cover(bright_corner, image, called=0)
    assert np.allclose(against, -worth)
    colour = np.repeat(image[:, :, None], 3, axis=2)
    assert np.allclose(cover(bright_corner, colour, called=1), worth)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> widemargin.Run:
    folder = tmp_path_factory.mktemp("made")
    pictures = folder / "pictures"
    shutil.copytree(PLUGINS / "widemargin_generic" / "pictures_fixture", pictures)
    # Wrong labels make mistakes to look at.
    for number in (1, 2):
        path = pictures / "spots" / f"0{number}.png"
        path.rename(pictures / "stripes" / f"wrong{number}.png")
    return widemargin.run(
        "pictures",
        data={"path": str(pictures)},
        svm={"C": 1.0, "gamma": 1.0},
        evaluation={"outer": 2, "inner": 2, "resamples": 100},
        runs=folder,
    )


def _sheets(made: widemargin.Run) -> dict[str, Pictures]:
    (section,) = load_sections((made.path / "analysis.json").read_bytes())
    assert section.title == "Pictures"
    return {block.title: block for block in section.blocks if isinstance(block, Pictures)}


def test_mistakes_and_support_vectors_are_shown_as_pictures(made: widemargin.Run) -> None:
    from PIL import Image

    sheets = _sheets(made)
    told = json.loads((made.path / "explanation.json").read_text())
    wrong = {one["id"] for one in told["mistakes"]}
    assert wrong
    shown = {one.name for one in sheets["Mistakes"].pictures}
    assert wrong <= shown
    examples = {one["id"] for one in told["support_vectors"]["examples"]}
    assert examples <= {one.name for one in sheets["Support vectors"].pictures}
    picture: Picture = sheets["Mistakes"].pictures[0]
    image = Image.open(io.BytesIO(picture.image))
    assert max(image.size) <= 72
    truth, called = picture.caption
    assert truth in ("spots", "stripes")
    assert called.startswith("called ")
    assert truth not in called


def test_what_decided_stands_beside_the_picture(made: widemargin.Run) -> None:
    from PIL import Image

    covered = _sheets(made)["What decided"].pictures
    assert 0 < len(covered) <= 6
    sizes = [Image.open(io.BytesIO(side)).size for side in (covered[0].image, covered[0].beside)]
    assert sizes[0] == sizes[1]
    assert max(sizes[0]) == 112


def test_the_surest_mistakes_are_so_by_what_decided_the_labels() -> None:
    rare = np.array([0.2, 0.45, 0.3, 0.1, 0.9])
    told = Predictions(
        y_true=np.array([0, 0, 0, 1, 1]),
        y_pred=np.array([1, 1, 1, 0, 1]),
        decision=rare - 1 / 7,
        probability=np.column_stack([1 - rare, rare]),
        classes=("spots", "stripes"),
        positive=1,
        ids=np.array(list("abcde")),
        weight=np.ones(5),
        label_weights=(1.0, 6.0),
    )
    # Their most probable class is mostly the true one.
    assert told.ids[_surest(told, wrong=True)].tolist() == ["b", "c", "a", "d"]
    assert told.ids[_surest(told, wrong=False)].tolist() == ["e"]


def test_the_first_few_of_each_class_are_shown(made: widemargin.Run) -> None:
    pictures = _sheets(made)["The first few"].pictures
    assert {tuple(one.caption) for one in pictures} == {("spots",), ("stripes",)}
    assert 12 < len(pictures) <= 24


def test_no_explanation_is_promised_where_there_is_none(made: widemargin.Run) -> None:
    note = json.loads((made.path / "explanation.json").read_text())["note"]
    assert note.startswith("The rbf kernel has no weight for each piece; a linear one would have")
    assert "--explain" not in note


def test_the_page_shows_them(made: widemargin.Run) -> None:
    page = made.report.read_text(encoding="utf-8")
    # In place of lists of file names.
    assert 'class="quotes"' not in page
    assert "The worst mistakes" not in page
    assert page.count("data:image/jpeg;base64,") > 20
    assert 'class="sheet"' in page
    assert 'class="sheet pairs"' in page


def test_runs_on_anything_else_have_none(tmp_path: Path) -> None:
    made = widemargin.run(
        "table",
        data={"path": str(PLUGINS / "widemargin_generic" / "table_fixture.csv"), "label": "price"},
        svm={"C": 1.0, "gamma": 0.1},
        evaluation={"outer": 2, "inner": 2, "resamples": 100},
        runs=tmp_path,
    )
    assert not (made.path / "analysis.json").exists()
    assert 'class="sheet' not in made.report.read_text(encoding="utf-8").partition("</style>")[2]
