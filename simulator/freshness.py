"""Which of the author's wordings are still fresh, and so what the customer can come back to.

A wording that was said, or that the trainee has just given back in other words, would be an echo.
"""

import re
from collections.abc import Sequence

from simulator import reactions
from simulator.anger import Outcome, Reaction, State
from simulator.checks import coverage, words
from simulator.directive import INVITED, Act, Directive, next_directive
from simulator.persona import Persona
from simulator.promised import fixed
from simulator.transcript import Role

ECHO = 0.6  # share of a wording's content words from which it has been said already
ECHO_REASON = 0.5  # share of the reason that is given with a feeling
ECHO_WHOLE = 0.9  # and share of a sentence's
NEAR = 0.4  # share of a fact's content words from which it is being talked about
PLAIN = 0.75  # of the fact that a wording can say, the share that is enough to stand alone

_THE = re.compile(r"\b(?:the|this|these|those) ([a-z]+)")
_NO_NAME = r"(?!(?:It|That|This|What|Here|There|Let|Nobody|Somebody|He|She|Who)\b)"
_NAME = re.compile(rf"(?<=[a-z,] )[A-Z][a-z]+|\b{_NO_NAME}[A-Z][a-z]+(?='s )")
_WHOSE = re.compile(rf"\b{_NO_NAME}[A-Z][a-z]+'s ([a-z]+)")
_PRAISES = re.compile(
    r"\bI(?:'ll| will| shall)\b[^.]{0,20}\b(?:tell [^.]* (?:who|that|where|to)\b|recommend|send [^.]* to (?:you|the same))",
    re.IGNORECASE,
)
_BARE = re.compile(r"(?:and |so |then )?(?:she|he|they|her|him|them)\b", re.IGNORECASE)
_SOMEBODY = re.compile(r"\b(she|he|they|her|him|them|each one)\b|^(?:one|that) (?:is|was|of)\b", re.IGNORECASE)


def directed(persona: Persona, state: State, reaction: Reaction, lines: Sequence[tuple[Role, str]]) -> Directive:
    """The next directive in the light of what was said; `lines` is the call so far.

    Asked on, it does not come back to a point with a "she" out of the blue, nor ever to one of which nothing is left to say;
    and a customer who kept the rest back, or asked for a plan, does not hold that against the trainee.
    """
    said = [text for role, text in lines if role == "customer"]
    near = [point.id for point in persona.story if coverage(lines[-1][1], point.fact) >= NEAR]
    spent: list[str] = []
    while True:
        directive = next_directive(persona, state, reaction, spent, near)
        wording = fresh_wording(directive, lines, 0)
        unclear = directive.landing in INVITED and _BARE.match(wording)
        if directive.act is not Act.INSIST or directive.point is None or (wording and not unclear):
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
        own = told or [one for one in alone if coverage(heard, one.partition(". ")[2]) < ECHO_REASON]
        own = [wording for wording in own if not _SOMEBODY.search(wording)] or own
        if directive.landing not in INVITED:  # coming back to it unasked means saying it, if need be nearly as before
            own = own or fresh
        elif own and fact:  # who was asked is not cryptic
            own = _plainest(own, fact)
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
    and from the glad no "the letter" either; nor do they sing praises for what is only promised."""
    if not directive.last:
        return True
    if wording.endswith("?") or (directive.outcome is Outcome.WON_OVER and _PRAISES.search(wording)):
        return False
    if directive.act is Act.CLOSE and not fixed(wording) <= {time for _, text in lines for time in fixed(text)}:
        return False
    spoken_of = {word.rstrip("s'") for _, text in lines for word in words(text)}
    glad = directive.outcome in (Outcome.RETAINED, Outcome.WON_OVER)
    new = _NAME.findall(wording) + _WHOSE.findall(wording) + (_THE.findall(wording.lower()) if glad else [])
    return not wording.startswith(("He ", "She ")) and all(named.lower().rstrip("s") in spoken_of for named in new)
