"""Sixteen messages a class: fine-tuned MiniLM against MiniLM as published."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from widemargin.data.assets import data_home
from widemargin.encoders import MinilmEncoder, TunedEncoder, TuneSettings
from widemargin.encoders.text.minilm import MINILM_ASSET
from widemargin.encoders.weights import weights_folder
from widemargin.errors import AssetError

SHOTS, TESTED, DRAWS = 16, 1000, 4


def test_fine_tuned_beats_frozen_on_sixteen_messages_a_class() -> None:
    """The paired t-interval of the gain in MCC of a linear machine lies above 0."""
    pytest.importorskip("torch")
    pytest.importorskip("tokenizers")
    path = data_home() / "sms-spam" / "sms-spam.csv"
    try:
        weights_folder(MINILM_ASSET)
    except AssetError:
        pytest.skip("needs: widemargin data fetch minilm")
    if not path.is_file():
        pytest.skip("needs: widemargin data fetch sms-spam")
    from scipy.stats import t
    from sklearn.metrics import matthews_corrcoef
    from sklearn.svm import SVC

    with path.open(encoding="utf-8", newline="") as file:
        rows = {row["text"]: int(row["spam"]) for row in csv.DictReader(file)}
    texts, labels = np.array(list(rows), dtype=object), np.array(list(rows.values()))
    gains = []
    for seed in range(DRAWS):
        rng = np.random.default_rng(seed)
        train = np.concatenate(
            [rng.permutation(np.flatnonzero(labels == label))[:SHOTS] for label in (0, 1)]
        )
        test = rng.permutation(np.setdiff1d(np.arange(len(labels)), train))[:TESTED]
        settings = TuneSettings.model_validate({"seed": seed, "device": "cpu"})
        scores = []
        for encoder in (MinilmEncoder(), TunedEncoder(MinilmEncoder(), settings)):
            fitted = encoder.fit(texts[train], labels[train])
            machine = SVC(kernel="linear", C=1).fit(fitted.transform(texts[train]), labels[train])
            said = machine.predict(fitted.transform(texts[test]))
            scores.append(matthews_corrcoef(labels[test], said))
        gains.append(scores[1] - scores[0])
    half = t.ppf(0.975, DRAWS - 1) * np.std(gains, ddof=1) / DRAWS**0.5
    mean = np.mean(gains)
    told = (
        f"gain in MCC {mean:+.3f} ({mean - half:+.3f} to {mean + half:+.3f}), {np.round(gains, 3)}"
    )
    print(told)  # noqa: T201  # pytest shows it with -s
    assert mean - half > 0, told
