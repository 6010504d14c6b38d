"""The anger curve as inline SVG: the line stretches with its box, the words beside it are HTML and keep their size."""

from collections.abc import Sequence
from typing import NamedTuple

from simulator.directive import MOOD_FROM, Mood
from simulator.transcript import Transcript
from simulator.ui.words import esc, level


class Stop(NamedTuple):
    """One point of the curve: the anger after `reply` (0 for the opening), and where that reply is in the call."""

    reply: int
    anger: float
    turn: int


def stops(transcript: Transcript) -> list[Stop]:
    """The opening, then each reply that has been judged."""
    judged = [(i, turn) for i, turn in transcript.replies if turn.reaction is not None]
    return [
        Stop(0, transcript.turns[0].anger, 0),
        *(Stop(number, turn.anger, i) for number, (i, turn) in enumerate(judged, start=1)),
    ]


def in_words(anger: Sequence[float]) -> str:
    """The curve for someone who cannot see it."""
    first, *rest = anger
    if not rest:
        return f"Anger at the start: {level(first)}."
    steps = ", ".join(f"{value:.1f}" for value in rest[:-1])
    between = f", then {steps}" if steps else ""
    return (
        f"Anger on a scale of 0 to 10: {first:.1f} at the start{between}, and {level(rest[-1])}, after the last reply."
    )


def curve(points: Sequence[Stop], name: str, *, advice_at: float | None = None, large: bool = False) -> str:
    """The curve with its scale. `name` makes the gradient's id unique; `advice_at` draws the level where advice lands."""
    anger = [point.anger for point in points]
    across = max(len(anger) - 1, 1 if large else 4)
    at = [(index / across * 100, value) for index, value in enumerate(anger)]
    marks = "".join(
        f'<i class="stop{" last" if index == len(at) - 1 else ""}" style="left:{x:.2f}%;bottom:{value * 10:.1f}%">'
        f"{points[index].reply or '' if large else ''}</i>"
        for index, (x, value) in enumerate(at)
    )
    scale = _bands() if large else "<b style='bottom:100%'>10</b><b style='bottom:50%'>5</b><b style='bottom:0'>0</b>"
    hears = ""
    if advice_at is not None:
        text = f"can hear a way forward at {advice_at:.1f} or less"
        hears = f'<span class="hears" style="bottom:{advice_at * 10:.1f}%"><em>{text}</em></span>'
    label = in_words(anger) + (f" This customer {text}." if advice_at is not None else "")
    return (
        f'<div class="curve{" large" if large else ""}" role="img" aria-label="{esc(label)}">'
        f'<div class="scale" aria-hidden="true">{scale}</div>'
        f'<div class="plot" aria-hidden="true">{_line(at, name)}{hears}{marks}</div></div>'
    )


def courses(first: Sequence[Stop], again: Sequence[Stop], shared: int, advice_at: float) -> str:
    """Two courses of one call in one picture: the first dashed with hollow stops, the second solid with filled ones.

    `shared` is how many replies they have in common.
    """
    across = max(len(first), len(again), 2) - 1

    def at(points: Sequence[Stop]) -> list[tuple[float, float]]:
        return [(point.reply / across * 100, point.anger) for point in points]

    def marks(points: Sequence[Stop], kind: str) -> str:
        return "".join(
            f'<i class="stop {kind}" style="left:{x:.2f}%;bottom:{y * 10:.1f}%">{point.reply or ""}</i>'
            for point, (x, y) in zip(points, at(points), strict=True)
        )

    dashed = " ".join(f"{x:.2f},{100 - y * 10:.1f}" for x, y in at(first[shared:]))
    label = f"First: {in_words([p.anger for p in first])} Again: {in_words([p.anger for p in again])}"
    return (
        f'<div class="curve large courses" role="img" aria-label="{esc(label)}">'
        f'<div class="scale" aria-hidden="true">{_bands()}</div><div class="plot" aria-hidden="true">'
        '<svg viewBox="0 0 100 100" preserveAspectRatio="none" focusable="false">'
        f'<polyline points="{dashed}" class="stroke first"/></svg>{_line(at(again), "heat-again")}'
        f'<span class="hears" style="bottom:{advice_at * 10:.1f}%"><em>can hear a way forward at {advice_at:.1f} or less</em>'
        f"</span>{marks(first[shared + 1 :], 'hollow')}{marks(again, 'filled')}</div></div>"
    )


def sparkline(anger: Sequence[float], name: str) -> str:
    """A curve without a scale, from the anger after every turn of a call."""
    values = [anger[0], *anger[1::2]]
    across = max(len(values) - 1, 1)
    at = [(index / across * 100, value) for index, value in enumerate(values)]
    if len(at) == 1:
        at.append((100.0, values[0]))
    return f'<div class="spark" role="img" aria-label="{esc(in_words(values))}">{_line(at, name)}</div>'


def _line(at: Sequence[tuple[float, float]], name: str) -> str:
    path = " ".join(f"{x:.2f},{100 - value * 10:.1f}" for x, value in at)
    area = f"0,100 {path} {at[-1][0]:.2f},100"
    stops = "".join(f'<stop offset="{o}" class="{c}"/>' for o, c in ((0, "hot"), (0.5, "warm"), (1, "cool")))
    return (
        '<svg viewBox="0 0 100 100" preserveAspectRatio="none" focusable="false"><defs>'
        f'<linearGradient id="{esc(name)}" gradientUnits="userSpaceOnUse" x1="0" y1="0" x2="0" y2="100">{stops}'
        f'</linearGradient></defs><polygon points="{area}" fill="url(#{esc(name)})" class="area"/>'
        f'<polyline points="{path}" stroke="url(#{esc(name)})" class="stroke"/></svg>'
    )


def _bands() -> str:
    """The moods, each at the level from which its word holds; the narrow top one has no room for its own."""
    bounds = [(bound, mood) for bound, mood in MOOD_FROM if mood is not Mood.ABOUT_TO_HANG_UP] + [(0.0, Mood.CALM)]
    return '<b style="bottom:100%">10</b>' + "".join(
        f'<b style="bottom:{bound * 10:.0f}%">{bound:.0f}</b><span style="bottom:{(bound + 1) * 10:.0f}%">{mood.value}</span>'
        for bound, mood in bounds
    )
