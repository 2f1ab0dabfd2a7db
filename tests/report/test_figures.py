from __future__ import annotations

import math
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from widemargin.contracts import Bars, Heatmap, Histogram, Lines, Map, Scatter, Series
from widemargin.report.figures import Figure, draw
from widemargin.report.figures.scales import Scale, nice_ticks, simplified, thinned

EVIL = "<script>&\"'"
NUMBERS = st.floats(-1e9, 1e9, allow_nan=False)
FIGURES: list[Figure] = [
    Lines(title=EVIL, x_label=EVIL, y_label=EVIL, series=[
        Series(name=EVIL, x=[0, 1, 2], y=[1, math.nan, 3], low=[0, 0, 2], high=[2, 2, 4]),
        Series(name="reference", x=[0, 2], y=[0, 2], style="reference")],
        vertical=[(1, EVIL)]),
    Lines(title="markers on a logarithmic axis", x_label="C", y_label="score", series=[
        Series(name="a", x=[0.01, 1, 100], y=[1, 2, 1], low=[0, 1, 0], high=[2, 3, 2])],
        x_log=True, markers=True),
    Lines(title="nothing", x_label="x", y_label="y", series=[]),
    Lines(title="one point", x_label="x", y_label="y", series=[Series(name="a", x=[1], y=[1])]),
    Scatter(title=EVIL, x_label="x", y_label="y",
            series=[Series(name=EVIL, x=[1, 2], y=[3, 4], labels=[EVIL, "b"])]),
    Bars(title=EVIL, x_label=EVIL, labels=[EVIL, "down", "none"], values=[1.0, -2.0, 0.0]),
    Bars(title="nothing", x_label="x", labels=[], values=[]),
    Histogram(title=EVIL, x_label=EVIL, edges=[0, 1, 2], counts=[(EVIL, [3, 0]), ("b", [0, 1])],
              vertical=[(1, EVIL)], y_log=True),
    Histogram(title="empty", x_label="x", edges=[0, 1], counts=[("a", [0])]),
    Heatmap(title=EVIL, x_label=EVIL, y_label=EVIL, columns=[EVIL, "a long name of a column"],
            rows=["r", EVIL], values=[[1.0, math.nan], [2.0, 3.0]], texts=[["1", ""], [EVIL, "3"]],
            marked=(1, 1)),
    Heatmap(title="bands", x_label="x", y_label="y", columns=["a", "b", "c"], rows=["g"],
            values=[[0.0, 1.0, 2.0]], bands=[(EVIL, 2), ("other", 1)]),
    Heatmap(title="all equal", x_label="x", y_label="y", columns=["a"], rows=["b"],
            values=[[1.0]]),
    Map(title=EVIL, x=[1, 2, math.nan, 4], y=[3, 3, 1, math.inf], groups=[EVIL, "b"],
        group=[0, 1, 1, 0], x_label=EVIL, y_label=EVIL, labels=[EVIL, "", "c", "d"],
        marked=[0, 2], marked_name=EVIL, items=[5, 6, 7, 8], pictures={0: b"jpeg"}),
    Map(title="nothing", x=[], y=[], groups=[], group=[]),
    Map(title="one place", x=[2, 2], y=[0, 0], groups=["a"], group=[0, 0], ordered=True),
]  # fmt: skip


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: type(figure).__name__)
def test_every_figure_is_sound_svg_and_escapes_what_it_is_given(figure: Figure) -> None:
    drawn = str(draw(figure).svg)
    root = ET.fromstring(drawn)  # noqa: S314  # our own SVG, which the test is about
    assert root.get("role") == "img"
    assert "<script" not in drawn
    assert "nan" not in drawn


@given(low=NUMBERS, width=st.floats(1e-3, 1e9), wanted=st.integers(2, 8))
def test_ticks_lie_within_the_range_and_are_about_as_many_as_wanted(
    low: float, width: float, wanted: int
) -> None:
    high = low + width
    if not high > low or width < 1e-9 * abs(low):
        return
    ticks = nice_ticks(low, high, wanted)
    slack = 1e-6 * width
    assert all(low - slack <= tick <= high + slack for tick in ticks)
    assert wanted / 2 <= len(ticks) <= 2 * wanted
    assert ticks == sorted(ticks)


@given(value=NUMBERS, low=NUMBERS, width=st.floats(1e-3, 1e9))
def test_a_scale_stays_within_its_ends(value: float, low: float, width: float) -> None:
    assert 10 <= Scale(low, low + width, 10, 90)(value) <= 90


@given(st.lists(st.tuples(st.floats(0, 400), st.floats(0, 400)), min_size=1, max_size=60))
def test_a_simplified_line_keeps_its_ends_and_only_points_of_its_own(
    points: list[tuple[float, float]],
) -> None:
    kept = simplified(points)
    assert kept[0] == points[0]
    assert kept[-1] == points[-1]
    assert set(kept) <= set(points)


