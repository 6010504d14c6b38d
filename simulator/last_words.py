"""The note on how a call ends, as the customer's last spoken words.

A note tells what the customer says and does, "says that she will wait, thanks the trainee and hangs up". What is said is
turned; what is done, and values that only the call knows (the day that is read back), is left out.
"""

import re
from collections.abc import Callable

from simulator.anger import Outcome
from simulator.first_person import FINITE, KIN, PEOPLE, TRAINEE, WHOM, names, spoken
from simulator.persona import Persona
from simulator.wording import named_otherwise, pronoun, sentence, words


def ending(persona: Persona, outcome: Outcome) -> str:
    """The note on an ending as spoken words; "" when nothing sayable is left."""
    if not persona.language.startswith("en"):
        return ""
    own = pronoun(persona)
    note = named_otherwise(persona, str(getattr(persona.endings, outcome.value)))
    if quoted := _quoted(note, own):
        return _capitals(" ".join(quoted))
    said = []
    for line in re.split(r"(?<=[.!?])\s+(?=[A-Z])|;\s*", note):
        line = re.sub(rf"^(?:{own} )?(\w)", lambda first: first[1].lower(), line.rstrip("."), flags=re.IGNORECASE)
        said += [_part(part, own) for part in _BREAK.split(_STAGE.sub("", line))]
    return _capitals(" ".join(part for part in said if part))


def _quoted(note: str, own: str) -> list[str]:
    """What the note quotes as the customer's own words: each right after a verb of speaking, or after another such one."""
    said: list[str] = []
    end = -1  # of the quotation before, if the customer speaks it
    for found in _QUOTE.finditer(note):
        line = re.split(r"[.;] ", note[: found.start()])[-1]
        spoken_on = end >= 0 and _BETWEEN.fullmatch(note[end : found.start()])
        if (spoken_on or re.search(_SPEAKING[own], line)) and _SAID.match(note[found.end() :]):
            said.append(sentence("".join(found.groups("")).rstrip(" ,;:")))
            end = found.end()
        else:
            end = -1
    return said


def _capitals(said: str) -> str:
    return re.sub(r"(?<=[.?!] )[a-z]", lambda letter: letter[0].upper(), said)


_SPEAKS = words(
    "says writes types states announces remarks concedes replies adds whispers grunts shouts allows admits "
    "mutters murmurs answers snaps yells"
)
_ACTS = words(
    "accepts acknowledges agrees asks awaits blows books calls closes confirms copies corrects cries cuts demands drives "
    "drops ends exhales gives goes grunts hangs has invites invokes is keeps laughs leaves logs makes means mentions notes "
    "offers orders pastes places posts promises puts reads regards repeats replaces requests reserves rings sends serves "
    "sets sighs slams sounds spells swears takes tells thanks types uses waits weeps wishes counts"
)
_HEAD = "|".join(sorted(_SPEAKS | _ACTS))
_WHOEVER = {own: "|".join(sorted(PEOPLE | kin)) for own, kin in KIN.items()}
_LINE = r"the (?:line|receiver|connection|phone|chat|baby|call)\b"
_BREAK = re.compile(rf"(?:, and(?: then)?|,| and(?: then)?) (?=(?:{_HEAD})\b|{_LINE})")
_REST = r"(?:(?!,| and ).)*"
_STAGE = re.compile(
    rf",? (?:in|with) (?:an?|no|one|the) (?:\w+ )?(?:voice|breath|tone|laugh|grunt|whisper|sob|sentence)\b{_REST}"
    rf"|,? with (?:nothing|both hands)\b{_REST}|, which {_REST}|,? without (?:warmth|noticing|thanks)\b"
    r"|,? and nothing (?:more|else)\b"
    rf"|, after an? (?:while|pause|moment)|,? on purpose|,? like the word{_REST}|,? meaning it|,? as if not{_REST}"
    r"|, (?:very |quite )?\w+ly(?=,| and\b|$)|(?<=^says) \w+ly(?= that\b)"
)

