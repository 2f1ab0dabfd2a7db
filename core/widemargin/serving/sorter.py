"""Sorting by a run's model: which folder a file goes to, and what is to be told of all of them."""

from __future__ import annotations

import errno
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from widemargin.errors import InputError
from widemargin.serving.sorting import (
    NOT_SURE,
    check_target,
    class_folders,
    folders_with,
    place_file,
)

if TYPE_CHECKING:
    from widemargin.contracts import Items
    from widemargin.serving.answers import Prediction
    from widemargin.serving.predictor import Predictor

__all__ = ["Sorter"]

# What is wrong with one name, and not with the folder or the disk.
_OF_THE_NAME = {errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ}


class Sorter:
    """Files of people's own, put into one folder for each class.

    Parameters
    ----------
    predictor : Predictor
        Of a run whose items are files.
    source, target : Path
        The folder that is sorted, and where the classes' folders go.
    sure : float
        Probability of a class below which a file goes to the folder of those in doubt.
    link : bool
        Whether symbolic links are made in place of copies.
    asked : str
        What the run was called, for what people are told to do instead.

    Attributes
    ----------
    placed : Counter of str
        Files by folder, those that were there before included.
    were_there, refused : int
        Files that were in place before, and files that went nowhere.
    twice : list of str
        Files that stand in another folder too, from before, with that folder.

    Raises
    ------
    InputError
        Where the run's items are no files of classes, or the target is refused.
    """

    def __init__(
        self,
        predictor: Predictor,
        source: Path,
        target: Path,
        *,
        sure: float,
        link: bool,
        asked: str,
    ) -> None:
        self._instead = f"`widemargin predict {asked} --file {source}` answers."
        if not predictor.reads_files or not predictor.model.classes:
            raise InputError(
                "sort is for classes of files that are items each, such as pictures and "
                f"recordings; {asked} is not of that kind. {self._instead}"
            )
        self._predictor, self._source, self._target = predictor, source, target
        self._sure, self._link = sure, link
        self._folders = class_folders(predictor.model.classes)
        learned_from = getattr(predictor.config.data, "path", None)
        own = learned_from and Path(learned_from).expanduser()
        check_target(source, target, self._folders.values(), own)
        self.placed: Counter[str] = Counter()
        self.were_there = 0
        self.refused = 0
        self.twice: list[str] = []

    def sort(self, batch: Items) -> list[str]:
        """Sort some files; return a line on each that goes nowhere.

        Raises
        ------
        InputError
            Where items are no files of their own, or the disk takes no more.
        """
        paths = self._paths(batch)
        answers = self._predictor.answer(batch)
        placed = (self._place(one, paths[one.id]) for one in answers.predictions)
        refused = [*answers.refused, *filter(None, placed)]
        self.refused += len(refused)
        return refused

    def _paths(self, batch: Items) -> dict[str, Path]:
        given = batch.X[next(iter(batch.kinds))]
        if not all(isinstance(path, str | os.PathLike) for path in given):
            items = self._predictor.use_case.wording.items
            raise InputError(
                f"{self._source}: its {items} are read out of other files, and sort copies files. "
                f"{self._instead}"
            )
        return dict(zip(batch.ids, map(Path, given), strict=True))

    def _place(self, one: Prediction, path: Path) -> str | None:
        """Put a file into its folder; return why not where its name does not allow it."""
        folder = self._folder(one)
        others = [name for name in (*self._folders.values(), NOT_SURE) if name != folder]
        if before := folders_with(path, [self._target / name for name in others], one.id):
            self.twice.append(f"{one.id} (in {folder!r} and {before[0].name!r})")
        try:
            made = place_file(path, self._target / folder / one.id, link=self._link)
        except OSError as error:
            why = f"{one.id}: cannot be put into {self._target / folder} "
            why += f"({error.strerror or error})."
            if error.errno not in _OF_THE_NAME:
                raise InputError(f"{why} What was sorted before stays.") from None
            return why
        self.placed[folder] += 1
        self.were_there += not made
        return None

    def _folder(self, one: Prediction) -> str:
        if one.probability is None or one.probability < self._sure:
            return NOT_SURE
        return self._folders[str(one.label)]
