"""The report's part on money: what the predictions would have earned, and whether that is luck."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from widemargin import DataError, ReportSection, Table
from widemargin.data import counted
from widemargin.evaluation import Facts, Lines, Series
from widemargin_trading.decisions import UP, Decisions
from widemargin_trading.measures import (
    best_of_luck,
    deflated_sharpe,
    drawdown,
    growth,
    paired_interval,
    sharpe,
    volatility,
    worth,
)
from widemargin_trading.strategy import Book, Outcome, shifted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.evaluation import Study

__all__ = ["Verdict", "by_chance", "money_sections", "signals_of", "verdict"]

_DRAWS = 1000
_POINTS = 400
_SURE = 0.95
_MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A strategy beside holding all shares.

    Parameters
    ----------
    beaten : bool
        Whether the strategy is better than holding, clearly and for all that was tried.
    text : str
        The same in words.
    """

    beaten: bool
    text: str


def money_sections(study: Study) -> Sequence[ReportSection]:
    """Return the section on what the out-of-sample predictions would have earned."""
    loader, dataset = study.loader, study.dataset
    assert isinstance(loader, Decisions)
    if dataset.aside is None or dataset.times is None:
        raise DataError("these data say nothing of what decisions earned.")
    order = np.argsort(dataset.times[study.rows], kind="stable")
    predicted = study.predictions.y_pred[order]
    if study.predictions.classes:
        predicted = np.where(np.array(study.predictions.classes)[predicted] == UP, 1.0, -1.0)
    signals = signals_of(predicted, loader.positions)
    book = Book.of(dataset.aside.iloc[study.rows[order]])
    cost = loader.cost_bp + loader.slippage_bp
    own = book.earn(book.positions(signals), cost)
    holding = book.earn(book.always(), cost)
    rng = np.random.default_rng(study.seed)
    random = [
        book.earn(book.positions(turned), cost) for turned in shifted(book, signals, _DRAWS, rng)
    ]
    tried = study.searched + study.searched_before
    said = verdict(own, holding, tried, length=max(20, 2 * loader.horizon), seed=study.seed)
    return [
        ReportSection(
            title="What it would have earned",
            intro=f"{said.text} This is no advice: it says what would have been, after "
            f"{cost:g} hundredths of a per cent for each trade, on {_span(book)} and on these "
            "shares alone.",
            blocks=[
                _table(own, holding, random),
                _curves(book, own, holding, random),
                _luck(study, own, holding, random, tried),
                _stretches(study, book, own, holding),
            ],
        )
    ]


def signals_of(predicted: NDArray[np.float64], positions: str) -> NDArray[np.float64]:
    """Turn predictions into what is done: above 0 buys, all else holds nothing or sells short.

    Examples
    --------
    >>> signals_of(np.array([0.4, -2.0]), "long-short").tolist()
    [1.0, -1.0]
    """
    return np.where(predicted > 0, 1.0, -1.0 if positions == "long-short" else 0.0)


