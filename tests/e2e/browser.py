"""Headless Chromium, driven by the W3C WebDriver protocol."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
_MILLISECONDS = 20_000
# Without the background flags Chromium asks its maker's servers, which a closed network refuses.
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=900,700",
)


class Browser:
    """One page in one window."""

    def __init__(self, driver: str) -> None:
        self._driver = driver
        self._session = ""

    def start(self, profile: Path) -> None:
        """Open a window in which the application's hosts lead to the lab."""
        rule = f"--host-resolver-rules=MAP *.planera.app {os.environ['LAB_HTTPS']}"
        options = {"args": [*_FLAGS, rule, f"--user-data-dir={profile}"]}
        wanted = {"browserName": "chrome", "acceptInsecureCerts": True, "goog:chromeOptions": options}
        answer = self._ask("POST", "", {"capabilities": {"alwaysMatch": wanted}}, root="/session")
        self._session = f"/session/{answer['sessionId']}"
        self._ask("POST", "/timeouts", {"implicit": _MILLISECONDS})

    def open(self, url: str) -> None:
        """Load a page."""
        self._ask("POST", "/url", {"url": url})

    def find(self, css: str) -> str:
        """Return an element's id once it is there: the driver waits for it."""
        return str(self._ask("POST", "/element", {"using": "css selector", "value": css})[_ELEMENT])

    def click(self, css: str) -> None:
        """Click the first such element."""
        self._ask("POST", f"/element/{self.find(css)}/click", {})

    def type(self, css: str, text: str) -> None:
        """Type into a field."""
        self._ask("POST", f"/element/{self.find(css)}/value", {"text": text})

    def text(self, css: str) -> str:
        """Return what an element says."""
        return str(self._ask("GET", f"/element/{self.find(css)}/text"))

    def picture(self, file: Path) -> None:
        """Save a screenshot."""
        file.write_bytes(base64.b64decode(self._ask("GET", "/screenshot")))

    def close(self) -> None:
        """Close the window."""
        if self._session:
            self._ask("DELETE", "")

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None, root: str = "") -> Any:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self._driver}{root or self._session}{path}", data, method=method)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]


@contextmanager
def browsing(folder: Path) -> Iterator[Browser]:
    """Run a driver and a window while the block runs."""
    with subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True) as driver:
        try:
            assert driver.stdout is not None
            line = next(line for line in driver.stdout if "started successfully on port" in line)
            browser = Browser(f"http://127.0.0.1:{line.strip().rstrip('.').rpartition(' ')[2]}")
            browser.start(folder / "profile")
            try:
                yield browser
            finally:
                browser.close()
        finally:
            driver.terminate()
