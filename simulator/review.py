"""What a trainer says of a call beside the evaluator: overrides, what stands with them, agreement, what is missed.

The evaluator's judgement is never rewritten; a trainer's word is kept beside it and both are shown.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from pydantic import Field

from simulator.competencies import WEIGHTS
from simulator.grade import Scorecard
from simulator.moves import Frozen, Judgement, Move
from simulator.persona import Persona
from simulator.transcript import Transcript

OVERALL = "overall"
SCORES = (OVERALL, *WEIGHTS)


class Override(Frozen):
    """`subject` is a move of turn `turn` (`was` and `now` are 0 or 1), or a score of the call (0 to 100, no turn).

    `was` is what the evaluator said, `now` what the trainer `by` says, for the `reason` given.
    """

    turn: int | None
    subject: str
    was: float = Field(ge=0, le=100)
    now: float = Field(ge=0, le=100)
    reason: str
    by: str
    at: datetime


class Reading(Frozen):
    """That a trainer has read the call to its end."""

    by: str
    at: datetime


class ReviewedCall(Frozen):
    """A call with all that was said of it. `owner` is the hash that the store keeps, `persona` the customer as it was."""

    owner: str
    transcript: Transcript
    scorecard: Scorecard | None
    persona: Persona | None = None
    overrides: tuple[Override, ...] = ()
    readings: tuple[Reading, ...] = ()


class SecondOpinion(Frozen):
    """The trainer's scores, where they differ from the evaluator's. `overall` follows from the competencies unless a
    trainer set it, and is None when no score was changed."""

    overall: float | None = None
    competencies: dict[str, float] = Field(default_factory=dict)


def in_force(overrides: Iterable[Override]) -> dict[tuple[int | None, str], Override]:
    """The latest override of each subject; one that goes back to the evaluator's word is none."""
    latest = {(override.turn, override.subject): override for override in overrides}
    return {key: override for key, override in latest.items() if override.now != override.was}


def second_opinion(card: Scorecard, overrides: Iterable[Override]) -> SecondOpinion:
    """The trainer's scores of a call."""
    found = in_force(overrides)
    competencies = {name: found[None, name].now for name in WEIGHTS if (None, name) in found}
    overall = None
    if (None, OVERALL) in found:
        overall = found[None, OVERALL].now
    elif competencies:
        scores = {name: result.score for name, result in card.competencies.items()} | competencies
        overall = round(sum(scores[name] * weight for name, weight in WEIGHTS.items()) / 100, 1)
    return SecondOpinion(overall=overall, competencies=competencies)


def trainers_moves(turn: int, judgement: Judgement, overrides: Iterable[Override]) -> tuple[Move, ...]:
    """The moves of a reply as they stand after a trainer's overrides."""
    found = in_force(overrides)

    def stands(move: Move) -> bool:
        override = found.get((turn, move.value))
        return bool(override.now) if override else judgement.has(move)

    return tuple(move for move in Move if stands(move))


class Week(Frozen):
    """Agreement over the calls read in one week. `both` of `either` moves were seen by evaluator and trainer alike;
    `apart` is the mean distance of their overall scores, in points."""

    monday: date
    calls: int
    both: int
    either: int
    apart: float

    @property
    def share(self) -> float:
        """0 to 1; calls in which neither saw a move agree."""
        return self.both / self.either if self.either else 1.0


def agreement(calls: Iterable[ReviewedCall]) -> list[Week]:
    """By week, oldest first, over the calls that a trainer has read to the end: elsewhere silence says nothing."""
    weeks: dict[date, list[ReviewedCall]] = {}
    for call in calls:
        if call.readings and call.scorecard is not None:
            day = max(reading.at for reading in call.readings).date()
            weeks.setdefault(day - timedelta(days=day.weekday()), []).append(call)
    return [_week(monday, weeks[monday]) for monday in sorted(weeks)]


def _week(monday: date, calls: list[ReviewedCall]) -> Week:
    both = either = 0
    apart = 0.0
    for call in calls:
        for position, turn in call.transcript.replies:
            if turn.judgement is not None:
                evaluator = set(turn.judgement.present)
                trainer = set(trainers_moves(position, turn.judgement, call.overrides))
                both += len(evaluator & trainer)
                either += len(evaluator | trainer)
        if call.scorecard is not None:
            overall = second_opinion(call.scorecard, call.overrides).overall
            apart += abs(overall - call.scorecard.overall) if overall is not None else 0.0
    return Week(monday=monday, calls=len(calls), both=both, either=either, apart=round(apart / len(calls), 1))


class Missed(Frozen):
    """How many of `calls` with a persona ended with one of its story points unheard."""

    persona: str
    point: str
    missed: int
    calls: int


def most_missed(cards: Iterable[tuple[str, Scorecard]], personas: Mapping[str, Persona]) -> list[Missed]:
    """Story points by how often they stay unheard, the most missed first, of the personas that are in the library."""
    calls: dict[str, int] = {}
    missed: dict[tuple[str, str], int] = {}
    for persona_id, card in cards:
        if persona_id in personas:
            calls[persona_id] = calls.get(persona_id, 0) + 1
            for point in personas[persona_id].story:
                missed.setdefault((persona_id, point.id), 0)
                missed[persona_id, point.id] += point.id in card.unheard
    found = [Missed(persona=p, point=q, missed=count, calls=calls[p]) for (p, q), count in missed.items()]
    return sorted(found, key=lambda each: (-each.missed, each.calls))
