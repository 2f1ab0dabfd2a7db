"""Loaders: the published sample of daily prices, and a table of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from widemargin import Asset, AssetFile, DatasetCard, Package
from widemargin.data import TableFormat, hash_file, read_table
from widemargin_trading.decisions import Decisions
from widemargin_trading.prices import Prices, parse_prices

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

    source: Literal["market"] = Field("market", description="the published sample of daily prices")
    symbols: Annotated[tuple[Share, ...], Field(min_length=1)] = Field(
        ("AAPL", "IBM", "MSFT"),
        description="shares: AAPL, IBM and MSFT are there from March 2000 on, GOOG from August "
        "2004, FB from May 2012",
    )

    def _read(self, data_home: Path) -> tuple[Sequence[Prices], DatasetCard]:
        table = read_table(STOCKS_ASSET.path(data_home))
        series = parse_prices(table, "stocks.csv.gz", symbols=self.symbols, max_gap=self.max_gap)
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
    """A table of one's own: a row a day, with date, open, high, low, close and volume."""

    source: Literal["file", "csv", "tsv", "parquet", "jsonl"] = Field(
        "file", description="how the table is written; file goes by the file's ending"
    )
    path: Path = Field(description="the table")
    symbols: tuple[str, ...] = Field((), description="shares to take; by default all")

    def _read(self, data_home: Path) -> tuple[Sequence[Prices], DatasetCard]:
        form: TableFormat = "auto" if self.source == "file" else self.source
        table = read_table(self.path, form)
        series = parse_prices(table, str(self.path), symbols=self.symbols, max_gap=self.max_gap)
        notes = []
        if not any("adj" in str(column).lower() for column in table.columns):
            notes.append(
                "There is no column adj close: a dividend looks like a fall, and a split like a "
                "crash, unless the prices are adjusted already."
            )
        card = DatasetCard(
            title=self.path.name,
            source=str(self.path),
            licence="the user's own",
            sha256=hash_file(self.path),
            notes=tuple(notes),
        )
        return series, card
