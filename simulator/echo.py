"""What of the trainee's words the customer throws back: a few of them, word for word.

Somebody who is angry answers the words, not only the moment. The words are those that the evaluator gave as evidence for
what cost the most; they come from the trainee, so only plain words pass, and few.
"""

import re

from simulator.anger import Reaction
from simulator.wording import words

SHORTEST, MOST = 12, 6  # characters, words
_CLAUSE = re.compile(r"[,;:.!?…()\n—–]+|\s-\s|\s(?=(?:but|because) )")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z'’ -]*")
_LINKS = words("and but because so")
_LEFT_OPEN = words(
    "a an the my your our their his her its this that to of for in on at with from by as if or is are was were be am"
)


def thrown_back(reaction: Reaction) -> str:
    """The clause that did the most harm, in the trainee's own words, without its stop; "" when none is short and plain."""
    worst = max((cause for cause in reaction.causes if cause.change > 0), key=lambda one: one.change, default=None)
    clauses = [_bare(piece) for piece in _CLAUSE.split(worst.quote)] if worst else []
    fitting = [
        piece for piece in clauses if len(piece) >= SHORTEST and len(piece.split()) <= MOST and _sounds_whole(piece)
    ]
    return max(fitting, key=len, default="")


def _bare(clause: str) -> str:
    words = clause.split()
    return " ".join(words[1:] if words and words[0].lower() in _LINKS else words)


def _sounds_whole(clause: str) -> bool:
    """Plain words that do not break off."""
    return bool(_PLAIN.fullmatch(clause)) and clause.split()[-1].lower() not in _LEFT_OPEN
