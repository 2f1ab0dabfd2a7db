"""Loaders: German credit, and people's own tables of applications."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from widemargin import Asset, AssetFile, DataError, Dataset, DatasetCard, Package
from widemargin.data import (
    TableFormat,
    cell_text,
    check_columns,
    hash_file,
    plain_cells,
    read_table,
)
from widemargin_credit.applications import BAD, Applications, MayChange

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ASSET", "ApplicationTable", "GermanCredit"]

ASSET = Asset(
    name="german-credit",
    title="German credit (Statlog)",
    licence="CC BY 4.0",
    origin="H. Hofmann (1994), UCI Machine Learning Repository, doi:10.24432/C5NC77",
    package=Package(
        index="pip",
        name="scorecardpipeline",
        version="0.1.39",
        sha256="33e8cec728ac5e92aad94ce1b19b8e09e065daf047c4b38feaa90612a11c5c4f",
        size=4_231_591,
    ),
    files=(
        AssetFile(
            name="germancredit.csv",
            member="scorecardpipeline/germancredit.csv",
            size=268_042,
            sha256="2c0bae00275c028fc853a1ea72cc7a68002c3f6876c41300c5c948711540c8c6",
        ),
    ),
)

_SEX = "sex"
_STATUS = "personal_status_and_sex"


class GermanCredit(Applications):
    """German credit: 1,000 applications of 1973 to 1975, 700 paid back and 300 not."""

    assets: ClassVar[tuple[Asset, ...]] = (ASSET,)
    never_change: ClassVar[tuple[str, ...]] = (
        *(_SEX, "age_in_years", "foreign_worker", _STATUS),
        "credit_history",
    )

    source: Literal["german"] = Field("german", description="the published German credit data")
    protected: tuple[str, ...] = Field(
        (_SEX, "age_in_years", "foreign_worker"),
        description="columns of protected attributes, for the table of fairness",
    )
    protected_cuts: dict[str, tuple[float, ...]] = Field(
        {"age_in_years": (26.0,)},
        description="where groups of a protected number begin; by default quarters",
    )
    may_change: dict[str, MayChange] = Field(
        {
            "credit_amount": "lower",
            "duration_in_month": "any",
            "savings_account_and_bonds": (
                "100 <= ... < 500 DM",
                "500 <= ... < 1000 DM",
                "... >= 1000 DM",
            ),
            "other_debtors_or_guarantors": ("guarantor",),
            "other_installment_plans": ("none",),
        },
        description="columns that an applicant can change, each with any, lower, higher, or a list "
        "of the values that it may become; what would turn a refusal is looked for among them",
    )

    def load(self, data_home: Path) -> Dataset:
        """Read the published table."""
        table = self._prepare(plain_cells(read_table(ASSET.path(data_home))))
        card = DatasetCard(
            title=ASSET.title,
            source="scorecardpipeline==0.1.39, germancredit.csv",
            licence=ASSET.licence,
            citation=ASSET.origin,
            sha256=ASSET.files[0].sha256,
            positive_class=BAD,
            target="creditability",
            item="application",
        )
        lines = [f"application {row}" for row in range(1, len(table) + 1)]
        note = "The marital status tells the sex in this table (no woman is single), and is out."
        return self._dataset(table, list(table["creditability"] == BAD), lines, card, (note,))

    def _others(self) -> tuple[str, ...]:
        return ("creditability", _STATUS)

    def _prepare(self, table: pd.DataFrame) -> pd.DataFrame:
        if _STATUS not in table:
            return table
        told = [
            value.split(":")[0].strip() if isinstance(value, str) else value
            for value in table[_STATUS]
        ]
        return table.assign(**{_SEX: told})


class ApplicationTable(Applications):
    """A table of one's own: a row an application, with a column that says how it ended."""

    source: Literal["file", "csv", "tsv", "parquet", "jsonl"] = Field(
        "file", description="how the table is written; file goes by the file's ending"
    )
    path: Path = Field(description="the table")
    label: str = Field("label", description="column that says how the credit ended")
    bad: tuple[str, ...] = Field((BAD,), description="values of that column that mean a bad end")
    ignore: tuple[str, ...] = Field((), description="columns to leave out")
    id: str = Field("", description="column that names the applications; empty numbers them")

    def load(self, data_home: Path) -> Dataset:
        """Read the table."""
        form: TableFormat = "auto" if self.source == "file" else self.source
        raw = read_table(self.path, form)
        check_columns(self.path, [n for n in self._others() if n], [str(n) for n in raw.columns])
        table = plain_cells(raw)
        lines = [f"{self.path.name}:{line}" for line in raw.index]
        ends = [cell_text(value) for value in table[self.label]]
        known = [row for row, end in enumerate(ends) if end]
        words = sorted({ends[row] for row in known})
        if absent := [value for value in self.bad if value not in words]:
            shown = ", ".join(words[:10]) or "nothing"
            raise DataError(
                f"{self.path}: column {self.label!r} has no {absent[0]!r}; it has {shown}. Say "
                f"which of them is bad, as in --set 'data.bad=[\"{words[-1] if words else 1}\"]'."
            )
        notes = []
        if lost := len(table) - len(known):
            notes.append(f"{lost} of {len(table)} rows are left out: how they ended is not told.")
        others = [word for word in words if word not in self.bad]
        notes.append(f"Bad is {', '.join(self.bad)}; good is {', '.join(others) or 'nothing'}.")
        ids = self._ids(table, lines)
        first: dict[str, str] = {}
        for row in known:
            if ids[row] in first:
                raise DataError(
                    f"{self.path}: column {self.id!r} names {ids[row]!r} twice, at "
                    f"{first[ids[row]]} and {lines[row]}; each application needs an id of its own."
                )
            first[ids[row]] = lines[row]
        card = DatasetCard(
            title=self.path.name,
            source=str(self.path),
            licence="the user's own",
            sha256=hash_file(self.path),
            positive_class=BAD,
            target=self.label,
            item="application",
        )
        return self._dataset(
            table.iloc[known],
            [ends[row] in self.bad for row in known],
            [ids[row] for row in known],
            card,
            notes,
        )

    def _others(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.label, self.id, *self.ignore)))

    def _ids(self, table: pd.DataFrame, lines: Sequence[str]) -> list[str]:
        if self.id not in table:
            return list(lines)
        return [cell_text(v) or line for v, line in zip(table[self.id], lines, strict=True)]
