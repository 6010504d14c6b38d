"""The Studio in a real browser, over the real app and the bundled models: a persona written, tried, saved and disputed.

With DEFUSE_SCREENSHOTS set to a folder, the pictures of the README are taken on the way.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from playwright.sync_api import Browser, Page, expect

from simulator.models.bundled import home
from tests.browser import LAPTOP, PHONE, Visit, serving

HOSTILE = "<img src=x onerror=\"document.title='owned'\"></textarea>"


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The app with the bundled models and a folder of its own for what trainers write."""
    own = tmp_path / "home"
    own.mkdir()
    (own / "models").symlink_to(home() / "models")
    log = tmp_path / "app.log"
    with serving(f"sqlite:///{tmp_path / 'calls.db'}", log, DEFUSE_HOME=str(own)) as found:
        yield found
    assert "Traceback" not in log.read_text()


def field(path: str) -> str:
    return f'#form [data-path="{path}"]'


def write(page: Page, path: str, text: str) -> None:
    """Fill a field and wait until the YAML says it."""
    page.fill(field(path), text)
    expect(page.locator("#yaml")).to_have_value(re.compile(re.escape(text)), timeout=30_000)


def copy_of(me: Visit, which: str) -> None:
    me.go("studio", ".shelf")
    me.page.click(f"[data-act=copy][data-which={which}]")
    me.page.wait_for_selector("#yaml")


def in_step(page: Page) -> None:
    """Wait until every field shows what the YAML says."""

    def said(path: str) -> str:
        there = yaml.safe_load(page.input_value("#yaml"))
        for part in path.split("."):
            there = there[int(part)] if isinstance(there, list) else there.get(part, "")
        return "\n".join(map(str, there)) if isinstance(there, list) else str(there).strip()

    fields = "all => all.map((input) => [input.dataset.path, input.value])"
    for _ in range(50):
        shown = page.eval_on_selector_all("#form [data-path]", fields)
        wrong = [(path, value, said(path)) for path, value in shown if value != said(path)]
        if not wrong:
            break
        page.wait_for_timeout(200)
    assert len(shown) > 30
    assert wrong == []


def test_a_form_drawn_anew_shows_what_the_yaml_says(browser: Browser, address: str) -> None:
    me = Visit(browser, address)
    page, text = me.page, me.page.locator("#yaml")
    copy_of(me, "cable-no-show")
    write(page, "story.0.fact", "the van never came")
    write(page, "story.1.because", "nobody else pays her")
    page.select_option(field("story.0.layer"), "root")
    expect(text).to_have_value(re.compile("layer: root.*layer: impact", re.DOTALL))
    before = page.input_value("#yaml")
    page.click("[data-down='story.0']")
    expect(text).not_to_have_value(before)
    in_step(page)
    assert page.input_value(field("story.1.fact")) == "the van never came"
    assert page.input_value(field("story.1.layer")) == "root"

    # Written in the very moment in which the part moves.
    page.evaluate(
        """(path) => {
          document.querySelector("[data-down='story.1']").click();
          const input = document.querySelector(path);
          input.value = "the van came too late";
          input.dispatchEvent(new Event("input", { bubbles: true }));
        }""",
        field("story.1.fact"),
    )
    expect(text).to_have_value(re.compile("the van came too late"))
    in_step(page)
    assert page.input_value(field("story.2.fact")) == "the van came too late"

    write(page, "name", "Cynthia Reyes")
    page.fill("#yaml", page.input_value("#yaml").replace("Cynthia Reyes", "Cynthia Rae").replace("too late", "at noon"))
    expect(page.locator(field("story.2.fact"))).to_have_value("the van came at noon")
    me.reads("#studio h1", "Cynthia Rae")
    in_step(page)
    write(page, "story.0.fact", "nobody rang her")
    page.click("[data-remove='story.0']")
    expect(text).not_to_have_value(re.compile("nobody rang her"))
    in_step(page)
    assert me.wrong == []


