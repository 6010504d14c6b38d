"""The pages' plumbing without weights: what each wish shows, what it escapes, and whose calls it reaches."""

import asyncio
import json
import os
import re
import subprocess
import sys
from base64 import b64decode
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulator.anger import Ending, Outcome
from simulator.customer import Customer
from simulator.engine import Engine
from simulator.evaluations import Evaluations
from simulator.judge import JudgeError, ScriptedJudge
from simulator.models.base import ModelError
from simulator.models.scripted import ScriptedModel
from simulator.moves import Judgement, Move
from simulator.persona import Persona
from simulator.rehearsal import CAST
from simulator.session import Call
from simulator.shelf import Customers, Shelf
from simulator.storage import StorageError, Store
from simulator.transcript import as_markdown
from simulator.ui import call as on_call
from simulator.ui import gallery, scorecard
from simulator.ui.app import PortError, guarded, take_port
from simulator.ui.curve import in_words, sparkline, stops
from simulator.ui.desk import Desk
from simulator.ui.door import Door
from simulator.ui.gallery import Choice
from simulator.ui.screen import CALL, CALLS, GALLERY, SCORECARD, Screen, known_owner
from simulator.ui.words import article, change_mark, change_words, changed, first_name, sentence, trade
from simulator.ui.workshop import open_workshop

M = Move
ME, OTHER = "a" * 64, "b" * 64
MET = Judgement(present=(M.SPECIFIC_EMPATHY,), acknowledged=("late-yarn",), evidence={M.SPECIFIC_EMPATHY: "ignored"})
CANNED = Judgement(present=(M.GENERIC_SYMPATHY,), evidence={M.GENERIC_SYMPATHY: "any inconvenience"})
EARLY = Judgement(present=(M.SOLUTION,), evidence={M.SOLUTION: "I will send a van"})
ASK = Judgement(present=(M.OPEN_QUESTION,), evidence={M.OPEN_QUESTION: "What happened?"})
DEFENDED = Judgement(present=(M.DEFENSIVE,), evidence={M.DEFENSIVE: "our system is right"})
HOSTILE = "<img src=x onerror=\"alert(1)\"> {{value}} ${1+1} </script> **bold** 'q'"


class Flaky:
    """A judge or model that fails as often as it is told to, then answers."""

    name, scores = "flaky", False

    def __init__(self, inner: Any, error: Exception, failures: int = 1) -> None:
        self._inner, self._error, self.failures = inner, error, failures

    def _try(self) -> None:
        if self.failures:
            self.failures -= 1
            raise self._error

    def judge(self, readings: Any) -> Any:
        self._try()
        return self._inner.judge(readings)

    def sample(self, prompt: Any, sampling: Any) -> Any:
        self._try()
        return self._inner.sample(prompt, sampling)

    def likelihoods(self, prompt: Any, texts: Any) -> Any:
        return self._inner.likelihoods(prompt, texts)


def model() -> ScriptedModel:
    return ScriptedModel(["Six women at machines with nothing on them, that is what."])


@pytest.fixture
def store(database: str) -> Store:
    return Store(database)


def desk_of(persona: Persona, store: Store, *judgements: Judgement, judge: Any = None, customer: Any = None) -> Desk:
    engine = Engine(Customer(customer or model()), judge or ScriptedJudge(judgements or (ASK,)))
    return Desk(engine, store, {persona.id: persona})


def last(screens: Any) -> Screen:
    """All that the screens of one wish show in the end."""
    shown: dict[str, Any] = {}
    for screen in screens:
        shown |= {name: value for name, value in asdict(screen).items() if value is not None}
    return Screen(**shown)


def say(desk: Desk, place: str, text: str = "Hello there.", owner: str = ME) -> Screen:
    return last(desk.say(owner, place, text, True))


def taken(desk: Desk, exam: bool = False) -> str:
    place = desk.take(ME, f"briefing/{next(iter(desk.personas))}", exam).place
    assert place is not None
    return place


