"""One clause of a persona's notes in the customer's own mouth: in the first person, the trainee as "you".

Pronouns are ambiguous; where "she" may be somebody whom the clause has just named, nothing is said.
"""

import re

from simulator.wording import to_self, words

TRAINEE = r"(?:the|this) (?:trainee|advis[eo]r|agent|associate|representative|rep|clerk|coordinator|operator)\b"
WHOM = rf"(?:{TRAINEE}|them|him|her)"
_MEN = words("man boy lad son father dad brother uncle husband grandfather grandson nephew")
_WOMEN = words("woman girl daughter mother mum sister aunt wife grandmother granddaughter niece lady")
KIN = {"she": _WOMEN, "he": _MEN, "they": words("")}
PEOPLE = words(
    "person somebody someone anybody everyone engineer fitter driver technician manager inspector nurse doctor "
    "reviewer salesman neighbour colleague friend boss director teacher tenant banker dealer partner customer"
)
_DATES = words(
    "I Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May June July August "
    "September October November December God Christmas Easter"
)
FINITE = re.compile(
    r"\b(?:is|are|was|were|am|be|been|has|have|had|do|does|did|will|would|can|could|cannot|may|might|must|shall|should|"
    r"[a-z]+n't|it's|that's|they're|came|went|took|said|told|made|gave|got|saw|knew|thought|felt|left|kept|paid|"
    r"stood|ran|rang|held|let|put|wrote|read|sold|bought|built|lost|found|brought|taught|spoke|broke|fell|sent|spent|shut|"
    r"hurt|cost|drove|chose|began|knows?|means|comes|goes|says|thinks|makes|pays|sees|feels|keeps|lives|\w{3,}ed)\b"
    r"|\b(?:he|she|they|nobody|everyone|everybody|somebody|someone) [a-z]"
)


def spoken(clause: str, own: str) -> str:
    """`clause` in the first person, the trainee as "you"; "" where it is not clear who is meant."""
    if _ambiguous(clause, own):
        return ""
    said = to_self(to_you(clause), own)
    said = re.sub(r"\bI will\b(?! not\b)(?= [a-z])", "I'll", said)
    return "" if third_person(said, own) else said


def to_you(clause: str) -> str:
    """`clause` with the trainee as "you"."""
    clause = re.sub(rf"{TRAINEE}'s\b", "your", clause)
    for verb, plural in (("is", "are"), ("was", "were"), ("has", "have"), ("does", "do")):
        clause = re.sub(rf"{TRAINEE} {verb}\b", f"you {plural}", clause)
    return re.sub(TRAINEE, "you", clause)


def _ambiguous(clause: str, own: str) -> bool:
    """Whether the customer's pronoun may stand for somebody whom the clause names before it."""
    if own == "they":
        return bool(re.search(r"\b(?:they|them|their)\b", clause))
    his, himself = ("her", "herself") if own == "she" else ("his", "himself")
    persons = PEOPLE | KIN[own]
    if himself in clause and not re.search(rf"\b{own}\b.*\b{himself}\b", clause):
        return True
    if re.search(rf"\b(?:{'|'.join(persons)}) (?:has|had|takes|took|puts) {his}\b", clause):
        return True
    if re.match(
        rf"(?:an?|one|the) (?:\w+ ){{0,2}}?(?:{'|'.join(persons)}) {own} (?:can|could|may|knows|trusts)\b", clause
    ):
        return False
    if clause.startswith(f"{own} "):
        before, found, _ = clause[len(own) :].partition(f" {own} ")
        last = before.split(" ")[-1]
        return bool(found) and (last in persons or bool(names(last)))
    if re.match(rf"(?:the|an?|his|her|their|\w+'s) (?:\w+ )?(?:{'|'.join(KIN[own])}) .*\b{his} \w", clause):
        return True
    before, found, _ = clause.partition(f" {own} ")
    return bool(found) and (bool(names(before)) or any(w in persons for w in re.findall(r"\w+", before.lower())))


_NUMBER = r"(?:\d+|two|three|four|five|six|seven|eight|nine|ten|twelve)"
_BROKEN = re.compile(
    # I told me, told it to me: one of the two is somebody else
    r"\bI (?:\w+ ){1,3}me\b(?! to\b)|\bI\b[^,;]*\band \w+ (?:\w+ )?(?:to|at|for|from) me\b|\b(?:is|are|was|were) me\b"
    r"|\bme me\b|\bmy (?:my|me)\b"
    # her as an object that was read as a possessive
    r"|\b(?:of|with|for) me \w+ed \w+|\bcall(?:s|ed)? my\b|\b(?:keeps?|kept|leaves|left|caught) my \w+(?:ing|ed)\b"
    rf"|\b(?:ring|rang|call|phone[ds]?|tell|told|ask|asked|pay|paid|give|gave) my {_NUMBER}\b"
    # the subject's form where the object's belongs
    r"|\b(?:but|or|than) I(?: \w+)?$|\b\w+body but I\b|\bI \w+ly \w+s\b"
)


def third_person(said: str, own: str) -> bool:
    """Whether a turned clause still speaks about the customer or the trainee, or has turned into bad English."""
    gone = {"she": "she|hers|herself", "he": "he|him|his|himself", "they": "themselves"}[own]
    return bool(re.search(rf"\b(?:{gone}|the trainee)\b", said, re.IGNORECASE) or _BROKEN.search(said))


def names(text: str) -> list[str]:
    """The words in `text` that may name somebody: capitals, but for dates and for what goes with "the"."""
    text = re.sub(r"\bthe (?:[A-Z]\w+ ?)+", "the ", text)
    return [word for word in re.findall(r"\b[A-Z][a-z]+", text) if word not in _DATES]
