"""Accounts: what is kept, who is let in, and what each role may reach, asked again at every step."""

import asyncio

import pytest
from argon2 import PasswordHasher
from sqlalchemy import text

from simulator.accounts import TRIES, TRIES_FROM, WAIT, AccountError, Accounts, Role, Throttle, accounts_of
from simulator.customer import Customer
from simulator.database import Database
from simulator.engine import Engine
from simulator.judge import ScriptedJudge
from simulator.models.scripted import ScriptedModel
from simulator.moves import Judgement
from simulator.people import names
from simulator.reviews import Reviews
from simulator.session import Call
from simulator.storage import Store, hashed
from simulator.ui.door import PEER, AccessError, Door
from simulator.ui.office import Office

PASSWORD = "correct horse"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same hash at its least cost: what it is to withstand is argon2's own business."""
    monkeypatch.setattr("simulator.accounts._hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def accounts(database: str) -> Accounts:
    made = Accounts(Database(database))
    made.add("Anna", Role.TRAINER, PASSWORD)
    made.add("Béla", Role.TRAINEE, PASSWORD + " battery")
    return made


def test_a_password_is_kept_as_an_argon2_hash(accounts: Accounts) -> None:
    anna = accounts.verify("Anna", PASSWORD)
    assert anna is not None
    assert anna.role is Role.TRAINER
    assert anna.secret.startswith("$argon2id$")
    with accounts._database.engine.connect() as connection:
        assert PASSWORD not in str(connection.execute(text("SELECT * FROM accounts")).all())
    assert accounts.verify("Anna", PASSWORD + " ") is None
    assert accounts.verify("anna", PASSWORD) is None
    assert accounts.verify("Nobody", PASSWORD) is None
    assert [account.name for account in accounts.all()] == ["Anna", "Béla"]


@pytest.mark.parametrize(
    ("name", "password", "message"),
    [
        ("", PASSWORD, "A name is"),
        ("a b", PASSWORD, "A name is"),
        ("<b>", PASSWORD, "A name is"),
        ("x" * 65, PASSWORD, "A name is"),
        ("Chi", "short", "10 to 200"),
        ("Chi", "x" * 201, "10 to 200"),
        ("Anna", PASSWORD, "already"),
    ],
)
def test_an_account_that_cannot_be_made(accounts: Accounts, name: str, password: str, message: str) -> None:
    with pytest.raises(AccountError, match=message):
        accounts.add(name, Role.TRAINEE, password)
    assert len(accounts.all()) == 2


def test_a_new_account_of_an_old_name_is_someone_else(accounts: Accounts) -> None:
    first = accounts.find("Anna")
    accounts.remove("Anna")
    accounts.add("Anna", Role.TRAINEE, PASSWORD)
    second = accounts.find("Anna")
    assert first is not None
    assert second is not None
    assert first.owner != second.owner
    assert names(accounts, [hashed(first.owner), hashed(second.owner)])[hashed(first.owner)].startswith("No account")
    for missing in (accounts.remove, lambda name: accounts.set_password(name, PASSWORD)):
        with pytest.raises(AccountError, match="no account Nobody"):
            missing("Nobody")


def test_after_five_wrong_passwords_a_name_waits() -> None:
    now = [0.0]
    throttle = Throttle(clock=lambda: now[0])
    for _ in range(TRIES):
        assert not throttle.waits("Anna")
        throttle.note("Anna", right=False)
    assert throttle.waits("Anna")
    assert not throttle.waits("Béla")
    now[0] = WAIT - 1
    assert throttle.waits("Anna")
    now[0] = WAIT
    assert not throttle.waits("Anna")
    throttle.note("Anna", right=True)
    throttle.note("Anna", right=False)
    assert not throttle.waits("Anna")


def test_the_door_refuses_even_the_right_password_while_a_name_waits(accounts: Accounts) -> None:
    door = Door(accounts, local=True)
    assert asyncio.run(door.admit("Anna", PASSWORD))
    for _ in range(TRIES):
        assert not asyncio.run(door.admit("Anna", "a wrong one"))
    assert not asyncio.run(door.admit("Anna", PASSWORD))
    assert asyncio.run(door.admit("Béla", PASSWORD + " battery"))


def from_address(door: Door, address: str, name: str, password: str) -> bool:
    async def asked() -> bool:
        PEER.set(address)
        return await door.admit(name, password)

    return asyncio.run(asked())


def test_many_names_tried_from_one_address_make_it_wait(accounts: Accounts) -> None:
    door = Door(accounts, local=False)
    for number in range(TRIES_FROM):
        assert not from_address(door, "203.0.113.7", f"name-{number}", "a wrong one")
        if number == TRIES_FROM - 2:
            assert from_address(door, "203.0.113.7", "Anna", PASSWORD), "not yet; and this clears nothing"
    assert not from_address(door, "203.0.113.7", "Anna", PASSWORD)
    assert from_address(door, "203.0.113.8", "Anna", PASSWORD), "only that address waits"


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", ""])
def test_an_address_that_everybody_may_share_never_waits(accounts: Accounts, address: str) -> None:
    door = Door(accounts, local=True)
    for number in range(TRIES_FROM + 1):
        assert not from_address(door, address, f"name-{number}", "a wrong one")
    assert from_address(door, address, "Anna", PASSWORD)


def test_the_role_is_that_of_the_account_now_and_never_of_the_browser(accounts: Accounts) -> None:
    door = Door(accounts, local=True)
    assert door.visitor("Anna", "f" * 64).role is Role.TRAINER
    assert door.visitor("Béla", "f" * 64).role is Role.TRAINEE
    assert door.visitor("Béla", "f" * 64).owner == accounts.find("Béla").owner, "not what the browser says it owns"
    for nobody in (None, "Nobody", 7):
        assert door.visitor(nobody, "f" * 64).owner is None
        assert not door.visitor(nobody, "f" * 64).trains
    accounts.remove("Anna")
    assert not door.visitor("Anna", "f" * 64).trains


@pytest.mark.parametrize("change", ["password", "removal"])
def test_a_changed_or_removed_account_loses_its_logins(accounts: Accounts, change: str) -> None:
    door = Door(accounts, local=True)
    asyncio.run(door.admit("Anna", PASSWORD))
    door.tokens = {"one": "Anna", "two": "Béla"}
    assert door.visitor("Anna", None).trains
    if change == "password":
        accounts.set_password("Anna", "another password")
    else:
        accounts.remove("Anna")
    assert not door.visitor("Anna", None).trains
    assert door.tokens == {"two": "Béla"}


def test_without_accounts_this_machine_is_its_own_trainer_and_a_network_has_none() -> None:
    assert Door(None, local=True).visitor(None, "f" * 64).trains
    assert not Door(None, local=False).visitor(None, "f" * 64).trains
    assert Door(None, local=True).visitor("Anna", "f" * 64).name is None


def test_only_a_trainer_reads_or_writes_a_review(persona, accounts: Accounts, database: str) -> None:
    store = Store(database)
    bela = accounts.find("Béla")
    assert bela is not None
    call = Call.begin(
        persona, Customer(ScriptedModel(["No."])), ScriptedJudge([Judgement()]), store=store, owner=bela.owner, seed=1
    )
    call.reply("Hello?")
    call.end()
    place = f"session/{call.transcript.id}"
    door, reviews = Door(accounts, local=True), Reviews(store.database)
    office = Office(reviews, {persona.id: persona}, accounts)
    form = {"subject": "overall", "now": "100", "reason": "I was good."}
    for trainee in (door.visitor("Béla", None), door.visitor("Nobody", None)):
        for where in ("review", place, "review/page=2"):
            with pytest.raises(AccessError, match="for trainers"):
                office.go(trainee, where)
        for kind in ("score", "move", "read"):
            refused = office.mark(trainee, place, kind, form)
            assert "for trainers" in str(refused.notice)
            assert refused.session is None
    assert reviews.open(call.transcript.id).overrides == ()
    assert reviews.open(call.transcript.id).readings == ()
    anna = door.visitor("Anna", None)
    assert "Béla" in str(office.go(anna, "review").review)
    assert "Trainer: 100 of 100" in str(office.mark(anna, place, "score", form).session)
    assert "Anna" in str(office.mark(anna, place, "read", {}).session)
    for broken in ({}, {"subject": "overall"}, {"subject": "blame:1", "turn": "x", "reason": "y"}):
        assert "Nothing was changed" in str(office.mark(anna, place, "move", broken).notice)


def test_where_accounts_are_kept(database: str, tmp_path) -> None:
    calls = Database(database)
    assert accounts_of("", calls) is None
    assert accounts_of("0", calls) is None
    beside = accounts_of(str(tmp_path / "accounts.db"), calls)
    within = accounts_of("1", calls)
    assert beside is not None
    assert within is not None
    beside.add("Anna", Role.TRAINER, PASSWORD)
    assert within.all() == ()


def test_nobody_could_log_in(database: str, monkeypatch) -> None:
    from simulator.ui.app import _accounts

    monkeypatch.setenv("DEFUSE_AUTH", "1")
    with pytest.raises(AccountError, match="defuse user add"):
        _accounts(Store(database))


def test_a_login_is_asked_for_before_anything_is_shown(persona, accounts: Accounts, database: str, tmp_path) -> None:
    """The whole app over HTTP: no page, no call and no event without a login; afterwards the role decides."""
    from fastapi.testclient import TestClient

    from simulator.ui.app import web_app

    engine = Engine(Customer(ScriptedModel(["No."])), ScriptedJudge([Judgement()]))
    web = web_app(engine, Store(database), {persona.id: persona}, Door(accounts, local=True), tmp_path)
    with TestClient(web.app) as client:
        assert "auth_required" in client.get("/").text
        assert client.get("/config").status_code == 401
        event = {"fn_index": 0, "data": [None, "", False], "session_hash": "s"}
        assert client.post("/gradio_api/queue/join", json=event).status_code == 401
        assert client.post("/login", data={"username": "Anna", "password": "wrong"}).status_code == 400
        assert client.post("/login", data={"username": "Anna", "password": PASSWORD}).status_code == 200
        assert client.get("/config").status_code == 200


def test_the_address_is_that_of_the_connection_whatever_a_header_says(persona, accounts, database, tmp_path) -> None:
    from fastapi.testclient import TestClient

    from simulator.ui.app import web_app

    engine = Engine(Customer(ScriptedModel(["No."])), ScriptedJudge([Judgement()]))
    web = web_app(engine, Store(database), {persona.id: persona}, Door(accounts, local=False), tmp_path)
    with TestClient(web.app, client=("203.0.113.7", 1)) as attacker:
        for number in range(TRIES_FROM):
            tried = {"username": f"name-{number}", "password": "a wrong one"}
            forged = {"x-forwarded-for": f"198.51.100.{number}", "forwarded": f"for=198.51.100.{number}"}
            assert attacker.post("/login", data=tried, headers=forged).status_code == 400
        right = {"username": "Anna", "password": PASSWORD}
        assert attacker.post("/login", data=right, headers={"x-forwarded-for": "198.51.100.99"}).status_code == 400
    with TestClient(web.app, client=("203.0.113.8", 1)) as somebody:
        assert somebody.post("/login", data=right).status_code == 200
