"""Lines that any customer could say, by how the agent's line landed and how angry the customer is.

Written for this project, as the training data is. A model chooses among them: whole lines, or leads before the persona's own
wording. Some throw the agent's words back and hold a place for them, `{quote}`.
"""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from simulator.anger import Landing
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
_BY_LANDING = (Act.TELL, Act.INSIST, Act.REACT, Act.CONFIRM)


@cache
def _written() -> dict[str, dict[str, dict[str, list[str]]]]:
    table: Any = yaml.safe_load(FILE.read_text("utf-8"))
    return dict(table)


def _entry(key: str, directive: Directive) -> dict[str, list[str]]:
    return _written()[key][_BANDS[directive.mood]]


def _key(directive: Directive) -> str:
    if directive.act is Act.INSIST and directive.landing in (Landing.ASKED, Landing.PROBED):
        return "again"  # asked for more, with nothing new to tell
    if directive.act is Act.CONFIRM and directive.asked:
        return "nothing_left"  # yes, and there is no more to it
    if directive.act in _BY_LANDING:
        return directive.landing.value if directive.landing else "nothing"
    if directive.act is Act.CLOSE:
        return f"close_{directive.outcome.value if directive.outcome else 'lost'}"
    return directive.act.value


def lines(directive: Directive) -> tuple[str, ...]:
    """Whole lines that carry out `directive` and bring out nothing new."""
    return tuple(_entry(_key(directive), directive)["lines"])


def leads(directive: Directive) -> tuple[str, ...]:
    """Beginnings, short but for hanging up, after which the customer goes on in its own words."""
    if directive.act is Act.HANG_UP:
        return lines(directive)  # an author's note on the ending is often calm; the anger must be heard before it
    return tuple(_entry(_key(directive), directive).get("leads", ()))


def thrown_back(directive: Directive, *, leading: bool) -> tuple[str, ...]:
    """Lines (or leads) that throw the directive's quote back; none without a quote, or where none would be thrown."""
    if not directive.quote or directive.act not in _BY_LANDING:
        return ()
    entry = _entry(_key(directive), directive)
    written = entry.get("thrown_leads" if leading else "thrown_lines", ())
    opening = directive.quote[:1].upper() + directive.quote[1:]
    return tuple(
        line.replace("“{quote}", f"“{opening}") if line.startswith("“") else line.replace("{quote}", directive.quote)
        for line in written
    )
