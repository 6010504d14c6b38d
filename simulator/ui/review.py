"""Review: everyone's calls with their filter, what trainees most often leave unheard, and how far trainers agree."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple
from urllib.parse import parse_qs, urlencode

from simulator.anger import Outcome
from simulator.grade import PASS_MARK
from simulator.persona import Persona
from simulator.review import Missed, ReviewedCall, Week, second_opinion
from simulator.reviews import MOST_OFFSET, Choice, Found
from simulator.ui.agreement import agreement
from simulator.ui.curve import sparkline
from simulator.ui.words import OUTCOME, cap, esc, first_name, local_time, plural, sentence

PAGE = 12  # calls on one page of the list
_MOST_MISSED = 3  # story points shown of each persona
_OPEN = 3  # personas that are open to the eye; the rest unfold
_SCORES = {
    "low": ("Under 40", None, 39.99),
    "middle": (f"40 to {PASS_MARK - 1}", 40.0, PASS_MARK - 0.01),
    "pass": (f"{PASS_MARK} and over", float(PASS_MARK), None),
}


class Wanted(NamedTuple):
    """The filter as the address carries it; empty strings let everything through."""

    trainee: str = ""
    persona: str = ""
    outcome: str = ""
    score: str = ""
    since: str = ""
    until: str = ""
    since_offset: str = ""  # minutes that the reader's clock was ahead of UTC as the day `since` began; page.js adds it
    until_offset: str = ""  # and as the day `until` ended
    page: int = 1

    def place(self, page: int = 1) -> str:
        """The address of this filter."""
        fields = {name: value for name, value in self._replace(page=page)._asdict().items() if value not in ("", 1)}
        return f"review/{urlencode(fields)}" if fields else "review"


def wanted(query: str) -> Wanted:
    """The filter in an address; what is no filter is left out."""
    given = {name: values[0] for name, values in parse_qs(query).items()}
    page = given.pop("page", "1")
    known = {name: value for name, value in given.items() if name in Wanted._fields}
    return Wanted(**known, page=max(1, int(page)) if page.isdecimal() and len(page) < 6 else 1)


def choice(asked: Wanted, names: Mapping[str, str]) -> Choice:
    """The filter as the store takes it. A trainee who is not there has no calls."""
    owners = {name: owner for owner, name in names.items()}
    _, least, most = _SCORES.get(asked.score, ("", None, None))
    return Choice(
        owner=owners.get(asked.trainee, "nobody") if asked.trainee else None,
        persona=asked.persona or None,
        outcome=Outcome(asked.outcome) if asked.outcome in set(Outcome) else None,
        least=least,
        most=most,
        since=_day(asked.since),
        until=_day(asked.until),
        since_offset=_offset(asked.since_offset),
        until_offset=_offset(asked.until_offset),
    )


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if date.min < day < date.max else None  # an offset would lead out of the calendar


def _offset(text: str) -> int:
    try:
        minutes = int(text)
    except ValueError:
        return 0
    return minutes if abs(minutes) <= MOST_OFFSET else 0


def page(
    asked: Wanted,
    found: Found,
    names: Mapping[str, str],
    personas: Mapping[str, Persona],
    missed: Sequence[Missed],
    weeks: Sequence[Week],
) -> str:
    """The whole page."""
    return (
        f'<h1 tabindex="-1">Review</h1>{_filters(asked, names, personas)}{_list(asked, found, names, personas)}'
        f'<div class="summaries">{_missed(missed, personas)}{agreement(weeks)}</div>'
    )


def _filters(asked: Wanted, names: Mapping[str, str], personas: Mapping[str, Persona]) -> str:
    people = {name: name for name in sorted(names.values(), key=str.casefold)}
    customers = {persona.id: persona.name for persona in sorted(personas.values(), key=lambda each: each.name)}
    outcomes = {outcome.value: cap(word) for outcome, word in OUTCOME.items()}
    scores = {key: label for key, (label, _, _) in _SCORES.items()}
    return (
        '<form class="filters" data-place="review" aria-label="Filter">'
        f"{_select('trainee', 'Trainee', people, asked.trainee)}{_select('persona', 'Customer', customers, asked.persona)}"
        f"{_select('outcome', 'Outcome', outcomes, asked.outcome)}{_select('score', 'Score', scores, asked.score)}"
        f'<label>From <input type="date" name="since" value="{esc(asked.since)}"></label>'
        f'<label>To <input type="date" name="until" value="{esc(asked.until)}"></label>'
        '<button class="plain">Show</button></form>'
    )


def _select(name: str, label: str, options: Mapping[str, str], chosen: str) -> str:
    items = "".join(
        f'<option value="{esc(value)}"{" selected" if value == chosen else ""}>{esc(shown)}</option>'
        for value, shown in options.items()
    )
    return f'<label>{label} <select name="{name}"><option value="">All</option>{items}</select></label>'


def _list(asked: Wanted, found: Found, names: Mapping[str, str], personas: Mapping[str, Persona]) -> str:
    if not found.total:
        if asked == Wanted():
            return '<p class="empty">Nobody has taken a call yet. Every call that is taken can be reviewed here.</p>'
        return '<p class="empty">No call fits these filters. <a href="#/review">Show all calls</a></p>'
    rows = "".join(
        _row(call, names[call.owner], call.persona or personas.get(call.transcript.persona)) for call in found.calls
    )
    pages = -(-found.total // PAGE)
    here = f"{plural(found.total, 'call')}" + (f", page {asked.page} of {pages}" if pages > 1 else "")
    turn = []
    if asked.page > 1:
        turn.append(f'<a href="#/{esc(asked.place(asked.page - 1))}">Newer calls</a>')
    if asked.page < pages:
        turn.append(f'<a href="#/{esc(asked.place(asked.page + 1))}">Older calls</a>')
    more = f'<nav class="actions" aria-label="More calls">{"".join(turn)}</nav>' if turn else ""
    return f'<p class="count" role="status">{here}</p><ul class="calls">{rows}</ul>{more}'


def _row(call: ReviewedCall, trainee: str, persona: Persona | None) -> str:
    transcript, card = call.transcript, call.scorecard
    customer = persona.name if persona else transcript.persona
    outcome = cap(OUTCOME[transcript.outcome]) if transcript.outcome else "Not finished"
    exam = " · Exam" if transcript.exam else ""
    score = f"<strong>{card.overall:.0f}</strong> of 100" if card else "No score yet"
    overall = second_opinion(card, call.overrides).overall if card else None
    if overall is not None:
        score += f'<span class="opinion">Trainer: <b>{overall:.0f}</b></span>'
    read = f"Read by {call.readings[-1].by}" if call.readings else "Not read yet"
    return (
        f'<li><div class="who"><b>{esc(trainee)}</b><span>{local_time(transcript.started)}{exam}</span></div>'
        f'<div class="came"><b>{esc(customer)}</b><span>{outcome}</span></div>'
        f"{sparkline(transcript.anger, f'heat-{transcript.id}')}<p class='score'>{score}</p>"
        f'<p class="go"><a href="#/session/{esc(transcript.id)}">Open<span class="hidden">: {esc(trainee)} with '
        f"{esc(customer)}</span></a><span>{esc(read)}</span></p></li>"
    )


def _missed(missed: Sequence[Missed], personas: Mapping[str, Persona]) -> str:
    """By persona, for what is missed again and again belongs to those upstream who could prevent it."""
    groups: dict[str, list[Missed]] = {}
    for each in missed:
        if each.missed and len(groups.setdefault(each.persona, [])) < _MOST_MISSED:
            groups[each.persona].append(each)
    shown = [_group(personas[persona], points) for persona, points in groups.items()]
    body = "".join(shown[:_OPEN]) or '<p class="none">No graded call here has left a part of a story unheard.</p>'
    rest = shown[_OPEN:]
    if rest:
        body += f"<details><summary>{cap(plural(len(rest), 'more customer'))}</summary>{''.join(rest)}</details>"
    return (
        '<section><h2>Most often left unheard</h2><p class="kind">Of the graded calls shown, by customer. What comes up '
        f"again and again is worth telling the teams upstream.</p>{body}</section>"
    )


def _group(persona: Persona, points: Sequence[Missed]) -> str:
    items = "".join(
        f"<li><p>{esc(sentence(persona.point(each.point).fact))}</p>"
        f'<div class="bar"><div style="width:{100 * each.missed / each.calls:.0f}%"></div></div>'
        f"<small>unheard in {each.missed} of {plural(each.calls, 'call')}</small></li>"
        for each in points
    )
    return (
        f'<h3>{esc(persona.name)}</h3><ol class="missed" aria-label="{esc(first_name(persona))}\'s story">{items}</ol>'
    )
