"""Lines that any customer could say, by how the agent's line landed and how angry the customer is.

Written for this project, as the training data is. A model chooses among them: whole lines, or leads before the persona's own
wording. Some hold a place for the agent's own words: `{quote}` is thrown back, `{when}` and its like were promised.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from simulator.anger import Landing, Outcome
from simulator.checks import words
from simulator.directive import Act, Directive, Mood, asks_if_right
from simulator.promised import Promise

FILE = Path(__file__).with_name("reactions.yaml")

_BANDS = {
    Mood.ABOUT_TO_HANG_UP: "hot",
    Mood.FURIOUS: "hot",
    Mood.ANGRY: "hard",
    Mood.ANNOYED: "hard",
    Mood.WARY: "cool",
    Mood.CALM: "cool",
}
_AGAIN = {Landing.ASKED: "again", Landing.PROBED: "again_probed"}  # asked for more, with nothing new to tell
_CONFIRMED = (Landing.HEARD, Landing.HEARD_AGAIN, Landing.RESTATED, Landing.NOTHING)
NEAR = 3  # sentences from the end
_REFUSING = (("probed", "lines"), ("again_probed", "lines"), ("again_probed", "leads"))
_BY_LANDING = (Act.TELL, Act.INSIST, Act.REACT, Act.CONFIRM)


@cache
def _written() -> dict[str, dict[str, dict[str, list[str]]]]:
    table: Any = yaml.safe_load(FILE.read_text("utf-8"))
    return dict(table)


def _entry(key: str, directive: Directive) -> dict[str, list[str]]:
    return _written()[key][_BANDS[directive.mood]]


def _key(directive: Directive) -> str:
    if directive.act is Act.INSIST and directive.landing in _AGAIN:
        return _AGAIN[directive.landing]
    if directive.act is Act.CONFIRM and directive.asked:
        return "nothing_left"  # yes, and there is no more to it
    if directive.act in _BY_LANDING:
        if directive.landing is Landing.TOO_EARLY and directive.demanded:
            return "too_early_demanded"  # a plan was asked for; it is no answer to all that is wrong
        if directive.landing is Landing.TOO_EARLY and directive.story_out:
            return "too_early_known"  # too angry for a plan, but nobody can say that the story is not known
        return directive.landing.value if directive.landing else "nothing"
    if directive.act is Act.CLOSE:
        return f"close_{directive.outcome.value if directive.outcome else 'lost'}"
    return directive.act.value


def lines(directive: Directive) -> tuple[str, ...]:
    """Whole lines that carry out `directive` and bring out nothing new."""
    if directive.act is Act.HANG_UP and directive.landing:  # what is slammed down is answered first
        parting = _entry(directive.landing.value, directive).get("parting")
        if parting:
            return tuple(parting)
    return tuple(_entry(_key(directive), directive)["lines"])


def leads(directive: Directive) -> tuple[str, ...]:
    """Beginnings, short but for hanging up, after which the customer goes on in its own words."""
    if directive.act is Act.HANG_UP:
        return lines(directive)  # an author's note on the ending is often calm; the anger must be heard before it
    return tuple(_entry(_key(directive), directive).get("leads", ()))


def thrown_back(directive: Directive, *, leading: bool) -> tuple[str, ...]:
    """Lines (or leads) that throw the directive's quote back; none without a quote, or where none would be thrown."""
    if not directive.quote or directive.act not in (*_BY_LANDING, Act.HANG_UP):
        return ()
    entry = _entry(_key(directive), directive)
    written = entry.get("thrown_leads" if leading and not directive.last else "thrown_lines", ())
    opening = directive.quote[:1].upper() + directive.quote[1:]
    return tuple(
        line.replace("“{quote}", f"“{opening}") if line.startswith("“") else line.replace("{quote}", directive.quote)
        for line in written
    )


def told_all(directive: Directive) -> tuple[str, ...]:
    """Leads that say there is no more to tell."""
    return tuple(_entry("told_all", directive)["leads"])


