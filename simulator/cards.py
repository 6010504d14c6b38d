"""Character cards, V2 and V3: a persona travels in one without loss, a card from elsewhere becomes the draft of a persona.

The forms are those of github.com/malfoyslastname/character-card-spec-v2 and github.com/kwaroran/character-card-spec-v3.
Our persona lies in `extensions["defuse"]`; the other fields say it again for applications that know nothing of Defuse. What
a card carries beyond that (other extensions, a lorebook, assets, fields of a later version) stays in `Persona.card`.
"""

import json
from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simulator.cards_png import PNG, card_in_png
from simulator.drafts import draft
from simulator.moves import Frozen
from simulator.persona import MOST_KEPT, Persona, PersonaError, dump_persona, explain

MAX_CARD = 1_000_000  # bytes of JSON
MAX_FILE = 20_000_000  # bytes of a PNG with a card in it
OURS = "defuse"
# What a persona has fields for, so that its own words are what an export says.
_PERSONAS = ("name", "first_mes", "tags")
_V2_ONLY = (
    "This character card is Character Card V3, but it is loaded as a Character Card V2. Please use a Character Card V3 "
    "compatible application to use this character card properly."
)


class CardError(PersonaError):
    """A card that cannot be used. The message names file and field and says what to do."""


class Spec(StrEnum):
    """The two forms of a card."""

    V2 = "chara_card_v2"
    V3 = "chara_card_v3"


class CardData(BaseModel):
    """The part of a card that Defuse reads; everything else in it is kept as it is (`model_extra`)."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str
    description: str = ""
    personality: str = ""
    scenario: str = ""
    first_mes: str = ""
    mes_example: str = ""
    tags: tuple[str, ...] = ()
    nickname: str = ""
    extensions: dict[str, Any] = Field(default_factory=dict)


class Card(Frozen):
    """A card as it was read. `notes` say what a reader should know of it."""

    spec: Spec
    data: CardData
    notes: tuple[str, ...] = ()


class Imported(Frozen):
    """What came of a card: a persona file's text, and the persona unless the text is a draft that lacks something."""

    id: str
    text: str
    persona: Persona | None = None
    notes: tuple[str, ...] = ()


