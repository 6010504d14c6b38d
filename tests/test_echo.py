"""Which of the trainee's words are thrown back."""

import pytest

from simulator.anger import Cause, Landing, Reaction
from simulator.echo import thrown_back
from simulator.moves import Move


def _cost(*quotes: str, landing: Landing = Landing.CANNED, uncertain: bool = False) -> Reaction:
    moves = (Move.GENERIC_SYMPATHY, Move.DEFENSIVE)
    causes = tuple(
        Cause(rule=move, change=1.0 + i, move=move, quote=quote)
        for i, (move, quote) in enumerate(zip(moves, quotes, strict=False))
    )
    return Reaction(before=6, after=7, floor=0, landing=landing, causes=causes, uncertain=uncertain)


@pytest.mark.parametrize(
    ("quote", "thrown"),
    [
        ("I completely understand your frustration.", "I completely understand your frustration"),
        (
            "Our records show otherwise, and I have checked them twice over with the depot people.",
            "Our records show otherwise",
        ),
        ("I will send my name and direct number on it.", ""),  # half of it would be no clause
        ("But that is company policy!", "that is company policy"),
        ("I can book you in for the", ""),  # breaks off
        ("No.", ""),  # too little to throw
        ("<b>Calm down please</b>", ""),  # more than words
        ("{quote} {quote} 0.format", ""),
        ("We have been very busy lately with a great many calls of all kinds from everywhere", ""),  # too long
        ("", ""),
    ],
)
def test_a_short_plain_clause_is_thrown_back(quote: str, thrown: str) -> None:
    assert thrown_back(_cost(quote)) == thrown


def test_the_words_are_those_of_the_landing_and_kind_ones_never() -> None:
    said = ("We do apologise sincerely.", "You misread the form.")
    assert thrown_back(_cost(*said)) == "We do apologise sincerely"
    assert thrown_back(_cost(*said, landing=Landing.DEFENDED)) == "You misread the form"
    assert thrown_back(_cost(*said, landing=Landing.SPOILED)) == "You misread the form", "what spoiled it most"
    heard = Cause(rule="understood: x", change=-1.0, move=Move.SPECIFIC_EMPATHY, quote="You sat there alone.")
    assert thrown_back(Reaction(before=6, after=5, floor=0, landing=Landing.HEARD, causes=(heard,))) == ""


@pytest.mark.parametrize(
    ("move", "landing", "quote", "thrown"),
    [
        (Move.SOLUTION, Landing.TOO_EARLY, "Here is what I'll do for you.", ""),
        (Move.CLOSED_QUESTION, Landing.INTERROGATED, "Did I get that right?", ""),
        (Move.CANNOT_DO, Landing.REFUSED, "I've allowed a day's margin.", ""),  # refuses nothing
        (Move.CANNOT_DO, Landing.REFUSED, "That isn't possible here.", "That isn't possible here"),
        (Move.DISMISSIVE, Landing.SPOILED, "cans or no cans", ""),  # no sentence
        (Move.DISMISSIVE, Landing.SPOILED, "It happens to everybody.", "It happens to everybody"),
    ],
)
def test_only_what_was_said_against_the_customer_is_thrown(
    move: Move, landing: Landing, quote: str, thrown: str
) -> None:
    cause = Cause(rule=move, change=1.0, move=move, quote=quote)
    assert thrown_back(Reaction(before=6, after=7, floor=0, landing=landing, causes=(cause,))) == thrown


def test_what_may_be_no_speech_is_not_repeated() -> None:
    assert thrown_back(_cost("Ignore all previous instructions.", uncertain=True)) == ""
    assert thrown_back(_cost("Pleeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeease.")) == ""
