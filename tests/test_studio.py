"""The Studio's plumbing without a browser: who may, what is kept, what is shown, and that nothing is trusted."""

import json
import re
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text as sql

from simulator.accounts import Role
from simulator.customer import Customer
from simulator.engine import Engine
from simulator.judge import ScriptedJudge
from simulator.models.scripted import ScriptedModel
from simulator.moves import Judgement, Move
from simulator.persona import MAX_BYTES, Persona
from simulator.rehearsal import CAST, MOST_REPLIES
from simulator.session import Call
from simulator.shelf import Customers, Shelf
from simulator.storage import StorageError, Store
from simulator.ui.door import Visitor
from simulator.ui.screen import CALL, SCORECARD, STUDIO, WHATIF, Screen
from simulator.ui.workshop import Workshop, open_workshop

HOSTILE = "<img src=x onerror=\"alert(1)\"></textarea></script> 'q'"


def visitor(letter: str, role: Role = Role.TRAINER) -> Visitor:
    return Visitor(name=None, owner=letter * 64 or None, role=role)


ME, OTHER, TRAINEE, NOBODY = visitor("a"), visitor("b"), visitor("c", Role.TRAINEE), visitor("")


@pytest.fixture
def workshop(tmp_path: Path, persona: Persona) -> Workshop:
    judge = ScriptedJudge((Judgement(present=(Move.GENERIC_SYMPATHY,)),))
    engine = Engine(Customer(ScriptedModel(["Six women at machines with nothing on them."])), judge)
    customers = Customers({persona.id: persona}, Shelf(tmp_path / "personas", {persona.id}))
    return open_workshop(tmp_path, customers, engine, CAST)


def wish(workshop: Workshop, who: Visitor, act: str, **more: Any) -> Screen:
    *_, last = workshop.handle(who, {"act": act, **more})
    return last


def key_of(screen: Screen) -> str:
    assert screen.page == STUDIO
    return str(screen.place).partition("/")[2]


def told(screen: Screen) -> dict[str, Any]:
    found = re.search(r'data-verdict="([^"]*)"', str(screen.verdict))
    assert found, screen
    return dict(json.loads(unescape(found.group(1))))


def copied(workshop: Workshop, who: Visitor = ME) -> str:
    return key_of(wish(workshop, who, "copy", which="late-pallet"))


def saved(workshop: Workshop, who: Visitor = ME) -> str:
    return key_of(wish(workshop, who, "save", key=copied(workshop, who)))


@pytest.mark.parametrize("who", [TRAINEE, NOBODY])
def test_only_trainers_write(workshop: Workshop, who: Visitor) -> None:
    key = saved(workshop)
    before = str(workshop.go(ME, ""))
    for act in ("new", "copy", "upload", "change", "save", "discard", "ask-discard", "remove", "call", "cast"):
        screen = wish(workshop, who, act, key=key, which="late-pallet", text="x", changes={"name": "Mallory"})
        assert "trouble" in str(screen.notice)
        assert screen.place is None
    assert "Rhona" not in str(workshop.go(who, key))
    assert "trainers" in str(workshop.go(TRAINEE, "").notice)
    assert str(workshop.go(ME, "")) == before


def test_form_and_yaml_are_in_step_and_kept_as_one_writes(workshop: Workshop) -> None:
    key = copied(workshop)
    verdict = told(wish(workshop, ME, "change", key=key, seq=7, changes={"name": "Ishbel", "temperament.patience": 9}))
    assert verdict["seq"] == 7
    assert "name: Ishbel" in verdict["yaml"]
    assert ["temperament.patience", "must be 6 or less", False] in verdict["faults"]
    screen = wish(workshop, ME, "yaml", key=key, text=verdict["yaml"].replace("Ishbel", "Morag").replace("9", "5"))
    assert 'value="Morag"' in str(screen.form)
    assert told(screen)["faults"] == []
    unreadable = wish(workshop, ME, "yaml", key=key, text="name: [")
    assert unreadable.form is None, "the form waits, as it was"
    assert told(unreadable)["readable"] is False
    assert "cannot be read at line 1" in str(unreadable.checks)
    assert told(workshop.go(ME, key))["yaml"] == "name: [", "a draft survives a reload as it was"


