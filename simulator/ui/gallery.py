"""Choosing a customer: the cards, their filter, and the briefing that precedes a call."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from simulator.persona import Persona
from simulator.storage import Summary
from simulator.ui.words import CHANNEL, DIFFICULTY, article, cap, dots, esc, first_name, level, plural, sentence, trade

GOALS = (
    "Hear the whole story.",
    "Say what they think or feel, and why.",
    "Then, when they can hear it, offer a way forward they can rely on.",
)
_INTRO = """<section class="intro" aria-label="How it works"><p>A customer is on the line, angry for a reason, and you
answer by typing. Anger falls only when you show that you know why it hurts; scripts, excuses and fixes that come too early
raise it. Afterwards you see which of your words did what.</p></section>"""


class Choice(NamedTuple):
    """What the gallery shows: one difficulty (0 for all) and one trade (empty for all)."""

    difficulty: int = 0
    trade: str = ""


class Record(NamedTuple):
    """How often this trainee met one customer, and the best score, 0 to 100, of the calls that were graded."""

    attempts: int = 0
    best: float | None = None


def records(calls: Iterable[Summary]) -> dict[str, Record]:
    """Attempts and best score by persona. A call taken again from the middle is no new attempt."""
    found: dict[str, Record] = {}
    for call in calls:
        if call.branched_from is not None:
            continue
        attempts, best = found.get(call.persona, Record())
        scores = [score for score in (best, call.overall) if score is not None]
        found[call.persona] = Record(attempts + 1, max(scores, default=None))
    return found


def chosen(personas: Mapping[str, Persona], choice: Choice) -> list[Persona]:
    """The personas that the filter lets through, gentlest first."""
    fits = [
        persona
        for persona in personas.values()
        if choice.difficulty in (0, persona.difficulty) and choice.trade in ("", trade(persona))
    ]
    return sorted(fits, key=lambda persona: (persona.difficulty, persona.name))


def filters(personas: Mapping[str, Persona]) -> str:
    """Two native lists and "Surprise me"."""
    levels = sorted({persona.difficulty for persona in personas.values()})
    trades = sorted({trade(persona) for persona in personas.values()})
    difficulty = "".join(f'<option value="{n}">{cap(DIFFICULTY[n - 1])} ({n} of 5)</option>' for n in levels)
    kinds = "".join(f'<option value="{esc(name)}">{esc(name)}</option>' for name in trades)
    return (
        '<div class="filters">'
        f'<label>Difficulty <select data-filter="difficulty"><option value="0">All</option>{difficulty}</select></label>'
        f'<label>Trade <select data-filter="trade"><option value="">All</option>{kinds}</select></label>'
        '<button type="button" class="plain" data-surprise>Surprise me</button></div>'
    )


def welcome(personas: Mapping[str, Persona], calls: Sequence[Summary]) -> str:
    """The head of the gallery: how it works on a first visit, later the call that was left open."""
    head = '<h1 tabindex="-1">Who is on the line?</h1>'
    if not calls:
        return head + _INTRO
    left = next((call for call in calls if call.outcome is None and (call.customer or call.persona in personas)), None)
    if left is None:
        return head
    name = left.customer or personas[left.persona].name
    return (
        f'{head}<section class="resume" aria-label="Unfinished call"><p>Your call with '
        f"<strong>{esc(name)}</strong> is still open. Anger: {level(left.anger[-1])}.</p>"
        f'<a class="button" href="#/call/{esc(left.id)}">Go back to the call</a></section>'
    )


def cards(personas: Mapping[str, Persona], calls: Iterable[Summary], choice: Choice, own: Collection[str] = ()) -> str:
    """The customers to choose from. `own` are the ids of those that a trainer here wrote."""
    shown = chosen(personas, choice)
    if not shown:
        return '<p class="empty">No customer fits both filters. Set one of them to “All”.</p>'
    known = records(calls)
    items = "".join(_card(persona, known.get(persona.id, Record()), persona.id in own) for persona in shown)
    return f'<p class="count" role="status">{plural(len(shown), "customer")}</p><ul class="cards">{items}</ul>'


def _card(persona: Persona, record: Record, own_work: bool) -> str:
    if record.best is not None:
        own = f"Best score {record.best:.0f} of 100 · {plural(record.attempts, 'call')}"
    else:
        own = f"{cap(plural(record.attempts, 'call'))}, no score yet" if record.attempts else "Not met yet"
    mark = ' <span class="own-mark">own</span>' if own_work else ""
    return (
        f'<li class="card"><p class="kind">{esc(trade(persona))} · {CHANNEL[persona.channel]}{mark}</p>'
        f'<h2><a href="#/briefing/{esc(persona.id)}">{esc(persona.name)}</a></h2>'
        f'<p class="headline">{esc(persona.headline)}</p>'
        f'<p class="difficulty">{dots(persona.difficulty, 5)} {cap(DIFFICULTY[persona.difficulty - 1])}</p>'
        f'<p class="own">{esc(own)}</p></li>'
    )


def briefing(persona: Persona) -> str:
    """What the trainee knows before the call, as a page."""
    return (
        f'<nav aria-label="Back"><a href="#/">All customers</a></nav>'
        f'<p class="kind">{esc(trade(persona))} · {CHANNEL[persona.channel]} · '
        f"{cap(DIFFICULTY[persona.difficulty - 1])} {dots(persona.difficulty, 5)}</p>"
        f'<h1 tabindex="-1">{esc(persona.name)}</h1><p class="headline">{esc(persona.headline)}</p>{facts(persona)}'
    )


def facts(persona: Persona) -> str:
    """The briefing's three parts; the call shows them again when asked."""
    goals = "".join(f"<li>{goal}</li>" for goal in GOALS)
    return (
        f"<section><h2>Who you are</h2><p>You are {esc(article(persona.trainee_role))} at "
        f"<strong>{esc(persona.company)}</strong>. {esc(first_name(persona))} reaches you "
        f"{CHANNEL[persona.channel]} and speaks first.</p></section>"
        f"<section><h2>What the system shows</h2><p>{esc(sentence(persona.briefing))}</p></section>"
        f'<section><h2>What to aim for</h2><ol class="aims">{goals}</ol></section>'
    )
