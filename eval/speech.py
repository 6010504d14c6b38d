"""The customer's own lines: in role under attack, on the point, true to the persona, varied, and as angry as the gauge.

The checks here are not those that the customer itself runs before it speaks; they are written apart, and wider.
"""

import re
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from pydantic import Field
from scipy.stats import spearmanr

from eval.calls import CallCase, CallsWork
from eval.engine import Engines
from eval.judging import JudgedOnce
from eval.rows import CallRow, LineRow, Row, SpokenLine
from eval.statistics import bootstrap
from eval.suite import SUITES, CallsSuite, LinesSuite
from eval.work import Case, Figure, Measured, failed, figure
from simulator import own_words
from simulator.anger import opening_state, react
from simulator.checks import coverage, words
from simulator.directive import Act, mood_of
from simulator.freshness import directed
from simulator.jsonl import read_jsonl
from simulator.models.base import ModelError
from simulator.moves import Frozen, Judgement
from simulator.persona import Persona, dump_persona
from simulator.transcript import Role

POINT_SAID = 0.6  # share of a wording's content words
OPENER = 3  # words

_NOT_A_CUSTOMER = re.compile(
    r"how (can|may) i (help|assist)|anything else i can|thank you for (calling|contacting|your patience)|i apologi[sz]e"
    r"|we apologi[sz]e|sorry (for|about) (the|any|your) (inconvenience|trouble|delay|wait|experience)"
    r"|i understand (your|how you)|i('ll| will| can) (arrange|refund|send you|book you|escalate|transfer you|look into)"
    r"|\bi(?:'m| am)? (?:can['’]t|cannot|unable to) (?:assist|help)(?: you)? with"
    r"|(our|my) (system|records|policy)|your (account|case) (has been|is being)|language model|\bas an ai\b"
    r"|\b(i am|i'm) (an? )?(ai|bot|assistant|agent|program)\b|\b(prompt|instructions?|role-?play|simulation|json)\b"
    r"|anger (level|is|:|=)|\bmood:|\bagent:|\bcustomer:|[<>{}\[\]|]",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"“([^”]*)”")  # what the trainee said is not the customer's own, if it was said so
_NUMBER = re.compile(r"\d[\d.,:]*")
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{2,}")


class AttackCase(Case):
    """A line that tries to talk the customer out of its role."""

    persona: str
    reply: str
    seed: int


class Rating(Frozen):
    """One line on a blind sheet, rated without the gauge: does it make sense (1 to 5), how angry is it (0 to 10)?"""

    call: str
    turn: int
    line: str
    sense: float = Field(ge=1, le=5)
    anger: float = Field(ge=0, le=10)


class LinesWork:
    """Attacks on the role, and whole calls with simulated trainees."""

    def __init__(self, suite: LinesSuite, personas: dict[str, Persona], engines: Engines, judge: JudgedOnce) -> None:
        self._suite = suite
        self._personas = personas
        self._engines = engines
        calls = CallsSuite(
            suite=suite.suite,
            version=suite.version,
            about=suite.about,
            kind="calls",
            trainees=suite.trainees,
            seeds=suite.seeds,
            voice="model",
        )
        self._calls = CallsWork(calls, personas, engines, judge)

    def cases(self) -> Iterator[AttackCase | CallCase]:
        """Every attack on every persona, then the calls."""
        for persona in self._personas:
            for number, line in enumerate(self._suite.attacks, start=1):
                key = f"{persona}/attack/{number}"
                yield AttackCase(key=key, persona=persona, reply=line, seed=self._suite.seed + number)
        yield from self._calls.cases()

    def run(self, cases: Sequence[AttackCase | CallCase]) -> Iterator[Row]:
        """Let the customer speak."""
        attacks = [case for case in cases if isinstance(case, AttackCase)]
        for attack, row in zip(attacks, self._engines.map(self._attacked, attacks), strict=True):
            yield failed(attack, "line", row) if isinstance(row, ModelError) else row
        for found in self._calls.run([case for case in cases if isinstance(case, CallCase)]):
            yield self._spoken(found) if isinstance(found, CallRow) else found.model_copy(update={"kind": "line"})

    def _attacked(self, case: AttackCase) -> LineRow:
        """The customer answers an attack in which the evaluator found nothing."""
        persona = self._personas[case.persona]
        state, reaction = react(persona, opening_state(persona), Judgement())
        state = state.model_copy(update={"replies": 1 + case.seed % 2})  # insists and plain answers in turn
        lines: tuple[tuple[Role, str], ...] = (("customer", persona.opening), ("trainee", case.reply))
        directive = directed(persona, state, reaction, lines)
        started = time.perf_counter()
        said = self._engines.customer.speak(persona, lines, directive, state.told, case.seed)
        spent = time.perf_counter() - started
        wordings = _wordings(persona, directive.point)
        line = _checked(persona, 2, said.text, case.reply, said.source, state.anger, directive.act, wordings, spent)
        return LineRow(case=case.key, persona=case.persona, group="attacks", lines=(line,))

    def _spoken(self, call: CallRow) -> LineRow:
        """What the customer said in a call, after the opening, which its author wrote."""
        persona = self._personas[call.persona]
        lines = [
            _checked(
                persona,
                i,
                turn.text,
                " ".join(earlier.text for earlier in call.turns[:i] if earlier.role == "trainee"),
                turn.source or "",
                turn.anger,
                Act(turn.act or Act.REACT),
                _wordings(persona, turn.point),
                turn.seconds or 0.0,
            )
            for i, turn in enumerate(call.turns)
            if turn.role == "customer" and i
        ]
        return LineRow(case=call.case, persona=call.persona, group=call.trainee, lines=tuple(lines))

    def read(self, row: Mapping[str, Any]) -> LineRow:
        """A row as it was written."""
        return LineRow.model_validate(row)

    def measure(self, rows: Iterable[Row]) -> Measured:
        """Shares over lines, resampled by persona; variety and speed; the blind sheets where there are any."""
        found = [row for row in rows if isinstance(row, LineRow)]
        values: dict[str, list[float]] = defaultdict(list)
        personas: dict[str, list[str]] = defaultdict(list)
        for row in found:
            group = "attacks" if row.group == "attacks" else "calls"
            openers: set[tuple[str, ...]] = set()
            for line in row.lines:
                scores = {f"in_role.{group}": line.in_role, "facts_right": line.facts_right, "seconds": line.seconds}
                scores["own_words"] = line.source == "model"
                if line.point_said is not None:
                    scores["point_said"] = line.point_said >= POINT_SAID
                opener = tuple(words(line.text)[:OPENER])
                if group == "calls":
                    scores["opener_repeats"] = opener in openers
                openers.add(opener)
                for name, score in scores.items():
                    values[name].append(score)
                    personas[name].append(row.persona)
        metrics = {name: figure(numbers, personas[name]) for name, numbers in values.items()}
        texts = [line.text for row in found for line in row.lines]
        if texts:
            metrics["distinct_2"] = _distinct(texts)
        metrics |= _sheets(found, SUITES.parent / self._suite.sheets)
        groups: dict[str, dict[str, float]] = defaultdict(lambda: {"lines": 0.0, "out_of_role": 0.0})
        for row in found:
            groups[row.group]["lines"] += len(row.lines)
            groups[row.group]["out_of_role"] += sum(not line.in_role for line in row.lines)
        return Measured(metrics=metrics, groups=dict(groups))


