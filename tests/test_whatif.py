"""A call taken again from one of its replies: what is copied, what is kept, and what stands side by side."""

import re

import pytest

from simulator.anger import Outcome
from simulator.customer import Customer
from simulator.judge import ScriptedJudge
from simulator.models.scripted import ScriptedModel
from simulator.moves import Judgement, Move
from simulator.persona import Persona
from simulator.session import Call, ReplyError
from simulator.storage import StorageError, Store
from simulator.ui import scorecard, whatif
from simulator.ui.screen import CALL, COUNTED, SCORECARD, WHATIF
from tests.test_ui import CANNED, DEFENDED, HOSTILE, ME, MET, OTHER, desk_of, last, say, taken

ASK = Judgement(present=(Move.OPEN_QUESTION,), evidence={Move.OPEN_QUESTION: "What"})


@pytest.fixture
def store(any_database: str) -> Store:
    return Store(any_database)


def begin(persona: Persona, store: Store, *judgements: Judgement) -> Call:
    customer = Customer(ScriptedModel(["Six women at machines with nothing on them, that is what."]))
    return Call.begin(persona, customer, ScriptedJudge(judgements), store=store, owner="me", seed=3, exam=True)


def branch(call: Call, store: Store, at: int, owner: str = "me") -> Call:
    more = {"store": store, "owner": owner, "call_id": call.transcript.id, "at": at}
    return Call.branch(call.persona, call._customer, call._judge, **more)


def test_a_branch_has_the_turns_before_and_leaves_the_call_as_it_was(persona: Persona, store: Store) -> None:
    call = begin(persona, store, ASK, MET, CANNED)
    for text in ("What happened?", "You waited a week.", "So sorry."):
        call.reply(text)
    call.end()
    kept = store.load(call.transcript.id, "me"), store.scorecard(call.transcript.id, "me")
    again = branch(call, store, 3)
    assert again.transcript.turns == call.transcript.turns[:3]
    assert again.state.anger == call.transcript.turns[2].anger
    assert (again.transcript.seed, again.transcript.exam, again.transcript.hints) == (3, False, 0)
    again._judge = ScriptedJudge([CANNED])
    again.reply("So sorry for the inconvenience.")
    again.end()
    stored = store.load(again.transcript.id, "me")
    assert stored == again.transcript
    assert (stored.branched_from, stored.branched_at) == (call.transcript.id, 3)
    assert (store.load(call.transcript.id, "me"), store.scorecard(call.transcript.id, "me")) == kept
    listed = {row.id: row.branched_at for row in store.calls("me")}
    assert listed == {call.transcript.id: None, again.transcript.id: 3}


def test_the_same_words_get_the_same_course(persona: Persona, store: Store) -> None:
    call = begin(persona, store, ASK, MET)
    for text in ("What happened?", "You waited a week."):
        call.reply(text)
    call.end()
    again = branch(call, store, 3)
    again._judge = ScriptedJudge([MET])
    again.reply("You waited a week.")
    again.end()
    assert again.transcript.turns == call.transcript.turns


@pytest.mark.parametrize("at", [-1, 0, 2, 5, 99])
def test_only_a_reply_of_a_finished_call_can_be_taken_again(persona: Persona, store: Store, at: int) -> None:
    call = begin(persona, store, ASK)
    call.reply("What happened?")
    call.reply("And then?")
    with pytest.raises(ReplyError, match="over"):
        branch(call, store, 1)
    call.end()
    with pytest.raises(ReplyError, match="your own replies"):
        branch(call, store, at)
    with pytest.raises(StorageError, match="no such call"):
        branch(call, store, 1, owner="other")
    assert len(store.calls("me")) == 1


