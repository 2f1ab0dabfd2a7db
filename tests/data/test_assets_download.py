"""Downloads from a server on this machine: resumed, retried, interrupted, shared."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from widemargin.contracts import Asset, AssetFile
from widemargin.data.assets import download, require
from widemargin.errors import AssetError

CONTENT = hashlib.shake_256(b"big").digest(400_000)
HALF = len(CONTENT) // 2
PATIENCE = 1200  # seconds, for a machine that is busy with something else


class Server(ThreadingHTTPServer):
    """Serves CONTENT at every path, and misbehaves as told."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = CONTENT
        self.ranges = True  # whether it resumes
        self.status: list[int] = []  # what it answers first
        self.break_after: list[int] = []  # the first responses end after so many bytes
        self.hold = threading.Event()  # a response that is broken off waits for this
        self.hold.set()
        self.asked: list[tuple[str, str]] = []  # path and Range of each request
        self.sent: list[int] = []  # bytes of each response

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server, wanted = self.server, self.headers.get("Range", "")
        server.asked.append((self.path, wanted))
        if server.status and (status := server.status.pop(0)) != 200:
            self.send_error(status)
            return
        match = re.fullmatch(r"bytes=(\d+)-", wanted) if server.ranges else None
        start = int(match[1]) if match else 0
        body = server.content[start:]
        self.send_response(206 if match else 200)
        if match:
            total = len(server.content)
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        broken = server.break_after.pop(0) if server.break_after else None
        server.sent.append(len(body[:broken]))
        self.wfile.write(body[:broken])
        if broken is not None:
            self.wfile.flush()
            server.hold.wait(PATIENCE)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    monkeypatch.delenv("WIDEMARGIN_DATA_MIRROR", raising=False)
    monkeypatch.setattr(download, "WAITS", (0.0, 0.0, 0.0))
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.hold.set()
    server.shutdown()
    server.server_close()
    thread.join()


def asset_of(*urls: str) -> Asset:
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    file = AssetFile(name="big.bin", sha256=sha256, size=len(CONTENT), urls=urls)
    return Asset(name="big", title="Big", licence="CC0", origin="-", files=(file,))


def part_of(home: Path) -> Path:
    return home / ".staging" / "big" / f"{asset_of().files[0].sha256}.part"


def leave_part(home: Path, content: bytes) -> None:
    part_of(home).parent.mkdir(parents=True)
    part_of(home).write_bytes(content)


def files_below(home: Path) -> list[str]:
    return sorted(path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file())


def test_an_official_address_is_fetched_whole(server: Server, tmp_path: Path) -> None:
    folder = require(asset_of(f"{server.address}/big.bin"), tmp_path)
    assert (folder / "big.bin").read_bytes() == CONTENT
    assert files_below(tmp_path) == ["big/big.bin"]


def test_a_mirror_on_the_web_comes_before_the_official_address(
    server: Server, tmp_path: Path
) -> None:
    asset = asset_of(f"{server.address}/official")
    require(asset, tmp_path, mirror=f"{server.address}/my%20mirror/")
    assert server.asked == [("/my%20mirror/big/big.bin", "")]


def test_the_second_official_address_helps_the_first(server: Server, tmp_path: Path) -> None:
    server.status = [404]
    require(asset_of(f"{server.address}/gone", f"{server.address}/here"), tmp_path)
    assert [path for path, _ in server.asked] == ["/gone", "/here"]


def test_a_part_is_resumed_and_only_the_rest_is_sent(server: Server, tmp_path: Path) -> None:
    leave_part(tmp_path, CONTENT[:HALF])
    require(asset_of(f"{server.address}/big.bin"), tmp_path)
    assert server.asked == [("/big.bin", f"bytes={HALF}-")]
    assert server.sent == [len(CONTENT) - HALF]


def test_a_server_that_cannot_resume_sends_all_of_it(server: Server, tmp_path: Path) -> None:
    server.ranges = False
    leave_part(tmp_path, CONTENT[:HALF])
    folder = require(asset_of(f"{server.address}/big.bin"), tmp_path)
    assert (folder / "big.bin").read_bytes() == CONTENT
    assert server.sent == [len(CONTENT)]


def test_a_connection_that_breaks_off_is_taken_up_again(server: Server, tmp_path: Path) -> None:
    server.break_after = [100_000, 100_000]
    require(asset_of(f"{server.address}/big.bin"), tmp_path)
    assert [asked for _, asked in server.asked] == ["", "bytes=100000-", "bytes=200000-"]
    assert sum(server.sent) == len(CONTENT)


def test_a_connection_that_keeps_breaking_off_leaves_a_part(server: Server, tmp_path: Path) -> None:
    server.break_after = [1000] * 4
    with pytest.raises(AssetError, match=r"closed after 4,000 of 400,000 bytes, 4 times in a row"):
        require(asset_of(f"{server.address}/big.bin"), tmp_path)
    assert files_below(tmp_path) == [part_of(tmp_path).relative_to(tmp_path).as_posix()]
    require(asset_of(f"{server.address}/big.bin"), tmp_path)
    assert server.asked[-1][1] == "bytes=4000-"
    assert files_below(tmp_path) == ["big/big.bin"]


