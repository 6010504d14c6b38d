"""Everyone's calls, for trainers: found, opened, overridden, marked as read. Who may ask is for the caller to check."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from pydantic import Field
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import selectinload

from simulator.anger import Outcome
from simulator.database import CallRow, Database, OverrideRow, ReadingRow, StorageError
from simulator.grade import Scorecard
from simulator.moves import Frozen, Move
from simulator.review import SCORES, Override, ReviewedCall, trainers_moves
from simulator.storage import reviewed, stored_overrides

LONGEST_REASON = 500  # characters
RECENT = 2000  # calls that a summary over all calls goes back
MOST_OFFSET = 14 * 60  # minutes; no clock on Earth is further from UTC


class OverrideError(StorageError):
    """An override that cannot be taken. Nothing has changed; the message says what to do."""


class Choice(Frozen):
    """Which calls to show; None and the widest bounds let everything through. Dates are days, both included, by a
    clock that was so many minutes ahead of UTC as the first began and as the last ended."""

    owner: str | None = None
    persona: str | None = None
    outcome: Outcome | None = None
    least: float | None = None
    most: float | None = None
    since: date | None = None
    until: date | None = None
    since_offset: int = Field(default=0, ge=-MOST_OFFSET, le=MOST_OFFSET)
    until_offset: int = Field(default=0, ge=-MOST_OFFSET, le=MOST_OFFSET)


class Found(Frozen):
    """Some of the calls that were asked for, newest first, and how many there are in all."""

    calls: tuple[ReviewedCall, ...]
    total: int


class Reviews:
    """The trainer's side of the store. Every method raises StorageError when the database cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def owners(self) -> tuple[str, ...]:
        """The hashes of everyone who has taken a call."""
        with self._database.transaction() as session:
            return tuple(session.scalars(select(CallRow.owner).distinct().order_by(CallRow.owner)))

    def find(self, choice: Choice, first: int = 0, most: int | None = None) -> Found:
        """Calls by a choice, newest first."""
        wanted = _conditions(choice)
        with self._database.transaction() as session:
            total = session.scalar(select(func.count()).select_from(CallRow).where(*wanted)) or 0
            rows = session.scalars(
                select(CallRow)
                .where(*wanted)
                .order_by(CallRow.started.desc(), CallRow.id)
                .offset(first)
                .limit(most)
                .options(selectinload(CallRow.turns), selectinload(CallRow.overrides), selectinload(CallRow.readings))
            ).all()
            return Found(calls=tuple(map(reviewed, rows)), total=total)

    def read_calls(self) -> tuple[ReviewedCall, ...]:
        """The latest calls that a trainer has read to the end."""
        with self._database.transaction() as session:
            rows = session.scalars(
                select(CallRow)
                .where(CallRow.readings.any())
                .order_by(CallRow.started.desc())
                .limit(RECENT)
                .options(selectinload(CallRow.turns), selectinload(CallRow.overrides), selectinload(CallRow.readings))
            ).all()
            return tuple(map(reviewed, rows))

    def cards(self, choice: Choice) -> list[tuple[str, Scorecard]]:
        """Persona and scorecard of the latest graded calls of a choice. A call taken up again from a turn of another is
        left out: its first part would be counted twice."""
        with self._database.transaction() as session:
            rows = session.execute(
                select(CallRow.persona, CallRow.scorecard)
                .where(*_conditions(choice), CallRow.overall.is_not(None), CallRow.branched_from.is_(None))
                .order_by(CallRow.started.desc())
                .limit(RECENT)
            ).all()
            return [(persona, Scorecard.model_validate(card)) for persona, card in rows]

    def open(self, call_id: str) -> ReviewedCall:
        """One call with all that was said of it. Raises StorageError when there is none."""
        with self._database.transaction() as session:
            row = session.get(CallRow, call_id)
            if row is None:
                raise StorageError("There is no such call; it may have been deleted.")
            return reviewed(row)

    def override(self, call_id: str, by: str, turn: int | None, subject: str, now: float, reason: str) -> Override:
        """Say otherwise than the evaluator. Raises OverrideError."""
        reason = " ".join(reason.split())
        if not reason:
            raise OverrideError("Say why in a few words; the trainee reads it. Nothing was changed.")
        if len(reason) > LONGEST_REASON:
            raise OverrideError(f"Keep the reason under {LONGEST_REASON} characters. Nothing was changed.")
        call = self.open(call_id)
        was = _score(call, subject, now) if turn is None else _move(call, turn, subject, now)
        kept = OverrideRow(
            call_id=call_id,
            by=by,
            at=datetime.now(UTC),
            turn=turn,
            subject=subject,
            was=was,
            now=now,
            reason=reason,
        )
        with self._database.transaction() as session:
            session.add(kept)
            session.flush()
            return stored_overrides([kept])[0]

    def mark_read(self, call_id: str, by: str) -> None:
        """Take note that a trainer has read the call and leaves the rest as the evaluator has it."""
        with self._database.transaction() as session:
            if session.get(CallRow, call_id) is None:
                raise StorageError("There is no such call; it may have been deleted.")
            session.merge(ReadingRow(call_id=call_id, by=by, at=datetime.now(UTC)))


def _score(call: ReviewedCall, subject: str, now: float) -> float:
    if call.scorecard is None:
        raise OverrideError("This call has not been graded yet. Its score can be changed when it is over.")
    if subject not in SCORES or not 0 <= now <= 100:
        raise OverrideError("A score is a number from 0 to 100. Nothing was changed.")
    return call.scorecard.overall if subject == SCORES[0] else call.scorecard.competencies[subject].score


def _move(call: ReviewedCall, turn: int, subject: str, now: float) -> float:
    judgement = dict(call.transcript.replies)[turn].judgement if turn in dict(call.transcript.replies) else None
    if judgement is None or subject not in set(Move) or now not in (0, 1):
        raise OverrideError("There is no such reply or move to change. Reload the page. Nothing was changed.")
    move = Move(subject)
    if now == (move in trainers_moves(turn, judgement, call.overrides)):
        raise OverrideError("That is how the reply is read already. Nothing was changed.")
    kinds = {Move.SPECIFIC_EMPATHY, Move.GENERIC_SYMPATHY}
    standing = trainers_moves(turn, judgement, call.overrides)
    if now and move in kinds and kinds & set(standing):
        raise OverrideError(
            "A reply shows specific empathy or generic sympathy, never both. Remove the other one first. "
            "Nothing was changed."
        )
    return float(judgement.has(move))


def _conditions(choice: Choice) -> Sequence[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if choice.owner is not None:
        wanted.append(CallRow.owner == choice.owner)
    if choice.persona is not None:
        wanted.append(CallRow.persona == choice.persona)
    if choice.outcome is not None:
        wanted.append(CallRow.outcome == choice.outcome.value)
    if choice.least is not None:
        wanted.append(CallRow.overall >= choice.least)
    if choice.most is not None:
        wanted.append(CallRow.overall <= choice.most)
    if choice.since is not None:
        wanted.append(CallRow.started >= _moment(choice.since, time.min, choice.since_offset))
    if choice.until is not None:
        wanted.append(CallRow.started <= _moment(choice.until, time.max, choice.until_offset))
    return wanted


def _moment(day: date, at: time, offset: int) -> datetime:
    return datetime.combine(day, at, UTC) - timedelta(minutes=offset)
