"""Recorded conversations graded in batches, one that fails never taking others with it."""

from collections.abc import Mapping, Sequence

from eval.recorded import Recording
from simulator.judge import Judge, JudgeError
from simulator.models.base import ModelError
from simulator.persona import Persona
from simulator.records import CallRecord, grade_records


def grade_recordings(
    recordings: Sequence[Recording], library: Mapping[str, Persona], judge: Judge
) -> list[dict[str, object]]:
    """A row of kind `recorded` for each recording."""
    rows: list[dict[str, object]] = []
    for one in recordings:
        head: dict[str, object] = {"case": one.id, "kind": "recorded", "id": one.id, "persona": one.persona}
        call = CallRecord(id=one.id, persona=one.persona or "", turns=one.turns)
        try:
            (graded,) = grade_records([call], dict(library), judge)
        except (JudgeError, ModelError, ValueError) as error:
            rows.append({**head, "status": "failed", "error": str(error)})
            continue
        levels = graded["anger"] if isinstance(graded["anger"], list) else []
        turns = [{**said.model_dump(), "anger": level} for said, level in zip(one.turns, levels, strict=True)]
        reference = {"score": one.score, "outcome": one.outcome}
        rows.append({**head, "status": "ok", **graded, "turns": turns, "reference": reference})
    return rows
