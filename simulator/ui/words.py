"""Small words and numbers the pages share, and the one place where text becomes HTML.

Everything a person or a persona file wrote goes through `esc`; a page is built from nothing else.
"""

import html
import re
from base64 import b64encode
from datetime import datetime

from simulator.anger import Outcome
from simulator.directive import mood_of
from simulator.persona import Persona
from simulator.wording import TITLES

DIFFICULTY = ("gentle", "moderate", "demanding", "hard", "very hard")
OUTCOME = {
    Outcome.LOST: "lost",
    Outcome.PLACATED: "placated",
    Outcome.RETAINED: "retained",
    Outcome.WON_OVER: "won over",
}
_AS_YOU = re.compile(r"(?:uni(?!n)|use|uti|eu|one\b|once)", re.IGNORECASE)
CHANNEL = {"phone": "by phone", "chat": "by chat"}


def esc(text: str) -> str:
    """Text for HTML, in an element or a quoted attribute."""
    return html.escape(text, quote=True)


def cap(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """The text with a capital and a full stop."""
    text = cap(text.strip())
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def plural(count: int, one: str, many: str = "") -> str:
    """`1 part`, `3 parts`."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def article(noun: str) -> str:
    """The noun with a or an, unless it has one: an adviser, a utility's clerk, an HR partner, an MOT tester."""
    first = noun.partition(" ")[0]
    if first.lower() in ("a", "an", "the"):
        return noun
    spelt = first.isupper() and 1 < len(first) < 4  # said letter by letter
    vowel = first[:1] in "AEFHILMNORSX" if spelt else first[:1].lower() in "aeiou" and not _AS_YOU.match(first)
    return f"{'an' if vowel else 'a'} {noun}"


def first_name(persona: Persona) -> str:
    """What the customer is called on the page: the first name; all of it where that is a title or an article."""
    first = persona.name.split()[0]
    return persona.name if first.rstrip(".").lower() in TITLES else first


def trade(persona: Persona) -> str:
    """The persona's trade: its first tag."""
    return cap(persona.tags[0].replace("-", " ")) if persona.tags else "Other"


def level(anger: float) -> str:
    """Anger with its unit and word: `7.2 of 10, angry`."""
    return f"{anger:.1f} of 10, {mood_of(anger).value}"


def changed(before: float, after: float) -> float:
    """The change between two levels as they are shown, so that the numbers on the page add up."""
    return round(round(after, 1) - round(before, 1), 1)


def change_words(change: float) -> str:
    """A change for the ear: `up 0.8`."""
    return f"{'up' if change > 0 else 'down'} {abs(change):.1f}" if change else "unchanged"


def change_mark(change: float) -> str:
    """A change for the eye: sign, number and word. Colour only repeats what they say."""
    if not change:
        return '<span class="change same"><span aria-hidden="true">=</span> unchanged</span>'
    way, sign = ("up", "▲ +") if change > 0 else ("down", "▼ −")
    return f'<span class="change {way}"><span aria-hidden="true">{sign}</span>{abs(change):.1f} {way}</span>'


def dots(filled: int, of: int) -> str:
    """Dots for the eye; the words beside them carry the meaning."""
    return f'<span class="dots" aria-hidden="true">{"●" * filled}<i>{"●" * (of - filled)}</i></span>'


def local_time(moment: datetime) -> str:
    """A date that the page shows in the reader's own time zone (page.js); UTC until then."""
    return f'<time data-local datetime="{moment.isoformat()}">{moment:%Y-%m-%d %H:%M} UTC</time>'


def download(name: str, kind: str, content: str, label: str) -> str:
    """A link that carries its file, so that no copy of a call lies about on the server."""
    data = b64encode(content.encode()).decode()
    return f'<a class="text" download="{esc(name)}" href="data:{kind};charset=utf-8;base64,{data}">{label}</a>'
