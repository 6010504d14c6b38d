"""Recorded conversations from anywhere, one at a time: columns and speakers mapped, personal data masked."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import groupby, islice
from typing import Any, Literal

from pydantic import Field, ValidationError

from eval.masking import mask
from eval.sources import HUB, Raw, raw_records, spoken_lines
from simulator.anger import Outcome
from simulator.jsonl import InputError
from simulator.moves import Frozen
from simulator.records import Said

MOST_TURNS = 400
ROLES: Mapping[str, str] = {
    **dict.fromkeys(("customer", "client", "caller", "user", "human", "visitor", "consumer", "guest"), "customer"),
    **dict.fromkeys(
        ("trainee", "agent", "assistant", "rep", "representative", "operator", "support", "you"), "trainee"
    ),
    **dict.fromkeys(("advisor", "adviser", "employee", "staff", "csr", "service", "gpt"), "trainee"),
    **dict.fromkeys(("system", "bot", "ivr", "note", "tool"), "skip"),
}


class Columns(Frozen):
    """What the source calls its columns. Either `turns` holds a whole conversation (a list of lines, or text with a
    speaker before each), or `role` and `text` hold one line and rows of the same `id` stand together."""

    id: str = "id"
    turns: str = "turns"
    role: str = "role"
    text: str = "text"
    persona: str = "persona"
    score: str = "score"
    outcome: str = "outcome"


class Source(Frozen):
    """Where recordings lie and how to read them: the `source` of a recorded suite.

    `path` is a folder, a JSONL, CSV or Parquet file, or `hub:OWNER/NAME`. `roles` adds to the usual names of speakers:
    each is customer, trainee or skip. `persona` is for recordings that name none.
    """

    path: str = ""
    split: str = "train"
    config: str | None = None
    columns: Columns = Columns()
    roles: dict[str, Literal["customer", "trainee", "skip"]] = Field(default_factory=dict)
    persona: str | None = None
    mask: bool = True
    limit: int | None = Field(default=None, ge=1)


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
    """The conversations of a source, one at a time and already masked. Raises InputError when it cannot be read."""
    seen: dict[str, int] = {}
    for number, (where, record) in enumerate(_conversations(source)):
        if source.limit is not None and number >= source.limit:
            return
        found = _recording(where, record, source)
        again = seen[found.id] = seen.get(found.id, 0) + 1
        yield found if again == 1 else found.model_copy(update={"id": f"{found.id} ({again})"})
    if not seen:
        raise InputError(f"{source.path}: has no conversations")


def count(source: Source) -> int | None:
    """How many conversations a local source has; None for a hub data set, which would have to be fetched twice."""
    if source.path.startswith(HUB):
        return None
    return sum(1 for _ in islice(_conversations(source), source.limit))


def _conversations(source: Source) -> Iterator[tuple[str, Raw]]:
    """Records, those of one line each gathered into conversations while their id stays the same."""
    names = source.columns

    def key(raw: Raw) -> object:
        one_line = raw.data is not None and names.turns not in raw.data and names.text in raw.data
        return ("lines", str(raw.data.get(names.id))) if one_line and raw.data else raw.where

    for about, group in groupby(raw_records(source.path, source.split, source.config), key):
        raws = list(group)
        first = raws[0]
        if isinstance(about, tuple) and first.data is not None:
            lines = [raw.data for raw in raws if raw.data is not None]
            first = Raw(first.where, {**first.data, names.turns: lines})
        yield first.where, first


def _recording(where: str, raw: Raw, source: Source) -> Recording | Unreadable:
    """A record as a conversation. What is wrong with it is an `Unreadable`, never an exception: the rest goes on."""
    names, data = source.columns, raw.data or {}
    name = str(data.get(names.id) or where)
    if source.mask and mask([name])[0] != name:
        name = hashlib.sha256(name.encode()).hexdigest()[:12]
    if raw.data is None:
        return Unreadable(id=name, error=raw.why)
    try:
        turns, people = _turns(data, source)
        if source.mask:
            texts = mask([said.text for said in turns], people)
            turns = [Said(role=said.role, text=text) for said, text in zip(turns, texts, strict=True)]
        outcome = data.get(names.outcome)
        return Recording(
            id=name,
            persona=data.get(names.persona) or source.persona,
            turns=tuple(turns),
            score=None if data.get(names.score) in (None, "") else data[names.score],
            outcome=outcome if isinstance(outcome, str) and outcome in set(Outcome) else None,
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        return Unreadable(id=name, error=f"{'.'.join(map(str, first['loc']))}: {first['msg']}")
    except ValueError as error:
        return Unreadable(id=name, error=str(error))
    except RecursionError:
        return Unreadable(id=name, error=f"{names.turns}: nested too deep; give a list of lines")


def _turns(data: Mapping[str, Any], source: Source) -> tuple[list[Said], list[str]]:
    """The lines from the customer's first on, and the names that stood in place of a role. Raises ValueError."""
    names = source.columns
    said = data.get(names.turns, data.get("messages", data.get("conversation")))
    if isinstance(said, str) and said.lstrip().startswith("["):
        with suppress(ValueError):  # "[00:01] Customer: ..." is a line that was spoken at a time
            said = json.loads(said)
    if said is not None and not isinstance(said, str | list | tuple):
        raise ValueError(f"{names.turns}: is no list of lines; say under columns what the source calls them")
    lines = spoken_lines(said) if isinstance(said, str) else [_line(one, names) for one in said or ()]
    if not lines:
        raise ValueError(f"no lines under {names.turns!r}; say under columns what the source calls them")
    if len(lines) > MOST_TURNS:
        raise ValueError(f"more than {MOST_TURNS} lines; a conversation is shorter")
    roles = {**ROLES, **{name.casefold(): role for name, role in source.roles.items()}}
    turns: list[Said] = []
    people: list[str] = []
    for who, text in lines:
        role = roles.get(who.strip().casefold())
        if role is None:
            raise ValueError(
                f"speaker {mask([who])[0][:40]!r} is unknown; say under roles whether customer, trainee or skip"
            )
        if who.strip().casefold() not in ROLES:
            people.append(who)
        if role != "skip" and text.strip() and (turns or role == "customer"):
            turns.append(Said(role="customer" if role == "customer" else "trainee", text=text.strip()))
    if not any(one.role == "trainee" for one in turns):
        raise ValueError("nobody answers the customer, so there is nothing to grade")
    return turns, people


def _line(one: Any, names: Columns) -> tuple[str, str]:
    """Speaker and words of one line of a list, in any of the usual forms."""
    if isinstance(one, Mapping):
        who = next((one[k] for k in (names.role, "role", "speaker", "from") if one.get(k)), None)
        text = next((one[k] for k in (names.text, "text", "content", "value", "utterance") if one.get(k)), "")
        if who is None:
            raise ValueError("a line has no speaker; say under columns what the source calls role and text")
        return str(who), str(text)
    if isinstance(one, list | tuple) and len(one) == 2:
        return str(one[0]), str(one[1])
    spoken = spoken_lines(str(one))
    if not spoken:
        raise ValueError("a line has no speaker; write it before the words, as in 'Agent: ...'")
    return spoken[0]
