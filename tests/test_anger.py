"""The invariant of anger, as properties over random customers, states and judgements."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.anger import FURY, Ending, Outcome, Rule, State, floor, opening_state, react
from simulator.moves import LISTENING_BREAKS, MOVES, Judgement, Move
from simulator.persona import Layer, Persona, Told

M = Move
NAMES = ("a", "b", "c", "d", "e")


@st.composite
def personas(draw: st.DrawFn, triggers: bool = True) -> Persona:
    """Any customer with one to five story points."""
    count = draw(st.integers(1, 5))
    told = [Told.OPENING, *(draw(st.sampled_from(Told)) for _ in range(count - 1))]
    story = [
        {
            "id": NAMES[i], "layer": draw(st.sampled_from(Layer)).value, "told": told[i].value, "fact": "f",
            "feeling": "g", "because": "h", "weight": draw(st.floats(0.1, 10)), "says": ["s"],
        }
        for i in range(count)
    ]  # fmt: skip
    set_off = draw(st.lists(st.sampled_from(MOVES), max_size=2)) if triggers else []
    return Persona.model_validate(
        {
            "schema": 1, "id": "x", "name": "X", "headline": "h", "role": "r", "company": "c", "trainee_role": "t",
            "channel": "phone", "briefing": "b", "difficulty": 1, "voice": {"style": "s", "samples": ["a", "b"]},
            "temperament": {
                "opening_anger": draw(st.floats(0, 10)), "volatility": draw(st.floats(0.5, 2)),
                "forgiveness": draw(st.floats(0.5, 2)), "patience": draw(st.integers(1, 6)),
                "hears_advice_at": draw(st.floats(0, 10)),
            },
            "opening": "o", "story": story, "resolution": {"needs": ["n"], "won_over_by": "w"},
            "endings": {"lost": "l", "placated": "p", "retained": "r", "won_over": "w"},
            "triggers": [{"move": move.value, "rise": draw(st.floats(0.1, 5)), "because": "b"} for move in set_off],
        }
    )  # fmt: skip


@st.composite
def judgements(draw: st.DrawFn) -> Judgement:
    """Any judgement, likely or not."""
    present = draw(st.sets(st.sampled_from(MOVES)))
    if {M.SPECIFIC_EMPATHY, M.GENERIC_SYMPATHY} <= present:
        present.discard(draw(st.sampled_from([M.SPECIFIC_EMPATHY, M.GENERIC_SYMPATHY])))
    points = draw(st.lists(st.sampled_from([*NAMES, "no-such-point"]), unique=True))
    return Judgement(present=tuple(present), acknowledged=tuple(points), uncertain=draw(st.booleans()))


calls = st.tuples(personas(), st.lists(judgements(), min_size=1, max_size=8))


def steps(persona: Persona, replies: list[Judgement]):
    """Each (state before, judgement, state after, reaction) of a call, until it ends."""
    state = opening_state(persona)
    for judgement in replies:
        if state.ending is not None:
            return
        after, reaction = react(persona, state, judgement)
        yield state, judgement, after, reaction
        state = after


@given(calls)
def test_anger_stays_between_0_and_10(call):
    for _, _, after, _ in steps(*call):
        assert 0 <= after.anger <= FURY


@given(calls)
def test_never_falls_without_certain_specific_empathy(call):
    for before, judgement, after, _ in steps(*call):
        if after.anger < before.anger:
            assert judgement.has(M.SPECIFIC_EMPATHY)
            assert not judgement.uncertain


@given(calls)
def test_never_falls_on_a_reply_that_breaks_listening(call):
    persona, _ = call
    for before, judgement, after, _ in steps(*call):
        early = judgement.has(M.SOLUTION) and before.anger > persona.temperament.hears_advice_at
        if early or judgement.has(*LISTENING_BREAKS):
            assert after.anger >= before.anger


@given(calls)
def test_never_falls_under_the_floor_of_what_is_unheard(call):
    persona, _ = call
    for before, _, after, _ in steps(*call):
        assert after.anger >= min(before.anger, floor(persona, after.heard)) - 1e-9


@given(calls)
def test_nobody_is_calm_before_the_whole_story_is_heard(call):
    """Neither empathy alone nor listening alone, nor both without what is unsaid."""
    persona, _ = call
    for before, _, after, _ in steps(*call):
        if after.anger < Rule.CALM_UNDER <= before.anger:
            assert set(after.heard) == {point.id for point in persona.story}


@given(calls)
def test_same_inputs_same_result(call):
    assert list(steps(*call)) == list(steps(*call))


@given(calls)
def test_the_audit_adds_up(call):
    """What the causes say is what happened, but for the two ends and the floor."""
    for before, _, after, reaction in steps(*call):
        said = before.anger + sum(cause.change for cause in reaction.causes)
        if after.anger not in (0.0, FURY) and abs(after.anger - reaction.floor) > 1e-9:
            assert after.anger == pytest.approx(said) or after.anger == before.anger


@given(calls)
def test_only_listening_lowers_the_floor(call):
    persona, _ = call
    for before, judgement, after, _ in steps(*call):
        if floor(persona, after.heard) < floor(persona, before.heard):
            assert set(after.heard) - set(before.heard) <= set(judgement.acknowledged)
            assert not judgement.has(*LISTENING_BREAKS)


@given(personas(), judgements())
def test_volatility_scales_every_rise(persona, judgement):
    def rises(volatility: float) -> float:
        temper = persona.temperament.model_copy(update={"volatility": volatility})
        one = persona.model_copy(update={"temperament": temper})
        reaction = react(one, opening_state(one), judgement).reaction
        return sum(cause.change for cause in reaction.causes if cause.change > 0)

    assert rises(2.0) == pytest.approx(4 * rises(0.5))


@given(personas(), judgements())
def test_forgiveness_scales_every_fall(persona, judgement):
    def falls(forgiveness: float) -> float:
        temper = persona.temperament.model_copy(update={"forgiveness": forgiveness})
        one = persona.model_copy(update={"temperament": temper})
        reaction = react(one, opening_state(one), judgement).reaction
        return sum(cause.change for cause in reaction.causes if cause.change < 0)

    assert falls(2.0) == pytest.approx(4 * falls(0.5))


def of(*moves: Move, heard: tuple[str, ...] = (), uncertain: bool = False) -> Judgement:
    return Judgement(present=moves, acknowledged=heard, uncertain=uncertain)


@pytest.mark.parametrize(
    ("judgement", "change"),
    [
        (of(M.GENERIC_SYMPATHY), 0.5),
        (of(M.SOLUTION), 1.0),
        (of(M.DEFENSIVE), 1.5),
        (of(M.BLAME), 2.5),  # 1.5 and this customer's own trigger of 1
        (of(M.DISMISSIVE), 1.5),
        (of(M.CANNOT_DO), 1.2),
        (of(M.OVERPROMISE), 0.8),
        (of(M.CLOSED_QUESTION), 0.4),
        (of(M.CLOSED_QUESTION, M.OPEN_QUESTION), 0),
        (of(M.OPEN_QUESTION), 0),
        (of(M.RESTATEMENT, heard=("late-yarn",)), 0),
        (of(M.OWNERSHIP), 0),
        (of(M.SPECIFIC_EMPATHY, heard=("late-yarn",)), -7 / 6),  # 1.5 by weight, stopped by the floor
        (of(M.SPECIFIC_EMPATHY, M.SOLUTION, heard=("late-yarn",)), 0.5),  # half, for it understood first
        (of(M.SPECIFIC_EMPATHY, heard=("late-yarn",), uncertain=True), 0),
    ],
)
def test_what_one_first_reply_does(persona, judgement, change):
    reaction = react(persona, opening_state(persona), judgement).reaction
    assert reaction.change == pytest.approx(change)


def test_canned_sympathy_costs_more_each_time(persona):
    state, costs = opening_state(persona), []
    for _ in range(2):
        state, reaction = react(persona, state, of(M.GENERIC_SYMPATHY))
        costs.append(reaction.change)
    assert costs == pytest.approx([0.5, 0.75])


def test_the_same_point_again_moves_less(persona):
    state = State(anger=7, told=("late-yarn", "idle-knitters"), heard=("idle-knitters",))
    met = of(M.SPECIFIC_EMPATHY, heard=("late-yarn",))
    state, first = react(persona, state, met)
    _, second = react(persona, state, met)
    assert first.change < second.change < 0


def test_the_story_comes_out_in_order_and_only_when_drawn_out(persona):
    state = opening_state(persona)
    state, reaction = react(persona, state, of(M.OWNERSHIP))
    assert reaction.reveals is None
    state, reaction = react(persona, state, of(M.OPEN_QUESTION))
    assert reaction.reveals == "idle-knitters"
    state, reaction = react(persona, state, of(M.OPEN_QUESTION))
    assert reaction.reveals is None  # nothing was met with empathy yet
    state, reaction = react(persona, state, of(M.SPECIFIC_EMPATHY, heard=("late-yarn", "idle-knitters")))
    assert reaction.reveals == "picked-borderway"
    state, reaction = react(persona, state, of(M.PROBE_UNSAID))
    assert reaction.reveals == "last-order"


def test_the_unsaid_stays_unsaid_while_too_angry(persona):
    _, reaction = react(
        persona, State(anger=9, told=("late-yarn", "idle-knitters", "picked-borderway")), of(M.PROBE_UNSAID)
    )
    assert reaction.reveals is None


def test_patience_runs_out_also_at_the_top_of_the_scale(persona):
    state = State(anger=10, told=("late-yarn",))
    for _ in range(3):
        assert state.ending is None
        state, _ = react(persona, state, of(M.DEFENSIVE))
        if state.ending:
            break
    assert state.ending is Ending.HUNG_UP
    assert state.outcome is Outcome.LOST
    with pytest.raises(ValueError, match="ended"):
        react(persona, state, of(M.OPEN_QUESTION))


def expert(persona: Persona):
    """What the method asks for, reply by reply."""
    yield of(M.OPEN_QUESTION)
    yield of(M.SPECIFIC_EMPATHY, M.OPEN_QUESTION, heard=("late-yarn", "idle-knitters"))
    yield of(M.SPECIFIC_EMPATHY, M.OWNERSHIP, heard=("picked-borderway",))
    yield of(M.PROBE_UNSAID)
    yield of(M.SPECIFIC_EMPATHY, heard=("last-order",))
    yield of(M.SOLUTION, M.SET_EXPECTATIONS)


def test_the_method_wins_the_customer_over(persona):
    state = opening_state(persona)
    for judgement in expert(persona):
        state, _ = react(persona, state, judgement)
    assert state.outcome is Outcome.WON_OVER
    assert state.anger <= 1


@pytest.mark.parametrize(
    "half",
    [
        of(M.OPEN_QUESTION, M.RESTATEMENT, heard=("late-yarn", "idle-knitters")),
        of(M.SPECIFIC_EMPATHY, heard=("late-yarn",)),
    ],
    ids=["listening without empathy", "empathy without listening"],
)
def test_neither_half_of_the_method_reaches_calm(persona, half):
    state = opening_state(persona)
    for _ in range(12):
        if state.ending is None:
            state, _ = react(persona, state, half)
    assert state.anger > 2


def test_a_settled_call_stays_open_for_one_more_question(persona):
    told = ("late-yarn", "idle-knitters", "picked-borderway")
    state = State(anger=3, told=told, heard=told, met=dict.fromkeys(told, 1), replies=4)
    offered, _ = react(persona, state, of(M.SOLUTION, M.SET_EXPECTATIONS))
    assert offered.settled
    assert offered.ending is None
    asked, reaction = react(persona, offered, of(M.PROBE_UNSAID))
    assert reaction.reveals == "last-order"
    assert asked.ending is None
    closed, _ = react(persona, offered, of())
    assert closed.outcome is Outcome.RETAINED