@given(n=st.integers(0, 500), most=st.integers(2, 60))
def test_thinning_keeps_both_ends(n: int, most: int) -> None:
    kept = thinned(n, most)
    assert len(kept) <= most
    if n:
        assert (kept[0], kept[-1]) == (0, n - 1)


def test_logarithmic_ticks_are_powers_of_ten() -> None:
    assert Scale(0.01, 100, 0, 1, log=True).ticks() == [0.01, 0.1, 1, 10, 100]
    assert Scale(0.2, 3, 0, 1, log=True).ticks() == [0.2, 0.5, 1, 2]


def test_bars_stand_on_the_side_of_their_sign() -> None:
    root = ET.fromstring(  # noqa: S314  # our own SVG
        str(draw(Bars(title="t", x_label="x", labels=["up", "down"], values=[2.0, -1.0])).svg)
    )
    up, down = (bar.attrib for bar in root.iter("rect") if "bar" in bar.attrib["class"])
    assert float(up["x"]) >= float(down["x"]) + float(down["width"]) - 0.1
    assert float(up["width"]) == pytest.approx(2 * float(down["width"]), abs=0.2)


def circles(block: Map, within: str = "spots") -> list[dict[str, str]]:
    """Return the attributes of a map's points, or rings, in the order of drawing."""
    named = replace(block, labels=["named"] * len(block.x))
    root = ET.fromstring(str(draw(named).svg))  # noqa: S314  # our own SVG
    groups = [group for group in root.iter("g") if within in group.attrib["class"].split()]
    return [circle.attrib for group in groups for circle in group.iter("circle")]


def test_both_directions_of_a_map_have_one_scale() -> None:
    left, right, top = circles(
        Map(title="t", x=[0, 10, 0], y=[0, 0, 5], groups=["a"], group=[0, 0, 0])
    )
    across = float(right["cx"]) - float(left["cx"])
    assert across == pytest.approx(2 * (float(left["cy"]) - float(top["cy"])), abs=0.3)
    assert float(left["cy"]) > float(top["cy"])


def test_a_few_far_points_do_not_squeeze_the_others() -> None:
    xs = [*(k / 400 for k in range(400)), 1e6]
    drawn = circles(Map(title="t", x=xs, y=[0.0] * 401, groups=["a"], group=[0] * 401))
    places = [float(one["cx"]) for one in drawn]
    assert places[399] - places[0] > 300
    assert places[400] == max(places) < 440


def test_points_that_are_nearly_all_on_a_line_are_drawn_on_the_map() -> None:
    xs, ys = [float(k) for k in range(400)], [0.0] * 399 + [300.0]
    drawn = circles(Map(title="t", x=xs, y=ys, groups=["a"], group=[0] * 400))
    assert len({one["cx"] for one in drawn}) > 390
    assert float(drawn[0]["cy"]) > float(drawn[-1]["cy"]) + 200


def test_small_groups_lie_above_large_ones_and_rings_above_all() -> None:
    block = Map(title="t", x=[0, 1, 2, 3], y=[0, 1, 2, 3], groups=["rare", "common"],
                group=[0, 1, 1, 1], marked=[2], labels=list("abcd"))  # fmt: skip
    root = ET.fromstring(str(draw(block).svg))  # noqa: S314  # our own SVG
    kinds = [group.attrib["class"] for group in root.iter("g")]
    assert kinds == ["spots s2", "spots s1", "spots s2", "rings"]
    assert len(circles(block, "rings")) == 1
    assert draw(block).key[-1] == ("", "ring", "mistake")


def test_twelve_groups_can_be_told_apart_and_more_are_grey() -> None:
    names = [str(k) for k in range(13)]
    block = Map(title="t", x=range(13), y=range(13), groups=names, group=range(13))
    kinds = [kind for kind, _, _ in draw(block).key]
    assert len(set(kinds)) == 13
    assert kinds[12] == "s0"
    steps = Map(title="t", x=[0], y=[0], groups=["low", "high"], group=[0], ordered=True)
    assert [kind for kind, _, _ in draw(steps).key] == ["v1", "v5"]


def test_points_that_show_nothing_are_drawn_as_one_line() -> None:
    names = [str(k) for k in range(7)]
    block = Map(title="t", x=range(7), y=range(7), groups=names, group=range(7),
                labels=["", "b", *[""] * 5])  # fmt: skip
    drawn = str(draw(block).svg)
    assert drawn.count("<circle") == drawn.count("<title>") == 1
    # The seventh colour is hollow: a hole is drawn over the point.
    assert drawn.count("h0") == 6 + 1
    assert drawn.count('class="hole"') == 1
