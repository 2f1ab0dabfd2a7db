"""The config's ``features`` section."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from widemargin.contracts import Asset, Encoder, FeatureSection, Kind, Learns
from widemargin.encoders.choices import EncoderChoice, Encoders
from widemargin.encoders.joined import JoinedEncoders
from widemargin.encoders.training.trainable import TunableEncoder
from widemargin.encoders.training.tuned import TunedEncoder, TuneSettings
from widemargin.errors import DataError, PluginError

__all__ = ["EncoderChoice", "Encoders", "Features", "JoinedEncoders"]


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
    train: TuneSettings | None = Field(
        None,
        description="fine-tune every chosen encoder that can be, on the classes of training rows: "
        "{}, or some of " + ", ".join(TuneSettings.model_fields) + "; null leaves them as they are",
    )

    @field_validator("train")
    @classmethod
    def _check_tunable(
        cls, train: TuneSettings | None, info: ValidationInfo
    ) -> TuneSettings | None:
        choices: tuple[EncoderChoice, ...] = info.data.get("encoder", ())
        if train is None or not choices:
            return train
        tuned = [choice for choice in choices if choice.spec.tunable]
        if not tuned:
            known = {spec.name: spec for choice in choices for spec in choice.known.values()}
            can = ", ".join(sorted(name for name, spec in known.items() if spec.tunable))
            named = " and ".join(choice.spec.name for choice in choices)
            raise ValueError(
                f"{named} cannot be fine-tuned"
                + (f"; those that can are {can}" if can else "")
                + ". Choose one in features.encoder, or leave features.train out"
            )
        if train.flip and not any("image" in choice.spec.kinds for choice in tuned):
            named = " and ".join(choice.spec.name for choice in tuned)
            raise ValueError(f"flip mirrors images, and {named} reads none. Leave flip out")
        for choice in tuned:
            if reason := _tunable(choice).why_not_tunable():
                raise ValueError(reason)
        return train

    def _tunes(self, choice: EncoderChoice) -> bool:
        return self.train is not None and choice.spec.tunable

    @property
    def learns(self) -> Learns:
        """The most that any chosen encoder, or the scaling, takes from training rows."""
        order: tuple[Learns, ...] = ("nothing", "X", "y")
        each: list[Learns] = [
            "y" if self._tunes(choice) else choice.spec.learns_at(choice.settings)
            for choice in self.encoder
        ]
        return max([*each, "X" if self._scaled else "nothing"], key=order.index)

    @property
    def trains(self) -> bool:
        """Whether any chosen encoder trains a network, or is trained further."""
        return any(choice.spec.trains or self._tunes(choice) for choice in self.encoder)

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
        PluginError
            Where an encoder says that it can be fine-tuned, and cannot.
        """
        blocks = []
        for choice in self.encoder:
            columns = tuple(name for name, kind in kinds.items() if kind in choice.spec.kinds)
            if not columns:
                raise DataError(_misfit(choice, sorted(set(kinds.values()))))
            encoder: Encoder
            if self._tunes(choice):
                encoder = TunedEncoder(_tunable(choice), self.train)
            else:
                encoder = choice.spec.build(choice.settings)
            blocks.append((choice.name, columns, encoder))
        return JoinedEncoders(blocks, scale=self._scaled)


def _tunable(choice: EncoderChoice) -> TunableEncoder:
    """Build an encoder whose spec says that it can be fine-tuned.

    Raises
    ------
    PluginError
        Where it cannot, whatever its spec says.
    """
    encoder = choice.spec.build(choice.settings)
    if isinstance(encoder, TunableEncoder):
        return encoder
    raise PluginError(
        f"the encoder {choice.spec.name!r} is registered with tunable=True, and what it builds, "
        f"{type(encoder).__name__}, is no widemargin.encoders.TunableEncoder. Derive it from that "
        "and give it trainable(), or register it without tunable; until then leave features.train "
        "out."
    )


def _misfit(choice: EncoderChoice, kinds: Sequence[Kind]) -> str:
    """Say that an encoder reads none of the data's kinds, and which encoders do."""
    fit = sorted(name for name, spec in choice.known.items() if set(spec.kinds) & set(kinds))
    allowed = f"Encoders that do: {', '.join(fit)}. " if fit else ""
    listed = ", ".join(f"widemargin encoders --kind {kind}" for kind in kinds)
    return (
        f"features.encoder: {choice.spec.name} reads {' and '.join(choice.spec.kinds)}, and the "
        f"data have {' and '.join(kinds)}, which it does not read. {allowed}See: {listed}"
    )
