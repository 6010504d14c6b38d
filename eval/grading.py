"""Recorded conversations graded in batches, one that fails never taking others with it.

A recording without a persona is read against its own customer: each thing that the customer says is a part of the story
that the agent can take in from then on. Temper and levels are then a middling customer's, so such scores compare with each
other and not with those of a written persona.
"""

from collections.abc import Mapping, Sequence
from typing import cast

from eval.masking import mask
from eval.recorded import Recording
from eval.rows import Failed, RecordedRow, Reference
from simulator.judge import Judge, JudgeError, Reading
from simulator.models.base import ModelError
from simulator.moves import Judgement
from simulator.persona import Persona, Told
from simulator.records import CallRecord, Said, grade_records

MOST_POINTS = 8


class OwnCustomer(Persona):
    """The customer of a recording that names no persona; each story point is a line of the recording, in order."""

    def so_far(self, lines: int) -> Persona:
        """The same customer after so many of their lines: nobody takes in what has not been said."""
        return self if lines >= len(self.story) else self.model_copy(update={"story": self.story[:lines]})


class _SaidSoFar:
    """A judge that holds a reply against what its own customer has said by then, and is asked about nothing else: what a
    reply costs grows with the story points that it is held against."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self.name = judge.name

    def judge(self, readings: Sequence[Reading]) -> list[Judgement]:
        return self._judge.judge([self._cut(reading) for reading in readings])

    def _cut(self, reading: Reading) -> Reading:
        if not isinstance(reading.persona, OwnCustomer):
            return reading
        lines = sum(role == "customer" for role, _ in reading.history)
        return reading.model_copy(update={"persona": reading.persona.so_far(lines)})


def grade_recordings(
    recordings: Sequence[Recording], library: Mapping[str, Persona], judge: Judge
) -> list[RecordedRow | Failed]:
    """A row for each recording, all judged together; one that fails alone fails alone."""
    judge = _SaidSoFar(judge)
    personas: dict[str, Persona] = {}
    calls: dict[str, CallRecord] = {}
    for k, one in enumerate(recordings):
        persona = library.get(one.persona) if one.persona else own_customer(one.turns)
        if persona is not None:
            personas[str(k)] = persona
            calls[str(k)] = CallRecord(id=str(k), persona=str(k), turns=one.turns)
    errors: dict[str, str] = {}
    try:
        graded = {str(row["id"]): row for row in grade_records(list(calls.values()), personas, judge)} if calls else {}
    except (JudgeError, ModelError):
        graded, errors = _one_by_one(calls, personas, judge)
    rows: list[RecordedRow | Failed] = []
    for k, one in enumerate(recordings):
        if (found := graded.get(str(k))) is not None:
            rows.append(_row(one, found))
        else:
            why = errors.get(
                str(k), f"there is no persona {mask([str(one.persona)])[0][:60]!r}; add its folder with --personas"
            )
            rows.append(Failed(case=one.id, kind="recorded", error=why))
    return rows


Graded = dict[str, dict[str, object]]


def _one_by_one(
    calls: Mapping[str, CallRecord], personas: dict[str, Persona], judge: Judge
) -> tuple[Graded, dict[str, str]]:
    graded: Graded = {}
    errors: dict[str, str] = {}
    for k, call in calls.items():
        try:
            (graded[k],) = grade_records([call], personas, judge)
        except (JudgeError, ModelError) as error:
            errors[k] = str(error)
    return graded, errors


def _row(recording: Recording, graded: Mapping[str, object]) -> RecordedRow:
    levels = cast(list[float], graded["anger"])
    return RecordedRow.model_validate(
        {
            **graded,
            "case": recording.id,
            "id": recording.id,
            "persona": recording.persona,
            "turns": [{**said.model_dump(), "anger": at} for said, at in zip(recording.turns, levels, strict=True)],
            "reference": Reference(score=recording.score, outcome=recording.outcome),
        }
    )


def own_customer(turns: Sequence[Said]) -> OwnCustomer:
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
            "says": ["It has not been put right."],  # the line stands under `fact`; it need not be read twice
        }
        for k, line in enumerate(said, start=1)
    ]
    return OwnCustomer.model_validate(
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
