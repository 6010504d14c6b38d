"""Recorded conversations graded in batches, one that fails never taking others with it.

A recording without a persona is read against its own customer: each thing that the customer says is a part of the story
that the agent can take in. Temper and levels are then a middling customer's, so such scores compare with each other and
not with those of a written persona.
"""

from collections.abc import Mapping, Sequence

from eval.recorded import Recording
from simulator.judge import Judge, JudgeError
from simulator.models.base import ModelError
from simulator.persona import Persona, Told
from simulator.records import CallRecord, Said, grade_records

MOST_POINTS = 8


def grade_recordings(
    recordings: Sequence[Recording], library: Mapping[str, Persona], judge: Judge
) -> list[dict[str, object]]:
    """A row of kind `recorded` for each recording, all judged together; one that fails alone fails alone."""
    personas = {f"{k}": _persona(one, library) for k, one in enumerate(recordings)}
    known = [k for k, persona in personas.items() if persona is not None]
    calls = {k: CallRecord(id=k, persona=k, turns=recordings[int(k)].turns) for k in known}
    found = {k: persona for k, persona in personas.items() if persona is not None}
    try:
        graded: dict[str, dict[str, object] | str] = {
            str(row["id"]): row for row in grade_records(list(calls.values()), found, judge)
        }
    except (JudgeError, ModelError):
        graded = {k: _alone(call, found, judge) for k, call in calls.items()}
    return [_row(one, graded.get(str(k), f"there is no persona {one.persona!r}")) for k, one in enumerate(recordings)]


def _alone(call: CallRecord, personas: dict[str, Persona], judge: Judge) -> dict[str, object] | str:
    try:
        return grade_records([call], personas, judge)[0]
    except (JudgeError, ModelError) as error:
        return str(error)


def _row(recording: Recording, graded: dict[str, object] | str) -> dict[str, object]:
    head: dict[str, object] = {
        "case": recording.id,
        "kind": "recorded",
        "id": recording.id,
        "persona": recording.persona,
    }
    if isinstance(graded, str):
        return {**head, "status": "failed", "error": graded}
    levels = list(graded["anger"]) if isinstance(graded["anger"], list) else []
    turns = [{**said.model_dump(), "anger": level} for said, level in zip(recording.turns, levels, strict=True)]
    return {
        **head,
        "status": "ok",
        **{k: v for k, v in graded.items() if k != "id"},
        "turns": turns,
        "reference": {"score": recording.score, "outcome": recording.outcome},
    }


def _persona(recording: Recording, library: Mapping[str, Persona]) -> Persona | None:
    """The persona that a recording names, None when there is no such, or its own customer when it names none."""
    return library.get(recording.persona) if recording.persona else own_customer(recording.turns)


def own_customer(turns: Sequence[Said]) -> Persona:
    """A middling customer whose story is what the customer of this recording says, the first MOST_POINTS lines of it."""
    said = [one.text[:390] for one in turns if one.role == "customer"][:MOST_POINTS]
    story = [
        {
            "id": f"said-{k}",
            "layer": "incident" if k == 1 else "impact",
            "told": Told.OPENING if k == 1 else Told.ASKED,
            "fact": line,
            "feeling": "upset",
            "because": "it has not been put right",
            "weight": 2 if k == 1 else 1,
            "says": [line],
        }
        for k, line in enumerate(said, start=1)
    ]
    return Persona.model_validate(
        {
            "schema": 1,
            "id": "recorded",
            "name": "Customer",
            "headline": "A recorded conversation",
            "role": "a customer",
            "company": "the company",
            "trainee_role": "agent",
            "channel": "chat",
            "briefing": "A recorded conversation.",
            "difficulty": 3,
            "voice": {"style": "as recorded", "samples": [said[0], said[0]]},
            "temperament": {"opening_anger": 7, "volatility": 1, "forgiveness": 1, "patience": 4, "hears_advice_at": 4},
            "opening": said[0],
            "story": story,
            "resolution": {"needs": ["a way forward"], "won_over_by": "being understood"},
            "endings": {"lost": "leaves", "placated": "accepts", "retained": "thanks", "won_over": "comes back"},
        }
    )
