"""Eight simulated trainees, from canned to expert, and a language model as a ninth.

Each is a script that answers what it can see of the call: the lines, the gauge, and what the customer has told. The
expert and the two half-methods also know the story's wording for what has been told, as a person who listened would.
All are deterministic given a seed. Their words are plain; the evaluator that reads them is the real one.
"""

import re
import zlib
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from random import Random

from simulator import phrases
from simulator.models.base import LanguageModel, Message, Prompt, Sampling
from simulator.moves import Frozen
from simulator.persona import Layer, Persona, StoryPoint, Told
from simulator.session import Call
from simulator.transcript import Role
from simulator.wording import about, feeling_to_face, pronoun, sentence, to_face

_AND = re.compile(r",? and (?=(?:the|an?|his|her|their|he|she|they|you|your|it|nobody|nothing|somebody)\b)|, |; ")
_INNER = re.compile(
    r"\b(feel|fear|afraid|asham|worr|want|hop(e|ing)|dread|scared|frighten|love|hate|proud|trust|believ|think|wish|dare"
    r"|miss(es)? (him|her|them)|look(s|ed)? forward|promised? (himself|herself|yourself))",
    re.IGNORECASE,
)
CLAUSE = 5  # words; less is hardly a sentence
MOST_NAMED = 2  # points named in one reply; more is a speech
MOST_TRIES = 3  # at one thing, before a person would move on


class View(Frozen):
    """What the trainee's page shows: who said what, the gauge (0 to 10), whether advice can be heard, the story points that
    the customer has told, those of them that nobody has taken in (a hint names them), and how many parts are untold."""

    lines: tuple[tuple[Role, str], ...]
    anger: float
    can_hear: bool
    told: tuple[str, ...]
    missed: tuple[str, ...]
    untold: int


def view_of(call: Call) -> View:
    """What the trainee in this call can see of it now."""
    state, story = call.state, call.persona.story
    return View(
        lines=call.transcript.lines(),
        anger=state.anger,
        can_hear=state.anger <= call.persona.temperament.hears_advice_at,
        told=state.told,
        missed=tuple(p for p in state.told if p not in state.heard),
        untold=sum(p.id not in {*state.told, *state.heard} for p in story),
    )


Script = Generator[str, View, None]  # yields a reply, is sent what followed; its end is the trainee's goodbye


def _first_clause(fact: str) -> str:
    """What comes before the first comma or "and", or all of it where that is no clause yet: "a farmer, Dougie, rang you"."""
    first = _AND.split(fact)[0]
    return first if len(first.split()) >= CLAUSE else fact


class Story:
    """The told parts of a persona's story as one says them to this customer, in varied words."""

    def __init__(self, persona: Persona, chance: Random) -> None:
        self._persona = persona
        self._own = pronoun(persona)
        self._chance = chance
        self._used: list[str] = []

    def pick(self, options: Sequence[str]) -> str:
        """One of `options`, none a second time before all have been said."""
        fresh = [one for one in options if one not in self._used]
        if not fresh:
            self._used = [one for one in self._used if one not in options]
            fresh = list(options)
        chosen = self._chance.choice(fresh)
        self._used.append(chosen)
        return chosen

    def facts(self, points: Sequence[str]) -> str:
        """What happened, given back."""
        return " ".join(sentence(self.pick(phrases.RESTATED).format(fact=self._fact(p))) for p in points)

    def events(self, points: Sequence[str]) -> str:
        """What happened, given back and checked: the first clause of each incident or impact, and nobody's inner state or
        stake."""
        outer = [p for p in points if self._persona.point(p).layer in (Layer.INCIDENT, Layer.IMPACT)]
        first = [_first_clause(self._fact(p)) for p in outer]
        said = [self.pick(phrases.RESTATED).format(fact=fact) for fact in first if not _INNER.search(fact)]
        return " ".join([*map(sentence, said), self.pick(phrases.CHECK)]) if said else phrases.NOTED

    def _fact(self, point: str) -> str:
        return to_face(about(self._persona, self._persona.point(point).fact), self._own)

    def feelings(self, points: Sequence[str]) -> str:
        """What it is like for them, each feeling with its reason."""
        return " ".join(self._feeling(self._persona.point(p)) for p in points)

    def _feeling(self, point: StoryPoint) -> str:
        template = self.pick(phrases.UNDERSTOOD)
        fact, because = (to_face(about(self._persona, note), self._own) for note in (point.fact, point.because))
        feeling = feeling_to_face(point.feeling, self._own)
        return " ".join(
            sentence(part) for part in template.format(fact=fact, feeling=feeling, because=because).split(" / ")
        )


def _lines(*lists: Sequence[str]) -> Callable[[Persona, Random], Script]:
    """A trainee that says one line of each list in turn, whatever is answered, and starts over."""

    def script(persona: Persona, chance: Random) -> Script:
        story = Story(persona, chance)
        while True:
            yield " ".join(story.pick(options) for options in lists)

    return script


