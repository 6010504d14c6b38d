"""The pages in a real browser, over the real app and the bundled models: a whole call, seen as a trainee sees it.

With DEFUSE_SCREENSHOTS set to a folder, the pictures of the README are taken on the way.
"""

import re
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser

from tests.browser import LAPTOP, PHONE, Visit, serving

CANNED = "I apologise for any inconvenience this may have caused."
SPECIFIC = "You stood at that window from ten to twelve and nobody came, not even a text. You must feel forgotten."
HOSTILE = "<img src=x onerror=\"document.title='owned'\"> <b>What</b> else is going round in your head?"
MORE = (
    "So you put off four of your regulars and earned nothing this morning. You must feel cheated, giving up paid work "
    "for an empty street."
)
ASK = "What did that do to the rest of your morning?"


def test_a_call_from_gallery_to_scorecard_and_back_after_a_restart(browser: Browser, tmp_path: Path) -> None:
    database, log = f"sqlite:///{tmp_path / 'calls.db'}", tmp_path / "app.log"
    with serving(database, log) as address:
        me = Visit(browser, address)
        page = me.page
        me.go("", ".card")
        me.reads("#welcome", "angry for a reason")
        me.fits()
        me.picture("gallery")
        page.click("text=Bronagh Mallon")
        page.wait_for_selector("#take")
        me.reads("#briefing", "What the system shows")
        page.click("#take")
        page.wait_for_selector("#box textarea")
        assert me.anger() == 7.0

        assert me.say(CANNED) > 0, "canned sympathy raises the anger"
        me.reads("#gauge .change", "up")
        me.reads("#coach", "It sounded like a script")
        assert me.say(SPECIFIC) < 0, "specific empathy lowers it"
        me.reads("#gauge .change", "down")
        me.reads("#goals", r"Done:\s*Say what they think")
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
        me.reads("#talk", re.escape(HOSTILE))  # markup is shown as it was typed
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
        me.reads("#scorecard", "What you never heard")
        me.fits()
        me.picture("scorecard")
        page.click("a[data-turn='1'] >> nth=0")
        assert page.evaluate("document.activeElement.id") == "said-1", "a quotation leads to its reply"
        with page.expect_download() as markdown:
            page.click(".downloads a >> text=Markdown")
        assert CANNED in Path(markdown.value.path()).read_text(encoding="utf-8")

        stranger = Visit(browser, address)
        stranger.go("calls", "#calls .empty")
        stranger.go(urlsplit(page.url).fragment.strip("/"), "#notice .trouble")
        stranger.reads("#notice", "no such call")
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
