"""Encoders: raw items in, vectors out."""

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
from widemargin.encoders.features import EncoderChoice, Features, JoinedEncoders
from widemargin.encoders.frozen import FrozenEncoder
from widemargin.encoders.images.cnn import CNN, CnnEncoder
from widemargin.encoders.images.efficientnet import EFFICIENTNET, EfficientNetEncoder
from widemargin.encoders.images.hog import HOG, HogEncoder
from widemargin.encoders.images.pixels import PIXELS, PixelsEncoder
from widemargin.encoders.images.pretrained import (
    RESNET50,
    TORCHVISION,
    ResNet50Encoder,
    TorchvisionEncoder,
)
from widemargin.encoders.images.torchvision_shim import require_torchvision
from widemargin.encoders.named import NamedEncoder
from widemargin.encoders.sequences.autocovariance import AUTOCOVARIANCE, AutocovarianceEncoder
from widemargin.encoders.sequences.composition import COMPOSITION, CompositionEncoder
from widemargin.encoders.sequences.esm import ESM, EsmEncoder
from widemargin.encoders.sequences.kmer import KMER, KmerEncoder
from widemargin.encoders.sequences.named import SequenceEncoder
from widemargin.encoders.sequences.protparam import PROTPARAM, ProtParamEncoder
from widemargin.encoders.sequences.protvec import PROTVEC, ProtVecEncoder
from widemargin.encoders.sequences.residues import Residues
from widemargin.encoders.sequences.windows import WINDOWS, WindowsEncoder
from widemargin.encoders.sound.logmel_cnn import LOGMEL_CNN, LogmelCnnEncoder
from widemargin.encoders.sound.mfcc import MFCC, MfccEncoder
from widemargin.encoders.sound.speech_embedding import SPEECH_EMBEDDING, SpeechEmbeddingEncoder
from widemargin.encoders.sound.strokes import STROKES, StrokesEncoder
from widemargin.encoders.store import EmbeddingStore
from widemargin.encoders.tables.cells import doubts_of, is_numeric
from widemargin.encoders.tables.evidence import Bin, Binning
from widemargin.encoders.tables.expression import (
    EXPRESSION,
    ExpressionEncoder,
    ProfileSettings,
)
from widemargin.encoders.tables.gene_tests import gene_strengths
from widemargin.encoders.tables.indicators import INDICATORS, IndicatorsEncoder
from widemargin.encoders.tables.settings import TabularSettings
from widemargin.encoders.tables.tabular import TABULAR, TabularEncoder
from widemargin.encoders.text.bert import BERT, BertEncoder
from widemargin.encoders.text.fasttext import FASTTEXT, FastTextEncoder, PretrainedFastText
from widemargin.encoders.text.glove import GLOVE, GloveEncoder, PretrainedGlove
from widemargin.encoders.text.lsa import LSA, LsaEncoder
from widemargin.encoders.text.minilm import MINILM, MinilmEncoder
from widemargin.encoders.text.text_cnn import TEXT_CNN, TextCnnEncoder
from widemargin.encoders.text.tfidf import TFIDF, TfidfEncoder
from widemargin.encoders.text.word2vec import WORD2VEC, PretrainedWord2Vec, Word2VecEncoder
from widemargin.encoders.training.changes import Changes
from widemargin.encoders.training.history import Epoch, History
from widemargin.encoders.training.inputs import ArrayInputs, Inputs, KnownInputs
from widemargin.encoders.training.loop import train_network
from widemargin.encoders.training.settings import TrainingSettings
from widemargin.encoders.training.trainable import Trainable, TunableEncoder, change_weights
from widemargin.encoders.training.trained import TrainedEncoder
from widemargin.encoders.training.tuned import TunedEncoder, TuneSettings
from widemargin.encoders.transformer import Transformer
from widemargin.errors import ItemsError

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

ENCODERS: tuple[EncoderSpec, ...] = (
    TFIDF,
    LSA,
    WORD2VEC,
    GLOVE,
    FASTTEXT,
    MINILM,
    BERT,
    TEXT_CNN,
    PIXELS,
    HOG,
    EFFICIENTNET,
    RESNET50,
    TORCHVISION,
    CNN,
    MFCC,
    STROKES,
    SPEECH_EMBEDDING,
    LOGMEL_CNN,
    KMER,
    COMPOSITION,
    AUTOCOVARIANCE,
    WINDOWS,
    PROTPARAM,
    PROTVEC,
    ESM,
    EXPRESSION,
    TABULAR,
    INDICATORS,
)
"""The encoders that come with widemargin."""
