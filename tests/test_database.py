"""The schema: migrations make what the tables say, keep what is there, and are safe to run from two processes at once."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from simulator.anger import Outcome
from simulator.customer import Customer
from simulator.database import Base, Database, StorageError
from simulator.judge import ScriptedJudge
from simulator.models.scripted import ScriptedModel
from simulator.moves import Judgement
from simulator.session import Call
from simulator.storage import Store

NEW = ("overrides", "readings", "accounts", "alembic_version")


def test_the_migrations_make_the_tables_of_the_code(any_database: str) -> None:
    with Database(any_database).engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_a_database_of_the_first_release_keeps_its_calls(persona, any_database: str) -> None:
    """It has calls and turns, and no version."""
    store = Store(any_database)
    call = Call.begin(persona, Customer(ScriptedModel(["No."])), ScriptedJudge([Judgement()]), store=store, owner="me")
    call.reply("Hello?")
    card = call.end()
    with store.database.engine.begin() as connection:
        for table in NEW:
            connection.execute(text(f"DROP TABLE {table}"))
        for column in ("ended", "branched_from", "branched_at", "customer"):
            connection.execute(text(f"ALTER TABLE calls DROP COLUMN {column}"))
    again = Store(any_database)
    assert again.load(call.transcript.id, "me") == call.transcript.model_copy(update={"ended": None})
    assert again.scorecard(call.transcript.id, "me") == card
    assert again.calls("me")[0].outcome is Outcome.LOST
    again.update(call.transcript, "me")
    assert again.load(call.transcript.id, "me").ended == call.transcript.ended


def test_a_database_of_a_newer_defuse_is_left_alone(any_database: str) -> None:
    engine = Database(any_database).engine
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StorageError, match=r"newer Defuse.*Update Defuse"):
        Database(any_database)


def test_several_processes_may_open_a_new_database_at_once(any_database: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(Database, [any_database] * 4))
    with opened[0].engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar() == 1


def test_a_migration_that_fails_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    """Here a table of the second step is in the way, after its first statements have run."""
    path = tmp_path / "calls.db"
    Database(f"sqlite:///{path}").engine.dispose()
    with sqlite3.connect(path) as raw:
        raw.execute("DROP TABLE readings")
        raw.execute("DROP TABLE overrides")
        raw.execute("UPDATE alembic_version SET version_num = '0001'")
        for column in ("ended", "branched_from", "branched_at", "customer"):
            raw.execute(f"ALTER TABLE calls DROP COLUMN {column}")
    with pytest.raises(StorageError, match="accounts already exists"):
        Database(f"sqlite:///{path}")
    with create_engine(f"sqlite:///{path}").connect() as connection:
        assert "ended" not in {row[1] for row in connection.execute(text("PRAGMA table_info(calls)"))}
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "0001"