def read_card(path: Path) -> Card:
    """The card in a JSON or PNG file. Raises CardError."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE + 1)
    except OSError as error:
        raise CardError(f"{path}: cannot be read ({error}); give a card as JSON or PNG") from error
    if len(content) > MAX_FILE:
        raise CardError(f"{path}: larger than {MAX_FILE // 1_000_000} MB; export the card again with a smaller picture")
    if not content.startswith(PNG):
        return parse_card(content, str(path))
    try:
        found = card_in_png(content)
    except ValueError as error:
        raise CardError(f"{path}: {error}") from error
    card = parse_card(found.text, str(path))
    return card.model_copy(update={"notes": (*card.notes, *found.notes)})


def parse_card(content: bytes, source: str = "card") -> Card:
    """A card from its JSON, in the form of V2 or V3. Raises CardError; `source` is the name that its message gives."""
    if len(content) > MAX_CARD:
        raise CardError(
            f"{source}: more than {MAX_CARD // 1_000_000} MB of card; take pictures and lorebooks out of it"
        )
    try:
        found = json.loads(content.decode("utf-8-sig"), parse_constant=_no_constant)
        json.dumps(found)  # also finds what is nested too deeply to be written again
    except (ValueError, RecursionError) as error:
        raise CardError(f"{source}: not the JSON of a character card ({str(error)[:120]}); export it again") from error
    if not isinstance(found, dict) or str(found.get("spec")) not in set(Spec):
        raise CardError(f"{source}: spec: is not {Spec.V2.value!r} or {Spec.V3.value!r}; export it as a V2 or V3 card")
    try:
        data = CardData.model_validate(found.get("data"))
    except ValidationError as error:
        raise CardError(f"{source}: data:\n  {explain(error)}") from error
    spec, version = Spec(found["spec"]), str(found.get("spec_version", ""))
    notes: tuple[str, ...] = ()
    if spec is Spec.V3 and _number(version) > 3:
        notes = (f"The card is of version {version[:20]}, newer than 3.0: what is new in it is kept, not understood.",)
    return Card(spec=spec, data=data, notes=notes)


def import_card(card: Card, source: str = "card") -> Imported:
    """The persona in a card, or a draft made from what the card says. Raises CardError."""
    ours = card.data.extensions.get(OURS)
    if ours is None:
        kept = _kept(card, {name: getattr(card.data, name) for name in _PERSONAS}, source)
        made = draft(card.data.model_dump(), kept)
        return Imported(id=made.id, text=made.text, notes=(*card.notes, *made.notes))
    try:
        persona = Persona.model_validate(ours.get("persona") if isinstance(ours, dict) else ours)
    except ValidationError as error:
        raise CardError(f"{source}: extensions.{OURS}.persona:\n  {explain(error)}") from error
    plain = _data(persona, card.spec)
    kept = _kept(card, plain, source)
    persona = persona.model_copy(update={"card": kept})
    notes = tuple(
        f"{name}: another application changed it in the card; the persona inside was taken as it is."
        for name in _PERSONAS
        if _listed(getattr(card.data, name)) != plain[name]
    )
    return Imported(id=persona.id, text=dump_persona(persona), persona=persona, notes=(*card.notes, *notes))


def export_card(persona: Persona, spec: Spec) -> str:
    """The persona as the JSON of a card, with whatever a card had carried before it became this persona."""
    kept = json.loads(persona.card) if persona.card else {}
    data = _data(persona, spec)
    extensions = {**kept.pop("extensions", {}), **data["extensions"]}
    data |= {**kept, "extensions": extensions}
    version = "2.0" if spec is Spec.V2 else "3.0"
    return json.dumps({"spec": spec.value, "spec_version": version, "data": data}, indent=2) + "\n"


def backfilled(persona: Persona) -> str:
    """The V2 card that lies beside a V3 card in a picture, with the warning that the specification asks for."""
    card = json.loads(export_card(persona, Spec.V2))
    card["data"]["creator_notes"] = f"{_V2_ONLY}\n\n{card['data']['creator_notes']}".strip()
    return json.dumps(card)


def _data(persona: Persona, spec: Spec) -> dict[str, Any]:
    """Every field that the specification asks for, with our own extension and nothing else."""
    story = "\n".join(
        f"- {point.fact}; it left {{{{char}}}} {point.feeling}, because {point.because}" for point in persona.story
    )
    lines = "\n".join(f"{{{{char}}}}: {line}" for line in persona.voice.samples)
    later: dict[str, Any] = {"group_only_greetings": []} if spec is Spec.V3 else {}
    whole = persona.model_dump(mode="json", by_alias=True, exclude={"card"})
    return {
        "name": persona.name,
        "description": f"{{{{char}}}}: {persona.role}. {persona.headline}.\n\nWhat happened:\n{story}",
        "personality": persona.voice.style,
        "scenario": f"{{{{char}}}} complains to {{{{user}}}}, {persona.trainee_role} at {persona.company}. {persona.briefing}",
        "first_mes": persona.opening,
        "mes_example": f"<START>\n{lines}",
        "creator_notes": "An irate customer to practise with, made for Defuse, which reads the rules of the call from the card.",
        "system_prompt": "",
        "post_history_instructions": "",
        "alternate_greetings": [],
        "tags": list(persona.tags),
        "creator": "",
        "character_version": "",
        "extensions": {OURS: {"persona": whole}},
        **later,
    }


def _kept(card: Card, plain: dict[str, Any], source: str) -> str | None:
    """What the card carries beyond `plain`, as JSON; None for nothing. Raises CardError when it is too much to keep."""
    data = card.data.model_dump(exclude_unset=True)
    extensions = {name: value for name, value in data.pop("extensions", {}).items() if name != OURS}
    kept = {name: value for name, value in data.items() if name not in _PERSONAS and _listed(value) != plain.get(name)}
    if extensions:
        kept["extensions"] = extensions
    text = json.dumps(kept, separators=(",", ":"))
    if len(text) > MOST_KEPT:
        largest = max(kept, key=lambda name: len(json.dumps(kept[name])))
        raise CardError(
            f"{source}: data.{largest}: the card carries more than the {MOST_KEPT // 1000} kB that a persona file keeps for "
            "other applications; make this part smaller in a card editor, then import again"
        )
    return text if kept else None


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _number(version: str) -> float:
    try:
        return float(version)
    except ValueError:
        return 0.0


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
