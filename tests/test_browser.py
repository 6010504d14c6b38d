"""The pages in a real browser, over the real app and the bundled models: a whole call, seen as a trainee sees it.

With DEFUSE_SCREENSHOTS set to a folder, the pictures of the README are taken on the way.
"""

import os
import re
import shutil
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
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
LAPTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
CANNED = "I apologise for any inconvenience this may have caused."
SPECIFIC = "You stood at that window from ten to twelve and nobody came, not even a text. You must feel forgotten."
HOSTILE = "<img src=x onerror=\"document.title='owned'\"> <b>What</b> else is going round in your head?"
MORE = (
    "So you put off four of your regulars and earned nothing this morning. You must feel cheated, giving up paid work "
    "for an empty street."
)
ASK = "What did that do to the rest of your morning?"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    names = ("chromium", "google-chrome", "chromium-browser")
    path = next((found for found in map(shutil.which, names) if found), None)
    if path is None:
        pytest.fail(
            f"No browser: install one of {', '.join(names)} (Debian: apt-get install chromium), then run again."
        )
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()


@contextmanager
def serving(database: str, log: Path) -> Iterator[str]:
    """The app as a user starts it, on a free port; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}/"
    with log.open("w") as out:
        app = subprocess.Popen(
            [sys.executable, "app.py", "--database", database],
            cwd=ROOT,
            env={**os.environ, "PORT": str(port)},
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


class Visit:
    """One browser profile on one page, and everything it asked for."""

    def __init__(self, browser: Browser, address: str, **settings: object) -> None:
        self.address = address
        self.context: BrowserContext = browser.new_context(viewport=LAPTOP, **settings)
        self.asked: list[str] = []
        self.wrong: list[str] = []
        self.context.on("request", lambda request: self.asked.append(request.url))
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(30_000)
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

    def fits(self) -> None:
        """Nothing sticks out to the side."""
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    def picture(self, name: str) -> None:
        folder = os.environ.get("DEFUSE_SCREENSHOTS")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.wait_for_timeout(700)  # the gauge has come to rest
            self.page.screenshot(path=Path(folder) / f"{name}.png")


def test_a_call_from_gallery_to_scorecard_and_back_after_a_restart(browser: Browser, tmp_path: Path) -> None:
    database, log = f"sqlite:///{tmp_path / 'calls.db'}", tmp_path / "app.log"
    with serving(database, log) as address:
        me = Visit(browser, address)
        page = me.page
        me.go("", ".card")
        assert "angry for a reason" in page.inner_text("#welcome")
        me.fits()
        me.picture("gallery")
        page.click("text=Bronagh Mallon")
        page.wait_for_selector("#take")
        assert "What the system shows" in page.inner_text("#briefing")
        page.click("#take")
        page.wait_for_selector("#box textarea")
        assert me.anger() == 7.0

        assert me.say(CANNED) > 0, "canned sympathy raises the anger"
        assert "up" in page.inner_text("#gauge .change")
        assert "It sounded like a script." in page.inner_text("#coach")
        assert me.say(SPECIFIC) < 0, "specific empathy lowers it"
        assert "down" in page.inner_text("#gauge .change")
        assert re.search(r"Done:\s*Say what they think", page.inner_text("#goals"))
        me.say(ASK)
        me.say(MORE)
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight"), "the laptop page does not scroll"
        me.picture("call-light")
        page.emulate_media(color_scheme="dark")
        page.wait_for_function("document.body.classList.contains('dark')")
        me.picture("call-dark")
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(PHONE)
        me.fits()
        page.locator("#talk .turn").last.scroll_into_view_if_needed()
        me.picture("call-phone")
        page.set_viewport_size(LAPTOP)
        me.say(HOSTILE)
        assert HOSTILE in page.inner_text("#talk"), "markup is shown as it was typed"
        assert page.locator("#talk img, #talk b").count() == 0
        assert page.title() != "owned"

        page.keyboard.type("first")
        page.keyboard.press("Shift+Enter")
        page.keyboard.type("second")
        assert page.input_value("#box textarea") == "first\nsecond"
        page.wait_for_timeout(1200)
        page.reload()
        page.wait_for_selector("#box textarea")
        page.wait_for_function("document.querySelector('#box textarea').value === 'first\\nsecond'")
        page.fill("#box textarea", "")

        page.click("#leave")
        page.click("#yes")
        page.wait_for_selector("#scorecard h1")
        outcome = page.inner_text("#scorecard h1")
        assert "Bronagh" in outcome
        assert page.locator(".competencies article").count() == 5
        assert "What you never heard" in page.inner_text("#scorecard")
        me.fits()
        me.picture("scorecard")
        page.click("a[data-turn='1'] >> nth=0")
        assert page.evaluate("document.activeElement.id") == "said-1", "a quotation leads to its reply"
        with page.expect_download() as markdown:
            page.click("text=Download as Markdown")
        assert CANNED in Path(markdown.value.path()).read_text(encoding="utf-8")

        stranger = Visit(browser, address)
        stranger.go("calls", "#calls .empty")
        stranger.go(urlsplit(page.url).fragment.strip("/"), "#notice .trouble")
        assert "no such call" in stranger.page.inner_text("#notice")
        assert outcome not in stranger.page.content()

        me.go("briefing/cable-no-show", "#take")
        page.click("#take")
        page.wait_for_selector("#box textarea")
        me.say(SPECIFIC)
        left = me.anger()

    with serving(database, log) as address:
        # The port is another one, so the browser's own memory is handed over as a returning browser would have it.
        kept = me.context.storage_state()
        for origin in kept["origins"]:
            origin["origin"] = address.rstrip("/")
        back = Visit(browser, address, storage_state=kept)
        back.go("calls", ".calls li")
        rows = back.page.locator(".calls li")
        assert rows.count() == 2
        assert "Not finished" in rows.nth(0).inner_text(), "newest first"
        assert "of 100" in rows.nth(1).inner_text()
        back.picture("my-calls")
        rows.nth(1).locator("a").click()
        back.page.wait_for_selector("#scorecard h1")
        assert back.page.inner_text("#scorecard h1") == outcome
        back.page.go_back()
        back.page.wait_for_selector(".calls li")
        rows.nth(0).locator("a").click()
        back.page.wait_for_selector("#box textarea")
        assert back.anger() == left
        assert SPECIFIC in back.page.inner_text("#talk")
        back.say(ASK)

    for visit in (me, stranger, back):
        assert visit.wrong == []
        hosts = {urlsplit(url).hostname for url in visit.asked if not url.startswith(("data:", "blob:", "about:"))}
        assert hosts == {"127.0.0.1"}, "no request leaves the machine"
    assert "Traceback" not in log.read_text()
