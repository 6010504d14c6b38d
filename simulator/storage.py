"""Where calls are kept: every turn is written as it happens, so a killed process loses nothing that was said.

SQLite in the user's folder by default, PostgreSQL by URL. An owner is an opaque secret of one browser (or an account);
only its hash is stored, and every read and write names it, so that two people never meet.
"""

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import JSON, DateTime, ForeignKey, String, create_engine, event, select
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload

from simulator.anger import Ending, Outcome
from simulator.grade import Scorecard
from simulator.moves import Frozen
from simulator.transcript import Models, Transcript, Turn


class StorageError(RuntimeError):
    """A call that cannot be read or written. The message says what is safe and what to do."""


class Base(DeclarativeBase):
    """Declarative base of the tables."""


class CallRow(Base):
    """One call."""

    __tablename__ = "calls"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    owner: Mapped[str] = mapped_column(String(64), index=True)
    persona: Mapped[str] = mapped_column(String(60), index=True)
    seed: Mapped[int]
    exam: Mapped[bool]
    hints: Mapped[int] = mapped_column(default=0)
    started: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    ending: Mapped[str | None] = mapped_column(String(20))
    outcome: Mapped[str | None] = mapped_column(String(20))
    models: Mapped[dict[str, str]] = mapped_column(JSON)
    overall: Mapped[float | None]
    scorecard: Mapped[dict[str, object] | None] = mapped_column(JSON)
    turns: Mapped[list["TurnRow"]] = relationship(order_by="TurnRow.position", cascade="all, delete-orphan")


class TurnRow(Base):
    """One turn of a call; `data` is the whole record."""

    __tablename__ = "turns"

    call_id: Mapped[str] = mapped_column(ForeignKey("calls.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(String(10))
    text: Mapped[str]
    anger: Mapped[float]
    data: Mapped[dict[str, object]] = mapped_column(JSON)


class Summary(Frozen):
    """One line of "my calls"."""

    id: str
    persona: str
    started: datetime
    outcome: Outcome | None
    overall: float | None
    anger: tuple[float, ...]
    exam: bool


def new_id() -> str:
    """An id for a call that nobody can guess."""
    return str(uuid.uuid4())


def _hashed(owner: str) -> str:
    return hashlib.sha256(owner.encode()).hexdigest()


class Store:
    """Calls in a database. Every method raises StorageError when the database cannot be used."""

    def __init__(self, url: str) -> None:
        try:
            self._engine: Engine = create_engine(url)
            if make_url(url).get_backend_name() == "sqlite":
                event.listen(self._engine, "connect", _careful_sqlite)
            Base.metadata.create_all(self._engine)
        except (SQLAlchemyError, ImportError, OSError) as error:
            shown = str(url).rsplit("@", 1)[-1]
            raise StorageError(
                f"The database {shown} cannot be opened ({_short(error)}). Check the path or URL and that it can be written."
            ) from error

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        try:
            with Session(self._engine) as session, session.begin():
                yield session
        except SQLAlchemyError as error:
            raise StorageError(
                f"The call could not be saved or read ({_short(error)}). What was stored before is safe. "
                "If the disk is full, free some space; then send again."
            ) from error

    def _row(self, session: Session, call_id: str, owner: str) -> CallRow:
        row = session.get(CallRow, call_id)
        if row is None or row.owner != _hashed(owner):
            raise StorageError("There is no such call among yours; it may have been made in another browser.")
        return row

    def create(self, transcript: Transcript, owner: str) -> None:
        """Store a call that has just begun, with the turns it has."""
        with self._transaction() as session:
            row = CallRow(
                id=transcript.id,
                owner=_hashed(owner),
                persona=transcript.persona,
                seed=transcript.seed,
                exam=transcript.exam,
                hints=transcript.hints,
                started=transcript.started,
                models=transcript.models.model_dump(),
            )
            row.turns = [_turn_row(i, turn) for i, turn in enumerate(transcript.turns)]
            session.add(row)

    def put_turn(self, call_id: str, owner: str, position: int, turn: Turn) -> None:
        """Write one turn, or write it again when it has been judged since."""
        with self._transaction() as session:
            self._row(session, call_id, owner)
            row = _turn_row(position, turn)
            row.call_id = call_id
            session.merge(row)

    def update(self, transcript: Transcript, owner: str, scorecard: Scorecard | None = None) -> None:
        """Write how the call stands: hints, ending, outcome and, when graded, the scorecard."""
        with self._transaction() as session:
            row = self._row(session, transcript.id, owner)
            row.hints = transcript.hints
            row.ending = transcript.ending.value if transcript.ending else None
            row.outcome = transcript.outcome.value if transcript.outcome else None
            if scorecard is not None:
                row.overall = scorecard.overall
                row.scorecard = scorecard.model_dump(mode="json")

    def load(self, call_id: str, owner: str) -> Transcript:
        """The call as it was stored last."""
        with self._transaction() as session:
            row = self._row(session, call_id, owner)
            return Transcript(
                id=row.id,
                persona=row.persona,
                seed=row.seed,
                turns=tuple(Turn.model_validate(turn.data) for turn in row.turns),
                ending=Ending(row.ending) if row.ending else None,
                outcome=Outcome(row.outcome) if row.outcome else None,
                hints=row.hints,
                exam=row.exam,
                started=_aware(row.started),
                models=Models.model_validate(row.models),
            )

    def scorecard(self, call_id: str, owner: str) -> Scorecard | None:
        """The stored scorecard, or None when the call was not graded."""
        with self._transaction() as session:
            data = self._row(session, call_id, owner).scorecard
            return Scorecard.model_validate(data) if data else None

    def calls(self, owner: str) -> list[Summary]:
        """All calls of one owner, newest first."""
        with self._transaction() as session:
            rows = session.scalars(
                select(CallRow)
                .where(CallRow.owner == _hashed(owner))
                .order_by(CallRow.started.desc())
                .options(selectinload(CallRow.turns))
            ).all()
            return [
                Summary(
                    id=row.id,
                    persona=row.persona,
                    started=_aware(row.started),
                    outcome=Outcome(row.outcome) if row.outcome else None,
                    overall=row.overall,
                    anger=tuple(turn.anger for turn in row.turns),
                    exam=row.exam,
                )
                for row in rows
            ]

    def delete(self, call_id: str, owner: str) -> None:
        """Forget a call for good."""
        with self._transaction() as session:
            session.delete(self._row(session, call_id, owner))


def _turn_row(position: int, turn: Turn) -> TurnRow:
    data = turn.model_dump(mode="json")
    return TurnRow(position=position, role=turn.role, text=turn.text, anger=turn.anger, data=data)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _short(error: Exception) -> str:
    return " ".join(str(getattr(error, "orig", None) or error).split())[:160]


def _careful_sqlite(connection: object, _record: object) -> None:
    """Write-ahead log with full sync: a turn that was acknowledged survives a power cut; readers never wait."""
    cursor = connection.cursor()  # type: ignore[attr-defined]
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
