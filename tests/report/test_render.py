from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from widemargin.contracts import RunRecord

Write = Callable[..., RunRecord]
Render = Callable[[RunRecord, str], str]
VOID = {"meta", "link", "br", "hr", "input", "img"}
SHAPES = ["binary", "many", "regression"]


class Page(HTMLParser):
    """Collects the tags of a page and refuses one that closes what was not opened."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("script", "style"):
            self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


def headings(html: str) -> list[str]:
    found = re.findall(r"<h2[^>]*>(?:<a[^>]*>)?([^<]+)", html)
    return [heading.strip() for heading in found]


def test_the_headline_says_the_main_thing_in_a_sentence(
    write: Write, render: Render, tmp_path: Path
) -> None:
    page = Page(render(write(tmp_path / "run", "binary"), "binary"))
    assert (
        "Catches 94.1% of spam at 0.1% of ham blocked. "
        "F1 of spam is 0.959 (95% interval 0.948 to 0.969); "
        "always guessing the commonest class gives 0.000 and logistic regression reaches 0.951."
    ) in page.words
    for fact in ("Messages 4,464", "Kernel linear", "C 3", "Support vectors 1,234 (28%)"):
        assert fact in page.words


def test_the_use_cases_own_sentence_is_left_out_where_its_number_is_undefined(
    write: Write, render: Render, tmp_path: Path
) -> None:
    record = write(tmp_path / "run", "binary")
    metrics = json.loads(json.dumps(record.metrics))
    metrics["metrics"]["spam_caught_at_0.1"] = {"value": None, "low": None, "high": None}
    page = Page(render(replace(record, metrics=metrics), "binary"))
    assert "Catches" not in page.words
    assert "F1 of spam is 0.959" in page.words


def test_sections_come_in_their_order(write: Write, render: Render, tmp_path: Path) -> None:
    html = render(write(tmp_path / "run", "binary"), "binary")
    assert headings(html) == [
        "Findings",
        "All the numbers",
        "What blocking costs",
        "Ranking",
        "Right and wrong",
        "Calibration",
        "Scores",
        "Near-duplicates",
        "The search",
        "The words that decide",
        "Map of the messages",
        "The worst mistakes",
        "The messages that hold the boundary",
        "The data",
        "Settings and versions",
    ]


def test_regression_shows_errors_and_nothing_of_classes(
    write: Write, render: Render, tmp_path: Path
) -> None:
    html = render(write(tmp_path / "run", "regression"), "regression")
    assert headings(html) == [
        "All the numbers",
        "Predicted and true",
        "The columns that decide",
        "Map of the rows",
        "The worst mistakes",
        "The data",
        "Settings and versions",
    ]
    words = Page(html).words
    assert "Mean absolute error is 42.8 points (95% interval 39.9 to 45.7)" in words
    assert "always guessing the mean gives 65.7 and ridge regression reaches 43.4" in words


def test_several_classes_have_a_row_each(write: Write, render: Render, tmp_path: Path) -> None:
    html = render(write(tmp_path / "run", "many"), "many")
    assert "Accuracy over C and gamma" in html
    assert '<th scope="row">silver birch</th>' in html
    assert "Scores" not in headings(html)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_page_is_sound_html_with_distinct_ids(
    shape: str, write: Write, render: Render, tmp_path: Path
) -> None:
    page = Page(render(write(tmp_path / "run", shape), shape))
    ids = Counter(attributes["id"] for _, attributes in page.tags if "id" in attributes)
    assert max(ids.values()) == 1
    links = {str(link["href"])[1:] for link in page.all("a")}
    assert links <= set(ids)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_page_refers_to_nothing_outside_itself(
    shape: str, write: Write, render: Render, tmp_path: Path
) -> None:
    html = render(write(tmp_path / "run", shape), shape)
    page = Page(html)
    for _, attributes in page.tags:
        for name in ("src", "href", "action", "srcset", "poster"):
            value = attributes.get(name)
            assert value is None or value.startswith(("#", "data:,"))
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)
    assert "url(" not in html
    assert "@import" not in html


def test_the_policy_allows_our_style_and_script_and_nothing_else(
    write: Write, render: Render, tmp_path: Path
) -> None:
    html = render(write(tmp_path / "run", "binary"), "binary")
    policy = next(str(meta["content"]) for meta in Page(html).all("meta") if "http-equiv" in meta)
    assert policy.startswith("default-src 'none'")
    for tag in ("style", "script"):
        content = html.split(f"<{tag}>")[1].split(f"</{tag}>")[0]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_a_hostile_message_shows_as_text(write: Write, render: Render, tmp_path: Path) -> None:
    html = render(write(tmp_path / "run", "binary"), "binary")
    page = Page(html)
    assert len(page.all("script")) == 1
    assert "<script>alert('won')</script> & \"FREE\" <b>entry</b>" in page.words
    assert not page.all("b") or all("alert" not in text for text in page.all("b"))


def test_hostile_names_of_classes_and_pieces_show_as_text(
    write: Write, render: Render, tmp_path: Path
) -> None:
    record = write(tmp_path / "run", "binary")
    evil = '"><img src=x onerror=alert(1)>'
    for name in ("explanation.json", "dataset.json"):
        path = record.path / name
        content = path.read_text(encoding="utf-8").replace('"claim"', json.dumps(evil))
        content = content.replace("CC BY 4.0", evil.replace('"', '\\"'))
        path.write_text(content, encoding="utf-8")
    page = Page(render(record, "binary"))
    assert not page.all("img")
    assert evil in page.words


def test_every_figure_has_a_name_for_those_who_do_not_see_it(
    write: Write, render: Render, tmp_path: Path
) -> None:
    page = Page(render(write(tmp_path / "run", "binary"), "binary"))
    plots = [svg for svg in page.all("svg") if svg.get("class") == "plot"]
    assert len(plots) >= 10
    assert all(svg["role"] == "img" and svg["aria-label"] for svg in plots)
    rest = [svg for svg in page.all("svg") if svg.get("class") != "plot"]
    assert all(svg["aria-hidden"] == "true" for svg in rest)


def test_findings_show_their_code_and_warnings_come_first(
    write: Write, render: Render, tmp_path: Path
) -> None:
    words = Page(render(write(tmp_path / "run", "binary"), "binary")).words
    warning = words.index("warning WM002 C lies at the edge of the search")
    assert warning < words.index("note WM004 The baseline is close")


def test_an_undefined_number_is_called_so(write: Write, render: Render, tmp_path: Path) -> None:
    words = Page(render(write(tmp_path / "run", "binary"), "binary")).words
    assert "Spam caught at 0.5% of ham blocked undefined" in words


@pytest.mark.parametrize(
    ("file", "dropped"),
    [
        ("predictions.parquet", ["Ranking", "Right and wrong", "Calibration", "Scores"]),
        ("search.json", ["The search"]),
        ("explanation.json", ["The words that decide", "The worst mistakes"]),
        ("dataset.json", ["The data"]),
    ],
)
def test_a_file_that_is_not_there_drops_its_sections(
    file: str, dropped: list[str], write: Write, render: Render, tmp_path: Path
) -> None:
    record = write(tmp_path / "run", "binary")
    before = headings(render(record, "binary"))
    (record.path / file).unlink()
    with pytest.warns(UserWarning, match=f"{file} is absent. The report leaves out what rests on"):
        after = headings(render(record, "binary"))
    assert set(dropped) <= set(before)
    assert not set(dropped) & set(after)
    assert "Settings and versions" in after
    (record.path / file).write_bytes(b"torn")
    with pytest.warns(UserWarning, match=f"{file} is damaged"):
        assert headings(render(record, "binary")) == after


def test_a_finding_and_the_sentence_begin_with_a_capital(
    write: Write, render: Render, tmp_path: Path
) -> None:
    record = write(tmp_path / "run", "binary")
    [*findings] = record.metrics["findings"]
    findings[0] = {**findings[0], "message": "macro F1 is no better."}
    changed = replace(record, metrics={**record.metrics, "findings": findings})
    assert "Macro F1 is no better." in Page(render(changed, "binary")).words


def test_a_run_with_nothing_but_a_name_still_has_a_report(
    write: Write, render: Render, tmp_path: Path
) -> None:
    bare = RunRecord(path=tmp_path, id="x", use_case="spam", manifest={}, config={}, metrics={})
    with pytest.warns(UserWarning, match="predictions.parquet is absent, search.json is absent"):
        page = Page(render(bare, "binary"))
    assert "Tells spam from ham in text messages" in page.words


@pytest.mark.parametrize("shape", SHAPES)
def test_a_handful_of_items_suffices(
    shape: str, write: Write, render: Render, tmp_path: Path
) -> None:
    for n in (1, 3, 7):
        Page(render(write(tmp_path / f"run{n}", shape, n=n), shape))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_large_run_stays_a_small_file(
    shape: str, write: Write, render: Render, tmp_path: Path
) -> None:
    assert len(render(write(tmp_path / "run", shape, n=20_000), shape)) < 400_000


def test_the_same_run_gives_the_same_page(write: Write, render: Render, tmp_path: Path) -> None:
    record = write(tmp_path / "run", "binary")
    assert render(record, "binary") == render(record, "binary")


def test_words_that_weighed_are_marked_as_whole_words(
    write: Write, render: Render, tmp_path: Path
) -> None:
    record = write(tmp_path / "run", "binary")
    path = record.path / "explanation.json"
    explanation: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    explanation["mistakes"] = [{
        "id": "1", "text": "Win a window, WIN!", "true": "ham", "predicted": "spam",
        "probability": 0.7, "decision": 0.4,
        "shares": [{"piece": "win", "contribution": 0.3}, {"piece": "a", "contribution": -0.1}],
    }]  # fmt: skip
    path.write_text(json.dumps(explanation), encoding="utf-8")
    html = render(record, "binary")
    assert (
        '<mark class="up">Win</mark> <mark class="down">a</mark> window, '
        '<mark class="up">WIN</mark>!'
    ) in html


def test_letters_of_a_sequence_are_marked_where_they_stand(
    write: Write, render: Render, tmp_path: Path
) -> None:
    record = write(tmp_path / "run", "binary")
    path = record.path / "explanation.json"
    explanation: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    one = {"true": "ham", "predicted": "spam", "probability": 0.7, "decision": 0.4}
    pieces = [("K2", 0.3), ("L3", 0.2), ("K4", -0.1), ("W9", 0.1), ("length", 0.1)]
    shares = [{"piece": piece, "contribution": push} for piece, push in pieces]
    explanation["mistakes"] = [
        {**one, "id": "1", "text": "kkLKG", "shares": shares},
        # A word of a message that happens to look like one marks that word alone.
        {**one, "id": "2", "text": "at B4 we", "shares": [{"piece": "B4", "contribution": 0.3}]},
    ]
    path.write_text(json.dumps(explanation), encoding="utf-8")
    html = render(record, "binary")
    assert 'k<mark class="up">kL</mark><mark class="down">K</mark>G' in html
    assert 'at <mark class="up">B4</mark> we' in html


def test_where_no_piece_can_be_named_the_note_says_why(
    write: Write, render: Render, tmp_path: Path
) -> None:
    record = write(tmp_path / "run", "many")
    note = "The rbf kernel has no weight for each piece."
    (record.path / "explanation.json").write_text(json.dumps({"pieces": [], "note": note}))
    page = Page(render(record, "many"))
    assert f"The columns that decide {note}" in page.words


def test_repeats_are_told_and_listed(write: Write, render: Render, tmp_path: Path) -> None:
    record = write(tmp_path / "run", "binary")
    path = record.path / "search.json"
    search = json.loads(path.read_text(encoding="utf-8"))
    search["outer"] += [{**one, "repeat": 1} for one in search["outer"]]
    path.write_text(json.dumps(search), encoding="utf-8")
    metrics = {**record.metrics, "folds": 2 * record.metrics["folds"]}
    page = Page(render(replace(record, metrics=metrics), "binary"))
    assert "Measured on 5 held-out parts, 2 times" in page.words
    assert "repeat part C F1 of spam inside" in page.words


def test_near_duplicates_are_told_with_what_they_would_have_done(
    write: Write, render: Render, tmp_path: Path
) -> None:
    words = Page(render(write(tmp_path / "run", "binary"), "binary")).words
    assert (
        "373 messages, in 250 groups, equal another but for case, punctuation and digits" in words
    )
    assert (
        "would have shown accuracy 99.2% instead of 98.9% and F1 of spam 0.970 instead of 0.958"
        in words
    )