_QUOTE = re.compile(r"""["“]([^"”]+)["”]|(?<!\w)'((?:[^']|(?<=\w)'(?=\w))+)'(?!\w)""")
_PAUSE = (
    r"(?:after|in|with) (?:an?|no|one|the) (?:[\w-]+ ){0,2}?(?:pause|moment|while|breath|voice|tone|laugh|sigh|whisper)"
)
_ASIDE = rf"(?:,? (?:and|then|just|nothing but|(?:very |quite )?\w+ly|{_PAUSE})\b)*[,:]? "
_BETWEEN = re.compile(_ASIDE)
_SPEAKING = {  # the customer speaks: the verb begins the sentence or one of its later parts, with no other subject
    own: re.compile(
        rf"^(?!(?:the|her|his|their)\b)(?:.*(?:,|\band|\bthen) )?(?:{own} )?(?:{'|'.join(sorted(_SPEAKS))}){_ASIDE}$",
        re.IGNORECASE,
    )
    for own in KIN
}
# What may follow such a quotation; "premium" before a noun or a verb is a word in somebody's sentence.
_SAID = re.compile(r"$|[,.;:!?]| (?:and|then|before|after|as|in|with|without|to|for|once|twice|again|\w+ly)\b")


def _part(part: str, own: str) -> str:
    verb, _, rest = part.strip().partition(" ")
    verb, rest = verb.strip(",:"), rest.strip(" ,")
    if verb in _SPEAKS:
        return _saying(rest, own, verb in ("says", "writes", "types", "states"))
    return _TURNS[verb](rest, own) if verb in _TURNS else ""


def _saying(rest: str, own: str, plainly: bool) -> str:
    """The words after "says": clauses joined by "and that" become sentences."""
    said: list[str] = []
    before = ""
    known = plainly or re.match(r"(?:that|all right|ok)\b", rest)
    for part in _THAT.split(rest if known else f"nothing {rest}"):
        clause = re.sub(r"^that (?!(?:is|was|will|would|had|has|may|can|'ll)\b)", "", part.strip())
        somebody = names(before[:12]) or re.match(rf"(?:the|a|his|her) (?:{_WHOEVER[own]})\b", before)
        if not (somebody and clause.startswith(f"{own} ")):
            said.append(_clause(clause, own, " ".join(said)))
        before = clause
    return " ".join(one for one in said if one)


_THAT = re.compile(
    r",? and (?=thank you\b)|,? (?:and|then) (?:then )?that (?!'|is\b|was\b|will\b)|,? then that "
    r"|, that (?=(?:she|he|her|his|they|the|it)\b)"
)
_SILENT = re.compile(
    r"(?:nothing|no more|no thanks|more|little|down|up)\b|(?:the|her|his|their) [\w' ]+? back\b|the name\b|where\b|which\b"
)
# "He has been a lovely audience" is about the trainee; what somebody does at the end of a call is not said.
_UNSAID = re.compile(
    r"^I (?:am|have been|was) (?:an?|the) |\bI (?:hang|ring off|slam|leave the chat|log off|close the chat)\b"
    r"|\band \w{3,}s(?: (?:the|an?|off|up|down|out|away|it|my)\b|$)"
)
_THANKS = re.compile(
    r"(?P<thanks>(?:ok |okay |oh |and )?thank you|thanks|ta|merci|good ?bye|goodbye)\b(?P<why> for [^,]+)?(?P<rest>.*)"
)


def _clause(clause: str, own: str, before: str = "") -> str:
    unheard = re.search(r" and to (?!the |an? |her |his |their |every |all |[A-Z])", clause)
    unknown = re.match(r"(?!.*\b(?:the|an?|this|that)\b.*\bits\b).*\bits\b", clause)
    cited = _QUOTE.search(clause) and not FINITE.search(_QUOTE.sub("", clause))  # words with no sentence around them
    if _SILENT.match(clause) or unheard or unknown or cited:
        return ""
    thanked = _THANKS.match(clause)
    if thanked:
        why = spoken((thanked["why"] or "").strip(), own)
        first = sentence(f"{thanked['thanks']} {why}".strip())
        after = re.match(rf",? (?=(?:{own}|it|that|this)\b)", thanked["rest"])
        return f"{first} {_clause(thanked['rest'][after.end() :], own, before)}".strip() if after else first
    order = re.match(r"(not )?to (?=[a-z])", clause)
    if order:
        clause = ("don't " if order[1] else "") + clause[order.end() :]
    if (
        re.match(r"(?:an?|the|her|his) ", clause)
        and not FINITE.search(clause)
        and not re.search(r"\b\w{3,}s\b", clause)
    ):
        return ""
    said = _them(spoken(clause, own), before)
    return "" if not said or _UNSAID.search(said) else sentence(said)


