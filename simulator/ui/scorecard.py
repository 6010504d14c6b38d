"""The scorecard: what came of the call, which words earned or cost what, and what was never heard."""

import re
from collections.abc import Sequence

from simulator.anger import Ending, Outcome
from simulator.coach import note
from simulator.competencies import TITLES, WEIGHTS, Mark
from simulator.grade import PASS_MARK, Moment, Scorecard
from simulator.persona import Layer, Persona, StoryPoint
from simulator.review import OVERALL, Override, ReviewedCall
from simulator.storage import Summary
from simulator.transcript import Transcript, Turn
from simulator.ui import second, whatif
from simulator.ui.curve import curve, stops
from simulator.ui.screen import COUNTED, Places
from simulator.ui.words import (
    OUTCOME,
    cap,
    change_mark,
    changed,
    esc,
    first_name,
    level,
    local_time,
    plural,
    sentence,
)
from simulator.wording import bare_clause, bare_feeling

LAYER = {
    Layer.INCIDENT: "What happened",
    Layer.IMPACT: "What it did to {name}",
    Layer.ROOT: "What lies under it",
    Layer.UNSAID: "What {name} did not say",
}
_SHOWN = 2  # marks of a competency that are open to the eye; the rest unfold


def outcome_sentence(persona: Persona, transcript: Transcript, card: Scorecard) -> str:
    """What came of the call, in one sentence."""
    name, total = first_name(persona), len(persona.story)
    heard = f"with {len(card.heard)} of {plural(total, 'part')} of the story heard"
    if transcript.ending is Ending.HUNG_UP:
        return f"{name} hung up, {heard}."
    if transcript.ending is Ending.MANAGER:
        return f"{name} asked for your manager, {heard}."
    who = "" if transcript.ending is Ending.CLOSED else "You ended the call; "
    return (
        who
        + {
            Outcome.LOST: f"{name} left too angry to hear a way forward, {heard}.",
            Outcome.PLACATED: f"{name} is calmer but not convinced, {heard}, and may leave without another word.",
            Outcome.RETAINED: f"{name} stays, with a step to rely on, {heard}.",
            Outcome.WON_OVER: f"{name} is won over: the whole story heard, and a step to rely on.",
        }[card.outcome]
    )


def scorecard(
    persona: Persona,
    call: ReviewedCall,
    trainee: str,
    branches: Sequence[Summary] = (),
    places: Places = COUNTED,
    back: str = "",
    listed: bool = True,
) -> str:
    """The whole page of a graded call, with what trainers said otherwise. Raises ValueError when it was not graded.

    `branches` are the calls that took this one again, at `places`; `back` is where a test drive came from; `listed`
    says whether the library still has the customer, to be met again.
    """
    transcript, card = call.transcript, call.scorecard
    if card is None:
        raise ValueError(f"call {transcript.id} has no scorecard")
    way = f'<a href="{esc(back)}">Back to the Studio</a>' if back else '<a href="#/calls">My calls</a>'
    return (
        f'<nav aria-label="Back">{way}</nav>'
        f'<p class="kind">{local_time(transcript.started)} · {esc(persona.name)}, {esc(persona.company)}'
        f"{' · Exam' if transcript.exam else ''}{' · Test drive' if back else ''}{whatif.compared(transcript, places)}</p>"
        f'<h1 tabindex="-1">{esc(outcome_sentence(persona, transcript, card))}</h1>{_farewell(persona, transcript)}'
        f"{_overall(persona, call, card)}{_actions(persona, back, listed)}{second.downloads(call, persona, trainee)}"
        f"{whatif.taken_again(branches, places)}"
        f"{_moment(persona, transcript, card.moment) if card.moment else ''}"
        f"{_competencies(card, call.overrides)}{_curve(persona, transcript)}{_story(persona, card)}{_transcript(persona, call)}"
    )


