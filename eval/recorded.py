"""Recorded conversations: where they lie and how to read them, one at a time."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import Field

from simulator.jsonl import read_jsonl
from simulator.moves import Frozen
from simulator.records import Said


class Source(Frozen):
    """Where recordings lie: a JSONL file. `persona` is for recordings that name none."""

    path: str = ""
    persona: str | None = None


class Recording(Frozen):
    """One recorded conversation, from the customer's first line on. `score` (0 to 100) and `outcome` are the source's."""

    id: str
    persona: str | None = None
    turns: tuple[Said, ...] = Field(min_length=1)
    score: float | None = None
    outcome: str | None = None


class Unreadable(Frozen):
    """A record that is no conversation, and why."""

    id: str
    error: str


def cases(source: Source) -> Iterator[Recording | Unreadable]:
    """The conversations of a source, one at a time. Raises InputError when it cannot be read."""
    yield from read_jsonl(Path(source.path), Recording)
