"""The vocabulary of a trainee's reply: what it did, which parts of the story it took in, and the words that show it.

Names are those of the counselling and coding literature where there is one: reflection and open question from
motivational interviewing (MITI 4.2), levels of empathy from EPITOME (Sharma et al., 2020).
"""

from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Frozen(BaseModel):
    """Base of every record that crosses a module border: immutable, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Move(StrEnum):
    """What a reply does. A reply makes any number of moves; the two kinds of sympathy exclude each other."""

    SPECIFIC_EMPATHY = "specific_empathy"
    GENERIC_SYMPATHY = "generic_sympathy"
    RESTATEMENT = "restatement"
    OPEN_QUESTION = "open_question"
    CLOSED_QUESTION = "closed_question"
    PROBE_UNSAID = "probe_unsaid"
    OWNERSHIP = "ownership"
    SOLUTION = "solution"
    SET_EXPECTATIONS = "set_expectations"
    OVERPROMISE = "overpromise"
    CANNOT_DO = "cannot_do"
    DEFENSIVE = "defensive"
    BLAME = "blame"
    DISMISSIVE = "dismissive"


MOVES: tuple[Move, ...] = tuple(Move)

# A reply that does one of these has stopped listening, however kind the rest of it is. (A solution joins them
# while the customer is too angry to hear it; that depends on the anger, so it is decided in anger.py.)
LISTENING_BREAKS = frozenset({Move.DEFENSIVE, Move.BLAME, Move.DISMISSIVE, Move.CANNOT_DO, Move.OVERPROMISE})

# Moves that invite the story to come out.
INVITATIONS = frozenset({Move.OPEN_QUESTION, Move.RESTATEMENT, Move.PROBE_UNSAID})


class Judgement(Frozen):
    """What the evaluator read in one reply.

    `probabilities` are calibrated, 0 to 1, one for each move. `present` are the moves over their thresholds.
    `acknowledged` are ids of story points. `evidence` quotes the reply, one span for each present move (a key
    may be missing when no span stands out). `uncertain` marks a reply unlike anything the evaluator knows: it is
    never taken as empathy. `judge` names model, adapter and rubric, so that a verdict can be traced.
    """

    probabilities: dict[Move, float] = Field(default_factory=dict)
    present: tuple[Move, ...] = ()
    acknowledged: tuple[str, ...] = ()
    evidence: dict[Move, str] = Field(default_factory=dict)
    uncertain: bool = False
    judge: str = ""

    @model_validator(mode="after")
    def _one_kind_of_sympathy(self) -> Self:
        if {Move.SPECIFIC_EMPATHY, Move.GENERIC_SYMPATHY} <= set(self.present):
            raise ValueError("a reply shows specific empathy or generic sympathy, never both")
        return self

    def has(self, *moves: Move) -> bool:
        """Whether any of `moves` is present."""
        return any(move in self.present for move in moves)

    def quote(self, move: Move) -> str:
        """The words that show `move`, or an empty string."""
        return self.evidence.get(move, "")
