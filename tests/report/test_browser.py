"""The report in a real browser: no errors, no requests, no sideways scrolling."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from widemargin.comparison import Comparison
from widemargin.contracts import RunRecord
from widemargin.registry import discover
from widemargin.report.comparison import comparison_files

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
if BROWSER is None and not os.environ.get("CI"):
    pytest.skip("needs Debian's chromium", allow_module_level=True)

Write = Callable[..., RunRecord]
Render = Callable[[RunRecord, str], str]
SHAPES = ["binary", "many", "regression"]
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    # Nobody answers, whatever is asked.
    "--host-resolver-rules=MAP * ~NOTFOUND",
]


def browse(page: Path, profile: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Open a page in a fresh profile; every request that leaves the machine would fail.

    A browser that crashes or hangs, as it may on a machine that is busy, is started again, at most
    twice.
    """
    assert BROWSER is not None, "CI needs Debian's chromium: apt-get install chromium"
    for turn in count(1):
        words = [
            BROWSER,
            *QUIET,
            f"--user-data-dir={profile}-{turn}",
            "--enable-logging=stderr",
            "--v=0",
            "--virtual-time-budget=3000",
            *options,
            page.as_uri(),
        ]
        try:
            return subprocess.run(words, capture_output=True, text=True, check=True, timeout=300)
        except subprocess.SubprocessError:
            if turn == 3:
                raise
    raise AssertionError


def framing(page: str, width: int, look: str) -> str:
    """Return a page that has another in it, and looks into that as soon as it is there.

    Parameters
    ----------
    page : str
        The other's name.
    width : int
        How wide it is shown.
    look : str
        JavaScript that has the `frame`, the `page` in it, and ``say(name, text)`` to tell of them.
    """
    return f"""<!doctype html><body><script>
        const look = (frame) => {{
          const page = frame.contentDocument;
          const say = (name, text) => {{ document.body.dataset[name] = text; }};
          {look}
        }};
        </script>
        <iframe src="{page}" width="{width}" height="800" onload="look(this)"></iframe></body>"""


def console(output: str) -> list[str]:
    return re.findall(r":CONSOLE[^\]]*\] (.*)", output)


def requests(log: Path) -> set[str]:
    """Return what pages asked the network for; what the browser itself asks has no origin."""
    events = json.loads(log.read_text(encoding="utf-8"))["events"]
    asked = [event.get("params", {}) for event in events]
    return {
        one["url"]
        for one in asked
        if re.match("(http|ws)s?:", str(one.get("url")))
        and one.get("initiator", "not an origin") != "not an origin"
    }


