"""Encoders: raw items in, vectors out.

Names are loaded when they are first used, so that an answer by one encoder imports that one alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from widemargin.contracts import (
    Checkpoints,
    Columns,
    Encoder,
    EncoderSpec,
    Kind,
    Learns,
    Population,
    Share,
    State,
)
from widemargin.errors import ItemsError

if TYPE_CHECKING:
    from widemargin.encoders.features import EncoderChoice, Features, JoinedEncoders
    from widemargin.encoders.frozen import FrozenEncoder
    from widemargin.encoders.images.cnn import CnnEncoder
    from widemargin.encoders.images.efficientnet import EfficientNetEncoder
    from widemargin.encoders.images.hog import HogEncoder
    from widemargin.encoders.images.pixels import PixelsEncoder
    from widemargin.encoders.images.pretrained import ResNet50Encoder, TorchvisionEncoder
    from widemargin.encoders.images.torchvision_shim import require_torchvision
    from widemargin.encoders.named import NamedEncoder
    from widemargin.encoders.sequences.autocovariance import AutocovarianceEncoder
    from widemargin.encoders.sequences.composition import CompositionEncoder
    from widemargin.encoders.sequences.esm import EsmEncoder
    from widemargin.encoders.sequences.kmer import KmerEncoder
    from widemargin.encoders.sequences.named import SequenceEncoder
    from widemargin.encoders.sequences.protparam import ProtParamEncoder
    from widemargin.encoders.sequences.protvec import ProtVecEncoder
    from widemargin.encoders.sequences.residues import Residues
    from widemargin.encoders.sequences.windows import WindowsEncoder
    from widemargin.encoders.sound.logmel_cnn import LogmelCnnEncoder
    from widemargin.encoders.sound.mfcc import MfccEncoder
    from widemargin.encoders.sound.speech_embedding import SpeechEmbeddingEncoder
    from widemargin.encoders.sound.strokes import StrokesEncoder
    from widemargin.encoders.store import EmbeddingStore
    from widemargin.encoders.tables.cells import doubts_of, is_numeric
    from widemargin.encoders.tables.evidence import Bin, Binning
    from widemargin.encoders.tables.expression import ExpressionEncoder, ProfileSettings
    from widemargin.encoders.tables.gene_tests import gene_strengths
    from widemargin.encoders.tables.indicators import IndicatorsEncoder
    from widemargin.encoders.tables.settings import TabularSettings
    from widemargin.encoders.tables.tabular import TabularEncoder
    from widemargin.encoders.text.bert import BertEncoder
    from widemargin.encoders.text.fasttext import FastTextEncoder, PretrainedFastText
    from widemargin.encoders.text.glove import GloveEncoder, PretrainedGlove
    from widemargin.encoders.text.lsa import LsaEncoder
    from widemargin.encoders.text.minilm import MinilmEncoder
    from widemargin.encoders.text.text_cnn import TextCnnEncoder
    from widemargin.encoders.text.tfidf import TfidfEncoder
    from widemargin.encoders.text.word2vec import PretrainedWord2Vec, Word2VecEncoder
    from widemargin.encoders.training.changes import Changes
    from widemargin.encoders.training.history import Epoch, History
    from widemargin.encoders.training.inputs import ArrayInputs, Inputs, KnownInputs
    from widemargin.encoders.training.loop import train_network
    from widemargin.encoders.training.settings import TrainingSettings
    from widemargin.encoders.training.trainable import Trainable, TunableEncoder, change_weights
    from widemargin.encoders.training.trained import TrainedEncoder
    from widemargin.encoders.training.tuned import TunedEncoder, TuneSettings
    from widemargin.encoders.transformer import Transformer

    ENCODERS: tuple[EncoderSpec, ...]
    """The encoders that come with widemargin."""

__all__ = [
    "ENCODERS",
    "ArrayInputs",
    "AutocovarianceEncoder",
    "BertEncoder",
    "Bin",
    "Binning",
    "Changes",
    "Checkpoints",
    "CnnEncoder",
    "Columns",
    "CompositionEncoder",
    "EfficientNetEncoder",
    "EmbeddingStore",
    "Encoder",
    "EncoderChoice",
    "EncoderSpec",
    "Epoch",
    "EsmEncoder",
    "ExpressionEncoder",
    "FastTextEncoder",
    "Features",
    "FrozenEncoder",
    "GloveEncoder",
    "History",
    "HogEncoder",
    "IndicatorsEncoder",
    "Inputs",
    "ItemsError",
    "JoinedEncoders",
    "Kind",
    "KmerEncoder",
    "KnownInputs",
    "Learns",
    "LogmelCnnEncoder",
    "LsaEncoder",
    "MfccEncoder",
    "MinilmEncoder",
    "NamedEncoder",
    "PixelsEncoder",
    "Population",
    "PretrainedFastText",
    "PretrainedGlove",
    "PretrainedWord2Vec",
    "ProfileSettings",
    "ProtParamEncoder",
    "ProtVecEncoder",
    "ResNet50Encoder",
    "Residues",
    "SequenceEncoder",
    "Share",
    "SpeechEmbeddingEncoder",
    "State",
    "StrokesEncoder",
    "TabularEncoder",
    "TabularSettings",
    "TextCnnEncoder",
    "TfidfEncoder",
    "TorchvisionEncoder",
    "Trainable",
    "TrainedEncoder",
    "TrainingSettings",
    "Transformer",
    "TunableEncoder",
    "TuneSettings",
    "TunedEncoder",
    "WindowsEncoder",
    "Word2VecEncoder",
    "change_weights",
    "doubts_of",
    "gene_strengths",
    "is_numeric",
    "require_torchvision",
    "train_network",
]

_HOMES = {
    "features": ("EncoderChoice", "Features", "JoinedEncoders"),
    "frozen": ("FrozenEncoder",),
    "images.cnn": ("CnnEncoder",),
    "images.efficientnet": ("EfficientNetEncoder",),
    "images.hog": ("HogEncoder",),
    "images.pixels": ("PixelsEncoder",),
    "images.pretrained": ("ResNet50Encoder", "TorchvisionEncoder"),
    "images.torchvision_shim": ("require_torchvision",),
    "named": ("NamedEncoder",),
    "sequences.autocovariance": ("AutocovarianceEncoder",),
    "sequences.composition": ("CompositionEncoder",),
    "sequences.esm": ("EsmEncoder",),
    "sequences.kmer": ("KmerEncoder",),
    "sequences.named": ("SequenceEncoder",),
    "sequences.protparam": ("ProtParamEncoder",),
    "sequences.protvec": ("ProtVecEncoder",),
    "sequences.residues": ("Residues",),
    "sequences.windows": ("WindowsEncoder",),
    "sound.logmel_cnn": ("LogmelCnnEncoder",),
    "sound.mfcc": ("MfccEncoder",),
    "sound.speech_embedding": ("SpeechEmbeddingEncoder",),
    "sound.strokes": ("StrokesEncoder",),
    "store": ("EmbeddingStore",),
    "tables.cells": ("doubts_of", "is_numeric"),
    "tables.evidence": ("Bin", "Binning"),
    "tables.expression": ("ExpressionEncoder", "ProfileSettings"),
    "tables.gene_tests": ("gene_strengths",),
    "tables.indicators": ("IndicatorsEncoder",),
    "tables.settings": ("TabularSettings",),
    "tables.tabular": ("TabularEncoder",),
    "text.bert": ("BertEncoder",),
    "text.fasttext": ("FastTextEncoder", "PretrainedFastText"),
    "text.glove": ("GloveEncoder", "PretrainedGlove"),
    "text.lsa": ("LsaEncoder",),
    "text.minilm": ("MinilmEncoder",),
    "text.text_cnn": ("TextCnnEncoder",),
    "text.tfidf": ("TfidfEncoder",),
    "text.word2vec": ("PretrainedWord2Vec", "Word2VecEncoder"),
    "training.changes": ("Changes",),
    "training.history": ("Epoch", "History"),
    "training.inputs": ("ArrayInputs", "Inputs", "KnownInputs"),
    "training.loop": ("train_network",),
    "training.settings": ("TrainingSettings",),
    "training.trainable": ("Trainable", "TunableEncoder", "change_weights"),
    "training.trained": ("TrainedEncoder",),
    "training.tuned": ("TuneSettings", "TunedEncoder"),
    "transformer": ("Transformer",),
}


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name == "ENCODERS":
        from widemargin.encoders.built_in import BUILT_IN, EncoderSpecs

        return tuple(EncoderSpecs(BUILT_IN).values())
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"widemargin.encoders.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
