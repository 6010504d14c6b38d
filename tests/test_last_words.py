"""What a customer takes away from a plan, and answers that answer: by the trainee's words, not by their kind alone."""

import random
from pathlib import Path

import pytest

from simulator import phrases, reactions
from simulator.anger import Cause, Landing, Outcome, Reaction, opening_state
from simulator.checks import words
from simulator.customer import Customer, written
from simulator.directive import Act, Directive, Mood, asks_if_right, next_directive
from simulator.freshness import fresh_wording
from simulator.models.scripted import ScriptedModel
from simulator.moves import Move
from simulator.persona import load_persona
from simulator.promised import Promise, Way, fixed, promised
from simulator.transcript import Role

CLOSE = Directive(act=Act.CLOSE, mood=Mood.CALM, landing=Landing.SETTLED, outcome=Outcome.RETAINED)
OPENING: tuple[Role, str] = ("customer", "My yarn was due last Tuesday.")
PERSONA = load_persona(Path(__file__).parents[1] / "personas" / "cable-no-show.yaml")


def said(directive: Directive, reply: str, *before: tuple[Role, str], wording: str = "") -> set[str]:
    lines = [OPENING, *before, ("trainee", reply)]
    return {one for seed in range(30) for one in written(directive, wording, lines, random.Random(seed))}


@pytest.mark.parametrize(
    ("text", "when", "way", "what"),
    [
        ("I'll put it right, and I ring you at four this afternoon.", "four this afternoon", Way.CALL, ""),
        ("I go through it with the fitters this afternoon, and call you by five.", "by five", Way.CALL, ""),
        ("Someone will call you back at four.", "four o'clock", Way.CALL, ""),
        ("You'll get an e-mail from me before noon on Friday.", "before noon on Friday", Way.MESSAGE, "e-mail"),
        ("I text you by half past three.", "by half past three", Way.MESSAGE, "text"),
        ("I'll send it to you in writing by Thursday noon.", "by Thursday noon", Way.WRITING, ""),
        ("A driver will be with you within the hour.", "within the hour", None, ""),
        ("Monday at ten I see the depot, and by noon you have from me a yes or a no.", "by noon", None, ""),
        ("I'll ring you as soon as I know.", "", Way.CALL, ""),
        # not promised
        ("You waited from ten to twelve, and nobody rang you at nine.", "", None, ""),
        ("It may take until Thursday.", "", None, ""),
        ("If it slips, I ring you before nine on Friday.", "", None, ""),
        ("I can't call you before Monday.", "", None, ""),
        ("Could we do Tuesday at ten?", "", None, ""),
        ("You need it by Friday, and you're worried.", "", None, ""),
        ("It ended at nine.", "", None, ""),
        ("I'll speak to the people at two sites.", "", None, ""),
        ("", "", None, ""),
    ],
)
def test_a_promise_is_read(text: str, when: str, way: Way | None, what: str) -> None:
    found = promised(text)
    assert (found.when, found.way, found.what) == (when, way, what)


def test_every_plan_of_the_trainees_holds_something() -> None:
    assert all(promised(plan).when and promised(plan).way for plan in phrases.WAY_FORWARD)


@pytest.mark.parametrize("outcome", [Outcome.PLACATED, Outcome.RETAINED, Outcome.WON_OVER])
def test_the_last_line_names_what_was_promised(outcome: Outcome) -> None:
    close = CLOSE.model_copy(update={"outcome": outcome})
    for line in said(close, "I put it right today, and I ring you at four."):
        assert "four" in line.lower()
        assert len(words(line)) <= 24
    led = said(close, "I put it right today, and I ring you at four.", wording="I can stand up with that.")
    assert all("four" in lead.lower() for lead in led)


def test_a_plan_that_holds_no_time_gets_a_sober_line() -> None:
    lines = said(CLOSE, "We repair it, and there might be a delay.")
    assert lines == set(reactions.lines(CLOSE))
    assert not any(fixed(line) for line in lines)


