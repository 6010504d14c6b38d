"""What a plan promised the customer, read from the trainee's words: a time, and the way in which they will be told.

Times and ways of telling are a closed class of words, so a pattern reads them. It reads too little rather than too much: what
may happen, what happens only if something else fails, and what has been, is no promise.
"""

import re
from enum import StrEnum

from simulator.moves import Frozen
from simulator.wording import words


class Way(StrEnum):
    """How the customer will be told."""

    CALL = "call"
    MESSAGE = "message"
    WRITING = "writing"


class Promise(Frozen):
    """`when` is the time as one says it back ("four o'clock"), `at` as it was said ("at four"); `what` is the thing that is
    to come where the trainee named one ("e-mail"). Each may be empty."""

    when: str = ""
    at: str = ""
    way: Way | None = None
    what: str = ""

    @property
    def kind(self) -> str:
        """What there is to hold the trainee to: `call_at`, `call`, `at`...; "" for nothing."""
        return "_".join(filter(None, [self.way and self.way.value, "at" if self.when else ""]))


_COUNT = "(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_DATE = (
    r"(?:the )?(?:\d{1,2}(?:st|nd|rd|th)|first|second|third"
    r"|(?:four|fif|six|seven|eigh|nin|ten|eleven|twelf|twentie|thirtie)th)"
)
_NAMED = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_PART = "(?:morning|lunchtime|noon|midday|afternoon|evening|night)"
_CLOCK = (
    rf"(?:(?:half|half past|(?:a )?quarter (?:past|to)|(?:five|ten|twenty|twenty-five) (?:past|to)) {_COUNT}"
    rf"|{_COUNT}(?:[ -](?:fifteen|twenty|thirty|forty|forty-five|fifty))?|\d{{1,2}}(?:[:.]\d\d)?)"
    r"(?: ?(?:[ap]\.?m\b\.?|o['’]clock))?(?: sharp)?|noon|midday|midnight|lunchtime"
)
_DAY = (
    rf"(?:today|tonight|tomorrow(?: {_PART})?|this (?:very )?{_PART}|next week|(?:next )?{_NAMED}(?: {_PART})?"
    rf"|first thing(?: (?:tomorrow|on {_NAMED}|{_NAMED}))?"
    rf"|(?:the )?(?:end|close) of (?:the |this )?(?:day|week|business|{_PART}))"
)
# A bare number is a time only where nothing follows that it could count: "at two", not "at two sites".
_ENDS = rf"(?=$|[,.;:!?)—–-]| (?:at|on|and|with|to|for|so|or|if|in the|latest|I|we|you|he|she|it|they|from|myself|{_DAY})\b)"
_WHEN = re.compile(
    rf"\b(?:between (?:{_CLOCK}) and (?:{_CLOCK})(?:,? (?:on )?{_DAY})?"
    rf"|(?:at|by|before|around) (?:(?:the )?latest )?(?:{_CLOCK}){_ENDS}(?:,? (?:on )?{_DAY}| in the {_PART})?"
    rf"|(?:(?:by|before) )?{_DAY}\b(?:,? (?:at|by|before) (?:{_CLOCK}){_ENDS})?"
    rf"|(?:by|before|on) {_DATE}{_ENDS}"
    rf"|(?:within|in) (?:the (?:next )?)?(?:an?|half an|{_COUNT}|fifteen|twenty|thirty|forty|sixty|ninety|\d+)"
    r" (?:working )?(?:hours?|minutes?|days?|weeks?)\b|within (?:the (?:hour|day|week)|a (?:day|week) or two)\b)",
    re.IGNORECASE,
)
_FIXED = re.compile(
    rf"\b(?=({_NAMED}|(?:{_CLOCK}){_ENDS}))(?:{_NAMED}|(?<=\bat )|(?<=\bby )|(?<=until ))", re.IGNORECASE
)
_CALL = re.compile(
    r"\b(?:ring|call|phone|telephone)(?:s|ing)? you\b|\bgive you a (?:ring|call)|\b(?:a|my) (?:phone )?call (?:from|back)\b",
    re.IGNORECASE,
)
_WRITING = re.compile(r"\bin writing\b|\bwritten\b|\bwrite (?:it|that|this|to you)\b", re.IGNORECASE)
_MESSAGE = re.compile(
    r"\b(?:an?|the|my|have|get) (?:\w+ ){0,2}?(e-?mail|text|message|letter)\b(?= (?:from|with|by|at|to you|in|before)\b|[,.]|$)"
    r"|\b(e-?mail|text|message)(?:s|ing)? (?:it to |this to |that to )?you\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(
    r"(?<=:)\s+|\s[—–-]+\s|,? (?:and|then|but|so)\b |, (?=(?:I|we|you|it|he|she|they|which|not|or|if|should|otherwise)\b)"
)
_CONDITION = re.compile(r"\s*(?:if|should|unless|otherwise|in case|failing|any later)\b", re.IGNORECASE)
# Doubt, denial, a question, what already happened, and the customer's own plight.
_NO_PLEDGE = re.compile(
    r"\b(?:may|might|could|would|should|must|likely|probably|perhaps|possibly|hope|expect|try"
    r"|not|never|cannot|no (?!later)\w+|nothing|until|ago"
    r"|since|unless|whether|was|were|had|did|been|told|promised|your (?:own|day|morning|evening)|(?:I|you)['’]d)\b|n['’]t\b|\?"
    r"|^\s*you\b(?!['’]ll| will| get| hear| have (?:it|my|an?)\b)|\byou['’]re\b"
    r"|\byou (?:\w+ed|lost|sat|stood|kept|need|want|feel|have to|are)\b"
    r"|\b(?:ended|started|stopped|came|went|left|rang|happened)\b",
    re.IGNORECASE,
)
_ASIDE = re.compile(r" (?:who|why|what|because|as soon as|once|that (?:was|were|is|has|had|should))\b[^,]*")
_BARE_CLOCK = words("one two three four five six seven eight nine ten eleven twelve")


