"""Data sets that torchvision fetches: read where it put them, or missed with a reason."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.client import IncompleteRead
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

import widemargin
from widemargin import DataError
from widemargin.contracts import Silent
from widemargin.encoders import require_torchvision
from widemargin.errors import AssetError
from widemargin_images import torchvision_sets
from widemargin_images.data import FASHION_MNIST_ASSET, FashionMnist
from widemargin_images.torchvision_sets import TorchvisionSet, bring

TRAIN, TEST = 40, 20


class Noted(Silent):
    """Progress that remembers its notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, message: str) -> None:
        self.notes.append(message)


def idx(array: Any) -> bytes:
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return bytes(head + array.astype(np.uint8).tobytes())


def contents() -> dict[str, bytes]:
    """Return the four files of a small data set of that form, unpacked."""
    rng = np.random.default_rng(0)
    files = {}
    for part, n in (("train", TRAIN), ("t10k", TEST)):
        files[f"{part}-images-idx3-ubyte"] = idx(rng.integers(0, 256, (n, 6, 6)))
        files[f"{part}-labels-idx1-ubyte"] = idx(np.arange(n) % 10)
    return files


def write(folder: Path, *, packed: bool = False) -> Path:
    folder.mkdir(parents=True)
    for name, content in contents().items():
        if packed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content, mtime=0))
        else:
            (folder / name).write_bytes(content)
    return folder


class Torchvision:
    """What torchvision does when it is asked, one answer a call; the last one for ever."""

    def __init__(self, *answers: Exception | None) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, name: str, root: Path, arrived: Callable[[float], None]) -> None:
        self.asked.append(name)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is not None:
            (root / name / "raw").mkdir(parents=True, exist_ok=True)
            (root / name / "raw" / "train-images-idx3-ubyte").write_bytes(b"half")
            raise answer
        for file in (root / name / "raw").glob("*"):
            file.unlink()
        write_into(root / name / "raw")


def write_into(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents().items():
        (folder / name).write_bytes(content)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    return waits


def fetched(
    loader: TorchvisionSet, home: Path, asked: Torchvision, monkeypatch: pytest.MonkeyPatch
) -> Noted:
    monkeypatch.setattr(torchvision_sets, "ask_torchvision", asked)
    noted = Noted()
    loader.fetch(home, offline=False, progress=noted)
    return noted


@pytest.mark.parametrize("packed", [False, True])
def test_what_torchvision_wrote_is_what_debian_s_package_holds(
    tmp_path: Path, packed: bool
) -> None:
    write(tmp_path / "own" / "FashionMNIST" / "raw", packed=packed)
    write(FASHION_MNIST_ASSET.path(tmp_path / "home").parent, packed=True)
    loader = TorchvisionSet(path=tmp_path / "own")
    loader.fetch(tmp_path / "home", offline=True, progress=Silent())
    own = loader.load(tmp_path / "home")
    debian = FashionMnist().load(tmp_path / "home")
    assert len(own) == TRAIN + TEST
    assert own.y.tolist() == debian.y.tolist()
    assert own.ids.tolist() == debian.ids.tolist()
    assert own.parts is not None
    assert debian.parts is not None
    assert own.parts.tolist() == debian.parts.tolist()
    for a, b in zip(own.X["image"], debian.X["image"], strict=True):
        assert np.array_equal(a, b)
    assert own.card.title == debian.card.title


def test_a_limit_takes_the_same_images_from_both(tmp_path: Path) -> None:
    write(tmp_path / "torchvision" / "FashionMNIST" / "raw")
    write(FASHION_MNIST_ASSET.path(tmp_path).parent, packed=True)
    own = TorchvisionSet(limit=20).load(tmp_path)
    assert own.ids.tolist() == FashionMnist(limit=20).load(tmp_path).ids.tolist()
    assert own.card.notes == ("20 of 40 training images were taken; all test images are kept.",)


def test_torchvision_itself_reads_the_same(tmp_path: Path) -> None:
    datasets = torchvision_datasets()
    write(tmp_path / "MNIST" / "raw")
    ours = TorchvisionSet(dataset="MNIST", path=tmp_path).load(tmp_path)
    assert ours.classes == tuple("0123456789")
    row = 0
    for part in (True, False):
        for image, label in datasets.MNIST(str(tmp_path), train=part):
            assert np.array_equal(np.asarray(image), ours.X["image"].iloc[row])
            assert str(label) == ours.y[row]
            row += 1
    assert row == len(ours)


def torchvision_datasets() -> Any:
    try:
        return require_torchvision("a test").datasets
    except DataError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", ["FashionMNIST", "MNIST", "KMNIST"])
def test_torchvision_fetches_checks_and_unpacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: str, name: str
) -> None:
    use(server, tmp_path / "server", name, monkeypatch)
    loader = TorchvisionSet.model_validate({"dataset": name})
    arrived: list[float] = []

    class Counted(Noted):
        def stage(self, name: str, total: float | None = None) -> Any:
            stage: Any = super().stage(name, total)
            stage.advance = arrived.append
            return stage

    noted = Counted()
    loader.fetch(tmp_path / "home", offline=False, progress=noted)
    raw = tmp_path / "home" / "torchvision" / name / "raw"
    assert set(contents()) <= {path.name for path in raw.iterdir()}
    packed = [path.stat().st_size for path in (tmp_path / "server").iterdir()]
    assert sum(arrived) == sum(packed)
    assert not noted.notes
    assert [path.name for path in raw.parent.parent.iterdir()] == [name]
    assert len(loader.load(tmp_path / "home")) == TRAIN + TEST
    assert socket.getdefaulttimeout() is None