def test_a_time_is_said_back_once_and_no_other_is_named() -> None:
    plan: tuple[Role, str] = ("trainee", "I ring you at four.")
    later = CLOSE.model_copy(update={"landing": Landing.NOTHING})
    assert any("four" in line.lower() for line in said(later, "Goodbye.", plan, ("customer", "Yes, do that.")))
    again = said(later, "Goodbye.", plan, ("customer", "Four o'clock, then."))
    assert not any("four" in line.lower() for line in again)
    note = CLOSE.model_copy(update={"says": ("I will sit here until six.",)})
    assert fresh_wording(note, [OPENING, plan], 1) == "", "six was never said"
    assert fresh_wording(note, [OPENING, ("trainee", "I ring you by six.")], 1)


def test_a_lost_customer_holds_nobody_to_anything() -> None:
    lost = CLOSE.model_copy(update={"outcome": Outcome.LOST})
    assert reactions.held(lost, Promise(when="noon", at="at noon"), leading=False) == ()


@pytest.mark.parametrize(
    "kind", [Promise(when=w, at=w, way=way, what="text") for w in ("", "noon") for way in [None, *Way]]
)
@pytest.mark.parametrize("act", [Act.ACCEPT, Act.CLOSE])
def test_every_promise_has_words(kind: Promise, act: Act) -> None:
    directive = CLOSE.model_copy(update={"act": act, "outcome": None if act is Act.ACCEPT else Outcome.WON_OVER})
    for leading in (True, False):
        lines = reactions.held(directive, kind, leading=leading)
        assert bool(lines) is bool(kind.kind)
        assert not any("{" in line or ". ." in line for line in lines)


@pytest.mark.parametrize(
    ("reply", "begins"),
    [
        ("Is there anything else on your mind?", ("No", "Nothing", "There's nothing")),
        ("Does that work for you?", ("If it's kept, yes", "For now, yes", "It'll do, yes", "Yes", "I'd say so, yes")),
    ],
)
def test_a_last_question_is_answered_first(reply: str, begins: tuple[str, ...]) -> None:
    close = CLOSE.model_copy(update={"landing": Landing.INTERROGATED})
    assert all(line.startswith(begins) for line in said(close, reply, ("trainee", "I ring you at four.")))


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("All right, I have that down. Have I got that right?", True),
        ("So the van never came. Is that how it was?", True),
        ("You're angry, is that right?", True),
        ("Am I right in thinking it was Tuesday?", True),
        ("Did I get that right? And what has it done to your day?", False),
        ("What is your postcode?", False),
        ("Have I got that right. I think so.", False),
    ],
)
def test_a_check_is_told_from_other_questions(text: str, asks: bool) -> None:
    assert asks_if_right(text) is asks


def test_a_check_before_an_invitation_gets_its_yes_when_the_story_follows() -> None:
    reply = "So the van never came. Did I get that right? Go on, please. How did it end?"
    tell = Directive(
        act=Act.TELL, mood=Mood.ANNOYED, landing=Landing.ASKED, asked=True, point="p", says=("It snowed.",)
    )
    assert all(
        one.startswith(("Yes", "That's right", "Correct", "As far"))
        for one in reactions.answers(tell, reply, leading=True)
    )
    assert reactions.answers(tell, reply, leading=True)
    assert reactions.answers(tell, reply, leading=False) == (), "a bare yes would leave the question standing"
    back = tell.model_copy(update={"act": Act.INSIST})
    assert all(one.endswith(reactions.leads(back)) for one in reactions.answers(back, reply, leading=True))
    early = tell.model_copy(update={"act": Act.REACT, "landing": Landing.TOO_EARLY, "says": ()})
    checked = "So the van never came. Did I get that right? Help me understand what it meant."
    assert reactions.answers(early, checked, leading=False), "who checks has hardly come with a plan"
    planned = "Did I get that right? Then I refund you today. You have it by six."
    assert reactions.answers(early, planned, leading=False) == ()


