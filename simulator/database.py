"""The tables, and the one way into the database: a Database opens it, brings it up to date and hands out transactions.

SQLite in the user's folder by default, PostgreSQL by URL. The schema changes only by the migrations beside this file.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import JSON, DateTime, ForeignKey, String, Text, create_engine, event, inspect, text
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

MIGRATIONS = Path(__file__).parent / "migrations"
_TRIES = 50  # at the journal's mode, a tenth of a second apart
_FIRST = "0001"  # the tables of a database that was made before there were versions
_LOCK = 0x6465667573  # any number, the same for every process that migrates a PostgreSQL database


class StorageError(RuntimeError):
    """A call that cannot be read or written. The message says what is safe and what to do."""


class Base(DeclarativeBase):
    """Declarative base of the tables."""


class CallRow(Base):
    """One call. `customer` is the whole persona as it was when the call began (none before version 0003);
    `branched_from` and `branched_at` name the call and the turn that it was taken up again from."""

    __tablename__ = "calls"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    owner: Mapped[str] = mapped_column(String(64), index=True)
    persona: Mapped[str] = mapped_column(String(60), index=True)
    customer: Mapped[dict[str, object] | None] = mapped_column(JSON)
    seed: Mapped[int]
    exam: Mapped[bool]
    hints: Mapped[int] = mapped_column(default=0)
    started: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    ended: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ending: Mapped[str | None] = mapped_column(String(20))
    outcome: Mapped[str | None] = mapped_column(String(20))
    models: Mapped[dict[str, str]] = mapped_column(JSON)
    overall: Mapped[float | None]
    scorecard: Mapped[dict[str, object] | None] = mapped_column(JSON)
    branched_from: Mapped[str | None] = mapped_column(String(36))
    branched_at: Mapped[int | None]
    turns: Mapped[list["TurnRow"]] = relationship(order_by="TurnRow.position", cascade="all, delete-orphan")
    overrides: Mapped[list["OverrideRow"]] = relationship(order_by="OverrideRow.id", cascade="all, delete-orphan")
    readings: Mapped[list["ReadingRow"]] = relationship(order_by="ReadingRow.at", cascade="all, delete-orphan")


class TurnRow(Base):
    """One turn of a call; `data` is the whole record."""

    __tablename__ = "turns"

    call_id: Mapped[str] = mapped_column(ForeignKey("calls.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(String(10))
    text: Mapped[str]
    anger: Mapped[float]
    data: Mapped[dict[str, object]] = mapped_column(JSON)


class OverrideRow(Base):
    """A trainer's word against the evaluator's: a move of one turn (0 or 1), or a score of the call (0 to 100).

    Rows are only added; the latest on the same subject stands.
    """

    __tablename__ = "overrides"

    id: Mapped[int] = mapped_column(primary_key=True)
    call_id: Mapped[str] = mapped_column(ForeignKey("calls.id"), index=True)
    by: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    turn: Mapped[int | None]
    subject: Mapped[str] = mapped_column(String(30))
    was: Mapped[float]
    now: Mapped[float]
    reason: Mapped[str] = mapped_column(Text)


class ReadingRow(Base):
    """That a trainer has read a call to its end: what they left unchanged there, they agree with."""

    __tablename__ = "readings"

    call_id: Mapped[str] = mapped_column(ForeignKey("calls.id"), primary_key=True)
    by: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)


class AccountRow(Base):
    """One account. `owner` owns its calls; a new account of an old name gets another."""

    __tablename__ = "accounts"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    role: Mapped[str] = mapped_column(String(10))
    secret: Mapped[str] = mapped_column(String(200))
    owner: Mapped[str] = mapped_column(String(64), unique=True)
    made: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Database:
    """One database, up to date. Raises StorageError when it cannot be used."""

    def __init__(self, url: str) -> None:
        try:
            self.engine: Engine = create_engine(url)
            sqlite = make_url(url).get_backend_name() == "sqlite"
            if sqlite:
                event.listen(self.engine, "connect", _careful_sqlite)
            with _alone(self.engine, sqlite) as connection:
                _upgrade(connection)
        except (SQLAlchemyError, ImportError, OSError) as error:
            shown = str(url).rsplit("@", 1)[-1]
            raise StorageError(
                f"The database {shown} cannot be opened ({_short(error)}). Check the path or URL and that it can be written."
            ) from error

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session whose changes are kept together or not at all."""
        try:
            with Session(self.engine) as session, session.begin():
                yield session
        except SQLAlchemyError as error:
            raise StorageError(
                f"The call could not be saved or read ({_short(error)}). What was stored before is safe. "
                "If the disk is full, free some space; then send again."
            ) from error


@contextmanager
def _alone(engine: Engine, sqlite: bool) -> Iterator[Connection]:
    """A transaction that no other process migrates beside."""
    if not sqlite:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            yield connection
        return
    # Python's driver would commit before it changes a table; so the transaction is opened and closed by hand.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise
        connection.exec_driver_sql("COMMIT")


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    tables = inspect(connection).get_table_names()
    if "calls" in tables and "alembic_version" not in tables:
        command.stamp(config, _FIRST)
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StorageError(
            "The database was written by a newer Defuse than this one. Nothing in it was changed. Update Defuse, or give "
            "another database."
        ) from error


def aware(moment: datetime) -> datetime:
    """A stored moment with its time zone, which SQLite forgets."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _short(error: Exception) -> str:
    return " ".join(str(getattr(error, "orig", None) or error).split())[:160]


def _careful_sqlite(connection: object, _record: object) -> None:
    """Write-ahead log with full sync: a turn that was acknowledged survives a power cut; readers never wait."""
    cursor = connection.cursor()  # type: ignore[attr-defined]
    for pragma in ("busy_timeout=5000", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    for left in reversed(range(_TRIES)):
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError as error:  # another process is just making the file: SQLite does not wait here
            if not left or "locked" not in str(error):
                raise
            time.sleep(0.1)
    cursor.close()
