"""The config's ``features`` section, and the transformer that it builds: encoders side by side."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, PlainSerializer, PlainValidator, ValidationError, ValidationInfo
from pydantic_core import InitErrorDetails, PydanticCustomError

from widemargin.contracts import (
    Asset,
    Columns,
    Encoder,
    EncoderSpec,
    FeatureSection,
    Kind,
    Learns,
    Progress,
    Section,
    Share,
    State,
)
from widemargin.encoders.frozen import FrozenEncoder
from widemargin.encoders.transformer import Transformer
from widemargin.errors import DataError, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.encoders.store import EmbeddingStore

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
    scaling: Literal["auto", "length", "none"] = Field(
        "auto",
        description="how blocks that are joined compare: length (each divided by its root mean "
        "square length on training rows), none, or auto (length where there are several)",
    )

    @property
    def learns(self) -> Learns:
        """The most that any chosen encoder, or the scaling, takes from training rows."""
        order: tuple[Learns, ...] = ("nothing", "X", "y")
        each = [choice.spec.learns_at(choice.settings) for choice in self.encoder]
        return max([*each, "X" if self._scaled else "nothing"], key=order.index)

    @property
    def _scaled(self) -> bool:
        return self.scaling == "length" or (self.scaling == "auto" and len(self.encoder) > 1)

    @property
    def assets(self) -> tuple[Asset, ...]:
        """The weight files that the chosen encoders need."""
        needed = (choice.spec.assets_for(choice.settings) for choice in self.encoder)
        return tuple({asset.name: asset for own in needed for asset in own}.values())

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
        return JoinedEncoders(blocks, scale=self._scaled)


class JoinedEncoders(Transformer):
    """Encoders side by side: one matrix, and where each one's columns are.

    Parameters
    ----------
    blocks : sequence of (str, tuple of str, Encoder)
        Name, the columns it reads, and the encoder.
    scale : bool, default=False
        Divide each block by the root mean square length of its training rows, so that no block
        outweighs another by its units or its number of columns.

    Attributes
    ----------
    blocks_ : dict of str to slice
        Each block's columns of the matrix.
    scales_ : tuple of float
        What each block is multiplied by.

    Examples
    --------
    >>> from widemargin.encoders import TfidfEncoder
    >>> joined = JoinedEncoders([("tfidf", ("text",), TfidfEncoder(min_df=1))])
    >>> joined.fit_transform({"text": ["win cash", "see you"]}).shape[0]
    2
    >>> list(joined.blocks_)
    ['tfidf']
    """

    scales_: tuple[float, ...]

    def __init__(
        self, blocks: Sequence[tuple[str, tuple[str, ...], Encoder]], scale: bool = False
    ) -> None:
        self.blocks = blocks
        self.scale = scale

    def use(self, store: EmbeddingStore | None, progress: Progress) -> Self:
        """Let encoders keep their vectors in a store, where these depend on no other row."""
        for _, _, encoder in self.blocks:
            if isinstance(encoder, FrozenEncoder):
                encoder.store = store
            if hasattr(encoder, "progress"):
                encoder.progress = progress
        return self

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
        self.scales_ = tuple(1 / _length(part) if self.scale else 1.0 for part in parts)
        return _join(parts, self.scales_)

    def transform(self, X: Columns) -> Any:
        """Return the joined matrix, CSR if any block is sparse."""
        self._check_fitted("blocks_")
        parts = [encoder.transform(_select(X, columns)) for _, columns, encoder in self.blocks]
        return _join(parts, self.scales_)

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
                "scales": list(self.scales_),
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
        self.scales_ = tuple(float(scale) for scale in state.meta["scales"])
        if len(self.scales_) != len(self.blocks) or not np.isfinite(self.scales_).all():
            raise DataError("the saved scales do not fit the blocks of features.")
        return self

    def explain(self, X: Columns, coef: NDArray[np.float64]) -> list[list[Share]]:
        """Split each row's product with `coef` into the pieces of every block."""
        self._check_fitted("blocks_")
        rows: list[list[Share]] = []
        for (name, columns, encoder), scale in zip(self.blocks, self.scales_, strict=True):
            own = encoder.explain(_select(X, columns), scale * coef[self.blocks_[name]])
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


def _length(rows: Any) -> float:
    """Return the root mean square length of rows; 1 where there is nothing to measure."""
    squares = rows.multiply(rows).sum() if hasattr(rows, "tocsr") else np.vdot(rows, rows)
    length = float(np.sqrt(float(squares) / max(1, rows.shape[0])))
    return length if np.isfinite(length) and length > 0 else 1.0


def _join(parts: Sequence[Any], scales: Sequence[float]) -> Any:
    parts = [
        part if scale == 1 else part * scale for part, scale in zip(parts, scales, strict=True)
    ]
    if len(parts) == 1:
        return parts[0]
    if any(hasattr(part, "tocsr") for part in parts):
        from scipy.sparse import csr_matrix, hstack

        return csr_matrix(hstack(parts, format="csr"))
    return np.concatenate(parts, axis=1)
