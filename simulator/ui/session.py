"""One call as a trainer reads it: what was said on the left, the evaluator's reading in the margin, room to differ."""

from simulator.coach import note
from simulator.competencies import TITLES, WEIGHTS
from simulator.grade import Scorecard
from simulator.moves import Judgement, Move
from simulator.persona import Persona
from simulator.regrade import moves_changed, regraded
from simulator.review import OVERALL, Override, ReviewedCall, SecondOpinion, second_opinion, trainers_moves
from simulator.reviews import LONGEST_REASON
from simulator.transcript import Turn
from simulator.ui import second
from simulator.ui.words import OUTCOME, cap, change_mark, changed, esc, first_name, local_time, plural, sentence

_REASON = (
    f'<label>Why <textarea name="reason" rows="2" maxlength="{LONGEST_REASON}" required></textarea></label>'
    '<button class="plain">Save</button>'
)


def page(call: ReviewedCall, persona: Persona | None, trainee: str) -> str:
    """The whole page."""
    transcript, card = call.transcript, call.scorecard
    customer = f"{persona.name}, {persona.company}" if persona else transcript.persona
    outcome = cap(OUTCOME[transcript.outcome]) if transcript.outcome else "Not finished"
    hints = f" · {plural(transcript.hints, 'hint')} used" if transcript.hints else ""
    turns = "".join(_turn(call, persona, i, turn, trainee) for i, turn in enumerate(transcript.turns))
    return (
        '<nav aria-label="Back"><a href="#/review" data-back>All calls</a></nav>'
        f'<p class="kind">{local_time(transcript.started)} · {esc(customer)}{" · Exam" if transcript.exam else ""}</p>'
        f'<h1 tabindex="-1">{esc(trainee)} with {esc(first_name(persona) if persona else transcript.persona)}</h1>'
        f'<p class="kind">Outcome: {outcome.lower()} · {plural(len(transcript.replies), "reply", "replies")}{hints} · '
        f"Read by the evaluator {esc(transcript.models.judge)}</p>{second.downloads(call, persona, trainee)}"
        f"{_scores(call, persona, card) if card else ''}"
        f'<section><h2>The call, line by line</h2><ol class="reading-list">{turns}</ol></section>'
        f"{_read(call) if card else ''}"
    )


def _scores(call: ReviewedCall, persona: Persona | None, card: Scorecard) -> str:
    opinion, again = second_opinion(card, call.overrides), regraded(persona, call) if persona else None
    scores = [(OVERALL, "Overall", card.overall, opinion.overall)] + [
        (name, TITLES[name], card.competencies[name].score, opinion.competencies.get(name)) for name in WEIGHTS
    ]
    moved = {OVERALL: again.overall, **again.competencies} if again else {}
    rows = "".join(
        f'<tr><th scope="row">{title}</th><td>{score:.0f}</td>{_cell(moved.get(name)) if again else ""}{_cell(other)}'
        f"<td>{second.score(name, card, call.overrides)}</td></tr>"
        for name, title, score, other in scores
    )
    options = "".join(f'<option value="{name}">{title} ({score:.0f})</option>' for name, title, score, _ in scores)
    between = '<th scope="col">With your moves</th>' if again else ""
    return (
        '<section id="scores" tabindex="-1"><h2>Scores</h2><table class="scores"><thead><tr><th scope="col">Of 100</th>'
        f'<th scope="col">Evaluator</th>{between}<th scope="col">Trainer</th><th scope="col">Why</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>{_from_moves(call, again, opinion)}<details><summary>Give another score</summary>"
        '<form class="differ" data-mark="score" aria-label="Give another score">'
        f'<label>Score <select name="subject">{options}</select></label>'
        '<label>Of 100 <input type="number" name="now" min="0" max="100" step="1" required></label>'
        f"{_REASON}</form></details></section>"
    )


def _cell(score: float | None) -> str:
    return f"<td>{'–' if score is None else f'{score:.0f}'}</td>"


