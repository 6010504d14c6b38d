"""What the customer does next: drawn up from the state and the reaction, for a model to put into words.

Pure, like the rule of anger. The model that speaks is told the mood and the act; it decides neither.
"""

from enum import StrEnum

from simulator.anger import Ending, Landing, Outcome, Reaction, State
from simulator.moves import Frozen
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
    (2.0, Mood.WARY),
)


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
    """What to say next. `says` are wordings of one story point (`point`), any of which will do; empty for none."""

    act: Act
    mood: Mood
    landing: Landing | None = None
    point: str | None = None
    says: tuple[str, ...] = ()
    outcome: Outcome | None = None
    guidance: str = ""  # the persona's own note on this ending

    @property
    def last(self) -> bool:
        """Whether the call ends with this line."""
        return self.act in (Act.HANG_UP, Act.MANAGER, Act.CLOSE)


def opening_directive(persona: Persona, state: State) -> Directive:
    """The customer speaks first, with the opening that the persona's author wrote."""
    return Directive(act=Act.OPEN, mood=mood_of(state.anger), says=(persona.opening,))


_GUIDED = {Ending.HUNG_UP: Act.HANG_UP, Ending.MANAGER: Act.MANAGER, Ending.CLOSED: Act.CLOSE}
_MET = (Landing.HEARD, Landing.HEARD_AGAIN)


def next_directive(persona: Persona, state: State, reaction: Reaction) -> Directive:
    """The directive that follows a reaction; `state` is the state after it."""
    base = Directive(act=Act.REACT, mood=mood_of(state.anger), landing=reaction.landing)
    if state.ending is not None:
        outcome = state.outcome or Outcome.LOST
        guidance = str(getattr(persona.endings, outcome.value))
        return base.model_copy(update={"act": _GUIDED[state.ending], "outcome": outcome, "guidance": guidance})
    if reaction.reveals is not None:
        return _about(persona, base, Act.TELL, reaction.reveals)
    if reaction.landing is Landing.SETTLED:
        return base.model_copy(update={"act": Act.ACCEPT})
    if reaction.landing in _MET:
        return base.model_copy(update={"act": Act.CONFIRM})
    unheard = [p for p in state.told if p not in state.heard]
    if unheard and reaction.landing is not Landing.OFFERED:
        # A told point that nobody took in, the deepest first; every second time only a reaction, so that it does not nag.
        back_to = unheard[-1 - state.replies // 2 % len(unheard)]
        return _about(persona, base, Act.INSIST, back_to) if state.replies % 2 else base
    return base.model_copy(update={"act": Act.PRESS}) if _story_is_out(persona, state) else base


def _about(persona: Persona, base: Directive, act: Act, point_id: str) -> Directive:
    return base.model_copy(update={"act": act, "point": point_id, "says": persona.point(point_id).says})


def _story_is_out(persona: Persona, state: State) -> bool:
    return all(p.id in state.told or p.told is Told.PROBED for p in persona.story)
