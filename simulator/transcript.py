"""A call as data: turns, what the evaluator read in them, and what they did to the anger."""

from datetime import UTC, datetime
from typing import Literal

from pydantic import Field

from simulator.anger import Ending, Outcome, Reaction
from simulator.directive import Directive
from simulator.moves import Frozen, Judgement

Role = Literal["customer", "trainee"]


class Turn(Frozen):
    """One line of a call. `anger` is the level after it. A trainee's turn carries judgement and reaction, a customer's
    turn its directive."""

    role: Role
    text: str
    anger: float = Field(ge=0, le=10)
    judgement: Judgement | None = None
    reaction: Reaction | None = None
    directive: Directive | None = None


class Models(Frozen):
    """What spoke and what judged, precisely enough to repeat it."""

    customer: str
    judge: str
    package: str = ""


class Transcript(Frozen):
    """One call, finished or not. `turns` begin with the customer's opening.

    A call that takes another one again names it in `branched_from`; its turns before `branched_at` are that call's.
    """

    id: str
    persona: str
    seed: int
    turns: tuple[Turn, ...] = ()
    ending: Ending | None = None
    outcome: Outcome | None = None
    hints: int = 0
    exam: bool = False
    started: datetime = Field(default_factory=lambda: datetime.now(UTC))
    ended: datetime | None = None
    models: Models
    branched_from: str | None = None
    branched_at: int | None = None

    @property
    def finished(self) -> bool:
        """Whether the call is over."""
        return self.outcome is not None

    @property
    def replies(self) -> tuple[tuple[int, Turn], ...]:
        """The trainee's turns with their positions."""
        return tuple((i, turn) for i, turn in enumerate(self.turns) if turn.role == "trainee")

    @property
    def anger(self) -> tuple[float, ...]:
        """The curve: anger after each turn."""
        return tuple(turn.anger for turn in self.turns)

    def lines(self) -> tuple[tuple[Role, str], ...]:
        """Who said what, and no more."""
        return tuple((turn.role, turn.text) for turn in self.turns)


# What Markdown or a browser would take for markup is escaped, so that a download shows a reply as it was typed.
_ESCAPES = str.maketrans({c: f"\\{c}" for c in "\\`*_[]#|~"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;"})


def escaped(text: str) -> str:
    """Text on one line that Markdown and a browser take for nothing but text."""
    return " ".join(text.split()).translate(_ESCAPES)


def as_markdown(transcript: Transcript, title: str) -> str:
    """The call as Markdown, one paragraph a turn, with the anger after each."""
    names = {"customer": "Customer", "trainee": "You"}
    head = [f"# {escaped(title)}", "", f"Started {transcript.started:%Y-%m-%d %H:%M} UTC."]
    if transcript.outcome:
        head.append(f"Outcome: **{transcript.outcome.value.replace('_', ' ')}**.")
    body = [f"**{names[turn.role]}** (anger {turn.anger:.1f}): {escaped(turn.text)}" for turn in transcript.turns]
    return "\n\n".join([*head, *body]) + "\n"
