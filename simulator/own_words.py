"""What a persona's notes say about the customer, as the customer says it: third person into first.

The notes are a trainer's free text, so every rule is a shape that turns safely; a note of no known shape says nothing.
"""

import re

from simulator.first_person import FINITE, KIN, PEOPLE, TRAINEE, names, spoken, third_person
from simulator.last_words import ending
from simulator.persona import Persona, StoryPoint
from simulator.wording import about, bare_feeling, pronoun, sentence, to_self, words

__all__ = ["admitted", "ending", "felt", "needs"]

_TENSED = re.compile(r"\b(?:am|is|are|was|were|has|have|had|will|would|can|cannot|could|did|failed)\b")


def felt(persona: Persona, point: StoryPoint) -> tuple[str, ...]:
    """Lines that confirm a feeling, with its reason, when somebody has just said them; empty when none reads well."""
    feeling, reason = _notes(persona, point)
    because = f" {sentence(reason)}" if reason else ""
    lines = []
    if feeling:
        yes = f"{sentence(feeling)} Yes." if "," in feeling else sentence(f"{feeling}, yes")
        lines += [yes + because, yes] if because else [yes]
        lines += [line] if (line := admitted(persona, point)) else []
        if " " not in feeling:
            lines.append(f"{sentence(feeling)} That's the word.{because}")
    return tuple(lines)


def admitted(persona: Persona, point: StoryPoint) -> str:
    """The feeling and its reason as the customer says them unasked: "I feel foolish. My partner told me not to."; or ""."""
    feeling, reason = _notes(persona, point)
    bare = feeling.split(" ")[0].lower()
    if not feeling or "," in feeling or _TENSED.search(feeling) or re.search(r"ing$|^(?:about|made|not)$", bare):
        return ""
    return f"I feel {feeling}. {sentence(reason)}" if reason else ""


def _notes(persona: Persona, point: StoryPoint) -> tuple[str, str]:
    """Feeling and reason in the first person; "" for either that cannot be turned safely."""
    if not persona.language.startswith("en"):
        return "", ""
    own, because = pronoun(persona), about(persona, point.because)
    unclear = bool(_somebody_else(point, own) or re.search(TRAINEE, because) or not FINITE.search(because))
    named = re.search(rf"\bthe (?:customer|caller)\b|\b{re.escape(persona.name.split()[0])}\b(?!')", because)
    return _feeling(point.feeling, own), "" if unclear or named else spoken(because, own)


def _feeling(feeling: str, own: str) -> str:
    said = to_self(bare_feeling(feeling), own)
    if re.match(r"(?:that|I|my|it|they|he|she|nobody|no one|everybody|everyone) ", said):
        return ""
    return "" if re.search(r"\b(?:me|mine)\b", said) or third_person(said, own) else said


def _somebody_else(point: StoryPoint, own: str) -> bool:
    """Whether the reason's "she" may be a woman whom the fact has just named."""
    others = KIN[own]
    return bool(
        others
        and re.search(rf"\b(?:{'|'.join(others)})\b", point.fact.lower())
        and re.search(rf"\b{own}\b", point.because.lower())
        and not re.search(rf"\b{own}\b", point.fact.lower())
    )


def needs(persona: Persona) -> tuple[str, ...]:
    """The persona's needs as the customer asks for them; those that do not read well are left out."""
    if not persona.language.startswith("en"):
        return ()
    own = pronoun(persona)
    asked = (_need(about(persona, need), own) for need in persona.resolution.needs)
    return tuple(line for line in asked if line)


_WH = words("where what who whom how whether when why which")
_DETERMINERS = words("the some enough all both my something two three somewhere")
_PLACED = words("for of on in at to from with by that or and back who which whose without than before")
_VERBS = words(
    "pay call send give get tell let make be have do keep take put talk speak find fix ring write explain stop come go "
    "see check return replace nobody she he they it you i his her their"
)
_COUNTED = words("refund replacement apology engineer letter callback date discount credit technician receipt answer")
_PARTICIPLE = re.compile(r"^[^,]*?\b(?:\w{3,}ed|put|lent|held|struck|paid|taken|made|given|sent|got|found|\w+ing)\b")


_METHOD = re.compile(r",? (?:with|and) (?:a fallback|the limits\b.*)$")  # what only a planner would ask for


def _need(need: str, own: str) -> str:
    need = _METHOD.sub("", need)
    said = "" if _named_before(need, own) else spoken(need, own)
    first, _, rest = said.partition(" ")
    low, second = first.lower(), rest.split(" ")[0].lower()
    if not said or re.search(
        r"\band (?:until|since|from) when\b|\b(?:until then|before that)\b|\bif (?:it|they) cannot$", said
    ):
        return ""
    if low in _WH:
        return _to_know(said)
    if low == "to":
        return f"I need {said}."
    if said.startswith("not to "):
        return f"I don't want {said[4:]}."
    if low == "no":
        return sentence(said)
    said = re.sub(rf", and (?=(?:{'|'.join(_WH)})\b)", ", and I need to know ", said)
    if low in ("somebody", "someone"):
        what = re.match(r"\w+ (?:else|senior|real|new)\b(?! \w+s\b)", said) or second in _PLACED
        return f"What I need is {said}." if what else ""
    if low in ("a", "an", "one"):
        plain = not _PARTICIPLE.match(re.split(r" (?:who|that) ", said)[0]) and ", and I need" not in said
        return f"What I need is {said}." if plain else f"I need {said}."
    if low in _DETERMINERS:
        clause = re.match(rf"the (?:{'|'.join(PEOPLE)}) \w+s\b", said) or re.match(
            r"(?:the|my) \w+ (?:is|are|was|will|has|have|must|should|\w+s (?:that|the|me|my|a)\b)", said
        )
        return "" if clause else f"I need {said}."
    if low in _COUNTED and (not second or second in _PLACED):
        return f"I need {'an' if low[0] in 'aeiou' else 'a'} {said}."
    noun = low not in _VERBS and low not in _PLACED and any(word in _PLACED for word in rest.split(" ")[:3])
    return f"I need {said}." if noun else ""


def _to_know(said: str) -> str:
    known, _, wanted = said.partition(", and a")
    if re.search(r", (?:\w+ed|found|told) (?:by|to)\b|\band (?:the|one|some)\b", known):
        return ""
    return f"I need to know {known}" + (f", and I need a{wanted}." if wanted else ".")


def _named_before(text: str, own: str) -> bool:
    """Whether somebody with a name, who may be the one meant, stands before the customer's pronoun."""
    pronouns = {"she": "she|her|hers|herself", "he": "he|him|his|himself", "they": "they|them|their"}[own]
    found = re.search(rf"\b(?:{pronouns})\b(?!.*\b(?:{pronouns})\b)", text)
    return bool(found and names(text[: found.start()]))