class Quiet(SimpleHTTPRequestHandler):
    """A server of files that says nothing of what it is asked."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
        """Say nothing."""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve a small data set, packed, from ``tmp_path / "server"``."""
    write(tmp_path / "server", packed=True)
    handler = partial(Quiet, directory=str(tmp_path / "server"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}/"
        http.shutdown()


def use(server: str, folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have torchvision ask this server for a data set, and know its files."""
    kind = getattr(torchvision_datasets(), name)
    told = [
        (path.name, hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest())
        for path in sorted(folder.iterdir())
    ]
    monkeypatch.setattr(kind, "mirrors", [server])
    monkeypatch.setattr(kind, "resources", told)


def test_a_file_that_is_not_what_it_should_be_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: str, slept: list[float]
) -> None:
    use(server, tmp_path / "server", "FashionMNIST", monkeypatch)
    (tmp_path / "server" / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(b"other"))
    with pytest.raises(DataError, match=r"could not fetch it \(.*corrupted.*\), 3 times\. Put"):
        TorchvisionSet().fetch(tmp_path / "home", offline=False, progress=Silent())
    assert slept == [2, 4]
    assert not list((tmp_path / "home" / "torchvision").iterdir())


def test_an_address_without_an_answer_is_told_with_where_files_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slept: list[float]
) -> None:
    kind = torchvision_datasets().FashionMNIST
    monkeypatch.setattr(kind, "mirrors", ["http://127.0.0.1:9/"])
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(DataError) as raised:
        TorchvisionSet(path=tmp_path / "own").fetch(tmp_path, offline=False, progress=Silent())
    said = str(raised.value)
    assert "Error downloading train-images-idx3-ubyte.gz" in said
    assert f"into {tmp_path / 'own' / 'FashionMNIST' / 'raw'}; or give data.path" in said
    assert "data.source=fashion-mnist, the default, has the same images" in said
    assert "\n" not in said


def test_a_whole_folder_is_not_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Torchvision(None)
    loader = TorchvisionSet()
    fetched(loader, tmp_path, asked, monkeypatch)
    fetched(loader, tmp_path, asked, monkeypatch)
    assert asked.asked == ["FashionMNIST"]
    (tmp_path / "torchvision/FashionMNIST/raw/t10k-labels-idx1-ubyte").unlink()
    fetched(loader, tmp_path, asked, monkeypatch)
    assert len(asked.asked) == 2
    assert len(loader.load(tmp_path)) == TRAIN + TEST


def test_what_a_killed_process_left_is_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        """As a process that is killed: nothing is tidied up."""

    def killed(name: str, root: Path, arrived: Callable[[float], None]) -> None:
        write_into(root / name / "raw")
        (root / name / "raw" / "half").write_bytes(b"half")
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        patch.setattr(torchvision_sets, "ask_torchvision", killed)
        with pytest.raises(KilledError):
            TorchvisionSet().fetch(tmp_path, offline=False, progress=Silent())
    root = tmp_path / "torchvision"
    assert list(root.iterdir()) == [root / ".FashionMNIST.part"]
    fetched(TorchvisionSet(), tmp_path, Torchvision(None), monkeypatch)
    assert list(root.iterdir()) == [root / "FashionMNIST"]
    assert {path.name for path in (root / "FashionMNIST/raw").iterdir()} == set(contents())


@pytest.mark.parametrize(
    "error", [RuntimeError("Error downloading"), TimeoutError("timed out"), IncompleteRead(b"")]
)
def test_an_outage_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slept: list[float], error: Exception
) -> None:
    noted = fetched(TorchvisionSet(), tmp_path, Torchvision(error, None), monkeypatch)
    assert slept == [2]
    assert "FashionMNIST: torchvision could not fetch it" in noted.notes[0]
    assert noted.notes[0].endswith("asking again in 2 s.")
    assert len(TorchvisionSet().load(tmp_path)) == TRAIN + TEST


def test_offline_nothing_is_asked_and_what_to_do_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Torchvision(None)
    monkeypatch.setattr(torchvision_sets, "ask_torchvision", asked)
    with pytest.raises(DataError, match=r"may be fetched offline\. Put train-images.*Debian's"):
        TorchvisionSet().fetch(tmp_path, offline=True, progress=Silent())
    with pytest.raises(DataError) as raised:
        TorchvisionSet(dataset="KMNIST").fetch(tmp_path, offline=True, progress=Silent())
    assert "fashion" not in str(raised.value)
    assert not asked.asked


def test_without_its_files_it_says_where_they_go(tmp_path: Path) -> None:
    raw = tmp_path / "torchvision" / "MNIST" / "raw"
    with pytest.raises(DataError, match="MNIST: not all of its files are in") as raised:
        TorchvisionSet(dataset="MNIST").load(tmp_path)
    assert f"into {raw}; or" in str(raised.value)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(AssetError, match=r"file.* cannot be written \(.*\)\. Give another folder"):
        bring("MNIST", tmp_path / "file" / "MNIST" / "raw", "", Silent())


def test_without_torchvision_it_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from widemargin.encoders.images import torchvision_shim

    def absent(module: str, needing: str, extra: str) -> Any:
        raise DataError(f'{needing} needs {module}: pip install "widemargin[{extra}]"')

    monkeypatch.setattr(torchvision_shim, "require_library", absent)
    with pytest.raises(DataError, match=r"data\.source=torchvision needs torch: pip install"):
        TorchvisionSet().fetch(tmp_path, offline=False, progress=Silent())
    assert not list((tmp_path / "torchvision").iterdir())


def test_data_sets_of_another_form_are_refused() -> None:
    with pytest.raises(ValidationError, match="'FashionMNIST', 'MNIST' or 'KMNIST'"):
        TorchvisionSet.model_validate({"dataset": "CIFAR10"})


def test_the_classes_are_torchvision_s_own() -> None:
    datasets = torchvision_datasets()
    known = torchvision_sets._KNOWN
    assert list(known["KMNIST"][1]) == datasets.KMNIST.classes
    for ours, theirs in zip(known["FashionMNIST"][1], datasets.FashionMNIST.classes, strict=True):
        assert ours == theirs.lower().removesuffix("/top")
    assert datasets.FashionMNIST.resources[0][0] == torchvision_sets._FILES[0]
    assert callable(import_module("torchvision.datasets.utils").tqdm)


def test_a_run_reads_them_by_the_name_of_the_source(tmp_path: Path) -> None:
    write(tmp_path / "FashionMNIST" / "raw")
    made = widemargin.run(
        "images",
        data={"source": "torchvision", "path": str(tmp_path)},
        svm={"C": 1.0, "gamma": 0.1},
        evaluation={"inner": 2, "resamples": 100},
        runs=tmp_path / "runs",
        offline=True,
    )
    assert "Fashion-MNIST" in (made.path / "report.html").read_text(encoding="utf-8")