def _farewell(persona: Persona, transcript: Transcript) -> str:
    """How the customer left, as the persona's author has it; nothing when it was the trainee who ended the call."""
    if transcript.ending is None or transcript.outcome is None:
        return ""
    note = bare_clause(getattr(persona.endings, transcript.outcome.value))
    did = re.sub(rf"^(?:he|she|they|{re.escape(first_name(persona))}) ", "", note)
    return f'<p class="farewell">{esc(sentence(f"{first_name(persona)} {did}"))}</p>'


def _overall(persona: Persona, call: ReviewedCall, card: Scorecard) -> str:
    transcript = call.transcript
    verdict = "at or over the pass mark" if card.passed else "under the pass mark"
    hints = f" · {plural(transcript.hints, 'hint')} used" if transcript.hints else ""
    return (
        f'<section class="overall {"passed" if card.passed else "short"}" aria-label="Overall score">'
        f'<p class="total"><strong>{card.overall:.0f}</strong><span class="of">of 100</span></p>'
        f'<div class="beside"><p><b>{cap(verdict)}</b> of {PASS_MARK}</p>{_bar(card.overall)}'
        f"<p>Outcome: {OUTCOME[card.outcome]} · {plural(len(transcript.replies), 'reply', 'replies')}{hints}</p>"
        f"{second.score(OVERALL, card, call.overrides)}{second.from_moves(persona, call)}</div>"
        "</section>"
    )


def _bar(score: float) -> str:
    state = "earned" if score >= PASS_MARK else "short"
    return (
        f'<div class="bar {state}" aria-hidden="true"><div style="width:{score:.0f}%"></div>'
        f'<i style="left:{PASS_MARK}%"></i></div>'
    )


def _actions(persona: Persona, back: str, listed: bool) -> str:
    if back:
        return f'<p class="actions"><a class="button" href="{esc(back)}">Back to the Studio</a></p>'
    if not listed:
        return '<p class="actions"><a class="button" href="#/">Another customer</a></p>'
    return (
        f'<p class="actions"><a class="button" href="#/briefing/{esc(persona.id)}">Again with {esc(first_name(persona))}</a>'
        '<a class="button second" href="#/">Another customer</a></p>'
    )


def _to_turn(position: int) -> str:
    return f'<a class="to" href="#" data-turn="{position}">reply {(position + 1) // 2}</a>'


def _moment(persona: Persona, transcript: Transcript, moment: Moment) -> str:
    said = " ".join(transcript.turns[moment.turn].text.split())
    short = said if len(said) <= 280 else said[:279].rsplit(" ", 1)[0] + "…"
    return (
        f'<section class="moment"><h2>The moment that mattered most</h2><p>{esc(moment.why)} In {_to_turn(moment.turn)} '
        f"you said:</p><blockquote>“{esc(short)}”</blockquote><p>A line that would have met {esc(first_name(persona))}:</p>"
        f'<blockquote class="better">{esc(moment.line)}</blockquote>{whatif.button(moment.turn)}</section>'
    )


def _competencies(card: Scorecard, overrides: tuple[Override, ...]) -> str:
    rows = "".join(_competency(name, card, second.score(name, card, overrides)) for name in WEIGHTS)
    return f'<section><h2>Five competencies</h2><div class="competencies">{rows}</div></section>'


def _competency(name: str, card: Scorecard, trainers: str) -> str:
    result = card.competencies[name]
    marks = [_mark(mark) for mark in card.evidence if mark.competency == name]
    shown = (
        f'<ul class="marks">{"".join(marks[:_SHOWN])}</ul>' if marks else "<p class='none'>No reply speaks to it.</p>"
    )
    rest = marks[_SHOWN:]
    if rest:
        more = plural(len(rest), "more reply", "more replies")
        shown += f'<details><summary>{cap(more)}</summary><ul class="marks">{"".join(rest)}</ul></details>'
    return (
        f"<article><h3>{TITLES[name]} <small>counts {WEIGHTS[name]} %</small></h3>"
        f'<p class="score"><strong>{result.score:.0f}</strong> of 100</p>{_bar(result.score)}{trainers}'
        f'<p class="advice">{esc(result.advice)}</p>{shown}</article>'
    )


