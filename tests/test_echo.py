"""Which of the trainee's words are thrown back."""

import pytest

from simulator.anger import Cause, Landing, Reaction
from simulator.echo import thrown_back


def _cost(*quotes: str) -> Reaction:
    causes = tuple(Cause(rule="canned sympathy", change=1.0 + i, quote=quote) for i, quote in enumerate(quotes))
    return Reaction(before=6, after=7, floor=0, landing=Landing.CANNED, causes=causes)


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


def test_the_worst_words_are_thrown_back_and_kind_ones_never() -> None:
    assert thrown_back(_cost("We do apologise sincerely.", "You misread the form.")) == "You misread the form"
    heard = Cause(rule="understood: x", change=-1.0, quote="You sat there alone.")
    assert thrown_back(Reaction(before=6, after=5, floor=0, landing=Landing.HEARD, causes=(heard,))) == ""
