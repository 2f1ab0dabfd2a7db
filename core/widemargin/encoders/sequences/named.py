"""Encoders of sequences that learn nothing and whose every number has a name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from widemargin.contracts import Columns
from widemargin.encoders.items import texts_of
from widemargin.encoders.named import NamedEncoder
from widemargin.encoders.sequences.letters import letters_of

__all__ = ["SequenceEncoder"]


class SequenceEncoder(NamedEncoder):
    """Base of encoders with named columns that read sequences.

    Upper and lower case are alike and white space is left out. Several columns are read as one
    sequence.
    """

    def items(self, X: Columns | Sequence[Any]) -> list[str]:
        """Return one sequence a row, in capitals, without white space."""
        return [letters_of(text) for text in texts_of(X)]
