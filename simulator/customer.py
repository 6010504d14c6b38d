"""Says a directive, in words that a language model writes or chooses.

A small model invents badly: of the bundled one's own reactions hardly one makes sense. What it does well is to tell which of
several lines this person would say now. So it chooses among written lines: a reaction, or a lead with the persona's own
wording behind it. A larger model writes: a few candidates are sampled, checked and the likeliest is said; where none passes, a
written line is.
"""

import math
import random
import re
import zlib
from collections.abc import Iterator, Sequence

from simulator import reactions
from simulator.anger import Landing
from simulator.checks import NOT_A_CUSTOMER, Check, tidied, words
from simulator.directive import HOT, INVITED, Act, Directive
from simulator.freshness import fresh_wording
from simulator.models.base import LanguageModel, Prompt, Sampling
from simulator.moves import Frozen
from simulator.persona import Persona
from simulator.promised import Promise, promised
from simulator.prompts import prompt
from simulator.transcript import Role

CANDIDATES = 4  # that a model writes
OPTIONS = 9  # that a model chooses from
EVENNESS = 1.0  # temperature of that choice, in nats a token: 0 would always say the likeliest
BARE = 0.4  # how often what it tells needs no lead, where it was invited to speak and is not furious
THROWN, THROWN_AGAIN = 0.5, 0.2  # how often the trainee's words are thrown back; and when the last line did so as well

_QUIET = re.compile(
    r"\b(?:icy|icily|cold|coldly|level|measured|quietly|gets quieter|calm|restrained|understates|full stops"
    r"|never (?:raises|shouts|louder)|no raised voice|no exclamation)\b",
    re.IGNORECASE,
)
_LOUD = re.compile(
    r"(?<!never )\b(?:loud|louder|loudly|shout\w*|bully|bullying|yells|screams|explodes|theatrical|bangs|heat|flares"
    r"|(?<!loses his )(?<!loses her )(?<!loses their )temper|(?<!never )loses \w+ temper"
    r"|fierce|until (?:he|she|they))\b",
    re.IGNORECASE,
)
_SAYS_YES_OR_NO = re.compile(r"(?:yes|no)\b", re.IGNORECASE)
_CAPITALS = re.compile(r"[.!?] [A-Z]|\bI\b")  # somebody who writes so begins without one only for a name's sake
_NEED = re.compile(r"(?:What )?I (?:need|don't want)\b")
_THANKS = re.compile(r"\bthank", re.IGNORECASE)
_NEVER_ASKED = re.compile(r"\bnever asked|why don't you ask|could ask what\b", re.IGNORECASE)


class Utterance(Frozen):
    """The customer's line. `source` is "model" for the model's own words, "written" for a written line, "persona" for the
    opening; `rejected` says why each candidate fell."""

    text: str
    source: str
    rejected: tuple[str, ...] = ()


class Customer:
    """The customer's voice: a language model, its checks and its choice. Shared by all calls; keeps no state of them.

    `writes` says whether the model words the lines itself or chooses among written ones.
    """

    def __init__(self, model: LanguageModel, *, writes: bool = True, candidates: int = CANDIDATES) -> None:
        self.model = model
        self._writes = writes
        self._candidates = candidates

    def speak(
        self,
        persona: Persona,
        lines: Sequence[tuple[Role, str]],
        directive: Directive,
        told: Sequence[str],
        seed: int,
    ) -> Utterance:
        """The next line. `lines` is the call so far, `told` the story points out, the directive's own included.

        The same arguments give the same line. Raises ModelError when the model cannot run.
        """
        if directive.act is Act.OPEN:
            return Utterance(text=directive.says[0].strip(), source="persona")
        turn_seed = zlib.crc32(f"{persona.id}:{seed}:{len(lines)}".encode())
        fact = persona.point(directive.point).fact if directive.point else ""
        wording = fresh_wording(directive, lines, turn_seed, fact)
        if wording not in {says for point in persona.story for says in point.says}:
            wording = _typed(persona, wording)
        ask = prompt(persona, lines, directive, wording, told)
        rejected: list[str] = []
        # Last words without a sayable note are written ones: models turn such a note round, or invent an agent's goodbye.
        if self._writes and (wording or not directive.last or not persona.language.startswith("en")):
            check = Check(persona, lines, directive, wording, told)
            passed: list[tuple[float, str]] = []
            for sample in self.model.sample(ask, Sampling(n=self._candidates, seed=turn_seed)):
                text = tidied(sample.text)
                fault = check.fault(text)
                if fault is None:
                    passed.append((sample.score or 0.0, text))
                else:
                    rejected.append(fault)
            if passed:
                return Utterance(text=max(passed)[1], source="model", rejected=tuple(rejected))
        options = written(directive, wording, lines, random.Random(turn_seed))
        text = _typed(persona, self._chosen(ask, options, turn_seed))
        return Utterance(text=f"{text} {wording}".strip(), source="written", rejected=tuple(rejected))

    def _chosen(self, ask: Prompt, options: Sequence[str], seed: int) -> str:
        """One of the options, drawn by the seed: the likelier the model finds it, the oftener."""
        if len(options) == 1:
            return options[0]
        draw = random.Random(seed)
        options = draw.sample(options, min(OPTIONS, len(options)))
        likely = self.model.likelihoods(ask, options)
        weights = [math.exp((one - max(likely)) / EVENNESS) for one in likely]
        return draw.choices(options, weights)[0]


