"""The trainer's word beside the evaluator's, the same on the scorecard, in "my calls" and in the review."""

import json
from collections.abc import Iterable

from simulator.exports import as_json, csv_text, markdown, statement
from simulator.grade import Scorecard
from simulator.moves import Move
from simulator.persona import Persona
from simulator.regrade import regraded
from simulator.review import OVERALL, Override, ReviewedCall, in_force, second_opinion
from simulator.ui.words import cap, download, esc, local_time

HOME = "http://localhost/defuse"  # in xAPI, the system in which a trainee's name is a name


def move_name(move: Move) -> str:
    """A move as it is read."""
    return cap(move.value.replace("_", " "))


def reason(override: Override) -> str:
    """Why, by whom and when."""
    return f"<q>{esc(override.reason)}</q> <small>{esc(override.by)}, {local_time(override.at)}</small>"


def score(name: str, card: Scorecard, overrides: Iterable[Override]) -> str:
    """The trainer's score of `overall` or a competency, with the reason; empty when they left it."""
    kept = tuple(overrides)
    override = in_force(kept).get((None, name))
    if override is not None:
        return f'<p class="opinion"><b>Trainer: {override.now:.0f} of 100</b> {reason(override)}</p>'
    overall = second_opinion(card, kept).overall if name == OVERALL else None
    if overall is None:
        return ""
    return f'<p class="opinion"><b>Trainer: {overall:.0f} of 100</b> from the competencies that the trainer changed</p>'


def from_moves(persona: Persona, call: ReviewedCall) -> str:
    """The overall score that follows from the moves as the trainer reads them; empty when they left them."""
    again = regraded(persona, call)
    if again is None or again.overall is None:
        return ""
    return f'<p class="opinion"><b>{again.overall:.0f} of 100</b> with the moves as the trainer reads them</p>'


def moves(turn: int, overrides: Iterable[Override]) -> str:
    """What the trainer changed in the reading of one reply."""
    items = "".join(
        f"<li><b>Trainer: {'also' if override.now else 'not'} {esc(subject.replace('_', ' '))}</b> {reason(override)}</li>"
        for (at, subject), override in in_force(overrides).items()
        if at == turn
    )
    return f'<ul class="opinion">{items}</ul>' if items else ""


def downloads(call: ReviewedCall, persona: Persona | None, trainee: str) -> str:
    """The call as four kinds of file."""
    transcript = call.transcript
    name = f"defuse-{transcript.persona}-{transcript.started:%Y%m%d-%H%M}"
    links = [
        download(f"{name}.md", "text/markdown", markdown(call, persona), "Markdown"),
        download(f"{name}.json", "application/json", as_json(call, trainee), "JSON"),
        download(f"{name}.csv", "text/csv", csv_text([(call, trainee)]), "CSV"),
    ]
    if call.scorecard is not None:
        text = json.dumps(statement(call, trainee, persona, HOME), ensure_ascii=False, indent=2)
        links.append(download(f"{name}.xapi.json", "application/json", text, "xAPI"))
    return f'<p class="downloads">Download as {", ".join(links)}</p>'
