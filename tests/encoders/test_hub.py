"""Models in folders: which folder is missing, and what stands beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from widemargin.encoders.hub import model_folder
from widemargin.errors import DataError


def said(name: str) -> str:
    with pytest.raises(DataError) as caught:
        model_folder(name, "bert")
    return str(caught.value)


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with one model in it, and stand beside it, with nothing in the cache."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    (tmp_path / "models" / "minilm").mkdir(parents=True)
    (tmp_path / "models" / "minilm" / "config.json").write_text("{}")
    return tmp_path / "models"


def test_a_path_to_a_folder_that_is_not_there_is_no_name_on_the_hub(models: Path) -> None:
    for name in ("./models/minlm", "models/minlm/", f"{models}/minlm"):
        told = said(name)
        assert told.startswith("bert: there is no folder ")
        assert told.endswith("minlm. Did you mean 'minilm'?")
        assert "hf download" not in told


def test_the_first_part_that_is_missing_is_named(models: Path) -> None:
    told = said(f"{models.parent}/modles/one/minilm")
    assert told.endswith(f": {models.parent} has no 'modles'. Did you mean 'models'?")


def test_owner_and_name_are_a_path_where_the_owner_is_a_folder_here(models: Path) -> None:
    assert "there is no folder models/minlm. Did you mean 'minilm'?" in said("models/minlm")
    assert said("somebody/minilm").endswith("Fetch it with: hf download somebody/minilm")


def test_a_cached_model_counts_before_a_folder_of_its_owners_name(models: Path) -> None:
    place = models.parent / "cache" / "models--models--minlm"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text("0" * 40)
    (place / "snapshots" / ("0" * 40)).mkdir(parents=True)
    assert model_folder("models/minlm", "bert").name == "0" * 40


def test_a_name_that_resembles_a_folder_here_is_told_both(models: Path) -> None:
    told = said("model")
    assert told.endswith("cache. Did you mean 'models'? Fetch it with: hf download model")


def test_a_file_is_no_folder(models: Path) -> None:
    assert said("models/minilm/config.json") == (
        "bert: models/minilm/config.json is a file; give a folder as save_pretrained writes it."
    )
