"""Real programs that open what assetgen wrote: installed ones, or a loud skip; on CI nothing may be missing."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from asset_gen.cli import run as run_command_line

FLAGS = [
    "--headless=new",
    "--no-sandbox",  # Chromium refuses its sandbox to root, and opens only our own pages here
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--remote-debugging-pipe",
]
KEYS = {
    **{"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "End": 35, "Home": 36},
    **{"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40},
    **{sign: ord(sign.upper()) for sign in "abcdefghijklmnopqrstuvwxyz0123456789"},
    **{"?": 191, "/": 191},
}
SHIFT = 8
PATIENCE = 60.0  # seconds for one answer, on a machine that may be busy

Client = Callable[[str], Path]
missing_clients: set[str] = set()


@pytest.fixture(scope="session")
def client() -> Client:
    """Finds an installed program by its command; where it's missing, the test is skipped, or fails where CI=true."""

    def find(name: str) -> Path:
        if found := shutil.which(name):
            return Path(found)
        message = f"{name} isn't installed: run `make clients`"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        missing_clients.add(message)
        pytest.skip(message)

    return find


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says which clients were missing, also where reasons for skips aren't shown."""
    for message in sorted(missing_clients):
        terminalreporter.write_line(f"SKIPPED: {message}", yellow=True, bold=True)


class Browser:
    """Headless Chromium, steered through its DevTools pipe: JSON that ends in NUL, on file descriptors 3 and 4."""

    def __init__(self, program: Path, profile: Path, ratio: float = 1.0) -> None:
        """``ratio``: device pixels to a CSS pixel. A real screen's, since an emulated one isn't laid out like it."""
        self.ratio = ratio
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        self._last_id = 0
        self._buffer = b""
        self._contexts: list[str] = []
        self._log = profile.with_suffix(".log")
        self.errors: list[str] = []
        """Exceptions that no script of a page has caught."""
        own_flags = [f"--user-data-dir={profile}", f"--force-device-scale-factor={ratio}"]
        command = [str(program), *FLAGS, *own_flags, "about:blank"]
        redirect = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["bash", "-c", redirect, "bash", *command], pass_fds=(theirs_in, theirs_out), stdout=log, stderr=log
            )
        os.close(theirs_in)
        os.close(theirs_out)

    def call(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """The result of a DevTools method; events that arrive meanwhile are read for exceptions only."""
        self._last_id += 1
        message = {"id": self._last_id, "method": method, "params": parameters}
        os.write(self._out, json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0")
        while (answer := self._receive()).get("id") != self._last_id:
            if answer.get("method") == "Runtime.exceptionThrown":
                details = answer["params"]["exceptionDetails"]
                self.errors.append(details.get("exception", {}).get("description", details["text"]))
        assert "error" not in answer, f"{method}: {answer['error']}"
        return dict(answer["result"])

    def _receive(self) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while b"\0" not in self._buffer:
            readable, _, _ = select.select([self._in], [], [], max(0.0, deadline - time.monotonic()))
            chunk = os.read(self._in, 1 << 20) if readable else b""
            assert chunk, f"Chromium {'has ended' if readable else 'is silent'}: {self._log.read_text()[-2000:]}"
            self._buffer += chunk
        message, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(message))

    def open(self, address: str, *, width: int = 1280, height: int = 800, dark: bool = False) -> Page:
        """A page in a window of this size (CSS pixels) that asks for reduced motion, once loaded."""
        context = self.call("Target.createBrowserContext", disposeOnDetach=True)["browserContextId"]
        self._contexts.append(context)
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        page = Page(self, self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        page.call("Emulation.setEmulatedMedia", features=[scheme, still])
        page.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=0,
            mobile=width < 500,
        )
        page.call("Runtime.enable")
        page.call("Page.enable")
        page.call("Page.navigate", url=address)
        page.wait_for("location.href !== 'about:blank' && document.readyState === 'complete'")
        return page

    def close_pages(self) -> None:
        while self._contexts:
            self.call("Target.disposeBrowserContext", browserContextId=self._contexts.pop())

    def close(self) -> None:
        os.close(self._out)  # Chromium ends with its pipe
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._in)


class Page:
    """One tab."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._browser.call(method, self._session, **parameters)

    def evaluate(self, expression: str) -> Any:
        """What a JavaScript expression, or the promise it gives, comes to."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, f"{expression}: {answer['exceptionDetails']}"
        return answer["result"].get("value")

    def wait_for(self, expression: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self.evaluate(f"Boolean({expression})"):
            assert time.monotonic() < deadline, f"never came true: {expression}"
            time.sleep(0.05)

    def press(self, key: str, modifiers: int = 0) -> None:
        """A key of ``KEYS``, down and up; ``modifiers``: ``SHIFT``."""
        event: dict[str, Any] = {"key": key, "code": "Space" if key == " " else key, "modifiers": modifiers}
        event["windowsVirtualKeyCode"] = KEYS[key]
        text = {"text": "\r"} if key == "Enter" else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", **event, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **event)

    def box(self, selector: str, scroll: bool = False) -> tuple[float, float, float, float]:
        """Left, top, width and height in the window, in CSS pixels; first scrolled into view where asked."""
        x, y, width, height = self.evaluate(
            f"(() => {{ const element = document.querySelector({json.dumps(selector)});"
            f" if ({json.dumps(scroll)}) element.scrollIntoView({{block: 'nearest', inline: 'nearest'}});"
            " const {x, y, width, height} = element.getBoundingClientRect(); return [x, y, width, height] })()"
        )
        return x, y, width, height

    def click(self, selector: str) -> None:
        """A mouse click on the middle of the first element that the selector matches."""
        x, y, width, height = self.box(selector, scroll=True)
        for kind in ("mousePressed", "mouseReleased"):
            self.call(
                "Input.dispatchMouseEvent", type=kind, x=x + width / 2, y=y + height / 2, button="left", clickCount=1
            )

    def screenshot(self) -> NDArray[np.uint8]:
        """What the window shows: uint8 [height, width, 3]."""
        data = base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
        return np.array(Image.open(BytesIO(data)).convert("RGB"))


@pytest.fixture(scope="session")
def launch(client: Client, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[float], Browser]]:
    """Gives the one browser for a ratio of device to CSS pixels."""
    browsers: dict[float, Browser] = {}

    def launch(ratio: float) -> Browser:
        if ratio not in browsers:
            browsers[ratio] = Browser(client("chromium"), tmp_path_factory.mktemp("chromium") / "profile", ratio)
        return browsers[ratio]

    yield launch
    for browser in browsers.values():
        browser.close()


@pytest.fixture
def browser(launch: Callable[[float], Browser], request: pytest.FixtureRequest) -> Iterator[Browser]:
    """Chromium on a screen of ratio 1, or of the test's parameter; at the end no page may have thrown an exception."""
    browser = launch(getattr(request, "param", 1))
    browser.errors.clear()
    yield browser
    browser.close_pages()
    assert not browser.errors


@pytest.fixture(scope="session")
def built_in_batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project into which the command line has published 51 sprites of the built-in model. Read only."""
    project = tmp_path_factory.mktemp("game")
    assert run_command_line(["batch", "--count", "51", "--scale", "2", "--project", str(project), "-q"]) == 0
    return project