def test_a_busy_server_is_asked_again_and_a_refusal_is_not(server: Server, tmp_path: Path) -> None:
    server.status = [503, 403]
    with pytest.raises(AssetError, match=r"big\.bin: HTTP 403 Forbidden"):
        require(asset_of(f"{server.address}/big.bin"), tmp_path)
    assert len(server.asked) == 2


def test_a_part_with_wrong_bytes_is_fetched_once_more_from_the_beginning(
    server: Server, tmp_path: Path
) -> None:
    leave_part(tmp_path, bytes(HALF))
    folder = require(asset_of(f"{server.address}/big.bin"), tmp_path)
    assert (folder / "big.bin").read_bytes() == CONTENT
    assert [asked for _, asked in server.asked] == [f"bytes={HALF}-", ""]


@pytest.mark.parametrize("left", [len(CONTENT), len(CONTENT) + 5])
def test_a_part_that_is_long_enough_but_wrong_is_not_used(
    server: Server, tmp_path: Path, left: int
) -> None:
    leave_part(tmp_path, bytes(left))
    assert (require(asset_of(server.address), tmp_path) / "big.bin").read_bytes() == CONTENT


def test_garbage_of_the_right_length_is_refused(server: Server, tmp_path: Path) -> None:
    server.content = bytes(len(CONTENT))
    with pytest.raises(AssetError, match=r"mirror http.*: big\.bin has sha256 .* where .* is righ"):
        require(asset_of(), tmp_path, mirror=server.address)
    assert files_below(tmp_path) == []


def test_a_page_of_another_length_is_refused_before_it_is_read(
    server: Server, tmp_path: Path
) -> None:
    server.content = b"<html>Please log in</html>"
    with pytest.raises(AssetError, match="the server has a file of 26 bytes, not of 400,000"):
        require(asset_of(), tmp_path, mirror=server.address)


def test_nobody_at_the_address_is_said_at_once(tmp_path: Path, server: Server) -> None:
    with socket.socket() as taken:  # by somebody who does not listen
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(AssetError, match=r"big\.bin: Connection refused"):
            require(asset_of(), tmp_path, mirror=f"http://127.0.0.1:{taken.getsockname()[1]}/")


SCRIPT = """
import sys
from pathlib import Path
from widemargin.contracts import Asset, AssetFile, Silent
from widemargin.data.assets import download, require

class Aloud(Silent):
    def note(self, message):
        print(message, flush=True)

_, home, url, sha256, size, download.TIMEOUT = *sys.argv, 1200.0
file = AssetFile(name="big.bin", sha256=sha256, size=int(size), urls=(url,))
asset = Asset(name="big", title="Big", licence="CC0", origin="-", files=(file,))
require(asset, Path(home), progress=Aloud())
"""


@pytest.fixture
def start(server: Server, tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Start processes that fetch the same asset."""
    started: list[subprocess.Popen[str]] = []
    file = asset_of().files[0]

    def begin() -> subprocess.Popen[str]:
        command = [sys.executable, "-c", SCRIPT, str(tmp_path), f"{server.address}/big.bin"]
        process = subprocess.Popen(
            [*command, file.sha256, str(file.size)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    while not condition():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT])
def test_a_fetch_that_is_killed_leaves_a_part_and_the_next_goes_on_from_it(
    server: Server,
    tmp_path: Path,
    start: Callable[[], subprocess.Popen[str]],
    blow: signal.Signals,
) -> None:
    server.break_after = [HALF]
    server.hold.clear()
    process, part = start(), part_of(tmp_path)
    wait_for(lambda: part.exists() and part.stat().st_size == HALF, process)
    process.send_signal(blow)
    _, said = process.communicate()
    assert process.returncode != 0
    left = [name for name in files_below(tmp_path) if not name.endswith(".lock")]
    assert left == [part.relative_to(tmp_path).as_posix()]
    if blow is signal.SIGINT:
        assert "KeyboardInterrupt: `widemargin data fetch big` goes on where this stopped." in said
        assert not list(tmp_path.rglob("*.lock"))
    server.hold.set()
    folder = require(asset_of(f"{server.address}/big.bin"), tmp_path)
    assert (folder / "big.bin").read_bytes() == CONTENT
    assert server.asked[1:] == [("/big.bin", f"bytes={HALF}-")]
    assert server.sent[1:] == [len(CONTENT) - HALF]
    assert files_below(tmp_path) == ["big/big.bin"]


def test_of_two_processes_one_fetches_and_the_other_waits_and_finds(
    server: Server, tmp_path: Path, start: Callable[[], subprocess.Popen[str]]
) -> None:
    server.break_after = [HALF]
    server.hold.clear()
    first = start()
    wait_for(lambda: len(server.asked) == 1, first)
    second = start()
    assert second.stdout is not None
    assert second.stdout.readline() == "Another process is fetching big: waiting for it.\n"
    server.hold.set()
    for process in (first, second):
        _, said = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, said
    assert sum(server.sent) == len(CONTENT)
    assert files_below(tmp_path) == ["big/big.bin"]