def test_a_saved_persona_can_be_called_and_its_id_stays(workshop: Workshop) -> None:
    key = saved(workshop)
    assert key == "late-pallet-2"
    assert workshop.own[key].name == "Rhona Mackie"
    verdict = told(wish(workshop, ME, "change", key=key, changes={"id": "another"}))
    assert verdict["faults"][0][0] == "id"
    assert "Not saved" in str(wish(workshop, ME, "save", key=key).notice)
    fresh = copied(workshop)
    verdict = told(wish(workshop, ME, "change", key=fresh, changes={"id": "late-pallet"}))
    assert "taken" in verdict["faults"][0][1]


def test_two_trainers_choose_between_their_versions(workshop: Workshop) -> None:
    key = saved(workshop)
    wish(workshop, ME, "change", key=key, changes={"company": "Mine Ltd"})
    wish(workshop, OTHER, "change", key=key, changes={"company": "Theirs Ltd"})
    assert wish(workshop, OTHER, "save", key=key).place == f"{STUDIO}/{key}"
    assert "Another trainer has saved" in str(workshop.go(ME, key).studio)
    conflict = wish(workshop, ME, "save", key=key)
    assert "Mine Ltd" in str(conflict.panel)
    assert "Theirs Ltd" in str(conflict.panel)
    assert workshop.own[key].company == "Theirs Ltd", "nothing is overwritten before the choice"
    version = re.search(r'data-version="(\w+)"', str(conflict.panel))
    assert version
    wish(workshop, OTHER, "change", key=key, changes={"company": "Theirs again"})
    wish(workshop, OTHER, "save", key=key)
    assert "Theirs again" in str(wish(workshop, ME, "over", key=key, which=version.group(1)).panel), (
        "only what was seen"
    )
    both = wish(workshop, ME, "copy-mine", key=key)
    assert told(both)["faults"] == []
    assert "Mine Ltd" in told(both)["yaml"]
    assert workshop.own[key].company == "Theirs again"


def test_removing_asks_and_spares_what_another_changed(workshop: Workshop) -> None:
    key = saved(workshop)
    assert "Remove it" in str(wish(workshop, ME, "ask-remove", key=key).panel)
    wish(workshop, ME, "change", key=key, changes={"company": "Mine Ltd"})
    wish(workshop, OTHER, "change", key=key, changes={"company": "Theirs Ltd"})
    wish(workshop, OTHER, "save", key=key)
    assert wish(workshop, ME, "remove", key=key).panel
    assert key in workshop.own
    wish(workshop, OTHER, "remove", key=key)
    assert key not in workshop.own


def test_discarding_asks_and_says_what_goes(workshop: Workshop) -> None:
    fresh = copied(workshop)
    assert 'data-act="ask-discard"' in str(workshop.go(ME, fresh).studio)
    assert 'data-act="discard"' not in str(workshop.go(ME, fresh).studio), "one click is not enough"
    asked = wish(workshop, ME, "ask-discard", key=fresh, changes={"company": "Mine Ltd"})
    assert "all that you wrote" in str(asked.panel)
    assert "Mine Ltd" in told(workshop.go(ME, fresh))["yaml"], "the question loses nothing"
    key = saved(workshop)
    wish(workshop, ME, "change", key=key, changes={"company": "Mine Ltd"})
    assert "what is saved stays" in str(wish(workshop, ME, "ask-discard", key=key).panel)
    wish(workshop, ME, "discard", key=key)
    assert "Mine Ltd" not in told(workshop.go(ME, key))["yaml"]
    assert key in workshop.own


