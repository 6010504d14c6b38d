"""What the customer does next follows from the state and the reaction alone."""

import pytest

from simulator import own_words
from simulator.anger import Landing, State, opening_state, react
from simulator.directive import Act, Mood, mood_of, next_directive, opening_directive
from simulator.moves import Judgement, Move

M = Move
TOLD = ("late-yarn", "idle-knitters", "picked-borderway")


@pytest.mark.parametrize(
    ("anger", "mood"),
    [
        (0, Mood.CALM),
        (1.99, Mood.CALM),
        (2, Mood.WARY),
        (4, Mood.ANNOYED),
        (6, Mood.ANGRY),
        (8, Mood.FURIOUS),
        (9.5, Mood.ABOUT_TO_HANG_UP),
        (10, Mood.ABOUT_TO_HANG_UP),
    ],
)
def test_the_words_on_the_gauge(anger: float, mood: Mood) -> None:
    assert mood_of(anger) is mood


def test_the_opening_is_the_authors(persona) -> None:
    directive = opening_directive(persona, opening_state(persona))
    assert (directive.act, directive.says) == (Act.OPEN, (persona.opening,))


@pytest.mark.parametrize(
    ("state", "judgement", "act", "point"),
    [
        (State(anger=7, told=TOLD[:1]), Judgement(present=(M.OPEN_QUESTION,)), Act.TELL, "idle-knitters"),
        (State(anger=7, told=TOLD[:1]), Judgement(present=(M.GENERIC_SYMPATHY,)), Act.INSIST, "late-yarn"),
        (State(anger=7, told=TOLD[:1], replies=1), Judgement(present=(M.DEFENSIVE,)), Act.REACT, None),
        (
            State(anger=7, told=TOLD, heard=TOLD[:2], met=dict.fromkeys(TOLD[:2], 1)),
            Judgement(present=(M.SPECIFIC_EMPATHY,), acknowledged=("picked-borderway",)),
            Act.CONFIRM,
            None,
        ),
        (State(anger=3, told=TOLD, heard=TOLD), Judgement(present=(M.SOLUTION,)), Act.REACT, None),
        (State(anger=3, told=TOLD, heard=TOLD), Judgement(present=(M.OPEN_QUESTION,)), Act.PRESS, None),
        (State(anger=3, told=TOLD, heard=TOLD), Judgement(present=(M.SOLUTION, M.SET_EXPECTATIONS)), Act.ACCEPT, None),
        (State(anger=7, told=TOLD[:1], bad_in_a_row=2), Judgement(present=(M.DEFENSIVE,)), Act.HANG_UP, None),
        (State(anger=4, told=TOLD[:1], bad_in_a_row=2), Judgement(present=(M.DEFENSIVE,)), Act.MANAGER, None),
        (
            State(anger=3, told=TOLD, heard=TOLD, settled=True),
            Judgement(present=()),
            Act.CLOSE,
            None,
        ),
    ],
)
def test_what_comes_next(persona, state: State, judgement: Judgement, act: Act, point: str | None) -> None:
    after, reaction = react(persona, state, judgement)
    directive = next_directive(persona, after, reaction)
    assert (directive.act, directive.point) == (act, point)
    assert directive.mood is mood_of(after.anger)
    assert directive.last == (after.ending is not None)


def test_a_bare_note_of_the_story_is_answered_as_such_every_second_time(persona) -> None:
    out = (TOLD, TOLD[:2], dict.fromkeys(TOLD[:2], 1))

    def act(replies: int) -> Act:
        told, heard, met = out
        state = State(anger=7, told=told, heard=heard, met=met, replies=replies)
        return next_directive(persona, *react(persona, state, Judgement())).act

    assert [act(replies) for replies in range(1, 5)] == [Act.REACT, Act.INSIST] * 2


def test_every_landing_is_worded() -> None:
    from simulator.coach import _NOTES
    from simulator.prompts import DOES, LANDED

    assert set(LANDED) == set(Landing) == set(_NOTES)
    assert set(DOES) == set(Act) - {Act.OPEN}


