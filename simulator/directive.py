"""What the customer does next: drawn up from the state and the reaction, for a model to put into words.

Pure, like the rule of anger. The model that speaks is told the mood and the act; it decides neither.
"""

import re
from collections.abc import Collection
from enum import StrEnum

from simulator import own_words
from simulator.anger import Ending, Landing, Outcome, Reaction, Rule, State
from simulator.echo import SAYS_NO, thrown_back
from simulator.moves import Frozen, Move
from simulator.persona import Persona, Told


class Mood(StrEnum):
    """The words on the gauge."""

    CALM = "calm"
    WARY = "wary"
    ANNOYED = "annoyed"
    ANGRY = "angry"
    FURIOUS = "furious"
    ABOUT_TO_HANG_UP = "about to hang up"


MOOD_FROM = (
    (9.5, Mood.ABOUT_TO_HANG_UP),
    (8.0, Mood.FURIOUS),
    (6.0, Mood.ANGRY),
    (4.0, Mood.ANNOYED),
    (Rule.CALM_UNDER, Mood.WARY),
)
HOT = (Mood.FURIOUS, Mood.ABOUT_TO_HANG_UP)
COOL = (Mood.CALM, Mood.WARY)


def mood_of(anger: float) -> Mood:
    """The word for a level of anger, 0 to 10; each word covers the levels from its bound up."""
    return next((mood for bound, mood in MOOD_FROM if anger >= bound), Mood.CALM)


class Act(StrEnum):
    """What the customer's next line does."""

    OPEN = "open"  # the persona's opening, said as written
    TELL = "tell"  # bring out the story point that the directive names
    INSIST = "insist"  # come back to a point already told that nobody has taken in
    CONFIRM = "confirm"  # yes, that is it
    PRESS = "press"  # everything is told: and now?
    REACT = "react"  # answer what was just said, and nothing new
    ACCEPT = "accept"  # take the offer, for now
    HANG_UP = "hang_up"
    MANAGER = "manager"
    CLOSE = "close"  # the last line of a settled call, in the spirit of its outcome


class Directive(Frozen):
    """What to say next. `says` are wordings of what the line brings out, any of which will do; empty for none.

    They are of the story point `point`, or else what the persona's notes give the customer to say.
    """

    act: Act
    mood: Mood
    landing: Landing | None = None
    point: str | None = None
    says: tuple[str, ...] = ()
    outcome: Outcome | None = None
    guidance: str = ""  # the persona's own note on this ending
    quote: str = ""  # words of the trainee's to throw back
    asked: bool = False  # whether the trainee asked for more
    story_out: bool = False  # whether all that can be had is told: nobody can be blamed for not knowing more
    demanded: bool = False  # whether the customer itself has just asked for a way out

    @property
    def last(self) -> bool:
        """Whether the call ends with this line."""
        return self.act in (Act.HANG_UP, Act.MANAGER, Act.CLOSE)


def opening_directive(persona: Persona, state: State) -> Directive:
    """The customer speaks first, with the opening that the persona's author wrote."""
    return Directive(act=Act.OPEN, mood=mood_of(state.anger), says=(persona.opening,))


_GUIDED = {Ending.HUNG_UP: Act.HANG_UP, Ending.MANAGER: Act.MANAGER, Ending.CLOSED: Act.CLOSE}
_MET = (Landing.HEARD, Landing.HEARD_AGAIN)
INVITED = (Landing.ASKED, Landing.RESTATED, Landing.PROBED)
_QUIET = (*INVITED, Landing.GUESSED, Landing.NOTHING)  # leaves the next move to the customer


