"""What the customer comes back to, and in which words, follows from what both have said."""

import pytest

from simulator import reactions
from simulator.anger import Landing, Outcome, State, react
from simulator.directive import Act, Directive, Mood
from simulator.freshness import directed, fresh_wording
from simulator.moves import Judgement, Move
from simulator.persona import Persona
from simulator.transcript import Role

M = Move
Lines = list[tuple[Role, str]]


def _next(persona: Persona, state: State, judgement: Judgement, lines: Lines) -> Directive:
    return directed(persona, *react(persona, state, judgement), lines)


def test_it_comes_back_to_a_point_only_while_there_is_something_left_to_say(persona: Persona) -> None:
    state = State(anger=7, told=("late-yarn", "idle-knitters"))
    canned = Judgement(present=(M.GENERIC_SYMPATHY,))
    lines: Lines = [("customer", persona.opening), ("trainee", "Sorry about that.")]
    named = _next(persona, state, canned, lines)
    assert named.act is Act.INSIST
    assert named.point is not None
    said = " ".join(persona.point(named.point).says)
    other = _next(persona, state, canned, [("customer", said), ("trainee", "Sorry about that.")])
    assert (other.act, other.point) == (Act.INSIST, ({*state.told} - {named.point}).pop())
    every = " ".join(wording for point in state.told for wording in persona.point(point).says)
    spent = _next(persona, state, canned, [("customer", every), ("trainee", "Sorry about that.")])
    assert (spent.act, spent.point, spent.says) == (Act.INSIST, None, ())


@pytest.mark.parametrize("point", ["late-yarn", "idle-knitters"])
def test_it_comes_back_first_to_what_is_being_talked_about(persona: Persona, point: str) -> None:
    state = State(anger=7, told=("late-yarn", "idle-knitters"))
    reply = f"So {persona.point(point).fact}, then."
    for replies in range(4):
        at = state.model_copy(update={"replies": 2 * replies})
        lines: Lines = [("customer", "It goes on."), ("trainee", reply)]
        assert _next(persona, at, Judgement(present=(M.GENERIC_SYMPATHY,)), lines).point == point


def test_who_kept_the_rest_back_does_not_complain_that_it_is_not_known(persona: Persona) -> None:
    state = State(anger=7, told=("late-yarn",))
    plan = Judgement(present=(M.SOLUTION,))
    refusals = (
        "I don't see why I should tell you more.",
        "this alone will do. Six women sit there.",
        "That's none of your business.",
    )
    for line, known in (
        *((refusal, True) for refusal in refusals),
        *((line, False) for line in ("It is Tuesday again.", "It comes back to this. Six women sit there.")),
    ):
        directive = _next(persona, state, plan, [("customer", line), ("trainee", "I'll send it tomorrow.")])
        assert directive.landing is Landing.TOO_EARLY
        assert directive.story_out is known
        assert any("half of it" in one for one in reactions.lines(directive)) is not known


@pytest.mark.parametrize(
    ("line", "demanded"),
    [
        ("Can you help me with this, yes or no?", True),
        ("So what are you going to do about it?", True),
        ("I need a firm day.", True),
        ("When will something be done?", True),
        ("Could we deal with this first, please?", True),
        ("I don't want a hotline. It does not help.", False),
        ("I'm not sure I want to go into it.", False),
        ("What happened to me should happen to nobody.", False),
        ("Six women sit at machines.", False),
    ],
)
def test_a_plan_that_was_asked_for_is_not_called_hasty(persona: Persona, line: str, demanded: bool) -> None:
    state = State(anger=7, told=("late-yarn",), replies=1)
    lines: Lines = [("customer", line), ("trainee", "I'll send it tomorrow.")]
    directive = _next(persona, state, Judgement(present=(M.SOLUTION,)), lines)
    hasty = ("quick", "fast", "hurry", "rush", "Not yet")
    found = (*reactions.lines(directive), *reactions.leads(directive))
    assert any(word in one for one in found for word in hasty) is not demanded


def test_a_feeling_is_not_admitted_for_a_reason_already_given() -> None:
    insist = Directive(
        act=Act.INSIST,
        mood=Mood.ANNOYED,
        landing=Landing.ASKED,
        point="p",
        says=("I feel like a crank. I took readings for a living and nobody opened them.",),
    )
    given: Lines = [("customer", "Readings I took for a living, and nobody opened them."), ("trainee", "What else?")]
    assert fresh_wording(insist, given, 1) == ""
    assert fresh_wording(insist, [("customer", "It is cold."), ("trainee", "What else?")], 1)


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("I'll tell the others to lease from here.", False),
        ("I'll send Kanta's sister to you.", False),
        ("I shall sleep tonight.", True),
        ("I'll tell you how it went.", True),
        ("I'll bring Joan.", True),
        ("That's settled.", True),
    ],
)
def test_nobody_sings_praises_for_a_promise(note: str, said: bool) -> None:
    close = Directive(act=Act.CLOSE, mood=Mood.CALM, outcome=Outcome.WON_OVER, says=(note,))
    lines: Lines = [
        ("customer", "The others lease from Kanta. Now I lease, with Joan."),
        ("trainee", "I ring you at four."),
    ]
    assert bool(fresh_wording(close, lines, 1)) is said
