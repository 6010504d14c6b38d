"""A trainer's word beside the evaluator's: what stands, agreement, what is missed, and the store behind the review."""

from datetime import UTC, date, datetime, timedelta

import pytest

from simulator.anger import Outcome
from simulator.customer import Customer
from simulator.database import CallRow
from simulator.judge import ScriptedJudge
from simulator.models.scripted import ScriptedModel
from simulator.moves import Judgement, Move
from simulator.review import Override, Reading, ReviewedCall, agreement, most_missed, second_opinion, trainers_moves
from simulator.reviews import LONGEST_REASON, Choice, OverrideError, Reviews
from simulator.session import Call
from simulator.storage import StorageError, Store, hashed
from simulator.ui import review

M = Move
MET = Judgement(present=(M.SPECIFIC_EMPATHY,), acknowledged=("late-yarn",))
SCRIPT = Judgement(present=(M.GENERIC_SYMPATHY, M.DEFENSIVE))


@pytest.fixture
def store(any_database: str) -> Store:
    return Store(any_database)


def played(persona, store: Store, owner: str = "me", *judgements: Judgement, end: bool = True) -> Call:
    customer = Customer(ScriptedModel(["Six women at machines with nothing on them, that is what."]))
    given = judgements or (MET, SCRIPT)
    call = Call.begin(persona, customer, ScriptedJudge(given), store=store, owner=owner, seed=1)
    for number, _ in enumerate(given):
        call.reply(f"Reply {number}.")
    if end:
        call.end()
    return call


def override(subject: str, was: float, now: float, turn: int | None = None, day: int = 1) -> Override:
    at = datetime(2026, 11, day, tzinfo=UTC)
    return Override(turn=turn, subject=subject, was=was, now=now, reason="because", by="Anna", at=at)


def test_the_latest_override_stands_and_going_back_ends_it(persona, database: str) -> None:
    store = Store(database)
    card = played(persona, store).end()
    score = card.competencies["composure"].score
    first, second = override("composure", score, 10), override("composure", score, 90)
    assert second_opinion(card, [first, second]).competencies == {"composure": 90}
    assert second_opinion(card, [first, second]).overall == round(card.overall + (90 - score) * 15 / 100, 1)
    assert second_opinion(card, [first, override("composure", score, score)]).overall is None
    assert second_opinion(card, [first, override("overall", card.overall, 77)]).overall == 77


def test_moves_stand_as_the_trainer_says() -> None:
    changed = [override("defensive", 1, 0, 3), override("ownership", 0, 1, 3), override("blame", 0, 1, 5)]
    assert trainers_moves(3, SCRIPT, changed) == (M.GENERIC_SYMPATHY, M.OWNERSHIP)
    assert trainers_moves(1, SCRIPT, changed) == SCRIPT.present


def test_an_override_is_kept_beside_the_judgement(persona, store: Store) -> None:
    call = played(persona, store)
    call_id, reviews = call.transcript.id, Reviews(store.database)
    kept = reviews.override(call_id, "Anna", 3, "defensive", 0, "  It explains,\n on request. ")
    reviews.override(call_id, "Anna", None, "overall", 64, "A good call.")
    assert (kept.turn, kept.subject, kept.was, kept.now, kept.by) == (3, "defensive", 1, 0, "Anna")
    assert kept.reason == "It explains, on request."
    opened = reviews.open(call_id)
    assert opened.transcript == call.transcript, "the evaluator's judgement is what it was"
    assert opened.scorecard == store.scorecard(call_id, "me")
    assert [each.subject for each in opened.overrides] == ["defensive", "overall"]
    assert store.reviewed(call_id, "me") == opened
    assert store.calls("me")[0].trainer == 64
    with pytest.raises(StorageError, match="no such call"):
        store.reviewed(call_id, "someone else")
    store.delete(call_id, "me")
    with pytest.raises(StorageError):
        reviews.open(call_id)


@pytest.mark.parametrize(
    ("turn", "subject", "now", "reason", "message"),
    [
        (3, "defensive", 0, " \n", "Say why"),
        (3, "defensive", 0, "x" * (LONGEST_REASON + 1), "under 500"),
        (3, "defensive", 1, "because", "read already"),
        (3, "ownership", 0, "because", "read already"),
        (3, "specific_empathy", 1, "because", "never both"),
        (3, "nonsense", 1, "because", "no such reply or move"),
        (3, "blame", 0.5, "because", "no such reply or move"),
        (2, "blame", 1, "because", "no such reply or move"),  # the customer's own line
        (99, "blame", 1, "because", "no such reply or move"),
        (None, "defensive", 1, "because", "0 to 100"),
        (None, "overall", 101, "because", "0 to 100"),
        (None, "overall", float("nan"), "because", "0 to 100"),
    ],
)
def test_an_override_that_cannot_be_taken_changes_nothing(
    persona, database, turn, subject, now, reason, message
) -> None:
    store = Store(database)
    call, reviews = played(persona, store), Reviews(store.database)
    with pytest.raises(OverrideError, match=message):
        reviews.override(call.transcript.id, "Anna", turn, subject, now, reason)
    assert reviews.open(call.transcript.id).overrides == ()


def test_a_call_without_a_score_has_none_to_change(persona, store: Store) -> None:
    call = played(persona, store, end=False)
    with pytest.raises(OverrideError, match="not been graded"):
        Reviews(store.database).override(call.transcript.id, "Anna", None, "overall", 50, "because")