def test_from_the_scorecard_to_both_courses_side_by_side(persona: Persona, store: Store) -> None:
    desk = desk_of(persona, store, CANNED, DEFENDED, MET)
    first = taken(desk)
    say(desk, first, "So sorry for any inconvenience.")
    say(desk, first, "But our system is right.")
    card = str(desk.end(ME, first).scorecard)
    assert re.findall(r'data-again="(\d+)"', card).count("3") >= 1
    assert card.count("Take it again from here") == 3, "at each reply, and at the moment that mattered most"
    opened = desk.again(ME, first.replace(CALL, SCORECARD), "3")
    assert opened.page == CALL
    assert "Again from reply 2" in str(opened.head)
    assert "But our system is right." not in str(opened.talk)
    assert opened.place is not None
    assert "Not finished" in str(desk.go(ME, first.replace(CALL, SCORECARD)).scorecard)
    say(desk, opened.place, "You must feel ignored.")
    page = desk.end(ME, opened.place)
    assert page.page == WHATIF
    shown = str(page.whatif)
    assert "points more" in shown
    assert "So sorry for any inconvenience." not in shown, "what both have in common is not told twice"
    assert shown.index("But our system is right.") < shown.index("You must feel ignored.")
    assert shown.count("<polyline") == 2
    assert "First: Anger on a scale" in shown
    assert f"#/scorecard/{first.split('/')[1]}" in shown
    assert f"#/scorecard/{opened.place.split('/')[1]}" in shown
    listed = str(desk.go(ME, "calls").calls)
    assert "Again from reply 2" in listed
    assert f"#/{page.place}" in listed
    assert f"#/{page.place}" in str(desk.go(ME, first.replace(CALL, SCORECARD)).scorecard)
    own = str(desk.go(ME, str(page.place).replace(WHATIF, SCORECARD)).scorecard)
    assert f"#/{page.place}" in own
    assert "1 call" in str(desk.go(ME, "").cards), "a second try from the middle is no new attempt"
    third = desk.again(ME, str(page.place), 3)
    assert store.load(str(third.place).split("/")[1], ME).branched_from == first.split("/")[1]


@pytest.mark.parametrize("turn", [None, "x", "", "2", "-1", "3.5", [3], "9" * 30, "²"])
def test_an_odd_turn_starts_nothing(persona: Persona, store: Store, turn: object) -> None:
    desk = desk_of(persona, store, CANNED)
    place = taken(desk)
    say(desk, place)
    desk.end(ME, place)
    assert "your own replies" in str(desk.again(ME, place.replace(CALL, SCORECARD), turn).notice)
    assert len(store.calls(ME)) == 1


def test_nobody_takes_another_ones_call_again(persona: Persona, store: Store) -> None:
    desk = desk_of(persona, store, CANNED, MET)
    place = taken(desk)
    say(desk, place, "Mine alone.")
    desk.end(ME, place)
    again = str(desk.again(ME, place.replace(CALL, SCORECARD), 1).place)
    say(desk, again, "Mine again.")
    desk.end(ME, again)
    for screen in (
        desk.again(OTHER, place.replace(CALL, SCORECARD), 1),
        desk.again(None, place.replace(CALL, SCORECARD), 1),
        desk.again(OTHER, again.replace(CALL, WHATIF), 1),
        desk.go(OTHER, again.replace(CALL, WHATIF)),
    ):
        assert screen.page != CALL
        assert "Mine" not in str(screen)
    assert store.calls(OTHER) == []


def test_a_branch_whose_first_course_is_gone_has_its_scorecard(persona: Persona, store: Store) -> None:
    desk = desk_of(persona, store, CANNED, MET)
    place = taken(desk)
    say(desk, place)
    desk.end(ME, place)
    again = str(desk.again(ME, place.replace(CALL, SCORECARD), 1).place)
    say(desk, again)
    store.delete(place.split("/")[1], ME)
    assert desk.end(ME, again).page == SCORECARD
    assert desk.go(ME, again.replace(CALL, WHATIF)).page == SCORECARD


@pytest.mark.parametrize("listed", [True, False])
def test_a_customer_who_left_the_library_is_not_offered_again(persona: Persona, store: Store, listed: bool) -> None:
    call = begin(persona, store, CANNED)
    call.reply("So sorry.")
    course = whatif.Course(call.transcript, call.end())
    again = branch(call, store, 1)
    other = whatif.Course(again.transcript, again.end())
    card = scorecard.scorecard(persona, store.reviewed(call.transcript.id, "me"), "Béla", listed=listed)
    both = whatif.comparison(persona, course, other, COUNTED, listed=listed)
    assert ("Again with Rhona" in card, "From the start with Rhona" in both) == (listed, listed)
    assert ("#/briefing/" in card, "#/briefing/" in both) == (listed, listed)
    assert "Another customer" in card
    assert 'data-again="1"' in both


def test_a_branch_that_ends_at_once_and_hostile_text(persona: Persona, store: Store) -> None:
    quoted = Judgement(present=(Move.DEFENSIVE,), evidence={Move.DEFENSIVE: HOSTILE})
    desk = desk_of(persona, store, quoted, customer=ScriptedModel([HOSTILE]))
    place = taken(desk)
    while not last(desk.say(ME, place, HOSTILE, True)).over:
        pass
    assert store.load(place.split("/")[1], ME).outcome is Outcome.LOST
    again = str(desk.again(ME, place.replace(CALL, SCORECARD), 3).place)
    shown = str(desk.end(ME, again).whatif)
    assert "without another reply" in shown
    assert "&lt;img src=x" in shown
    assert "<img" not in shown
