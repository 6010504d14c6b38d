"""The plots of a report as inline SVG: drawn once, no script and no network when viewed, colours from the page's style.

Altair describes, vl-convert draws. Colours are CSS variables, so one drawing serves light and dark.
"""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

import altair as alt
import vl_convert
from markupsafe import Markup

WIDTH, HEIGHT = 280, 160  # of a plot's inside, in CSS pixels: with its labels it fits a phone
OUTCOMES = {"lost": "lost", "placated": "placated", "retained": "retained", "won_over": "won over"}
_COLOURS = ("var(--heat)", "var(--warm)", "var(--calm)", "var(--cool)")
_MOST_LINES = 60  # more curves than that are a smear


def curves(calls: Sequence[Sequence[float]], most: int | None = None) -> Markup:
    """Anger, 0 to 10, by reply: every call thin, their mean thick. A call that has ended keeps its last level."""
    shown = calls[:: max(1, len(calls) // _MOST_LINES)]
    thin = [{"call": k, "reply": i, "anger": v} for k, call in enumerate(shown) for i, v in enumerate(call)]
    longest = max(len(call) for call in calls)
    held = [[*call, *[call[-1]] * (longest - len(call))] for call in calls]
    mean = [{"reply": i, "anger": sum(at) / len(at)} for i, at in enumerate(zip_longest(*held))]
    x = alt.X("reply:Q", title="reply").axis(tickMinStep=1, grid=False).scale(domain=[0, max(1, most or longest - 1)])
    y = alt.Y("anger:Q", title="anger").scale(domain=[0, 10]).axis(values=[0, 2, 4, 6, 8, 10])
    lines = _of(thin).mark_line(color="var(--soft)", opacity=0.25, strokeWidth=1)
    middle = _of(mean).mark_line(color="var(--heat)", strokeWidth=2.5, point={"color": "var(--heat)"})
    return _drawn(alt.layer(lines.encode(x=x, y=y, detail="call:N"), middle.encode(x=x, y=y)))


def outcome_bars(counts: Mapping[str, Mapping[str, int]]) -> Markup:
    """Share of each outcome by group, one bar a group, in the order given."""
    data = [
        {"group": group, "outcome": word, "share": found.get(key, 0) / sum(found.values()), "order": k}
        for group, found in counts.items()
        for k, (key, word) in enumerate(OUTCOMES.items())
    ]
    colour = alt.Color("outcome:N", title=None).scale(domain=list(OUTCOMES.values()), range=list(_COLOURS))
    bars = (
        _of(data)
        .mark_bar()
        .encode(
            x=alt.X("share:Q", title="share of calls").axis(format="%").scale(domain=[0, 1]),
            y=alt.Y("group:N", title=None, sort=list(counts)).axis(labelLimit=150),
            color=colour.legend(orient="top", columns=4, symbolType="square"),
            order="order:Q",
        )
    )
    return _drawn(bars, width=230, height=alt.Step(24))


def intervals(rows: Sequence[tuple[str, float, float, float]], title: str, low: float = 0, high: float = 1) -> Markup:
    """One dot a row with its interval: (name, value, low, high)."""
    data = [{"name": name, "value": value, "low": a, "high": b} for name, value, a, b in rows]
    y = alt.Y("name:N", title=None, sort=[row[0] for row in rows]).axis(labelLimit=170, grid=True)
    scale = alt.Scale(domain=[low, high])
    base = _of(data)
    spans = base.mark_rule(color="var(--cool)", strokeWidth=2).encode(
        x=alt.X("low:Q", title=title, scale=scale), x2="high", y=y
    )
    dots = base.mark_circle(color="var(--cool)", size=60, opacity=1).encode(x=alt.X("value:Q", scale=scale), y=y)
    return _drawn(alt.layer(spans, dots), width=200, height=alt.Step(20))


def confusion(rows: Sequence[str], columns: Sequence[str], counts: Mapping[tuple[str, str], int]) -> Markup:
    """How often what was wanted (row) was found as what (column), as a share of the row, with counts."""
    totals = {row: sum(counts.get((row, column), 0) for column in columns) or 1 for row in rows}
    data = [
        {"wanted": r, "found": c, "share": counts.get((r, c), 0) / totals[r], "n": counts.get((r, c), 0) or ""}
        for r in rows
        for c in columns
    ]
    x = alt.X("found:N", title="found", sort=list(columns)).axis(
        orient="top", labelAngle=-60, labelLimit=110, grid=False
    )
    base = _of(data).encode(x=x, y=alt.Y("wanted:N", title="wanted", sort=list(rows)).axis(grid=False))
    cells = base.mark_rect(color="var(--cool)", stroke="var(--line)", strokeWidth=0.5).encode(
        opacity=alt.Opacity("share:Q", legend=None).scale(domain=[0, 1], range=[0, 1])
    )
    ink = alt.condition("datum.share > 0.5", alt.value("var(--on-cool)"), alt.value("var(--ink)"))
    words = base.mark_text(fontSize=9).encode(text="n:N", color=ink)
    return _drawn(alt.layer(cells, words), width=alt.Step(19), height=alt.Step(19))


def calibration(bins: Sequence[tuple[float, float, int]], limit: float = 1) -> Markup:
    """How often it was so against how likely the evaluator said it was: (said, was, how many). On the line is perfect."""
    data = [{"said": said, "was": was, "n": n} for said, was, n in bins]
    line = _of([{"said": 0, "was": 0}, {"said": limit, "was": limit}])
    axis = alt.Axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2f")
    x = alt.X("said:Q", title="probability given", scale=alt.Scale(domain=[0, limit]), axis=axis)
    y = alt.Y("was:Q", title="share that was so", scale=alt.Scale(domain=[0, limit]), axis=axis)
    dots = _of(data).mark_circle(color="var(--heat)", opacity=1)
    size = alt.Size("n:Q", legend=None).scale(type="sqrt", range=[25, 260])
    return _drawn(
        alt.layer(
            line.mark_line(color="var(--edge)", strokeDash=[4, 4], strokeWidth=1).encode(x=x, y=y),
            dots.encode(x=x, y=y, size=size),
        ),
        width=220,
        height=220,
    )


def histogram(values: Sequence[float], title: str, low: float, high: float, bins: int = 20) -> Markup:
    """How many values lie where."""
    step = (high - low) / bins
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, max(0, int((value - low) / step)))] += 1
    data = [{"from": low + k * step, "to": low + (k + 1) * step, "n": n} for k, n in enumerate(counts)]
    bars = (
        _of(data)
        .mark_bar(color="var(--cool)", binSpacing=1)
        .encode(
            x=alt.X("from:Q", title=title, bin="binned").scale(domain=[low, high]),
            x2="to",
            y=alt.Y("n:Q", title="how many").axis(tickMinStep=1),
        )
    )
    return _drawn(bars)


