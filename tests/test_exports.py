"""A call for other tools, with evaluator and trainer side by side in each, and a record store on this machine."""

import base64
import csv
import io
import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from uuid import UUID

import pytest
from typer.testing import CliRunner

from simulator import exports
from simulator.accounts import Accounts, Role
from simulator.cli import app
from simulator.customer import Customer
from simulator.database import CallRow
from simulator.exports import ExportError
from simulator.judge import ScriptedJudge
from simulator.models.scripted import ScriptedModel
from simulator.moves import Judgement, Move
from simulator.review import ReviewedCall
from simulator.reviews import Reviews
from simulator.session import Call
from simulator.storage import Store

REASON = "=HYPERLINK(1) is <b>not</b> a *defence*"
HOME = "http://localhost/defuse"


def reviewed(persona, store: Store, *, override: bool = True, owner: str = "me") -> ReviewedCall:
    """A call of 90 seconds, in which the trainer removes a move and gives another score."""
    judge = ScriptedJudge([Judgement(present=(Move.DEFENSIVE,), judge="x")])
    call = Call.begin(persona, Customer(ScriptedModel(["No."])), judge, store=store, owner=owner, seed=1)
    call.reply("It was not us.")
    call.end()
    ended = call.transcript.started + timedelta(seconds=90)
    with store.database.transaction() as session:
        session.get_one(CallRow, call.transcript.id).ended = ended
    reviews = Reviews(store.database)
    if override:
        reviews.override(call.transcript.id, "Anna", 1, "defensive", 0, REASON)
        reviews.override(call.transcript.id, "Anna", None, "composure", 95, "Calm throughout.")
    return reviews.open(call.transcript.id)


@pytest.fixture
def store(database: str) -> Store:
    return Store(database)


def test_markdown_has_both_scores_and_the_reason_as_text(persona, store: Store) -> None:
    call = reviewed(persona, store)
    text = exports.markdown(call, persona)
    card = call.scorecard
    assert card is not None
    assert f"| Composure | {card.competencies['composure'].score:.0f} | 95 |" in text
    assert "| Full listening |" in text
    assert "reply 1, defensive: evaluator: present, trainer: absent" in text
    assert "Composure: evaluator:" in text
    assert "<b>" not in text
    assert "\\*defence\\*" in text
    assert "What the trainer says" not in exports.markdown(reviewed(persona, store, override=False), None)


def test_json_has_everything(persona, store: Store) -> None:
    call = reviewed(persona, store)
    whole = json.loads(exports.as_json(call, "Béla"))
    assert (
        ReviewedCall(
            owner=call.owner,
            transcript=whole["transcript"],
            scorecard=whole["scorecard"],
            overrides=whole["overrides"],
            readings=whole["read_by"],
            persona=persona,
        )
        == call
    )
    assert whole["trainee"] == "Béla"
    assert whole["trainer"]["competencies"] == {"composure": 95}


def test_a_csv_row_has_both_and_no_formula(persona, store: Store) -> None:
    calls = [(reviewed(persona, store), "=cmd"), (reviewed(persona, store, override=False), "Béla")]
    first, second = csv.DictReader(io.StringIO(exports.csv_text(calls)))
    assert first["trainee"] == "'=cmd"
    assert (float(first["trainer_composure"]), first["moves_changed"]) == (95, "1")
    assert REASON in first["trainer_reasons"]
    assert float(first["composure"]) < 95
    assert (second["trainer_overall"], second["moves_changed"], second["passed"]) == ("", "0", "False")


def test_the_statement_is_xapi(persona, store: Store) -> None:
    call = reviewed(persona, store)
    card = call.scorecard
    assert card is not None
    said = exports.statement(call, "Béla", persona, HOME)
    assert UUID(said["id"]).version == 5
    assert said["actor"]["account"] == {"homePage": HOME, "name": "Béla"}
    assert said["verb"]["id"] == "http://adlnet.gov/expapi/verbs/failed"
    assert said["object"]["id"] == "urn:defuse:persona:late-pallet"
    result = said["result"]
    assert result["score"]["scaled"] == pytest.approx(card.overall / 100)
    assert (result["success"], result["completion"], result["duration"]) == (False, True, "PT90.00S")
    extensions = result["extensions"]
    assert extensions["urn:defuse:xapi:competencies"]["composure"] == pytest.approx(
        card.competencies["composure"].score / 100
    )
    override = extensions["urn:defuse:xapi:override"]
    assert override["competencies"] == {"composure": 0.95}
    assert override["success"] is False
    assert [each["reason"] for each in override["changes"]] == [REASON, "Calm throughout."]
    assert said["context"]["registration"] == call.transcript.id
    assert datetime.fromisoformat(said["timestamp"]).tzinfo is not None
    plain = call.model_copy(update={"overrides": ()})
    assert "urn:defuse:xapi:override" not in exports.statement(plain, "Béla", None, HOME)["result"]["extensions"]


