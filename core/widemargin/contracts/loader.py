"""Loaders: config sections that read a data set."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, get_args

from widemargin.contracts.asset import Asset
from widemargin.contracts.dataset import Columns, Dataset, Items
from widemargin.contracts.progress import Progress
from widemargin.contracts.section import Section
from widemargin.errors import DataError

__all__ = ["DatasetLoader", "sources"]


class DatasetLoader(Section):
    """A config section that reads a data set.

    A subclass adds ``source: Literal["name", ...] = "name"``, which is what ``data.source``
    says in a config, and a field for whatever the user may choose. The config uses the
    loader of the use case that knows most of the keys given, unless ``source`` names one.

    Attributes
    ----------
    assets : tuple of Asset
        The files that `load` needs in the data home.
    n_items : int
        How many items `load` returns where nothing is set, near-duplicates included; 0 where that
        depends on people's own files or on the day.
    """

    assets: ClassVar[tuple[Asset, ...]] = ()
    n_items: ClassVar[int] = 0

    def fetch(self, data_home: Path, *, offline: bool, progress: Progress) -> None:
        """Bring what no hash can pin into the data home, such as live prices; by default nothing.

        A run calls this before `load`, which reads what was brought.

        Parameters
        ----------
        data_home : Path
            The folder that holds the assets; `widemargin.data.keep_file` writes there.
        offline : bool
            Whether fetching is forbidden; what was brought before serves then.
        progress : Progress
            Told of what takes long.

        Raises
        ------
        AssetError
            Where it is absent and cannot be fetched.
        """

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

    def without_parts(self, dataset: Dataset) -> Dataset:
        """Return the data for a run that does not keep their published split.

        A loader overrides this where items then need groups, so that folds keep relatives together
        that the published split does not.

        Parameters
        ----------
        dataset : Dataset
            As `load` returned it, with its published parts.
        """
        return replace(dataset, parts=None)

    @abstractmethod
    def read_items(self, source: Path) -> Iterator[Items]:
        """Read unlabelled items of the same shape from a file or folder, in batches.

        A file of any length is read in constant memory.
        """

    def checked(self, X: Columns) -> Columns:
        """Return items that were typed in or piped as this data set would hold them.

        By default they are taken as they are. What `read_items` refuses in a file is to be refused
        here too, and what it tidies, tidied.

        Parameters
        ----------
        X : Columns
            The columns that the model was trained on.

        Raises
        ------
        ItemsError
            Where items are none of this kind; the others are answered.
        """
        return X

    def read_message(self, raw: bytes) -> Items:
        """Read one unlabelled item from the bytes of a mail, for ``widemargin filter``.

        Raises
        ------
        DataError
            By default: most data are no mail.
        """
        raise DataError("a run on such data reads no mail; give a run of a use case that does.")


def sources(loader: type[DatasetLoader]) -> tuple[str, ...]:
    """Return what ``data.source`` may say for a loader; the first is its default.

    Raises
    ------
    TypeError
        Where the loader declares no ``source``.
    """
    field = loader.model_fields.get("source")
    names = get_args(field.annotation) if field else ()
    if field is None or not names:
        raise TypeError(
            f"the loader {loader.__name__} must declare `source`, "
            'as in `source: Literal["csv"] = "csv"`'
        )
    return tuple(sorted(names, key=lambda name: name != field.default))
