"""Where calls are kept: every turn is written as it happens, so a killed process loses nothing that was said.

An owner is an opaque secret of one browser (or an account); only its hash is stored, and every read and write names it,
so that two people never meet.
"""

import hashlib
import uuid
from collections.abc import Iterable
from datetime import datetime

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from simulator.anger import Ending, Outcome
from simulator.database import CallRow, Database, OverrideRow, StorageError, TurnRow, aware
from simulator.grade import Scorecard
from simulator.moves import Frozen
from simulator.persona import Persona
from simulator.review import Override, Reading, ReviewedCall, second_opinion
from simulator.transcript import Models, Transcript, Turn

__all__ = ["StorageError", "Store", "Summary", "hashed", "new_id", "reviewed", "stored_overrides"]


class Summary(Frozen):
    """One line of "my calls"."""

    id: str
    persona: str
    customer: str | None  # the customer's name, kept with the call; None for a call of an earlier version
    started: datetime
    outcome: Outcome | None
    overall: float | None
    anger: tuple[float, ...]
    exam: bool
    trainer: float | None = None  # the trainer's overall score, where it differs
    branched_from: str | None = None  # the call that this one takes again, from the turn `branched_at`
    branched_at: int | None = None


def new_id() -> str:
    """An id for a call that nobody can guess."""
    return str(uuid.uuid4())


def hashed(owner: str) -> str:
    """The owner as the database knows it."""
    return hashlib.sha256(owner.encode()).hexdigest()


class Store:
    """Calls in a database. Every method raises StorageError when the database cannot be used."""

    def __init__(self, url: str) -> None:
        self.database = Database(url)

    def _row(self, session: Session, call_id: str, owner: str) -> CallRow:
        row = session.get(CallRow, call_id)
        if row is None or row.owner != hashed(owner):
            raise StorageError("There is no such call among yours; it may have been made in another browser.")
        return row

    def create(self, transcript: Transcript, owner: str, persona: Persona) -> None:
        """Store a call that has just begun, with the turns it has, and its persona: the call stays what it was while a
        trainer writes on."""
        with self.database.transaction() as session:
            row = CallRow(
                id=transcript.id,
                owner=hashed(owner),
                persona=transcript.persona,
                customer=persona.model_dump(mode="json", by_alias=True),
                seed=transcript.seed,
                exam=transcript.exam,
                hints=transcript.hints,
                started=transcript.started,
                models=transcript.models.model_dump(),
                branched_from=transcript.branched_from,
                branched_at=transcript.branched_at,
            )
            row.turns = [_turn_row(i, turn) for i, turn in enumerate(transcript.turns)]
            session.add(row)

    def put_turn(self, call_id: str, owner: str, position: int, turn: Turn) -> None:
        """Write one turn, or write it again when it has been judged since. Nothing is added to a call that has ended."""
        with self.database.transaction() as session:
            if self._row(session, call_id, owner).outcome is not None:
                raise StorageError("This call has ended, so nothing more is added to it. Its scorecard is in My calls.")
            row = _turn_row(position, turn)
            row.call_id = call_id
            session.merge(row)

    def update(self, transcript: Transcript, owner: str, scorecard: Scorecard | None = None) -> None:
        """Write how the call ended and, when graded, the scorecard. A call ends once: the first to say so stands."""
        with self.database.transaction() as session:
            row = self._row(session, transcript.id, owner)
            if row.ended is None:
                row.ending = transcript.ending.value if transcript.ending else None
                row.outcome = transcript.outcome.value if transcript.outcome else None
                row.ended = transcript.ended
            if scorecard is not None:
                row.overall = scorecard.overall
                row.scorecard = scorecard.model_dump(mode="json")

    def count_hint(self, call_id: str, owner: str) -> int:
        """Count one more hint; how many there were."""
        with self.database.transaction() as session:
            row = self._row(session, call_id, owner)
            row.hints = CallRow.hints + 1
            session.flush()
            return row.hints

    def persona(self, call_id: str, owner: str) -> Persona | None:
        """The persona as it was when the call began; None for a call of an earlier version."""
        with self.database.transaction() as session:
            return _customer(self._row(session, call_id, owner))

    def load(self, call_id: str, owner: str) -> Transcript:
        """The call as it was stored last."""
        with self.database.transaction() as session:
            return _transcript(self._row(session, call_id, owner))

    def scorecard(self, call_id: str, owner: str) -> Scorecard | None:
        """The stored scorecard, or None when the call was not graded."""
        with self.database.transaction() as session:
            data = self._row(session, call_id, owner).scorecard
            return Scorecard.model_validate(data) if data else None

    def reviewed(self, call_id: str, owner: str) -> ReviewedCall:
        """The call with its scorecard and what trainers said of it."""
        with self.database.transaction() as session:
            return reviewed(self._row(session, call_id, owner))

    def calls(self, owner: str) -> list[Summary]:
        """All calls of one owner, newest first."""
        with self.database.transaction() as session:
            rows = session.scalars(
                select(CallRow)
                .where(CallRow.owner == hashed(owner))
                .order_by(CallRow.started.desc())
                .options(selectinload(CallRow.turns), selectinload(CallRow.overrides))
            ).all()
            return [
                Summary(
                    id=row.id,
                    persona=row.persona,
                    customer=str(row.customer["name"]) if row.customer else None,
                    started=aware(row.started),
                    outcome=Outcome(row.outcome) if row.outcome else None,
                    overall=row.overall,
                    anger=tuple(turn.anger for turn in row.turns),
                    exam=row.exam,
                    trainer=_trainers_overall(row),
                    branched_from=row.branched_from,
                    branched_at=row.branched_at,
                )
                for row in rows
            ]

    def forget_before(self, moment: datetime) -> None:
        """Forget all calls that began before `moment`, whoever's they are."""
        with self.database.transaction() as session:
            for row in session.scalars(select(CallRow).where(CallRow.started < moment)):
                session.delete(row)

    def delete(self, call_id: str, owner: str) -> None:
        """Forget a call for good."""
        with self.database.transaction() as session:
            session.delete(self._row(session, call_id, owner))