def _mark(mark: Mark) -> str:
    sign, word, kind = ("▲", "Earned", "earned") if mark.earned else ("▼", "Cost", "cost")
    return (
        f'<li class="{kind}"><span class="what"><span aria-hidden="true">{sign}</span> {word}</span> '
        f"<q>{esc(mark.quote)}</q> <span>{esc(cap(mark.why))} ({_to_turn(mark.turn)})</span></li>"
    )


def _curve(persona: Persona, transcript: Transcript) -> str:
    points = stops(transcript)
    rows = []
    for point in points[1:]:
        turn = transcript.turns[point.turn]
        told = note(turn)
        before = turn.reaction.before if turn.reaction else turn.anger
        rows.append(
            f'<li><span class="at">{point.reply}</span>{change_mark(changed(before, turn.anger))}'
            f"<span>{esc(told.headline) if told else ''} {_to_turn(point.turn)}</span></li>"
        )
    advice_at = persona.temperament.hears_advice_at
    return (
        f"<section><h2>How the anger went</h2>{curve(points, 'heat-score', advice_at=advice_at, large=True)}"
        f'<p class="axis">Anger, 0 to 10, after each reply. Start: {level(points[0].anger)}.</p>'
        f'<ol class="steps">{"".join(rows)}</ol></section>'
    )


def _story(persona: Persona, card: Scorecard) -> str:
    """The whole story, what nobody took in marked as such; the unsaid comes last."""
    points = sorted(persona.story, key=lambda point: point.layer is Layer.UNSAID)
    unheard = len(card.unheard)
    title = "What you never heard" if unheard else "The whole story, heard"
    lead = (
        f"{plural(unheard, 'part')} of {len(points)} stayed unheard."
        if unheard
        else f"All {plural(len(points), 'part')} of it."
    )
    items = "".join(_part(point, first_name(persona), point.id in card.heard) for point in points)
    return f'<section><h2>{title}</h2><p>{lead}</p><ol class="story">{items}</ol></section>'


def _part(point: StoryPoint, name: str, heard: bool) -> str:
    sign, word = ("✓", "Heard") if heard else ("○", "Never heard")
    felt = sentence(f"It left {name} {bare_feeling(point.feeling)}, because {bare_clause(point.because)}")
    return (
        f'<li class="{"heard" if heard else "unheard"}"><p class="layer"><span aria-hidden="true">{sign}</span> {word} · '
        f"{esc(LAYER[point.layer].format(name=name))}</p><p>{esc(sentence(point.fact))}</p><p class='felt'>{esc(felt)}</p></li>"
    )


def _transcript(persona: Persona, call: ReviewedCall) -> str:
    lines = "".join(_line(persona, i, turn, call.overrides) for i, turn in enumerate(call.transcript.turns))
    return f'<section><h2>The call, line by line</h2><ol class="talk record">{lines}</ol></section>'


def _line(persona: Persona, position: int, turn: Turn, overrides: tuple[Override, ...]) -> str:
    told = note(turn)
    if turn.role == "customer":
        return (
            f'<li class="turn customer"><p class="who">{esc(first_name(persona))}</p>'
            f'<p class="said">{esc(turn.text)}</p></li>'
        )
    after = "<p class='margin'>Not judged; it counts for nothing.</p>"
    if told is not None and turn.reaction is not None:
        mark = change_mark(changed(turn.reaction.before, turn.reaction.after))
        after = f"<p class='margin'>{mark} · <b>{esc(told.headline)}</b> {esc(told.why)}</p>"
    return (
        f'<li class="turn trainee" id="said-{position}" tabindex="-1"><p class="who">You, reply {(position + 1) // 2}</p>'
        f'<p class="said">{esc(turn.text)}</p>{after}{second.moves(position, overrides)}{whatif.button(position)}</li>'
    )