@pytest.mark.parametrize(
    ("before", "after", "sign", "words"),
    [
        (7.0, 7.84, "▲ +", "up 0.8"),
        (7.0, 5.2, "▼ −", "down 1.8"),
        (7.0, 7.0, "=", "unchanged"),
        (7.04, 6.96, "=", "unchanged"),  # both are shown as 7.0; a change of 0.1 beside them would be a lie
    ],
)
def test_change_is_told_by_sign_number_and_word(before: float, after: float, sign: str, words: str) -> None:
    change = changed(before, after)
    assert sign in change_mark(change)
    assert change_words(change) == words
    assert words.split()[0] in change_mark(change)


@pytest.mark.parametrize(
    ("call", "given", "expected"),
    [
        (article, "aftercare adviser", "an aftercare adviser"),
        (article, "clerk", "a clerk"),
        (article, "utilities adviser", "a utilities adviser"),
        (article, "HR adviser", "an HR adviser"),
        (article, "a service adviser", "a service adviser"),
        (sentence, "it left them cold", "It left them cold."),
        (sentence, "So there!", "So there!"),
    ],
)
def test_words(call: Any, given: str, expected: str) -> None:
    assert call(given) == expected


def test_first_name_keeps_a_title(persona: Persona) -> None:
    assert first_name(persona) == "Rhona"
    for name in ("Dr. Munro", "Miss Kelly", "Sir Alan Pike", "The Hendersons"):
        assert first_name(persona.model_copy(update={"name": name})) == name


def test_first_visit_gets_a_secret_and_the_introduction(persona: Persona, store: Store) -> None:
    screen = desk_of(persona, store).arrive(None, "")
    assert known_owner(screen.owner)
    assert screen.page == GALLERY
    assert screen.welcome is not None
    assert "How it works" in screen.welcome
    assert screen.cards is not None
    assert "Not met yet" in screen.cards
    assert "Difficulty" in gallery.filters({persona.id: persona})


@pytest.mark.parametrize("owner", [None, "", "short", 7, "A" * 64, "a" * 64 + "\n", ["a" * 64]])
def test_what_is_no_secret_of_ours_owns_nothing(persona: Persona, store: Store, owner: object) -> None:
    desk = desk_of(persona, store)
    unnamed = Call.begin(persona, Customer(model()), ScriptedJudge((ASK,)), store=store, owner="")
    assert desk.arrive(owner, "").owner != owner
    assert desk.go(owner, f"{CALL}/{unnamed.transcript.id}").page == GALLERY
    assert "No calls yet" in str(desk.go(owner, CALLS).calls)
    assert "Reload the page" in str(desk.take(owner, f"briefing/{persona.id}", False).notice)


def test_two_owners_never_meet(persona: Persona, store: Store) -> None:
    desk = desk_of(persona, store, MET)
    place = taken(desk)
    say(desk, place, "You must feel ignored.")
    for screen in (
        desk.go(OTHER, place),
        desk.go(OTHER, place.replace(CALL, SCORECARD)),
        desk.go(OTHER, CALLS),
        desk.end(OTHER, place),
        desk.hint(OTHER, place),
        say(desk, place, "Mine now.", owner=OTHER),
        last(desk.ask_again(OTHER, place, True)),
    ):
        assert "ignored" not in str(screen)
    assert "no such call" in str(desk.go(OTHER, place).notice)
    assert "You must feel ignored." in str(desk.go(ME, place).talk)


def test_hostile_text_is_shown_as_text_on_every_page(persona: Persona, store: Store) -> None:
    point = persona.story[0].model_copy(update={"fact": HOSTILE, "says": (HOSTILE,), "feeling": HOSTILE})
    fields = ("name", "headline", "role", "company", "trainee_role", "briefing", "opening")
    hostile = persona.model_copy(
        update=dict.fromkeys(fields, HOSTILE) | {"story": (point, *persona.story[1:]), "tags": (HOSTILE,)}
    )
    quoted = Judgement(present=(M.GENERIC_SYMPATHY,), evidence={M.GENERIC_SYMPATHY: HOSTILE})
    desk = desk_of(hostile, store, quoted, customer=ScriptedModel([HOSTILE]))
    pages = [desk.go(ME, ""), desk.go(ME, f"briefing/{hostile.id}")]
    place = taken(desk)
    pages += [desk.go(ME, place), *desk.say(ME, place, HOSTILE, False), desk.hint(ME, place), desk.go(ME, "")]
    pages += [desk.end(ME, place), desk.go(ME, CALLS)]
    for screen in pages:
        for part in asdict(screen).values():
            assert "<img" not in str(part)
            assert "</script" not in str(part)
            assert 'onerror="' not in str(part)
    assert "&lt;img src=x" in str(pages[-2].scorecard)