def written(
    directive: Directive, wording: str, lines: Sequence[tuple[Role, str]], draw: random.Random
) -> tuple[str, ...]:
    """Written reactions that carry out the directive, whole, or to stand before `wording`; none that begins as an earlier line.

    At least one, which is "" where `wording` shall stand alone. When all were used before, all may be used again.
    """
    said = [text for role, text in lines if role == "customer"]
    thrown = reactions.thrown_back(directive, leading=bool(wording))
    invited = directive.landing in INVITED and directive.mood not in HOT
    if NOT_A_CUSTOMER.search(directive.quote):  # even as a quotation it would sound like the agent
        thrown = ()
    answers = reactions.answers(directive, lines[-1][1], leading=bool(wording))
    held = reactions.held(directive, _plan(directive, lines), leading=bool(wording))
    if thrown and not answers and draw.random() < (THROWN_AGAIN if "“" in said[-1] else THROWN):
        options = thrown
    elif held:
        options = held
    elif answers and not (_stands_alone(directive, wording) and directive.landing is Landing.ASKED):
        options = answers
    elif _stands_alone(directive, wording) or (
        wording and invited and directive.act is Act.TELL and draw.random() < BARE
    ):
        return ("",)
    else:
        options = reactions.leads(directive) if wording else reactions.lines(directive)
    if directive.act is Act.CONFIRM and directive.asked and _NEED.match(wording):
        options = tuple(f"Yes. {one}" for one in reactions.told_all(directive))  # there is no more to it but this
    if any("?" in text for role, text in lines if role == "trainee"):
        options = tuple(one for one in options if not _NEVER_ASKED.search(one)) or options
    if _THANKS.search(wording):  # once is enough
        options = tuple(one for one in options if not _THANKS.search(one)) or options
    if first := reactions.last_answers(directive, lines[-1][1]):
        options = tuple(one for one in options if not _SAYS_YES_OR_NO.match(one)) or options
        options = tuple(f"{draw.choice(first)} {one}" for one in options)
    openers = {tuple(words(line)[:length]) for line in said for length in (1, 2, 3)}
    before = " ".join(" ".join(words(line)) for line in said)
    fresh = [one for one in options if tuple(words(one)[:3]) not in openers and " ".join(words(one)) not in before]
    return tuple(fresh) or options


def _plan(directive: Directive, lines: Sequence[tuple[Role, str]]) -> Promise:
    """What the trainee has just promised, or for when one reply before; nothing where the customer has already said it back."""
    latest = 1 if directive.landing is Landing.SETTLED else 2
    said = [text for role, text in lines if role == "trainee"][-latest:]
    plan = next((found for text in reversed(said) if (found := promised(text)).kind), Promise())
    earlier = " ".join(text.lower() for role, text in lines if role == "customer")
    named = any(time and time.lower() in earlier for time in (plan.when, plan.at))
    return Promise() if named or (latest > 1 and not plan.when) else plan


def _stands_alone(directive: Directive, wording: str) -> bool:
    """A feeling that is admitted when asked for more: no "as I said" goes before what was not said."""
    return directive.act is Act.INSIST and wording.lower().startswith("i feel ")


def _typed(persona: Persona, text: str) -> str:
    """`text` as this customer would say it: somebody who begins without capitals goes on so, and the icy raise no voice."""
    if _soft_spoken(persona):
        text = re.sub(r"!+", ".", text.replace("?!", "?"))
    small = persona.opening.lstrip()[:1].islower() and not _CAPITALS.search(persona.opening)
    return text.lower() if small else text


def _soft_spoken(persona: Persona) -> bool:
    """Whether this customer is furious without an exclamation mark, by the author's note on the voice and own example."""
    own = (persona.opening, *persona.voice.samples, *(line for point in persona.story for line in point.says))
    style = persona.voice.style
    return bool(_QUIET.search(style)) and not _LOUD.search(style) and not any("!" in line for line in own)


def stream(text: str) -> Iterator[str]:
    """The line as it grows, word by word, for a page that shows it being said."""
    for end in re.finditer(r"\S+\s*", text):
        yield text[: end.end()]
