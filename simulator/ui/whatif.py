"""What if: a call and the same call taken again from one of its replies, side by side."""

from collections.abc import Sequence
from typing import NamedTuple

from simulator.coach import note
from simulator.grade import PASS_MARK, Scorecard
from simulator.persona import Persona
from simulator.review import OVERALL, Override
from simulator.storage import Summary
from simulator.transcript import Transcript, Turn
from simulator.ui import second
from simulator.ui.curve import courses, stops
from simulator.ui.screen import Places
from simulator.ui.words import OUTCOME, cap, change_mark, changed, esc, first_name, level, local_time, plural

_AGAIN = "Take it again from here"


class Course(NamedTuple):
    """One course of a call, what it scored, and what trainers said otherwise."""

    transcript: Transcript
    card: Scorecard
    overrides: tuple[Override, ...] = ()


def button(turn: int, words: str = _AGAIN) -> str:
    """The button that takes a finished call again from the reply at `turn`; pages.py hears it."""
    which = f'<span class="hidden"> (reply {number(turn)})</span>' if words == _AGAIN else ""
    return f'<button type="button" class="plain again" data-again="{turn}">{words}{which}</button>'


def number(turn: int) -> int:
    """The number of the reply at this turn, as the pages count."""
    return (turn + 1) // 2


def compared(transcript: Transcript, places: Places) -> str:
    """Over the scorecard of a branch: the way to the comparison."""
    if transcript.branched_at is None:
        return ""
    where = f'<a href="#/{places.whatif}/{esc(transcript.id)}">Compare with the first course</a>'
    return f" · Again from reply {number(transcript.branched_at)} · {where}"


def taken_again(branches: Sequence[Summary], places: Places) -> str:
    """Under a scorecard: the other courses that this call has taken since."""
    if not branches:
        return ""
    rows = "".join(
        f'<li><a href="#/{_place(branch, places)}">Again from reply {number(branch.branched_at or 1)}</a>'
        f"<span>{_came(branch)} · {local_time(branch.started)}</span></li>"
        for branch in branches
    )
    return f'<section class="retakes"><h2>Taken again</h2><ul>{rows}</ul></section>'


def _place(branch: Summary, places: Places) -> str:
    """Where a branch is shown: the call while it is open, then the comparison."""
    return f"{places.call if branch.outcome is None else places.whatif}/{esc(branch.id)}"


def _came(branch: Summary) -> str:
    if branch.outcome is None:
        return f"Not finished, anger {level(branch.anger[-1])}"
    score = f"{branch.overall:.0f} of 100, " if branch.overall is not None else ""
    return f"{score}{OUTCOME[branch.outcome]}"


def comparison(
    persona: Persona, first: Course, again: Course, places: Places, back: str = "", listed: bool = True
) -> str:
    """The whole page. `again` must be a branch of `first`; `back` is where a test drive came from; `listed` says whether
    the library still has the customer, to be met again."""
    at = again.transcript.branched_at or 1
    name, gained = first_name(persona), round(again.card.overall) - round(first.card.overall)
    told = f"{abs(gained)} points {'more' if gained > 0 else 'less'}" if gained else "the same score"
    said = first.transcript.turns[at - 1]
    points = stops(first.transcript), stops(again.transcript)
    shared = sum(position < at for position, _ in first.transcript.replies)
    way, kind = '<a href="#/calls">My calls</a>', ""
    start = f'<a class="button second" href="#/briefing/{esc(persona.id)}">From the start with {esc(name)}</a>'
    other = start if listed else ""
    if back:  # a test drive is not listed among one's calls and has no briefing
        way, kind = f'<a href="{esc(back)}">Back to the Studio</a>', " · Test drive"
        other = f'<a class="button second" href="{esc(back)}">Back to the Studio</a>'
    return (
        f'<nav aria-label="Back">{way}</nav>'
        f'<p class="kind">{local_time(again.transcript.started)} · {esc(persona.name)}, {esc(persona.company)}{kind}</p>'
        f'<h1 tabindex="-1">Again from reply {number(at)}: {told}</h1>'
        f'<div class="two">{_score("First", first, places)}{_score("Again", again, places)}</div>'
        f'<p class="actions">{button(at, f"Take it again from reply {number(at)}")}'
        f"{other}</p>"
        f"<section><h2>How the anger went</h2>{_legend()}"
        f"{courses(*points, shared, persona.temperament.hears_advice_at)}"
        f'<p class="axis">Anger, 0 to 10, after each reply. The courses part at reply {number(at)}.</p></section>'
        f'<section><h2>From reply {number(at)} on</h2><p class="before">Until then both are the same. {esc(name)} had just '
        f"said:</p><blockquote>“{esc(said.text)}”</blockquote>"
        f'<div class="two">{_talk("First", persona, first.transcript, at)}{_talk("Again", persona, again.transcript, at)}</div>'
        "</section>"
    )


def _score(title: str, course: Course, places: Places) -> str:
    transcript, card, overrides = course
    state = "earned" if card.passed else "short"
    verdict = "at or over" if card.passed else "under"
    return (
        f'<section aria-label="{title}"><h2>{title}</h2><p class="total"><strong>{card.overall:.0f}</strong>'
        f'<span class="of">of 100</span></p><div class="bar {state}" aria-hidden="true">'
        f'<div style="width:{card.overall:.0f}%"></div><i style="left:{PASS_MARK}%"></i></div>'
        f"<p>{cap(verdict)} the pass mark of {PASS_MARK}. Outcome: {OUTCOME[card.outcome]}, "
        f"{plural(len(transcript.replies), 'reply', 'replies')}.</p>{second.score(OVERALL, card, overrides)}"
        f'<p><a href="#/{places.scorecard}/{esc(transcript.id)}">Scorecard<span class="hidden"> of the course “{title}”</span>'
        "</a></p>"
        "</section>"
    )


def _legend() -> str:
    return (
        '<p class="legend" aria-hidden="true"><span><i class="dash"></i>First</span>'
        '<span><i class="solid"></i>Again</span></p>'
    )


def _talk(title: str, persona: Persona, transcript: Transcript, at: int) -> str:
    lines = "".join(_line(persona, at + i, turn) for i, turn in enumerate(transcript.turns[at:]))
    body = (
        f'<ol class="talk record">{lines}</ol>'
        if lines
        else '<p class="none">It ended here, without another reply.</p>'
    )
    return f'<div class="course"><h3>{title}</h3>{body}</div>'


def _line(persona: Persona, position: int, turn: Turn) -> str:
    if turn.role == "customer":
        who, after = esc(first_name(persona)), ""
    else:
        who, after, told = f"You, reply {number(position)}", "", note(turn)
        if told is not None and turn.reaction is not None:
            mark = change_mark(changed(turn.reaction.before, turn.reaction.after))
            after = f'<p class="margin">{mark} · <b>{esc(told.headline)}</b></p>'
    return f'<li class="turn {turn.role}"><p class="who">{who}</p><p class="said">{esc(turn.text)}</p>{after}</li>'