def test_a_reply_is_heard_then_answered(persona: Persona, store: Store) -> None:
    desk = desk_of(persona, store, MET)
    place = taken(desk)
    first, heard, *spoken, final = desk.say(ME, place, "You must feel ignored.", False)
    assert first.box is None, "the words stay in the box until they are heard"
    assert first.busy
    assert "listening" in str(first.now)
    assert heard.box == ""
    assert "answering" in str(heard.now)
    assert "▼ −" in str(heard.gauge)
    assert len(spoken) > 3, "the line grows"
    assert final.busy is False
    assert final.now == ""
    assert str(final.talk).count("<li") == 3
    assert "Rhona" in str(final.aloud)
    assert "down" in str(final.aloud)
    still = list(desk.say(ME, place, "And again.", True))
    assert len(still) == 3, "nothing moves for who asked for no motion"


def test_gauge_and_curve_speak(persona: Persona, store: Store) -> None:
    desk = desk_of(persona, store, CANNED)
    place = taken(desk)
    screen = say(desk, place)
    assert 'role="meter"' in str(screen.gauge)
    assert re.search(r'aria-valuenow="7\.5".*angry; your last reply: up 0\.5', str(screen.gauge))
    assert "7.0 at the start" in str(screen.curve)
    assert 'role="img"' in str(screen.curve)


@pytest.mark.parametrize(
    ("anger", "words"),
    [
        ((7.0,), "Anger at the start: 7.0 of 10, angry."),
        ((7.0, 3.1), "Anger on a scale of 0 to 10: 7.0 at the start, and 3.1 of 10, wary, after the last reply."),
        (
            (7, 8, 9),
            "Anger on a scale of 0 to 10: 7.0 at the start, then 8.0, and 9.0 of 10, furious, after the last reply.",
        ),
    ],
)
def test_curve_in_words(anger: tuple[float, ...], words: str) -> None:
    assert in_words(anger) == words
    assert "polyline" in sparkline(anger, "x")


def test_goals_tick_and_count_without_telling_the_story(persona: Persona, store: Store) -> None:
    desk = desk_of(persona, store, MET)
    place = taken(desk)
    before = str(desk.go(ME, place).goals)
    assert "4 of 4 parts unheard · 1 told, not taken in" in before
    after = str(say(desk, place).goals)
    assert "3 of 4 parts unheard" in after
    assert re.search(r"Done: </span>Say what they think", after)
    for point in persona.story[1:]:
        assert point.fact not in after


def test_an_offer_made_too_early_is_kept_until_it_is_made_again(persona: Persona, store: Store) -> None:
    calm = persona.model_copy(
        update={"temperament": persona.temperament.model_copy(update={"hears_advice_at": 4, "patience": 6})}
    )
    met = [Judgement(present=(M.SPECIFIC_EMPATHY,), acknowledged=(p.id,)) for p in persona.story]
    desk = desk_of(calm, store, EARLY, *met, EARLY)
    place = taken(desk)
    assert "Offer it again later" in str(say(desk, place).coach)
    for _ in met:
        assert "I will send a van" in str(say(desk, place).coach)
    assert "Offer it again later" not in str(say(desk, place).coach)


