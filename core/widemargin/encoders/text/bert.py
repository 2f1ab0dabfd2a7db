"""``bert``: any encoder of the BERT family, from a folder of sentence-transformers or transformers.

BERT proper runs on our own forward pass (`bert_layers`); other architectures run on transformers
and torch, in batches of texts of one length.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import numpy as np
from pydantic import Field

from widemargin.contracts import EncoderSpec, Section
from widemargin.encoders.hub import (
    model_config,
    model_folder,
    quiet_transformers,
    read_json,
)
from widemargin.encoders.libraries import require_library
from widemargin.encoders.text.contextual import ContextualEncoder, ContextualModel, Pooling
from widemargin.encoders.text.packed import engine_of, load_packed
from widemargin.encoders.text.rectangles import RectangleModel
from widemargin.encoders.training.trainable import Trainable, change_weights
from widemargin.encoders.weights import hash_of_path
from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.encoders.training.changes import Changes

__all__ = ["BERT", "BertEncoder", "BertSettings"]

_NAME = "bert"
_MODEL = "google-bert/bert-base-uncased"
_LONGEST = 512


class BertSettings(Section):
    """Settings of the encoder ``bert``."""

    model: Annotated[str, Field(min_length=1)] = Field(
        _MODEL,
        description="a folder of sentence-transformers or transformers, or the name of one in the "
        "local Hugging Face cache",
    )
    pooling: Pooling | None = Field(
        None,
        description="a text's vector: its tokens' mean, the first one (cls), or their greatest; "
        "null takes the model's own, or mean",
    )
    layers: Annotated[tuple[int, ...], Field(min_length=1)] = Field(
        (-1,),
        description="layers whose outputs are averaged: -1 the last, 0 the embeddings; "
        "[-4, -3, -2, -1] is often better without sentence training",
    )
    max_length: Annotated[int, Field(ge=3)] | None = Field(
        None, description="tokens after which a text is cut; null takes the model's own, up to 512"
    )
    normalise: bool = Field(True, description="scale vectors to length 1")


class BertEncoder(ContextualEncoder):
    """Texts as vectors of a model of one's own choice.

    A text beyond `max_length` tokens is cut there. Modules of sentence-transformers beyond the
    encoder, pooling and normalisation (as ``Dense``) are not applied. Nothing is downloaded, and
    no code of a model is run.

    Parameters
    ----------
    model : str, default="google-bert/bert-base-uncased"
        A folder, or a name that is looked up in the local Hugging Face cache.
    pooling : {"mean", "cls", "max"}, optional
        What a text's vector is made of; by default as the folder says, or the mean.
    layers : tuple of int, default=(-1,)
        The layers whose outputs are averaged: -1 is the last, 0 the embeddings.
    max_length : int, optional
        Tokens after which a text is cut, those that begin and end it included; by default as the
        folder says, and 512 at most.
    normalise : bool, default=True
        Scale vectors to length 1.
    """

    name = _NAME
    libraries = ("tokenizers", "torch", "transformers")

    def __init__(
        self,
        model: str = _MODEL,
        pooling: Pooling | None = None,
        layers: tuple[int, ...] = (-1,),
        max_length: int | None = None,
        normalise: bool = True,
    ) -> None:
        self.model = model
        self.pooling = pooling
        self.layers = layers
        self.max_length = max_length
        self.normalise = normalise

    @property
    def dimension(self) -> int:
        """How many numbers a text becomes."""
        config = model_config(self._folder())
        for key in ("hidden_size", "dim", "d_model", "n_embd"):
            if isinstance(config.get(key), int):
                return int(config[key])
        raise DataError(f"bert: {self._folder() / 'config.json'} says no length of vectors.")

    def weights_hash(self) -> str:
        """Return the hash of the folder's files."""
        return hash_of_path(self._folder())

    def identity(self) -> Mapping[str, Any]:
        """Return all that vectors depend on; the folder counts by what is in it.

        What computes them is part of it: sums in another order differ in their last digits.
        """
        whole = dict(super().identity())
        own = {"model": "", "pooling": self._pooling(), "max_length": self._longest()}
        whole["parameters"] = {**whole["parameters"], **own}
        whole["engine"] = self._engine()
        return whole

    def _engine(self) -> str:
        folder = self._folder()
        config = model_config(folder)
        if not _is_bert(folder, config):
            return "torch"
        return engine_of(config.get("hidden_size"), config.get("intermediate_size"))

    def _folder(self) -> Path:
        return model_folder(self.model, _NAME)

    def _pooling(self) -> Pooling:
        return self.pooling or _pooling_of(self._folder())

    def _longest(self) -> int:
        return self.max_length or _longest_of(self._folder())

    def _normalises(self) -> bool:
        return self.normalise

    def _taken(self, folder: Path, config: Mapping[str, Any]) -> tuple[int, ...]:
        """Return the layers whose outputs are averaged, counted from the embeddings, 0."""
        n_layers = next(
            (config[key] for key in ("num_hidden_layers", "n_layers", "n_layer") if key in config),
            None,
        )
        if not isinstance(n_layers, int):
            raise DataError(f"bert: {folder / 'config.json'} says no number of layers.")
        taken = []
        for layer in self.layers:
            if not -n_layers - 1 <= layer <= n_layers:
                raise DataError(
                    f"features.encoder.layers: {self.model} has {n_layers} layers, so that "
                    f"{-n_layers - 1} to {n_layers} are allowed; got {layer}."
                )
            taken.append(layer % (n_layers + 1))
        return tuple(sorted(set(taken)))

    def _model(self) -> ContextualModel:
        folder = self._folder()
        config = model_config(folder)
        taken, longest, weights = self._taken(folder, config), self._longest(), self.weights_hash()
        if _is_bert(folder, config):
            return load_packed(folder, taken, longest, "float32", _NAME, weights, self.changes)
        return _load_torch(folder, taken, longest, weights, self.changes)

    def trainable(self) -> Trainable:
        """Return the network in torch, with the weights as published."""
        require_library("torch", _NAME, "text")
        from widemargin.encoders.text.bert_network import trainable_bert
        from widemargin.encoders.text.transformers_network import trainable_transformer

        folder = self._folder()
        config = model_config(folder)
        taken, longest = self._taken(folder, config), self._longest()
        if _is_bert(folder, config):
            return trainable_bert(folder, taken, longest, self._pooling(), _NAME)
        own = _TorchModel(folder, taken, longest)
        return trainable_transformer(own.layers, own.tokenizer, taken, self._pooling(), _NAME)


