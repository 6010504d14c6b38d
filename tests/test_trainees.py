"""The simulated trainees: what they say is said to the customer's face, in whole words, and the same for a seed."""

import re
from random import Random

import pytest

from simulator import phrases
from simulator.coach import better_line
from simulator.persona import LIBRARY, Persona, load_personas
from simulator.trainees import TRAINEES, Scripted, Story, View
from simulator.training.data import situations
from simulator.wording import pronoun, to_face


@pytest.mark.parametrize(
    ("own", "clause", "said"),
    [
        ("she", "nobody let her know", "nobody let you know"),
        ("she", "a farmer rang her eleven times", "a farmer rang you eleven times"),
        ("she", "it took her thirty years to dare to apply", "it took you thirty years to dare to apply"),
        ("she", "it makes her look unreliable on her first job", "it makes you look unreliable on your first job"),
        ("she", "the cast went home without looking at her", "the cast went home without looking at you"),
        ("she", "her images of her 480 plots", "your images of your 480 plots"),
        ("he", "he asked and was told yes, and feels lied to", "you asked and were told yes, and feel lied to"),
        ("he", "he himself withheld it", "you yourself withheld it"),
        ("she", "her back teeth do not meet", "your back teeth do not meet"),
        ("she", "they gave her back the key", "they gave you back the key"),
        ("she", "he will ring her back tomorrow", "he will ring you back tomorrow"),
        ("she", "she never misses a bus", "you never miss a bus"),
        ("she", "her brother said he would, but she's been waiting", "your brother said he would, but you've been waiting"),
        ("he", "she saw that he doesn't know", "she saw that you don't know"),
        ("he", "whatever lapses next will be his, and soon", "whatever lapses next will be yours, and soon"),
        ("she", "the women who bake with her worked all night", "the women who bake with you worked all night"),
        ("she", "the van costs her sixty-five an hour", "the van costs you sixty-five an hour"),
        ("they", "they have lost their room", "you have lost your room"),
        ("they", "the fault was not theirs", "the fault was not yours"),
    ],
)  # fmt: skip
def test_a_story_is_said_to_the_customers_face(own: str, clause: str, said: str) -> None:
    assert to_face(clause, own) == said


@pytest.mark.parametrize(("name", "own"), [("forming-gas-swapped", "he"), ("left-at-old-house", "she")])
def test_whose_pronoun_it_is_shows_in_the_notes_where_the_story_is_full_of_somebody_else(name: str, own: str) -> None:
    assert pronoun(situations()[name]) == own


@pytest.mark.parametrize("persona", [*load_personas(LIBRARY).values(), *situations().values()], ids=lambda p: p.id)
def test_every_story_on_disk_turns_into_english(persona: Persona) -> None:
    own = pronoun(persona)
    gone = {"she": r"\b(she|herself)\b", "he": r"\b(he|his|himself)\b", "they": r"\b(themselves|theirs)\b"}[own]
    for point in persona.story:
        for clause in (point.fact, point.feeling, point.because):
            said = to_face(clause, own)
            assert not re.search(gone, said, re.IGNORECASE), said
            assert not re.search(r"\byou (was|has|does|goes|hasn't|wasn't|doesn't)\b", said), said
            assert not re.search(r"\byour (you|your)\b|\byou you\b", said), said


@pytest.mark.parametrize(
    ("feeling", "said"),
    [
        ("looking careless", "feeling that you're looking careless"),
        ("Furious!", "feeling furious"),
        ("afraid of losing her name.", "feeling afraid of losing your name"),
    ],
)
def test_a_feeling_is_named_in_english_by_trainees_and_in_the_better_line(
    persona: Persona, feeling: str, said: str
) -> None:
    point = persona.story[0].model_copy(update={"feeling": feeling, "fact": "she waited", "because": "nobody came"})
    felt = persona.model_copy(update={"story": (point,)})
    assert (
        better_line(felt, point)
        == f"“You waited. I imagine that leaves you {said}, because nobody came. Have I got that right?”"
    )
    for seed in range(8):
        assert re.search(
            rf"\b{said}(, because| about this:) nobody came", Story(felt, Random(seed)).feelings([point.id])
        )


def view(persona: Persona, told: int) -> View:
    ids = tuple(point.id for point in persona.story)
    return View(
        lines=(("customer", persona.opening),),
        anger=6,
        can_hear=False,
        told=ids[:told],
        missed=ids[:told],
        untold=len(ids) - told,
    )


@pytest.mark.parametrize(
    ("fact", "given_back"),
    [
        ("a farmer, Dougie Baird, rang her about a mare", "a farmer, Dougie Baird, rang you about a mare"),
        ("the van came at noon, and nobody rang her", "the van came at noon"),
    ],
)
def test_what_is_given_back_is_a_clause_and_is_checked(persona: Persona, fact: str, given_back: str) -> None:
    point = persona.story[0].model_copy(update={"fact": fact, "feeling": "let down", "because": "she waited"})
    said = Story(persona.model_copy(update={"story": (point,)}), Random(1)).events([point.id])
    assert re.search(rf"(?i){given_back}\. [^.]+ right\?$", said), said
    assert Story(persona, Random(1)).events([]) == phrases.NOTED


@pytest.mark.parametrize("name", [name for name, script in TRAINEES.items() if script])
def test_a_seed_says_the_same_and_another_seed_something_else(name: str, persona: Persona) -> None:
    def call(seed: int) -> list[str | None]:
        trainee = Scripted(name, persona, seed)
        return [trainee.reply(view(persona, told)) for told in (1, 2, 3, 4, 4, 4)]

    assert call(1) == call(1)
    assert len({tuple(call(seed)) for seed in range(4)}) > 1
    assert all(line and "{" not in line for line in call(1))


def test_only_those_who_listen_know_the_story_and_only_what_was_told(persona: Persona) -> None:
    for name in ("canned", "fixer", "defender", "blamer", "interrogator"):
        trainee = Scripted(name, persona, 1)
        assert not any("knitters" in str(trainee.reply(view(persona, 4))) for _ in range(6))
    for name in ("listener", "empath", "expert"):
        trainee = Scripted(name, persona, 1)
        said = " ".join(str(trainee.reply(view(persona, 2))) for _ in range(6))
        assert "six knitters" in said
        assert "mother" not in said
