"""Encoders: raw items in, vectors out."""

from widemargin.contracts import Encoder, EncoderSpec, Share, State
from widemargin.encoders.features import EncoderChoice, Features, JoinedEncoders
from widemargin.encoders.tabular import TABULAR, TabularEncoder, TabularSettings
from widemargin.encoders.tfidf import TFIDF, TfidfEncoder, TfidfSettings
from widemargin.encoders.transformer import Transformer

__all__ = [
    "ENCODERS",
    "Encoder",
    "EncoderChoice",
    "EncoderSpec",
    "Features",
    "JoinedEncoders",
    "Share",
    "State",
    "TabularEncoder",
    "TabularSettings",
    "TfidfEncoder",
    "TfidfSettings",
    "Transformer",
]

ENCODERS: tuple[EncoderSpec, ...] = (TFIDF, TABULAR)
"""The encoders that come with widemargin."""
