"""Encoders that come with widemargin are known by name and imported when they are asked for."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from widemargin import encoders
from widemargin.encoders import ENCODERS
from widemargin.encoders.built_in import BUILT_IN, EncoderSpecs, asset_of


def test_each_encoder_is_found_under_its_name() -> None:
    assert [spec.name for spec in ENCODERS] == list(BUILT_IN)


def test_every_asset_that_an_encoder_brings_is_known_by_name() -> None:
    for spec in ENCODERS:
        for asset in spec.assets:
            assert asset_of(asset.name) == asset
    assert asset_of("sms-spam") is None


def test_a_name_that_is_none_is_no_key() -> None:
    specs = EncoderSpecs(BUILT_IN)
    assert "nosuch" not in specs
    with pytest.raises(KeyError):
        specs["nosuch"]


def test_naming_encoders_imports_none_and_asking_for_one_imports_that_one() -> None:
    code = (
        "import json, sys\n"
        "from widemargin.registry import discover\n"
        "encoders = discover([]).encoders\n"
        "assert len(list(encoders)) > 20 and 'tfidf' in encoders\n"
        "before = set(sys.modules)\n"
        "encoders['tfidf']\n"
        "print(json.dumps([sorted(before), sorted(set(sys.modules) - before)]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    homes = {f"widemargin.encoders.{home}" for home in BUILT_IN.values()}
    before, after = (set(names) for names in json.loads(done.stdout))
    assert not before & homes
    assert after & homes == {"widemargin.encoders.text.tfidf"}


def test_what_is_public_is_offered_for_completion() -> None:
    assert set(encoders.__all__) <= set(dir(encoders))
