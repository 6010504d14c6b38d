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
from simulator.anger import Landing, Outcome, Reaction, State
from simulator.checks import NOT_A_CUSTOMER, Check, coverage, tidied, words
from simulator.directive import HOT, INVITED, Act, Directive, next_directive
from simulator.models.base import LanguageModel, Prompt, Sampling
from simulator.moves import Frozen
from simulator.persona import Persona
from simulator.promised import Promise, fixed, promised
from simulator.prompts import prompt
from simulator.transcript import Role

CANDIDATES = 4  # that a model writes
OPTIONS = 9  # that a model chooses from
EVENNESS = 1.0  # temperature of that choice, in nats a token: 0 would always say the likeliest
BARE = 0.4  # how often the customer's own words need no lead, where it was invited to speak and is not furious
ECHO = 0.6  # share of a wording's content words from which it has been said already
ECHO_WHOLE = 0.9  # and share of a sentence's
PLAIN = 0.75  # of the fact that a wording can say, the share that is enough to stand alone
THROWN, THROWN_AGAIN = 0.5, 0.2  # how often the trainee's words are thrown back; and when the last line did so as well

_THE = re.compile(r"\b(?:the|this|these|those) ([a-z]+)")
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]+|[A-Z][a-z]+(?='s )")
_WHOSE = re.compile(r"[A-Z][a-z]+'s ([a-z]+)")
_SAYS_YES_OR_NO = re.compile(r"(?:yes|no)\b", re.IGNORECASE)
_THANKS = re.compile(r"\bthank", re.IGNORECASE)
_NEVER_ASKED = re.compile(r"\b(?:never|not|didn't|haven't) (?:once )?asked?\b", re.IGNORECASE)
_SOMEBODY = re.compile(r"\b(she|he|they|her|him|them|each one)\b|^(?:one|that) (?:is|was|of)\b", re.IGNORECASE)


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
        if self._writes:
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


def directed(persona: Persona, state: State, reaction: Reaction, lines: Sequence[tuple[Role, str]]) -> Directive:
    """The next directive in the light of what was said; `lines` is the call so far.

    It names no point to come back to of which nothing is left to say, and a customer who kept the rest back, or asked for a
    plan, does not hold that against the trainee.
    """
    said = [text for role, text in lines if role == "customer"]
    spent: list[str] = []
    while True:
        directive = next_directive(persona, state, reaction, spent)
        if directive.act is not Act.INSIST or directive.point is None or fresh_wording(directive, lines, 0):
            break
        spent.append(directive.point)
    known = directive.story_out or any(map(reactions.keeps_back, said))
    return directive.model_copy(update={"story_out": known, "demanded": reactions.demands(said[-1])})


def fresh_wording(directive: Directive, lines: Sequence[tuple[Role, str]], seed: int, fact: str = "") -> str:
    """A wording of what the directive brings out that was not said yet, or "" when there is none or all were said.

    One that both have nearly said in other words would sound like an echo; another is taken where there is one. What is
    new to the trainee is told first in a wording that stands alone: one that says what happened, `fact`.
    """
    said = " ".join(text for role, text in lines if role == "customer")
    fresh = [wording for wording in directive.says if not _repeats(wording, said)]
    heard = f"{said} {lines[-1][1]}"
    own = [wording for wording in fresh if coverage(heard, wording) < ECHO]
    alone = [wording for wording in own if all(coverage(heard, one) < ECHO_WHOLE for one in _sentences(wording, 6))]
    if directive.act is Act.TELL:
        own = _plainest(own or fresh or directive.says, fact)
    elif directive.act is Act.INSIST:
        # A feeling is owned to for a reason that nobody has given yet.
        told = [wording for wording in alone if not wording.startswith("I feel ")]
        own = told or [one for one in alone if coverage(heard, one.partition(". ")[2]) < ECHO]
        own = [wording for wording in own if not _SOMEBODY.search(wording)] or own
        if directive.landing not in INVITED:  # coming back to it unasked means saying it, if need be nearly as before
            own = own or fresh
        elif fact:  # who was asked is not cryptic
            own = _plainest(own, fact) if own else own
    elif directive.act is Act.CONFIRM:
        own = alone[:1] if directive.asked else alone
    else:  # only a yes, or coming back to something, can do with a short line instead of an echo
        own = own or fresh
    own = [wording for wording in own if _fits_the_end(directive, wording, lines)]
    return own[seed % len(own)] if own else ""


def _plainest(wordings: Sequence[str], fact: str) -> list[str]:
    """Those that say the most of the fact, without a "she" whom nobody knows yet; a comment on it would not be understood."""
    known = {wording: coverage(wording, fact) if fact else 0.0 for wording in wordings}
    plain = [wording for wording in known if known[wording] >= max(known.values()) * PLAIN]
    fair = [wording for wording in known if known[wording] >= max(known.values()) * PLAIN / 2]
    for some in (plain, fair):
        if named := [wording for wording in some if not _SOMEBODY.search(wording)]:
            return named
    return plain


def _repeats(wording: str, said: str) -> bool:
    """Whether the wording or a whole sentence of it was said before."""
    return any(one.lower() in said.lower() for one in (wording, *_sentences(wording, 3)))


def _sentences(wording: str, least: int) -> list[str]:
    """Those of at least so many words; in shorter ones the same words may say something else."""
    return [one for one in re.split(r"(?<=[.!?]) ", wording) if len(one.split()) >= least]


def _fits_the_end(directive: Directive, wording: str, lines: Sequence[tuple[Role, str]]) -> bool:
    """Whether the last words ask nothing, and bring up nobody and nothing new: no name, no "he", no hour that nobody named,
    and from the glad no "the letter" either."""
    if not directive.last:
        return True
    if wording.endswith("?"):
        return False
    if directive.act is Act.CLOSE and not fixed(wording) <= {time for _, text in lines for time in fixed(text)}:
        return False
    spoken_of = {word.rstrip("s'") for _, text in lines for word in words(text)}
    glad = directive.outcome in (Outcome.RETAINED, Outcome.WON_OVER)
    new = _NAME.findall(wording) + _WHOSE.findall(wording) + (_THE.findall(wording.lower()) if glad else [])
    return not wording.startswith(("He ", "She ")) and all(named.lower().rstrip("s") in spoken_of for named in new)


def written(
    directive: Directive, wording: str, lines: Sequence[tuple[Role, str]], draw: random.Random
) -> tuple[str, ...]:
    """Written reactions that carry out the directive, whole, or to stand before `wording`; none that begins as an earlier line.

    At least one, which is "" where `wording` shall stand alone. When all were used before, all may be used again.
    """
    said = [text for role, text in lines if role == "customer"]
    thrown = reactions.thrown_back(directive, leading=bool(wording))
    invited = directive.landing in INVITED and not directive.last and directive.mood not in HOT
    if NOT_A_CUSTOMER.search(directive.quote):  # even as a quotation it would sound like the agent
        thrown = ()
    answers = reactions.answers(directive, lines[-1][1], leading=bool(wording))
    held = reactions.held(directive, _plan(directive, lines), leading=bool(wording))
    if thrown and not answers and draw.random() < (THROWN_AGAIN if "“" in said[-1] else THROWN):
        options = thrown
    elif held:
        options = held
    elif answers:
        options = answers
    elif _stands_alone(directive, wording) or (
        wording and invited and directive.act is Act.TELL and draw.random() < BARE
    ):
        return ("",)
    else:
        options = reactions.leads(directive) if wording else reactions.lines(directive)
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
    """`text` as this customer would type it: somebody who begins without capitals goes on so."""
    return text.lower() if persona.opening.lstrip()[:1].islower() else text


def stream(text: str) -> Iterator[str]:
    """The line as it grows, word by word, for a page that shows it being said."""
    for end in re.finditer(r"\S+\s*", text):
        yield text[: end.end()]