def promised(text: str) -> Promise:
    """What the customer can hold the trainee to: of all that `text` promises, first what has a time and a way of telling, then
    what has a time and is for "you"."""
    clauses = [
        clause
        for line in re.split(r"(?<=[.!?])\s+|;\s*", text)
        if not _CONDITION.match(line)
        for clause in _CLAUSE.split(line)
    ]
    found = [(_pledge(clause), " you" in f" {clause}") for clause in clauses]
    best = max(found, key=lambda one: (_weight(one[0]), one[1] and bool(one[0].when)), default=None)
    return best[0] if best else Promise()


def _weight(promise: Promise) -> int:
    return 2 * bool(promise.when) + bool(promise.way)


def fixed(text: str) -> set[str]:
    """Every hour and weekday that `text` names, promised or not."""
    return {found[1].lower() for found in _FIXED.finditer(text)}


def _pledge(clause: str) -> Promise:
    clause = _ASIDE.sub("", clause.strip())
    if _CONDITION.match(clause) or _NO_PLEDGE.search(clause):
        return Promise()
    when = _WHEN.search(clause)
    written, sent = _WRITING.search(clause), _MESSAGE.search(clause)
    way = Way.CALL if _CALL.search(clause) else Way.WRITING if written else Way.MESSAGE if sent else None
    what = next(filter(None, sent.groups()), "").lower() if sent and way is Way.MESSAGE else ""
    at = _lowered(when[0]).rstrip(".") if when else ""
    return Promise(when=_said_back(at), at=at, way=way, what=what)


def _lowered(time: str) -> str:
    return time if re.match(_NAMED, time) else time[:1].lower() + time[1:]


def _said_back(time: str) -> str:
    """ "At four" as "four o'clock", "at four this afternoon" as "four this afternoon"."""
    said = re.sub(r"^(?:at|on|around) (?:(?:the )?latest )?", "", time)
    return f"{said} o'clock" if said in _BARE_CLOCK else said