def test_exam_holds_the_coach_back(persona: Persona, store: Store) -> None:
    desk = desk_of(persona, store, CANNED)
    place = taken(desk, exam=True)
    screen = say(desk, place)
    assert "script" not in str(screen.coach)
    assert screen.exam
    assert desk.hint(ME, place) == Screen()
    assert store.load(place.split("/")[1], ME).hints == 0
    assert "It sounded like a script." in str(desk.end(ME, place).scorecard)


def test_hints_are_counted_and_shown(persona: Persona, store: Store) -> None:
    desk = desk_of(persona, store, ASK)
    place = taken(desk)
    assert desk.hint(ME, place).hints == "Hint (1 used)"
    screen = desk.hint(ME, place)
    assert screen.hints == "Hint (2 used)"
    assert "They have told you" in str(screen.coach)
    assert "2 hints used" in str(desk.end(ME, place).scorecard)


def changes(screen: Screen) -> set[str]:
    """The parts of the page that a screen changes."""
    return {name for name, value in asdict(screen).items() if value is not None}


def test_a_hint_changes_nothing_but_the_coach(persona: Persona, store: Store) -> None:
    desk = desk_of(persona, store, MET)
    place = taken(desk)
    say(desk, place)
    assert changes(desk.hint(ME, place)) == {"coach", "hints", "aloud"}


def test_a_hint_asked_for_while_the_customer_answers_breaks_nothing_and_is_not_counted(
    persona: Persona, store: Store
) -> None:
    desk = desk_of(persona, store, MET, *[DEFENDED] * 5)
    place = taken(desk)
    for _ in range(4):  # the last one hangs up
        said = 0
        for screen in desk.say(ME, place, "You must feel ignored.", False):
            if screen.busy is False:
                break
            said += 'class="said"' in str(screen.now)
            refused = desk.hint(ME, place)
            assert changes(refused) == {"status", "aloud"}
            assert "once Rhona has answered" in str(refused.status)
            assert "still answering" in str(say(desk, place, "Hello?").status), "Enter works while Send is off"
        assert said > 3
        assert screen.now == ""
        assert store.load(place.split("/")[1], ME).hints == 0
    assert screen.over


def test_an_exchange_leaves_the_hint_and_its_count_as_they_are(persona: Persona, store: Store) -> None:
    desk = desk_of(persona, store, MET, ASK, customer=Flaky(model(), ModelError("out of memory")))
    place = taken(desk)
    saying = desk.say(ME, place, "You must feel ignored.", True)
    first = next(saying)
    store.count_hint(place.split("/")[1], ME)  # by a tab that asked just before
    assert all(screen.hints is None for screen in (first, *saying))
    hint = desk.hint(ME, place)
    assert hint.hints == "Hint (2 used)"
    answered = last(desk.ask_again(ME, place, True))
    assert str(answered.talk).count("<li") == 3
    assert not changes(answered) & {"coach", "hints"}
    assert "Hint</h3>" not in str(say(desk, place).coach), "it was for the reply that has been given"


def test_the_question_whether_to_end_the_call_waits_for_its_answer(persona: Persona, store: Store) -> None:
    desk = desk_of(persona, store, DEFENDED)
    place = taken(desk)
    assert all(screen.asking is None for screen in desk.say(ME, place, "Hello.", True))
    assert desk.go(ME, place).asking is False, "another call does not inherit it"
    say(desk, place)
    hung_up = say(desk, place)
    assert hung_up.over
    assert hung_up.asking is False


@pytest.mark.parametrize("hung_up", [False, True])
def test_a_call_ended_in_another_tab_is_shown_as_over(persona: Persona, store: Store, hung_up: bool) -> None:
    desk, other_tab = desk_of(persona, store, DEFENDED), desk_of(persona, store, DEFENDED)
    place = taken(desk)
    say(desk, place, "Our system is right.")
    if hung_up:
        say(other_tab, place), say(other_tab, place)
    else:
        other_tab.end(ME, place)
    for screens in (
        list(desk.say(ME, place, "Hello?", True)),
        list(desk.ask_again(ME, place, True)),
        [desk.hint(ME, place)],
    ):
        (shown,) = screens
        assert shown.over
        assert shown.asking is False
        assert shown.retry is False
        assert "Our system is right." in str(shown.talk)
        assert ("has said the last word" if hung_up else "You ended it elsewhere") in str(shown.status)
    assert store.load(place.split("/")[1], ME).hints == 0
    assert desk.end(ME, place).page == SCORECARD, "which is where the button leads"


