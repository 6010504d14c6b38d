"""My calls: one's own sessions, newest first."""

from collections.abc import Mapping, Sequence

from simulator.persona import Persona
from simulator.storage import Summary
from simulator.ui import whatif
from simulator.ui.curve import sparkline
from simulator.ui.words import OUTCOME, cap, esc, level, local_time

_EMPTY = (
    '<p class="empty">No calls yet. Every call you take is kept here, also one that you leave halfway.</p>'
    '<p class="actions"><a class="button" href="#/">Choose a customer</a></p>'
)


def calls(personas: Mapping[str, Persona], found: Sequence[Summary]) -> str:
    """The list as a page."""
    rows = "".join(_row(personas.get(call.persona), call) for call in found)
    body = f'<ul class="calls">{rows}</ul>' if found else _EMPTY
    return f'<h1 tabindex="-1">My calls</h1>{body}'


def _row(persona: Persona | None, call: Summary) -> str:
    name = call.customer or (persona.name if persona else call.persona)
    kind = " · Exam" if call.exam else ""
    if call.branched_at is not None:
        kind = f" · Again from reply {whatif.number(call.branched_at)}"
    when = "now" if call.outcome is None else "at the end"
    if call.outcome is None:
        outcome, where, action = "Not finished", f"#/call/{call.id}", "Go on with the call"
    elif call.branched_at is not None:
        outcome, where, action = cap(OUTCOME[call.outcome]), f"#/whatif/{call.id}", "Side by side"
    else:
        outcome, where, action = cap(OUTCOME[call.outcome]), f"#/scorecard/{call.id}", "Scorecard"
    score = f"<strong>{call.overall:.0f}</strong> of 100" if call.overall is not None else "No score yet"
    if call.trainer is not None:
        score += f'<span class="opinion">Trainer: <b>{call.trainer:.0f}</b></span>'
    link = f'<a href="{esc(where)}">{action}<span class="hidden">: {esc(name)}</span></a>'
    if persona is None and call.customer is None:
        link = "This customer is no longer in the library."
    return (
        f'<li><div class="who"><b>{esc(name)}</b><span>{local_time(call.started)}{kind}</span></div>'
        f'<div class="came"><b>{outcome}</b><span>Anger {when}: {level(call.anger[-1])}</span></div>'
        f"{sparkline(call.anger, f'heat-{call.id}')}<p class='score'>{score}</p><p class='go'>{link}</p></li>"
    )
