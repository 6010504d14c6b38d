"""A persona while it is written: YAML text that may still be wrong, and what it says.

The text is the draft; a form is a view of it.
"""

from functools import lru_cache
from typing import Any, NamedTuple

from pydantic import ValidationError

from simulator.faults import Fault, Path, faults
from simulator.persona import Persona, PersonaError, read_fields

BLANK = """\
schema: 1
id: new-customer
name: ""
headline: ""
role: ""
company: ""
trainee_role: customer service representative
channel: phone
briefing: ""
difficulty: 2
language: en
tags: []
voice:
  style: ""
  samples: []
temperament:
  opening_anger: 7
  volatility: 1.0
  forgiveness: 1.0
  patience: 3
  hears_advice_at: 4
opening: ""
story:
  - id: what-happened
    layer: incident
    told: opening
    fact: ""
    feeling: ""
    because: ""
    weight: 1
    says: []
  - id: what-it-did
    layer: impact
    told: asked
    fact: ""
    feeling: ""
    because: ""
    weight: 2
    says: []
  - id: what-lies-under
    layer: root
    told: understood
    fact: ""
    feeling: ""
    because: ""
    weight: 2
    says: []
  - id: what-is-unsaid
    layer: unsaid
    told: probed
    fact: ""
    feeling: ""
    because: ""
    weight: 1
    says: []
triggers: []
resolution:
  needs: []
  won_over_by: ""
endings:
  lost: ""
  placated: ""
  retained: ""
  won_over: ""
"""


class Reading(NamedTuple):
    """What a draft says: its fields (None when it is no YAML of fields), the persona (None while there are faults)."""

    fields: dict[str, Any] | None
    persona: Persona | None
    faults: tuple[Fault, ...]


@lru_cache(maxsize=64)
def read(text: str) -> Reading:
    """The draft as it stands, with every mistake."""
    try:
        fields = read_fields(text)
    except PersonaError as error:
        return Reading(None, None, (Fault((), _unreadable(error)),))
    try:
        return Reading(fields, Persona.model_validate(fields), ())
    except ValidationError as error:
        return Reading(fields, None, tuple(faults(error)))


def _unreadable(error: Exception) -> str:
    cause = error.__cause__
    mark = getattr(cause, "problem_mark", None)
    if mark is None:
        return str(error).removeprefix("persona: ")
    return f"cannot be read at line {mark.line + 1}, column {mark.column + 1}: {getattr(cause, 'problem', '')}"


def at(path: Path) -> str:
    """A fault's path as a form names it: `story.0.because`."""
    return ".".join(str(part) for part in path)
