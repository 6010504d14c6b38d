"""Persona files: an irate customer, written by a trainer in YAML, read into frozen, validated types.

Trainers who do not program write these, so every error names the file, the field and what to do about it.
"""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator

from simulator.faults import faults
from simulator.moves import Frozen, Move
from simulator.plain_yaml import MAX_BYTES as MAX_BYTES  # a persona's bound, for those who take one in
from simulator.plain_yaml import PlainYamlError, plain_fields

LIBRARY = Path(__file__).resolve().parent.parent / "personas"
MOST_KEPT = 120_000  # characters that a character card carried and a persona has no field for

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=400)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]


class PersonaError(ValueError):
    """A persona file that cannot be used. The message names file and field and says what to do."""


class Layer(StrEnum):
    """How deep in the story a point lies."""

    INCIDENT = "incident"
    IMPACT = "impact"
    ROOT = "root"
    UNSAID = "unsaid"


class Told(StrEnum):
    """What brings a story point out."""

    OPENING = "opening"  # the customer says it unasked, in the first line
    ASKED = "asked"  # after an open question or a restatement
    UNDERSTOOD = "understood"  # after an earlier point was met with specific empathy
    PROBED = "probed"  # when asked what else there is, once calm enough to say it


class StoryPoint(Frozen):
    """One thing that this customer needs to have heard."""

    id: Slug
    layer: Layer
    told: Told
    fact: Line
    feeling: Line
    because: Line
    weight: float = Field(gt=0, le=10)
    says: tuple[Line, ...] = Field(min_length=1, max_length=5)


class Voice(Frozen):
    """How the customer sounds."""

    style: Line
    samples: tuple[Line, ...] = Field(min_length=2, max_length=6)


class Temperament(Frozen):
    """The numbers that scale the rule of anger for this customer."""

    opening_anger: float = Field(ge=0, le=10)
    volatility: float = Field(ge=0.5, le=2)
    forgiveness: float = Field(ge=0.5, le=2)
    patience: int = Field(ge=1, le=6)
    hears_advice_at: float = Field(ge=0, le=10)


class Trigger(Frozen):
    """A move that sets this customer off beyond the common rules; `rise` is added before volatility scales."""

    move: Move
    rise: float = Field(gt=0, le=5)
    because: Line


class Resolution(Frozen):
    """What a good way forward has to contain."""

    needs: tuple[Line, ...] = Field(min_length=1, max_length=6)
    won_over_by: Line


class Endings(Frozen):
    """Guidance for the customer's last line, by outcome."""

    lost: Line
    placated: Line
    retained: Line
    won_over: Line


class Persona(Frozen):
    """One irate customer. `docs/personas.md` explains each field with an example."""

    schema_version: Literal[1] = Field(alias="schema")
    id: Slug
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    headline: Line
    role: Line
    company: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    trainee_role: Line
    channel: Literal["phone", "chat"]
    briefing: Text
    difficulty: int = Field(ge=1, le=5)
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")] = "en"
    tags: tuple[Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)], ...] = ()
    voice: Voice
    temperament: Temperament
    opening: Text
    story: tuple[StoryPoint, ...] = Field(min_length=1, max_length=12)
    triggers: tuple[Trigger, ...] = ()
    resolution: Resolution
    endings: Endings
    # What a character card carried that a persona has no field for, as JSON: cards.py writes it back on export.
    card: Annotated[str, StringConstraints(max_length=MOST_KEPT)] | None = None

    @field_validator("card")
    @classmethod
    def _card_is_json(cls, text: str | None) -> str | None:
        try:
            readable = text is None or isinstance(json.loads(text), dict)
        except (ValueError, RecursionError):
            readable = False
        if not readable:
            raise ValueError("is not the JSON that `defuse persona import` wrote; restore it or remove the field")
        return text

    @model_validator(mode="after")
    def _story_holds_together(self) -> Self:
        ids = [point.id for point in self.story]
        doubled = sorted({one for one in ids if ids.count(one) > 1})
        if doubled:
            raise ValueError(f"story: id {doubled[0]!r} is used twice; give each story point its own id")
        if not any(point.told is Told.OPENING for point in self.story):
            raise ValueError("story: no point is told: opening; mark what the opening line already says")
        return self

    @property
    def total_weight(self) -> float:
        """Sum of the story's weights."""
        return sum(point.weight for point in self.story)

    def point(self, point_id: str) -> StoryPoint:
        """The story point with this id; KeyError when there is none."""
        for point in self.story:
            if point.id == point_id:
                return point
        raise KeyError(point_id)


_SHOWN = 10  # mistakes in one message


def explain(error: ValidationError) -> str:
    """The first few mistakes, one a line, as `field: what is wrong`; a misspelt field before the one it leaves missing."""
    found = faults(error)
    lines = []
    for fault in found[:_SHOWN]:
        field = ".".join(str(part) for part in fault.at) or "persona"
        lines.append(f"{field}: {fault.message}" + (f" (found {fault.found!r})" if fault.found else ""))
    if len(found) > _SHOWN:
        lines.append(f"and {len(found) - _SHOWN} more; mend these first")
    return "\n  ".join(lines)


def read_fields(text: str, source: str = "persona") -> dict[str, Any]:
    """The fields in YAML text, not yet checked. Raises PersonaError; `source` is the name that its message gives."""
    try:
        return plain_fields(text, what="persona", such_as="'id:' and 'story:'")
    except PlainYamlError as error:
        raise PersonaError(f"{source}: {error}") from error.__cause__  # YAML's own word, which has the place


def parse_persona(text: str, source: str = "persona") -> Persona:
    """Read one persona from YAML text. Raises PersonaError; `source` is the name that its message gives."""
    try:
        return Persona.model_validate(read_fields(text, source))
    except ValidationError as error:
        raise PersonaError(f"{source}:\n  {explain(error)}") from error


def load_persona(path: Path) -> Persona:
    """Read `path`. Raises PersonaError when it cannot be read, is not valid, or its id is not the file's name."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PersonaError(f"{path}: cannot be read ({error}); give the path of a UTF-8 YAML file") from error
    persona = parse_persona(text, str(path))
    if persona.id != path.stem:
        raise PersonaError(f"{path}: id: is {persona.id!r}; it must be the file's name, {path.stem!r}")
    return persona


def load_personas(*folders: Path) -> dict[str, Persona]:
    """Every persona in `folders` (the shipped library when none is given), by id; a later folder wins.

    Raises PersonaError at the first file that is not valid, or for a folder that does not exist.
    """
    found: dict[str, Persona] = {}
    for folder in folders or (LIBRARY,):
        if not folder.is_dir():
            raise PersonaError(f"{folder}: no such folder; give a folder of persona files (*.yaml)")
        for path in sorted(folder.glob("*.yaml")):
            persona = load_persona(path)
            found[persona.id] = persona
    return found


def dump_persona(persona: Persona) -> str:
    """The persona as YAML that `parse_persona` reads back to an equal one."""
    data = persona.model_dump(mode="json", by_alias=True, exclude_none=True)
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=110)


def persona_json_schema() -> str:
    """JSON Schema of the file format, for editors that complete and check as one writes."""
    return json.dumps(Persona.model_json_schema(by_alias=True), indent=2, ensure_ascii=False) + "\n"
