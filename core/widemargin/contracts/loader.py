"""Loaders: config sections that read a data set."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from widemargin.contracts.asset import Asset
from widemargin.contracts.dataset import Dataset, Items
from widemargin.contracts.section import Section

__all__ = ["DatasetLoader"]


class DatasetLoader(Section):
    """A config section that reads a data set.

    A subclass adds ``source: Literal["name", ...] = "name"``, which is what ``data.source``
    says in a config, and a field for whatever the user may choose. The config uses the
    loader of the use case that knows most of the keys given, unless ``source`` names one.

    Attributes
    ----------
    assets : tuple of Asset
        The files that `load` needs in the data home.
    """

    assets: ClassVar[tuple[Asset, ...]] = ()

    @abstractmethod
    def load(self, data_home: Path) -> Dataset:
        """Read the labelled data set.

        Parameters
        ----------
        data_home : Path
            The folder that holds the assets; each lies at ``asset.path(data_home)``.

        Raises
        ------
        DataError
            Where the data cannot be used; the message names file and row.
        """

    def load_carelessly(self, data_home: Path) -> tuple[str, Dataset] | None:
        """Read the same data as somebody would who is not careful; by default there is no such way.

        The report then shows what that would have claimed.

        Returns
        -------
        tuple of (str, Dataset) or None
            What was careless, in words, and the data.
        """
        return None

    @abstractmethod
    def read_items(self, source: Path) -> Iterator[Items]:
        """Read unlabelled items of the same shape from a file or folder, in batches.

        A file of any length is read in constant memory.
        """
