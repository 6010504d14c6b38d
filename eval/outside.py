"""Labelled replies from elsewhere, for the evaluator's suite."""

import json
from pathlib import Path
from typing import Any

from simulator.persona import load_personas
from simulator.training.data import LabelledReply, Part, reading_of


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