def test_a_draft_is_discarded_and_a_test_drive_begun_only_as_meant(browser: Browser, address: str) -> None:
    me = Visit(browser, address)
    page = me.page
    copy_of(me, "cable-no-show")
    page.evaluate("window.wishes = []; addEventListener('studio-wish', (event) => wishes.push(event.detail.act))")
    page.click("[data-act=try]")
    for anger in ("11", "", "0.3"):
        page.fill("#panel [data-anger]", anger)
        page.click("[data-act=call]")
        expect(page.locator("#panel [data-anger]")).to_be_focused()
        page.focus("#panel [data-act=call]")
    assert page.evaluate("wishes") == ["try"]

    page.focus("[data-act=ask-discard]")
    page.keyboard.press("Enter")
    me.reads("#panel", "all that you wrote goes")
    expect(page.locator("#panel [data-panel]")).to_be_focused()
    page.keyboard.press("Escape")
    page.wait_for_selector("#panel [data-panel]", state="detached")
    page.click("[data-act=ask-discard]")
    page.click("#panel [data-act=discard]")
    page.wait_for_selector("#studio [data-act=new]")
    assert page.locator("text=Go on").count() == 0
    assert me.wrong == []


def test_a_persona_from_copy_to_call(browser: Browser, address: str, tmp_path: Path) -> None:
    me = Visit(browser, address)
    page = me.page
    me.go("studio", "#studio [data-act=new]")
    assert "None yet" in page.inner_text("#studio")
    me.fits()
    me.picture("studio-list")
    page.click("[data-act=copy][data-which=cable-no-show]")
    page.wait_for_selector("#yaml")
    me.reads("#checks", "nothing makes it weak")

    write(page, "name", "Cynthia Reyes")
    assert page.inner_text("#studio h1") == "Cynthia Reyes"
    page.fill(field("temperament.patience"), "9")
    me.reads('#form [data-fault="temperament.patience"]', "This must be 6 or less")
    page.fill(field("story.1.because"), "")
    page.press(field("story.1.because"), "Tab")
    me.reads('#form [data-fault="story.1.because"]', "This is empty")
    assert page.get_attribute(field("story.1.because"), "aria-invalid") == "true"
    me.picture("studio-mistakes")
    page.click("#checks [data-to='temperament.patience']")
    assert page.evaluate("document.activeElement.dataset.path") == "temperament.patience", (
        "a mistake leads to its field"
    )
    write(page, "temperament.patience", "4")
    page.fill(field("story.1.because"), page.input_value(field("story.1.fact")))
    me.reads("#checks", "Part 2, Because only repeats the fact")
    me.reads('#form [data-fault="story.1.because"]', "Weak: this only repeats the fact; say why it hurts")
    me.picture("studio-weak")
    write(page, "story.1.because", "those were her best-paying hours")

    # The order of the story, by keyboard alone; the focus goes along.
    first, second = (page.input_value(field(f"story.{n}.fact")) for n in (1, 2))
    page.focus("[data-down='story.1']")
    page.keyboard.press("Enter")
    expect(page.locator(field("story.2.fact"))).to_have_value(first)
    expect(page.locator("[data-down='story.2']")).to_be_focused()
    page.focus(field("story.2.fact"))
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator(field("story.2.fact"))).to_have_value(second)
    expect(page.locator(field("story.1.fact"))).to_be_focused()
    page.click("[data-add=triggers]")
    page.wait_for_selector(field("triggers.1.because"))
    page.click("[data-remove='triggers.1']")
    page.wait_for_selector(field("triggers.1.because"), state="detached")

    # YAML and form follow each other, and a draft that cannot be read survives a reload.
    page.fill("#yaml", page.input_value("#yaml").replace("Cynthia Reyes", "Cynthia Rae  # to be agreed"))
    expect(page.locator(field("name"))).to_have_value("Cynthia Rae")
    write(page, "company", "Northline Cable")
    assert "# to be agreed" in page.input_value("#yaml"), "a comment outlives the form"
    whole = page.input_value("#yaml")
    page.fill("#yaml", whole + "\n  - [")
    me.reads("#checks", "cannot be read at line")
    assert page.evaluate("document.querySelector('[data-form]').inert"), "the form waits"
    page.reload()
    page.wait_for_selector("#yaml")
    assert page.input_value("#yaml").endswith("- [")
    page.fill("#yaml", whole)
    page.wait_for_selector(field("name"))
    write(page, "headline", HOSTILE)
    assert page.locator("#studio img, #form img").count() == 0
    assert "owned" not in page.title()
    write(page, "headline", "Kept her morning free for nobody")

    page.click("[data-act=cast]")
    page.wait_for_selector("#panel .cast li:nth-child(4) h3", timeout=120_000)
    ends = [text.split()[0] for text in page.locator("#panel .cast > li > p > b").all_inner_texts()]
    assert ends[:3] == ["Lost", "Lost", "Lost"], "nobody gets through with scripts, fixes or defence"
    me.picture("studio-trainees")
    page.set_viewport_size(PHONE)
    me.fits()
    me.picture("studio-phone")
    page.set_viewport_size(LAPTOP)
    page.keyboard.press("Escape")
    page.wait_for_selector("#panel .cast", state="detached")

    page.click("[data-act=try]")
    page.fill("#panel [data-anger]", "4.5")
    page.check("#panel [data-told]:not(:disabled) >> nth=0")
    me.picture("studio-test-drive")
    page.click("[data-act=call]")
    page.wait_for_selector("#box textarea")
    me.reads("#head", "Test drive")
    assert me.anger() == 4.5
    me.reads("#goals", "2 told, not taken in")
    me.say("We apologise for any inconvenience this may have caused.")
    me.go("calls", "#calls .empty")

    me.go("studio", ".shelf")
    page.click("text=Go on")
    page.wait_for_selector("#yaml")
    page.click("[data-act=save]")
    me.reads("#notice", "saved and in the gallery")
    me.go("", ".own-mark")
    card = page.locator(".card", has=page.locator(".own-mark"))
    assert "Cynthia Rae" in card.inner_text()

    bad = tmp_path / "bad.yaml"
    bad.write_text("name: Nobody\nshouting: true\n")
    me.go("studio", "[data-upload]")
    page.set_input_files("[data-upload]", bad)
    page.wait_for_selector("#yaml")
    me.reads("#checks", "Shouting is not a field of a persona")

    me.go("drive/of-somebody-else", ".card")
    me.reads("#notice", "no such call among yours")
    assert page.locator('.card a[href*="drive-"]').count() == 0, "the trainees' gallery, and nobody's test drives"
    assert me.wrong == []
    hosts = {urlsplit(url).hostname for url in me.asked if not url.startswith(("data:", "blob:", "about:"))}
    assert hosts == {"127.0.0.1"}, "no request leaves the machine"