def verdict(
    own: Outcome, holding: Outcome, tried: int, *, length: int = 20, seed: int = 0
) -> Verdict:
    """Say in words whether a strategy beats holding all shares.

    Parameters
    ----------
    own, holding : Outcome
        Of the same days.
    tried : int
        Configurations tried.
    length : int, default=20
        Days of a stretch that is resampled.
    seed : int, default=0
        Of the resamples.
    """
    if np.allclose(own.gained, holding.gained):
        return Verdict(
            beaten=False,
            text="Nothing here beats buying and holding: the strategy held everything on every "
            "day, which is the same.",
        )
    if not own.traded.any():
        return Verdict(
            beaten=False,
            text="Nothing here beats buying and holding: the strategy never bought anything, and "
            f"holding grew by {growth(holding.gained, holding.year):.1%} a year.",
        )
    grown, ratio = (
        paired_interval(
            own.gained,
            holding.gained,
            partial(measure, year=own.year),
            length=length,
            random_state=seed,
        )
        for measure in (growth, sharpe)
    )
    merit = deflated_sharpe(own.gained - holding.gained, tried)
    clearly = grown[1] > 0 or ratio[1] > 0
    beaten = clearly and merit >= _SURE
    figures = (
        f"After costs the strategy grew by {growth(own.gained, own.year):.1%} a year and holding "
        f"all shares by {growth(holding.gained, own.year):.1%}, a difference of "
        f"{100 * grown[0]:+.1f} points (95% "
        f"interval {100 * grown[1]:+.1f} to {100 * grown[2]:+.1f}); their Sharpe ratios are "
        f"{sharpe(own.gained, own.year):.2f} and {sharpe(holding.gained, own.year):.2f}, a "
        f"difference of {ratio[0]:+.2f} ({ratio[1]:+.2f} to {ratio[2]:+.2f})."
    ).replace("-", _MINUS)
    if beaten:
        return Verdict(beaten=True, text=f"The strategy beats buying and holding. {figures}")
    if clearly:
        reason = (
            f"An interval lies above 0, but with {tried} configurations tried the probability that "
            f"there is merit beyond holding is {merit:.0%}, which shows nothing yet."
        )
        return Verdict(
            beaten=False,
            text=f"Nothing here is shown to beat buying and holding. {figures} {reason}",
        )
    said = "clearly beats" if grown[0] > 0 or ratio[0] > 0 else "beats"
    return Verdict(beaten=False, text=f"Nothing here {said} buying and holding. {figures}")


def _table(own: Outcome, holding: Outcome, random: Sequence[Outcome]) -> Table:
    measures = (
        ("growth a year", lambda one: growth(one.gained, one.year), "{:.1%}"),
        ("volatility a year", lambda one: volatility(one.gained, one.year), "{:.1%}"),
        ("Sharpe ratio", lambda one: sharpe(one.gained, one.year), "{:.2f}"),
        ("largest drawdown", lambda one: drawdown(one.gained), "{:.1%}"),
        ("traded a year, times the money", lambda one: one.traded.mean() * one.year, "{:.1f}"),
        ("money at work", lambda one: one.held.mean(), "{:.0%}"),
    )
    rows = []
    for name, measure, form in measures:
        drawn = [float(measure(one)) for one in random]
        among = ""
        if drawn:
            low, middle, high = np.percentile(drawn, [5, 50, 95])
            among = f"{form.format(middle)} ({form.format(low)} to {form.format(high)})"
        rows.append((name, form.format(measure(own)), form.format(measure(holding)), among))
    return Table(
        columns=("", "strategy", "holding all shares", "random entries (middle 90%)"),
        rows=rows,
        note="Holding buys each share on its first day, pays once, and keeps the parts of all "
        "equal. Random entries are the strategy's own decisions begun at "
        f"{counted(len(random), 'other time')}: they trade as much, and know nothing. Money that "
        "lies idle earns nothing.",
    )


def _curves(book: Book, own: Outcome, holding: Outcome, random: Sequence[Outcome]) -> Lines:
    shown = np.unique(np.linspace(0, len(book.days) - 1, _POINTS).astype(np.intp))
    years = _years(book.days[shown], book.days[0])

    days = [str(day) for day in book.days[shown]]
    series = [
        Series(name=name, x=years, y=worth(one.gained)[shown].round(4).tolist(), labels=days)
        for name, one in (("strategy", own), ("holding all shares", holding))
    ]
    if random:
        low, middle, high = np.percentile(
            [worth(one.gained)[shown] for one in random], [5, 50, 95], axis=0
        )
        series.append(
            Series(
                name="random entries and their middle 90%",
                x=years,
                y=middle.round(4).tolist(),
                low=low.round(4).tolist(),
                high=high.round(4).tolist(),
                labels=days,
            )
        )
    return Lines(
        title="What 1 became, after costs",
        x_label=f"years from {book.days[0]}",
        y_label="worth",
        series=series,
    )