def test_the_notes_give_the_customer_something_to_say(persona) -> None:
    """Needs when all is told, the feeling when it was met, the author's ending at the end; none of it is the trainee's."""
    out = State(anger=3, told=TOLD, heard=TOLD, met=dict.fromkeys(TOLD, 1))
    pressed = next_directive(persona, *react(persona, out, Judgement(present=(M.OPEN_QUESTION,))))
    assert pressed.says == own_words.needs(persona) != ()
    fresh = State(anger=7, told=TOLD, heard=TOLD[:2], met=dict.fromkeys(TOLD[:2], 1))
    met = Judgement(present=(M.SPECIFIC_EMPATHY,), acknowledged=("picked-borderway",))
    confirmed = next_directive(persona, *react(persona, fresh, met))
    assert set(own_words.felt(persona, persona.point("picked-borderway"))) < set(confirmed.says)
    settled = State(anger=3, told=TOLD, heard=TOLD, met=dict.fromkeys(TOLD, 1), settled=True, owned=True)
    after, reaction = react(persona, settled, Judgement())
    closed = next_directive(persona, after, reaction)
    assert closed.says == (), "a bare thank you is better said by a written line"
    waits = persona.endings.model_copy(update={"retained": "says that the van may come at any hour"})
    closed = next_directive(persona.model_copy(update={"endings": waits}), after, reaction)
    assert closed.says == ("The van may come at any hour.",)


def test_an_invitation_is_answered_with_what_was_not_met(persona) -> None:
    """Facts given back are not yet understood: asked on, the customer says what they felt like."""
    told = State(anger=7, told=TOLD[:2], heard=TOLD[:2], replies=2)
    reaction = react(persona, told, Judgement(present=(M.RESTATEMENT,))).reaction
    asked = next_directive(persona, told, reaction.model_copy(update={"reveals": None}))
    assert asked.act is Act.INSIST
    assert asked.point in TOLD[:2]
    assert own_words.admitted(persona, persona.point(asked.point)) in asked.says


@pytest.mark.parametrize(
    ("anger", "judgement", "taken_as", "quote"),
    [
        (7, ((M.CANNOT_DO, M.SOLUTION), "We cannot do that here."), Landing.TOO_EARLY, ""),
        (7, ((M.CANNOT_DO,), "We cannot do that here."), Landing.REFUSED, "We cannot do that here"),
        (0, ((M.CANNOT_DO,), "We cannot do that here."), Landing.REFUSED, ""),
        (7, ((M.CANNOT_DO,), "I have allowed a day, and there is no charge."), Landing.OVERPROMISED, ""),
        (7, ((M.CANNOT_DO,), ""), Landing.REFUSED, ""),
        (7, ((M.CLOSED_QUESTION,), "Did I get that right?"), Landing.NOTHING, ""),
        (7, ((M.CLOSED_QUESTION,), "What is your postcode?"), Landing.INTERROGATED, ""),
        (7, ((M.GENERIC_SYMPATHY, M.PROBE_UNSAID), "I have the feeling."), Landing.ASKED, ""),
        (7, ((M.SOLUTION, M.OPEN_QUESTION), "I look into it. What has it led to?"), Landing.ASKED, ""),
        (7, ((M.SPECIFIC_EMPATHY, M.SOLUTION, M.OPEN_QUESTION), "I look into it. And then?"), Landing.ASKED, ""),
        (7, ((M.SPECIFIC_EMPATHY, M.DEFENSIVE, M.OPEN_QUESTION), "It is our rule."), Landing.SPOILED, "It is our rule"),
    ],
)
def test_how_a_reply_is_taken(persona, anger, judgement, taken_as: Landing, quote: str) -> None:
    """The words answer what a person would hear in it, and throw nothing back when calm."""
    present, said = judgement
    state = State(anger=anger, told=TOLD, heard=TOLD[:1], met={TOLD[0]: 1}, replies=1)
    judged = Judgement(present=present, evidence=dict.fromkeys(present, said))
    directive = next_directive(persona, *react(persona, state, judged))
    assert (directive.landing, directive.quote) == (taken_as, quote)