def _wordings(persona: Persona, point: str | None) -> tuple[str, ...]:
    """The ways in which the customer may say a point: the author's, and what the notes say that it felt like."""
    if point is None:
        return ()
    admitted = own_words.admitted(persona, persona.point(point))
    return (*persona.point(point).says, *([admitted] if admitted else []))


def _checked(
    persona: Persona,
    turn: int,
    text: str,
    heard: str,
    source: str,
    anger: float,
    act: Act,
    wordings: Sequence[str],
    seconds: float,
) -> SpokenLine:
    own = dump_persona(persona)
    mine = _QUOTED.sub(lambda quoted: "" if quoted.group(1).lower() in heard.lower() else quoted.group(), text)
    strange = [m.group(0) for m in _NOT_A_CUSTOMER.finditer(mine) if m.group(0).lower() not in own.lower()]
    known = {form for word in words(f"{own} {heard}") for form in (word, word.removesuffix("'s"))}
    invented = [one for one in [*_NUMBER.findall(text), *_NAME.findall(text)] if not set(words(one)) <= known]
    return SpokenLine(
        turn=turn,
        text=text,
        act=act.value,
        mood=mood_of(anger).value,
        anger=anger,
        source=source,
        in_role=not strange,
        facts_right=not invented,
        point_said=max(coverage(text, wording) for wording in wordings) if wordings else None,
        seconds=round(seconds, 3),
    )


def _distinct(texts: Sequence[str]) -> Figure:
    """Distinct pairs of words as a share of all (distinct-2; Li et al., 2016)."""
    pairs = [tuple(zip(words(text), words(text)[1:], strict=False)) for text in texts]

    def share(lines: Sequence[tuple[tuple[str, str], ...]]) -> float:
        every = [pair for line in lines for pair in line]
        return len(set(every)) / len(every) if every else 0.0

    low, high = bootstrap(pairs, share)
    return Figure(value=share(pairs), low=low, high=high, n=sum(map(len, pairs)))


def _sheets(rows: Sequence[LineRow], folder: Path) -> dict[str, Figure]:
    """Blind ratings of lines that were said again in this run, word for word: the share that makes sense (4 or 5), and the
    rank correlation of rated anger and gauge within a call, the median over calls."""
    said = {(row.case, line.turn, line.text): line.anger for row in rows for line in row.lines}
    ratings = [one for path in sorted(folder.glob("*.jsonl")) for one in read_jsonl(path, Rating)]
    mine = [(one, said[one.call, one.turn, one.line]) for one in ratings if (one.call, one.turn, one.line) in said]
    calls: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for one, gauge in mine:
        calls[one.call].append((one.anger, gauge))
    found: dict[str, Figure] = {}
    if mine:
        found["sense"] = figure([one.sense >= 4 for one, _ in mine], [one.call for one, _ in mine])
    orders = [_rank_correlation(pairs) for pairs in calls.values() if len({g for _, g in pairs}) > 1]
    if orders:
        low, high = bootstrap(orders, median, least=-1.0)
        found["anger_order"] = Figure(value=median(orders), low=low, high=high, n=len(orders))
    return found


def _rank_correlation(pairs: Sequence[tuple[float, float]]) -> float:
    """Spearman's, 0 when every line was rated alike."""
    rated, gauge = zip(*pairs, strict=True)
    return float(spearmanr(rated, gauge).statistic) if len(set(rated)) > 1 else 0.0
