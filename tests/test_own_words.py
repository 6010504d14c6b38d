"""What a persona's notes say about the customer, said by the customer: in the first person, or not at all."""

import re

import pytest

from simulator.anger import Outcome
from simulator.coach import better_line
from simulator.own_words import admitted, ending, felt, needs
from simulator.persona import LIBRARY, Persona, load_personas
from simulator.training.data import situations
from simulator.wording import about, pronoun, to_self

DISK = [*load_personas(LIBRARY).values(), *situations().values()]


def of_theirs() -> Persona:
    """A customer who is "they"; everybody on disk is she or he."""
    base = load_personas(LIBRARY)["cable-no-show"]
    notes = [
        ("they waited by themselves all day", "left to themselves", "the day that was lost was theirs"),
        ("the flat below was flooded", "sure the fault is theirs", "the key that was lent was theirs"),
        ("the fitter never came", "ashamed of themselves", "the word that was broken was theirs"),
    ]
    story = tuple(
        point.model_copy(update={"fact": fact, "feeling": feeling, "because": because})
        for point, (fact, feeling, because) in zip(base.story, notes, strict=False)
    )
    needs = ("a key of theirs to keep", "to be told whether the fault is theirs", "the form to fill in themselves")
    ends = dict.fromkeys((o.value for o in Outcome), "says the fault was not theirs and that they will wait, hangs up")
    return base.model_copy(
        update={
            "id": "of-theirs",
            "story": story,
            "resolution": base.resolution.model_copy(update={"needs": needs}),
            "endings": base.endings.model_copy(update=ends),
        }
    )


THEIRS = of_theirs()
PERSONAS = [*DISK, THEIRS]


def written(fact: str = "", because: str = "", need: str = "", name: str = "Owen Pryce") -> Persona:
    """A customer whom somebody has just written, by another hand than the library's: he, for Owen."""
    base = load_personas(LIBRARY)["cable-no-show"]
    notes = [(fact or "he waited for three days", because or "he lost a day's pay")] * len(base.story)
    story = tuple(
        point.model_copy(update={"fact": fact, "feeling": "Let down.", "because": because})
        for point, (fact, because) in zip(base.story, notes, strict=True)
    )
    way = base.resolution.model_copy(update={"needs": (need or "a date",), "won_over_by": "a date that he can keep"})
    ends = base.endings.model_copy(update=dict.fromkeys((o.value for o in Outcome), "says that Owen will wait"))
    new = {"name": name, "briefing": "He rang twice.", "story": story, "resolution": way, "endings": ends}
    return base.model_copy(update=new)


@pytest.mark.parametrize(
    ("note", "clause"),
    [
        ("Owen rang three times.", "he rang three times"),
        ("Owen's wife had warned him", "his wife had warned him"),
        ("nobody told Owen", "nobody told him"),
        ("two days that Owen took off", "two days that he took off"),
        ("Owen was the one who held him", "Owen was the one who held him"),
        ("The boiler has not given heat.", "the boiler has not given heat"),
        ("Wednesday was his last day.", "Wednesday was his last day"),
    ],
)
def test_a_note_as_a_clause_about_the_customer(note: str, clause: str) -> None:
    assert about(written(), note) == clause


@pytest.mark.parametrize(
    ("because", "said"),
    [
        ("Owen lost a day's pay each time.", "Let down, yes. I lost a day's pay each time."),
        ("It was fitted only on Thursday.", "Let down, yes. It was fitted only on Thursday."),
        ("Owen's wife had warned him.", "Let down, yes. My wife had warned me."),
        ("the customer lost a day's pay", "Let down, yes."),
    ],
)
def test_a_reason_by_another_hand(because: str, said: str) -> None:
    persona = written(because=because)
    assert felt(persona, persona.story[0])[0] == said
    assert ".," not in better_line(persona, persona.story[0])
    assert "because It" not in better_line(persona, persona.story[0])
    assert ending(persona, Outcome.RETAINED) == "I'll wait."


