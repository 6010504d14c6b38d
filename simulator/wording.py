"""A persona's story, written in the third person, turned into the second (said to the customer) and the first (by them).

Only the customer's own pronoun turns; somebody else of the other gender stays as he or she. English only, by a few
rules, which `tests/test_trainees.py` and `tests/test_own_words.py` try on every persona on disk.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from simulator.persona import Persona


@dataclass(frozen=True)
class _Person:
    """What the customer's pronouns, contractions and verbs turn into."""

    pronouns: Mapping[str, Mapping[str, str]]  # by the customer's own pronoun
    object: str
    owned: str  # "his" and "hers" with no noun after it
    been: str  # 's of "he's lost", before a participle
    tails: Mapping[str, str]
    verbs: Mapping[str, str]


_FACE = _Person(
    pronouns={
        "she": {"she": "you", "her": "your", "hers": "yours", "herself": "yourself"},
        "he": {"he": "you", "him": "you", "his": "your", "himself": "yourself"},
        "they": {"they": "you", "them": "you", "their": "your", "theirs": "yours", "themselves": "yourself"},
    },
    object="you",
    owned="yours",
    been="'ve",
    tails={"'s": "'re"},
    verbs={
        "is": "are", "was": "were", "has": "have", "does": "do", "isn't": "aren't", "wasn't": "weren't",
        "hasn't": "haven't", "doesn't": "don't", "goes": "go",
    },
)  # fmt: skip
_SELF = _Person(
    pronouns={
        "she": {"she": "I", "her": "my", "hers": "mine", "herself": "myself"},
        "he": {"he": "I", "him": "me", "his": "my", "himself": "myself"},
        "they": {"they": "I", "them": "me", "their": "my", "theirs": "mine", "themselves": "myself"},
    },
    object="me",
    owned="mine",
    been="'ve",
    tails={"'s": "'m", "'re": "'m"},
    verbs={
        "is": "am", "was": "was", "are": "am", "were": "was", "has": "have", "does": "do", "isn't": "am not",
        "aren't": "am not", "wasn't": "wasn't", "weren't": "wasn't", "hasn't": "haven't", "doesn't": "don't",
        "goes": "go",
    },
)  # fmt: skip


def words(listed: str) -> frozenset[str]:
    """The words in a line of them."""
    return frozenset(listed.split())


_ADVERBS = words(
    "never always only still already now also just even then often alone once first really almost later soon ever "
    "secretly usually sometimes half hardly no longer herself himself themselves yourself"
)
_LETS = words("let lets make makes made help helped hear heard see saw watch watched")
_TAKES = words("take takes took cost costs give gives gave")
_NUMBERS = words("two three four five six seven eight nine ten twelve twenty thirty forty fifty sixty")
_TO = words("with of to for from at by")
_AND = words("and but or")
# Third-person verbs that a second clause may begin with, "you filled it in and fear ...": others could be nouns.
_SECOND_VERBS = words(
    "is was has does goes feels fears remembers knows thinks wants needs believes says hopes worries finds lives buys "
    "dries practises washes"
)
# Words after which "her" was somebody, not somebody's.
_AFTER_OBJECT = words(
    "a about after again against alone along aloud an and as at back because before behind beside but by down each every for "
    "from how if in into it like more nobody nothing now of off on once only onto or out over so something than that the "
    "there this to today twice until up what when where which while who why with without yet non-stop home through "
    "whether away she he they you we i is was are were will would has have had his their its no any not everything "
    "anything somebody"
)
_NO_NOUN = re.compile(r"(?! \w)| (?:is|are|was|were|has|had|will|and|or|but|to|that)\b")
_TOKEN = re.compile(r"([A-Za-z]+(?:-[A-Za-z]+)*)('[a-z]+)?")
_OWN = {"she": r"\b(?:she|her|hers|herself)\b", "he": r"\b(?:he|him|his|himself)\b"}
_OTHERWISE = {"she": ("she", "her", "her"), "he": ("he", "him", "his"), "they": ("they", "them", "their")}
_OTHERS = {"she": r"\bher\b", "he": r"\b(?:him|his)\b", "they": r"\b(?:them|their)\b"}
_ACTS = re.compile(
    r" (?:\w+(?:ed|s)|had|rang|told|went|got|came|paid|made|said|took|gave|never|could|would|will|did|can|kept|put)\b"
)
_BEFORE_SUBJECT = words(
    "and but or because that when while as if until since so before after where why how what whom which"
)
TITLES = words("mr mrs ms miss mx dr doctor prof professor sir lady lord rev father sister the")
_LOWERED = words(
    "a an the this that these those it he she they his her their its nobody no not nothing somebody someone everybody "
    "everyone one two three some any to from for with at on in by what who whom where when why how whether which"
)
_NOT_VERBS = words("this its his us always perhaps less yes as")


def pronoun(persona: Persona) -> str:
    """he, she or they: the one of those in the story that the author uses most; in the notes each counts double, since those
    are about the customer."""
    if _plural(persona):
        return "they"
    ends, way = persona.endings, persona.resolution
    notes = [persona.briefing, *way.needs, way.won_over_by, ends.lost, ends.placated, ends.retained, ends.won_over]
    story = [f"{point.fact} {point.feeling} {point.because}" for point in persona.story]

    def count(own: str, texts: list[str]) -> int:
        return len(re.findall(_OWN[own], " ".join(texts), re.IGNORECASE))

    used = [own for own in _OWN if count(own, story)]
    return max(used, key=lambda own: count(own, story + 2 * notes), default="they")


