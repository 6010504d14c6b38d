"""Whole calls, many at a time in lock step: every waiting reply is judged in one batch, then every customer answers."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from eval.engine import Engines
from eval.judging import JudgedOnce
from eval.rows import CallRow, Row, TurnRow
from eval.suite import CallsSuite
from eval.work import Case, Figure, Measured, failed, figure
from simulator.anger import Outcome
from simulator.customer import Utterance
from simulator.directive import Mood, mood_of
from simulator.judge import JudgeError
from simulator.models.base import ModelError
from simulator.persona import Persona
from simulator.session import Call, ReplyError
from simulator.trainees import ModelTrainee, Scripted, view_of

KEPT = (Outcome.RETAINED, Outcome.WON_OVER)


class CallCase(Case):
    """One call."""

    persona: str
    trainee: str
    seed: int


@dataclass
class _Live:
    case: CallCase
    call: Call
    trainee: Scripted | ModelTrainee
    replies: int = 0
    spoken: dict[int, tuple[str, float]] = field(default_factory=dict)  # source and seconds of the line at a position


class CallsWork:
    """Every persona against every trainee."""

    def __init__(self, suite: CallsSuite, personas: dict[str, Persona], engines: Engines, judge: JudgedOnce) -> None:
        self._suite = suite
        self._personas = personas
        self._engines = engines
        self._judge = judge

    def cases(self) -> Iterator[CallCase]:
        """Personas x trainees x seeds; the model as a trainee only when one is given."""
        named = [t for t in self._suite.trainees if t != "model"]
        for persona in self._personas:
            for trainee in [*named, *(["model"] if self._engines.trainee else [])]:
                for seed in self._suite.seeds:
                    seed += self._suite.seed
                    yield CallCase(key=f"{persona}/{trainee}/{seed}", persona=persona, trainee=trainee, seed=seed)

    def run(self, cases: Sequence[CallCase]) -> Iterator[Row]:
        """Step the calls together until each has ended."""
        live = [self._begun(case) for case in cases]
        while live:
            said, over = [], []
            for one, text in zip(live, self._engines.map(_next_reply, live), strict=True):
                if isinstance(text, ModelError):
                    yield failed(one.case, "call", text)
                elif text is None or one.replies >= self._suite.most_replies:
                    over.append(one)
                else:
                    said.append((one, text))
            readings, heard = [], []
            for one, text in said:
                try:
                    readings.append(one.call.say(text))
                    heard.append(one)
                except ReplyError as error:
                    yield failed(one.case, "call", error)
            going = []
            for one, judgement in zip(heard, self._judge.each(readings), strict=True):
                if isinstance(judgement, JudgeError | ModelError):
                    yield failed(one.case, "call", judgement)
                    continue
                one.call.judged(judgement)
                one.replies += 1
                going.append(one)
            live = []
            for one, line in zip(going, self._engines.map(_next_line, going), strict=True):
                if isinstance(line, ModelError):
                    yield failed(one.case, "call", line)
                    continue
                said_line, seconds = line
                one.spoken[len(one.call.transcript.turns)] = (said_line.source, round(seconds, 3))
                one.call.answered(said_line)
                (over if one.call.transcript.finished else live).append(one)
            for one in over:
                yield _row(one)

    def _begun(self, case: CallCase) -> _Live:
        persona = self._personas[case.persona]
        call = Call.begin(persona, self._engines.customer, self._judge, seed=case.seed)
        if case.trainee == "model" and self._engines.trainee is not None:
            return _Live(case, call, ModelTrainee(self._engines.trainee, persona, case.seed))
        return _Live(case, call, Scripted(case.trainee, persona, case.seed))

    def read(self, row: Mapping[str, Any]) -> CallRow:
        """A row as it was written."""
        return CallRow.model_validate(row)

    def measure(self, rows: Iterable[Row]) -> Measured:
        """By trainee: the share kept (retained or won over), of calls that reached calm, the mean overall score and the
        lowest anger. Resampled by persona."""
        values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        personas: dict[str, list[str]] = defaultdict(list)
        outcomes: dict[str, Counter[str]] = defaultdict(Counter)
        for row in rows:
            if not isinstance(row, CallRow):
                continue
            lowest = min(row.anger)
            mine = values[row.trainee]
            mine["kept"].append(row.outcome in KEPT)
            mine["won_over"].append(row.outcome is Outcome.WON_OVER)
            mine["calm"].append(mood_of(lowest) is Mood.CALM)
            mine["lowest_anger"].append(lowest)
            mine["overall"].append(row.overall)
            personas[row.trainee].append(row.persona)
            outcomes[row.trainee][row.outcome.value] += 1
        metrics: dict[str, Figure] = {}
        for trainee, mine in values.items():
            for name, numbers in mine.items():
                metrics[f"{name}.{trainee}"] = figure(numbers, personas[trainee])
        return Measured(metrics=metrics, groups={t: {k: float(n) for k, n in c.items()} for t, c in outcomes.items()})


def _next_reply(one: _Live) -> str | None:
    return one.trainee.reply(view_of(one.call))


def _next_line(one: _Live) -> tuple[Utterance, float]:
    started = time.perf_counter()
    line = one.call.next_line()
    return line, time.perf_counter() - started


def _row(one: _Live) -> CallRow:
    card = one.call.end()
    transcript = one.call.transcript
    turns = tuple(
        TurnRow(
            role=t.role,
            text=t.text,
            anger=round(t.anger, 3),
            present=t.judgement.present if t.judgement else (),
            acknowledged=t.judgement.acknowledged if t.judgement else (),
            act=t.directive.act if t.directive else None,
            point=t.directive.point if t.directive else None,
            source=one.spoken[i][0] if i in one.spoken else None,
            seconds=one.spoken[i][1] if i in one.spoken else None,
        )
        for i, t in enumerate(transcript.turns)
    )
    return CallRow(
        case=one.case.key,
        persona=one.case.persona,
        trainee=one.case.trainee,
        seed=one.case.seed,
        turns=turns,
        anger=tuple(t.anger for t in turns),
        outcome=card.outcome,
        ending=transcript.ending,
        overall=card.overall,
        competencies={name: part.score for name, part in card.competencies.items()},
        heard=card.heard,
        unheard=card.unheard,
    )
