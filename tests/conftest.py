"""What tests of several areas share: distributions with plugins, put where Python finds them."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

InstallPlugin = Callable[..., Path]

# No test fails for a slow machine or for the luck of the draw: an example may take as long as it
# takes, and .ci/run draws the same ones every time; elsewhere every run draws new ones.
settings.register_profile(
    "patient",
    settings(),
    deadline=None,
    suppress_health_check=[
        *(HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)
    ],
    **({"derandomize": True, "database": None} if os.environ.get("SAME_EXAMPLES") else {}),
)
settings.load_profile("patient")

# What rich and typer take for a terminal's: here all output is a pipe's, wherever tests run.
for _name in ("FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "TERMINAL_WIDTH", "COLUMNS", "LINES"):
    os.environ.pop(_name, None)

# A suite that runs in a script's background or under nohup ignores these, and what it starts would
# inherit that; tests send them to what they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    # One that has a handler here begins anew in another program, and this one goes on.
    signal.signal(signal.SIGHUP, lambda *_: None)


@pytest.fixture
def install_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InstallPlugin]:
    """Install distributions as pip does: modules, METADATA and entry_points.txt on the path.

    ``install_plugin("rainy", {"rain": "rain_plugin"}, {"rain_plugin.py": "..."})`` installs the
    distribution ``rainy`` whose entry point ``rain`` is the module ``rain_plugin``. Fresh
    interpreters see it too.
    """
    site = tmp_path / "site"
    site.mkdir()
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", str(site))

    def install(distribution: str, points: Mapping[str, str], files: Mapping[str, str]) -> Path:
        for name, content in files.items():
            path = site / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        info = site / f"{distribution.replace('-', '_')}-1.2.dist-info"
        info.mkdir()
        metadata = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n"
        (info / "METADATA").write_text(metadata, encoding="utf-8")
        lines = [f"{name} = {module}" for name, module in points.items()]
        group = "\n".join(["[widemargin.plugins]", *lines, ""])
        (info / "entry_points.txt").write_text(group, encoding="utf-8")
        importlib.invalidate_caches()
        return site

    yield install
    for name in set(sys.modules) - before:
        if str(site) in str(getattr(sys.modules[name], "__file__", None)):
            del sys.modules[name]
