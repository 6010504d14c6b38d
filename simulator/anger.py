"""How anger moves: one pure function and one table of numbers, so that anyone can audit a call by hand.

Anger runs from 0 (calm) to 10 (about to hang up). It falls only on specific empathy that does not break listening in the
same breath, never under a floor set by what is still unheard, and rises on what makes a customer feel handled. No model
has a say in it: the evaluator reports what a reply did, and this module decides what that does to the customer.
"""

from enum import StrEnum
from typing import NamedTuple

from pydantic import Field

from simulator.moves import INVITATIONS, LISTENING_BREAKS, Frozen, Judgement, Move
from simulator.persona import Persona, StoryPoint, Told

CALM, FURY = 0.0, 10.0  # the ends of the scale


class Rule:
    """Every number of the rule, in points of anger unless said otherwise."""

    # Rises, before volatility scales them.
    CANNED = 0.5
    CANNED_AGAIN = 0.25  # more for each canned line before
    CANNED_MOST = 1.5
    TOO_EARLY = 1.0  # a solution while too angry to hear it
    DEFENSIVE = 1.5
    BLAME = 1.5
    DISMISSIVE = 1.5
    CANNOT_DO = 1.2
    OVERPROMISE = 0.8
    INTERROGATED = 0.4  # closed questions and nothing that listens
    INTERROGATED_AGAIN = 0.2
    INTERROGATED_MOST = 1.0
    AFTER_EMPATHY = 0.5  # a rise weighs half when the same breath showed that it understood
    RISE_MOST = 3.0  # the most that one reply can cost, before volatility

    # Falls, before forgiveness scales them.
    FALL_FOR_WHOLE_STORY = 9.0  # shared over the story by weight
    FALL_MOST = 2.5  # the most that one reply can earn: two kind lines do not melt anyone
    FALL_AGAIN = 0.35  # factor, each time the same point is acknowledged again
    GUESS = 0.4  # specific, yet no point of the story
    GUESS_AGAIN = 0.5  # factor, each further one

    # Levels.
    CALM_UNDER = 2.0  # where calm begins; nobody gets there while anything of the story is unheard
    OPENS_UP = 1.0  # this far over the level at which advice lands, the unsaid can be said
    OPENS_UP_OVER_FLOOR = 0.5  # and at least this far over the floor, or it could never be reached
    HEARD_ENOUGH = 0.6  # share of the story, by weight, for a customer to be kept rather than placated
    MANAGER_UNDER = 8.0  # out of patience under this: asks for the manager; over it: hangs up


class Landing(StrEnum):
    """How a reply landed with the customer; the strongest effect names it."""

    HEARD = "heard"  # specific empathy that met a point of the story
    HEARD_AGAIN = "heard_again"  # the same point once more
    GUESSED = "guessed"  # specific, about something that is not the point
    SPOILED = "spoiled"  # understood, then spoiled in the same breath
    CANNED = "canned"
    TOO_EARLY = "too_early"
    DEFENDED = "defended"
    BLAMED = "blamed"
    DISMISSED = "dismissed"
    REFUSED = "refused"
    OVERPROMISED = "overpromised"
    INTERROGATED = "interrogated"
    ASKED = "asked"
    RESTATED = "restated"
    PROBED = "probed"
    OFFERED = "offered"  # a way forward that can be heard, without when or how
    SETTLED = "settled"  # a way forward with expectations
    NOTHING = "nothing"  # none of these: a greeting, noise, an attempt to talk to the machine


class Outcome(StrEnum):
    """How a call ended."""

    LOST = "lost"
    PLACATED = "placated"
    RETAINED = "retained"
    WON_OVER = "won_over"


class Ending(StrEnum):
    """What made a call end on the customer's side."""

    HUNG_UP = "hung_up"
    MANAGER = "manager"
    CLOSED = "closed"


class Cause(Frozen):
    """One entry of the audit: a named rule, the change it made (signed, after scaling), and the words that did it."""

    rule: str
    change: float
    move: Move | None = None
    quote: str = ""


