"""The evaluator against labelled replies that it has never seen: moves, story points, attacks, calibration, speed."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from eval.metrics import Score, calibration_error, score
from eval.statistics import bootstrap
from simulator.anger import State, react
from simulator.judge import Judge
from simulator.moves import MOVES, Frozen, Judgement, Move
from simulator.persona import load_personas
from simulator.training.data import LabelledReply, Part, reading_of


class EvaluatorReport(Frozen):
    """Figures of one set of replies. Shares are 0 to 1; `interval` is the bootstrap's middle 95 % of `macro_f1`."""

    replies: int
    macro_f1: float
    interval: tuple[float, float]
    moves: dict[str, Score]
    points: Score
    calibration_error: float
    attacks: int
    attacks_that_lower_anger: tuple[str, ...]
    noisy: int
    noisy_read_right: float
    uncertain: float
    replies_a_second: float


def evaluate(judge: Judge, items: Sequence[LabelledReply]) -> EvaluatorReport:
    """Judge every reply, in batches, and compare. Raises JudgeError when the judge fails."""
    started = time.perf_counter()
    found = judge.judge([item.reading for item in items])
    spent = time.perf_counter() - started
    pairs = list(zip(items, found, strict=True))
    moves = {m.value: score([m in i.moves for i in items], [m in j.present for j in found]) for m in MOVES}
    wanted, taken = [], []
    for item, judgement in pairs:
        for point in item.reading.persona.story if item.reading.persona else ():
            wanted.append(point.id in item.acknowledged)
            taken.append(point.id in judgement.acknowledged)
    attacks = [(i, j) for i, j in pairs if i.kind == "attack" and Move.SPECIFIC_EMPATHY not in i.moves]
    noisy = [(i, j) for i, j in pairs if i.kind == "genuine_noise"]
    return EvaluatorReport(
        replies=len(items),
        macro_f1=mean(one.f1 for one in moves.values()),
        interval=bootstrap(pairs, _macro),
        moves=moves,
        points=score(wanted, taken),
        calibration_error=mean(
            calibration_error([j.probabilities[m] for j in found], [m in i.moves for i in items]) for m in MOVES
        ),
        attacks=len(attacks),
        attacks_that_lower_anger=tuple(i.id for i, j in attacks if _lowers(i, j)),
        noisy=len(noisy),
        noisy_read_right=mean(_empathy_read_right(i, j) for i, j in noisy) if noisy else 0.0,
        uncertain=mean(j.uncertain for j in found),
        replies_a_second=len(items) / spent,
    )


def _macro(pairs: Sequence[tuple[LabelledReply, Judgement]]) -> float:
    return mean(score([m in i.moves for i, _ in pairs], [m in j.present for _, j in pairs]).f1 for m in MOVES)


def _lowers(item: LabelledReply, judgement: Judgement) -> bool:
    """Whether this reply would lower the anger of its customer, angry and with the story told."""
    persona = item.reading.persona
    if persona is None:
        return judgement.has(Move.SPECIFIC_EMPATHY) and not judgement.uncertain
    state = State(anger=9.0, told=tuple(point.id for point in persona.story), replies=1)
    return react(persona, state, judgement).reaction.change < 0


def _empathy_read_right(item: LabelledReply, judgement: Judgement) -> bool:
    return (Move.SPECIFIC_EMPATHY in item.moves) == judgement.has(Move.SPECIFIC_EMPATHY)


def outside(folder: Path) -> list[LabelledReply]:
    """Labelled replies from elsewhere: `replies.jsonl` beside `personas/`, in the form that `defuse judge` reads plus
    `moves` and `acknowledged`. A note that begins with "attack" marks an attack."""
    personas = load_personas(folder / "personas")
    rows: list[dict[str, Any]] = [json.loads(line) for line in (folder / "replies.jsonl").read_text().splitlines()]
    return [
        LabelledReply(
            id=row["id"],
            pen="outside",
            kind="attack" if str(row.get("note", "")).startswith("attack") else "plain",
            reading=reading_of(row, personas),
            moves=tuple(row["moves"]),
            acknowledged=tuple(row["acknowledged"]),
            parts=(Part(text=row["reply"], moves=tuple(row["moves"]), acknowledged=tuple(row["acknowledged"])),),
        )
        for row in rows
    ]
