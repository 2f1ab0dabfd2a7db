"""What is set of training a network."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from widemargin.contracts import PositiveFloat, Section

__all__ = ["Device", "LossName", "Precision", "TrainingSettings"]

LossName = Literal["cross-entropy", "supervised-contrastive", "triplet", "info-nce"]
"""What training makes small."""

Device = Literal["auto", "cpu", "cuda"]
"""Where a network computes; auto takes a graphics card where torch finds one."""

Precision = Literal["float32", "bfloat16", "auto"]
"""What a network computes in when it is trained; auto is what `computes_bfloat16` is about."""


class TrainingSettings(Section):
    """How a network is trained."""

    loss: LossName = Field(
        "cross-entropy",
        description="what training makes small: cross-entropy (a last layer tells the classes "
        "apart), or supervised-contrastive, triplet or info-nce (items of a class lie close)",
    )
    temperature: Annotated[float, Field(gt=0, le=10)] = Field(
        0.1, description="what cosines are divided by in supervised-contrastive and info-nce"
    )
    margin: Annotated[float, Field(gt=0, le=4)] = Field(
        0.5, description="how much further off than its own class others lie, for triplet"
    )
    epochs: Annotated[int, Field(ge=1, le=10_000)] = Field(
        30, description="how often training goes through the items, at most"
    )
    batch_size: Annotated[int, Field(ge=2, le=65_536)] = Field(64, description="items of one step")
    learning_rate: PositiveFloat = Field(0.003, description="highest step length of AdamW")
    patience: Annotated[int, Field(ge=1)] = Field(
        5, description="epochs without a smaller loss on held-out items after which training stops"
    )
    device: Device = Field(
        "auto", description="cpu, cuda, or auto: cuda where there is a graphics card"
    )
    seed: Annotated[int, Field(ge=0)] = Field(0, description="seed of all that is random")
