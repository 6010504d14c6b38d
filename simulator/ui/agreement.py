"""How far trainers and the evaluator agree, week by week: a plot, and the same in figures."""

from collections.abc import Sequence
from datetime import date

from simulator.review import Week
from simulator.ui.words import esc, plural

_WEEKS = 26  # of the plot; older ones are left out


def agreement(weeks: Sequence[Week]) -> str:
    """The section. The figures carry what the plot shows; counts stand beside shares."""
    lead = (
        '<p class="kind">Over the calls that a trainer has read to the end: of the moves that the evaluator or the trainer '
        "saw, the share that both saw. The trainer reads the evaluator’s view first, which draws the two together.</p>"
    )
    if not weeks:
        body = '<p class="none">No call has been read to the end yet. Open one, and mark it as read below it.</p>'
        return f'<section class="agreement"><h2>Agreement with the evaluator</h2>{lead}{body}</section>'
    shown = list(weeks)[-_WEEKS:]
    rows = "".join(
        f'<tr><th scope="row">{_day(week.monday)}</th><td>{week.calls}</td><td>{week.both} of {week.either}</td>'
        f"<td>{week.share:.0%}</td><td>{week.apart:.0f}</td></tr>"
        for week in reversed(shown)
    )
    table = (
        '<table><thead><tr><th scope="col">Week of</th><th scope="col">Calls</th><th scope="col">Moves</th>'
        f'<th scope="col">Share</th><th scope="col">Points apart</th></tr></thead><tbody>{rows}</tbody></table>'
    )
    return f'<section class="agreement"><h2>Agreement with the evaluator</h2>{lead}{_plot(shown)}{table}</section>'


def _plot(weeks: Sequence[Week]) -> str:
    """Share by week, 0 to 100 %, each week at its place in time."""
    first, last = weeks[0].monday, weeks[-1].monday
    span = max((last - first).days, 7)
    at = [((week.monday - first).days / span * 100, week.share * 100) for week in weeks]
    path = " ".join(f"{x:.2f},{100 - y:.1f}" for x, y in at)
    dots = "".join(f'<i class="stop" style="left:{x:.2f}%;bottom:{y:.1f}%"></i>' for x, y in at)
    now = weeks[-1]
    label = (
        f"Agreement by week, from the week of {_day(first)} to the week of {_day(last)}: at first {weeks[0].share:.0%}, "
        f"at last {now.share:.0%} over {plural(now.calls, 'call')}. The table has every week."
    )
    ends = f"<span>{_day(first)}</span><span>{_day(last)}</span>" if last > first else f"<span>{_day(first)}</span>"
    return (
        f'<div class="curve weeks" role="img" aria-label="{esc(label)}"><div class="scale" aria-hidden="true">'
        "<b style='bottom:100%'>100 %</b><b style='bottom:50%'>50 %</b><b style='bottom:0'>0 %</b></div>"
        '<div class="plot" aria-hidden="true"><svg viewBox="0 0 100 100" preserveAspectRatio="none" focusable="false">'
        f'<polyline points="{path}" class="stroke"/></svg>{dots}</div></div>'
        f'<p class="ends weeks-ends" aria-hidden="true">{ends}</p>'
    )


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