def test_an_answer_that_another_tab_has_had_is_shown_once(persona: Persona, store: Store) -> None:
    desk = desk_of(persona, store, MET, customer=Flaky(model(), ModelError("out of memory")))
    place = taken(desk)
    assert say(desk, place).retry
    last(desk.ask_again(ME, place, True))
    (shown,) = desk.ask_again(ME, place, False)
    assert str(shown.talk).count("<li") == 3
    assert shown.retry is False
    assert shown.now == ""


def test_judge_fails_and_the_words_stay_in_the_box(persona: Persona, store: Store) -> None:
    desk = desk_of(persona, store, judge=Flaky(ScriptedJudge((MET,)), JudgeError("no <b>answer</b>")))
    place = taken(desk)
    screens = list(desk.say(ME, place, "You must feel ignored.", True))
    assert all(screen.box is None for screen in screens)
    assert screens[-1].busy is False
    assert "still in the box" in str(screens[-1].status)
    assert "&lt;b&gt;answer" in str(screens[-1].status)
    reopened = desk.go(ME, place)
    assert reopened.box == "You must feel ignored.", "also after a reload"
    assert "You must feel ignored." not in str(reopened.talk)
    assert "▼ −" in str(say(desk, place, "You must feel ignored.").gauge)


def test_model_fails_and_the_answer_can_be_asked_for_again(persona: Persona, store: Store) -> None:
    desk = desk_of(persona, store, MET, customer=Flaky(model(), ModelError("out of memory")))
    place = taken(desk)
    screen = say(desk, place, "You must feel ignored.")
    assert screen.retry
    assert screen.box == ""
    assert "kept and counted" in str(screen.status)
    assert desk.go(ME, place).retry, "also after a reload"
    answered = last(desk.ask_again(ME, place, True))
    assert answered.retry is False
    assert str(answered.talk).count("<li") == 3


def test_one_reply_of_a_call_at_a_time(persona: Persona, store: Store) -> None:
    desk = desk_of(persona, store, MET, ASK)
    place = taken(desk)
    first = desk.say(ME, place, "You must feel ignored.", True)
    next(first)
    second = list(desk.say(ME, place, "Hello?", True))
    assert "still answering" in str(second[-1].status)
    assert all(screen.box is None for screen in second)
    assert "still answering" in str(last(desk.ask_again(ME, place, True)).status)
    other = taken(desk)
    assert str(say(desk, other).talk).count("<li") == 3, "another call is not held up"
    assert str(last(first).talk).count("<li") == 3
    abandoned = desk.say(ME, place, "What happened?", True)
    next(abandoned)
    abandoned.close()
    assert "What happened?" in str(say(desk, place, "What happened?").talk), "who left in the middle can come back"


def test_a_call_may_be_ended_while_the_customer_is_answering(persona: Persona, store: Store) -> None:
    desk = desk_of(persona, store, MET, ASK)
    place = taken(desk)
    answering = desk.say(ME, place, "You must feel ignored.", True)
    next(answering)
    next(answering)
    ended = desk.end(ME, place)
    assert ended.page == SCORECARD
    left = last(answering)
    assert left.over, "another tab that still waits is told so"
    assert left.retry is False
    assert "You must feel ignored." in str(left.talk)
    assert str(desk.go(ME, str(ended.place)).scorecard) == str(ended.scorecard)


def test_model_error_while_judging_is_told_as_unread(persona: Persona, store: Store) -> None:
    desk = desk_of(persona, store, judge=Flaky(ScriptedJudge((MET,)), ModelError("gone")))
    assert "could not be read" in str(say(desk, taken(desk)).status)


