"""The config's ``features`` section, and the transformer that it builds: encoders side by side."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
from pydantic import Field, PlainSerializer, PlainValidator, ValidationError, ValidationInfo
from pydantic_core import InitErrorDetails, PydanticCustomError

from widemargin.contracts import (
    Columns,
    Encoder,
    EncoderSpec,
    FeatureSection,
    Kind,
    Learns,
    Section,
    Share,
    State,
)
from widemargin.encoders.transformer import Transformer
from widemargin.errors import DataError, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["EncoderChoice", "Encoders", "Features", "JoinedEncoders"]

# Names begin the names of arrays in a saved model, up to a slash.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


@dataclass(frozen=True)
class EncoderChoice:
    """An encoder with its settings, as a config names it.

    Parameters
    ----------
    spec : EncoderSpec
        The encoder.
    settings : Section
        Its settings, of the type ``spec.settings``.
    block : str, optional
        What its features are called; by default the encoder's name.
    """

    spec: EncoderSpec
    settings: Section
    block: str = ""

    @property
    def name(self) -> str:
        """The name of the block that it makes."""
        return self.block or self.spec.name

    def to_data(self) -> dict[str, Any]:
        """Return ``{"name": ..., setting: value}``, with ``as`` where the block is named."""
        named = {"as": self.block} if self.block else {}
        return {"name": self.spec.name, **named, **self.settings.model_dump(mode="json")}


def _parse_choices(value: Any, info: ValidationInfo) -> tuple[EncoderChoice, ...]:
    known: Mapping[str, EncoderSpec] = (info.context or {}).get("encoders", {})
    if isinstance(value, tuple) and all(isinstance(item, EncoderChoice) for item in value):
        return value
    given = value if isinstance(value, list) else [value]
    if not given:
        raise ValueError("must name at least one encoder")
    choices, problems = [], []
    for at, item in enumerate(given):
        place: tuple[int, ...] = (at,) if isinstance(value, list) else ()
        try:
            choices.append(_parse_choice(item, known))
        except ValidationError as error:
            problems += [
                InitErrorDetails(
                    type=PydanticCustomError(
                        "value_error", "{said}", {"said": own["msg"].removeprefix("Value error, ")}
                    )
                    if own["type"] == "value_error"
                    else own["type"],
                    loc=(*place, *own["loc"]),
                    input=own["input"],
                    ctx=own.get("ctx", {}),
                )
                for own in error.errors()
            ]
        except ValueError as error:
            told = PydanticCustomError("value_error", "{error}", {"error": str(error)})
            problems.append(InitErrorDetails(type=told, loc=place, input=item))
    if problems:
        # pydantic puts these, with their places, among the errors of the whole config.
        raise ValidationError.from_exception_data("encoder", problems)
    names = [choice.name for choice in choices]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(
                f"names {name!r} twice; give each a name of its own, as in "
                f"{{name: {name}, as: {name}2}}"
            )
    return tuple(choices)


def _parse_choice(value: Any, known: Mapping[str, EncoderSpec]) -> EncoderChoice:
    if isinstance(value, str):
        value = {"name": value}
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise ValueError(
            "must be an encoder's name, a mapping with a name and settings, or a list of those"
        )
    settings = {key: part for key, part in value.items() if key not in ("name", "as")}
    name, block = value["name"], value.get("as", "")
    if name not in known:
        allowed = ", ".join(sorted(known))
        raise ValueError(f"{name!r} is no encoder; allowed are {allowed}.{nearest(name, known)}")
    if not isinstance(block, str) or ("as" in value and not _NAME.fullmatch(block)):
        raise ValueError(
            f"{block!r} is no name of a block; take letters, digits, hyphens and underscores, "
            "a letter first"
        )
    spec = known[name]
    return EncoderChoice(spec, spec.settings.model_validate_json(json.dumps(settings)), block)


def _write_choices(choices: tuple[EncoderChoice, ...]) -> Any:
    written = [choice.to_data() for choice in choices]
    return written[0] if len(written) == 1 else written


Encoders = Annotated[
    tuple[EncoderChoice, ...], PlainValidator(_parse_choices), PlainSerializer(_write_choices)
]
"""The type of a setting that chooses encoders: a name, a mapping, or a list of those."""


class Features(FeatureSection):
    """Features made by one encoder, or by several side by side.

    A use case's own default is set in ``UseCase.defaults``, as in
    ``{"features": {"encoder": "tfidf"}}``.
    """

    encoder: Encoders = Field(
        description="an encoder's name, a mapping of its name and settings, or a list of those; "
        "`as` names the block that an encoder makes"
    )

    @property
    def learns(self) -> Learns:
        """The most that any chosen encoder takes from training rows."""
        order: tuple[Learns, ...] = ("nothing", "X", "y")
        return max((choice.spec.learns for choice in self.encoder), key=order.index)

    def build(self, kinds: Mapping[str, Kind]) -> JoinedEncoders:
        """Build the unfitted transformer for columns of these kinds.

        Raises
        ------
        DataError
            Where no column is of a kind that a chosen encoder reads.
        """
        blocks = []
        for choice in self.encoder:
            columns = tuple(name for name, kind in kinds.items() if kind in choice.spec.kinds)
            if not columns:
                raise DataError(
                    f"features.encoder: {choice.spec.name} reads {' and '.join(choice.spec.kinds)}"
                    f", and the data have {', '.join(sorted(set(kinds.values())))}. "
                    "Choose an encoder of that kind: widemargin config show NAME lists them."
                )
            blocks.append((choice.name, columns, choice.spec.build(choice.settings)))
        return JoinedEncoders(blocks)


class JoinedEncoders(Transformer):
    """Encoders side by side: one matrix, and where each one's columns are.

    Parameters
    ----------
    blocks : sequence of (str, tuple of str, Encoder)
        Name, the columns it reads, and the encoder.

    Attributes
    ----------
    blocks_ : dict of str to slice
        Each block's columns of the matrix.

    Examples
    --------
    >>> from widemargin.encoders import TfidfEncoder
    >>> joined = JoinedEncoders([("tfidf", ("text",), TfidfEncoder(min_df=1))])
    >>> joined.fit_transform({"text": ["win cash", "see you"]}).shape[0]
    2
    >>> list(joined.blocks_)
    ['tfidf']
    """

    def __init__(self, blocks: Sequence[tuple[str, tuple[str, ...], Encoder]]) -> None:
        self.blocks = blocks

    def fit(self, X: Columns, y: Any = None) -> Self:
        """Fit every encoder on its columns."""
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: Columns, y: Any = None) -> Any:
        """Fit every encoder and return the joined matrix."""
        parts = []
        for _, columns, encoder in self.blocks:
            own = _select(X, columns)
            fit_transform = getattr(encoder, "fit_transform", None)
            parts.append(
                fit_transform(own, y) if fit_transform else encoder.fit(own, y).transform(own)
            )
        ends = np.cumsum([0, *(part.shape[1] for part in parts)]).tolist()
        self._place(ends)
        return _join(parts)

    def transform(self, X: Columns) -> Any:
        """Return the joined matrix, CSR if any block is sparse."""
        self._check_fitted("blocks_")
        parts = [encoder.transform(_select(X, columns)) for _, columns, encoder in self.blocks]
        return _join(parts)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Name the columns, block by block."""
        self._check_fitted("blocks_")
        return np.concatenate([encoder.get_feature_names_out() for _, _, encoder in self.blocks])

    def get_state(self) -> State:
        """Return every encoder's state under its block's name."""
        self._check_fitted("blocks_")
        states = {name: encoder.get_state() for name, _, encoder in self.blocks}
        return State(
            {
                f"{name}/{key}": array
                for name, state in states.items()
                for key, array in state.arrays.items()
            },
            {
                "ends": [part.stop for part in self.blocks_.values()],
                "blocks": {name: dict(state.meta) for name, state in states.items()},
            },
        )

    def set_state(self, state: State) -> Self:
        """Take up every encoder's state."""
        for name, _, encoder in self.blocks:
            start = f"{name}/"
            arrays = {
                key.removeprefix(start): array
                for key, array in state.arrays.items()
                if key.startswith(start)
            }
            encoder.set_state(State(arrays, state.meta["blocks"][name]))
        self._place([0, *state.meta["ends"]])
        return self

    def explain(self, X: Columns, coef: NDArray[np.float64]) -> list[list[Share]]:
        """Split each row's product with `coef` into the pieces of every block."""
        self._check_fitted("blocks_")
        rows: list[list[Share]] = []
        for name, columns, encoder in self.blocks:
            own = encoder.explain(_select(X, columns), coef[self.blocks_[name]])
            rows = (
                [[*row, *more] for row, more in zip(rows, own, strict=True)]
                if rows
                else [list(row) for row in own]
            )
        return rows

    def _place(self, ends: Sequence[int]) -> None:
        names = [name for name, _, _ in self.blocks]
        self.blocks_ = {
            name: slice(start, end)
            for name, start, end in zip(names, ends[:-1], ends[1:], strict=True)
        }


def _select(X: Columns, columns: tuple[str, ...]) -> Any:
    for name in columns:
        if name not in X:
            raise DataError(
                f"the column {name!r}, which the model was trained on, is absent."
                f"{nearest(name, map(str, X))} It needs {', '.join(columns)}."
            )
    return {name: X[name] for name in columns}


def _join(parts: Sequence[Any]) -> Any:
    if len(parts) == 1:
        return parts[0]
    if any(hasattr(part, "tocsr") for part in parts):
        from scipy.sparse import csr_matrix, hstack

        return csr_matrix(hstack(parts, format="csr"))
    return np.concatenate(parts, axis=1)
