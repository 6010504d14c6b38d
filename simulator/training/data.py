"""The labelled replies and the customer's lines, read with `datasets` from the JSONL beside this file."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

from datasets import load_dataset
from pydantic import Field

from simulator.directive import Directive
from simulator.judge import Reading
from simulator.moves import Frozen, Move
from simulator.persona import Persona, load_personas

DATA = Path(__file__).resolve().parent / "data"
# "seen" are earlier test sets, by other pens, on situations of "test"; later training data was written knowing
# their figures.
Split = Literal["train", "validation", "test", "seen"]


class Part(Frozen):
    """A stretch of a reply with the labels that it earns."""

    text: str
    moves: tuple[Move, ...]
    acknowledged: tuple[str, ...]


class LabelledReply(Frozen):
    """One reply in context, with its labels: its writer's, or what a third reader settled."""

    id: str
    pen: str
    kind: Literal["plain", "hard", "attack", "genuine_noise"]
    reading: Reading
    moves: tuple[Move, ...]
    acknowledged: tuple[str, ...]
    parts: tuple[Part, ...] = Field(min_length=1)


class CustomerLine(Frozen):
    """One line of a customer, with the directive that it says. `reading` holds the call up to the trainee's reply."""

    id: str
    pen: str
    reading: Reading
    directive: Directive
    wording: str
    line: str


@cache
def situations() -> dict[str, Persona]:
    """The personas of all situations, by id; which split each belongs to is a matter of the replies."""
    return load_personas(DATA / "personas")


def reading_of(row: Mapping[str, Any], personas: Mapping[str, Persona]) -> Reading:
    """What the evaluator reads, from a row with `persona`, `history` and `reply`. KeyError for an unknown persona."""
    return Reading(
        persona=personas[row["persona"]],
        history=tuple((turn["role"], turn["text"]) for turn in row["history"]),
        reply=row["reply"],
    )


def replies(split: Split) -> list[LabelledReply]:
    """The labelled replies of one split."""
    rows = load_dataset("json", data_files=str(DATA / "replies" / f"{split}.jsonl"), split="train")
    personas = situations()
    return [
        LabelledReply(
            id=row["id"],
            pen=row["pen"],
            kind=row["kind"],
            reading=reading_of(row, personas),
            moves=tuple(row["moves"]),
            acknowledged=tuple(row["acknowledged"]),
            parts=tuple(Part(**part) for part in row["parts"]),
        )
        for row in rows
    ]


class Labels(Frozen):
    """What one labeller gave one reply."""

    id: str
    moves: tuple[Move, ...]
    acknowledged: tuple[str, ...]


def second_labels() -> list[Labels]:
    """The blind second labelling: all of validation and test, and some of the other splits."""
    return _labels("second_labels")


def first_labels() -> list[Labels]:
    """What their writer gave those replies of validation and test whose labels a third reading has settled otherwise."""
    return _labels("first_labels")


def _labels(name: str) -> list[Labels]:
    rows = load_dataset("json", data_files=str(DATA / "replies" / f"{name}.jsonl"), split="train")
    return [Labels(**row) for row in rows]


def customer_lines(split: Split) -> list[CustomerLine]:
    """The customer's lines of one split; lines that answer the same reply stand together."""
    rows = load_dataset("json", data_files=str(DATA / "lines" / f"{split}.jsonl"), split="train")
    personas = situations()
    return [
        CustomerLine(
            id=row["id"],
            pen=row["pen"],
            reading=reading_of(row, personas),
            directive=Directive.model_validate(row["directive"]),
            wording=row["wording"],
            line=row["line"],
        )
        for row in rows
    ]
