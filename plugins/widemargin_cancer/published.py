"""Loaders of published data sets: small round blue-cell tumours, NCI60, leukaemia."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from widemargin import Asset, AssetFile, DataError, Dataset, DatasetCard, Package
from widemargin.data import read_table
from widemargin_cancer.profiles import ExpressionLoader, Profiles
from widemargin_cancer.tables import genes_in_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["GOLUB_ASSET", "KHAN_ASSET", "NCI60", "NCI60_ASSET", "Golub", "Khan"]

_ISLP = Package(
    index="pip",
    name="ISLP",
    version="0.6.0",
    sha256="ca772cecca1747a2f84ee799a5503ddddbdf0e98f90c235494790c1d036c694b",
    size=16_593_353,
)


def _file(name: str, size: int, sha256: str) -> AssetFile:
    return AssetFile(name=name, member=f"ISLP/data/{name}", size=size, sha256=sha256)


KHAN_ASSET = Asset(
    name="khan",
    title="Small round blue-cell tumours (Khan 2001)",
    licence="BSD-2-Clause (the package that carries it)",
    origin="J. Khan et al. (2001), Nature Medicine 7, 673-679",
    package=_ISLP,
    files=(
        _file(
            "Khan_xtrain.csv",
            1_512_553,
            "12148ef490588eb8ac9de3edc89551962a0499bfe78f39726ad58d8d72fd8e90",
        ),
        _file(
            "Khan_ytrain.csv",
            130,
            "ac58f9c840e9e7c47bd17494cf0fe23e7fc9b5371e0d54c1a2a6038f45f637ab",
        ),
        _file(
            "Khan_xtest.csv",
            619_501,
            "f620e7c092bebd62697c48d0eb586a94533aea9cc98b2ecb65a8c8c2bfe2d05d",
        ),
        _file(
            "Khan_ytest.csv", 44, "92fe0d43b0bb8351873102ca3651a39766c3708da37cf30042fa0fdc58ba01eb"
        ),
    ),
)

NCI60_ASSET = Asset(
    name="nci60",
    title="NCI60 cancer cell lines",
    licence="BSD-2-Clause (the package that carries it)",
    origin="D. T. Ross et al. (2000), Nature Genetics 24, 227-235",
    package=_ISLP,
    files=(
        _file(
            "NCI60data.npy",
            3_497_088,
            "c31dc79edc9560ae047a156644ad5abcd0001bb121ad8149ca4b9bd372b38073",
        ),
        _file(
            "NCI60labs.csv", 601, "b1495c6b937d7f724de4e3065d4bd491e12c41da772a0665b596ae7b01ece16d"
        ),
    ),
)

GOLUB_ASSET = Asset(
    name="golub",
    title="Leukaemia (Golub 1999)",
    licence="LGPL-3+ (the package that carries it)",
    origin="T. R. Golub et al. (1999), Science 286, 531-537",
    package=Package(index="debian", name="r-bioc-multtest"),
    files=(
        AssetFile(
            name="golub.RData",
            member="usr/lib/R/site-library/multtest/data/golub.RData",
            size=304_276,
            sha256="c49407449272725e6e02ef5f609115ee1f6854e8b19d7f477625af012a8e3e47",
        ),
    ),
)

# The files number the classes; how many there are of each in the two parts tells which is which.
_TUMOURS = {"1": "Burkitt", "2": "Ewing", "3": "neuroblastoma", "4": "rhabdomyosarcoma"}


class _Published(ExpressionLoader):
    def read_profiles(self, source: Path) -> Iterator[Profiles]:
        """Read a table with a column for each gene."""
        yield from genes_in_columns(source, others=("id", "sample", "label"))


class Khan(_Published):
    """Small round blue-cell tumours: 63 + 20 samples of four kinds, 2,308 genes."""

    assets: ClassVar[tuple[Asset, ...]] = (KHAN_ASSET,)
    n_items: ClassVar[int] = 83

    source: Literal["khan"] = Field("khan", description="small round blue-cell tumours, Khan 2001")

    def load(self, data_home: Path) -> Dataset:
        """Read both parts from the data home."""
        import numpy as np
        import pandas as pd

        _check_there(KHAN_ASSET, data_home)
        values, labels, parts, ids = [], [], [], []
        for part in ("train", "test"):
            cells = pd.read_csv(KHAN_ASSET.path(data_home, f"Khan_x{part}.csv"))
            own = read_table(KHAN_ASSET.path(data_home, f"Khan_y{part}.csv"))["x"]
            values.append(cells.to_numpy(np.float64))
            labels += [_TUMOURS[str(code)] for code in own]
            parts += [part] * len(own)
            ids += [f"{part} {number}" for number in range(1, len(own) + 1)]
        card = DatasetCard(
            title="Small round blue-cell tumours",
            source="https://doi.org/10.1038/89044",
            licence=KHAN_ASSET.licence,
            citation=(
                "J. Khan et al. (2001). Classification and diagnostic prediction of cancers using "
                "gene expression profiling and artificial neural networks. Nature Medicine 7, "
                "673-679."
            ),
            sha256=KHAN_ASSET.files[0].sha256,
            target="tumour",
            item="sample",
            notes=(_NUMBERED,),
        )
        return _dataset(np.concatenate(values), labels, ids, card, parts=parts)


class NCI60(_Published):
    """The NCI60 cell lines: 57 of eight kinds of cancer, 6,830 genes."""

    assets: ClassVar[tuple[Asset, ...]] = (NCI60_ASSET,)
    n_items: ClassVar[int] = 57

    source: Literal["nci60"] = Field("nci60", description="NCI60 cell lines")
    at_least: int = Field(5, ge=2, description="cell lines that a kind of cancer must have")

    def load(self, data_home: Path) -> Dataset:
        """Read the cell lines of the kinds that have enough from the data home."""
        import numpy as np

        _check_there(NCI60_ASSET, data_home)
        values = np.load(NCI60_ASSET.path(data_home), allow_pickle=False)
        table = read_table(NCI60_ASSET.path(data_home, "NCI60labs.csv"), columns=["label"])
        kinds = np.array([str(name) for name in table["label"]])
        names, counts = np.unique(kinds, return_counts=True)
        kept = np.flatnonzero(np.isin(kinds, names[counts >= self.at_least]))
        left = [str(name) for name in names[counts < self.at_least]]
        lost = len(kinds) - len(kept)
        card = DatasetCard(
            title="NCI60 cell lines",
            source="https://doi.org/10.1038/73432",
            licence=NCI60_ASSET.licence,
            citation=(
                "D. T. Ross et al. (2000). Systematic variation in gene expression patterns in "
                "human cancer cell lines. Nature Genetics 24, 227-235."
            ),
            sha256=NCI60_ASSET.files[0].sha256,
            target="kind of cancer",
            item="cell line",
            notes=(
                _NUMBERED,
                *(
                    [f"{lost} cell lines of {len(left)} rarer kinds left out: {', '.join(left)}."]
                    if left
                    else []
                ),
            ),
        )
        ids = [f"line {row + 1}" for row in kept]
        return _dataset(values[kept], kinds[kept].tolist(), ids, card)


class Golub(_Published):
    """Acute leukaemia: 27 lymphoblastic and 11 myeloid samples, 3,051 genes."""

    assets: ClassVar[tuple[Asset, ...]] = (GOLUB_ASSET,)
    n_items: ClassVar[int] = 38

    source: Literal["golub"] = Field("golub", description="acute leukaemia, Golub 1999")

    def load(self, data_home: Path) -> Dataset:
        """Read the training samples of the publication from the data home."""
        import numpy as np

        try:
            import rdata
        except ModuleNotFoundError as error:
            raise DataError(
                "Golub's file is R's, which needs rdata, which is not installed. "
                'Install it with pip install "widemargin[bio]".'
            ) from error
        path = _check_there(GOLUB_ASSET, data_home)
        with warnings.catch_warnings():
            # It does not say its encoding, and is plain ASCII.
            warnings.simplefilter("ignore", UserWarning)
            held = rdata.read_rda(path)
        values = np.asarray(held["golub"], dtype=np.float64).T
        # R's matrices lie column by column: number, description, accession.
        numbers, described, accession = np.asarray(held["golub.gnames"]).reshape(3, -1)
        genes = [f"{code} {text}" for code, text in zip(accession, described, strict=True)]
        if len(set(genes)) < len(genes):
            genes = [f"{gene} ({number})" for gene, number in zip(genes, numbers, strict=True)]
        card = DatasetCard(
            title="Acute leukaemia",
            source="https://doi.org/10.1126/science.286.5439.531",
            licence=GOLUB_ASSET.licence,
            citation=(
                "T. R. Golub et al. (1999). Molecular classification of cancer: class discovery "
                "and class prediction by gene expression monitoring. Science 286, 531-537."
            ),
            sha256=GOLUB_ASSET.files[0].sha256,
            positive_class="AML",
            target="leukaemia",
            item="sample",
            notes=(
                "The 38 training samples of the publication, pre-processed as in Dudoit, Fridlyand "
                "and Speed 2002.",
            ),
        )
        labels = ["AML" if code else "ALL" for code in np.asarray(held["golub.cl"])]
        ids = [f"sample {row + 1}" for row in range(len(values))]
        return _dataset(values, labels, ids, card, genes=genes)


_NUMBERED = "The file does not name its genes; they are numbered by their columns."


def _check_there(asset: Asset, data_home: Path) -> Path:
    for file in asset.files:
        path = asset.path(data_home, file.name)
        if not path.is_file():
            raise DataError(
                f"{path}: {asset.title} is not there; get it with "
                f"`widemargin data fetch {asset.name}`."
            )
    return asset.path(data_home)


def _dataset(
    values: NDArray[Any],
    labels: list[str],
    ids: list[str],
    card: DatasetCard,
    *,
    genes: list[str] | None = None,
    parts: list[str] | None = None,
) -> Dataset:
    import numpy as np

    names = genes or [f"gene {number}" for number in range(1, values.shape[1] + 1)]
    frame = Profiles(np.ascontiguousarray(values, dtype=np.float64), names, ids, {}).frame()
    return Dataset(
        X=frame,
        kinds=dict.fromkeys(names, "expression"),
        y=np.array(labels, dtype=np.str_),
        ids=np.array(ids, dtype=np.str_),
        card=card,
        parts=None if parts is None else np.array(parts, dtype=np.str_),
    )
