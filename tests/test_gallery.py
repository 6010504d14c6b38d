"""The gallery's head: which call it offers to go on with, and under whose name."""

import pytest

from simulator.persona import Persona
from simulator.storage import Store
from simulator.ui import gallery
from tests.test_ui import ME, OTHER, desk_of, taken


@pytest.fixture
def store(database: str) -> Store:
    return Store(database)


def test_the_unfinished_call_with_a_persona_that_left_the_library_is_offered(persona: Persona, store: Store) -> None:
    place = taken(desk_of(persona, store))
    shown = gallery.welcome({}, store.calls(ME))
    assert f"#/{place}" in shown
    assert persona.name in shown


def test_the_unfinished_call_is_offered_under_its_own_customers_name(persona: Persona, store: Store) -> None:
    taken(desk_of(persona, store))
    shown = gallery.welcome({persona.id: persona.model_copy(update={"name": "Edna Moss"})}, store.calls(ME))
    assert persona.name in shown
    assert "Edna Moss" not in shown


def test_a_call_of_an_earlier_version_is_offered_while_its_persona_is_there(persona: Persona, store: Store) -> None:
    taken(desk_of(persona, store))
    calls = [call.model_copy(update={"customer": None}) for call in store.calls(ME)]
    assert persona.name in gallery.welcome({persona.id: persona}, calls)
    assert "still open" not in gallery.welcome({}, calls)
    assert "still open" not in gallery.welcome({persona.id: persona}, store.calls(OTHER))
