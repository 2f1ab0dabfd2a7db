"""The loader of files of the Gene Expression Omnibus."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Literal, TextIO

from pydantic import Field

from widemargin import DataError, Dataset, DatasetCard
from widemargin.data import hash_file
from widemargin_cancer.profiles import ExpressionLoader, Profiles, labelled
from widemargin_cancer.series_matrix import read_series_matrix
from widemargin_cancer.soft import read_soft
from widemargin_cancer.tables import averaged

__all__ = ["GeoFile"]


class GeoFile(ExpressionLoader):
    """A series matrix or SOFT file of the Gene Expression Omnibus."""

    source: Literal["geo"] = Field("geo", description="a series matrix or SOFT file, also .gz")
    path: Path = Field(description="the file")
    label: str = Field(
        "",
        description="the characteristic of samples that is the class; a run without it lists those "
        "that the file tells",
    )
    group: str = Field("", description="the characteristic that names patients, never split")
    ignore: tuple[str, ...] = Field((), description="classes to leave out")
    names: Literal["probe", "symbol"] = Field(
        "probe",
        description="what genes are called: their probe, or the gene's symbol, of whose probes the "
        "mean is taken (SOFT files with a platform have it)",
    )

    def load(self, data_home: Path) -> Dataset:
        """Read the file."""
        [profiles] = self.read_profiles(self.path)
        card = DatasetCard(
            title=self.path.name,
            source=str(self.path),
            licence="the user's own",
            sha256=hash_file(self.path),
            target=self.label,
            item="sample",
        )
        return labelled(
            profiles,
            card,
            self.label.strip().lower(),
            group=self.group.strip().lower(),
            ignore=self.ignore,
            where=str(self.path),
        )

    def read_profiles(self, source: Path) -> Iterator[Profiles]:
        """Read all samples of a file of either form."""
        symbols: dict[str, str] = {}
        with _lines(source) as lines:
            first = next((line for line in lines if line.strip()), "")
            rest = chain([first], lines)
            if first.startswith("^"):
                profiles, symbols = read_soft(rest, str(source))
            elif first.startswith("!Series"):
                profiles = read_series_matrix(rest, str(source))
            else:
                raise DataError(
                    f"{source}: is neither a series matrix, which begins with !Series, nor SOFT, "
                    "which begins with ^. A plain table is data.source=file."
                )
        genes = list(profiles.genes)
        if self.names == "symbol":
            if not symbols:
                raise DataError(
                    f"{source}: does not say the genes' symbols; a family SOFT file with its "
                    "platform does. Or say --set data.names=probe."
                )
            genes = [symbols.get(name, name) for name in genes]
        values, genes, notes = averaged(profiles.values, genes)
        yield Profiles(values, genes, profiles.samples, profiles.told, (*profiles.notes, *notes))


@contextmanager
def _lines(path: Path) -> Iterator[Iterator[str]]:
    """Open a text file, packed or not; what cannot be read is a `DataError`."""
    path = path.expanduser()
    if not path.is_file():
        raise DataError(f"{path}: there is no such file.")

    def each(file: TextIO) -> Iterator[str]:
        try:
            yield from file
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{path}: cannot be read to its end ({error}).") from None

    if path.suffix.lower() == ".gz":
        with gzip.open(path, "rt", encoding="utf-8", errors="replace") as packed:
            yield each(packed)
    else:
        with path.open(encoding="utf-8", errors="replace") as plain:
            yield each(plain)