def test_filters(persona, store: Store) -> None:
    mine, theirs = played(persona, store), played(persona, store, "other", MET, MET)
    left = played(persona, store, end=False)
    with store.database.transaction() as session:
        for call, day in ((mine, 1), (theirs, 2), (left, 3)):
            row = session.get(CallRow, call.transcript.id)
            assert row is not None
            row.started = datetime(2026, 5, day, 23, 30, tzinfo=UTC)
    reviews = Reviews(store.database)
    lower, higher = sorted((mine, theirs), key=lambda call: call.end().overall)

    def ids(**asked) -> list[str]:
        return [call.transcript.id for call in reviews.find(Choice(**asked)).calls]

    everyone = [left.transcript.id, theirs.transcript.id, mine.transcript.id]
    assert ids() == everyone, "newest first"
    assert ids(owner=hashed("other")) == [theirs.transcript.id]
    assert ids(persona="late-pallet") == everyone
    assert ids(persona="another") == []
    assert set(ids(outcome=Outcome.LOST)) == {mine.transcript.id, theirs.transcript.id}
    assert ids(least=higher.end().overall) == [higher.transcript.id]
    assert ids(most=lower.end().overall) == [lower.transcript.id]
    assert ids(since=date(2026, 5, 2), until=date(2026, 5, 2)) == [theirs.transcript.id]
    page = reviews.find(Choice(), first=1, most=1)
    assert ([call.transcript.id for call in page.calls], page.total) == ([theirs.transcript.id], 3)
    assert set(reviews.owners()) == {hashed("me"), hashed("other")}


@pytest.mark.parametrize(
    ("query", "there"),
    [
        ("since=2026-05-03&until=2026-05-03&since_offset=540&until_offset=540", True),  # 8:30 in Tokyo
        ("since=2026-05-02&until=2026-05-02&since_offset=540&until_offset=540", False),
        ("since=2026-05-02&until=2026-05-02&since_offset=-420&until_offset=-420", True),  # 16:30 in Los Angeles
        ("since=2026-05-02&until=2026-05-02", True),
        ("since=2026-05-03", False),
        ("since=2026-05-03&since_offset=31", True),
        ("since=2026-05-03&since_offset=29", False),
        ("until=2026-05-02&until_offset=31", False),
        ("until=2026-05-02&until_offset=29", True),
        ("since=2026-05-03&since_offset=841", False),  # no clock is that far ahead: as if none were named
        ("since=2026-05-03&since_offset=" + "9" * 5000, False),
        ("since=2026-05-03&since_offset=soon", False),
        ("since=0001-01-01&since_offset=840", True),
        ("until=9999-12-31&until_offset=-840", True),
    ],
)
def test_days_are_those_of_the_readers_clock(persona, database: str, query: str, there: bool) -> None:
    store = Store(database)
    call = played(persona, store)
    with store.database.transaction() as session:
        row = session.get(CallRow, call.transcript.id)
        assert row is not None
        row.started = datetime(2026, 5, 2, 23, 30, tzinfo=UTC)
    asked = review.wanted(query)
    assert Reviews(store.database).find(review.choice(asked, {})).total == there
    assert review.wanted(asked.place(2).partition("/")[2]) == asked._replace(page=2), "older calls are of the same days"


def test_agreement_counts_only_calls_read_to_the_end(persona, store: Store) -> None:
    """Three moves were seen by the evaluator; the trainer takes one away and adds one: two of four are seen by both."""
    read, unread = played(persona, store), played(persona, store)
    reviews = Reviews(store.database)
    for call in (read, unread):
        reviews.override(call.transcript.id, "Anna", 3, "defensive", 0, "because")
        reviews.override(call.transcript.id, "Anna", 3, "ownership", 1, "because")
    overall = read.end().overall
    reviews.override(read.transcript.id, "Anna", None, "overall", overall + 8, "because")
    assert agreement(reviews.read_calls()) == []
    reviews.mark_read(read.transcript.id, "Anna")
    reviews.mark_read(read.transcript.id, "Anna")
    (week,) = agreement(reviews.read_calls())
    assert (week.calls, week.both, week.either, week.share, week.apart) == (1, 2, 4, 0.5, 8)
    assert week.monday.weekday() == 0
    with pytest.raises(StorageError):
        reviews.mark_read("no such call", "Anna")


def test_agreement_goes_by_weeks(persona, database: str) -> None:
    store = Store(database)
    call = Reviews(store.database).open(played(persona, store).transcript.id)
    sunday = datetime(2026, 11, 22, 23, tzinfo=UTC)

    def read(at: datetime) -> ReviewedCall:
        return call.model_copy(update={"readings": (Reading(by="Anna", at=at),)})

    weeks = agreement([read(sunday + timedelta(hours=2)), read(sunday), read(sunday - timedelta(days=6))])
    assert [(str(week.monday), week.calls) for week in weeks] == [("2026-11-16", 2), ("2026-11-23", 1)]


def test_what_trainees_miss_most(persona, store: Store) -> None:
    heard = played(persona, store, "me", MET)
    played(persona, store, "me", SCRIPT)
    again = played(persona, store, "me", SCRIPT)
    with store.database.transaction() as session:
        row = session.get(CallRow, again.transcript.id)
        assert row is not None
        row.branched_from = heard.transcript.id
    cards = Reviews(store.database).cards(Choice())
    found = {each.point: (each.missed, each.calls) for each in most_missed(cards, {persona.id: persona})}
    assert found == {"late-yarn": (1, 2), "idle-knitters": (2, 2), "picked-borderway": (2, 2), "last-order": (2, 2)}
    assert most_missed(cards, {}) == []