def answers(directive: Directive, reply: str, *, leading: bool) -> tuple[str, ...]:
    """Lines (or leads) that first answer what `reply` asked: whether it is so, or for more where all is told; none else."""
    if directive.act is Act.PRESS and directive.asked:
        said = told_all(directive)
        return said if leading else tuple(f"{one} {line}" for one in said for line in lines(directive))
    # An invitation to go on may follow a check; with something to say there, the yes is only the beginning. And whoever ends
    # on a check of what was told has hardly come with a plan.
    early = directive.landing is Landing.TOO_EARLY
    if directive.act not in (*_BY_LANDING, Act.PRESS) or not asks_if_right(
        reply, 2 if early else NEAR if leading else 1
    ):
        return ()
    if directive.landing in (Landing.GUESSED, Landing.CANNED):
        return tuple(_entry(f"checked_{directive.landing.value}", directive)["lines"])
    # "Is that how it was?" may be taken for a probe; whoever has nothing untold to say to it can still say yes.
    confirmed = (*_CONFIRMED, Landing.TOO_EARLY, *([Landing.ASKED] if leading else []))
    if directive.landing not in confirmed and (directive.landing is not Landing.PROBED or directive.act is Act.TELL):
        return ()
    yes = _entry("checked", directive)
    if directive.act is Act.PRESS and not leading:
        return tuple(f"{one} {line}" for one in yes["leads"] for line in lines(directive))
    if directive.act is Act.INSIST and directive.landing is Landing.ASKED:  # yes, and back to what was told before
        return tuple(f"{one} {lead}" for one in yes["leads"] for lead in leads(directive) if len(words(one)) <= 3)
    if directive.landing is Landing.HEARD:
        return leads(directive) if leading else (*leads(directive), *yes["lines"])
    return tuple(yes["leads" if leading else "lines"])


def held(directive: Directive, promise: Promise, *, leading: bool) -> tuple[str, ...]:
    """Lines (or leads) that hold the agent to what was promised; none where nothing was."""
    if not promise.kind or directive.act not in (Act.ACCEPT, Act.CLOSE) or directive.outcome is Outcome.LOST:
        return ()
    table = _written()["held"][promise.kind]
    words = {"When": promise.when[:1].upper() + promise.when[1:], "when": promise.when, "at": promise.at}
    short, whole = ([line.format(**words, what=promise.what) for line in table[kind]] for kind in ("leads", "lines"))
    if leading:
        return tuple(short)
    if directive.outcome is None:
        return tuple(whole)
    tails = _written()["held_tails"][directive.outcome.value]["lines"]
    return (*whole, *(f"{one} {tail}" for one in short for tail in tails))


_DEMANDS = re.compile(
    r"\b(?:help me|need (?:some )?help|can you help|do something|sort (?:this|it) out|deal with (?:this|it)|yes or no"
    r"|put (?:this|it|that) right)\b"
    r"|\bI (?:need|want) (?!to (?:know that|go into|discuss))|\b(?:can|could|will|be|been) (?:be )?done\b"
    r"|\bwhat (?:can|are|will|am) (?:you|I|we)\b|\bwhat (?:you're|you are) going to do\b|\bwhat (?:happens|comes) (?:next|now)\b"
    r"|\b(?:and|what) now\?|\bwhere do we go\b|\bhow do we go on\b|\bwhat would you suggest\b",
    re.IGNORECASE,
)


def demands(line: str) -> bool:
    """Whether the customer's `line` asks for a way out: a plan in answer to it is no surprise, welcome or not."""
    return bool(_DEMANDS.search(line))


def keeps_back(line: str) -> bool:
    """Whether the customer's `line` refuses to tell more: whoever said it cannot complain that not all is known."""
    return any(refusal in " ".join(words(line)) for refusal in _refusals())


@cache
def _refusals() -> frozenset[str]:
    """As plain words, whatever the marks; some that come back to what was told refuse nothing."""
    said = {kind: {one for band in _BANDS.values() for one in _written()[kind[0]][band][kind[1]]} for kind in _REFUSING}
    again = {one for band in _BANDS.values() for one in _written()["again"][band]["leads"]}
    return frozenset(" ".join(words(one)) for some in said.values() for one in some - again)


_ASKS_YES_OR_NO = re.compile(
    r"(?:^|[.!?,;:] )(?:does|is|are|will|would|shall|can|could|do|did|have|has)\b([^.!?]*)\?$", re.IGNORECASE
)


def last_answers(directive: Directive, reply: str) -> tuple[str, ...]:
    """What answers `reply` before the last words, where it ends with a question or was not the plan itself; none else."""
    if directive.act not in (Act.ACCEPT, Act.CLOSE) or directive.outcome is Outcome.LOST:
        return ()
    closed = _ASKS_YES_OR_NO.search(reply.strip())
    if directive.asked or (closed and re.search(r"\b(?:else|anything|something)\b", closed[1])):
        kind = "asked"
    elif directive.landing in (Landing.HEARD, Landing.HEARD_AGAIN, Landing.RESTATED):
        kind = "met"
    elif closed:
        kind = "agreed"
    else:
        return ()
    return tuple(_written()["last_answer"][kind]["leads"])
