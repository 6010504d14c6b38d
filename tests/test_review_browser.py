"""Accounts and the review in a real browser, over the app as it is started: a trainee's call, read and overridden."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, expect

from simulator.accounts import Accounts, Role
from simulator.customer import Customer
from simulator.database import CallRow, ReadingRow
from simulator.judge import ScriptedJudge
from simulator.models.scripted import ScriptedModel
from simulator.moves import Judgement, Move
from simulator.persona import LIBRARY, load_personas
from simulator.reviews import Reviews
from simulator.session import Call
from simulator.storage import Store
from tests.browser import LAPTOP, PHONE, Visit, serving

M = Move
PASSWORD = "correct horse"
LONG = "Wilhelmina.Featherstonehaugh-Kovacs@example.org"
HOSTILE = "They <img src=x onerror=\"document.title='owned'\"> asked, twice."
PLAIN = "A cause that she had asked for, said in half a sentence."
SAID = (
    "I apologise for any inconvenience this may have caused.",
    "You stood at that window from ten to twelve and nobody came. You must feel forgotten.",
    "What did that do to the rest of your morning?",
    "That was not our fault, but I can send someone tomorrow.",
)
READ = (
    Judgement(present=(M.GENERIC_SYMPATHY,), evidence={M.GENERIC_SYMPATHY: "any inconvenience"}),
    Judgement(
        present=(M.SPECIFIC_EMPATHY, M.RESTATEMENT),
        acknowledged=("no-show",),
        evidence={M.SPECIFIC_EMPATHY: "You must feel forgotten", M.RESTATEMENT: "from ten to twelve"},
        probabilities={M.SPECIFIC_EMPATHY: 0.97, M.RESTATEMENT: 0.71},
    ),
    Judgement(present=(M.OPEN_QUESTION,), evidence={M.OPEN_QUESTION: "What did that do"}),
    Judgement(present=(M.DEFENSIVE, M.SOLUTION), evidence={M.DEFENSIVE: "not our fault", M.SOLUTION: "send someone"}),
)


def filled(database: str) -> dict[str, str]:
    """Three accounts and their calls; the ids of the calls, by name and persona."""
    store = Store(database)
    accounts = Accounts(store.database)
    personas = load_personas(LIBRARY)
    found: dict[str, str] = {}
    for name, role in (("Anna", Role.TRAINER), ("Béla", Role.TRAINEE), (LONG, Role.TRAINEE)):
        accounts.add(name, role, PASSWORD)
    for name, ids in (
        ("Béla", ("cable-no-show", "portal-down", "late-shipment")),
        (LONG, ("cable-no-show", "wrong-item")),
    ):
        account = accounts.find(name)
        assert account is not None
        for persona in ids:
            customer = Customer(ScriptedModel(["It cost me the whole morning, and nobody so much as rang."]))
            story = personas[persona].story
            read = [j.model_copy(update={"acknowledged": (story[0].id,)}) if j.acknowledged else j for j in READ]
            call = Call.begin(
                personas[persona], customer, ScriptedJudge(read), store=store, owner=account.owner, seed=1
            )
            for text in SAID:
                if not call.transcript.finished:
                    call.reply(text)
            if persona != "late-shipment":
                call.end()
            found[f"{name} {persona}"] = call.transcript.id
    reviews = Reviews(store.database)
    reviews.override(found["Béla portal-down"], "Anna", 7, "defensive", 0, "A cause that was asked for.")
    reviews.override(found[f"{LONG} wrong-item"], "Anna", 3, "restatement", 0, "An echo, the pronouns swapped.")
    read = (f"{LONG} wrong-item", f"{LONG} cable-no-show", "Béla portal-down")
    for weeks, call_id in enumerate((found[one] for one in read), start=1):
        reviews.mark_read(call_id, "Anna")
        with store.database.transaction() as session:
            row = session.get(ReadingRow, (call_id, "Anna"))
            assert row is not None
            row.at -= timedelta(weeks=weeks)
    return found


def logged_in(browser: Browser, address: str, name: str, place: str, wait_for: str, **settings: object) -> Visit:
    visit = Visit(browser, address, **settings)
    visit.go(place, "input[type=password]")
    visit.page.get_by_label("username").fill(name)
    visit.page.get_by_label("password").fill(PASSWORD)
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_selector(wait_for)
    return visit


def test_a_trainer_reads_a_call_and_differs_and_the_trainee_sees_both(browser: Browser, tmp_path: Path) -> None:
    database, log = f"sqlite:///{tmp_path / 'calls.db'}", tmp_path / "app.log"
    calls = filled(database)
    place = f"session/{calls['Béla cable-no-show']}"
    with serving(database, log, DEFUSE_AUTH="1") as address:
        stranger = Visit(browser, address)
        stranger.go(place, "input[type=password]")
        assert "forgotten" not in stranger.page.content()
        stranger.picture("review-login")
        stranger.page.get_by_label("username").fill("Anna")
        stranger.page.get_by_label("password").fill("a wrong one")
        stranger.page.keyboard.press("Enter")
        expect(stranger.page.get_by_text("Incorrect")).to_be_visible()

        anna = logged_in(browser, address, "Anna", "review", "#review .calls")
        page = anna.page
        anna.reads("header", "Anna, trainer")
        assert page.locator("#review .calls li").count() == 5
        anna.reads("#review .agreement", "5 of 6")
        anna.fits()
        anna.picture("review-calls")
        page.set_viewport_size(PHONE)
        anna.fits()
        page.set_viewport_size(LAPTOP)
        page.get_by_label("Trainee").select_option("Béla")
        page.get_by_label("Customer").select_option("cable-no-show")
        page.keyboard.press("Tab")
        page.get_by_role("button", name="Show").press("Enter")
        expect(page.locator("#review .calls li")).to_have_count(1)
        assert "persona=cable-no-show" in page.url
        anna.reads("#review", "unheard in 1 of 1 call")
        page.reload()
        expect(page.locator("#review .calls li")).to_have_count(1)
        assert page.get_by_label("Trainee").input_value() == "Béla"

        page.locator("#review .go a").click()
        page.wait_for_selector("#session h1")
        anna.reads("#session", "Defensive.*not our fault")
        page.locator("#said-7 summary").click()
        page.locator("#said-7 select").select_option("defensive:0")
        page.locator("#said-7 textarea").fill(PLAIN)
        page.locator("#said-7 button").press("Enter")
        anna.reads("#said-7 .opinion", "Trainer: not defensive")
        expect(page.locator("#said-7")).to_be_focused()
        anna.reads("#said-7 .moves", "Defensive")  # the evaluator's reading stays
        anna.reads("#scores", "With your moves")
        page.get_by_role("button", name="which follows from your moves").click()
        anna.reads("#scores", "Trainer: \\d+ of 100.*Follows from the moves as changed")
        page.locator("#scores summary").click()
        page.locator("#scores select").select_option("composure")
        page.get_by_role("spinbutton", name="Of 100").fill("90")
        page.locator("#scores textarea").fill(HOSTILE)
        page.locator("#scores details button").click()
        anna.reads("#scores", "Trainer: 90 of 100.*" + re.escape(HOSTILE))
        page.get_by_role("button", name="I have read this call").click()
        anna.reads("#read", "Read to the end by Anna")
        anna.fits()
        anna.picture("review-session")
        page.set_viewport_size(PHONE)
        anna.fits()
        anna.picture("review-session-phone")
        page.set_viewport_size(LAPTOP)
        with page.expect_download() as statement:
            page.get_by_role("link", name="xAPI").click()
        said = json.loads(Path(statement.value.path()).read_text(encoding="utf-8"))
        assert said["result"]["extensions"]["urn:defuse:xapi:override"]["competencies"] == {"composure": 0.9}
        page.get_by_role("link", name="All calls").click()
        expect(page.locator("#review .calls li")).to_have_count(1)  # back to the filter
        page.get_by_role("link", name="Review", exact=True).click()
        expect(page.locator("#review .calls li")).to_have_count(5)
        page.emulate_media(color_scheme="dark")
        page.wait_for_function("document.body.classList.contains('dark')")
        page.locator(".agreement").scroll_into_view_if_needed()
        anna.picture("review-summaries-dark")

        bela = logged_in(browser, address, "Béla", "calls", "#calls .calls li")
        bela.reads("header", "Béla, trainee")
        assert bela.page.get_by_role("link", name="Review").count() == 0
        assert bela.page.locator("#calls .calls li").count() == 3
        bela.reads("#calls", "Trainer: ")
        bela.go(f"scorecard/{calls['Béla cable-no-show']}", "#scorecard h1")
        bela.reads("#scorecard .competencies", "Trainer: 90 of 100.*" + re.escape(HOSTILE))
        bela.reads("#scorecard .overall", "of 100 with the moves as the trainer reads them")
        bela.reads("#said-7", "They heard a defence")
        bela.reads("#said-7 .opinion", "Trainer: not defensive.*" + re.escape(PLAIN))
        assert bela.page.title() != "owned"
        bela.picture("review-scorecard")
        for forbidden in ("review", place):
            bela.go(forbidden, "#notice .trouble")
            bela.reads("#notice", "for trainers")
            assert bela.page.locator("#page-review:visible, #page-session:visible").count() == 0
        assert LONG not in bela.page.content()
        # What the page does not offer, asked of the server directly, under the trainee's login.
        answers = bela.page.evaluate(_FORCED, place)
        assert "for trainers" in answers
        assert "Trainer: 1 of 100" not in answers

        for visit in (stranger, anna, bela):
            assert visit.wrong == []
        with bela.page.expect_navigation():
            bela.page.get_by_role("link", name="Log out").click()
        bela.page.wait_for_selector("input[type=password]")
    assert all(each.now != 1 for each in Reviews(Store(database).database).open(calls["Béla cable-no-show"]).overrides)
    assert "Traceback" not in log.read_text()


def test_what_was_touched_by_hand_does_not_outlast_what_it_was_for(browser: Browser, tmp_path: Path) -> None:
    database, log = f"sqlite:///{tmp_path / 'calls.db'}", tmp_path / "app.log"
    calls = filled(database)
    with Store(database).database.transaction() as session:
        row = session.get(CallRow, calls["Béla portal-down"])
        assert row is not None
        row.started = datetime(2026, 5, 2, 23, 30, tzinfo=UTC)  # 8:30 on the third in Tokyo
    with serving(database, log, DEFUSE_AUTH="1") as address:
        anna = logged_in(browser, address, "Anna", "", "#cards .card", timezone_id="Asia/Tokyo")
        page = anna.page
        cards, difficulty = page.locator("#cards .card"), page.get_by_label("Difficulty")
        every = cards.count()
        difficulty.select_option(index=1)
        expect(cards).not_to_have_count(every)
        page.get_by_role("link", name="Practise", exact=True).click()
        expect(cards).to_have_count(every)
        expect(difficulty).to_have_value("0")
        difficulty.select_option(index=1)
        expect(cards).not_to_have_count(every)
        cards.first.get_by_role("link").click()
        page.wait_for_selector("#take")
        page.go_back()
        expect(cards).to_have_count(every)
        expect(difficulty).to_have_value("0")

        page.get_by_role("link", name="Review", exact=True).click()
        rows, trainee = page.locator("#review .calls li"), page.get_by_label("Trainee")
        since, until = page.locator("#review [name=since]"), page.locator("#review [name=until]")
        show = page.get_by_role("button", name="Show")
        expect(rows).to_have_count(5)
        trainee.select_option("Béla")
        show.click()
        expect(rows).to_have_count(3)
        expect(trainee).to_have_value("Béla")
        page.get_by_role("link", name="Review", exact=True).click()
        expect(rows).to_have_count(5)
        expect(trainee).to_have_value("")
        since.fill("2026-05-03")
        until.fill("2026-05-03")
        show.click()
        expect(rows).to_have_count(1)
        anna.reads("#review .calls", "May 3, 2026")
        trainee.select_option(LONG)
        show.click()
        anna.reads("#review", "No call fits")
        page.get_by_role("link", name="Show all calls").click()
        expect(rows).to_have_count(5)
        for field in (trainee, since, until):
            expect(field).to_have_value("")

        page.goto(f"{address}#/session/{calls['Béla cable-no-show']}")
        page.wait_for_selector("#session h1")
        move, why = page.locator("#said-7 select"), page.locator("#said-7 textarea")
        for value, told in (("defensive:0", "not defensive"), ("ownership:1", "ownership"), ("blame:1", "blame")):
            if not move.is_visible():
                page.locator("#said-7 summary").click()
            move.select_option(value)
            why.fill(f"For {told}.")
            page.locator("#said-7 form button").click()
            anna.reads("#said-7", f"Trainer: .*{told}.*For {told}")
            expect(why).to_have_value("")
            expect(move).to_have_value("")
        for subject, score in (("composure", "90"), ("overall", "70"), ("composure", "80")):
            if not page.locator("#scores select").is_visible():
                page.locator("#scores summary").click()
            page.locator("#scores select").select_option(subject)
            page.locator("#scores [type=number]").fill(score)
            page.locator("#scores textarea").fill(f"Worth {score}.")
            page.locator("#scores details button").click()
            anna.reads("#scores table", f"Worth {score}")
            expect(page.locator("#scores [type=number]")).to_have_value("")
            expect(page.locator("#scores textarea")).to_have_value("")
        # What is half written about one call does not stand beside another.
        page.locator("#scores summary").click()
        page.locator("#scores textarea").fill("Half a thought about Béla")
        page.evaluate("id => { location.hash = `#/session/${id}`; }", calls[f"{LONG} wrong-item"])
        anna.reads("#session h1", re.escape(LONG))
        expect(page.locator("#scores textarea")).to_have_value("")
        page.go_back()
        anna.reads("#session h1", "Béla")
        page.locator("#said-3 summary").click()
        page.locator("#said-3 select").select_option("generic_sympathy:1")
        page.locator("#said-3 textarea").fill(PLAIN)
        page.locator("#said-3 form button").click()
        anna.reads("#notice", "never both")
        expect(page.locator("#said-3 textarea")).to_have_value(PLAIN)  # what could not be saved is not lost
        expect(page.locator("#said-3 select")).to_have_value("generic_sympathy:1")
        assert anna.wrong == []
    assert "Traceback" not in log.read_text()


# The event of the review page, with a form that overrides the overall score; the answer as text.
_FORCED = """async (place) => {
  const config = await (await fetch('config')).json();
  const form = {subject: 'overall', now: '1', reason: 'forced'};
  const session_hash = 'forced' + Math.random();
  const mark = config.dependencies.filter((each) => each.targets.some(([, name]) => name === 'mark'));
  if (mark.length !== 1) throw new Error('the event is not there');
  await fetch('gradio_api/queue/join', {method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify({
    fn_index: mark[0].id, data: [null, place], event_data: {kind: 'score', form}, session_hash})});
  const stream = (await fetch('gradio_api/queue/data?session_hash=' + session_hash)).body.getReader();
  let text = '';
  while (!text.includes('process_completed')) {
    const {value, done} = await stream.read();
    if (done) break;
    text += new TextDecoder().decode(value);
  }
  return text;
}"""