def test_the_same_attempt_has_the_same_id_until_a_trainer_says_otherwise(persona, store: Store) -> None:
    call = reviewed(persona, store)
    ids = [exports.statement(each, "Béla", persona, HOME)["id"] for each in (call, call)]
    other = exports.statement(call.model_copy(update={"overrides": call.overrides[:1]}), "Béla", persona, HOME)["id"]
    assert ids[0] == ids[1] != other


def test_an_ungraded_call_has_no_statement(persona, store: Store) -> None:
    call = reviewed(persona, store).model_copy(update={"scorecard": None})
    with pytest.raises(ExportError, match="no score yet"):
        exports.statement(call, "Béla", persona, HOME)


class RecordStore(HTTPServer):
    """A small learning record store: keeps what it is sent, knows one name and password, and can be told to refuse."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.kept: list[dict[str, Any]] = []
        self.status = 200

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/xapi"


class _Handler(BaseHTTPRequestHandler):
    server: RecordStore

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        status = self.server.status
        if self.headers["authorization"] != "Basic " + base64.b64encode(b"me:let me in").decode():
            status = 401
        elif self.headers["x-experience-api-version"] != "1.0.3" or self.path != "/xapi/statements":
            status = 400
        if status == 200:
            self.server.kept += json.loads(body)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b'["id"]' if status == 200 else b"no, thank you")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def lrs() -> Iterator[RecordStore]:
    with RecordStore() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_record_store_takes_the_statements(persona, store: Store, lrs: RecordStore) -> None:
    said = exports.statement(reviewed(persona, store), "Béla", persona, HOME)
    exports.send([said], f"{lrs.address}/", "me", "let me in")
    assert lrs.kept == [said]
    with pytest.raises(ExportError, match="refused the name or password"):
        exports.send([said], lrs.address, "me", "wrong")
    lrs.status = 503
    with pytest.raises(ExportError, match="503 no, thank you"):
        exports.send([said], lrs.address, "me", "let me in")
    lrs.status = 302
    with pytest.raises(ExportError, match="302"):
        exports.send([said], lrs.address, "me", "let me in")
    assert lrs.kept == [said]


@pytest.mark.parametrize("address", ["http://lrs.example.org/xapi", "ftp://127.0.0.1", "127.0.0.1:80", ""])
def test_a_password_crosses_no_network_in_the_open(address: str) -> None:
    with pytest.raises(ExportError, match="https"):
        exports.send([], address, "me", "secret")


def test_a_record_store_that_is_not_there(lrs: RecordStore) -> None:
    with pytest.raises(ExportError, match="cannot be reached"):
        exports.send([], "http://127.0.0.1:1/xapi", "me", "secret")


def run(*arguments: str, given: str = "", **environment: str) -> Any:
    return CliRunner().invoke(app, [*arguments], input=given, env=environment)


def test_the_commands(persona, database: str, lrs: RecordStore, tmp_path) -> None:
    at = ("--database", database)
    assert run("user", "add", "Béla", "--role", "trainee", *at, given="correct horse\n").exit_code == 0
    assert "already" in run("user", "add", "Béla", "--role", "trainer", *at, given="correct horse\n").output
    assert run("user", "list", *at).output == "Béla\ttrainee\n"
    assert "10 to 200" in run("user", "password", "Béla", *at, given="short\n").output
    assert run("user", "password", "Béla", *at, given="horse correct\n").exit_code == 0
    store = Store(database)
    bela = Accounts(store.database).verify("Béla", "horse correct")
    assert bela is not None
    assert bela.role is Role.TRAINEE

    assert "nothing to export" in run("export", *at).output
    call = reviewed(persona, store, owner=bela.owner)
    out = tmp_path / "calls.csv"
    assert run("export", "--format", "csv", "--out", str(out), *at).exit_code == 0
    assert "Béla" in out.read_text(encoding="utf-8")
    assert json.loads(run("export", call.transcript.id, *at).output)["overrides"][0]["reason"] == REASON
    assert "What the trainer says" in run("export", "--format", "markdown", *at).output
    assert json.loads(run("export", "--format", "xapi", *at).output)[0]["actor"]["name"] == "Béla"
    missing = run("export", "no-such-call", *at)
    assert (missing.exit_code, "no such call" in missing.output) == (1, True)
    unwritable = run("export", "--out", str(tmp_path / "no" / "folder.json"), *at)
    assert (unwritable.exit_code, "cannot be written" in unwritable.output) == (1, True)

    secret = {"DEFUSE_LRS_USER": "me", "DEFUSE_LRS_PASSWORD": "let me in"}
    sent = run("export", "--lrs", lrs.address, *at, **secret)
    assert sent.exit_code == 0, sent.output
    assert lrs.kept[0]["context"]["registration"] == call.transcript.id
    assert run("export", "--lrs", lrs.address, *at, **{**secret, "DEFUSE_LRS_PASSWORD": "no"}).exit_code == 1

    assert run("user", "remove", "Béla", *at).exit_code == 0
    assert "No accounts yet" in run("user", "list", *at).output
    assert "Béla" not in run("export", *at).output
