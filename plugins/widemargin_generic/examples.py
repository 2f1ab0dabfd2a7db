"""The examples that come with scikit-learn: diabetes and breast cancer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from widemargin import Dataset, DatasetCard, DatasetLoader, Items
from widemargin_generic.tables import table_items

__all__ = ["BreastCancer", "Diabetes"]


class Diabetes(DatasetLoader):
    """Progression of diabetes in 442 patients: regression."""

    n_items: ClassVar[int] = 442

    source: Literal["diabetes"] = Field("diabetes", description="scikit-learn's diabetes data")

    def load(self, data_home: Path) -> Dataset:
        """Read the data from scikit-learn; needs no network."""
        import numpy as np
        from sklearn.datasets import load_diabetes

        bunch = load_diabetes(as_frame=True, scaled=False)
        X = bunch.data.astype(np.float64)
        return Dataset(
            X=X,
            kinds=dict.fromkeys(X.columns, "table"),
            y=bunch.target.to_numpy(np.float64),
            ids=np.array([f"patient {i}" for i in range(1, len(X) + 1)]),
            card=DatasetCard(
                title="Diabetes",
                source="scikit-learn, sklearn.datasets.load_diabetes",
                licence="distributed with scikit-learn (BSD-3-Clause)",
                citation=(
                    "B. Efron, T. Hastie, I. Johnstone, R. Tibshirani (2004). Least angle "
                    "regression. Annals of Statistics 32, 407-499."
                ),
                target="disease progression after one year",
                units="disease progression score",
                item="patient",
                notes=("Ten measurements at baseline, in their own units; sex is coded 1 and 2.",),
            ),
        )

    def read_items(self, source: Path) -> Iterator[Items]:
        """Read the rows of a table with the same columns."""
        return table_items(source)


class BreastCancer(DatasetLoader):
    """Breast tumours, benign or malignant, by the shape of their cell nuclei: classification."""

    n_items: ClassVar[int] = 569

    source: Literal["breast-cancer"] = Field(
        "breast-cancer", description="scikit-learn's breast cancer data"
    )

    def load(self, data_home: Path) -> Dataset:
        """Read the data from scikit-learn; needs no network."""
        import numpy as np
        from sklearn.datasets import load_breast_cancer

        bunch = load_breast_cancer(as_frame=True)
        X = bunch.data.astype(np.float64)
        names = np.asarray(bunch.target_names, dtype=np.str_)
        return Dataset(
            X=X,
            kinds=dict.fromkeys(X.columns, "table"),
            y=names[bunch.target.to_numpy()],
            ids=np.array([f"tumour {i}" for i in range(1, len(X) + 1)]),
            card=DatasetCard(
                title="Breast cancer (Wisconsin, diagnostic)",
                source="scikit-learn, sklearn.datasets.load_breast_cancer",
                licence="CC BY 4.0",
                citation=(
                    "W. H. Wolberg, O. L. Mangasarian, W. N. Street (1995). Breast Cancer "
                    "Wisconsin (Diagnostic). UCI Machine Learning Repository, id 17."
                ),
                positive_class="malignant",
                target="diagnosis",
                item="tumour",
                notes=("Mean, standard error and worst value of ten measures of cell nuclei.",),
            ),
        )

    def read_items(self, source: Path) -> Iterator[Items]:
        """Read the rows of a table with the same columns."""
        return table_items(source)
