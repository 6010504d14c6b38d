"""A finished transcript -> a Scorecard: five competencies, each with the quotes that earned or cost it.

Read from the judgements already made, never judged twice, and free of chance: the same transcript always earns the same
score. The outcome and the anger curve stand beside the score, never inside it.
"""

from collections.abc import Callable

from pydantic import Field

from simulator.anger import Outcome, outcome_of
from simulator.coach import better_line
from simulator.competencies import RULES, WEIGHTS, Mark, Replies
from simulator.moves import INVITATIONS, LISTENING_BREAKS, Frozen, Move
from simulator.persona import Persona, StoryPoint, Told
from simulator.transcript import Transcript

__all__ = ["PASS_MARK", "Competency", "Mark", "Moment", "Scorecard", "grade"]  # a Scorecard is made of Marks

PASS_MARK = 70
WELL_DONE = 90  # from here on the advice says what to keep, under it what to change


class Competency(Frozen):
    """0 to 100, with one concrete thing to try next time."""

    score: float = Field(ge=0, le=100)
    advice: str
    example: str


class Moment(Frozen):
    """The turn that mattered most, and a line that would have worked there."""

    turn: int
    why: str
    line: str


class Scorecard(Frozen):
    """`overall` is the weighted mean of the competencies. `unheard` are ids of story points nobody took in."""

    overall: float = Field(ge=0, le=100)
    competencies: dict[str, Competency]
    evidence: tuple[Mark, ...]
    outcome: Outcome
    heard: tuple[str, ...]
    unheard: tuple[str, ...]
    moment: Moment | None

    @property
    def passed(self) -> bool:
        """Whether the overall score reaches the pass mark."""
        return self.overall >= PASS_MARK


def grade(persona: Persona, transcript: Transcript) -> Scorecard:
    """Score a transcript whose replies have been judged. An empty call, without a reply, earns 0."""
    from simulator.session import replay  # the fold over judgements lives with the loop

    state = replay(persona, transcript)
    replies: Replies = tuple(
        (i, turn, turn.judgement, turn.reaction)
        for i, turn in transcript.replies
        if turn.judgement is not None and turn.reaction is not None
    )
    offered = any(judgement.has(Move.SOLUTION) for _, _, judgement, _ in replies)
    scores: dict[str, float] = {}
    marks: list[Mark] = []
    for name, rule in RULES.items():
        score, found = rule(persona, replies) if replies else (0.0, [])
        scores[name] = round(max(0.0, min(100.0, score)), 1)
        marks += found
    unheard = tuple(p.id for p in persona.story if p.id not in state.heard)
    moment = _moment(persona, replies)
    example = moment.line if moment else better_line(persona, persona.story[0])
    return Scorecard(
        overall=round(sum(scores[name] * weight for name, weight in WEIGHTS.items()) / 100, 1),
        competencies={
            name: Competency(score=score, advice=_ADVICE[name](score, offered), example=example)
            for name, score in scores.items()
        },
        evidence=tuple(sorted(marks, key=lambda mark: mark.turn)),
        outcome=transcript.outcome or outcome_of(persona, state),
        heard=state.heard,
        unheard=unheard,
        moment=moment,
    )


def _moment(persona: Persona, replies: Replies) -> Moment | None:
    """The reply that cost most, or the first that left the customer's story lying; None for a call without fault."""
    if not replies:
        return None
    i, _, judgement, reaction = max(replies, key=lambda reply: reply[3].change)
    waiting = _waiting(persona, replies, i) or list(persona.story)
    if reaction.change <= 0:
        silent = (r for r in replies if not r[3].newly_heard and not r[2].has(*INVITATIONS))
        lying = ((r, points) for r in silent if (points := _waiting(persona, replies, r[0])))
        if (first := next(lying, None)) is None:
            return None
        (i, _, judgement, reaction), waiting = first
    broke = judgement.has(*LISTENING_BREAKS) or reaction.too_early
    why = "Here the customer stopped being listened to." if broke else "Here something waited to be said aloud."
    return Moment(turn=i, why=why, line=better_line(persona, waiting[-1]))


def _waiting(persona: Persona, replies: Replies, position: int) -> list[StoryPoint]:
    """The story points that had been told before the reply at `position`, and that nobody had taken in."""
    told = {p.id for p in persona.story if p.told is Told.OPENING}
    told |= {r.reveals for at, _, _, r in replies if r.reveals and at < position}
    taken_in = {p for at, _, _, r in replies if at < position for p in r.newly_heard}
    return [p for p in persona.story if p.id in told and p.id not in taken_in]


_ADVICE: dict[str, Callable[[float, bool], str]] = {
    "specific_empathy": lambda score, _: (
        "Keep naming the reason with the feeling; it is what worked."
        if score >= WELL_DONE
        else "Say aloud what you have understood: what they feel, and the reason in their own day."
    ),
    "full_listening": lambda score, _: (
        "You let the story come out. Keep asking once more when it seems complete."
        if score >= WELL_DONE
        else "Before any fix, ask what happened, give it back in your words, and ask what else there is."
    ),
    "composure": lambda score, _: (
        "You stayed with the customer under attack."
        if score >= WELL_DONE
        else "When attacked, leave who is right alone; answer the feeling and ask on."
    ),
    "empathy_first": lambda score, offered: (
        (
            "Your offers came when they could be heard."
            if offered
            else "Understanding came first. Now an offer can be heard."
        )
        if score >= WELL_DONE
        else "Hold the fix until the anger has come down, even when you know it. Then make the same offer."
        if offered
        else "Say what you have understood, and ask for the story. It makes room for an offer."
    ),
    "way_forward": lambda score, _: (
        "A way forward they can rely on. Keep the margin in your dates."
        if score >= WELL_DONE
        else "Own it in one plain sentence, then say what happens next, when, and what could still go wrong."
    ),
}
