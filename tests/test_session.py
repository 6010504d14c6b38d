"""A call from opening to scorecard, its storage on SQLite and PostgreSQL, and what survives a killed process."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text as sql

from simulator.anger import Outcome
from simulator.customer import Customer
from simulator.judge import JudgeError, ScriptedJudge
from simulator.models.base import ModelError
from simulator.models.scripted import ScriptedModel
from simulator.moves import Judgement, Move
from simulator.session import Call, ReplyError, replay
from simulator.storage import StorageError, Store
from simulator.transcript import Transcript, as_markdown

M = Move
ASK = Judgement(present=(M.OPEN_QUESTION,))
CANNED = Judgement(present=(M.GENERIC_SYMPATHY,), evidence={M.GENERIC_SYMPATHY: "so sorry"})
MET = Judgement(present=(M.SPECIFIC_EMPATHY,), acknowledged=("late-yarn",))
DEFENDED = Judgement(present=(M.DEFENSIVE,))


def begin(persona, *judgements: Judgement, **more) -> Call:
    customer = Customer(ScriptedModel(["Six women at machines with nothing on them, that is what."]))
    return Call.begin(persona, customer, ScriptedJudge(judgements), seed=1, **more)


@pytest.fixture
def store(any_database: str) -> Store:
    return Store(any_database)


def test_a_call_from_opening_to_scorecard(persona, store: Store) -> None:
    call = begin(persona, ASK, CANNED, store=store, owner="me")
    assert call.transcript.turns[0].text == persona.opening
    reaction, turn = call.reply("What does that do to your week?")
    assert (reaction.change, turn.role) == (0, "customer")
    assert turn.directive is not None
    assert turn.directive.point == "idle-knitters"
    assert call.reply("I am so sorry for the inconvenience.")[0].change == 0.5
    card = call.end()
    assert call.transcript.outcome is Outcome.LOST
    assert store.load(call.transcript.id, "me") == call.transcript
    assert store.scorecard(call.transcript.id, "me") == card
    (summary,) = [row for row in store.calls("me") if row.id == call.transcript.id]
    assert summary.anger == (7, 7, 7, 7.5, 7.5)
    with pytest.raises(ReplyError, match="ended"):
        call.hear("Hello?")
    store.delete(call.transcript.id, "me")
    with pytest.raises(StorageError, match="no such call"):
        store.load(call.transcript.id, "me")


def test_two_people_never_meet(persona, store: Store) -> None:
    call = begin(persona, ASK, store=store, owner="one")
    assert call.transcript.id not in {row.id for row in store.calls("two")}
    for forbidden in (store.load, store.scorecard, store.delete):
        with pytest.raises(StorageError, match="no such call"):
            forbidden(call.transcript.id, "two")
    with pytest.raises(StorageError):
        store.put_turn(call.transcript.id, "two", 1, call.transcript.turns[0])


def test_a_drawn_seed_fits_every_database(persona) -> None:
    customer, judge = Customer(ScriptedModel(["No."])), ScriptedJudge([ASK])
    assert all(0 <= Call.begin(persona, customer, judge).transcript.seed < 2**31 for _ in range(20))


def test_the_same_call_can_be_replayed(persona) -> None:
    calls = [begin(persona, ASK, MET, CANNED) for _ in range(2)]
    for call in calls:
        for text in ("a?", "b", "c"):
            call.reply(text)
    assert [t.model_dump(exclude={"id"}) for t in calls[0].transcript.turns] == [
        t.model_dump(exclude={"id"}) for t in calls[1].transcript.turns
    ]
    assert replay(persona, calls[0].transcript) == calls[0].state


def test_resume_takes_up_where_it_was_left(persona, database: str) -> None:
    call = begin(persona, ASK, MET, store=Store(database), owner="me")
    call.reply("What happened?")
    call.hear("You waited a week and nobody rang.")  # the process ends before the customer answers
    again = Call.resume(
        lambda _: persona, call._customer, call._judge, store=Store(database), owner="me", call_id=call.transcript.id
    )
    assert again.transcript == call.transcript
    assert again.state == call.state
    assert again.waiting
    assert again.answer().role == "customer"
    assert not again.waiting


def test_a_call_that_ended_unnoticed_is_finished_when_it_is_opened(persona, database: str) -> None:
    """The process was killed after the last line was stored and before the outcome was."""
    store = Store(database)
    call = begin(persona, DEFENDED, store=store, owner="me")
    for _ in range(3):
        call.reply("It was not our fault.")
    assert call.transcript.outcome is Outcome.LOST
    with store.database.engine.begin() as connection:
        connection.execute(sql("UPDATE calls SET ending = NULL, outcome = NULL, ended = NULL"))
    again = Call.resume(
        lambda _: persona, call._customer, call._judge, store=store, owner="me", call_id=call.transcript.id
    )
    assert again.transcript.outcome is Outcome.LOST
    assert store.load(call.transcript.id, "me").outcome is Outcome.LOST


def test_a_call_that_has_ended_takes_nothing_more(persona, store: Store) -> None:
    """The trainee ends the call in one tab while the customer is still answering in another."""
    answering = begin(persona, ASK, store=store, owner="me")
    answering.hear("What happened?")
    ending = Call.resume(
        lambda _: persona,
        answering._customer,
        answering._judge,
        store=store,
        owner="me",
        call_id=answering.transcript.id,
    )
    card = ending.end()
    with pytest.raises(StorageError, match="has ended"):
        answering.answer()
    stored = store.load(ending.transcript.id, "me")
    assert stored == ending.transcript
    store.update(stored.model_copy(update={"outcome": Outcome.WON_OVER}), "me")
    assert store.load(ending.transcript.id, "me").outcome is card.outcome, "the first to end it stands"


def test_a_hint_asked_for_meanwhile_is_counted(persona, store: Store) -> None:
    call = begin(persona, ASK, store=store, owner="me")
    other = Call.resume(
        lambda _: persona, call._customer, call._judge, store=store, owner="me", call_id=call.transcript.id
    )
    other.hint_used()
    call.hint_used()
    call.end()
    assert call.transcript.hints == 2
    assert store.load(call.transcript.id, "me").hints == 2


def test_a_call_keeps_the_customer_that_it_began_with(persona, store: Store) -> None:
    call = begin(persona, ASK, DEFENDED, store=store, owner="me")
    call.reply("What happened?")
    short = persona.model_copy(update={"temperament": persona.temperament.model_copy(update={"patience": 1})})
    again = Call.resume(
        lambda _: short, call._customer, call._judge, store=store, owner="me", call_id=call.transcript.id
    )
    assert again.persona == persona
    assert not again.transcript.finished
    assert store.persona(call.transcript.id, "me") == persona
    assert store.reviewed(call.transcript.id, "me").persona == persona


@pytest.mark.parametrize(("text", "message"), [("", "empty"), (" \n\t ", "empty"), ("x" * 20_000, "20,000 characters")])
def test_a_reply_that_cannot_be_taken_changes_nothing(persona, text: str, message: str) -> None:
    call = begin(persona, ASK)
    before = call.transcript
    with pytest.raises(ReplyError, match=message):
        call.hear(text)
    assert call.transcript == before


class _Failing:
    name = "failing"

    def judge(self, readings):
        raise JudgeError("out of order")

    def sample(self, prompt, sampling):
        raise ModelError("out of memory")


def test_what_was_said_survives_a_failing_judge(persona, database: str) -> None:
    store = Store(database)
    call = Call.begin(persona, Customer(_Failing()), _Failing(), store=store, owner="me", seed=1)
    with pytest.raises(JudgeError):
        call.hear("You waited a week.")
    stored = store.load(call.transcript.id, "me")
    assert stored.turns[-1].text == "You waited a week."
    assert stored.anger[-1] == 7
    call._judge = ScriptedJudge([ASK])
    call.hear("You waited a week.")
    with pytest.raises(ModelError):
        call.answer()
    assert call.waiting
    assert len(store.load(call.transcript.id, "me").turns) == 2


_KILLED = """
import os, signal, sys
from tests.test_session import *
from tests.conftest import LATE_PALLET
from simulator.persona import parse_persona
call = begin(parse_persona(LATE_PALLET), ASK, MET, store=Store(sys.argv[1]), owner="me")
call.reply("What happened?")
call.hear("You waited a week and nobody rang.")
print(call.transcript.id, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_loses_nothing_said(persona, database: str) -> None:
    done = subprocess.run([sys.executable, "-c", _KILLED, database], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    stored = Store(database).load(done.stdout.strip(), "me")
    assert [turn.text for turn in stored.turns][1::2] == ["What happened?", "You waited a week and nobody rang."]
    assert stored.turns[-1].judgement == MET


def test_a_full_disk_is_said_clearly_and_keeps_the_call(persona, tmp_path: Path) -> None:
    """A database that may not grow, as on a full disk: SQLite reports it in the same way."""
    from sqlalchemy import event

    store = Store(f"sqlite:///{tmp_path / 'calls.db'}")
    call = begin(persona, ASK, store=store, owner="me")
    with store.database.engine.connect() as connection:
        pages = connection.execute(sql("PRAGMA page_count")).scalar()

    def full(connection, _record) -> None:
        connection.execute(f"PRAGMA max_page_count={pages}")

    event.listen(store.database.engine, "connect", full)
    store.database.engine.dispose()
    with pytest.raises(StorageError, match=r"full.*free some space"):
        call.hear("word " * 700)
    assert len(store.load(call.transcript.id, "me").turns) == 1


def test_a_database_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be opened"):
        Store(f"sqlite:///{tmp_path}/no/such/folder/calls.db")
    with pytest.raises(StorageError) as error:
        Store("postgresql+psycopg://user:secret@127.0.0.1:1/none")
    assert "secret" not in str(error.value)


def test_downloads(persona) -> None:
    call = begin(persona, DEFENDED)
    call.reply("<b>We</b> *did* nothing wrong <script>alert(1)</script>")
    call.end()
    text = as_markdown(call.transcript, persona.headline)
    assert "<script>" not in text
    assert "\\*did\\*" in text
    assert Transcript.model_validate_json(call.transcript.model_dump_json()) == call.transcript


def test_grading_the_same_transcript_twice(persona) -> None:
    call = begin(persona, ASK, MET, CANNED)
    for text in ("a?", "You waited", "so sorry"):
        call.reply(text)
    card = call.end()
    assert call.end() == card
    assert [mark.quote for mark in card.evidence if not mark.earned] == ["so sorry"]
    assert card.unheard == ("idle-knitters", "picked-borderway", "last-order")
    assert card.moment is not None
    assert "we" not in card.moment.line.split()


def test_a_call_without_a_reply_earns_nothing(persona) -> None:
    card = begin(persona, ASK).end()
    assert (card.overall, card.outcome) == (0, Outcome.LOST)
