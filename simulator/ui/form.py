"""The form of a persona: one input for each field, in the order in which one writes.

An input's `data-path` names the field as a fault does, so studio.js finds the place for each mistake. The form shows what a
draft says, right or wrong; values that no input can hold are left to the YAML beside it.
"""

import secrets
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from simulator.moves import MOVES
from simulator.ui.words import DIFFICULTY, cap, esc

Fields = Mapping[str, Any]


class Field(NamedTuple):
    """One input. `kind` is text, long, lines, number or choice; `options` are a choice's values and words, or a number's
    least, most and step."""

    path: str
    label: str
    hint: str = ""
    kind: str = "text"
    options: tuple[tuple[str, str], ...] = ()


LAYERS = (
    ("incident", "incident: what happened"),
    ("impact", "impact: what it did to them"),
    ("root", "root: what lies under it"),
    ("unsaid", "unsaid: what they do not say"),
)
TOLD = (
    ("opening", "in the opening line"),
    ("asked", "when asked an open question"),
    ("understood", "once something was understood"),
    ("probed", "when asked what else there is"),
)
_LEVELS = tuple((str(n), f"{n}: {word}") for n, word in enumerate(DIFFICULTY, start=1))
_MOVES = tuple((move.value, move.value.replace("_", " ")) for move in MOVES)
_ANGER = (("0", "10"), ("0.5", ""))
_FACTOR = (("0.5", "2"), ("0.1", ""))

SECTIONS: tuple[tuple[str, str, tuple[Field, ...]], ...] = (
    (
        "Who calls",
        "",
        (
            Field("name", "Name"),
            Field("role", "Who they are", "Such as: home customer, freelance bookkeeper."),
            Field("headline", "Headline", "One line on the card in the gallery.", "long"),
            Field("company", "Company the trainee speaks for"),
            Field("trainee_role", "The trainee's role there"),
            Field("channel", "Channel", "", "choice", (("phone", "by phone"), ("chat", "by chat"))),
            Field("difficulty", "Difficulty", "", "choice", _LEVELS),
            Field("tags", "Tags", "One a line. The first is the trade, for the gallery's filter.", "lines"),
            Field("language", "Language", "A code, such as en."),
            Field("id", "Id", "The file's name: lower case letters, digits, hyphens. It stays once saved."),
        ),
    ),
    (
        "Before the call",
        "",
        (Field("briefing", "Briefing", "What the system shows. Give nothing of the story away.", "long"),),
    ),
    (
        "Voice",
        "",
        (
            Field("voice.style", "Style", "A few words: clipped, sarcastic, rhetorical questions."),
            Field(
                "voice.samples",
                "Sample lines",
                "Two to six, one a line; each could stand anywhere in the call.",
                "lines",
            ),
        ),
    ),
    (
        "Temper",
        "",
        (
            Field("temperament.opening_anger", "Anger at the start", "0 calm, 10 about to hang up", "number", _ANGER),
            Field("temperament.hears_advice_at", "Hears advice at", "At or under this anger", "number", _ANGER),
            Field("temperament.volatility", "Volatility", "0.5 to 2, scales every rise", "number", _FACTOR),
            Field("temperament.forgiveness", "Forgiveness", "0.5 to 2, scales every fall", "number", _FACTOR),
            Field("temperament.patience", "Patience", "1 to 6 bad replies in a row", "number", (("1", "6"), ("1", ""))),
        ),
    ),
    ("First line", "", (Field("opening", "Opening", "As it is said.", "long"),)),
)
POINT: tuple[Field, ...] = (
    Field("fact", "Fact", "What happened, in the third person.", "long"),
    Field("feeling", "Feeling", "What it left them: foolish, ignored, frightened."),
    Field("because", "Because", "Why it hurts this person; more than the fact again.", "long"),
    Field("says", "Says", "One a line, one to five: as this customer says it aloud.", "lines"),
    Field("layer", "Layer", "", "choice", LAYERS),
    Field("told", "Comes out", "", "choice", TOLD),
    Field("weight", "Weight", "Its share of the story", "number", (("0.25", "10"), ("0.25", ""))),
    Field("id", "Short name", "Letters, digits, hyphens"),
)
TRIGGER: tuple[Field, ...] = (
    Field("move", "When a reply makes this move", "", "choice", _MOVES),
    Field("rise", "Anger rises by", "More than the common rule, up to 5", "number", (("0.1", "5"), ("0.1", ""))),
    Field("because", "Because", "", "long"),
)
ENDING: tuple[tuple[str, str, tuple[Field, ...]], ...] = (
    (
        "A way forward",
        "",
        (
            Field("resolution.needs", "What it has to contain", "One a line, one to six.", "lines"),
            Field("resolution.won_over_by", "What would win them over", "", "long"),
        ),
    ),
    (
        "Last line",
        "How the call's last line goes.",
        (
            Field("endings.lost", "When lost", "", "long"),
            Field("endings.placated", "When placated", "", "long"),
            Field("endings.retained", "When retained", "", "long"),
            Field("endings.won_over", "When won over", "", "long"),
        ),
    ),
)


def form(fields: Fields, saved: bool) -> str:
    """The whole form. `saved` fixes the id; a mark of its own tells the browser that it is drawn anew."""
    before, after = ("".join(_section(*section, fields, saved) for section in part) for part in (SECTIONS, ENDING))
    story = _entries(fields, "story", POINT, "Story", "In the order in which it comes out.", "Part", "Add a part")
    lead = "Moves that anger this one beyond the common rules."
    triggers = _entries(fields, "triggers", TRIGGER, "Triggers", lead, "Trigger", "Add a trigger")
    opened = f'<form class="persona" data-form="{secrets.token_hex(4)}" autocomplete="off" novalidate>'
    return f"{opened}{before}{story}{triggers}{after}</form>"


