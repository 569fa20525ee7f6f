"""A headless Chromium, driven over the DevTools protocol: opens pages, types, looks, takes screenshots.

Protocol: chromedevtools.github.io/devtools-protocol. It trusts what a person has imported, and nothing beyond that.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import websocket

from fleet.jupyter.http import Server, request

PROGRAM = shutil.which("chromium") or shutil.which("google-chrome")
CERTUTIL = shutil.which("certutil")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--remote-debugging-port=0", "--window-size=1400,900", "--no-proxy-server",
]  # fmt: skip
SECONDS = 120.0
"""For anything to show; a quiet machine needs a few."""
SHIFT = 8


class Browser:
    """One page of one browser."""

    def __init__(self, port: int) -> None:
        self._page = websocket.create_connection(_page_url(port), timeout=SECONDS)
        self._number = 0

    def close(self) -> None:
        """End the connection; the browser goes on."""
        self._page.close()

    def open(self, url: str) -> None:
        """Go to a page; what shows there is for `wait_for` to see."""
        self._call("Page.navigate", url=url)

    def wait_for(self, expression: str) -> None:
        """Wait until a JavaScript expression is true. Raises AssertionError, with what shows."""
        look = (
            "new Promise((found) => { const look = () => { let value = null; "
            f"try {{ value = !!({expression}); }} catch (error) {{}} "
            "value ? found(value) : setTimeout(look, 100); }; look(); "
            "setTimeout(() => found(null), 2000); })"
        )
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            try:
                if self.evaluate(look):
                    return
            except ConnectionError:
                continue  # the page has gone to another one meanwhile
        shown = self.evaluate("document.body.innerText")
        raise AssertionError(f"{expression} never came true; the page shows: {shown[:2000]}")

    def evaluate(self, expression: str) -> Any:
        """Give the value of an expression, or of the promise that it is."""
        answer = self._call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def click(self, selector: str) -> None:
        """Click into the middle of an element, as a mouse does, once it is there."""
        self.wait_for(f"document.querySelector('{selector}')")
        box = self.evaluate(
            f"document.querySelector('{selector}').getBoundingClientRect().toJSON()"
        )
        at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        for what in ("mousePressed", "mouseReleased"):
            self._call("Input.dispatchMouseEvent", type=what, button="left", clickCount=1, **at)

    def type(self, text: str) -> None:
        """Type where the cursor is."""
        self._call("Input.insertText", text=text)

    def press_enter(self) -> None:
        """Press Enter: a button that has the focus is clicked."""
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}
        self._call("Input.dispatchKeyEvent", type="keyDown", text="\r", **key)
        self._call("Input.dispatchKeyEvent", type="keyUp", **key)

    def press_shift_enter(self) -> None:
        """Press Shift and Enter: Jupyter runs the cell."""
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "modifiers": SHIFT}
        self._call("Input.dispatchKeyEvent", type="rawKeyDown", **key)
        self._call("Input.dispatchKeyEvent", type="keyUp", **key)

    def screenshot(self, file: Path) -> Path:
        """Keep what shows, as PNG."""
        file.write_bytes(base64.b64decode(self._call("Page.captureScreenshot")["data"]))
        return file

    def resize(self, width: int, height: int) -> None:
        """Show pages on a screen of that many CSS pixels."""
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    def print(self, **paper: Any) -> bytes:
        """Print the page as PDF; `paper` are parameters of Page.printToPDF."""
        return base64.b64decode(self._call("Page.printToPDF", **paper)["data"])

    def permit(self, *permissions: str) -> None:
        """Let pages do what a person would be asked for."""
        self._call("Browser.grantPermissions", permissions=permissions)

    def _call(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        self._page.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._page.recv())
            if answer.get("id") == self._number:
                break
        if "error" in answer:
            raise ConnectionError(answer["error"]["message"])
        return answer["result"]


@contextmanager
def chromium(folder: Path, *, trusts: Path | None = None) -> Iterator[Browser]:
    """Start a browser of somebody whose home is `folder` and who has imported the certificate `trusts`."""
    profile = folder / "profile"
    profile.mkdir(parents=True)
    if trusts:
        _import(folder / ".pki" / "nssdb", trusts)
    process = subprocess.Popen(
        [str(PROGRAM), *FLAGS, f"--user-data-dir={profile}", "about:blank"],
        env={**os.environ, "HOME": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        browser = Browser(_port(profile / "DevToolsActivePort", process))
        try:
            yield browser
        finally:
            browser.close()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(60)


def _import(database: Path, certificate: Path) -> None:
    database.mkdir(parents=True)
    where = ["-d", f"sql:{database}"]
    for words in (
        ["-N", "--empty-password"],
        ["-A", "-t", "C,,", "-n", "fleet", "-i", str(certificate)],
    ):
        subprocess.run([str(CERTUTIL), *where, *words], timeout=60, check=True)


def _port(file: Path, process: subprocess.Popen[bytes]) -> int:
    """Give the port that the browser writes down when it listens."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if file.exists() and (text := file.read_text()).count("\n") >= 1:
            return int(text.split("\n")[0])
        time.sleep(0.05)
    raise AssertionError("chromium does not start")


def _page_url(port: int) -> str:
    pages = request(Server("127.0.0.1", port), "GET", "/json/list", timeout=SECONDS).json()
    return next(str(page["webSocketDebuggerUrl"]) for page in pages if page["type"] == "page")