@pytest.mark.parametrize(
    ("need", "said"),
    [
        ("A named person who rings him.", ("I need a named person who rings me.",)),
        ("An engineer on Monday", ("What I need is an engineer on Monday.",)),
        ("Somebody senior looks at it", ()),
        ("somebody senior who looks at it", ("What I need is somebody senior who looks at it.",)),
        ("refund of £40", ("I need a refund of £40.",)),
    ],
)
def test_a_need_by_another_hand(need: str, said: tuple[str, ...]) -> None:
    assert needs(written(need=need)) == said


def test_a_title_is_nobodys_name() -> None:
    assert (
        about(written(name="Mrs Kelly"), "Mrs Doyle rang and nobody told Mrs Kelly")
        == "Mrs Doyle rang and nobody told him"
    )


def test_a_couple_is_they_also_where_somebody_else_is_he() -> None:
    couple = written("They never got a key", "the manager said he would ring back", name="The Hendersons")
    assert pronoun(couple) == "they"
    assert pronoun(written("they never rang", "he waited all day")) == "he", "the company may be they, too"


@pytest.fixture
def bronagh() -> Persona:
    """A customer whom her story calls she."""
    return load_personas(LIBRARY)["cable-no-show"]


@pytest.mark.parametrize(
    ("own", "clause", "said"),
    [
        ("she", "her partner told her not to", "my partner told me not to"),
        ("he", "he is alone and has no list of his own", "I am alone and have no list of my own"),
        ("she", "she was told, but she's been waiting", "I was told, but I've been waiting"),
        ("he", "he'll wait while he's there", "I'll wait while I'm there"),
        ("she", "she no longer trusts herself", "I no longer trust myself"),
        ("he", "the fault was not his and he doesn't know why", "the fault was not mine and I don't know why"),
        ("he", "she saw that he goes home", "she saw that I go home"),
        ("they", "they have lost their room", "I have lost my room"),
    ],
)
def test_a_clause_turns_into_the_first_person(own: str, clause: str, said: str) -> None:
    assert to_self(clause, own) == said


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("says she is cancelling and hangs up", "I am cancelling."),
        ("Says she will wait. Then she hangs up.", "I'll wait."),
        ("says noted, and that she expects the message on time", "Noted. I expect the message on time."),
        ("says, very softly, that it is over, and rings off", "It is over."),
        ("thanks the trainee for the patience and confirms the slot", "Thank you for the patience."),
        ("thanks him for his time, stiffly", "Thank you for your time."),
        ("repeats the day, asks the adviser's name, and uses it", "I would like your name."),
        ("wishes the trainee a good afternoon and leaves the chat", "I wish you a good afternoon."),
        ("wishes the agent a good day and cancels in writing", "I wish you a good day."),
        ("accepts the date and asks for it in writing", "All right. Can I have it in writing?"),
        (
            "says the trainee has been fair, and that she will hold them to it",
            "You have been fair. I'll hold you to it.",
        ),
        ("says to send it by noon", "Send it by noon."),
        ('says "right", repeats the day, rings off', "Right."),
        ('says "Right," and hangs up', "Right."),
        ("Says, after a long pause, 'I don't mind;' and then \"goodbye\"", "I don't mind. Goodbye."),
        ('says only "fine", thanks the trainee and mutters "finally"', "Fine. Finally."),
        ('says she will never use the "premium" line again and hangs up', 'I\'ll never use the "premium" line again.'),
        ('says "premium" customers are never rung, and hangs up', '"premium" customers are never rung.'),
        ('says that the trainee said "sure" and hangs up', 'You said "sure".'),
        ('says no to a "specialist" and hangs up', ""),
        ('calls the trainee a "specialist" and hangs up', ""),
        ('hangs up when the trainee says "sorry"', ""),
        ("repeats the time and reads the dates back", ""),
        ("says she will tell Ruth she got the good one", ""),
        ("says Rui may stay", "Rui may stay."),
        ("says she will tell her partner they were wrong", "I'll tell my partner they were wrong."),
        ("says her mother is waiting, and that she is ill; hangs up", "My mother is waiting."),
        ("slams the phone down", ""),
        ("says the hour back", ""),
        ("a cold goodbye", ""),
    ],
)
def test_an_ending_is_what_the_customer_says_of_it(bronagh: Persona, note: str, said: str) -> None:
    noted = bronagh.model_copy(update={"endings": bronagh.endings.model_copy(update={"lost": note})})
    assert ending(noted, Outcome.LOST) == said


