"""Labelled replies from elsewhere, for the evaluator's suite."""

from pathlib import Path

from pydantic import ConfigDict

from simulator.jsonl import read_jsonl
from simulator.moves import Move
from simulator.persona import load_personas
from simulator.records import ReplyRecord, known_persona, readings
from simulator.training.data import LabelledReply, Part


class LabelledRecord(ReplyRecord):
    """A line of `replies.jsonl`: as `defuse judge` reads it, with its labels. A note that begins with "attack" marks one."""

    model_config = ConfigDict(extra="ignore")

    moves: tuple[Move, ...]
    acknowledged: tuple[str, ...] = ()
    note: str = ""


def outside(folder: Path) -> list[LabelledReply]:
    """Labelled replies from elsewhere: `replies.jsonl` beside `personas/`. Raises InputError, which names the line."""
    personas = load_personas(folder / "personas")
    rows = read_jsonl(
        folder / "replies.jsonl", LabelledRecord, lambda row: row.persona and known_persona(personas, row.persona)
    )
    return [
        LabelledReply(
            id=row.id,
            pen="outside",
            kind="attack" if row.note.startswith("attack") else "plain",
            reading=reading,
            moves=row.moves,
            acknowledged=row.acknowledged,
            parts=(Part(text=row.reply, moves=row.moves, acknowledged=row.acknowledged),),
        )
        for row, reading in zip(rows, readings(rows, personas), strict=True)
    ]
