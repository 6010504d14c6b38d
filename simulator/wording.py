"""A persona's story said to the customer's face: third-person clauses turned into the second person.

Only the customer's own pronoun turns; somebody else of the other gender stays as he or she is. English only, by a few
rules, which `tests/test_trainees.py` tries on every persona on disk.
"""

import re

from simulator.persona import Persona

_SETS = (
    {"she": "you", "her": "your", "hers": "yours", "herself": "yourself", "him": "", "his": ""},
    {"he": "you", "him": "you", "his": "your", "himself": "yourself"},
    {"they": "you", "them": "you", "their": "your", "themselves": "yourself"},
)
_CONTRACTED = {"'s": "'re", "'d": "'d", "'ll": "'ll", "'ve": "'ve", "'re": "'re"}
_VERBS = {
    "is": "are", "was": "were", "has": "have", "does": "do", "isn't": "aren't", "wasn't": "weren't",
    "hasn't": "haven't", "doesn't": "don't", "goes": "go",
}  # fmt: skip


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_ADVERBS = _set(
    "never always only still already now also just even then often alone once first really almost later soon ever "
    "secretly usually sometimes herself himself themselves yourself"
)
_LETS = _set("let lets make makes made help helped hear heard see saw watch watched")
_TAKES = _set("take takes took cost costs give gives gave")
_NUMBERS = _set("two three four five six seven eight nine ten twelve twenty thirty forty fifty sixty")
_TO = _set("with of to for from at by")
_AND = _set("and but or")
# Third-person verbs that a second clause may begin with, "you filled it in and fear ...": others could be nouns.
_SECOND_VERBS = _set(
    "is was has does goes feels fears remembers knows thinks wants needs believes says hopes worries finds lives buys "
    "dries practises"
)
# Words after which "her" was somebody, not somebody's.
_AFTER_OBJECT = _set(
    "a about after again against alone aloud an and as at back because before behind beside but by down every for from "
    "how if in into it like more nobody nothing now of off on once only onto or out over so something than that the "
    "there this to today twice until up what when where which while who why with without yet non-stop home through "
    "whether away she he they you we i is was are were will would has have had his their its no any"
)
_TOKEN = re.compile(r"([A-Za-z]+(?:-[A-Za-z]+)*)('[a-z]+)?")
_NOT_VERBS = _set("this its his us always perhaps less yes as")


def pronoun(persona: Persona) -> str:
    """he, she or they: the one that the story uses most."""
    text = " ".join(f"{p.fact} {p.feeling} {p.because}" for p in persona.story).lower()
    counts = {
        "she": len(re.findall(r"\b(she|her|herself)\b", text)),
        "he": len(re.findall(r"\b(he|him|his|himself)\b", text)),
        "they": 0,
    }
    best = max(counts, key=lambda word: counts[word])
    return best if counts[best] else "they"


def to_face(clause: str, own: str) -> str:
    """`clause`, written about a customer who is `own` (he, she, they), as said to that customer."""
    table = {"she": _SETS[0], "he": _SETS[1], "they": _SETS[2]}[own]
    out: list[str] = []
    end, subject = 0, False  # whether the last word was "you" as a subject, adverbs passed over
    before, acting = "", False  # the word before, and whether "you" is the subject of the sentence so far
    for match in _TOKEN.finditer(clause):
        word, tail = match.group(1), match.group(2) or ""
        low = word.lower()
        between = clause[end : match.start()]
        out.append(between)
        if "," in between and subject:
            subject = False
        if table.get(low):
            new = table[low]
            if low == "his" and not re.match(r" \w", clause[match.end() :]):
                new = "yours"
            if own == "she" and low == "her" and _is_object(before, clause[match.end() :]):
                new = "you"
            subject = low == own
            acting = acting or subject
            if subject and tail:
                follows = re.match(r"\s+(\w+)", clause[match.end() :])
                been = tail == "'s" and follows and re.search(r"(ed|en|been|had|got|put|lost|kept)$", follows.group(1))
                tail = "'ve" if been else _CONTRACTED.get(tail, tail)
                subject = False
            out.append((new[:1].upper() + new[1:] if word[0].isupper() else new) + tail)
        elif subject and low in _ADVERBS:
            out.append(word + tail)
        elif subject:
            out.append(_plural(word + tail))
            subject = False
        elif acting and before in _AND and low in _SECOND_VERBS:
            out.append(_plural(word))
        else:
            out.append(word + tail)
        end, before = match.end(), low
    out.append(clause[end:])
    return "".join(out).strip().rstrip(".").replace("you you ", "you, you ")


def _is_object(before: str, rest: str) -> bool:
    follows = re.match(r"\s+([\w'-]+)", rest)
    word = follows.group(1).lower() if follows else ""
    return (
        not word
        or word in _AFTER_OBJECT
        or before in _LETS
        or (before in _TAKES and (word[0].isdigit() or word.split("-")[0] in _NUMBERS))
        or (before in _TO and word.endswith("ed"))
    )


def _plural(verb: str) -> str:
    """The verb that goes with "you": is -> are, misses -> miss, carries -> carry; a past tense stays."""
    if verb in _VERBS:
        return _VERBS[verb]
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
