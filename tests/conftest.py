"""What the tests share: a small persona, and the real models, loaded once."""

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import create_engine, text

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # everything must work with the network unplugged
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

from simulator.engine import Engine, load_engine
from simulator.persona import Persona, parse_persona

LATE_PALLET = """
schema: 1
id: late-pallet
name: Rhona Mackie
headline: A pallet of yarn that is a week late
role: owner of a knitting mill
company: Borderway Freight
trainee_role: depot clerk
channel: phone
briefing: A mill is calling about a pallet that shows as in transit.
difficulty: 2
voice:
  style: dry, exact
  samples: ["Dates. You people are allergic to dates.", "I can read a screen too."]
temperament: {opening_anger: 7, volatility: 1, forgiveness: 1, patience: 3, hears_advice_at: 4}
opening: My yarn was due last Tuesday. It is Tuesday again.
story:
  - {id: late-yarn, layer: incident, told: opening, fact: the yarn is a week late, feeling: ignored,
     because: nobody rang, weight: 1, says: ["A week, and not one call."]}
  - {id: idle-knitters, layer: impact, told: asked, fact: six knitters sit without yarn, feeling: pressed,
     because: she pays them all the same, weight: 2, says: ["I've six women at machines with nothing on them."]}
  - {id: picked-borderway, layer: root, told: understood, fact: she moved her freight here against advice, feeling: foolish,
     because: her brother warned her, weight: 2, says: ["My brother said don't. I did, and here we are."]}
  - {id: last-order, layer: unsaid, told: probed, fact: this may be the mill's last order, feeling: frightened,
     because: it is her mother's mill, weight: 1, says: ["It might be our last order. My mother started this mill."]}
triggers: [{move: blame, rise: 1.0, because: she has had enough of it}]
resolution: {needs: [a firm day], won_over_by: a van this afternoon}
endings: {lost: says she will go elsewhere, placated: says fine, retained: thanks them, won_over: books the next load}
"""


@pytest.fixture(scope="session")
def persona() -> Persona:
    """A customer of four story points, weights 1, 2, 2, 1, opening at 7."""
    return parse_persona(LATE_PALLET)


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The bundled models, as a user has them."""
    return load_engine()


@pytest.fixture
def database(tmp_path: Path) -> str:
    """URL of an empty SQLite file."""
    return f"sqlite:///{tmp_path / 'calls.db'}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, as the system has it. For one module: playwright's loop runs in the thread of the tests while it is open."""
    names = ("chromium", "google-chrome", "chromium-browser")
    path = next((found for found in map(shutil.which, names) if found), None)
    if path is None:
        pytest.fail(
            f"No browser: install one of {', '.join(names)} (Debian: apt-get install chromium), then run again."
        )
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of a real PostgreSQL server on a socket of its own, as an ordinary user."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    binaries = found[-1].parent if found else Path(shutil.which("initdb") or "initdb").parent
    folder = Path(tempfile.mkdtemp(prefix="defuse-pg-", dir="/tmp"))
    user: list[str] = []
    if os.geteuid() == 0:  # the server refuses to run as root
        shutil.chown(folder, "postgres", "postgres")
        user = ["runuser", "-u", "postgres", "--"]
    subprocess.run(
        [*user, binaries / "initdb", "-D", folder / "db", "-U", "defuse", "-A", "trust"],
        check=True,
        capture_output=True,
    )
    options = f"-c listen_addresses='' -c unix_socket_directories={folder}"
    control = [*user, binaries / "pg_ctl", "-D", folder / "db", "-w"]
    subprocess.run([*control, "-o", options, "-l", folder / "log", "start"], check=True, capture_output=True)
    yield f"postgresql+psycopg://defuse@/postgres?host={folder}"
    subprocess.run([*control, "-m", "immediate", "stop"], check=True, capture_output=True)
    shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def any_database(request: pytest.FixtureRequest, database: str) -> str:
    """URL of an empty database, of each kind."""
    if request.param == "sqlite":
        return database
    server = request.getfixturevalue("postgresql")
    name = f"t{secrets.token_hex(6)}"
    with create_engine(server, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    return str(server).replace("/postgres?", f"/{name}?")
