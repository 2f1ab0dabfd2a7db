"""Sections: the typed blocks that a config is made of."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

__all__ = ["Auto", "Grid", "PositiveFloat", "Section"]


class Section(BaseModel):
    """One block of the config: typed, frozen, and closed to unknown keys.

    Every field carries ``Field(description=...)``: one line of help that
    ``widemargin config show`` prints. Types are strict: ``true`` is no number and ``"5"`` is
    no integer. Configs are validated as JSON, so that a list may become a tuple and a
    string a path all the same.

    Examples
    --------
    >>> from pydantic import Field
    >>> class Rain(Section):
    ...     station: str = Field(description="name of the weather station")
    >>> Rain(station="Oslo")
    Rain(station='Oslo')
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, arbitrary_types_allowed=True
    )


PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
"""A finite number above 0."""


def _grid_tag(value: Any) -> str:
    if isinstance(value, str):
        return "auto"
    return "list" if isinstance(value, list | tuple) else "number"


Auto = Literal["auto"]

Grid = Annotated[
    Annotated[Auto, Tag("auto")]
    | Annotated[PositiveFloat, Tag("number")]
    | Annotated[tuple[PositiveFloat, ...], Field(min_length=1), Tag("list")],
    Discriminator(_grid_tag),
]
"""``auto``, one finite number above 0, or a list of such numbers to search."""
