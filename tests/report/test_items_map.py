"""The map of the items: what it draws, says on hover, and how large it may become."""

from __future__ import annotations

import base64
import json
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from widemargin.contracts import Map, RunRecord
from widemargin.report.artefacts import Artefacts
from widemargin.report.sections.items_map import build_map

Write = Callable[..., RunRecord]
Read = Callable[..., Artefacts]
Render = Callable[[RunRecord, str], str]


def change(record: RunRecord, **values: Any) -> dict[str, Any]:
    """Replace values of the run's map, and return it."""
    path = record.path / "embedding_map.json"
    content: dict[str, Any] = {**json.loads(path.read_text(encoding="utf-8")), **values}
    path.write_text(json.dumps(content), encoding="utf-8")
    return content


def enlarge(record: RunRecord, n: int, text: str, every: int = 10) -> None:
    """Let the map have so many items, one of every so many a mistake."""
    places = {"x": [k % 71 for k in range(n)], "y": [k % 67 for k in range(n)]}
    change(
        record,
        n_items=n,
        id=[f"sms-{k}" for k in range(n)],
        label=["ham"] * n,
        predicted=["spam" if k % every == 0 else "ham" for k in range(n)],
        text=[text] * n,
        pca={**places, "shares": [0.2, 0.1]},
        tsne={**places, "perplexity": 30.0},
    )


def maps(run: Artefacts) -> list[Map]:
    section = build_map(run)
    assert section is not None
    return [one for one in section.blocks if isinstance(one, Map)]


def section_of(html: str) -> str:
    found = re.search(r'<section aria-labelledby="map-of-.*?</section>', html, re.DOTALL)
    assert found is not None
    return found[0]


def test_items_are_drawn_twice_with_their_classes_and_the_mistakes_ringed(
    write: Write, read: Read, tmp_path: Path
) -> None:
    record = write(tmp_path / "run", "binary")
    content = change(record, predicted=["ham"] * 120)
    wrong = [k for k, label in enumerate(content["label"]) if label == "spam"]
    run = read(record)
    pca, tsne = maps(run)
    assert (pca.title, tsne.title) == ("PCA", "t-SNE")
    for one in (pca, tsne):
        assert one.groups == ["ham", "spam"]
        assert [one.groups[k] for k in one.group] == content["label"]
        assert one.marked == wrong
    assert (list(pca.x), list(tsne.y)) == (content["pca"]["x"], content["tsne"]["y"])
    assert pca.x_label == "first axis: 20.0% of the variance"
    assert "They hold 25.0% of all variance." in pca.note
    assert "how far groups are apart" in tsne.note
    section = build_map(run)
    assert section is not None
    assert section.title == "Map of the messages"
    assert "120 of 480 messages are drawn, each class its share." in section.intro
    assert f"{len(wrong)} of them are mistakes and ringed" in section.intro
    assert "on hover" not in section.intro
    assert "learnt with the help of the labels" not in section.intro


def test_hovering_tells_id_label_mistake_and_the_beginning_of_the_text(
    write: Write, read: Read, tmp_path: Path
) -> None:
    record = write(tmp_path / "run", "binary")
    texts = ["win " * 60, "short", ""] * 40
    change(record, label=["spam"] * 120, predicted=["spam", "ham", "spam"] * 40, text=texts)
    labels = maps(read(record))[0].labels
    assert labels[0] == f"sms-0: spam. {('win ' * 25).strip()}…"
    assert labels[1] == "sms-1: spam, taken for ham. short"
    assert labels[2] == "sms-2: spam"


def test_what_is_not_wrong_is_said_so(write: Write, read: Read, tmp_path: Path) -> None:
    record = write(tmp_path / "run", "binary")
    content = change(record, n_items=120, learns="y")
    change(record, predicted=content["label"])
    section = build_map(read(record))
    assert section is not None
    assert "None of them was predicted wrongly" in section.intro
    assert "All 120 messages are drawn." in section.intro
    assert "learnt with the help of the labels" in section.intro
    assert maps(read(record))[0].marked == []


def test_numbers_are_drawn_in_steps_with_the_worst_tenth_ringed(
    write: Write, read: Read, tmp_path: Path
) -> None:
    record = write(tmp_path / "run", "regression")
    values = [float(k) for k in range(120)]
    change(record, label=values, predicted=[v + (100 if v >= 108 else 1) for v in values])
    one = maps(read(record))[0]
    assert one.ordered
    assert list(one.groups) == ["0 to 24", "24 to 48", "48 to 71", "71 to 95", "95 to 119 points"]
    assert one.group == sorted(one.group)
    assert {one.group.count(k) for k in range(5)} <= {23, 24, 25}
    assert one.marked == list(range(108, 120))
    assert one.marked_name == "predicted worst"
    assert one.labels[0] == "sms-0: 0, predicted 1. " + one.labels[0].split(". ", 1)[1]


def test_equal_numbers_are_one_step(write: Write, read: Read, tmp_path: Path) -> None:
    record = write(tmp_path / "run", "regression")
    change(record, label=[2.0] * 120)
    one = maps(read(record))[0]
    assert list(one.groups) == ["2 to 2 points"]
    assert set(one.group) == {0}


