"""Encoders: raw items in, vectors out."""

from widemargin.contracts import Columns, Encoder, EncoderSpec, Kind, Learns, Share, State
from widemargin.encoders.features import EncoderChoice, Features, JoinedEncoders
from widemargin.encoders.kmer import KMER, KmerEncoder, KmerSettings
from widemargin.encoders.tabular import TABULAR, TabularEncoder, TabularSettings
from widemargin.encoders.tfidf import TFIDF, TfidfEncoder, TfidfSettings
from widemargin.encoders.transformer import Transformer

__all__ = [
    "ENCODERS",
    "Columns",
    "Encoder",
    "EncoderChoice",
    "EncoderSpec",
    "Features",
    "JoinedEncoders",
    "Kind",
    "KmerEncoder",
    "KmerSettings",
    "Learns",
    "Share",
    "State",
    "TabularEncoder",
    "TabularSettings",
    "TfidfEncoder",
    "TfidfSettings",
    "Transformer",
]

ENCODERS: tuple[EncoderSpec, ...] = (TFIDF, TABULAR, KMER)
"""The encoders that come with widemargin."""