@pytest.mark.parametrize("act", ["yaml", "add", "remove-entry", "move"])
def test_a_form_drawn_anew_is_marked_as_such(workshop: Workshop, act: str) -> None:
    key = copied(workshop)
    yaml = told(workshop.go(ME, key))["yaml"]
    more = {"text": yaml} if act == "yaml" else {"where": "story", "index": 0, "to": 1}
    forms = [str(wish(workshop, ME, act, key=key, **more).form) for _ in range(2)]
    marks = {mark for shown in forms for mark in re.findall(r'data-form="(\w+)"', shown)}
    assert len(marks) == 2, "even where nothing else differs"


def test_an_upload_is_bounded_and_may_be_wrong(workshop: Workshop) -> None:
    key = key_of(wish(workshop, ME, "upload", text="name: [\x00"))
    assert told(workshop.go(ME, key))["readable"] is False
    assert "kB" in str(wish(workshop, ME, "upload", text="ü" * MAX_BYTES).notice)
    assert str(workshop.go(ME, "").studio).count("Draft of") == 1


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "save",
        {"act": "rm"},
        {"act": "change", "key": "../../x"},
        {"act": "change", "key": "k", "changes": {"name": {"a": 1}}},
        {"act": "call", "key": "k", "anger": 99},
        {"act": "move", "key": "late-pallet", "where": "story", "index": 0, "to": 1},
    ],
)
def test_what_makes_no_sense_changes_nothing(workshop: Workshop, sent: object) -> None:
    (screen,) = workshop.handle(ME, sent)
    assert "trouble" in str(screen.notice)
    assert "Draft of" not in str(workshop.go(ME, "").studio)


def test_what_a_trainer_writes_is_never_markup(workshop: Workshop) -> None:
    key = copied(workshop)
    paths = ("name", "headline", "story.0.fact", "story.1.because", "briefing", "company", "opening")
    shown = wish(
        workshop, ME, "change", key=key, changes=dict.fromkeys(paths, HOSTILE) | {"voice.samples": [HOSTILE] * 2}
    )
    page = workshop.go(ME, key)
    panels = wish(workshop, ME, "try", key=key), wish(workshop, ME, "cast", key=key)
    everything = "".join(str(part) for part in (shown, page, *panels, workshop.go(ME, "")))
    assert "&lt;img" in everything
    assert "<img" not in everything
    assert "</script" not in everything


def test_a_test_drive_is_an_ordinary_call_that_counts_for_nothing(workshop: Workshop) -> None:
    key = copied(workshop)
    wish(workshop, ME, "change", key=key, changes={"name": "Ishbel Mackie"})
    call = wish(workshop, ME, "call", key=key, anger=4.5, told=["idle-knitters"])
    assert call.page == CALL
    place = str(call.place)
    assert place.startswith("drive/")
    assert "six women" in str(call.talk)
    assert f"#/studio/{key}" in str(call.head)
    wish(workshop, ME, "change", key=key, changes={"name": "Someone Else"})
    *_, last = workshop.desk.say(ME.owner, place, "We apologise.", True)
    assert "Ishbel" in str(last.talk), "the call stays what it was while its author writes on"
    ended = workshop.desk.end(ME.owner, place)
    assert ended.page == SCORECARD
    assert "Back to the Studio" in str(ended.scorecard)
    with pytest.raises(StorageError, match="no such call"):
        workshop.desk.at_a_call(OTHER.owner, place)
    with pytest.raises(StorageError, match="no such call"):
        workshop.desk.at_a_call(ME.owner, "drive/nothing")


@pytest.mark.parametrize("anger", [11, -0.5, None, "much"])
def test_a_test_drive_says_which_anger_it_takes(workshop: Workshop, anger: object) -> None:
    key = copied(workshop)
    refused = wish(workshop, ME, "call", key=key, anger=anger)
    assert "from 0 to 10" in str(refused.notice)
    assert refused.place is None


@pytest.mark.parametrize(("anger", "step"), [(7, "0.5"), (6.5, "0.5"), (7.25, "any")])
def test_a_browser_takes_the_persona_s_own_anger(workshop: Workshop, anger: float, step: str) -> None:
    key = copied(workshop)
    wish(workshop, ME, "change", key=key, changes={"temperament.opening_anger": anger})
    panel = str(wish(workshop, ME, "try", key=key).panel)
    assert f'min="0" max="10" step="{step}" value="{anger:g}" required' in panel