def unreadable() -> str:
    """What stands in the form's place when a draft is opened whose YAML cannot be read."""
    return '<p class="empty">The form comes back when the YAML can be read. The checks say what is wrong with it.</p>'


def label_of(path: str) -> str:
    """A field's name on the form: `Part 2, Because` for `story.1.because`."""
    top, _, rest = path.partition(".")
    if top in ("story", "triggers") and rest:
        number, _, name = rest.partition(".")
        entry = f"{'Part' if top == 'story' else 'Trigger'} {int(number) + 1}" if number.isdecimal() else cap(top)
        inner = next(
            (f.label for f in (POINT if top == "story" else TRIGGER) if f.path == name.partition(".")[0]), name
        )
        return f"{entry}, {inner}" if inner else entry
    known = {f.path: f.label for _, _, parts in (*SECTIONS, *ENDING) for f in parts}
    found = next((label for field, label in known.items() if path == field or path.startswith(f"{field}.")), None)
    return found or cap(path.replace("_", " ").replace(".", ", ")) or "The file"


def _section(title: str, lead: str, parts: Iterable[Field], fields: Fields, saved: bool) -> str:
    intro = f"<p class='lead'>{lead}</p>" if lead else ""
    inputs = "".join(_field(part, part.path, _value(fields, part.path), saved and part.path == "id") for part in parts)
    return f'<section aria-label="{title}"><h2>{title}</h2>{intro}<div class="fields">{inputs}</div></section>'


def _entries(fields: Fields, where: str, parts: tuple[Field, ...], title: str, lead: str, noun: str, more: str) -> str:
    entries = fields.get(where)
    found = entries if isinstance(entries, list) else []
    items = "".join(_entry(where, i, len(found), entry, parts, noun) for i, entry in enumerate(found))
    return (
        f'<section aria-label="{title}"><h2>{title}</h2><p class="lead">{lead}</p>'
        f'<p class="fault" data-fault="{where}" hidden></p><ol class="entries">{items}</ol>'
        f'<button type="button" class="plain quiet" data-add="{where}">{more}</button></section>'
    )


def _entry(where: str, index: int, count: int, entry: object, parts: tuple[Field, ...], noun: str) -> str:
    inner = entry if isinstance(entry, dict) else {}
    base, name = f"{where}.{index}", f"{noun} {index + 1}"
    inputs = "".join(_field(part, f"{base}.{part.path}", inner.get(part.path), False) for part in parts)

    def button(act: str, sign: str, words: str, off: bool) -> str:
        state = " disabled" if off else ""
        return (
            f'<button type="button" class="plain quiet" data-{act}="{base}"{state} aria-label="{words} {name.lower()}" '
            f'title="{words}">{sign}</button>'
        )

    return (
        f'<li class="entry" data-entry="{base}"><fieldset><legend>{name}</legend><div class="order">'
        f"{button('up', '↑', 'Move up', index == 0)}{button('down', '↓', 'Move down', index == count - 1)}"
        f"{button('remove', 'Remove', 'Remove', False)}</div>"
        f'<p class="fault" data-fault="{base}" hidden></p><div class="fields">{inputs}</div></fieldset></li>'
    )


def _field(part: Field, path: str, value: object, fixed: bool) -> str:
    name = f"f-{path.replace('.', '-')}"
    told = f"{name}-hint {name}-fault" if part.hint else f"{name}-fault"
    common = (
        f'id="{name}" data-path="{esc(path)}" data-kind="{_KINDS.get(part.path, part.kind)}" '
        f'aria-describedby="{told}"{" readonly" if fixed else ""}'
    )
    hint = f'<small id="{name}-hint">{part.hint}</small>' if part.hint else ""
    return (
        f'<div class="field {part.kind}"><label for="{name}">{part.label}</label>{_input(part, common, value)}{hint}'
        f'<p class="fault" id="{name}-fault" data-fault="{esc(path)}" hidden></p></div>'
    )


_KINDS = {"difficulty": "number"}


def _input(part: Field, common: str, value: object) -> str:
    if part.kind == "choice":
        now = _text(value)
        options = part.options if now in dict(part.options) else ((now, now or "choose"), *part.options)
        chosen = "".join(
            f'<option value="{esc(v)}"{" selected" if v == now else ""}>{esc(words)}</option>' for v, words in options
        )
        return f"<select {common}>{chosen}</select>"
    if part.kind == "number":
        (least, most), (step, _) = part.options
        return f'<input type="number" {common} min="{least}" max="{most}" step="{step}" value="{esc(_text(value))}">'
    if part.kind == "lines":
        lines = value if isinstance(value, list) else [value]
        text = "\n".join(" ".join(_text(line).split()) for line in lines)
        return f'<textarea {common} rows="{max(2, len(lines))}">{_inside(text)}</textarea>'
    if part.kind == "long":
        return f'<textarea {common} rows="1">{_inside(_text(value).strip())}</textarea>'
    return f'<input type="text" {common} value="{esc(_text(value))}">'


def _inside(text: str) -> str:
    """Text for a textarea, which swallows one line break at its start."""
    return "\n" + esc(text)


def _text(value: object) -> str:
    """A value as an input shows it; empty for what no input can hold."""
    if isinstance(value, bool) or value is None:
        return "" if value is None else str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""


def _value(fields: Fields, path: str) -> object:
    there: object = dict(fields)
    for part in path.split("."):
        there = there.get(part) if isinstance(there, dict) else None
    return there