def next_directive(
    persona: Persona, state: State, reaction: Reaction, spent: Collection[str] = (), near: Collection[str] = ()
) -> Directive:
    """The directive that follows a reaction; `state` is the state after it. Of two sets of points, the customer does
    not come back to those `spent`, of which nothing is left to say that would be understood; and first to those `near`, which
    are being talked about."""
    reaction = reaction.model_copy(update={"landing": _taken_as(reaction)})
    base = Directive(
        act=Act.REACT,
        mood=mood_of(state.anger),
        landing=reaction.landing,
        asked=reaction.asked,
        story_out=_story_is_out(persona, state),
    )
    if base.mood not in COOL:  # sarcasm is for the angry
        base = base.model_copy(update={"quote": thrown_back(reaction)})
    if state.ending is not None:
        outcome = state.outcome or Outcome.LOST
        note = str(getattr(persona.endings, outcome.value))
        last = _last_words(persona, state.ending, outcome)
        ending = {"outcome": outcome, "guidance": note, "says": (last,) if last else ()}
        return base.model_copy(update={"act": _GUIDED[state.ending], **ending})
    if reaction.reveals is not None:
        point = persona.point(reaction.reveals)
        landing = reaction.landing
        if point.told is Told.PROBED:  # a secret is announced as one, also to somebody who has just understood
            landing = Landing.PROBED
        elif reaction.asked and landing not in (*_MET, Landing.RESTATED, Landing.SPOILED):
            landing = Landing.ASKED  # what comes out for the asking is no secret, and the question is what is answered
        return base.model_copy(update={"act": Act.TELL, "landing": landing, "point": point.id, "says": point.says})
    if reaction.landing is Landing.SETTLED:
        return base.model_copy(update={"act": Act.ACCEPT})
    if reaction.landing in _MET:
        met = [persona.point(p) for p in reaction.met]
        felt = [line for point in met for line in own_words.felt(persona, point)]
        # A point that was guessed stays untold: its feeling may be owned to, its story not.
        told = [line for point in met if point.id in state.told for line in point.says]
        if reaction.asked:  # the question is answered with what has not been said: a bare "yes" would leave it standing
            waiting = [persona.point(p) for p in state.told if p not in state.heard]
            more = [line for point in waiting for line in point.says]
            private = any(point.told is Told.PROBED for point in met)  # no moment to ask for something
            wants = own_words.needs(persona) if _story_is_out(persona, state) and not private else ()
            return base.model_copy(update={"act": Act.CONFIRM, "says": (*told, *more, *wants)})
        return base.model_copy(update={"act": Act.CONFIRM, "says": (*felt, *told)})
    quiet = reaction.landing in _QUIET
    unheard = [p for p in state.told if p not in state.heard]
    if quiet and not unheard and _story_is_out(persona, state):
        return base.model_copy(update={"act": Act.PRESS, "says": own_words.needs(persona)})
    # What nobody took in, or only as a fact, the deepest first; under attack every second time, so that it does not nag, nor
    # where all is told and the reply says nothing to it.
    open_points = unheard or [p for p in state.told if p not in state.met]
    invited = quiet and not (reaction.landing is Landing.NOTHING and base.story_out)
    nags = unheard and reaction.landing is not Landing.OFFERED and state.replies % 2
    if open_points and (invited or nags):
        left = [p for p in open_points if p not in spent]
        if not left:
            return base.model_copy(update={"act": Act.INSIST})
        left = [p for p in left if p in near] or left
        point = persona.point(left[-1 - state.replies // 2 % len(left)])
        # Nobody bares a feeling unasked, under attack or in a rage.
        calm = reaction.landing in INVITED and base.mood not in HOT
        admitted = own_words.admitted(persona, point) if calm else ""
        says = (*point.says, *filter(None, [admitted]))
        return base.model_copy(update={"act": Act.INSIST, "point": point.id, "says": says})
    return base


_POLITE = re.compile(
    r"(?:Thank you|Thanks|Good (?:day|morning|evening|night)|Goodbye"
    r"|I wish you an? (?:\w+ )?(?:day|morning|afternoon|evening|night))\b(?! for nothing)[^.!?]*[.!?] ?"
)
_RESIGNED = re.compile(r"[Nn]ever mind|doesn't matter|does not matter|pray for")
_SAYS_LITTLE = re.compile(r"(?:(?:All right|Ok|Good|Fine|Thank you|Thanks|Maybe|I have to go|I am tired now)\. ?)+")


def _last_words(persona: Persona, ending: Ending, outcome: Outcome) -> str:
    """The author's note on this ending as spoken words; "" where a written line says as much."""
    said = own_words.ending(persona, outcome) if ending is not Ending.MANAGER else ""
    if ending is Ending.HUNG_UP:  # nobody who slams the phone down is polite, or past caring
        said = "" if _RESIGNED.search(said) else _POLITE.sub("", said).strip()
    return "" if _SAYS_LITTLE.fullmatch(said) else said


_CHECK = re.compile(
    r"(?<!what )(?<!how )(?<!where )(?<!when )\b(?:(?:have|did|do) I (?:got|get|have|hear|heard|understood|understand|follow)\b"
    r"|(?:is|was) that (?:right|correct|fair|about it|about right|how it (?:was|is|went)|what happened|it)\b"
    r"|am I right\b|(?:does|would) that (?:sound )?(?:be )?(?:right|about right)|(?:,|^|so) ?right\?$)",
    re.IGNORECASE,
)


def asks_if_right(text: str, sentences: int = 1) -> bool:
    """Whether one of the last `sentences` of `text` asks if it has understood: who is asked that says yes or no first."""
    last = re.split(r"(?<=[.!?])\s+", text.strip())[-sentences:]
    return any(one.endswith("?") and _CHECK.search(one) for one in last)


def _taken_as(reaction: Reaction) -> Landing:
    """How the customer takes the reply, where that says it better than the rule that it broke."""
    quotes = [cause.quote for cause in reaction.causes if cause.quote]
    if reaction.landing is Landing.DISMISSED and reaction.too_early:
        shown = {cause.move: cause.quote for cause in reaction.causes}
        if shown.get(Move.DISMISSIVE) == shown.get(Move.SOLUTION):
            return Landing.TOO_EARLY  # the same words: brisk as they were, they were a fix
    if reaction.landing is Landing.REFUSED and reaction.too_early:
        return Landing.TOO_EARLY  # a fix came with it: what was heard is that fix
    if reaction.landing is Landing.REFUSED and quotes and not any(SAYS_NO.search(quote) for quote in quotes):
        return Landing.OVERPROMISED  # nothing was refused in so many words; doubt fits a plan with an "if" in it
    only_a_fix = {cause.move for cause in reaction.causes if cause.change > 0} <= {Move.SOLUTION}
    mild = reaction.landing in (Landing.CANNED, Landing.TOO_EARLY) or (
        reaction.landing is Landing.SPOILED and only_a_fix
    )
    if mild and reaction.asked:
        return Landing.ASKED  # with a question in it, it is the question that gets the answer
    if reaction.landing is Landing.INTERROGATED and any(_CHECK.search(quote) for quote in quotes):
        return Landing.NOTHING  # whether one has understood is no question for a form
    return reaction.landing


def _story_is_out(persona: Persona, state: State) -> bool:
    return all(p.id in state.told or p.told is Told.PROBED for p in persona.story)
