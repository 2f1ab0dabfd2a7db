from __future__ import annotations

import math
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from widemargin.contracts import Bars, Heatmap, Histogram, Lines, Scatter, Series
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
    Heatmap(title="all equal", x_label="x", y_label="y", columns=["a"], rows=["b"],
            values=[[1.0]]),
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
