"""What of the trainee's words the customer throws back: a few of them, word for word.

Somebody who is angry answers the words, not only the moment. The words are those that the evaluator gave as evidence for
how the reply landed; they come from the trainee, so only plain words pass, and few.
"""

import re

from simulator.anger import BY_RULE, Cause, Landing, Reaction
from simulator.first_person import FINITE
from simulator.moves import Move
from simulator.wording import words

SHORTEST, LONGEST, MOST = 12, 60, 6  # characters, characters, words
_CLAUSE = re.compile(r"[,;:.!?…()\n—–]+|\s-\s|\s(?=(?:but|because) )")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z'’ -]*")
_ANSWERED = (Move.SPECIFIC_EMPATHY, Move.SOLUTION, Move.CLOSED_QUESTION)  # a plan or a question is answered, not mocked
SAYS_NO = re.compile(r"\b(?:not|nothing|cannot|unable|impossible|no way|policy|rules?)\b|n['’]t\b", re.IGNORECASE)
_SUBJECT = re.compile(r"(?:I|you|we|they|it|this|that) ", re.IGNORECASE)
_LINKS = words("and but because so")
_LEFT_OPEN = words(
    "a an the my your our their his her its this that to of for in on at with from by as if or is are was were be am"
)


def thrown_back(reaction: Reaction) -> str:
    """The longest fitting clause of what named the landing, in the trainee's own words, without its stop; "" for none."""
    if reaction.uncertain:  # it may be no speech to the customer at all
        return ""
    rises = [cause for cause in reaction.causes if cause.change > 0 and cause.move not in _ANSWERED]
    if reaction.landing is not Landing.SPOILED:
        rises = [cause for cause in rises if cause.move is not None and BY_RULE.get(cause.move) is reaction.landing]
    worst: Cause | None = max(rises, key=lambda one: one.change, default=None)
    clauses = [_bare(piece) for piece in _CLAUSE.split(worst.quote)] if worst else []
    fitting = [
        one for one in clauses if SHORTEST <= len(one) <= LONGEST and len(one.split()) <= MOST and _sounds_whole(one)
    ]
    if worst and worst.move is Move.CANNOT_DO:
        fitting = [one for one in fitting if SAYS_NO.search(one)]
    if reaction.landing is Landing.SPOILED:  # among kind words, only a sentence can be what spoiled them
        fitting = [one for one in fitting if _SUBJECT.match(one) or FINITE.search(one)]
    return max(fitting, key=len, default="")


def _bare(clause: str) -> str:
    first, _, rest = clause.strip().partition(" ")
    return rest if first.lower() in _LINKS else clause.strip()


def _sounds_whole(clause: str) -> bool:
    """Plain words that do not break off."""
    return bool(_PLAIN.fullmatch(clause)) and clause.split()[-1].lower() not in _LEFT_OPEN