def _them(said: str, before: str = "") -> str:
    """Them, with nobody else in sight, is the company: you. "" where they may be the customer's own people."""
    found = re.search(r"\b(?:they|them|their|theirs)\b", said)
    seen = re.sub(r"\b(?:this|was|has|his|its|yes)\b", "", f"{before} {said[: found.start()]}") if found else ""
    plural = re.search(r"\b(?:both|people|\w{3,}s)\b", seen)
    if not found or plural or (found[0] == "they" and re.search(rf"\b(?:{_WHOEVER['they']})\b", seen)):
        return said
    if re.search(r"\bof them\b|\bthey\b(?! (?:may|can|could|care|want|like)\b)", said):
        return ""
    for old, new in (("they", "you"), ("them", "you"), ("theirs", "yours"), ("their", "your")):
        said = re.sub(rf"\b{old}\b", new, said)
    return said


def _turned(text: str, own: str, shape: str) -> str:
    said = spoken(text.strip(), own)
    return sentence(shape.format(said)) if said else ""


def _thanks(rest: str, own: str) -> str:
    if re.match(r"(?:her|his|their) (?!for\b|by\b|many\b|very\b|\w+ly\b)\w", rest):
        return ""
    found = re.match(rf"{WHOM}\b[^,]*?(?P<why> for (?!.* name\b)[^,]+)?$", rest.split(",")[0])
    why = re.sub(r"^for (?:his|her|their)\b", "for your", found["why"].strip()) if found and found["why"] else ""
    why = _them(spoken(why, own)) if why else ""
    return (f"Thank you {why}." if why else "Thank you.") if found else ""


def _wishes(rest: str, own: str) -> str:
    rest = re.sub(rf"^{WHOM} ", "", rest)
    if re.match(r"(?:an? |the |good )", rest):
        return _turned(re.split(r",| and (?=\w+s\b)", rest)[0], own, "I wish you {}")
    return _turned(rest, own, "I wish {}") if re.match(r"[A-Z]\w+ an? ", rest) else ""


def _asks(rest: str, own: str) -> str:
    if re.match(rf"(?:for )?{TRAINEE}'s name\b", rest):
        return "I would like your name."  # the call is over: a question would wait for an answer
    if re.match(r"how (?:the|your) name is spelt|how to spell ", rest):
        return "How is your name spelt?"
    wanted = re.match(r"(?:again )?for (?P<what>[^,]+(?:, in writing)?)", rest)
    if wanted and not re.search(rf"{TRAINEE} by| to |the name of|, and for", wanted["what"]):
        said = spoken(wanted["what"], own)
        return f"Can I have {said}?" if said else ""
    asked = re.match(rf"{WHOM} to (?P<what>[^,]+)$", rest)
    if asked and not re.search(r"\b(?:her|his|their) (?!$)", asked["what"]):
        return _turned(asked["what"], own, "Would you {}?")
    return _turned(rest[3:], own, "I would like to {}") if rest.startswith("to ") else ""


def _told(rest: str, _own: str) -> str:
    found = re.match(rf"{WHOM} to (?=\w)", rest)
    if not found or re.search(r"\b(?:her|his)\b", rest[found.end() :]):
        return ""
    return sentence(re.sub(r"\btheir\b", "your", rest[found.end() :]))


def _promises(rest: str, own: str) -> str:
    if rest.startswith("to "):
        return _turned(rest, own, "I promise {}")
    return _turned(re.sub(rf"^{WHOM} ", "", rest), own, "I promise you {}")


def _invites(rest: str, own: str) -> str:
    found = re.match(rf"{WHOM} to ", rest)
    return _turned(rest[found.end() :].split(",")[0], own, "You are invited to {}") if found else ""


_TURNS: dict[str, Callable[[str, str], str]] = {
    "accepts": lambda *_: "All right.",
    "agrees": lambda *_: "All right.",
    "thanks": _thanks,
    "wishes": _wishes,
    "asks": _asks,
    "tells": _told,
    "orders": _told,
    "promises": _promises,
    "invites": _invites,
    "offers": lambda rest, own: _turned(rest, own, "I would be glad {}") if rest.startswith("to ") else "",
    "will": lambda rest, own: _turned(f"{own} will {rest}", own, "{}"),
    "demands": lambda rest, own: _turned(rest, own, "I want {}"),
    "requests": lambda rest, own: _turned(rest, own, "I request {}"),
}