@pytest.mark.parametrize(("text", "message"), [("x" * 20_000, "Keep it under 4,000"), ("   ", "Say something first")])
def test_a_reply_that_cannot_be_taken_stays_in_the_box(persona: Persona, store: Store, text: str, message: str) -> None:
    desk = desk_of(persona, store)
    screen = say(desk, taken(desk), text)
    assert message in str(screen.status)
    assert screen.box is None
    assert screen.busy is False


def test_storage_fails_and_nothing_is_claimed(persona: Persona, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = desk_of(persona, store, MET)
    place = taken(desk)

    def broken(*_: object) -> None:
        raise StorageError("The call could not be saved (disk full). What was stored before is safe.")

    with monkeypatch.context() as patch:
        patch.setattr(store, "put_turn", broken)
        screen = say(desk, place)
        assert "disk full" in str(screen.status)
        assert screen.box is None
        patch.setattr(store, "calls", broken)
        assert "disk full" in str(desk.go(ME, CALLS).notice)
        patch.setattr(store, "create", broken)
        assert "disk full" in str(desk.take(ME, f"briefing/{persona.id}", False).notice)
    assert "▼ −" in str(say(desk, place).gauge)


def test_the_call_ends_by_itself_and_leads_to_the_scorecard(persona: Persona, store: Store) -> None:
    desk = desk_of(persona, store, DEFENDED)
    place = taken(desk)
    screens = [say(desk, place) for _ in range(3)]
    assert screens[-1].over
    assert "The call is over" in str(screens[-1].status)
    assert store.scorecard(place.split("/")[1], ME) is not None
    page = desk.end(ME, place)
    assert page.page == SCORECARD
    assert "Rhona hung up, with 0 of 4 parts of the story heard." in str(page.scorecard)
    assert desk.go(ME, place).page == SCORECARD, "an old address of the call leads there too"
    assert "The call is over" in str(say(desk, place).status)


def test_scorecard_shows_what_was_never_heard_with_the_unsaid_last(persona: Persona, store: Store) -> None:
    desk = desk_of(persona, store, MET, CANNED)
    place = taken(desk)
    say(desk, place, "You must feel ignored.")
    say(desk, place, "Sorry for any inconvenience.")
    shown = str(desk.end(ME, place).scorecard)
    facts = [shown.index(sentence(point.fact).replace("'", "&#x27;")) for point in persona.story]
    assert facts == sorted(facts)
    assert "3 parts of 4 stayed unheard." in shown
    assert "Pass mark" in shown or "pass mark" in shown
    assert 'data-turn="3"' in shown
    assert 'id="said-3"' in shown
    assert "The moment that mattered most" in shown
    assert "Have I got that right?" in shown


def test_downloads_hold_the_call(persona: Persona, store: Store) -> None:
    desk = desk_of(persona, store, MET)
    place = taken(desk)
    say(desk, place, "Tick √ <b>")
    shown = str(desk.end(ME, place).scorecard)
    transcript = store.load(place.split("/")[1], ME)
    files = [b64decode(data).decode() for data in re.findall(r'href="data:[^,]*;base64,([^"]*)"', shown)]
    assert len(files) == 4
    assert files[0].startswith(as_markdown(transcript, f"{persona.name}, {persona.company}").rstrip())
    assert json.loads(files[1])["transcript"] == transcript.model_dump(mode="json")
    assert transcript.id in files[2]
    assert json.loads(files[3])["context"]["registration"] == transcript.id


@pytest.mark.parametrize(
    ("ending", "outcome", "words"),
    [
        (Ending.HUNG_UP, Outcome.LOST, "Rhona hung up"),
        (Ending.MANAGER, Outcome.LOST, "Rhona asked for your manager"),
        (Ending.CLOSED, Outcome.WON_OVER, "Rhona is won over"),
        (Ending.CLOSED, Outcome.RETAINED, "Rhona stays"),
        (None, Outcome.LOST, "You ended the call; Rhona left too angry"),
        (None, Outcome.PLACATED, "You ended the call; Rhona is calmer"),
    ],
)
def test_outcome_in_a_sentence(persona: Persona, ending: Ending | None, outcome: Outcome, words: str) -> None:
    call = Call.begin(persona, Customer(model()), ScriptedJudge((ASK,)))
    card = call.end().model_copy(update={"outcome": outcome})
    transcript = call.transcript.model_copy(update={"ending": ending})
    assert scorecard.outcome_sentence(persona, transcript, card).startswith(words)
    left = scorecard._farewell(persona, transcript.model_copy(update={"outcome": outcome}))
    assert (getattr(persona.endings, outcome.value) in left) == (ending is not None)


def test_my_calls_survive_a_restart(persona: Persona, store: Store, database: str) -> None:
    desk = desk_of(persona, store, MET)
    done, left = taken(desk), taken(desk)
    say(desk, done, "You must feel ignored.")
    desk.end(ME, done)
    say(desk, left, "Left halfway.")
    again = desk_of(persona, Store(database), MET)
    listed = str(again.go(ME, CALLS).calls)
    assert listed.index(left) < listed.index(done.replace(CALL, SCORECARD)), "newest first"
    assert "Not finished" in listed
    assert "data-local" in listed
    assert "Left halfway." in str(again.go(ME, left).talk)
    welcome = str(again.go(ME, "").welcome)
    assert left in welcome
    assert "How it works" not in welcome
    cards = str(again.go(ME, "").cards)
    assert "2 calls" in cards
    assert "Best score" in cards


def test_a_call_whose_customer_left_the_library_is_listed(persona: Persona, store: Store) -> None:
    place = taken(desk_of(persona, store))
    other = persona.model_copy(update={"id": "someone-else"})
    desk = desk_of(other, store)
    assert persona.name in str(desk.go(ME, CALLS).calls)
    assert desk.go(ME, place).page == CALL, "it keeps its own customer"


@pytest.mark.parametrize(
    "place", ["briefing/nobody", "call/1", "scorecard/../..", "briefing/<b>", "calls/x", "else", "#/"]
)
def test_odd_places_lead_somewhere_safe(persona: Persona, store: Store, place: str) -> None:
    screen = desk_of(persona, store).go(ME, place)
    assert screen.page in (GALLERY, CALLS)
    assert "<b>" not in str(screen)


def test_filter_and_surprise(persona: Persona, store: Store) -> None:
    easy = persona.model_copy(update={"difficulty": 1, "tags": ("telecom",)})
    hard = persona.model_copy(update={"id": "hard-one", "difficulty": 5, "tags": ("waste-trade",)})
    library = {one.id: one for one in (hard, easy)}
    assert gallery.chosen(library, Choice()) == [easy, hard]
    assert gallery.chosen(library, Choice(5)) == [hard]
    assert gallery.chosen(library, Choice(0, trade(easy))) == [easy]
    desk = Desk(Engine(Customer(model()), ScriptedJudge((ASK,))), store, library)
    assert "hard-one" in str(desk.choose(ME, "5", "").cards)
    assert "No customer fits" in str(desk.choose(ME, "5", "Telecom").cards)
    assert "2 customers" in str(desk.choose(ME, "nonsense", None).cards)
    desk.take(ME, f"briefing/{easy.id}", False)
    assert desk.surprise(ME, 0, "").place == "briefing/hard-one", "one not met yet comes first"
    assert desk.surprise(ME, 1, "").place == f"briefing/{easy.id}"


def test_curve_leaves_an_unjudged_reply_out(persona: Persona, store: Store) -> None:
    desk = desk_of(persona, store, judge=Flaky(ScriptedJudge((MET,)), JudgeError("no")))
    place = taken(desk)
    say(desk, place)
    assert len(stops(store.load(place.split("/")[1], ME))) == 1
    assert on_call.last_change(store.load(place.split("/")[1], ME)) is None


def test_every_screen_fits_the_outputs_and_no_handler_is_public(persona: Persona, store: Store, tmp_path: Path) -> None:
    from simulator.ui.evaluate import Evaluate
    from simulator.ui.pages import build, paint

    engine, customers = (
        Engine(Customer(model()), ScriptedJudge((ASK,))),
        Customers({persona.id: persona}, Shelf(tmp_path)),
    )
    workshop = open_workshop(tmp_path, customers, engine, CAST)
    evaluate = Evaluate(Evaluations(tmp_path))
    blocks = build(engine, store, customers, Door(None, local=True), workshop, evaluate)
    events = [event for event in blocks.fns.values() if event.fn is not None and event.outputs]
    assert events
    assert {event.api_visibility for event in blocks.fns.values()} == {"private"}
    assert {len(event.outputs) for event in events} == {len(paint(Screen())), len(paint(Screen())) + 1}


def test_pages_fetch_nothing_from_elsewhere() -> None:
    from simulator.ui.theme import POLICY, page_head, theme

    for text in (page_head(), theme()._get_theme_css(), *map(str, theme()._stylesheets)):
        assert not re.search(r"@import|url\(\s*['\"]?https?:|src=['\"]?https?:", text)
    assert "http" not in POLICY


def _luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it, of `#rrggbb`."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [":root", ".dark"])
@pytest.mark.parametrize(
    ("text", "ground", "least"),
    [
        *((text, ground, 4.5) for text in ("ink", "soft", "heat", "cool") for ground in ("ground", "sheet", "well")),
        *((text, "cool-wash", 4.5) for text in ("ink", "soft")),
        *((text, "heat-wash", 4.5) for text in ("ink", "soft")),
        ("on-ink", "ink", 4.5),
        *(("edge", ground, 3) for ground in ("ground", "sheet")),  # borders of what can be used
    ],
)
def test_colours_have_the_contrast_of_wcag_aa(scheme: str, text: str, ground: str, least: float) -> None:
    style = Path("simulator/ui/style.css").read_text(encoding="utf-8")
    block = style[style.index(f"{scheme} {{") :].split("}", 1)[0]
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))
    light, dark = sorted((_luminance(colours[text]), _luminance(colours[ground])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= least


def test_a_port_in_use_says_what_to_do(tmp_path: Path) -> None:
    door = take_port("127.0.0.1", 0)
    door.listen()
    port = door.getsockname()[1]
    with door:
        with pytest.raises(PortError, match=f"PORT={port + 1}"):
            take_port("127.0.0.1", port)
        command = [sys.executable, "app.py", "--port", str(port)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert f"Port {port}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("host", "port", "words"),
    [("127.0.0.1", 99_999, "no port 99999"), ("no.such.host.invalid", 0, "no address of this machine")],
)
def test_a_place_that_cannot_be_listened_on_says_why(host: str, port: int, words: str) -> None:
    with pytest.raises(PortError, match=words):
        take_port(host, port)


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/gradio_api/upload", {}, 404),
        ("/gradio_api/queue/join", {}, 200),
        ("/gradio_api/queue/join", {"content-length": "2000001"}, 413),
        ("/gradio_api/queue/join", {"content-length": "-1"}, 413),
        ("/gradio_api/queue/join", {"transfer-encoding": "chunked"}, 411),
    ],
)
def test_nobody_fills_the_disk(path: str, headers: dict[str, str], status: int) -> None:
    async def pages(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def posted() -> httpx.Response:
        transport = httpx.ASGITransport(guarded(pages, {"referrer-policy": "no-referrer"}))
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.send(client.build_request("POST", path, headers=headers))

    answer = asyncio.run(posted())
    assert answer.status_code == status
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("starts", [["app.py"], ["-m", "simulator.cli", "app"]])
def test_a_folder_that_cannot_be_made_says_what_to_do(tmp_path: Path, starts: list[str]) -> None:
    (tmp_path / "file").write_text("")
    more = {"DEFUSE_HOME": str(tmp_path / "file" / "in-it"), "PORT": "0"}
    command = [sys.executable, *starts]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, **more})
    assert done.returncode == 1
    assert "Point DEFUSE_HOME at a folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_importing_the_desk_loads_no_gradio_and_no_torch() -> None:
    code = "import sys, simulator.ui.desk, simulator.ui.app; print({'gradio', 'torch'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "set()"