class State(Frozen):
    """Where a call stands. `acknowledged` counts, for each story point, how often it was met with specific empathy."""

    anger: float = Field(ge=CALM, le=FURY)
    told: tuple[str, ...] = ()
    heard: tuple[str, ...] = ()  # acknowledged at least once, with or without empathy
    met: dict[str, int] = Field(default_factory=dict)
    canned: int = 0
    closed_in_a_row: int = 0
    guesses: int = 0
    bad_in_a_row: int = 0
    replies: int = 0
    owned: bool = False
    settled: bool = False
    ending: Ending | None = None
    outcome: Outcome | None = None


class Reaction(Frozen):
    """What one reply did. `change` is after minus before; `reveals` is the story point that it brought out."""

    before: float
    after: float
    floor: float
    landing: Landing
    causes: tuple[Cause, ...] = ()
    newly_heard: tuple[str, ...] = ()
    reveals: str | None = None
    met: tuple[str, ...] = ()  # points met with specific empathy for the first time
    asked: bool = False  # whether the reply asked for more, whatever else it did
    uncertain: bool = False  # whether the evaluator was in doubt about the reply
    too_early: bool = False

    @property
    def change(self) -> float:
        """Signed change of anger, in points."""
        return self.after - self.before


class Step(NamedTuple):
    """The result of `react`."""

    state: State
    reaction: Reaction


def opening_state(persona: Persona) -> State:
    """The state after the customer's opening line."""
    told = tuple(point.id for point in persona.story if point.told is Told.OPENING)
    return State(anger=persona.temperament.opening_anger, told=told)


def heard_share(persona: Persona, heard: tuple[str, ...]) -> float:
    """Share of the story, by weight, that has been acknowledged: 0 to 1."""
    return sum(point.weight for point in persona.story if point.id in heard) / persona.total_weight


def floor(persona: Persona, heard: tuple[str, ...]) -> float:
    """The level under which anger cannot fall while the rest of the story is unheard: the unheard share of the opening anger,
    and never calm, so that neither half of the method can do without the other."""
    if all(point.id in heard for point in persona.story):
        return CALM
    return max(persona.temperament.opening_anger * (1 - heard_share(persona, heard)), Rule.CALM_UNDER)


def react(persona: Persona, state: State, judgement: Judgement) -> Step:
    """What one reply does to this customer. Pure: the same arguments give the same result.

    The call must not have ended (ValueError). Anger falls only if the judgement is certain, shows specific empathy and
    breaks no listening; rises are scaled by the persona's volatility, falls by its forgiveness.
    """
    if state.ending is not None:
        raise ValueError("the call has ended; no further reply can be heard")
    temper = persona.temperament
    too_early = judgement.has(Move.SOLUTION) and state.anger > temper.hears_advice_at
    empathic = judgement.has(Move.SPECIFIC_EMPATHY) and not judgement.uncertain
    broken = too_early or judgement.has(*LISTENING_BREAKS)

    known = {point.id for point in persona.story}
    taken_in = () if broken or judgement.uncertain else tuple(p for p in judgement.acknowledged if p in known)
    newly_heard = tuple(p for p in taken_in if p not in state.heard)
    heard = state.heard + newly_heard
    lowest = floor(persona, heard)

    causes = _rises(persona, state, judgement, too_early)
    if empathic and not broken:
        causes += _falls(persona, state, judgement, taken_in)
    target = min(FURY, state.anger + sum(cause.change for cause in causes))
    if target < state.anger:  # the floor stops a fall; it never pushes anger up
        target = max(target, min(state.anger, lowest), CALM)
    # Judged by what the reply would do, not by the level: at the top of the scale a slip still costs patience.
    bad = sum(cause.change for cause in causes) > 0 or (not causes and not judgement.present and state.replies > 0)

    met = dict(state.met)
    if empathic and not broken:
        met |= {p: state.met.get(p, 0) + 1 for p in taken_in}
    settles = (
        judgement.has(Move.SOLUTION) and not broken and judgement.has(Move.SET_EXPECTATIONS) and not judgement.uncertain
    )
    reveals = _revealed(persona, state, judgement, target, lowest, broken, met)
    after = state.model_copy(
        update={
            "anger": target,
            "told": state.told + ((reveals.id,) if reveals else ()),
            "heard": heard,
            "met": met,
            "canned": state.canned + judgement.has(Move.GENERIC_SYMPATHY),
            "closed_in_a_row": state.closed_in_a_row + 1 if _interrogates(judgement) else 0,
            "guesses": state.guesses + (empathic and not broken and not taken_in),
            "bad_in_a_row": state.bad_in_a_row + 1 if bad else 0,
            "replies": state.replies + 1,
            "owned": state.owned or judgement.has(Move.OWNERSHIP),
            "settled": (state.settled or settles) and not broken,
        }
    )
    reaction = Reaction(
        before=state.anger,
        after=target,
        floor=lowest,
        landing=_landing(judgement, causes, state, taken_in, empathic, broken, settles),
        causes=causes,
        newly_heard=newly_heard,
        reveals=reveals.id if reveals else None,
        met=tuple(p for p in met if p not in state.met),
        asked=judgement.has(Move.OPEN_QUESTION, Move.PROBE_UNSAID),
        uncertain=judgement.uncertain,
        too_early=too_early,
    )
    overflow = state.anger + sum(cause.change for cause in causes) > FURY
    return Step(_ended(persona, state, after, bad, overflow), reaction)


