"""The scores that follow from moves as a trainer reads them: the same rule, offered only where it can be trusted."""

import re

import pytest

from simulator.customer import Customer
from simulator.judge import ScriptedJudge
from simulator.models.scripted import ScriptedModel
from simulator.moves import Judgement, Move
from simulator.persona import Persona
from simulator.regrade import regraded
from simulator.review import ReviewedCall
from simulator.reviews import Reviews
from simulator.session import Call
from simulator.storage import Store
from simulator.ui import scorecard, session

M = Move
MET = Judgement(present=(M.SPECIFIC_EMPATHY,), acknowledged=("late-yarn",))
ASKED = Judgement(present=(M.OPEN_QUESTION,))
DEFENDED = Judgement(present=(M.DEFENSIVE,))
UNSURE = Judgement(present=(M.RESTATEMENT,), acknowledged=("late-yarn",), uncertain=True)
Changes = tuple[tuple[int, Move, int], ...]


def played(persona: Persona, store: Store, *judgements: Judgement) -> str:
    customer = Customer(ScriptedModel(["Six women at machines with nothing on them, that is what."]))
    call = Call.begin(persona, customer, ScriptedJudge(judgements), store=store, owner="me", seed=1)
    for number, _ in enumerate(judgements):
        if not call.transcript.finished:
            call.reply(f"Reply {number}.")
    call.end()
    return call.transcript.id


def changed(store: Store, call_id: str, *changes: tuple[int, Move, int]) -> ReviewedCall:
    reviews = Reviews(store.database)
    for turn, move, now in changes:
        reviews.override(call_id, "Anna", turn, move.value, now, "because")
    return reviews.open(call_id)


@pytest.mark.parametrize(
    ("evaluator", "changes", "trainer"),
    [
        ((ASKED, DEFENDED, MET), ((3, M.DEFENSIVE, 0),), (ASKED, Judgement(), MET)),
        ((ASKED, DEFENDED), ((1, M.OPEN_QUESTION, 0), (3, M.RESTATEMENT, 1)), None),
        ((UNSURE, ASKED), ((1, M.SPECIFIC_EMPATHY, 1),), None),
        ((MET, ASKED), ((1, M.SPECIFIC_EMPATHY, 0), (1, M.GENERIC_SYMPATHY, 1)), None),
    ],
)
def test_a_call_is_graded_as_if_it_had_been_read_so(
    persona: Persona, database: str, evaluator: tuple[Judgement, ...], changes: Changes, trainer: object
) -> None:
    store = Store(database)
    call = changed(store, played(persona, store, *evaluator), *changes)
    read = list(evaluator)
    for turn, move, now in changes:
        before = read[turn // 2]
        present = {*before.present, move} if now else {*before.present} - {move}
        read[turn // 2] = before.model_copy(update={"present": tuple(m for m in M if m in present), "uncertain": False})
    assert trainer is None or read == list(trainer)
    as_if = Reviews(store.database).open(played(persona, store, *read)).scorecard
    again = regraded(persona, call)
    assert again is not None
    assert as_if is not None
    assert call.scorecard is not None
    assert again.overall == as_if.overall != call.scorecard.overall
    assert again.competencies == {name: each.score for name, each in as_if.competencies.items()}
    assert Reviews(store.database).open(call.transcript.id) == call, "nothing that is kept has changed"


def test_where_the_customer_would_have_hung_up_they_talked_on(persona: Persona, database: str) -> None:
    store = Store(database)
    call_id = played(persona, store, *[ASKED] * 6)
    every = [(turn, M.DISMISSIVE, 1) for turn in range(1, 13, 2)]
    again = regraded(persona, changed(store, call_id, *every))
    assert again is not None
    assert again.competencies["composure"] < 20, "each of the six counts"


def test_nothing_is_offered_where_no_move_is_changed_or_no_longer(persona: Persona, database: str) -> None:
    store = Store(database)
    call_id = played(persona, store, ASKED, DEFENDED)
    assert regraded(persona, changed(store, call_id)) is None
    Reviews(store.database).override(call_id, "Anna", None, "overall", 90, "because")
    assert regraded(persona, changed(store, call_id, (3, M.DEFENSIVE, 0))) is not None
    assert regraded(persona, changed(store, call_id, (3, M.DEFENSIVE, 1))) is None


def test_nothing_is_offered_when_the_persona_has_changed_since(persona: Persona, database: str) -> None:
    """The difference would be the author's, not the trainer's."""
    store = Store(database)
    call = changed(store, played(persona, store, ASKED, DEFENDED, MET), (3, M.DEFENSIVE, 0))
    story = (persona.story[0].model_copy(update={"weight": 3}), *persona.story[2:])
    other = persona.model_copy(update={"story": story})
    assert regraded(other, call) is None
    for shown in (session.page(call, other, "Bela"), session.page(call, None, "Bela")):
        assert "cannot be worked out" in shown
        assert "With your moves" not in shown
    assert "with the moves as" not in scorecard.scorecard(other, call, "Bela")


def test_the_score_stands_beside_the_original_and_can_be_given(persona: Persona, database: str) -> None:
    store = Store(database)
    call_id = played(persona, store, ASKED, DEFENDED, MET)
    assert "With your moves" not in session.page(changed(store, call_id), persona, "Bela")
    call = changed(store, call_id, (3, M.DEFENSIVE, 0))
    again = regraded(persona, call)
    assert again is not None
    assert call.scorecard is not None
    shown = session.page(call, persona, "Bela")
    row = re.search(r"<tr><th scope=\"row\">Overall</th>(.*?)</tr>", shown)
    assert row
    assert row.group(1).startswith(f"<td>{call.scorecard.overall:.0f}</td><td>{again.overall:.0f}</td><td>–</td>")
    card = scorecard.scorecard(persona, call, "Bela")
    assert f"<strong>{call.scorecard.overall:.0f}</strong>" in card
    assert f"<b>{again.overall:.0f} of 100</b> with the moves as the trainer reads them" in card
    form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', shown.partition("<details>")[0]))
    Reviews(store.database).override(call_id, "Anna", None, form["subject"], float(form["now"]), form["reason"])
    given = session.page(changed(store, call_id), persona, "Bela")
    assert f"Trainer: {again.overall:.0f} of 100" in given
    assert "which follows from your moves" not in given, "it is given"
