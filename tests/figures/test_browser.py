"""The page in a real browser: every chart is drawn, nothing goes wrong, nothing is fetched."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tallystick.jobs.pages import evaluation_page
from tallystick.report import Nouns

pytestmark = pytest.mark.browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# The browser asks nobody for a name, and its own services stay quiet.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--enable-logging=stderr",
    "--virtual-time-budget=10000",
)


@pytest.fixture(scope="session")
def browser() -> str:
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        return found
    missing = f"no Chromium: install it (Debian: apt-get install chromium), looked for {', '.join(NAMES)}"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(missing)
    pytest.skip(missing)


def shown(browser: str, folder: Path, page: str) -> tuple[str, list[str], set[str]]:
    """Open a page; give its document, what the console said, and the addresses it asked the network for."""
    file, log = folder / "page.html", folder / "net.json"
    file.write_text(page, encoding="utf-8", newline="\n")
    command = [browser, *FLAGS, f"--user-data-dir={folder / 'profile'}", f"--log-net-log={log}", "--dump-dom"]
    done = subprocess.run([*command, file.as_uri()], capture_output=True, text=True, timeout=120, check=True)
    console = re.findall(r":CONSOLE[^\]]*\] (.*)", done.stderr)
    asked = set()
    for event in json.loads(log.read_text())["events"]:
        params = event.get("params", {})
        # What the browser wants for itself has no page as its initiator.
        if "url" in params and params.get("initiator", "not an origin") != "not an origin":
            asked.add(params["url"])
    return done.stdout, console, asked


def test_every_chart_is_drawn_and_nothing_is_fetched(browser, tmp_path, report):
    document, console, asked = shown(
        browser, tmp_path, evaluation_page({"tasks": {"product": report}}, Nouns())
    )
    assert console == []
    assert asked == set()
    charts = re.split(r'(?=<div class="chart)', document)[1:]
    assert len(charts) == 6
    for chart in charts:
        assert 'data-drawn=""' in chart.split(">", 1)[0]
        assert "<svg" in chart
    assert document.count('class="xtick"') > 20
    assert "true class</tspan>" in document


def test_hostile_names_run_nothing(browser, tmp_path, report):
    evil = "</script><script>console.error('ran')</script><img src=x onerror=\"console.error('ran')\">"
    report["confusion"]["classes"][0] = report["per_class"][0]["class"] = report["baseline"]["class"] = evil
    document, console, asked = shown(
        browser, tmp_path, evaluation_page({"tasks": {"product": report}}, Nouns(), title=evil)
    )
    assert console == []
    assert asked == set()
    assert document.count('data-drawn=""') == 6


def test_the_policy_stops_what_would_be_fetched(browser, tmp_path, report):
    page = evaluation_page({"tasks": {"product": report}}, Nouns())
    page = page.replace("</main>", '<img src="https://example.invalid/x.png"><script>1</script></main>')
    page = page.replace("</main>", '<iframe src="https://example.invalid/f"></iframe></main>')
    _, console, asked = shown(browser, tmp_path, page)
    assert asked == set()
    assert len([line for line in console if "Content Security Policy" in line]) == 3


def test_these_checks_would_see_a_fetch_and_an_error(browser, tmp_path):
    page = '<!doctype html><img src="https://example.invalid/x.png"><script>console.error("seen")</script>'
    _, console, asked = shown(browser, tmp_path, page)
    assert asked == {"https://example.invalid/x.png"}
    assert any("seen" in line for line in console)