def _plural(persona: Persona) -> bool:
    """Whether the story is about "they": two or more notes begin so, and none with he or she."""
    first = Counter(
        bare_clause(text).partition(" ")[0] for point in persona.story for text in (point.fact, point.because)
    )
    return first["they"] + first["their"] > 1 and not any(first[own] for own in ("he", "she", "his", "her"))


def bare_clause(note: str) -> str:
    """A note as it stands inside a sentence: no stop, and no capital where only the sentence gave it one."""
    note = note.strip().rstrip(" .…;:,")
    first = note.partition(" ")[0].lower()
    return note[:1].lower() + note[1:] if first in _LOWERED else note


def about(persona: Persona, note: str) -> str:
    """A note as a clause about he, she or they."""
    return bare_clause(named_otherwise(persona, note))


def named_otherwise(persona: Persona, note: str) -> str:
    """A note in which the customer's name has given way to the pronoun."""
    own = pronoun(persona)
    first = persona.name.split()[0]
    names = {persona.name} if first.rstrip(".").lower() in TITLES else {persona.name, first}
    named = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(names, key=len, reverse=True)))})('s)?(?![\w-])")

    if any(not found[1] for found in named.finditer(note)) and re.search(_OTHERS[own], note):
        return note  # beside the name, him or her is somebody else

    def instead(found: re.Match[str]) -> str:
        before = note[: found.start()].split()
        begins = not before or before[-1][-1] in ",.;:" or before[-1].lower() in _BEFORE_SUBJECT
        subject = begins or _ACTS.match(note[found.end() :])
        return _OTHERWISE[own][2 if found[1] else 0 if subject else 1]

    return named.sub(instead, note)


def to_face(clause: str, own: str) -> str:
    """`clause`, written about a customer who is `own` (he, she, they), as said to that customer."""
    return _turn(clause, own, _FACE).replace("you you ", "you, you ")


def to_self(clause: str, own: str) -> str:
    """`clause`, written about a customer who is `own` (he, she, they), as that customer says it."""
    return _turn(clause, own, _SELF)


def bare_feeling(feeling: str) -> str:
    """A feeling as it stands inside a sentence: no capital, no stop or other mark at its end."""
    feeling = feeling.strip().rstrip(" .!?…,;:")
    return feeling[:1].lower() + feeling[1:]


def feeling_to_face(feeling: str, own: str) -> str:
    """What follows "you must be feeling", said to a customer who is `own`: "foolish", "that you're looking careless"."""
    said = to_face(bare_feeling(feeling), own)
    return f"that you're {said}" if re.match(r"[a-z]+ing\b", said) else said


def _turn(clause: str, own: str, person: _Person) -> str:
    table = person.pronouns[own]
    out: list[str] = []
    end, subject = 0, False  # whether the last word was the customer as a subject, adverbs passed over
    before, acting = "", False  # the word before, and whether the customer is the subject of the sentence so far
    for match in _TOKEN.finditer(clause):
        word, tail = match.group(1), match.group(2) or ""
        low = word.lower()
        between = clause[end : match.start()]
        out.append(between)
        if "," in between and subject:
            subject = False
        if table.get(low):
            new = table[low]
            if low == "his" and _NO_NOUN.match(clause[match.end() :]):
                new = person.owned
            if own == "she" and low == "her" and _is_object(before, clause[match.end() :]):
                new = person.object
            subject = low == own
            acting = acting or (
                subject and before != "until"
            )  # what comes after "until she signed and" may be another's
            if subject and tail:
                follows = re.match(r"\s+(\w+)", clause[match.end() :])
                been = tail == "'s" and follows and re.search(r"(ed|en|been|had|got|put|lost|kept)$", follows.group(1))
                tail = person.been if been else person.tails.get(tail, tail)
                subject = False
            out.append((new[:1].upper() + new[1:] if word[0].isupper() else new) + tail)
        elif subject and low in _ADVERBS:
            out.append(word + tail)
        elif subject:
            out.append(_agreeing(word + tail, person))
            subject = False
        elif acting and (before in _AND or before == "longer") and low in _SECOND_VERBS:
            out.append(_agreeing(word, person))
        else:
            out.append(word + tail)
        end, before = match.end(), low
    out.append(clause[end:])
    return "".join(out).strip().rstrip(".")


def _is_object(before: str, rest: str) -> bool:
    follows = re.match(r"\s+([\w'-]+)", rest)
    word = follows.group(1).lower() if follows else ""
    if re.match(r"\s+back (?:tooth|teeth|door|gate|garden|yard|room|wall|pocket|seat|pain)\b", rest):
        return False
    return (
        not word
        or word in _AFTER_OBJECT
        or before in _LETS
        or (before in _TAKES and (word[0].isdigit() or word.split("-")[0] in _NUMBERS))
        or (before in _TO and word.endswith("ed"))
        or (before == "do" and word.endswith("ly"))
        or bool(re.match(r"\s+\S+ times\b", rest))
    )


def _agreeing(verb: str, person: _Person) -> str:
    """The verb that goes with "you" or "I": is -> are or am, misses -> miss, carries -> carry; a past tense stays."""
    if verb in person.verbs:
        return person.verbs[verb]
    if not verb.endswith("s") or verb.endswith("ss") or verb in _NOT_VERBS:
        return verb
    if verb.endswith("ies") and len(verb) > 4:
        return verb[:-3] + "y"
    if re.search(r"(ss|sh|tch|x|zz|[^aeiou]o)es$", verb) or (verb.endswith("ches") and verb != "aches"):
        return verb[:-2]
    return verb[:-1]


def sentence(text: str) -> str:
    """`text` with a capital and a stop."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text[-1:] in ".?!" else ".")
