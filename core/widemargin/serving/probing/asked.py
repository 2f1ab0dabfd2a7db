"""What is asked of an encoder."""

from __future__ import annotations

from dataclasses import dataclass

from widemargin.errors import InputError
from widemargin.evaluation.probing.words import parse_analogy, shared_word

__all__ = ["Asked"]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked of an encoder.

    Parameters
    ----------
    words : tuple of str
        Words whose neighbours are listed; empty chooses some.
    analogies : tuple of str
        As ``king - man + woman``.
    contexts : tuple of str
        Texts that share a word.
    items : tuple of str
        Ids of items whose neighbours are listed; empty chooses some.
    neighbours : int
        How many are listed and counted.
    sample : int
        Items that are looked at, at most.
    """

    words: tuple[str, ...] = ()
    analogies: tuple[str, ...] = ()
    contexts: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    neighbours: int = 5
    sample: int = 2000

    @property
    def about_words(self) -> str:
        """The option that asks about words, where one is given; empty where none is."""
        given = (
            ("--word", self.words),
            ("--analogy", self.analogies),
            ("--context", self.contexts),
        )
        return next((option for option, values in given if values), "")

    def check(self) -> None:
        """Refuse what cannot be asked, before anything is loaded.

        Raises
        ------
        InputError
            For an empty word, an analogy that is none, or a single context.
        """
        if any(not word.strip() for word in self.words):
            raise InputError("--word is empty; give a word.")
        for text in self.analogies:
            parse_analogy(text)
        if any(not text.strip() for text in self.contexts):
            raise InputError("--context is empty; give a text.")
        if len(self.contexts) == 1:
            raise InputError("--context is given once; give it twice, with one word in both texts.")
        if self.contexts:
            shared_word(self.contexts, self.words)