def _turn_row(position: int, turn: Turn) -> TurnRow:
    data = turn.model_dump(mode="json")
    return TurnRow(position=position, role=turn.role, text=turn.text, anger=turn.anger, data=data)


def _transcript(row: CallRow) -> Transcript:
    return Transcript(
        id=row.id,
        persona=row.persona,
        seed=row.seed,
        turns=tuple(Turn.model_validate(turn.data) for turn in row.turns),
        ending=Ending(row.ending) if row.ending else None,
        outcome=Outcome(row.outcome) if row.outcome else None,
        hints=row.hints,
        exam=row.exam,
        started=aware(row.started),
        ended=aware(row.ended) if row.ended else None,
        models=Models.model_validate(row.models),
        branched_from=row.branched_from,
        branched_at=row.branched_at,
    )


def _customer(row: CallRow) -> Persona | None:
    try:
        return Persona.model_validate(row.customer) if row.customer else None
    except ValidationError:  # by the rules of another version
        return None


def stored_overrides(rows: Iterable[OverrideRow]) -> tuple[Override, ...]:
    """Overrides as records."""
    return tuple(
        Override(
            turn=row.turn,
            subject=row.subject,
            was=row.was,
            now=row.now,
            reason=row.reason,
            by=row.by,
            at=aware(row.at),
        )
        for row in rows
    )


def reviewed(row: CallRow) -> ReviewedCall:
    """A call with all that was said of it."""
    return ReviewedCall(
        owner=row.owner,
        transcript=_transcript(row),
        persona=_customer(row),
        scorecard=Scorecard.model_validate(row.scorecard) if row.scorecard else None,
        overrides=stored_overrides(row.overrides),
        readings=tuple(Reading(by=reading.by, at=aware(reading.at)) for reading in row.readings),
    )


def _trainers_overall(row: CallRow) -> float | None:
    if not row.overrides or not row.scorecard:
        return None
    return second_opinion(Scorecard.model_validate(row.scorecard), stored_overrides(row.overrides)).overall
