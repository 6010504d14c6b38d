"""What a line must pass to be this customer's, now: role, length, the story point, and nothing that nobody said."""

import re
from collections.abc import Sequence

from simulator.directive import Directive
from simulator.persona import Persona
from simulator.transcript import Role

MOST_WORDS = 45

_WORD = re.compile(r"[a-z0-9']+")
_NUMBER_WORDS = frozenset((
    "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty", "thirty", "forty", "fifty",
    "sixty", "seventy", "eighty", "ninety", "hundred", "thousand", "million", "dozen",
))  # fmt: skip
_STOP_WORDS = frozenset((
    "a", "an", "and", "are", "as", "at", "be", "been", "but", "by", "do", "for", "from", "had", "has", "have", "he",
    "her", "his", "i", "in", "is", "it", "its", "me", "my", "not", "of", "on", "or", "our", "she", "so", "that",
    "the", "their", "them", "there", "they", "this", "to", "up", "us", "was", "we", "were", "what", "when", "who",
    "will", "with", "you", "your", "just", "i'm", "it's",
))  # fmt: skip
# The agent's side of the desk, and talk about the machine: no customer says these of themselves.
NOT_A_CUSTOMER = re.compile(
    r"how (can|may) i (help|assist)|(we|i) apologi[sz]e|sorry (for|about) (the|any|your) (inconvenience|delay|trouble|wait)"
    r"|i('ll| will| can) (arrange|refund|send (you|someone)|book you|look into|escalate|transfer you|get that sorted)"
    r"|(our|my) (system|records) show|let me (check|look into|see what i can)|i understand (your|how)|thank you for calling"
    r"|\bi(?:'m| am)? (?:can['’]t|cannot|unable to) (?:assist|help)(?: you)? with"
    r"|language model|\bprompt\b|as an ai|\bmood:|\bagent:|\bcustomer:|<\||\[",
    re.IGNORECASE,
)
_FAREWELL = re.compile(r"\b(goodbye|good bye|bye now|bye\b|good day to you|have a (nice|good) day)", re.IGNORECASE)


def words(text: str) -> list[str]:
    """Lower-case words without punctuation."""
    return _WORD.findall(text.lower().replace("’", "'"))


def coverage(text: str, wording: str) -> float:
    """Share of the content words of `wording` that `text` says: 0 to 1."""
    wanted = {word for word in words(wording) if word not in _STOP_WORDS} or set(words(wording))
    return len(wanted & set(words(text))) / len(wanted) if wanted else 1.0


def tidied(text: str) -> str:
    """A candidate without wrapping quotes, and ended at its last whole sentence when it ran out of tokens."""
    text = text.strip().strip('"“”').strip()
    if text and text[-1] not in ".!?…":
        cut = max(text.rfind(mark) for mark in ".!?…")
        text = text[: cut + 1] if cut > len(text) // 2 else text + "."
    return text


class Check:
    """What a line must pass to be this customer's, now."""

    def __init__(
        self,
        persona: Persona,
        lines: Sequence[tuple[Role, str]],
        directive: Directive,
        wording: str,
        told: Sequence[str],
    ) -> None:
        self._directive = directive
        self._wordings = directive.says if wording and not directive.last else ()
        self._secret = [p for p in persona.story if p.id not in told and p.id != directive.point]
        said = [text for _, text in lines]
        own = [s for p in persona.story if p.id in told or p.id == directive.point for s in (*p.says, p.fact)]
        about = [persona.name, persona.company, persona.role, persona.opening, *persona.voice.samples]
        known = " ".join([*own, *about, *said, *directive.says, directive.guidance])
        self._known = set(words(known))
        self._earlier = [text for role, text in lines if role == "customer"]
        self._agent = lines[-1][1] if lines and lines[-1][0] == "trainee" else ""

    def fault(self, text: str) -> str | None:
        """The first thing wrong with `text`, or None."""
        said = words(text)
        if not said or len(said) > MOST_WORDS:
            return "length"
        if NOT_A_CUSTOMER.search(text):
            return "role"
        if self._wordings and max(coverage(text, wording) for wording in self._wordings) < 0.6:
            return "point"
        if any(w not in self._known for w in said if w.isdigit() or w in _NUMBER_WORDS):
            return "number"
        if any(name.lower() not in self._known for name in re.findall(r"(?<=[a-z,] )[A-Z][a-z]{2,}", text)):
            return "name"
        if any(coverage(text, wording) > 0.6 for point in self._secret for wording in point.says):
            return "secret"
        if not self._directive.last and _FAREWELL.search(text):
            return "farewell"
        written = any(_stutters(words(wording), 3) for wording in self._wordings)
        if not written and _stutters(said, 3):  # small models loop, and find their loops likely
            return "stutter"
        free = [w for w in self._earlier if not self._wordings]
        if any(_shares_run(said, words(line), 5) for line in free) or _shares_run(said, words(self._agent), 6):
            return "repeat"
        return None


def _shares_run(a: list[str], b: list[str], length: int) -> bool:
    runs = {tuple(b[i : i + length]) for i in range(len(b) - length + 1)}
    return any(tuple(a[i : i + length]) in runs for i in range(len(a) - length + 1))


def _stutters(said: list[str], length: int) -> bool:
    runs = [tuple(said[i : i + length]) for i in range(len(said) - length + 1)]
    return len(set(runs)) < len(runs)
