"""What the tests in a real browser share: the app as a user starts it, and a visit to its pages."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, expect

ROOT = Path(__file__).resolve().parent.parent
LAPTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


@contextmanager
def serving(database: str, log: Path, **environment: str) -> Iterator[str]:
    """The app as a user starts it, on a free port; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}/"
    with log.open("w") as out:
        app = subprocess.Popen(
            [sys.executable, "app.py", "--database", database],
            cwd=ROOT,
            env={**os.environ, "PORT": str(port), **environment},
            stdout=out,
            stderr=out,
        )
    try:
        until = time.monotonic() + 300
        while not _answers(address):
            assert app.poll() is None, f"the app ended:\n{log.read_text()}"
            assert time.monotonic() < until, f"the app did not start:\n{log.read_text()}"
            time.sleep(0.3)
        yield address
    finally:
        app.send_signal(signal.SIGINT)
        app.wait(timeout=30)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


expect.set_options(timeout=90_000)  # the pages wait for models, on machines that do other things too


class Visit:
    """One browser profile on one page, and everything it asked for."""

    def __init__(self, browser: Browser, address: str, **settings: object) -> None:
        self.address = address
        self.context: BrowserContext = browser.new_context(viewport=LAPTOP, **settings)
        self.asked: list[str] = []
        self.wrong: list[str] = []
        self.context.on("request", lambda request: self.asked.append(request.url))
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(90_000)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.wrong.append(dialog.message), dialog.dismiss()))

    def go(self, place: str, wait_for: str) -> None:
        self.page.goto("about:blank")  # a new hash alone would not load the page again
        self.page.goto(f"{self.address}#/{place}")
        self.page.wait_for_selector(wait_for)

    def anger(self) -> float:
        return float(self.page.get_attribute("[role=meter]", "aria-valuenow") or "nan")

    def say(self, text: str) -> float:
        """Send a reply with the Enter key, wait for the answer, and return what it did to the anger."""
        before, turns = self.anger(), self.page.locator("#talk .turn").count()
        self.page.locator("#box textarea").press_sequentially(text)
        self.page.keyboard.press("Enter")
        self.page.wait_for_function(
            "(turns) => document.querySelectorAll('#talk .turn').length === turns && !document.querySelector('#now .turn')",
            arg=turns + 2,
            timeout=120_000,
        )
        assert self.page.input_value("#box textarea") == ""
        assert self.page.evaluate("document.activeElement.tagName") == "TEXTAREA", "the focus stays in the box"
        return round(self.anger() - before, 1)

    def reads(self, selector: str, words: str) -> None:
        """Wait until the words, a regular expression, stand there: the parts of a page arrive one after another."""
        expect(self.page.locator(selector).first).to_contain_text(re.compile(words))

    def fits(self) -> None:
        """Nothing sticks out to the side."""
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    def picture(self, name: str, *, whole: bool = False) -> None:
        """A screenshot of what is in view, or of the `whole` page, where pictures are asked for."""
        folder = os.environ.get("DEFUSE_SCREENSHOTS")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.wait_for_timeout(700)  # the gauge has come to rest
            self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=whole)
