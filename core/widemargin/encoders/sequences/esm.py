"""ESM-2: a protein language model's vectors of residues, averaged.

ESM-2 (Lin et al. 2023, doi:10.1126/science.ade2574) is a transformer trained to guess hidden
residues of 65 million protein sequences. A sequence's vector is the mean of the last layer's
vectors of its residues, as the authors take it for whole proteins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from widemargin.contracts import Columns, EncoderSpec, Section
from widemargin.encoders.hub import model_config, model_folder, quiet_transformers
from widemargin.encoders.items import texts_of
from widemargin.encoders.sequences.letters import letters_of
from widemargin.encoders.training.trainable import Trainable, TunableEncoder, change_weights
from widemargin.encoders.weights import hash_of_path
from widemargin.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from widemargin.encoders.training.changes import Changes

__all__ = ["ESM", "EsmEncoder", "EsmSettings"]

_MODEL = "facebook/esm2_t6_8M_UR50D"

# The letters of ESM's vocabulary that stand for residues; any other is one that is not known.
_RESIDUES = set("ACDEFGHIKLMNPQRSTVWYXBZUO")

_TOKENS = 8192
"""Tokens of a batch, where one window is not longer."""


class EsmSettings(Section):
    """Settings of the encoder ``esm``."""

    model: str = Field(
        _MODEL,
        min_length=1,
        description="a folder that holds the model, or a name in the local Hugging Face cache",
    )
    max_length: Annotated[int, Field(ge=1, le=100_000)] = Field(
        1022, description="residues that the model reads at once; longer sequences are cut up"
    )


class EsmEncoder(TunableEncoder):
    """Mean of the vectors that ESM-2 gives the residues of a sequence.

    Upper and lower case are alike and white space is left out. X, B, Z, U and O are letters of the
    model's own; any other character counts as X. A sequence longer than `max_length` is cut into
    windows of nearly equal length, and the mean is over the residues of all. An empty sequence has
    0 everywhere.

    Nothing is fetched: the model is a local folder, or in the local Hugging Face cache.

    Parameters
    ----------
    model : str, default="facebook/esm2_t6_8M_UR50D"
        Folder with ``config.json``, ``vocab.txt`` and weights, or a hub name.
    max_length : int, default=1022
        Residues that the model reads at once.
    """

    name: ClassVar[str] = "esm"
    libraries: ClassVar[tuple[str, ...]] = ("torch", "transformers")

    def __init__(self, model: str = _MODEL, max_length: int = 1022) -> None:
        self.model = model
        self.max_length = max_length

    @property
    def dimension(self) -> int:
        """The width of the model's last layer."""
        return int(_config(model_folder(self.model, "esm"))["hidden_size"])

    def weights_hash(self) -> str:
        """Return the hash of the model's folder."""
        return hash_of_path(model_folder(self.model, "esm"))

    def identity(self) -> Mapping[str, Any]:
        """Return all that vectors depend on besides the item: not where the model lies."""
        own = {"parameters": {"max_length": self.max_length}, "engine": "torch"}
        return {**super().identity(), **own}

    def items(self, X: Columns | Sequence[Any]) -> list[str]:
        """Return one sequence a row, in capitals, without white space."""
        return [letters_of(text) for text in texts_of(X)]

    def encode(self, items: Sequence[str]) -> NDArray[np.float32]:
        """Return vectors of shape (n_items, dimension).

        Raises
        ------
        DataError
            Where the model cannot be read, or its libraries are not installed.
        """
        folder = model_folder(self.model, "esm")
        windows = [(row, window) for row, item in enumerate(items) for window in self._cut(item)]
        # Windows of one length share a batch: what is padded would change the sums beside it.
        windows.sort(key=lambda pair: len(pair[1]))
        sums = np.zeros((len(items), self.dimension))
        if windows:
            model, ids = _load(folder, hash_of_path(folder), self.changes)
        for batch in _batches(windows):
            vectors = _run(model, ids, [window for _, window in batch])
            np.add.at(sums, [row for row, _ in batch], vectors)
        lengths = np.array([max(1, len(item)) for item in items]).reshape(-1, 1)
        means: NDArray[np.float32] = (sums / lengths).astype(np.float32)
        return means

    def trainable(self) -> Trainable:
        """Return the network in torch, with the weights as published."""
        folder = model_folder(self.model, "esm")
        model, ids = _read(folder)
        from widemargin.encoders.sequences.esm_network import EsmNetwork, WindowInputs

        def inputs(items: list[Any]) -> WindowInputs:
            return WindowInputs([[_tokens(ids, own) for own in self._cut(item)] for item in items])

        return Trainable(EsmNetwork(model, ids["<pad>"]), list(model.encoder.layer), inputs)

    def _cut(self, item: str) -> Iterator[str]:
        n = -(-len(item) // self.max_length)
        ends = [len(item) * part // n for part in range(n + 1)] if n else [0]
        for start, end in pairwise(ends):
            yield item[start:end]


def _batches(windows: Sequence[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    batch: list[tuple[int, str]] = []
    for row, window in windows:
        size = len(window) + 2  # a token at both ends
        if batch and (len(batch[0][1]) + 2 != size or (len(batch) + 1) * size > _TOKENS):
            yield batch
            batch = []
        batch.append((row, window))
    if batch:
        yield batch


def _run(model: Any, ids: Mapping[str, int], windows: Sequence[str]) -> NDArray[np.float64]:
    """Return the sum of the residues' vectors of each window, all of one length."""
    import torch  # `_load` has said so where it is absent

    tokens = torch.tensor([_tokens(ids, window) for window in windows])
    with torch.inference_mode():
        out = model(input_ids=tokens, attention_mask=torch.ones_like(tokens))
        sums: NDArray[np.float64] = out.last_hidden_state[:, 1:-1].double().sum(1).numpy()
    return sums


def _tokens(ids: Mapping[str, int], window: str) -> list[int]:
    residues = (ids[letter if letter in _RESIDUES else "X"] for letter in window)
    return [ids["<cls>"], *residues, ids["<eos>"]]


def _config(folder: Path) -> Mapping[str, Any]:
    config = model_config(folder)
    kind = config.get("model_type")
    if kind != "esm" or not isinstance(config.get("hidden_size"), int):
        raise DataError(
            f"esm: {folder}: config.json is of a model of the type {kind!r}, not 'esm'. Give an "
            "ESM-2 model."
        )
    return config


def _vocabulary(folder: Path) -> dict[str, int]:
    path = folder / "vocab.txt"
    try:
        tokens = path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"esm: {path}: cannot be read ({error}).") from error
    ids = {token: number for number, token in enumerate(tokens)}
    missing = sorted({"<cls>", "<pad>", "<eos>", *_RESIDUES} - set(ids))
    if missing:
        raise DataError(f"esm: {path}: lacks {', '.join(missing)}. Give an ESM-2 model.")
    return ids


# One model is in memory at a time: the larger ones have billions of numbers.
@lru_cache(maxsize=1)
def _load(
    folder: Path, _weights: str, changes: Changes | None = None
) -> tuple[Any, dict[str, int]]:
    """Return the model and its vocabulary; other weights in the same folder are read again."""
    model, ids = _read(folder)
    change_weights(model, changes, "model.")
    return model, ids


def _read(folder: Path) -> tuple[Any, dict[str, int]]:
    ids = _vocabulary(folder)
    _config(folder)
    # Heads that are left out are left out on purpose: nobody need be told.
    with quiet_transformers("esm") as transformers:
        try:
            model, told = transformers.EsmModel.from_pretrained(
                str(folder),
                local_files_only=True,
                trust_remote_code=False,
                add_pooling_layer=False,
                output_loading_info=True,
                dtype="float32",
            )
        except Exception as error:  # each format of weights has errors of its own
            raise DataError(
                f"esm: {folder}: the weights cannot be read ({type(error).__name__}: {error}). "
                "Fetch them again."
            ) from error
    # What the file lacks would be random numbers; the head for contacts is not used.
    lacking = sorted(key for key in told["missing_keys"] if not key.startswith("contact_head"))
    if lacking or told["mismatched_keys"]:
        raise DataError(
            f"esm: {folder}: the weights do not fit config.json: "
            f"{', '.join(map(str, [*lacking, *told['mismatched_keys']][:3]))}. Give an ESM-2 model."
        )
    if len(ids) > model.config.vocab_size:
        raise DataError(
            f"esm: {folder}: vocab.txt has {len(ids)} tokens and the weights "
            f"{model.config.vocab_size}."
        )
    return model.eval(), ids


def _build(settings: EsmSettings) -> EsmEncoder:
    return EsmEncoder(**settings.model_dump())


ESM = EncoderSpec(
    name="esm",
    summary="mean residue vectors of the protein language model ESM-2, from a local folder",
    kinds=("sequence",),
    learns="nothing",
    settings=EsmSettings,
    build=_build,
    extra="text",
    tunable=True,
)
