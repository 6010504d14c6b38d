"""Lines that any customer could say, by how the agent's line landed and how angry the customer is.

Written for this project, as the training data is. A model chooses among them: whole lines, or leads before the persona's own
wording of a story point.
"""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from simulator.directive import Act, Directive, Mood

FILE = Path(__file__).with_name("reactions.yaml")

_BANDS = {
    Mood.ABOUT_TO_HANG_UP: "hot",
    Mood.FURIOUS: "hot",
    Mood.ANGRY: "hard",
    Mood.ANNOYED: "hard",
    Mood.WARY: "cool",
    Mood.CALM: "cool",
}
_BY_LANDING = (Act.TELL, Act.INSIST, Act.REACT)


@cache
def _written() -> dict[str, dict[str, dict[str, list[str]]]]:
    table: Any = yaml.safe_load(FILE.read_text("utf-8"))
    return dict(table)


def _entry(directive: Directive) -> dict[str, list[str]]:
    if directive.act in _BY_LANDING:
        key = directive.landing.value if directive.landing else "nothing"
    elif directive.act is Act.CLOSE:
        key = f"close_{directive.outcome.value if directive.outcome else 'lost'}"
    else:
        key = directive.act.value
    return _written()[key][_BANDS[directive.mood]]


def lines(directive: Directive) -> tuple[str, ...]:
    """Whole lines that carry out `directive` and bring out nothing new."""
    return tuple(_entry(directive)["lines"])


def leads(directive: Directive) -> tuple[str, ...]:
    """Short beginnings, after which the customer goes on with the story."""
    return tuple(_entry(directive).get("leads", ()))