@pytest.mark.parametrize("shape", SHAPES)
def test_the_report_opens_without_errors_or_requests(
    shape: str, write: Write, render: Render, tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    page.write_text(render(write(tmp_path / "run", shape), shape), encoding="utf-8")
    log = tmp_path / "net.json"
    done = browse(page, tmp_path / "profile", "--dump-dom", f"--log-net-log={log}")
    assert console(done.stderr) == []
    assert "interval" in done.stdout
    # The script ran: it shows the theme switch.
    assert re.search(r'<button type="button" class="theme" aria-label="Switch', done.stdout)
    assert requests(log) == set()


def test_the_log_would_show_a_request(tmp_path: Path) -> None:
    page, log = tmp_path / "page.html", tmp_path / "net.json"
    page.write_text('<!doctype html><img src="http://example.invalid/x.png">', encoding="utf-8")
    browse(page, tmp_path / "profile", "--dump-dom", f"--log-net-log={log}")
    assert requests(log) == {"http://example.invalid/x.png"}


def test_the_log_would_show_an_error(write: Write, render: Render, tmp_path: Path) -> None:
    html = render(write(tmp_path / "run", "binary"), "binary")
    page = tmp_path / "report.html"
    page.write_text(html.replace("</main>", "<script>throw 1</script></main>"), encoding="utf-8")
    done = browse(page, tmp_path / "profile", "--dump-dom")
    assert "Content Security Policy" in " ".join(console(done.stderr))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_the_report_never_scrolls_sideways(
    width: int, shape: str, write: Write, render: Render, tmp_path: Path
) -> None:
    report = tmp_path / "report.html"
    # What weighed may have a long name, as columns have.
    long = f'<p class="shares"><span class="up">{"how_long_it_is = " * 20}<b>+1</b></span>'
    html = render(write(tmp_path / "run", shape), shape).replace('<p class="shares">', long)
    report.write_text(html, encoding="utf-8")
    outer = tmp_path / "outer.html"
    outer.write_text(
        framing(
            "report.html",
            width,
            """
          page.querySelectorAll("details").forEach((fold) => fold.open = true);
          const root = page.documentElement;
          say("measured", `${root.scrollWidth} of ${root.clientWidth}`);
        """,
        ),
        encoding="utf-8",
    )
    # Only so may one file look into another.
    done = browse(outer, tmp_path / "profile", "--dump-dom", "--allow-file-access-from-files")
    measured = re.search(r'data-measured="(\d+) of (\d+)"', done.stdout)
    assert measured, done.stdout[-500:]
    assert int(measured[1]) <= int(measured[2])
    # A scrollbar may take a little of the frame.
    assert width - 20 <= int(measured[2]) <= width


def test_paper_shows_what_is_folded_on_the_screen(
    write: Write, render: Render, tmp_path: Path
) -> None:
    page, paper = tmp_path / "report.html", tmp_path / "report.pdf"
    page.write_text(render(write(tmp_path / "run", "binary"), "binary"), encoding="utf-8")
    browse(page, tmp_path / "profile", f"--print-to-pdf={paper}", "--no-pdf-header-footer")
    reader = shutil.which("pdftotext")
    if reader is None:
        pytest.skip("needs poppler's pdftotext to read the paper")
    text = subprocess.run([reader, paper, "-"], capture_output=True, text=True, check=True).stdout
    assert "Resolved config" in text
    assert "widemargin run --like" in text
    assert "Skip to the report" not in text


def test_readers_can_sort_filter_and_switch_the_theme(
    write: Write, render: Render, tmp_path: Path
) -> None:
    report = tmp_path / "report.html"
    report.write_text(render(write(tmp_path / "run", "binary"), "binary"), encoding="utf-8")
    outer = tmp_path / "outer.html"
    outer.write_text(
        framing(
            "report.html",
            900,
            """
          const table = page.querySelector(".estimates");
          const first = () => table.tBodies[0].rows[0].cells[0].textContent;
          const head = table.querySelectorAll("thead th")[1];
          head.querySelector("button").click();
          say("lowest", `${first()}, ${head.getAttribute("aria-sort")}`);
          head.querySelector("button").click();
          say("highest", `${first()}, ${head.getAttribute("aria-sort")}`);
          say("last", [...table.tBodies[0].rows].at(-1).cells[1].textContent);
          page.querySelectorAll(".filter button")[1].click();
          const shown = [...page.querySelectorAll(".quotes li[data-kind]")].slice(0, 10);
          const kinds = new Set(shown.filter((item) => !item.hidden).map((i) => i.dataset.kind));
          say("kinds", kinds.size);
          page.querySelector(".theme").click();
          say("theme", page.documentElement.dataset.theme);
          const dot = page.querySelector("svg.plot circle.hit");
          const text = dot.querySelector("title").textContent;
          dot.dispatchEvent(new frame.contentWindow.PointerEvent("pointerover",
            { bubbles: true }));
          say("tip", page.querySelector(".tip").textContent === text);
        """,
        ),
        encoding="utf-8",
    )
    done = browse(outer, tmp_path / "profile", "--dump-dom", "--allow-file-access-from-files")
    said = dict(re.findall(r'data-(lowest|highest|last|kinds|theme|tip)="([^"]*)"', done.stdout))
    assert said["lowest"].startswith("Spam caught at 0.1%")
    assert said["lowest"].endswith("ascending")
    assert said["highest"].startswith("ROC AUC")
    assert said["highest"].endswith("descending")
    # What is undefined stays at the end, whichever way the rest is sorted.
    assert said["last"] == "undefined"
    assert said["kinds"] == "1"
    assert said["theme"] == "dark"
    assert said["tip"] == "true"


def test_a_point_shows_its_picture_and_lights_up_on_both_maps(
    write: Write, render: Render, tmp_path: Path
) -> None:
    from widemargin.encoders.images.reading import thumbnail

    pytest.importorskip("PIL", reason="needs Pillow")
    record = write(tmp_path / "run", "binary")
    path = record.path / "embedding_map.json"
    jpeg = base64.b64encode(thumbnail(np.zeros((20, 30), np.uint8), size=24)).decode()
    content = {**json.loads(path.read_text(encoding="utf-8")), "pictures": {"7": jpeg}}
    path.write_text(json.dumps(content), encoding="utf-8")
    (tmp_path / "report.html").write_text(render(record, "binary"), encoding="utf-8")
    outer = tmp_path / "outer.html"
    outer.write_text(
        framing(
            "report.html",
            900,
            """
          const Pointer = frame.contentWindow.PointerEvent;
          const over = (mark) => mark.dispatchEvent(new Pointer("pointerover", { bubbles: true }));
          const tip = page.querySelector(".tip");
          const second = page.querySelectorAll('[data-i="7"]')[1];
          over(second);
          say("text", tip.textContent);
          say("lit", page.querySelectorAll('[data-i="7"].same').length);
          const image = tip.querySelector("img");
          const shown = () => {
            say("width", image.naturalWidth);
            over(page.querySelector("h1"));
            say("after", page.querySelectorAll(".same").length);
          };
          // The browser's clock stands still until it is loaded, and not until it is decoded.
          if (image.complete) shown(); else image.onload = shown;
        """,
        ),
        encoding="utf-8",
    )
    done = browse(outer, tmp_path / "profile", "--dump-dom", "--allow-file-access-from-files")
    said = dict(re.findall(r'data-(text|lit|width|after)="([^"]*)"', done.stdout))
    assert said["text"].startswith("sms-7: ")
    assert (said["lit"], said["width"], said["after"]) == ("2", "24", "0")
    assert console(done.stderr) == []


def write_comparison(comparison: Comparison, folder: Path) -> Path:
    page = folder / "comparison.html"
    page.write_bytes(comparison_files(comparison, discover().use_cases)[page.name])
    return page


def test_a_comparison_opens_without_errors_or_requests(
    comparison: Comparison, tmp_path: Path
) -> None:
    log = tmp_path / "net.json"
    page = write_comparison(comparison, tmp_path)
    done = browse(page, tmp_path / "profile", "--dump-dom", f"--log-net-log={log}")
    assert console(done.stderr) == []
    assert requests(log) == set()
    assert re.search(r'<button type="button" class="theme" aria-label="Switch', done.stdout)


def _four(comparison: Comparison) -> Comparison:
    """Add a row, so that the table has a row each; of three it stands upright."""
    lsa = replace(comparison.rows[2], name="lsa", values={"encoder": "lsa"})
    return replace(comparison, rows=(*comparison.rows, lsa))


@pytest.mark.parametrize("width", [360, 1280])
def test_a_table_that_is_wider_than_its_box_says_so_and_keeps_its_names(
    width: int, comparison: Comparison, tmp_path: Path
) -> None:
    write_comparison(_four(comparison), tmp_path)
    outer = tmp_path / "outer.html"
    outer.write_text(
        framing(
            "comparison.html",
            width,
            """
          const boxes = [...page.querySelectorAll(".scroll")];
          const shown = boxes.filter((box) => box.clientWidth);
          const wider = shown.map((box) => box.scrollWidth > box.clientWidth);
          const told = shown.map((box) => !box.previousElementSibling.hidden);
          say("wider", wider.join());
          say("agrees", told.join() === wider.join());
          const [box] = shown;
          box.scrollLeft = 10000;
          const name = box.querySelector("tbody th").getBoundingClientRect();
          say("moved", Math.round(name.left - box.getBoundingClientRect().left));
        """,
        ),
        encoding="utf-8",
    )
    done = browse(outer, tmp_path / "profile", "--dump-dom", "--allow-file-access-from-files")
    said = dict(re.findall(r'data-(wider|agrees|moved)="([^"]*)"', done.stdout))
    assert said["agrees"] == "true"
    assert said["moved"] == "0"
    assert said["wider"].startswith("true" if width == 360 else "false")


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_a_comparison_never_scrolls_sideways(
    width: int, comparison: Comparison, tmp_path: Path
) -> None:
    write_comparison(comparison, tmp_path)
    outer = tmp_path / "outer.html"
    outer.write_text(
        framing(
            "comparison.html",
            width,
            """
          const root = page.documentElement;
          say("measured", `${root.scrollWidth} of ${root.clientWidth}`);
        """,
        ),
        encoding="utf-8",
    )
    done = browse(outer, tmp_path / "profile", "--dump-dom", "--allow-file-access-from-files")
    measured = re.search(r'data-measured="(\d+) of (\d+)"', done.stdout)
    assert measured, done.stdout[-500:]
    assert int(measured[1]) <= int(measured[2])


@pytest.mark.parametrize("shown", ["encoders", "domains", "many axes"])
def test_no_table_of_a_comparison_scrolls_sideways_at_1300_pixels(
    shown: str, comparison: Comparison, domains: Comparison, tmp_path: Path
) -> None:
    found = _four(comparison) if shown == "encoders" else domains
    if shown == "many axes":
        long = {"encoder": "tfidf + glove (vectors: corpus)", "kernel": "laplacian"}
        rows = [
            replace(row, values={"use case": f"{row.use_case} (100 of each)", **long})
            for row in domains.rows
        ]
        found = replace(domains, axes=("use case", *long), rows=tuple(rows))
    write_comparison(found, tmp_path)
    outer = tmp_path / "outer.html"
    outer.write_text(
        framing(
            "comparison.html",
            1300,
            """
          const over = [];
          const buttons = [...page.querySelectorAll(".filter button")];
          for (const button of buttons.length ? buttons : [page.body]) {
            button.click();
            for (const one of page.querySelectorAll(".scroll"))
              over.push(one.scrollWidth - one.clientWidth);
          }
          say("over", over.join());
        """,
        ),
        encoding="utf-8",
    )
    done = browse(outer, tmp_path / "profile", "--dump-dom", "--allow-file-access-from-files")
    measured = re.search(r'data-over="([\d,-]+)"', done.stdout)
    assert measured, done.stdout[-500:]
    assert max(map(int, measured[1].split(","))) <= 0


def test_readers_of_a_comparison_sort_choose_a_metric_and_click_through(
    comparison: Comparison, tmp_path: Path
) -> None:
    write_comparison(_four(comparison), tmp_path)
    outer = tmp_path / "outer.html"
    outer.write_text(
        framing(
            "comparison.html",
            900,
            """
          const table = page.querySelector("table.cells");
          table.querySelectorAll("thead th")[1].querySelector("button").click();
          say("lowest", table.tBodies[0].rows[0].cells[0].textContent);
          const shown = () => [...page.querySelectorAll(".choice")]
            .filter((one) => !one.hidden).map((one) => one.dataset.name).join();
          say("first", shown());
          page.querySelectorAll(".filter button")[1].click();
          say("second", shown());
          say("link", page.querySelector(".choice svg a").getAttribute("href"));
        """,
        ),
        encoding="utf-8",
    )
    done = browse(outer, tmp_path / "profile", "--dump-dom", "--allow-file-access-from-files")
    said = dict(re.findall(r'data-(lowest|first|second|link)="([^"]*)"', done.stdout))
    assert said == {
        "lowest": "glove",
        "first": "F1",
        "second": "Brier score",
        "link": "../../spam/20261123-minilm/report.html",
    }
