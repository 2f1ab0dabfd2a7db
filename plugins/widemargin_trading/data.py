"""Loaders: the published sample of daily prices, and a table of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, field_validator

from widemargin import Asset, AssetFile, DatasetCard, Package
from widemargin.data import TableFormat, hash_file
from widemargin_trading.decisions import Decisions, each_once
from widemargin_trading.price_columns import PRICE_COLUMNS
from widemargin_trading.price_files import read_prices
from widemargin_trading.prices import Prices

__all__ = ["STOCKS_ASSET", "Market", "PriceTable"]

STOCKS_ASSET = Asset(
    name="stocks",
    title="Daily prices of five shares, 2000 to 2013",
    licence="public domain",
    origin="Quandl WIKI Prices, by way of the package bokeh-sampledata",
    package=Package(
        index="pip",
        name="bokeh-sampledata",
        version="2026.1",
        sha256="f40331a40ca30c64a1c1471835aad9006b61b0d9731a3f649ee8cbbf48d3822f",
        size=12_835_603,
    ),
    files=(
        AssetFile(
            name="stocks.csv.gz",
            member="bokeh_sampledata/_data/stocks.csv.gz",
            size=294_246,
            sha256="5abadf99b2d394f920120a27de6f0df129859d71d4cfb0bf661bcc99446ab1fd",
        ),
    ),
)

Share = Literal["AAPL", "FB", "GOOG", "IBM", "MSFT"]


class Market(Decisions):
    """Daily prices of Apple, IBM, Microsoft and others, 2000 to 2013."""

    assets: ClassVar[tuple[Asset, ...]] = (STOCKS_ASSET,)
    n_items: ClassVar[int] = 1_887

    source: Literal["market"] = Field("market", description="the published sample of daily prices")
    symbols: Annotated[tuple[Share, ...], Field(min_length=1), AfterValidator(each_once)] = Field(
        ("AAPL", "IBM", "MSFT"),
        description="shares: AAPL, IBM and MSFT are there from March 2000 on, GOOG from August "
        "2004, FB from May 2012",
    )

    def _read(self, data_home: Path) -> tuple[Sequence[Prices], DatasetCard]:
        series = read_prices(
            STOCKS_ASSET.path(data_home), symbols=self.symbols, max_gap=self.max_gap
        )
        card = DatasetCard(
            title="Daily prices of " + ", ".join(self.symbols),
            source="bokeh-sampledata==2026.1, stocks.csv.gz",
            licence=STOCKS_ASSET.licence,
            citation=STOCKS_ASSET.origin,
            sha256=STOCKS_ASSET.files[0].sha256,
            notes=(
                "These shares are here because they lasted and became well known; those that did "
                "not are absent, which flatters holding.",
            ),
        )
        return series, card


class PriceTable(Decisions):
    """Prices of one's own: a row a day, with date, open, high, low and close."""

    source: Literal["file", "csv", "tsv", "parquet", "jsonl"] = Field(
        "file", description="how a table is written; file goes by the file's ending"
    )
    path: Path = Field(
        description="the table, or a folder with one for each share, named by it, as AAPL.csv"
    )
    symbols: Annotated[tuple[str, ...], AfterValidator(each_once)] = Field(
        (), description="shares to take, by predict too; by default all"
    )
    columns: dict[str, str] = Field(
        {},
        description="columns that are not called date, open, high, low, close, volume, symbol (or "
        "ticker) and adj close (adjusted), as in {date: Datum, close: Schlusskurs}",
    )

    @field_validator("columns")
    @classmethod
    def _check_columns(cls, columns: dict[str, str]) -> dict[str, str]:
        for name in columns:
            if name not in PRICE_COLUMNS:
                raise ValueError(
                    f"{name!r} is none of {', '.join(PRICE_COLUMNS)}: these stand before the "
                    "colon, and the table's own names behind it"
                )
        return columns

    def _read(self, data_home: Path) -> tuple[Sequence[Prices], DatasetCard]:
        series = self._prices(self.path, some=False)
        notes = []
        if not all(one.adjusted for one in series):
            notes.append(
                "There is no column adj close: a dividend looks like a fall, and a split like a "
                "crash, unless the prices are adjusted already."
            )
        if not all(one.counted for one in series):
            notes.append("There is no column volume: what tells of it is the same on all days.")
        if not all(one.ranged for one in series):
            notes.append("There are closes alone, which stand for open, high and low too.")
        card = DatasetCard(
            title=self.path.name,
            source=str(self.path),
            licence="the user's own",
            sha256="" if self.path.is_dir() else hash_file(self.path),
            notes=tuple(notes),
        )
        return series, card

    def _prices(self, source: Path, some: bool = True) -> Sequence[Prices]:
        form: TableFormat = "auto" if self.source == "file" else self.source
        return read_prices(
            source,
            form if source.suffix == self.path.suffix else "auto",
            symbols=self.symbols,
            max_gap=self.max_gap,
            columns=self.columns,
            some=some,
        )
