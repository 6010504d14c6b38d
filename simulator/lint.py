"""What makes a valid persona weak, and what to do about each.

A check here is a matter of craft, not of the format: nothing it finds keeps a persona from being played.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from simulator.anger import Outcome, State, heard_share, opening_state, outcome_of, react
from simulator.checks import coverage, words
from simulator.faults import Path
from simulator.moves import Judgement, Move
from simulator.persona import Layer, Persona, StoryPoint, Told
from simulator.wording import pronoun

LONGEST = 32  # words of a wording that a person says in one breath
GIVEN_AWAY = 0.7  # share of a point's words from which on a text has told it
ALIKE = 0.6  # share of common words from which on two lines are one
MOST_REPLIES = 40  # of the best possible call

_WRITTEN = re.compile(
    r";|\b(therefore|furthermore|moreover|hereby|herewith|aforementioned|in order to|with regard to|regarding|"
    r"pursuant|respectively|i\.e\.|e\.g\.|and/or|the undersigned)\b|\(",
    re.IGNORECASE,
)
_FIRST = re.compile(r"\b(i|i'm|i've|i'd|i'll|me|my|mine|we|we're|we've|our|us|you|your|you're|you've)\b", re.IGNORECASE)
_IMPOSSIBLE = re.compile(
    r"never (again|happens?)|\b(undo|go(es)? back in time|turn back)\b|\b(is|are|be|been|gets?) (fired|sacked|dismissed)\b|"
    r"\b(fire|sack) (him|her|them|the (man|woman|fitter|driver|engineer|manager|adviser))\b|"
    r"(?<!not )\bforever\b|\bfor life\b(?! \w)|100 ?%|at once and for all",
    re.IGNORECASE,
)
_NO_REASON = re.compile(
    r"^(because|n/?a|none|unknown|todo|tbd|it (is|was) (bad|annoying|wrong|so))?\W*$", re.IGNORECASE
)


class Advice(NamedTuple):
    """One weakness: the field (as in a Fault), what is weak there, and what to do."""

    at: Path
    weak: str
    do: str


def lint(persona: Persona) -> list[Advice]:
    """Every weakness found, in the order of the file."""
    return [
        *_language(persona),
        *_briefing(persona),
        *_samples(persona),
        *_opening(persona),
        *_shape(persona),
        *(
            advice
            for index, point in enumerate(persona.story)
            for advice in _point(index, point, persona.channel == "phone", pronoun(persona))
        ),
        *_resolution(persona),
        *_course(persona),
    ]


def _language(persona: Persona) -> Iterator[Advice]:
    if not persona.language.startswith("en"):
        yield Advice(
            ("language",),
            "is not English, and the bundled customer, the evaluator and the coach know English only",
            "write the persona in English, or play it with a larger model and grade it yourself",
        )


def _briefing(persona: Persona) -> Iterator[Advice]:
    for point in persona.story:
        if point.told is not Told.OPENING and _tells(persona.briefing, point):
            yield Advice(
                ("briefing",),
                f"gives the story away: it already tells “{point.fact}”",
                "keep to what the system shows before the call, and leave the rest to be asked for",
            )


def _samples(persona: Persona) -> Iterator[Advice]:
    samples = persona.voice.samples
    where = ("voice", "samples")
    pairs = [(a, b) for i, a in enumerate(samples) for b in samples[i + 1 :]]
    same = next((pair for pair in pairs if _alike(*pair)), None)
    if same:
        yield Advice(where, f"two say the same: “{same[0]}” and “{same[1]}”", "replace one by a line of another mood")
    starts = {tuple(words(line)[:1]) for line in samples}
    if len(samples) > 2 and len(starts) == 1:
        yield Advice(
            where, "all begin with the same word", "vary them: one curt, one long, one that asks, one that stings"
        )
    elif len(samples) > 2 and len({line[-1] for line in samples}) == 1 and _spread([*samples]) <= 1:
        yield Advice(where, "all have the same length and end", "vary them: one curt, one long, one that asks")


def _opening(persona: Persona) -> Iterator[Advice]:
    for point in persona.story:
        if point.told is not Told.OPENING and _tells(persona.opening, point):
            yield Advice(
                ("opening",),
                f"already tells “{point.fact}”, which is not to come out yet",
                "take it out of the opening, or mark that part as told in the opening",
            )


def _shape(persona: Persona) -> Iterator[Advice]:
    where, told = ("story",), {point.told for point in persona.story}
    if told == {Told.OPENING}:
        yield Advice(
            where,
            "is told whole in the opening, so there is nothing to listen for",
            "let most parts wait to be asked for",
        )
        return
    if not any(point.layer is Layer.UNSAID for point in persona.story):
        yield Advice(
            where,
            "has no unsaid part: nothing lies behind the complaint",
            "add what this person would not say to a stranger, told when probed",
        )
    if Told.ASKED not in told:
        yield Advice(
            where,
            "has no part that an open question brings out",
            "let at least one part come out when asked",
        )
    for index, point in enumerate(persona.story):
        if (point.layer is Layer.UNSAID) != (point.told is Told.PROBED):
            yield Advice(
                ("story", index, "told"),
                "does not fit its layer: the unsaid, and only that, comes out when probed",
                "change one of the two",
            )


def _point(index: int, point: StoryPoint, spoken: bool, own: str) -> Iterator[Advice]:
    if _NO_REASON.match(point.because):
        yield Advice(
            ("story", index, "because"),
            "gives no reason",
            "say why this hurts this person: what it cost, whom it let down, what it touched",
        )
    elif coverage(point.because, point.fact) >= ALIKE and coverage(point.fact, point.because) >= ALIKE:
        yield Advice(
            ("story", index, "because"),
            "only repeats the fact",
            "say why it hurts: what it cost, whom it let down, what it touched",
        )
    where = ("story", index, "says")
    for line in point.says:
        if len(words(line)) > LONGEST:
            yield Advice(
                where, f"has a line of {len(words(line))} words: “{_short(line)}”", f"say it in {LONGEST} or fewer"
            )
        if spoken and (written := _WRITTEN.search(line)):
            yield Advice(
                where, f"reads as written (“{written.group()}”): “{_short(line)}”", "write it as it is said aloud"
            )
    about = re.compile(rf"^({own}|the customer|the caller)\b", re.IGNORECASE)
    if all(about.search(line) and not _FIRST.search(line) for line in point.says):
        yield Advice(
            where, f"speaks about the customer: “{_short(point.says[0])}”", "let the customer say it: I, me, my"
        )


def _resolution(persona: Persona) -> Iterator[Advice]:
    wants = [(("resolution", "needs"), need) for need in persona.resolution.needs]
    for where, text in [*wants, (("resolution", "won_over_by"), persona.resolution.won_over_by)]:
        if found := _IMPOSSIBLE.search(text):
            yield Advice(
                where,
                f"asks for what nobody on the line can give (“{found.group()}”): “{_short(text)}”",
                "ask for a step that the trainee's role can offer, with a time or a name",
            )


def _course(persona: Persona) -> Iterator[Advice]:
    """Whether the numbers let anyone win: the rule of anger, played with a reply that is right every time."""
    temper, unsaid = persona.temperament, [point for point in persona.story if point.told is Told.PROBED]
    rest = tuple(point.id for point in persona.story if point.told is not Told.PROBED)
    lowest = temper.opening_anger * (1 - heard_share(persona, rest))
    if unsaid and lowest > temper.hears_advice_at:
        index = persona.story.index(unsaid[0])
        yield Advice(
            ("story", index, "weight"),
            f"keeps the anger at {lowest:.1f} or more until the unsaid is out, and advice is heard at "
            f"{temper.hears_advice_at:g} or less",
            "lower this weight, or raise the level at which advice is heard",
        )
    elif best(persona) is not Outcome.WON_OVER:
        yield Advice(
            ("temperament",),
            "leaves no way to win: even the best call does not come to a good end",
            "raise forgiveness or the level at which advice is heard, and see that every part can come out",
        )


def best(persona: Persona) -> Outcome:
    """The outcome of a call in which every reply is the right one, by the rule of anger alone."""
    state = opening_state(persona)
    for _ in range(MOST_REPLIES):
        if state.ending is not None:
            break
        state = react(persona, state, _right(persona, state)).state
    return outcome_of(persona, state)


def _right(persona: Persona, state: State) -> Judgement:
    waiting = [point for point in state.told if point not in state.heard]
    if waiting:
        return Judgement(present=(Move.SPECIFIC_EMPATHY, Move.RESTATEMENT), acknowledged=(waiting[0],))
    untold = len(state.told) < len(persona.story)
    if untold and (state.replies % 2 or not state.heard):
        return Judgement(present=(Move.OPEN_QUESTION, Move.PROBE_UNSAID))
    if untold or state.anger > persona.temperament.hears_advice_at:  # also brings down who is too angry to say more
        again = min(state.heard, key=lambda point: state.met.get(point, 0))
        return Judgement(present=(Move.SPECIFIC_EMPATHY,), acknowledged=(again,))
    return Judgement(present=(Move.OWNERSHIP, Move.SOLUTION, Move.SET_EXPECTATIONS))


def _tells(text: str, point: StoryPoint) -> bool:
    return any(coverage(text, said) >= GIVEN_AWAY for said in (point.fact, *point.says) if len(words(said)) > 3)


def _alike(a: str, b: str) -> bool:
    one, other = set(words(a)), set(words(b))
    return len(one & other) / max(1, len(one | other)) >= ALIKE


def _spread(lines: list[str]) -> int:
    lengths = [len(words(line)) for line in lines]
    return max(lengths) - min(lengths)


def _short(text: str) -> str:
    return text if len(text) <= 90 else text[:89].rsplit(" ", 1)[0] + "…"
