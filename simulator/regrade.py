"""The scores that follow from a call's moves as a trainer reads them: the same rule and the same grading, without a model.

A trainer changes the moves of a reply. Which parts of the story it took in stays as the evaluator read it, and the call
stays as it was, also where the customer would now have said something else or hung up: then they talked on.
"""

from collections.abc import Iterable

from simulator.anger import opening_state, react
from simulator.grade import Scorecard, grade
from simulator.moves import Judgement
from simulator.persona import Persona
from simulator.review import Override, ReviewedCall, SecondOpinion, in_force, trainers_moves
from simulator.transcript import Transcript, Turn


def moves_changed(overrides: Iterable[Override]) -> bool:
    """Whether a trainer reads a move of any reply otherwise than the evaluator."""
    return any(turn is not None for turn, _ in in_force(overrides))


def regraded(persona: Persona, call: ReviewedCall) -> SecondOpinion | None:
    """All scores of a graded call from its moves as changed; None when no move is changed.

    None also when the evaluator's own moves no longer give the scores that are stored: then the persona or a rule has
    changed since, and the difference would not be the trainer's.
    """
    if call.scorecard is None or not moves_changed(call.overrides):
        return None
    if _scores(grade(persona, _as_read(persona, call.transcript, ()))) != _scores(call.scorecard):
        return None
    return _scores(grade(persona, _as_read(persona, call.transcript, call.overrides)))


def _scores(card: Scorecard) -> SecondOpinion:
    return SecondOpinion(
        overall=card.overall, competencies={name: each.score for name, each in card.competencies.items()}
    )


def _as_read(persona: Persona, transcript: Transcript, overrides: tuple[Override, ...]) -> Transcript:
    """The call with the trainer's moves, and the anger run over it anew."""
    state = opening_state(persona)
    turns: list[Turn] = []
    for position, turn in enumerate(transcript.turns):
        if turn.judgement is None:
            turns.append(turn)
            continue
        if state.ending is not None:
            state = state.model_copy(update={"ending": None, "outcome": None, "bad_in_a_row": 0})
        judgement = _judgement(position, turn.judgement, overrides)
        state, reaction = react(persona, state, judgement)
        turns.append(turn.model_copy(update={"judgement": judgement, "reaction": reaction, "anger": state.anger}))
    return transcript.model_copy(update={"turns": tuple(turns)})


def _judgement(position: int, judgement: Judgement, overrides: tuple[Override, ...]) -> Judgement:
    if all(turn != position for turn, _ in in_force(overrides)):
        return judgement
    # The evaluator may have been unsure of the reply; the trainer, who has put a word to it, is not.
    present = trainers_moves(position, judgement, overrides)
    return judgement.model_copy(update={"present": present, "uncertain": False})