def _from_moves(call: ReviewedCall, again: SecondOpinion | None, opinion: SecondOpinion) -> str:
    """The score that follows from changed moves, to be given as one's own with one button; or why there is none."""
    if not moves_changed(call.overrides):
        return ""
    if again is None or again.overall is None:
        return (
            '<p class="kind">What score your moves would give cannot be worked out: this customer or the grading has '
            "changed since the call.</p>"
        )
    if again.overall == opinion.overall:
        return ""
    return (
        '<form class="actions" data-mark="score"><input type="hidden" name="subject" value="overall">'
        f'<input type="hidden" name="now" value="{again.overall}">'
        '<input type="hidden" name="reason" value="Follows from the moves as changed.">'
        f'<button class="plain">Give {again.overall:.0f}, which follows from your moves</button></form>'
    )


def _turn(call: ReviewedCall, persona: Persona | None, position: int, turn: Turn, trainee: str) -> str:
    if turn.role == "customer":
        who = first_name(persona) if persona else "Customer"
        margin = _tells(persona, turn)
    else:
        who = f"{trainee}, reply {(position + 1) // 2}"
        margin = _reading(call, persona, position, turn)
    return (
        f'<li class="{turn.role}" id="said-{position}" tabindex="-1"><div><p class="who">{esc(who)}</p>'
        f'<p class="said">{esc(turn.text)}</p></div><div class="margin">{margin}</div></li>'
    )


def _tells(persona: Persona | None, turn: Turn) -> str:
    told = turn.directive.point if turn.directive else None
    fact = next((point.fact for point in persona.story if point.id == told), told) if persona else told
    return f"<p>Tells: {esc(sentence(fact))}</p>" if fact else ""


def _reading(call: ReviewedCall, persona: Persona | None, position: int, turn: Turn) -> str:
    if turn.judgement is None or turn.reaction is None:
        return "<p>Not judged; it counts for nothing.</p>"
    told = note(turn)
    effect = change_mark(changed(turn.reaction.before, turn.reaction.after))
    facts = {point.id: point.fact for point in persona.story} if persona else {}
    taken = "; ".join(facts.get(point, point) for point in turn.judgement.acknowledged)
    heard = f"<p>Takes in: {esc(sentence(taken))}</p>" if taken else ""
    return (
        f"<p>{effect} · <b>{esc(told.headline) if told else ''}</b></p>{_moves(turn.judgement)}{heard}"
        f"{second.moves(position, call.overrides)}{_differ(position, turn.judgement, call.overrides)}"
    )


def _moves(judgement: Judgement) -> str:
    if not judgement.present:
        return '<p class="none">No move seen.</p>'
    items = []
    for move in judgement.present:
        sure = judgement.probabilities.get(move)
        quote = judgement.quote(move)
        items.append(
            f"<li><b>{second.move_name(move)}</b>{f' <q>{esc(quote)}</q>' if quote else ''}"
            f"{f' <small>{sure:.0%} sure</small>' if sure is not None else ''}</li>"
        )
    unlike = (
        "<p>The evaluator is not sure of this reply; it is never taken as empathy.</p>" if judgement.uncertain else ""
    )
    return f'<ul class="moves">{"".join(items)}</ul>{unlike}'


def _differ(position: int, judgement: Judgement, overrides: tuple[Override, ...]) -> str:
    standing = trainers_moves(position, judgement, overrides)

    def option(move: Move, now: int) -> str:
        words = f"{'Also' if now else 'Not'} {second.move_name(move).lower()}"
        return f'<option value="{move.value}:{now}">{words}</option>'

    options = "".join(option(move, 0) for move in standing)
    options += "".join(option(move, 1) for move in Move if move not in standing)
    number = (position + 1) // 2
    return (
        f'<details><summary>Read it otherwise<span class="hidden">, reply {number}</span></summary>'
        f'<form class="differ" data-mark="move" aria-label="Read reply {number} otherwise">'
        f'<input type="hidden" name="turn" value="{position}"><label>Move <select name="subject" required>'
        f'<option value="">Choose what the reply does or does not do</option>{options}</select></label>'
        f"{_REASON}</form></details>"
    )


def _read(call: ReviewedCall) -> str:
    done = "".join(f"<p>Read to the end by {esc(each.by)}, {local_time(each.at)}.</p>" for each in call.readings)
    return (
        f'<section id="read" tabindex="-1"><h2>Read to the end?</h2>{done}<p>What you left unchanged then counts as '
        "agreement with the evaluator.</p>"
        '<form class="actions" data-mark="read"><button class="plain">I have read this call</button></form></section>'
    )