def _interrogates(judgement: Judgement) -> bool:
    listens = judgement.has(Move.SPECIFIC_EMPATHY, *INVITATIONS, Move.SOLUTION)
    return judgement.has(Move.CLOSED_QUESTION) and not listens


def _rises(persona: Persona, state: State, judgement: Judgement, too_early: bool) -> tuple[Cause, ...]:
    """Each rule that this reply sets off, scaled by volatility, the total limited to RISE_MOST before scaling."""
    found: list[tuple[str, Move, float]] = []
    if judgement.has(Move.GENERIC_SYMPATHY):
        size = min(Rule.CANNED_MOST, Rule.CANNED + Rule.CANNED_AGAIN * state.canned)
        found.append(("canned sympathy", Move.GENERIC_SYMPATHY, size))
    if too_early:
        found.append(("a fix too early", Move.SOLUTION, Rule.TOO_EARLY))
    plain = (
        ("defence", Move.DEFENSIVE, Rule.DEFENSIVE),
        ("blame", Move.BLAME, Rule.BLAME),
        ("dismissal", Move.DISMISSIVE, Rule.DISMISSIVE),
        ("policy wall", Move.CANNOT_DO, Rule.CANNOT_DO),
        ("over-promise", Move.OVERPROMISE, Rule.OVERPROMISE),
    )
    found += [(name, move, size) for name, move, size in plain if judgement.has(move)]
    if _interrogates(judgement):
        size = min(Rule.INTERROGATED_MOST, Rule.INTERROGATED + Rule.INTERROGATED_AGAIN * state.closed_in_a_row)
        found.append(("interrogation", Move.CLOSED_QUESTION, size))
    found += [("trigger", trigger.move, trigger.rise) for trigger in persona.triggers if judgement.has(trigger.move)]
    total = sum(size for _, _, size in found)
    scale = persona.temperament.volatility * min(1.0, Rule.RISE_MOST / total if total else 1.0)
    if judgement.has(Move.SPECIFIC_EMPATHY) and not judgement.uncertain:
        scale *= Rule.AFTER_EMPATHY
    return tuple(Cause(rule=n, change=s * scale, move=m, quote=judgement.quote(m)) for n, m, s in found)


def _falls(persona: Persona, state: State, judgement: Judgement, taken_in: tuple[str, ...]) -> tuple[Cause, ...]:
    """One cause for each point that the reply met, or one for a guess; scaled by forgiveness."""
    quote = judgement.quote(Move.SPECIFIC_EMPATHY)
    if not taken_in:
        sizes = {"a guess beside the point": Rule.GUESS * Rule.GUESS_AGAIN**state.guesses}
    else:
        share = Rule.FALL_FOR_WHOLE_STORY / persona.total_weight
        sizes = {
            f"understood: {p}": share * persona.point(p).weight * Rule.FALL_AGAIN ** state.met.get(p, 0)
            for p in taken_in
        }
    scale = persona.temperament.forgiveness * min(1.0, Rule.FALL_MOST / sum(sizes.values()))
    return tuple(
        Cause(rule=rule, change=-size * scale, move=Move.SPECIFIC_EMPATHY, quote=quote) for rule, size in sizes.items()
    )


