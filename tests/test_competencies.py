"""What each competency counts: the readings are given, the points follow."""

import pytest

from simulator.anger import Outcome
from simulator.coach import note
from simulator.competencies import RULES
from simulator.grade import grade
from simulator.judge import ScriptedJudge
from simulator.moves import Judgement, Move
from simulator.persona import Persona
from simulator.records import CallRecord, Said, recorded
from simulator.transcript import Transcript

M = Move
ASK = Judgement(present=(M.OPEN_QUESTION,))
PLAN = Judgement(present=(M.SOLUTION, M.SET_EXPECTATIONS))
UNDERSTOOD = Judgement(present=(M.SPECIFIC_EMPATHY,), acknowledged=("late-yarn",))
SPOILED = Judgement(present=(M.SPECIFIC_EMPATHY, M.DEFENSIVE), acknowledged=("late-yarn",))


def call(persona: Persona, *judgements: Judgement) -> Transcript:
    """A recorded call of replies that were judged so."""
    turns = [Said(role="customer", text=persona.opening)]
    for _ in judgements:
        turns += [Said(role="trainee", text="A reply."), Said(role="customer", text="Well.")]
    record = CallRecord(id="x", persona=persona.id, turns=tuple(turns))
    return recorded(record, persona, judgements, ScriptedJudge.name)


def points(persona: Persona, competency: str, *judgements: Judgement) -> float:
    """What such a call earns, before it is kept between 0 and 100."""
    transcript = call(persona, *judgements)
    replies = tuple((i, turn, turn.judgement, turn.reaction) for i, turn in transcript.replies)
    return RULES[competency](persona, replies)[0]  # type: ignore[arg-type]


def test_empathy_that_is_taken_back_counts_half(persona: Persona) -> None:
    whole = points(persona, "specific_empathy", UNDERSTOOD)
    assert points(persona, "specific_empathy", SPOILED) == 50, "all that was told was understood, and taken back"
    assert points(persona, "specific_empathy", SPOILED, UNDERSTOOD) == whole, "it counts whole once it stands"
    assert points(persona, "specific_empathy", UNDERSTOOD, Judgement(present=(M.GENERIC_SYMPATHY,))) < whole


def test_a_story_that_came_unasked_is_half_listened_to(persona: Persona) -> None:
    guess = Judgement(present=(M.SPECIFIC_EMPATHY,), acknowledged=("idle-knitters",))
    asked = Judgement(present=(M.SPECIFIC_EMPATHY, M.OPEN_QUESTION), acknowledged=("idle-knitters",))
    assert points(persona, "full_listening", asked) > points(persona, "full_listening", guess) > 0
    late = points(persona, "full_listening", PLAN, asked)
    assert 0 < late < points(persona, "full_listening", asked), "what comes after the first fix came late"
    restated = Judgement(present=(M.OPEN_QUESTION, M.RESTATEMENT))
    assert points(persona, "full_listening", restated) > points(persona, "full_listening", ASK)


@pytest.mark.parametrize("slip", [M.DEFENSIVE, M.BLAME, M.DISMISSIVE, M.CANNOT_DO])
def test_a_slip_weighs_less_in_a_longer_call_and_under_more_anger(persona: Persona, slip: Move) -> None:
    bad = Judgement(present=(slip,))
    short, long = points(persona, "composure", bad, ASK, ASK), points(persona, "composure", bad, *[ASK] * 9)
    assert short < long < 100
    furious = persona.model_copy(update={"temperament": persona.temperament.model_copy(update={"opening_anger": 10.0})})
    assert points(furious, "composure", bad, ASK, ASK) > short
    assert points(persona, "composure", ASK, PLAN) == 100


def test_what_comes_before_advice(persona: Persona) -> None:
    """A fix while the customer cannot hear it costs less after a question than as the first word."""
    first = points(persona, "empathy_first", PLAN)
    after_asking = points(persona, "empathy_first", ASK, PLAN)
    after_empathy = points(persona, "empathy_first", Judgement(present=(M.SPECIFIC_EMPATHY,)), PLAN)
    assert first < after_asking < after_empathy < 100
    assert points(persona, "empathy_first", UNDERSTOOD, ASK) == 100


def test_a_plan_that_came_too_early_is_worth_a_part(persona: Persona) -> None:
    early = points(persona, "way_forward", PLAN)
    calm = persona.model_copy(update={"temperament": persona.temperament.model_copy(update={"hears_advice_at": 9.0})})
    assert 0 < early < points(calm, "way_forward", PLAN) < 100
    owned = Judgement(present=(M.OWNERSHIP, *PLAN.present))
    assert points(calm, "way_forward", owned) == 100
    assert points(calm, "way_forward", owned, Judgement(present=(M.OVERPROMISE,))) < 100