def test_nobody_hangs_up_politely(persona) -> None:
    def last(note: str) -> tuple[str, ...]:
        endings = persona.endings.model_copy(update={"lost": note})
        angry = persona.model_copy(update={"endings": endings})
        state = State(anger=9, told=TOLD[:1], bad_in_a_row=2)
        return next_directive(angry, *react(angry, state, Judgement(present=(M.DEFENSIVE,)))).says

    assert last("thanks the trainee for their time and says that the ombudsman will write") == (
        "The ombudsman will write.",
    )
    assert last("says never mind and hangs up") == ()
    assert last("says thank you for nothing") == ("Thank you for nothing.",)
    assert last("wishes the agent a good day and cancels in writing") == ()
    assert last("wishes the agent a good conscience") == ("I wish you a good conscience.",)


def test_understood_and_asked_on_the_customer_says_something_else(persona) -> None:
    """Not the feeling that was just named, but what it was like, what nobody took in yet, and what is needed."""
    state = State(anger=7, told=TOLD, heard=TOLD[:2], met=dict.fromkeys(TOLD[:2], 1))
    judged = Judgement(present=(M.SPECIFIC_EMPATHY, M.OPEN_QUESTION), acknowledged=("picked-borderway",))
    asked = next_directive(persona, *react(persona, state, judged))
    assert asked.act is Act.CONFIRM
    assert asked.says == (*persona.point("picked-borderway").says, *own_words.needs(persona))


def test_a_secret_is_announced_also_to_who_understood(persona) -> None:
    state = State(anger=2, told=TOLD, heard=TOLD[:2], met=dict.fromkeys(TOLD[:2], 1))
    judged = Judgement(present=(M.SPECIFIC_EMPATHY, M.PROBE_UNSAID), acknowledged=("picked-borderway",))
    after, reaction = react(persona, state, judged)
    secret = next_directive(persona, after, reaction)
    assert (reaction.landing, secret.point, secret.landing) == (Landing.HEARD, "last-order", Landing.PROBED)


def test_what_is_no_secret_is_not_told_as_one(persona) -> None:
    """Asked what lies behind it, a customer who still has plain things to tell tells them plainly."""
    state = State(anger=3, told=TOLD[:1])
    after, reaction = react(persona, state, Judgement(present=(M.PROBE_UNSAID,)))
    plain = next_directive(persona, after, reaction)
    assert (reaction.landing, plain.act, plain.landing) == (Landing.PROBED, Act.TELL, Landing.ASKED)


def test_a_point_that_was_guessed_stays_untold(persona) -> None:
    """The feeling may be owned to; the author's words for what was not told yet are kept."""
    state = State(anger=7, told=TOLD[:1])
    guess = Judgement(present=(M.SPECIFIC_EMPATHY,), acknowledged=("picked-borderway",))
    after, reaction = react(persona, state, guess)
    untold = after.model_copy(update={"told": TOLD[:1]})
    confirmed = next_directive(persona, untold, reaction.model_copy(update={"reveals": None}))
    assert confirmed.act is Act.CONFIRM
    assert not set(confirmed.says) & set(persona.point("picked-borderway").says)


def test_restated_first_and_understood_then_is_confirmed(persona) -> None:
    state = State(anger=7, told=TOLD[:1], heard=TOLD[:1])
    after, reaction = react(persona, state, Judgement(present=(M.SPECIFIC_EMPATHY,), acknowledged=TOLD[:1]))
    confirmed = next_directive(persona, after, reaction.model_copy(update={"reveals": None}))
    assert set(own_words.felt(persona, persona.point(TOLD[0]))) <= set(confirmed.says) != set()
