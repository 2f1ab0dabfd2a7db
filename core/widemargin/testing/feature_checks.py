"""Checks of the features in front of the support vector machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from widemargin.contracts import UseCase
from widemargin.runs.training import fit_transform
from widemargin.testing.fixture import broken, expecting, load_fixture

if TYPE_CHECKING:
    from widemargin.registry import Registry

__all__ = ["check_features_clone", "check_learns"]


def check_features_clone(use_case: UseCase, registry: Registry | None = None) -> None:
    """Check that a clone of the features, as scikit-learn makes it, gives equal rows.

    Each fold fits a fresh copy; one that differs, or that shares what it learnt, would spoil the
    numbers.

    Parameters
    ----------
    use_case : UseCase
        What is checked.
    registry : Registry, optional
        What is installed; found if it is not given.

    Raises
    ------
    ConformanceError
        Where cloning fails or changes the rows.
    """
    from sklearn.base import clone

    fixture = load_fixture(use_case, registry)
    X, y = fixture.dataset.X, fixture.dataset.y
    rule = "scikit-learn's clone of the features must give equal rows."
    remedy = (
        "set in the constructor all that the transformer depends on, each parameter under its own "
        "name and unchanged."
    )
    with expecting(use_case, rule, remedy, parts=fixture.maker):
        features = fixture.config.features.build(fixture.dataset.kinds)
        copy = clone(features)
        if not _equal(fit_transform(features, X, y), fit_transform(copy, X, y)):
            found = "other rows from the clone."
            raise broken(use_case, rule, found, remedy, *fixture.maker)


def check_learns(use_case: UseCase, registry: Registry | None = None) -> None:
    """Check that the features learn no more than their `learns` declares.

    What learns ``nothing`` is embedded once for all folds, and what learns ``X`` once for all
    inner folds; either would leak if it learnt more.

    Parameters
    ----------
    use_case : UseCase
        What is checked.
    registry : Registry, optional
        What is installed; found if it is not given.

    Raises
    ------
    ConformanceError
        Where other training rows, or other labels, change the rows that come out.
    """
    import numpy as np

    fixture = load_fixture(use_case, registry)
    section, dataset = fixture.config.features, fixture.dataset
    if section.learns == "y":
        return
    others = dataset.y[np.random.default_rng(0).permutation(len(dataset))]
    fits: dict[str, tuple[Any, Any]] = {"other labels": (dataset.X, others)}
    if section.learns == "nothing":
        half = dataset.take(np.arange(0, len(dataset), 2))
        fits["other training rows"] = (half.X, half.y)
    rule = f"Its features declare that they learn {section.learns}."
    returns = "return a row of numbers for each item."
    with expecting(use_case, rule, returns, parts=fixture.maker):
        usual = section.build(dataset.kinds).fit(dataset.X, dataset.y).transform(dataset.X)
        made = {
            what: section.build(dataset.kinds).fit(X, y).transform(dataset.X)
            for what, (X, y) in fits.items()
        }
    for what, rows in made.items():
        if not _equal(usual, rows):
            raise broken(
                use_case,
                rule,
                f"other rows came out after fitting on {what}.",
                f'declare `learns` as "{"y" if what == "other labels" else "X"}" in '
                f"{type(section).__name__}, or learn nothing of them in `fit`.",
                *fixture.maker,
            )


def _equal(rows: Any, others: Any) -> bool:
    import numpy as np

    one, other = (
        np.asarray(matrix.toarray() if hasattr(matrix, "toarray") else matrix)
        for matrix in (rows, others)
    )
    return np.array_equal(one, other)
