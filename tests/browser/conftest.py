"""A real server with a real worker, and a real Chromium that uses it as a person would."""

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"


def chromium_path() -> str | None:
    given = os.environ.get("CHROMIUM_PATH")
    found = given or next((path for name in NAMES if (path := shutil.which(name))), None)
    return found or (MAC if Path(MAC).exists() else None)


@dataclass
class Server:
    """The dashboard as `fairneuron app` serves it."""

    url: str
    home: Path
    process: subprocess.Popen[bytes]
    log: Path


def start_server(home: Path, *, port: int) -> Server:
    """Start `fairneuron app` with a workspace of its own and wait until it is healthy."""
    log = home.with_suffix(".log")
    environment = os.environ | {"FAIRNEURON_HOME": str(home), "FAIRNEURON_THREADS": "2"}
    command = [sys.executable, "-m", "fairneuron_core.cli", "app", "--port", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    server = Server(f"http://127.0.0.1:{port}", home, process, log)
    wait_until(lambda: healthy(server), seconds=60, what="the server is healthy", log=log)
    return server


def stop_server(server: Server) -> None:
    """Stop it as a person does, with Ctrl-C to its process group."""
    import signal

    os.killpg(server.process.pid, signal.SIGINT)
    try:
        server.process.wait(15)
    except subprocess.TimeoutExpired:
        os.killpg(server.process.pid, signal.SIGKILL)


def healthy(server: Server) -> bool:
    try:
        with urllib.request.urlopen(f"{server.url}/healthz", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


def wait_until(condition, *, seconds: float, what: str, log: Path | None = None) -> None:
    """Poll until `condition()` holds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.1)
    tail = log.read_text()[-2000:] if log else ""
    pytest.fail(f"Waited {seconds} s in vain until {what}.\n{tail}")


def unused_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def chromium() -> str:
    path = chromium_path()
    if path is None:
        words = "no Chromium here: install chromium or set CHROMIUM_PATH"
        if os.environ.get("CI"):
            pytest.fail(f"In continuous integration browser tests cannot be skipped, but there is {words}.")
        pytest.skip(words)
    return path


@pytest.fixture(scope="session")
def browser(chromium) -> Iterator[object]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, headless=True, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory, chromium) -> Iterator[Server]:
    started = start_server(tmp_path_factory.mktemp("browser") / "home", port=unused_port())
    yield started
    stop_server(started)


@pytest.fixture
def page(browser):
    """A fresh person at a 1440 x 900 screen; nothing may be fetched from another host, no script may fail."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("request", lambda request: errors.append(request.url) if foreign(request.url) else None)
    opened.set_default_timeout(30_000)
    yield opened
    context.close()
    assert errors == []


def foreign(url: str) -> bool:
    return url.startswith("http") and "127.0.0.1" not in url and "localhost" not in url
