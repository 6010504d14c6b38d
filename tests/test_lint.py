"""The lint: each weakness is found where it is, and the shipped personas have none."""

from pathlib import Path

import pytest

from simulator.anger import Outcome
from simulator.draft import at
from simulator.draft_edits import put
from simulator.lint import best, lint
from simulator.persona import LIBRARY, load_persona, parse_persona
from tests.conftest import LATE_PALLET


@pytest.mark.parametrize("path", sorted(LIBRARY.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_library_is_not_weak(path: Path) -> None:
    assert lint(load_persona(path)) == []


@pytest.mark.parametrize(
    ("changes", "where", "weak"),
    [
        ({"briefing": "A mill whose six knitters sit without yarn."}, "briefing", "gives the story away"),
        ({"opening": "It is late, and six knitters sit without yarn."}, "opening", "already tells"),
        ({"voice.samples": ["I can read a screen.", "I can read a screen too."]}, "voice.samples", "two say the same"),
        ({"voice.samples": ["You lot are late.", "You can read.", "You lied."]}, "voice.samples", "the same word"),
        ({f"story.{n}.told": "opening" for n in range(4)}, "story", "told whole in the opening"),
        ({"story.3.layer": "root", "story.3.told": "asked"}, "story", "no unsaid part"),
        ({"story.1.told": "understood"}, "story", "no part that an open question brings out"),
        ({"story.3.told": "asked"}, "story.3.told", "does not fit its layer"),
        ({"story.1.because": "because"}, "story.1.because", "gives no reason"),
        ({"story.1.because": "the six knitters sit without yarn"}, "story.1.because", "only repeats the fact"),
        ({"story.1.says": ["word " * 33]}, "story.1.says", "a line of 33 words"),
        ({"story.1.says": ["Our production was, therefore, halted."]}, "story.1.says", "reads as written"),
        ({"story.1.says": ["She has six women at idle machines."]}, "story.1.says", "speaks about the customer"),
        ({"resolution.needs": ["that it never happens again"]}, "resolution.needs", "nobody on the line can give"),
        ({"resolution.won_over_by": "the driver is sacked"}, "resolution.won_over_by", "nobody on the line"),
        ({"story.3.weight": 9}, "story.3.weight", "until the unsaid is out"),
        ({"temperament.hears_advice_at": 0, "story.3.weight": 0.0001}, "story.3.weight", "keeps the anger"),
    ],
)
def test_a_weakness_is_found_at_its_field(changes: dict[str, object], where: str, weak: str) -> None:
    found = lint(parse_persona(put(LATE_PALLET, changes)))
    assert [one for one in found if at(one.at) == where and weak in one.weak], found
    assert all(one.do for one in found)


@pytest.mark.parametrize(
    "changes",
    [
        {
            "resolution.needs": [
                "a working fire alarm by Friday",
                "batteries for life jackets",
                "a dismissed claim reopened",
            ]
        },
        {"story.1.says": ["They said Tuesday. It was a lie."]},
        {"story.1.says": ["He died on the Monday."]},
    ],
)
def test_what_is_said_as_people_say_it_is_not_weak(changes: dict[str, object]) -> None:
    found = lint(parse_persona(put(LATE_PALLET, changes)))
    assert not [one for one in found if "nobody on the line" in one.weak or "speaks about" in one.weak], found


def test_a_language_that_nothing_here_knows_is_said() -> None:
    assert "language" in {at(one.at) for one in lint(parse_persona(put(LATE_PALLET, {"language": "de"})))}


def test_a_temper_that_nobody_can_calm_is_weak() -> None:
    assert best(parse_persona(LATE_PALLET)) is Outcome.WON_OVER
    hard = {"temperament.opening_anger": 10, "temperament.forgiveness": 0.5, "temperament.hears_advice_at": 1}
    persona = parse_persona(put(LATE_PALLET, {**hard, "story.3.weight": 0.1}))
    assert best(persona) is not Outcome.WON_OVER
    assert [at(one.at) for one in lint(persona)] == ["temperament"]
