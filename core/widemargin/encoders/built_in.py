"""The encoders that come with widemargin, each imported when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module

from widemargin.contracts import Asset, EncoderSpec

__all__ = ["BUILT_IN", "EncoderSpecs", "asset_of"]

BUILT_IN: dict[str, EncoderSpec | str] = {
    "tfidf": "text.tfidf",
    "lsa": "text.lsa",
    "word2vec": "text.word2vec",
    "glove": "text.glove",
    "fasttext": "text.fasttext",
    "minilm": "text.minilm",
    "bert": "text.bert",
    "text-cnn": "text.text_cnn",
    "pixels": "images.pixels",
    "hog": "images.hog",
    "efficientnet": "images.efficientnet",
    "resnet50": "images.pretrained",
    "torchvision": "images.pretrained",
    "cnn": "images.cnn",
    "mfcc": "sound.mfcc",
    "strokes": "sound.strokes",
    "speech-embedding": "sound.speech_embedding",
    "logmel-cnn": "sound.logmel_cnn",
    "kmer": "sequences.kmer",
    "composition": "sequences.composition",
    "autocovariance": "sequences.autocovariance",
    "windows": "sequences.windows",
    "protparam": "sequences.protparam",
    "protvec": "sequences.protvec",
    "esm": "sequences.esm",
    "expression": "tables.expression",
    "tabular": "tables.tabular",
    "indicators": "tables.indicators",
}
"""The module of each within this package; its spec is the constant of its name in capitals."""

# The weight files that they bring, so that a plugin's can be told apart without importing all.
_ASSETS = {
    "glove-6b-50d": "glove",
    "minilm": "minilm",
    "minilm-onnx": "minilm",
    "efficientnet-lite0": "efficientnet",
    "speech-embedding": "speech-embedding",
}


class EncoderSpecs(Mapping[str, EncoderSpec]):
    """Encoders by name, of which one that is a module's name is imported when it is looked up.

    Parameters
    ----------
    known : mapping of str to EncoderSpec or str
        Specs, and modules of this package as in `BUILT_IN`.

    Examples
    --------
    >>> specs = EncoderSpecs(BUILT_IN)
    >>> "tfidf" in specs, specs["tfidf"].kinds
    (True, ('text',))
    """

    def __init__(self, known: Mapping[str, EncoderSpec | str]) -> None:
        self._known = dict(known)

    def __getitem__(self, name: str) -> EncoderSpec:
        found = self._known[name]
        if isinstance(found, str):
            module = import_module(f"widemargin.encoders.{found}")
            found = getattr(module, name.upper().replace("-", "_"))
            assert isinstance(found, EncoderSpec)
            self._known[name] = found
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._known

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def asset_of(name: str) -> Asset | None:
    """Return the asset of this name that an encoder of ours brings; None where there is none.

    Examples
    --------
    >>> asset_of("minilm").name, asset_of("sms-spam")
    ('minilm', None)
    """
    if name not in _ASSETS:
        return None
    brought = EncoderSpecs(BUILT_IN)[_ASSETS[name]].assets
    return next(asset for asset in brought if asset.name == name)
