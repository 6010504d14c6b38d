"""What if, in a real browser over the bundled models: a call is taken again from its worst moment, then compared.

With DEFUSE_SCREENSHOTS set to a folder, the README's picture is taken on the way.
"""

from pathlib import Path

from playwright.sync_api import Browser

from tests.browser import LAPTOP, PHONE, Visit, serving

ZOOMED = {"width": 640, "height": 400}  # a laptop at 200 %
ASK = "What did that do to the rest of your morning?"
DEFENCE = "Our technician says he rang your bell, so the fault was hardly ours."
MORE = (
    "So you put off four of your regulars and earned nothing this morning. You must feel cheated, giving up paid work "
    "for an empty street."
)
SPECIFIC = "You stood at that window from ten to twelve and nobody came, not even a text. You must feel forgotten."


def test_a_call_is_taken_again_and_both_courses_stand_side_by_side(browser: Browser, tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    with serving(f"sqlite:///{tmp_path / 'calls.db'}", log) as address:
        me = Visit(browser, address)
        page = me.page
        me.go("briefing/cable-no-show", "#take")
        page.click("#take")
        page.wait_for_selector("#box textarea")
        assert me.say(SPECIFIC) < 0
        before = me.anger()
        assert me.say(DEFENCE) > 0
        page.set_viewport_size(ZOOMED)
        me.fits()
        page.click("#leave")  # the question stands far below; it must come into view, with the focus
        page.wait_for_function(
            "document.activeElement.id === 'no' && document.activeElement.getBoundingClientRect().top < 400"
        )
        assert (page.locator("#gauge").bounding_box() or {})["y"] >= 0, "the gauge stays in view"
        page.set_viewport_size(LAPTOP)
        page.click("#yes")
        page.wait_for_selector("#scorecard h1")
        first = page.url
        assert page.locator(".moment [data-again]").count() == 1
        assert page.locator(".record [data-again]").count() == 2
        button = page.locator(".record [data-again='3']")
        button.focus()
        page.keyboard.press("Enter")  # the mouse is not needed

        page.wait_for_selector("#box textarea")
        me.reads("#head", "Again from reply 2")
        me.reads("#talk", "stood at that window")
        assert "technician says" not in page.inner_text("#talk")
        assert me.anger() == before
        assert me.say(ASK) <= 0
        me.say(MORE)
        page.click("#leave")
        page.click("#yes")
        page.wait_for_selector("#whatif h1")
        me.reads("#whatif h1", "Again from reply 2: \\d+ points more")
        page.wait_for_function("document.activeElement.tagName === 'H1'")
        columns = page.locator(".course")
        assert DEFENCE in columns.nth(0).inner_text()
        assert ASK in columns.nth(1).inner_text()
        left, right = (columns.nth(i).bounding_box() for i in (0, 1))
        assert left is not None
        assert right is not None
        assert left["x"] + left["width"] <= right["x"], "side by side"
        me.fits()
        me.picture("what-if", whole=True)
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size(PHONE)
        me.fits()
        page.set_viewport_size(LAPTOP)
        page.emulate_media(color_scheme="light")

        page.reload()
        me.reads("#whatif h1", "points more")
        page.goto("about:blank")
        page.goto(first)
        me.reads("#scorecard .retakes", "Again from reply 2")
        page.click("#scorecard .retakes a")
        me.reads("#whatif h1", "points more")
    assert me.wrong == []
    assert "Traceback" not in log.read_text()