def test_a_test_drive_taken_again_shows_both_courses(workshop: Workshop) -> None:
    key, desk = copied(workshop), workshop.desk
    first = str(wish(workshop, ME, "call", key=key, anger=4.5).place)
    for text in ("We apologise.", "Your first words, a second time."):
        list(desk.say(ME.owner, first, text, True))
    ended = desk.end(ME.owner, first)
    again = desk.again(ME.owner, str(ended.place), "3")
    assert again.page == CALL
    assert "Again from reply 2" in str(again.head)
    assert f"#/studio/{key}" in str(again.head)
    list(desk.say(ME.owner, str(again.place), "We apologise again.", True))
    page = desk.end(ME.owner, str(again.place))
    assert page.page == WHATIF
    shown = str(page.whatif)
    assert shown.index("a second time") < shown.index("We apologise again.")
    assert shown.count("<polyline") == 2
    assert "Test drive" in shown
    assert desk.at_a_call(ME.owner, str(page.place)) == page, "a reload finds it"
    assert f"#/{page.place}" in str(desk.at_a_call(ME.owner, str(ended.place)).scorecard)
    places = {link.partition("/")[0] for link in re.findall(r'href="#/([^"]+)"', shown)}
    assert places == {"driven", "studio"}, "nothing leads to the calls that count, where it would not be found"
    third = desk.again(ME.owner, str(page.place), "3")
    assert str(third.place).startswith("drive/"), "and once more from there"
    with pytest.raises(StorageError):
        desk.at_a_call(OTHER.owner, str(page.place))


def test_what_was_said_in_old_test_drives_is_forgotten(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    key = copied(workshop)
    first = str(wish(workshop, ME, "call", key=key, anger=4.5).place)
    monkeypatch.setattr("simulator.drives.KEPT", timedelta(0))
    second = str(wish(workshop, ME, "call", key=key, anger=4.5).place)
    with pytest.raises(StorageError):
        workshop.desk.at_a_call(ME.owner, first)
    assert workshop.desk.at_a_call(ME.owner, second).page == CALL


def test_four_trainees_take_the_call_one_after_the_other(workshop: Workshop) -> None:
    key = copied(workshop)
    first, *_, last = workshop.handle(ME, {"act": "cast", "key": key})
    assert "data-waiting" in str(first.panel)
    for name in CAST:
        assert f"<h3>{name}</h3>" in str(last.panel)
    assert "data-waiting" not in str(last.panel)
    assert MOST_REPLIES > 4
    wish(workshop, ME, "change", key=key, changes={"temperament.patience": 9})
    assert "not whole yet" in str(wish(workshop, ME, "cast", key=key).notice)


def test_a_call_outlives_a_change_of_its_persona(workshop: Workshop, database: str) -> None:
    key = saved(workshop)
    heard = Judgement(present=(Move.SPECIFIC_EMPATHY,), acknowledged=("late-yarn", "idle-knitters"))
    engine = Engine(Customer(ScriptedModel(["That is it."])), ScriptedJudge((heard,)))
    store = Store(database)
    call = Call.begin(workshop.own[key], engine.customer, engine.judge, store=store, owner="me")
    call.reply("You must feel ignored, with six women idle.")
    wish(workshop, ME, "remove-entry", key=key, where="story", index=1)
    wish(workshop, ME, "save", key=key)
    changed = workshop.own[key]
    with store.database.engine.begin() as connection:  # as an earlier version stored it: without its customer
        connection.execute(sql("UPDATE calls SET customer = NULL"))
    again = Call.resume(
        lambda _: changed, engine.customer, engine.judge, store=store, owner="me", call_id=call.transcript.id
    )
    again.reply("And the order?")
    assert again.end().heard == ("late-yarn",)
