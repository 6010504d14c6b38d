"""The scorecard against authors' own scores: does the grader put finished calls in the order that a reader would?"""

from collections.abc import Sequence
from pathlib import Path
from statistics import mean

from scipy.stats import spearmanr

from simulator.anger import Outcome
from simulator.grade import WEIGHTS
from simulator.jsonl import read_jsonl
from simulator.judge import Judge
from simulator.moves import Frozen
from simulator.persona import Persona
from simulator.records import CallRecord, Said, grade_records


class ScoredCall(Frozen):
    """A finished call with its author's scores, 0 to 100."""

    id: str
    persona: str
    turns: tuple[Said, ...]
    scores: dict[str, float]
    overall: float
    outcome: Outcome
    note: str = ""


class ScorecardReport(Frozen):
    """Spearman's rank correlation of grader and author, overall and by competency; the mean distance in points; and
    the share of calls with the author's outcome."""

    calls: int
    overall: float
    competencies: dict[str, float]
    distance: float
    same_outcome: float


def compare(judge: Judge, path: Path, personas: dict[str, Persona]) -> ScorecardReport:
    """Grade the calls in `path` and compare. Raises InputError or JudgeError."""
    calls = read_jsonl(path, ScoredCall)
    rows = grade_records([CallRecord(id=c.id, persona=c.persona, turns=c.turns) for c in calls], personas, judge)
    found = [float(str(row["overall"])) for row in rows]
    parts = [dict(row["competencies"]) for row in rows]  # type: ignore[call-overload]
    return ScorecardReport(
        calls=len(calls),
        overall=_ranks([c.overall for c in calls], found),
        competencies={n: _ranks([c.scores[n] for c in calls], [float(p[n]) for p in parts]) for n in WEIGHTS},
        distance=mean(abs(c.overall - one) for c, one in zip(calls, found, strict=True)),
        same_outcome=mean(c.outcome.value == row["outcome"] for c, row in zip(calls, rows, strict=True)),
    )


def _ranks(a: Sequence[float], b: Sequence[float]) -> float:
    return float(spearmanr(a, b).statistic)