@pytest.mark.parametrize("mood", [Mood.FURIOUS, Mood.ANGRY, Mood.CALM])
@pytest.mark.parametrize("landing", [Landing.RESTATED, Landing.HEARD_AGAIN, Landing.NOTHING])
@pytest.mark.parametrize(("act", "wording"), [(Act.REACT, ""), (Act.INSIST, "Not one call."), (Act.PRESS, "")])
def test_a_check_gets_a_yes(mood: Mood, landing: Landing, act: Act, wording: str) -> None:
    directive = Directive(act=act, mood=mood, landing=landing)
    yes = {"yes", "right", "correct", "suppose", "so", "about"}
    for line in said(directive, "All right, I have that down. Have I got that right?", wording=wording):
        assert yes & set(words(line)[:8]), line


def test_asked_for_more_when_all_is_told_says_so_before_it_presses() -> None:
    press = Directive(act=Act.PRESS, mood=Mood.ANNOYED, landing=Landing.ASKED, asked=True)
    assert all(
        line.startswith(reactions.answers(press, "", leading=True))
        for line in said(press, "What other trouble has this made for you?")
    )


def test_a_plan_after_the_whole_story_is_not_called_deaf() -> None:
    known = Directive(act=Act.REACT, mood=Mood.FURIOUS, landing=Landing.TOO_EARLY, story_out=True)
    early = known.model_copy(update={"story_out": False})
    for directive in (known, early):
        for mood in (Mood.FURIOUS, Mood.ANGRY, Mood.CALM):
            lines = reactions.lines(directive.model_copy(update={"mood": mood}))
            assert not any("listen" in line.lower() for line in lines)
    assert not any("half of it" in line for line in reactions.lines(known))
    assert any("half of it" in line for line in reactions.lines(early))


def test_a_refused_probe_hedges_before_an_old_point() -> None:
    probed = Directive(act=Act.INSIST, mood=Mood.ANGRY, landing=Landing.PROBED, asked=True)
    asked = probed.model_copy(update={"landing": Landing.ASKED})
    assert not set(reactions.leads(probed)) & set(reactions.leads(asked))
    assert not any("comes down to" in lead for lead in (*reactions.leads(probed), *reactions.leads(asked)))


@pytest.mark.parametrize(("landing", "word"), [(Landing.CANNED, "words"), (Landing.DEFENDED, "excuse")])
def test_who_hangs_up_answers_what_was_said(landing: Landing, word: str) -> None:
    gone = Directive(act=Act.HANG_UP, mood=Mood.FURIOUS, landing=landing, outcome=Outcome.LOST)
    assert any(word in line.lower() for line in reactions.lines(gone))
    assert set(reactions.lines(gone)) != set(reactions.lines(gone.model_copy(update={"landing": Landing.ASKED})))
    quoting = gone.model_copy(update={"quote": "that is not what happened"})
    assert any("hat is not what happened”" in line for line in said(quoting, "That is not what happened."))


def test_a_brisk_fix_is_taken_as_a_fix() -> None:
    def landed(dismissal: str) -> Landing | None:
        causes = (
            Cause(rule="a fix too early", change=1, move=Move.SOLUTION, quote="We'll have it done."),
            Cause(rule="dismissal", change=1, move=Move.DISMISSIVE, quote=dismissal),
        )
        reaction = Reaction(before=7, after=9, floor=2, landing=Landing.DISMISSED, causes=causes, too_early=True)
        return next_directive(PERSONA, opening_state(PERSONA), reaction).landing

    assert landed("We'll have it done.") is Landing.TOO_EARLY
    assert landed("Calm down.") is Landing.DISMISSED


def test_the_whole_customer_says_it_back() -> None:
    lines = [OPENING, ("trainee", "I ring you at four.")]
    for seed in range(9):
        line = Customer(ScriptedModel(), writes=False).speak(PERSONA, lines, CLOSE, (), seed).text
        assert "four" in line.lower()