def scatter(points: Sequence[tuple[float, float]], x_title: str, y_title: str, low: float, high: float) -> Markup:
    """Pairs of values on one scale, with the line on which they are equal."""
    data = [{"x": x, "y": y} for x, y in points]
    scale = alt.Scale(domain=[low, high])
    line = _of([{"x": low, "y": low}, {"x": high, "y": high}])
    x, y = alt.X("x:Q", title=x_title, scale=scale), alt.Y("y:Q", title=y_title, scale=scale)
    dots = _of(data).mark_circle(color="var(--heat)", opacity=0.5, size=30)
    return _drawn(
        alt.layer(
            line.mark_line(color="var(--edge)", strokeDash=[4, 4], strokeWidth=1).encode(x=x, y=y),
            dots.encode(x=x, y=y),
        ),
        width=220,
        height=220,
    )


def _of(rows: Sequence[Mapping[str, Any]]) -> Any:
    return alt.Chart(alt.Data(values=rows))  # type: ignore[no-untyped-call]


def _drawn(chart: Any, width: Any = WIDTH, height: Any = HEIGHT) -> Markup:
    """The SVG of a chart. Vega escapes what it is given to write, so names may hold anything."""
    styled = chart.properties(width=width, height=height).configure(
        background="transparent",
        font="system-ui, sans-serif",
        aria=False,  # the figure around it says in words what it shows
        padding=10,  # a reader's font may be wider than the one that was measured
        axis=alt.AxisConfig(
            labelColor="var(--soft)", titleColor="var(--soft)", gridColor="var(--line)", domainColor="var(--edge)",
            tickColor="var(--edge)", labelFontSize=11, titleFontSize=11, titleFontWeight="normal",
        ),
        legend=alt.LegendConfig(labelColor="var(--ink)", labelFontSize=11),
        view=alt.ViewConfig(stroke="transparent"),
    )  # fmt: skip
    return Markup(vl_convert.vegalite_to_svg(styled.to_dict()))  # noqa: S704  drawn by Vega, which escapes
