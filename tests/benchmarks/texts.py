"""Print how fast ``minilm`` encodes texts, and how far its vectors are from the peer's.

The peer is ``sentence_transformers.SentenceTransformer.encode`` on the same processor, texts and
weights, at its own batch size and at its own number of threads. Encoders take turns, and the
fastest of three rounds counts. The weights come first: ``widemargin data fetch minilm minilm-onnx
sms-spam``.

    python tests/benchmarks/texts.py [n_texts]
"""

from __future__ import annotations

import csv
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from widemargin.data.assets import data_home
from widemargin.encoders.images.torchvision_shim import ensure_torchvision_operators
from widemargin.encoders.text.contextual import load_tokenizer
from widemargin.encoders.text.minilm import MINILM_ASSET, MinilmEncoder
from widemargin.encoders.weights import weights_folder

ROUNDS = 3
COLD = """
from widemargin.encoders.text.minilm import MinilmEncoder
MinilmEncoder().transform(["see you at five"])
"""
COLD_PEER = """
import runpy, sys
load_peer = runpy.run_path(sys.argv[1])["load_peer"]
load_peer().encode(["see you at five"])
"""


def main() -> None:
    """Time every encoder on short and on long texts, and a first vector in a fresh process."""
    n_texts = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    messages = _messages()
    short = list(dict.fromkeys(messages))[:n_texts]
    joined = [" ".join(messages[at : at + 7]) for at in range(0, len(messages), 7)]
    peer = load_peer()
    encoders: dict[str, Callable[[Sequence[str]], NDArray[np.float32]]] = {
        "sentence_transformers": lambda texts: np.asarray(peer.encode(list(texts))),
        "minilm, bfloat16": MinilmEncoder().encode,
        "minilm, float32": MinilmEncoder(arithmetic="float32").encode,
        "minilm, onnx": MinilmEncoder(weights="onnx").encode,
    }
    for name, texts in (("short", short), ("long", joined[: max(n_texts // 7, 1)])):
        _compare(name, texts, encoders)
    for name, code in (("minilm", COLD), ("sentence_transformers", COLD_PEER)):
        print(f"fresh process to first vector, {name:24}{_cold(code):8.2f} s")  # noqa: T201  # a table is the point


def load_peer() -> Any:
    """Build the peer on the very same weights."""
    ensure_torchvision_operators()
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    folder = str(weights_folder(MINILM_ASSET))
    layers = Transformer(folder, max_seq_length=256)
    pooling = Pooling(384, "mean")
    return SentenceTransformer(modules=[layers, pooling, Normalize()], device="cpu")


def _messages() -> list[str]:
    path = data_home() / "sms-spam" / "sms-spam.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return [row["text"] for row in csv.DictReader(file)]


def _compare(
    name: str,
    texts: Sequence[str],
    encoders: dict[str, Callable[[Sequence[str]], NDArray[np.float32]]],
) -> None:
    tokenizer = load_tokenizer(weights_folder(MINILM_ASSET), 256, "minilm")
    n_tokens = sum(len(one.ids) for one in tokenizer.encode_batch(list(texts)))
    best = dict.fromkeys(encoders, float("inf"))
    vectors = {}
    for encode in encoders.values():
        encode(texts[:8])
    for _ in range(ROUNDS):
        for key, encode in encoders.items():
            start = time.perf_counter()
            vectors[key] = encode(texts)
            best[key] = min(best[key], time.perf_counter() - start)
    peer = next(iter(encoders))
    print(f"\n{len(texts)} {name} texts, {n_tokens / len(texts):.0f} tokens each")  # noqa: T201  # as above
    print(f"{'':24}{'texts/s':>9}{'tokens/s':>10}{'ratio':>7}{'1-cos mean':>12}{'1-cos max':>11}")  # noqa: T201  # as above
    for key, seconds in best.items():
        away = 1 - (vectors[key].astype(np.float64) * vectors[peer]).sum(axis=1)
        print(  # noqa: T201  # as above
            f"{key:24}{len(texts) / seconds:9.0f}{n_tokens / seconds:10.0f}"
            f"{best[peer] / seconds:7.1f}{away.mean():12.1e}{away.max():11.1e}"
        )


def _cold(code: str) -> float:
    taken = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code, __file__], check=True, capture_output=True)
        taken.append(time.perf_counter() - start)
    return median(taken)


if __name__ == "__main__":
    main()
