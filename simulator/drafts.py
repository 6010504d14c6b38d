"""Persona files to begin with: the commented example of `template.yaml`, and drafts made from character cards.

A draft says what the card gave; what an author must still write stands in it as commented examples, so `persona check`
names each field that is missing and the file itself shows how it goes.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from simulator.moves import Frozen

EDITOR_LINE = "# yaml-language-server: $schema=persona.schema.json\n"  # completion and checks in editors that know it
TEMPLATE = Path(__file__).with_name("template.yaml")

_TOP = re.compile(r"([a-z_]+):")
_NARRATION = re.compile(r"\*[^*\n]*\*")
_OPENING, _LINE, _NAME, _TAG = 2000, 400, 80, 40  # characters that the persona's fields take
_MOST_SAMPLES, _MOST_TAGS, _QUOTED = 6, 12, 6000


class Draft(Frozen):
    """A persona file that an author must finish. `notes` say what was done with the card, in one line each."""

    id: str
    text: str
    notes: tuple[str, ...]


def slug(name: str) -> str:
    """A persona's id from a name: lower case, digits, hyphens."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", plain))[:60].strip("-") or "imported"


def template(answers: Mapping[str, str]) -> str:
    """The commented example as a valid persona file, with these top-level fields said instead of its own."""
    return EDITOR_LINE + _written(answers, lambda block: block)


def draft(card: Mapping[str, Any], kept: str | None) -> Draft:
    """A draft from the data of a card. `kept` is what `Persona.card` will hold."""
    told = {name: _plain(str(card[name]), card) for name in ("first_mes", "personality", "scenario", "description")}
    drawn: dict[str, Any] = {
        "schema": 1,
        "id": slug(str(card["name"])),
        "name": _cut(_plain(str(card["name"]), card), _NAME),
    }
    headline = re.split(r"(?<=[.!?])\s", told["scenario"] or told["description"])[0]
    opening = " ".join(_NARRATION.sub(" ", told["first_mes"]).split())
    voice = {"style": _cut(told["personality"], _LINE), "samples": _samples(str(card["mes_example"]), card)}
    drawn |= {"headline": _cut(headline, _LINE), "voice": {k: v for k, v in voice.items() if v}}
    drawn |= {"opening": _cut(opening, _OPENING), "channel": "chat", "language": "en", "card": kept}
    drawn |= {"tags": [tag for tag in (_plain(t, card)[:_TAG] for t in card["tags"]) if tag][:_MOST_TAGS]}
    drawn = {name: value for name, value in drawn.items() if value}
    text = EDITOR_LINE + _said(card) + _written(drawn, _to_write)
    missing = [name for name in _blocks() if name not in drawn and name != "triggers"]
    notes = [
        "A draft: a card has no story to draw out, no temperament and no way forward, so these are yours to write.",
        f"Still to write: {', '.join(missing)}.",
    ]
    if _NARRATION.search(told["first_mes"]):
        notes.append("opening: what stood between asterisks was left out, for a customer is heard and not watched.")
    if len(opening) > _OPENING:
        notes.append(f"opening: cut at {_OPENING} characters.")
    return Draft(id=drawn["id"], text=text, notes=tuple(notes))


def _written(values: Mapping[str, Any], otherwise: Callable[[str], str]) -> str:
    """The template's fields in its order with its comments; a field without a value is what `otherwise` makes of it."""
    parts = []
    for name, (comments, block) in _blocks().items():
        parts.append(comments + (_dumped(name, values[name]) if name in values else otherwise(block)))
    parts += [_dumped(name, value) for name, value in values.items() if name not in _blocks()]
    return "".join(parts)


@cache
def _blocks() -> dict[str, tuple[str, str]]:
    """The template by top-level field: the comments over it, and its YAML."""
    found: dict[str, tuple[str, str]] = {}
    comments, name = "", ""
    for line in TEMPLATE.read_text(encoding="utf-8").splitlines(keepends=True):
        if start := _TOP.match(line):
            name = start.group(1)
            found[name] = (comments, line)
            comments = ""
        elif line.startswith("#") or not line.strip():
            comments += line
        else:
            above, block = found[name]
            found[name] = (above, block + line)
    return found


def _to_write(block: str) -> str:
    return "# TO WRITE, for example:\n" + "".join(f"# {line}" for line in block.splitlines(keepends=True))


def _dumped(name: str, value: Any) -> str:
    return yaml.safe_dump({name: value}, sort_keys=False, allow_unicode=True, width=110)


def _said(card: Mapping[str, Any]) -> str:
    """What the card says of the character, as comments: the author's material."""
    lines = [
        "# A draft made from a character card. Write what is marked TO WRITE; `defuse persona check FILE` names it.",
        "#",
    ]
    for name in ("description", "personality", "scenario", "mes_example"):
        text = str(card[name])[:_QUOTED]
        if text.strip():
            lines.append(f"# What the card says under {name}:")
            lines += [f"#   {_printable(line)}".rstrip() for line in text.splitlines()]
            lines.append("#")
    return "\n".join(lines) + "\n"


def _samples(examples: str, card: Mapping[str, Any]) -> list[str]:
    """What the character says in the example dialogues."""
    names = ("{{char}}", "<BOT>", "<char>", str(card["name"])[:_NAME], str(card["nickname"])[:_NAME])
    speakers = "|".join(re.escape(name) for name in names if name)
    said = re.findall(rf"^[ \t]*(?:{speakers})[ \t]*:(.+)$", examples, re.IGNORECASE | re.MULTILINE)
    lines = [" ".join(_NARRATION.sub(" ", _plain(line, card)).split()) for line in said]
    return list(dict.fromkeys(_cut(line, _LINE) for line in lines if line))[:_MOST_SAMPLES]


def _plain(text: str, card: Mapping[str, Any]) -> str:
    """Text of a card with its placeholders filled in and nothing in it that cannot be seen."""
    name = str(card["nickname"] or card["name"])
    text = re.sub(r"\{\{char\}\}|<(?:bot|char)>", lambda _: name, text, flags=re.IGNORECASE)
    text = re.sub(r"\{\{user\}\}|<user>", "you", text, flags=re.IGNORECASE)
    return "\n".join(_printable(line) for line in text.splitlines()).strip()


def _printable(line: str) -> str:
    """A line without control characters and halves of characters, none of which a YAML file may hold."""
    return "".join(c if c.isprintable() else " " for c in line)


def _cut(text: str, most: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1].rsplit(" ", 1)[0] + "…"