def _luck(
    study: Study, own: Outcome, holding: Outcome, random: Sequence[Outcome], tried: int
) -> Facts:
    earlier = ""
    if study.runs_before:
        earlier = (
            f", and {study.searched_before} of {study.runs_before} other "
            f"config{'s' if study.runs_before > 1 else ''} run before on the same data"
        )
    pairs = [
        (
            "Configurations tried",
            f"{tried}: {study.searched} cells of this run's search{earlier}"
            if earlier
            else f"{tried} cells of this run's search",
        ),
        (
            "Sharpe ratio that the best of them reaches by luck",
            f"{best_of_luck(len(own.gained), tried, own.year):.2f}",
        ),
        (
            "Deflated Sharpe ratio, against holding nothing",
            _merit(deflated_sharpe(own.gained, tried)),
        ),
        (
            "Deflated Sharpe ratio, against holding all shares",
            _merit(deflated_sharpe(own.gained - holding.gained, tried)),
        ),
    ]
    if random:
        pairs.append(("Random entries that grew at least as much", by_chance(own, random)))
    loader = study.loader
    assert isinstance(loader, Decisions)
    if own.traded.any():
        cost = loader.cost_bp + loader.slippage_bp
        before = own.gained + own.traded * cost / 1e4
        enough = before.sum() / own.traded.sum() * 1e4
        pairs.append(
            (
                "Cost of a trade that would take all that was gained",
                f"{enough / 100:.2f}% of what is traded" if enough > 0 else "none: nothing was",
            )
        )
    return Facts(
        title="Luck",
        pairs=pairs,
        note="The deflated Sharpe ratio (Bailey and López de Prado 2014) is the probability that "
        "the true ratio is above the one that the best of so many configurations without merit "
        "would show. What was tried in other folders, in runs that were deleted, or by other "
        "people is not counted, and belongs there.",
    )


def _stretches(study: Study, book: Book, own: Outcome, holding: Outcome) -> Table:
    """Part the days by the stretch whose model decided first."""
    dataset = study.dataset
    assert dataset.aside is not None
    days = dataset.aside["days"]
    begins = sorted({min(days.iloc[row][0] for row in split.test) for split in study.splits})
    part = np.searchsorted(np.array(begins), book.days, side="right") - 1
    lines = []
    for number in range(len(begins)):
        days_of = np.flatnonzero(part == number)
        if not len(days_of):
            continue
        gained = [worth(one.gained[days_of])[-1] - 1 for one in (own, holding)]
        lines.append(
            (
                f"{book.days[days_of[0]]} to {book.days[days_of[-1]]}",
                *(f"{one:+.1%}" for one in gained),
                f"{own.held[days_of].mean():.0%}",
            )
        )
    return Table(
        title="Stretch by stretch",
        columns=("days", "strategy", "holding all shares", "money at work"),
        rows=lines,
        note="Each stretch was decided on by a model that had learned from earlier days alone.",
    )


def _years(days: NDArray[np.datetime64], first: np.datetime64) -> list[float]:
    return [round(float(n) / 365.25, 4) for n in (days - first).astype(np.int64)]


def _merit(probability: float) -> str:
    # 0.0% and 100.0% would promise what no statistic can.
    if probability < 0.001:
        return "below 0.1% that there is merit"
    said = f"{probability:.1%}" if probability < 0.999 else "above 99.9%"
    return f"{said} that there is merit"


def by_chance(own: Outcome, random: Sequence[Outcome]) -> str:
    """Say how many random entries grew at least as much, and how likely that is without merit.

    The strategy counts as one of the draws (B. Phipson and G. K. Smyth 2010, "Permutation P-values
    Should Never Be Zero"), so that none of them is no proof.
    """
    grown = growth(own.gained)
    hits = sum(growth(one.gained) >= grown for one in random)
    p = (1 + hits) / (1 + len(random))
    return f"{hits:,} of {len(random):,}, p = {p:.2g}"


def _span(book: Book) -> str:
    return f"{len(book.days):,} days from {book.days[0]} to {book.days[-1]}"