@pytest.mark.parametrize(
    ("need", "said"),
    [
        ("a firm appointment within two days", ("What I need is a firm appointment within two days.",)),
        ("the fee credited to her account", ("I need the fee credited to my account.",)),
        ("where the kits are, and a date", ("I need to know where the kits are, and I need a date.",)),
        ("to be rung before noon", ("I need to be rung before noon.",)),
        ("somebody who rings her", ("What I need is somebody who rings me.",)),
        ("a named person she can call", ("I need a named person I can call.",)),
        ("a tank by noon, with a fallback", ("What I need is a tank by noon.",)),
        ("a tank by noon, with the limits said plainly", ("What I need is a tank by noon.",)),
        ("call her back", ()),
        ("the technician comes today", ()),
        ("the company admits that it was late", ()),
        ("a real room for Bernadette, in her own name", ()),
    ],
)
def test_a_need_is_asked_for_or_left_out(bronagh: Persona, need: str, said: tuple[str, ...]) -> None:
    resolution = bronagh.resolution.model_copy(update={"needs": (need,)})
    assert needs(bronagh.model_copy(update={"resolution": resolution})) == said


@pytest.mark.parametrize(
    ("feeling", "because", "said"),
    [
        (
            "foolish",
            "her partner told her not to",
            (
                "Foolish, yes. My partner told me not to.",
                "Foolish, yes.",
                "I feel foolish. My partner told me not to.",
                "Foolish. That's the word. My partner told me not to.",
            ),
        ),
        ("Furious!", "the whole of it", ("Furious, yes.", "Furious. That's the word.")),
        ("made a fool of", "the girl lost her coat", ("Made a fool of, yes.",)),
        ("she is ignored", "nobody came", ()),
        ("frightened for her", "the agent said that she could", ()),
    ],
)
def test_a_feeling_is_confirmed_with_its_reason(
    bronagh: Persona, feeling: str, because: str, said: tuple[str, ...]
) -> None:
    point = bronagh.story[0].model_copy(update={"feeling": feeling, "because": because})
    assert felt(bronagh, point) == said


@pytest.mark.parametrize("persona", PERSONAS, ids=lambda p: p.id)
def test_every_persona_speaks_of_itself_as_i(persona: Persona) -> None:
    said = [*needs(persona), *(ending(persona, outcome) for outcome in Outcome)]
    said += [line for point in persona.story for line in felt(persona, point)]
    for line in filter(None, said):
        assert re.match(r"[A-Z0-9É].*[.?!]$", line), line
        assert not re.search(r"\bthe (?:trainee|adviser)\b|\b(?:I|my) (?:is|has|does|my|me)\b|\s[.,?!]", line), line
    gone = {"she": r"\b(she|hers)\b", "he": r"\bhis\b", "they": r"\b(themselves|theirs)\b"}[pronoun(persona)]
    for line in (*needs(persona), *(line for point in persona.story for line in felt(persona, point))):
        assert not re.search(gone, line), line


def test_a_customer_who_is_they_has_something_to_say() -> None:
    """So that the sweep above has lines to look at."""
    assert pronoun(THEIRS) == "they"
    said = [*needs(THEIRS), *(line for point in THEIRS.story for line in felt(THEIRS, point))]
    assert {"What I need is a key of mine to keep.", "Left to myself, yes. The day that was lost was mine."} <= set(
        said
    ), said
    assert "Ashamed of myself, yes." in said


@pytest.mark.parametrize("outcome", Outcome)
def test_most_endings_of_the_library_say_something(outcome: Outcome) -> None:
    library = load_personas(LIBRARY).values()
    assert sum(bool(ending(persona, outcome)) for persona in library) >= 0.8 * len(library)


@pytest.mark.parametrize("persona", PERSONAS, ids=lambda persona: persona.id)
def test_no_feeling_is_admitted_without_its_reason(persona: Persona) -> None:
    for point in persona.story:
        line = admitted(persona, point)
        assert not line or len(re.findall(r"[.!?](?: |$)", line)) > 1, line
