"""How many items each data set has, as `widemargin list` tells it before any run."""

from __future__ import annotations

import pytest

from widemargin.contracts import DatasetLoader
from widemargin.data.assets import data_home
from widemargin.registry import discover

LOADERS = {
    f"{name}-{loader.model_fields['source'].default}": loader
    for name, case in discover().use_cases.items()
    for loader in case.data
}


def has_all(loader: type[DatasetLoader]) -> bool:
    files = [(asset, file) for asset in loader.assets for file in asset.files]
    return all(asset.path(data_home(), file.name).is_file() for asset, file in files)


def test_every_data_set_that_is_fetched_says_how_many_items_it_has() -> None:
    fetched = {name: loader.n_items for name, loader in LOADERS.items() if loader.assets}
    assert len(fetched) >= 11
    assert [name for name, n_items in fetched.items() if not n_items] == []


@pytest.mark.parametrize("name", [name for name, loader in LOADERS.items() if loader.n_items])
def test_a_data_set_has_as_many_items_as_it_says(name: str) -> None:
    loader = LOADERS[name]
    if not has_all(loader):
        pytest.skip(f"the files of {name} are not in place")
    assert len(loader().load(data_home())) == loader.n_items
