"""The records of `defuse judge`, `grade` and `chat --json`: fixed forms that others build on."""

from collections.abc import Sequence

from pydantic import Field

from simulator.anger import Outcome, Reaction, opening_state, outcome_of, react
from simulator.grade import Scorecard, grade
from simulator.jsonl import InputError
from simulator.judge import Judge, JudgeError, Reading
from simulator.moves import MOVES, Frozen, Judgement, Move
from simulator.persona import Persona
from simulator.transcript import Models, Role, Transcript, Turn

_GREETING = {Move.OPEN_QUESTION, Move.CLOSED_QUESTION, Move.PROBE_UNSAID}


class Said(Frozen):
    """One line of a recorded conversation."""

    role: Role
    text: str = Field(min_length=1)


class ReplyRecord(Frozen):
    """A line of `defuse judge`'s input. `persona` is an id, or null when there is none."""

    id: str
    persona: str | None = None
    history: tuple[Said, ...] = ()
    reply: str = Field(min_length=1)


class CallRecord(Frozen):
    """A line of `defuse grade`'s input."""

    id: str
    persona: str
    turns: tuple[Said, ...] = Field(min_length=1)


def judgement_json(judgement: Judgement) -> dict[str, object]:
    """A judgement in the form of `defuse judge`."""
    return {
        "moves": {move.value: judgement.probabilities.get(move, 0.0) for move in MOVES},
        "present": [move.value for move in judgement.present],
        "acknowledged": list(judgement.acknowledged),
        "evidence": {move.value: quote for move, quote in judgement.evidence.items()},
        "uncertain": judgement.uncertain,
    }


def scorecard_json(card: Scorecard) -> dict[str, object]:
    """A scorecard in the form of `defuse chat --json`."""
    return {
        "overall": card.overall,
        "competencies": {name: part.score for name, part in card.competencies.items()},
        "evidence": [mark.model_dump(mode="json") for mark in card.evidence],
    }


def transcript_json(transcript: Transcript, card: Scorecard) -> dict[str, object]:
    """A call in the form of `defuse chat --json`."""
    turns: list[dict[str, object]] = []
    for turn in transcript.turns:
        row: dict[str, object] = {"role": turn.role, "text": turn.text, "anger": round(turn.anger, 3)}
        if turn.judgement is not None:
            row["judgement"] = judgement_json(turn.judgement)
        if turn.directive is not None:
            row["directive"] = turn.directive.model_dump(mode="json")
        turns.append(row)
    return {
        "persona": transcript.persona,
        "seed": transcript.seed,
        "turns": turns,
        "outcome": card.outcome.value,
        "scorecard": scorecard_json(card),
        "models": transcript.models.model_dump(),
    }


def known_persona(personas: dict[str, Persona], persona_id: str) -> Persona:
    """The persona with this id; InputError with what to do when there is none."""
    if persona_id not in personas:
        raise InputError(f"persona: there is no {persona_id!r}; add its folder with --personas")
    return personas[persona_id]


def gradable(record: CallRecord, personas: dict[str, Persona]) -> Persona:
    """The persona of a call that can be graded. Raises InputError when it is unknown or no trainee speaks."""
    persona = known_persona(personas, record.persona)
    if not any(said.role == "trainee" for said in record.turns):
        raise InputError("turns: the trainee never speaks, so there is nothing to grade")
    return persona


def readings(records: Sequence[ReplyRecord], personas: dict[str, Persona]) -> list[Reading]:
    """What the judge reads, for each record. Raises InputError for an unknown persona."""
    return [
        Reading(
            persona=known_persona(personas, record.persona) if record.persona else None,
            history=tuple((said.role, said.text) for said in record.history),
            reply=record.reply,
        )
        for record in records
    ]


def recorded(record: CallRecord, persona: Persona, judgements: Sequence[Judgement], judge: str) -> Transcript:
    """A recorded conversation with its judgements, the anger run over it as if it had been a call.

    The recording goes on where a simulated customer would have hung up: then the rule keeps its last state. Whoever heard a
    plan out, and would not have hung up after it, is placated at least: angry, but not gone. Before the customer's first
    line "how can I help?" is a greeting: it answers nothing, and earns nothing.
    """
    state, plan, next_judgement = opening_state(persona), False, iter(judgements)
    greets = any(said.role == "customer" for said in record.turns)
    turns: list[Turn] = []
    for said in record.turns:
        if said.role == "customer":
            greets = False
            turns.append(Turn(role="customer", text=said.text, anger=state.anger))
            continue
        judgement = next(next_judgement)
        if greets and not (judgement := _beyond_greeting(judgement)).present:
            turns.append(Turn(role="trainee", text=said.text, anger=state.anger))
            continue
        if state.ending is not None:  # the people on the recording talked on
            state = state.model_copy(update={"ending": None, "outcome": None, "bad_in_a_row": 0})
        reaction: Reaction
        state, reaction = react(persona, state, judgement)
        named = judgement.has(Move.SOLUTION) and judgement.has(Move.SET_EXPECTATIONS) and not judgement.uncertain
        plan = named or (plan and state.outcome is not Outcome.LOST)
        turns.append(Turn(role="trainee", text=said.text, anger=state.anger, judgement=judgement, reaction=reaction))
    outcome = outcome_of(persona, state)
    if outcome is Outcome.LOST and plan and state.ending is None:
        outcome = Outcome.PLACATED
    return Transcript(
        id=record.id,
        persona=persona.id,
        seed=0,
        turns=tuple(turns),
        outcome=outcome,
        models=Models(customer="recorded", judge=judge),
    )


def _beyond_greeting(judgement: Judgement) -> Judgement:
    """What is left of a judgement when its questions are a greeting."""
    present = tuple(move for move in judgement.present if move not in _GREETING)
    return judgement.model_copy(update={"present": present})


def grade_records(records: Sequence[CallRecord], personas: dict[str, Persona], judge: Judge) -> list[dict[str, object]]:
    """Rows of `defuse grade`. All replies of all calls are judged together, in batches.

    Raises InputError for an unknown persona or a call in which no trainee speaks, and JudgeError.
    """
    asked: list[Reading] = []
    for record in records:
        persona = gradable(record, personas)
        lines = tuple((said.role, said.text) for said in record.turns)
        asked += [
            Reading(persona=persona, history=lines[:i], reply=text)
            for i, (role, text) in enumerate(lines)
            if role == "trainee"
        ]
    judgements = judge.judge(asked)
    if len(judgements) != len(asked):
        raise JudgeError("The judge left replies out; nothing was graded")
    rows, start = [], 0
    for record in records:
        persona = personas[record.persona]
        count = sum(said.role == "trainee" for said in record.turns)
        transcript = recorded(record, persona, judgements[start : start + count], judge.name)
        start += count
        card = grade(persona, transcript)
        rows.append(
            {
                "id": record.id,
                "competencies": {name: part.score for name, part in card.competencies.items()},
                "overall": card.overall,
                "outcome": card.outcome.value,
                "anger": [round(level, 3) for level in transcript.anger],
                "evidence": [mark.model_dump(mode="json") for mark in card.evidence],
            }
        )
    return rows
