"""What `widemargin data` shows, and with which exit code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from widemargin import registry
from widemargin.cli.main import main
from widemargin.contracts import Asset, AssetFile

CONTENT = b"spam,text\n1,win cash\n"


def asset_of(name: str, content: bytes = CONTENT) -> Asset:
    sha256 = hashlib.sha256(content).hexdigest()
    file = AssetFile(name=f"{name}.csv", sha256=sha256, size=len(content))
    return Asset(name=name, title=name.title(), licence="CC BY 4.0", origin="-", files=(file,))


@dataclass
class Told:
    """What a command told."""

    code: int
    out: str
    err: str


class Known:
    """Stands in for the registry, with two assets."""

    def assets(self) -> dict[str, Asset]:
        return {name: asset_of(name) for name in ("sms", "mails")}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WIDEMARGIN_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("WIDEMARGIN_DATA_MIRROR", raising=False)
    monkeypatch.setattr(registry, "discover", Known)
    return tmp_path / "home"


@pytest.fixture
def data(home: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    def run(*words: str) -> Told:
        with pytest.raises(SystemExit) as stop:
            main(["data", *words])
        told = capsys.readouterr()
        assert isinstance(stop.value.code, int)
        return Told(stop.value.code, told.out, " ".join(told.err.split()))

    return run


def put(home: Path, name: str, content: bytes = CONTENT) -> None:
    (home / name).mkdir(parents=True)
    (home / name / f"{name}.csv").write_bytes(content)


def test_list_says_what_is_in_place(home: Path, data: Callable[..., Told]) -> None:
    put(home, "sms")
    told = data("list")
    assert told.code == 0
    heading, mails, sms = told.out.splitlines()
    assert heading.split() == ["Name", "Title", "Licence", "Size", "State"]
    assert mails.split() == ["mails", "Mails", "CC", "BY", "4.0", "21", "bytes", "absent"]
    assert sms.split()[-2:] == ["in", "place"]


def test_list_speaks_json(home: Path, data: Callable[..., Told]) -> None:
    put(home, "sms", CONTENT[:3])
    mails, sms = json.loads(data("list", "--json").out)
    assert (mails["state"], sms["state"]) == ("absent", "damaged")
    assert sms["bytes"] == len(CONTENT)
    assert sms["path"] == str(home / "sms")


def test_fetch_prints_where_the_files_are(
    home: Path, data: Callable[..., Told], tmp_path: Path
) -> None:
    put(tmp_path / "mirror", "sms")
    told = data("fetch", "sms", "--data-mirror", str(tmp_path / "mirror"))
    assert (told.code, told.out) == (0, f"sms: {home / 'sms'}\n")
    assert (home / "sms" / "sms.csv").read_bytes() == CONTENT


def test_fetch_all_goes_on_after_a_failure_and_ends_with_2(
    home: Path, data: Callable[..., Told], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "mirror", "sms")
    monkeypatch.setenv("WIDEMARGIN_DATA_MIRROR", str(tmp_path / "mirror"))
    told = data("fetch", "--all", "--json")
    assert told.code == 2
    assert json.loads(told.out) == {"sms": str(home / "sms")}
    assert told.err.startswith("Error: mails: mails.csv is missing, and no road led to the right")


def test_fetch_offline_only_looks(home: Path, data: Callable[..., Told]) -> None:
    put(home, "sms")
    assert data("fetch", "sms", "--offline").code == 0
    told = data("fetch", "mails", "--offline")
    assert told.code == 2
    assert "mails.csv is missing, and nothing may be fetched offline" in told.err


def test_fetch_wants_names_or_all(data: Callable[..., Told]) -> None:
    told = data("fetch")
    assert told.code == 2
    assert told.err == "Error: Say which assets to fetch (mails, sms), or --all."


def test_an_unknown_name_is_met_with_the_nearest(data: Callable[..., Told]) -> None:
    told = data("fetch", "mail")
    assert told.code == 2
    assert told.err == ("Error: There is no asset 'mail'. Did you mean 'mails'? Known: mails, sms.")


def test_verify_is_content_where_every_fetched_file_is_right(
    home: Path, data: Callable[..., Told]
) -> None:
    assert data("verify").out == "Nothing has been fetched yet.\n"
    put(home, "sms")
    told = data("verify")
    assert told.code == 0
    assert told.out.splitlines()[1].split() == ["sms", "sms.csv", "is", "right"]


@pytest.mark.parametrize("words", [(), ("sms",)])
def test_verify_ends_with_2_and_says_what_to_do_about_damage(
    home: Path, data: Callable[..., Told], words: tuple[str, ...]
) -> None:
    put(home, "sms", CONTENT[:3])
    told = data("verify", *words)
    assert told.code == 2
    assert "is truncated: 3 of 21 bytes" in told.out
    assert told.err == (
        "Error: sms: not every file is what it should be. "
        "Run `widemargin data fetch sms`; it replaces only what is wrong."
    )


def test_verify_of_a_named_asset_that_was_never_fetched_ends_with_2(
    data: Callable[..., Told],
) -> None:
    told = data("verify", "sms", "--json")
    assert told.code == 2
    (row,) = json.loads(told.out)
    assert (row["file"], row["state"]) == ("sms.csv", "missing")


def test_path_prints_one_line_for_scripts(home: Path, data: Callable[..., Told]) -> None:
    assert data("path").out == f"{home}\n"
    assert data("path", "sms").out == f"{home / 'sms'}\n"
    assert json.loads(data("path", "--json").out) == str(home)
    assert data("path", "smss").code == 2