def _revealed(
    persona: Persona, state: State, judgement: Judgement, anger: float, lowest: float, broken: bool, met: dict[str, int]
) -> StoryPoint | None:
    """The next point of the story, if this reply draws it out: at most one, in the order of the file."""
    if broken or judgement.uncertain:
        return None
    opens_up_at = max(persona.temperament.hears_advice_at + Rule.OPENS_UP, lowest + Rule.OPENS_UP_OVER_FLOOR)
    invited = judgement.has(*INVITATIONS)
    drawn_out = {
        Told.OPENING: False,
        Told.ASKED: invited,
        Told.UNDERSTOOD: bool(met) and (invited or judgement.has(Move.SPECIFIC_EMPATHY)),
        Told.PROBED: judgement.has(Move.PROBE_UNSAID) and anger <= opens_up_at,
    }
    for point in persona.story:
        if point.id not in state.told and drawn_out[point.told]:
            return point
    return None


BY_RULE = {
    Move.BLAME: Landing.BLAMED,
    Move.DISMISSIVE: Landing.DISMISSED,
    Move.DEFENSIVE: Landing.DEFENDED,
    Move.CANNOT_DO: Landing.REFUSED,
    Move.SOLUTION: Landing.TOO_EARLY,
    Move.OVERPROMISE: Landing.OVERPROMISED,
    Move.GENERIC_SYMPATHY: Landing.CANNED,
    Move.CLOSED_QUESTION: Landing.INTERROGATED,
}


def _landing(
    judgement: Judgement,
    causes: tuple[Cause, ...],
    state: State,
    taken_in: tuple[str, ...],
    empathic: bool,
    broken: bool,
    settles: bool,
) -> Landing:
    rises = {cause.move for cause in causes if cause.change > 0}
    if empathic and broken:
        return Landing.SPOILED
    if settles:
        return Landing.SETTLED
    if empathic:
        fresh = any(p not in state.met for p in taken_in)
        return Landing.HEARD if fresh else Landing.HEARD_AGAIN if taken_in else Landing.GUESSED
    for move, landing in BY_RULE.items():
        if move in rises:
            return landing
    if judgement.has(Move.SOLUTION):
        return Landing.OFFERED
    if judgement.has(Move.PROBE_UNSAID):
        return Landing.PROBED
    if judgement.has(Move.RESTATEMENT):
        return Landing.RESTATED
    if judgement.has(Move.OPEN_QUESTION):
        return Landing.ASKED
    return Landing.NOTHING


def _ended(persona: Persona, before: State, after: State, bad: bool, overflow: bool) -> State:
    """Close the call when patience is spent, or when it is settled and nothing more is being told."""
    out_of_patience = after.bad_in_a_row >= persona.temperament.patience
    over_the_top = bad and overflow and after.bad_in_a_row > 1
    if out_of_patience or over_the_top:
        hangs_up = after.anger >= Rule.MANAGER_UNDER
        ending = Ending.HUNG_UP if hangs_up else Ending.MANAGER
        return after.model_copy(update={"ending": ending, "outcome": Outcome.LOST})
    told_more = len(after.told) > len(before.told)
    unsaid_left = any(p.told is Told.PROBED and p.id not in {*after.told, *after.heard} for p in persona.story)
    # A settled call stays open for one more reply while something is unsaid: that is where the trainee may ask once more.
    if after.settled and not told_more and (before.settled or not unsaid_left):
        return after.model_copy(update={"ending": Ending.CLOSED, "outcome": outcome_of(persona, after)})
    return after


def outcome_of(persona: Persona, state: State) -> Outcome:
    """How the call would count if it ended now (also when the trainee ends it)."""
    if state.ending in (Ending.HUNG_UP, Ending.MANAGER):
        return Outcome.LOST
    share = heard_share(persona, state.heard)
    can_hear = state.anger <= persona.temperament.hears_advice_at
    if state.settled and can_hear and share >= Rule.HEARD_ENOUGH:
        whole = all(point.id in state.heard for point in persona.story)
        return Outcome.WON_OVER if whole and state.owned else Outcome.RETAINED
    return Outcome.PLACATED if state.settled or (can_hear and state.replies) else Outcome.LOST