class _TorchModel(RectangleModel):
    """A model of transformers."""

    def __init__(
        self,
        folder: Path,
        taken: tuple[int, ...],
        max_length: int,
        changes: Changes | None = None,
    ) -> None:
        with quiet_transformers(_NAME) as transformers:
            # A folder may name code of its own, which would be run, or asked about.
            safe = {"local_files_only": True, "trust_remote_code": False}
            try:
                own = transformers.AutoTokenizer.from_pretrained(str(folder), **safe)
                model = transformers.AutoModel.from_pretrained(str(folder), dtype="float32", **safe)
            except Exception as error:  # the library raises many kinds, and says what is wrong
                said = (str(error).strip() or type(error).__name__).splitlines()[0]
                raise DataError(f"{folder}: transformers cannot load it ({said}).") from error
        tokenizer = getattr(own, "backend_tokenizer", None)
        if tokenizer is None:
            raise DataError(f"{folder}: has no tokenizer.json, nor files that one is made of.")
        tokenizer.no_padding()
        tokenizer.enable_truncation(min(max_length, _most_tokens(model) or max_length))
        super().__init__(tokenizer, taken)
        self._torch = require_library("torch", _NAME, "text")
        whole = model.get_encoder() if model.config.is_encoder_decoder else model
        self.layers = whole.eval()
        change_weights(self.layers, changes, "model.")

    def run(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        given = self._torch.from_numpy(ids)
        with self._torch.inference_mode():
            states = self.layers(
                input_ids=given,
                attention_mask=self._torch.ones_like(given),
                output_hidden_states=True,
            ).hidden_states
            total = sum(states[layer] for layer in self.taken) / len(self.taken)
            return np.asarray(total.numpy(), dtype=np.float32)


def _most_tokens(model: Any) -> int | None:
    """Return how many tokens a model of transformers has places for; None where it is not bound."""
    limit = getattr(model.config, "max_position_embeddings", None)
    if not isinstance(limit, int) or limit < 1:
        return None
    for name, part in model.named_modules():
        # RoBERTa and its kin count places from behind that of the token that pads.
        if name.endswith("position_embeddings") and getattr(part, "padding_idx", None) is not None:
            return limit - int(part.padding_idx) - 1
    return limit


@lru_cache(maxsize=2)
def _load_torch(
    folder: Path,
    taken: tuple[int, ...],
    max_length: int,
    weights_hash: str,
    changes: Changes | None = None,
) -> _TorchModel:
    return _TorchModel(folder, taken, max_length, changes)


def _is_bert(folder: Path, config: Mapping[str, Any]) -> bool:
    """Say whether our own forward pass computes just what the model does."""
    return (
        config.get("model_type") == "bert"
        and config.get("hidden_act") == "gelu"
        and config.get("position_embedding_type", "absolute") == "absolute"
        and not config.get("is_decoder", False)
        and (folder / "model.safetensors").is_file()
        and (folder / "tokenizer.json").is_file()
    )


def _modules(folder: Path) -> dict[str, Path]:
    """Return the folders of a sentence-transformers model's parts; empty for transformers'."""
    path = folder / "modules.json"
    if not path.is_file():
        return {}
    return {str(part["type"]).rpartition(".")[2]: folder / part["path"] for part in read_json(path)}


def _pooling_of(folder: Path) -> Pooling:
    part = _modules(folder).get("Pooling")
    if part is None:
        return "mean"
    config = read_json(part / "config.json")
    said = config.get("pooling_mode")
    if said is None:
        names = {"mean": "mean_tokens", "cls": "cls_token", "max": "max_tokens"}
        on = [key for key, value in config.items() if key.startswith("pooling_mode_") and value]
        said = [one for one, name in names.items() if f"pooling_mode_{name}" in on]
        said = said[0] if len(on) == len(said) == 1 else ", ".join(on)
    for known in get_args(Pooling):
        if said == known:
            return known  # type: ignore[no-any-return]  # get_args is untyped
    raise DataError(
        f"{part / 'config.json'}: pools by {said or 'nothing'}, which is not supported; "
        f"set features.encoder.pooling to one of {', '.join(get_args(Pooling))}."
    )


def _longest_of(folder: Path) -> int:
    limits = [_LONGEST]
    path = folder / "sentence_bert_config.json"
    if path.is_file():
        limits.append(read_json(path).get("max_seq_length") or _LONGEST)
    path = folder / "tokenizer_config.json"
    if path.is_file():
        limits.append(read_json(path).get("model_max_length") or _LONGEST)
    return int(min(limits))


def _build(settings: BertSettings) -> BertEncoder:
    return BertEncoder(**settings.model_dump())


BERT = EncoderSpec(
    name=_NAME,
    summary="a BERT-like model of your own, contextual",
    kinds=("text",),
    learns="nothing",
    settings=BertSettings,
    build=_build,
    licence="the model's own",
    extra="text",
    tunable=True,
)