def listener(persona: Persona, chance: Random) -> Script:
    """Draws the story out and gives it back, then a good fix; never says what any of it is like for the customer."""
    story = Story(persona, chance)
    given: list[str] = []
    view = yield story.pick(phrases.FIRST_QUESTION)
    while len(view.told) > len(given):
        fresh = [p for p in view.told if p not in given][:MOST_NAMED]
        given += fresh
        view = yield f"{story.events(fresh)} {story.pick(phrases.OPEN)}"
    view = yield story.pick(phrases.PROBE)
    if len(view.told) > len(given):
        view = yield story.events([p for p in view.told if p not in given])
    while True:
        view = yield story.pick(phrases.WAY_FORWARD)


def empath(persona: Persona, chance: Random) -> Script:
    """Says what it is like for the customer, and why, of whatever comes unasked; never asks, and soon offers a fix."""
    story = Story(persona, chance)
    opening = _told_first(persona)
    view = yield story.feelings(opening)
    while view.missed:
        before = view.told
        view = yield story.feelings(view.missed[:MOST_NAMED])
        if view.told == before:
            break
    while True:
        view = yield story.pick(phrases.WAY_FORWARD)
        if view.missed:
            view = yield story.feelings(view.missed[:MOST_NAMED])


def expert(persona: Persona, chance: Random) -> Script:
    """Listens, says what it has understood, asks what is unsaid, owns it, and only then a dated way forward."""
    story = Story(persona, chance)
    told: tuple[str, ...] = _told_first(persona)
    view = yield f"{story.facts(told)} {story.pick(phrases.OPEN)}"
    named: Counter[str] = Counter()
    in_vain = 0  # questions in a row that brought nothing new
    while True:
        came = view.told != told
        in_vain = 0 if came else in_vain + 1
        told = view.told
        waiting = [p for p in reversed(view.missed) if named[p] < MOST_TRIES or not view.can_hear]
        if waiting or not view.can_hear or (view.untold and in_vain < MOST_TRIES):
            point = min(waiting or told, key=named.__getitem__)  # the newest of those said least
            named[point] += 1
            ask = phrases.CHECK if not view.untold else phrases.OPEN if came else phrases.PROBE
            view = yield f"{story.feelings([point])} {story.pick(ask)}"
        else:
            view = yield f"{story.pick(phrases.OWNED)} {story.pick(phrases.WAY_FORWARD)}"


def _told_first(persona: Persona) -> tuple[str, ...]:
    return tuple(p.id for p in persona.story if p.told is Told.OPENING)


TRAINEES: dict[str, Callable[[Persona, Random], Script] | None] = {
    "canned": _lines(phrases.CANNED),
    "fixer": _lines(phrases.FIXES),
    "defender": _lines(phrases.DEFENCES),
    "blamer": _lines(phrases.BLAMES),
    "interrogator": _lines(phrases.CLOSED),
    "listener": listener,
    "empath": empath,
    "expert": expert,
    "model": None,
}


class Scripted:
    """A simulated trainee in one call."""

    def __init__(self, name: str, persona: Persona, seed: int) -> None:
        script = TRAINEES[name]
        if script is None:
            raise ValueError(f"{name} is no script")
        self._script: Iterator[str] = script(persona, Random(zlib.crc32(f"{name}:{persona.id}:{seed}".encode())))
        self._begun = False

    def reply(self, view: View) -> str | None:
        """What the trainee says next; None when there is nothing left to say."""
        try:
            if self._begun:
                return self._script.send(view)  # type: ignore[attr-defined, no-any-return]
            self._begun = True
            return next(self._script)
        except StopIteration:
            return None


_BRIEF = """You are a {trainee_role} of {company}. {briefing}
Say only your next line to this customer: spoken, at most three sentences."""


class ModelTrainee:
    """A language model takes the call: it sees the briefing and the lines, as a trainee does."""

    def __init__(self, model: LanguageModel, persona: Persona, seed: int) -> None:
        self._model = model
        self._seed = seed
        self._brief = _BRIEF.format(
            trainee_role=persona.trainee_role, company=persona.company, briefing=persona.briefing
        )

    def reply(self, view: View) -> str | None:
        """The model's next line. Raises ModelError."""
        messages = [Message(role="system", content=self._brief)]
        messages += [Message(role="assistant" if r == "trainee" else "user", content=text) for r, text in view.lines]
        said = "".join(f"{role}: {text}\n" for role, text in view.lines)
        prompt = Prompt(stable=(f"{self._brief}\n{said}",), changing="trainee:", messages=tuple(messages))
        sampling = Sampling(n=1, temperature=0.7, max_tokens=120, seed=self._seed + len(view.lines))
        return self._model.sample(prompt, sampling)[0].text.strip() or None