def test_on_a_recording_whoever_heard_a_plan_out_is_not_lost(persona: Persona) -> None:
    rude = Judgement(present=(M.DISMISSIVE,))
    assert call(persona, rude, rude).outcome is Outcome.LOST
    assert call(persona, rude, PLAN).outcome is Outcome.PLACATED
    assert call(persona, PLAN, rude, rude, rude).outcome is Outcome.LOST
    assert call(persona, rude, PLAN.model_copy(update={"uncertain": True})).outcome is Outcome.LOST


def test_what_cannot_be_told_for_sure_earns_nothing(persona: Persona) -> None:
    unsure = UNDERSTOOD.model_copy(update={"uncertain": True})
    assert points(persona, "specific_empathy", unsure) == 0
    assert points(persona, "full_listening", unsure) == points(persona, "full_listening", Judgement())


def test_on_a_recording_what_the_last_reply_ended_is_lost(persona: Persona) -> None:
    """In the call itself the customer hung up then; nobody on the recording talked on either."""
    easy = persona.temperament.model_copy(update={"hears_advice_at": 9.0, "patience": 4})
    calm = persona.model_copy(update={"temperament": easy})
    ended = next(
        call(calm, *[Judgement()] * n) for n in range(1, 30) if call(calm, *[Judgement()] * n).outcome is Outcome.LOST
    )
    assert ended.outcome is Outcome.LOST
    talked_on = call(calm, *[Judgement()] * (len(ended.replies) + 1))
    assert talked_on.outcome is Outcome.PLACATED, "people who talked on"


def test_a_greeting_earns_nothing_and_understanding_before_the_first_word_does(persona: Persona) -> None:
    def greeted(judgement: Judgement) -> Transcript:
        turns = (
            Said(role="trainee", text="Hello, how can I help?"),
            Said(role="customer", text=persona.opening),
            Said(role="trainee", text="What happened?"),
        )
        record = CallRecord(id="x", persona=persona.id, turns=turns)
        return recorded(record, persona, [judgement, ASK], ScriptedJudge.name)

    card = grade(persona, greeted(ASK))
    assert {mark.turn for mark in card.evidence} == {2}
    assert card.competencies == grade(persona, call(persona, ASK)).competencies
    assert greeted(ASK).turns[0].anger == persona.temperament.opening_anger
    assert grade(persona, greeted(UNDERSTOOD)).heard == ("late-yarn",)


def test_a_call_without_fault_has_no_moment(persona: Persona) -> None:
    every = [Judgement(present=(M.SPECIFIC_EMPATHY, M.PROBE_UNSAID), acknowledged=(p.id,)) for p in persona.story]
    plan = Judgement(present=(M.OWNERSHIP, M.SOLUTION, M.SET_EXPECTATIONS))
    assert grade(persona, call(persona, *every, plan)).moment is None
    left_lying = grade(persona, call(persona, Judgement(), *every, plan)).moment
    assert left_lying is not None
    assert left_lying.turn == 1


def test_no_offer_is_neither_praised_nor_told_to_wait(persona: Persona) -> None:
    advice = grade(persona, call(persona, UNDERSTOOD)).competencies["empathy_first"].advice
    assert "offers came" not in advice
    canned = (
        grade(persona, call(persona, Judgement(present=(M.GENERIC_SYMPATHY,)))).competencies["empathy_first"].advice
    )
    assert "same offer" not in canned


def test_every_quote_is_a_span_of_its_reply(persona: Persona) -> None:
    long = "You stood  there\nwith the yarn on order, " + "and waited, " * 30 + "and nobody rang."
    judgement = UNDERSTOOD.model_copy(update={"evidence": {M.SPECIFIC_EMPATHY: long}})
    turns = (Said(role="customer", text=persona.opening), Said(role="trainee", text=long))
    said = recorded(CallRecord(id="x", persona=persona.id, turns=turns), persona, [judgement], ScriptedJudge.name)
    marks = grade(persona, said).evidence
    assert {mark.competency for mark in marks} >= {"specific_empathy", "composure"}
    for mark in marks:
        assert mark.quote in long
        assert 100 < len(mark.quote) <= 160


def test_what_cost_something_is_said_even_of_an_unsure_reading(persona: Persona) -> None:
    blamed = call(persona, Judgement(present=(M.BLAME,), uncertain=True)).turns[1]
    told = note(blamed)
    assert told is not None
    assert "nothing came of it" not in told.why
    unsure = note(call(persona, UNDERSTOOD.model_copy(update={"uncertain": True})).turns[1])
    assert unsure is not None
    assert "nothing came of it" in unsure.why
