"""Evaluate in a real browser: a suite is run with the real evaluator, watched, and its report is read in the page.

With DEFUSE_SCREENSHOTS set to a folder, the guide's picture is taken on the way.
"""

from pathlib import Path

from playwright.sync_api import Browser, expect

from simulator.models.bundled import home
from tests.browser import LAPTOP, PHONE, Visit, serving


def test_a_trainer_runs_a_suite_and_reads_its_report(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "models").symlink_to(home() / "models")
    own = {"DEFUSE_HOME": str(tmp_path / "home")}
    with serving(f"sqlite:///{tmp_path / 'calls.db'}", tmp_path / "app.log", **own) as address:
        me = Visit(browser, address)
        page = me.page
        me.go("", "#cards")
        page.click("[data-nav=evaluate]")
        page.wait_for_selector("#suite-attacks")
        assert page.locator("#evaluate a[href^='#/evaluate/']").count() == 0, "nothing was run yet"
        page.select_option("#evaluate [data-cases]", "50")
        page.focus("[data-run=run][data-suite=canned-empathy]")
        page.keyboard.press("Enter")
        page.wait_for_selector("[data-run=stop][data-suite=canned-empathy]")
        expect(page.locator("[data-run=run][data-suite=attacks]")).to_be_disabled()
        page.wait_for_selector("#evaluate progress[max='50']")
        me.picture("evaluate", whole=True)

        page.click("[data-nav=gallery]")  # it goes on meanwhile
        page.wait_for_selector("#cards")
        page.click("[data-nav=evaluate]")
        me.reads("#suite-canned-empathy >> xpath=..", "50 cases, 50 cases asked for")
        expect(page.locator("[data-run=run][data-suite=attacks]")).to_be_enabled()
        page.set_viewport_size(PHONE)
        me.fits()
        page.set_viewport_size(LAPTOP)

        page.click("#evaluate a[href='#/evaluate/canned-empathy']")
        report = page.frame_locator("#evaluate iframe")
        expect(report.locator("h1").first).to_be_visible()
        expect(report.locator("body")).to_contain_text("What must hold")
        assert report.locator("svg").count(), "plots are drawn without a script"
        page.reload()
        page.wait_for_selector("#evaluate iframe")
        page.set_viewport_size(PHONE)
        me.fits()

        me.go("evaluate/attacks", "#cards")
        me.reads("#notice", "no report of that suite")
        assert all(url.startswith((address, "data:", "blob:", "about:")) for url in me.asked)
        assert not me.wrong
