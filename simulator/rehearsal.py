"""Four trainees take a call with a persona, so that its author sees at once whom it rewards.

The evaluator that reads them is the real one. The customer answers in written lines and the persona's own
wordings, which no model weighs: a call takes as long as its judging.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, Protocol

from simulator.customer import Customer
from simulator.judge import Judge
from simulator.models.scripted import ScriptedModel
from simulator.persona import Persona
from simulator.session import Call
from simulator.trainees import Scripted, View, view_of
from simulator.transcript import Transcript

MOST_REPLIES = 14


class Trainee(Protocol):
    """Someone who takes one call."""

    def reply(self, view: View) -> str | None:
        """What they say next; None when they have nothing left to say."""
        ...


Cast = Mapping[str, Callable[[Persona], Trainee]]  # by the name that a page shows; a new trainee for each call


CAST: Cast = {
    "Canned": lambda persona: Scripted("canned", persona, 0),
    "Fixing": lambda persona: Scripted("fixer", persona, 0),
    "Defending": lambda persona: Scripted("defender", persona, 0),
    "Expert": lambda persona: Scripted("expert", persona, 0),
}


class Rehearsed(NamedTuple):
    """A trainee and their finished call."""

    name: str
    transcript: Transcript


def rehearse(persona: Persona, judge: Judge, cast: Cast) -> Iterator[Rehearsed]:
    """Each trainee's call, as it ends. Raises JudgeError or ModelError."""
    customer = Customer(ScriptedModel(), writes=False)
    for name, arrive in cast.items():
        call = Call.begin(persona, customer, judge, seed=0)
        trainee = arrive(persona)
        for _ in range(MOST_REPLIES):
            said = trainee.reply(view_of(call))
            if said is None or call.transcript.finished:
                break
            call.reply(said)
        call.end()
        yield Rehearsed(name, call.transcript)
