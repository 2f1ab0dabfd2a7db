"""The README's commands say what it claims, and own patterns stand beside the known ones."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

import widemargin_proteins
from widemargin.config import parse_overrides, read, resolve
from widemargin.registry import discover
from widemargin_proteins.signals import SignalsEncoder

GUIDE = Path(str(widemargin_proteins.__file__)).with_name("README.md").read_text(encoding="utf-8")
ROOT = Path(__file__).parents[2]
SIX = ["residues", "pairs", "ends", "autocovariance", "windows", "signals"]


def commands() -> list[str]:
    indented = re.findall(r"^ {4}(widemargin run .*)$", GUIDE, flags=re.MULTILINE)
    return [re.sub(r"\s+#.*", "", one) for one in indented]


def resolved(what: str, *assignments: str) -> Any:
    registry = discover()
    documents = [read(ROOT / what)] if what.endswith(".yaml") else []
    name = documents[0].use_case() if documents else what
    return resolve(
        registry.use_case(name),
        [*documents, parse_overrides(assignments)],
        encoders=registry.encoders,
        kernels=registry.kernels,
    )


def blocks_of(config: Any) -> list[str]:
    encoder = config.to_dict()["features"]["encoder"]
    listed = encoder if isinstance(encoder, list) else [encoder]
    return [one if isinstance(one, str) else str(one.get("as") or one["name"]) for one in listed]


@pytest.mark.parametrize("command", commands())
def test_every_command_of_the_guide_resolves(command: str) -> None:
    _, _, what, *rest = shlex.split(command)
    assert rest[::2] == ["--set"] * len(rest[1::2])
    assert resolved(what, *rest[1::2])


def test_the_guide_has_commands_for_both_use_cases() -> None:
    whats = {shlex.split(one)[2] for one in commands()}
    assert {"proteins", "peptides", "configs/proteins/patterns.yaml"} <= whats


def test_own_patterns_stand_beside_the_six_blocks_of_the_default() -> None:
    usual, own = resolved("proteins"), resolved("configs/proteins/patterns.yaml")
    assert blocks_of(usual) == blocks_of(own) == SIX
    assert own.svm == usual.svm
    had, has = (one.to_dict()["features"]["encoder"] for one in (usual, own))
    assert has[:-1] == had[:-1]
    assert had[-1]["patterns"] == {}
    assert len(has[-1]["patterns"]) == 2
    encoder = SignalsEncoder(patterns=has[-1]["patterns"])
    assert encoder.columns == (*SignalsEncoder().columns, *has[-1]["patterns"])


def test_a_list_of_encoders_is_given_whole_as_the_guide_warns() -> None:
    [assignment] = re.findall(r"--set '(features\.encoder=\[.*?\])'", GUIDE)
    assert blocks_of(resolved("proteins", assignment)) == ["signals"]


@pytest.mark.parametrize("name", ["esm", "protvec", "kmer"])
def test_other_encoders_leave_the_blocks_kernels_out(name: str) -> None:
    config = resolved("proteins", f"features.encoder={name}")
    assert blocks_of(config) == [name]
    assert config.to_dict()["svm"]["kernel"] == "rbf"
    assert not config.to_dict()["svm"].get("blocks")