def test_of_many_classes_the_rarest_share_a_colour(
    write: Write, read: Read, tmp_path: Path
) -> None:
    record = write(tmp_path / "run", "many")
    label = [f"kind {k % 12:02}" for k in range(118)] + ["rare", "rarer"]
    change(record, label=label)
    one = maps(read(record))[0]
    assert list(one.groups) == [*(f"kind {k:02}" for k in range(12)), "2 other classes"]
    assert list(one.group[-2:]) == [12, 12]


def test_points_too_far_out_to_be_drawn_in_place_are_spoken_of(
    write: Write, read: Read, tmp_path: Path
) -> None:
    record = write(tmp_path / "run", "binary")
    enlarge(record, 400, "x")
    assert "further out" not in maps(read(record))[0].note
    places = {"x": [k % 71 for k in range(399)] + [9000], "y": [k % 67 for k in range(400)]}
    change(record, pca={**places, "shares": [0.2, 0.1]})
    pca, tsne = maps(read(record))
    assert "A few that lie further out may stand at the edge." in pca.note
    assert "further out" not in tsne.note


def test_few_items_have_no_t_sne(write: Write, read: Read, tmp_path: Path) -> None:
    record = write(tmp_path / "run", "binary")
    change(record, tsne=None)
    assert [one.title for one in maps(read(record))] == ["PCA"]


def test_a_run_of_before_there_was_a_map_has_none(
    write: Write, render: Render, tmp_path: Path
) -> None:
    record = write(tmp_path / "run", "binary")
    (record.path / "embedding_map.json").unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        html = render(record, "binary")
    assert "Map of the" not in html


def test_a_torn_map_is_left_out_with_a_warning(
    write: Write, render: Render, tmp_path: Path
) -> None:
    record = write(tmp_path / "run", "binary")
    (record.path / "embedding_map.json").write_text('{"n_items": 3')
    with pytest.warns(UserWarning, match="embedding_map.json is damaged"):
        html = render(record, "binary")
    assert "Map of the" not in html
    assert "The worst mistakes" in html


@pytest.mark.parametrize(
    ("n", "text", "every"),
    [(5000, "x" * 160, 10), (5000, "&" * 160, 10), (5000, "z" * 160, 2), (1000, "y" * 160, 10)],
)
def test_the_map_stays_small_and_says_what_it_leaves_out(
    n: int, text: str, every: int, write: Write, render: Render, tmp_path: Path
) -> None:
    record = write(tmp_path / "run", "binary")
    enlarge(record, n, text, every)
    html = render(record, "binary")
    drawn = section_of(html)
    assert len(drawn.encode()) < 600_000
    assert len(html.encode()) < 3_000_000
    named = drawn.count("<title>")
    said = re.search(r"([\d,]+) points say on hover", drawn)
    if n == 1000:
        assert said is None
        assert named == 2 * n
    else:
        assert said is not None
        assert 2 * int(said[1].replace(",", "")) == named > 200
    # Every point is drawn and every mistake ringed all the same.
    drawn_points = len(re.findall("<circle[^>]*><title>", drawn)) + drawn.count("h0")
    assert drawn_points == 2 * n
    rings = re.findall('<g class="rings">.*?</g>', drawn)
    assert sum(ring.count("<circle") for ring in rings) == 2 * (n // every + 1)  # and the key
    assert drawn.count("taken for spam") > 100


def test_the_mistakes_are_named_first(write: Write, read: Read, tmp_path: Path) -> None:
    record = write(tmp_path / "run", "binary")
    enlarge(record, 5000, "z" * 160)
    one = maps(read(record))[0]
    assert all(one.labels[k] for k in one.marked)
    assert one.labels[0] == f"sms-0: ham, taken for spam. {'z' * 40}…"
    # The others are taken from everywhere, not from the first rows alone.
    others = [k for k in range(5000) if one.labels[k] and k % 10]
    assert others
    assert max(others) > 4000


def test_pictures_are_on_the_page_once(write: Write, render: Render, tmp_path: Path) -> None:
    record = write(tmp_path / "run", "binary")
    jpeg = base64.b64encode(b"\xff\xd8\xff small").decode()
    change(record, pictures={"3": jpeg, "5": jpeg})
    drawn = section_of(render(record, "binary"))
    held = re.findall(r'data-i="(\d+)" data-image="data:image/jpeg;base64,([^"]+)"', drawn)
    assert sorted(held) == [("3", jpeg), ("5", jpeg)]
    assert drawn.count('data-i="3"') == 2


def test_words_come_before_pictures(write: Write, read: Read, tmp_path: Path) -> None:
    record = write(tmp_path / "run", "binary")
    enlarge(record, 1000, "y" * 160)
    large = base64.b64encode(bytes(3000)).decode()
    change(record, pictures={str(k): large for k in range(1000)})
    one = maps(read(record))[0]
    assert all(one.labels)
    # As many pictures as there is room for, the mistakes' first.
    assert 20 < len(one.pictures) < 150
    assert {k % 10 for k in list(one.pictures)[:40]} == {0}


def test_an_items_text_is_never_markup(write: Write, render: Render, tmp_path: Path) -> None:
    record = write(tmp_path / "run", "binary")
    change(record, text=["<script>alert(1)</script>"] * 120, id=['"><b>'] * 120)
    drawn = section_of(render(record, "binary"))
    assert "<script" not in drawn
    assert "<b>" not in drawn
    assert "&lt;script&gt;alert(1)" in drawn