def test_two_trainers_meet_over_one_persona(browser: Browser, address: str) -> None:
    me, other = Visit(browser, address, color_scheme="dark"), Visit(browser, address)
    me.go("studio", ".shelf")
    me.page.click("[data-act=copy][data-which=late-shipment]")
    me.page.wait_for_selector("#yaml")
    me.page.click("[data-act=save]")
    me.reads("#notice", "saved and in the gallery")
    for visit, company in ((me, "Mine Ltd"), (other, "Theirs Ltd")):
        visit.go("studio/late-shipment-2", "#yaml")
        write(visit.page, "company", company)
    other.page.click("[data-act=save]")
    other.reads("#notice", "saved and in the gallery")
    me.page.click("[data-act=save]")
    me.page.wait_for_selector("#panel .versions")
    marked = me.page.locator("#panel mark").all_inner_texts()
    assert marked == ["company: Theirs Ltd", "company: Mine Ltd"]
    me.picture("studio-two-versions")
    me.page.click("[data-act=over]")
    me.reads("#notice", "saved and in the gallery")
    other.go("studio/late-shipment-2", "#yaml")
    assert "Mine Ltd" in other.page.input_value("#yaml")
    assert me.wrong == other.wrong == []
    for visit in (me, other):
        visit.context.close()
