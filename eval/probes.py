"""Single lines said to a customer at a given anger: canned empathy and attacks, against this simulator or any other."""

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from eval.judging import JudgedOnce
from eval.rows import ProbeRow, Row
from eval.suite import ProbesSuite, SuiteError
from eval.work import Case, Measured, Options, failed, figure
from simulator.anger import State, opening_state, react
from simulator.judge import JudgeError, Reading
from simulator.models.base import ModelError
from simulator.moves import Move
from simulator.persona import Persona
from simulator.transcript import Role


class Conversation(Protocol):
    """One customer of a simulator, waiting for a reply."""

    def reply(self, text: str) -> float:
        """Say `text` to the customer; the anger after it, 0 to 10. Raises ModelError when there is no answer."""
        ...


class Simulator(Protocol):
    """What any other simulator has to offer to be probed: `--simulator package.module:make`, `make()` giving one."""

    def start(self, persona: Persona, history: Sequence[tuple[Role, str]], anger: float) -> Conversation:
        """A customer after `history` (the customer spoke last) who is this angry, 0 to 10. Raises ModelError."""
        ...


class ProbeCase(Case):
    """One line, to one customer, after what was said before."""

    persona: Persona
    group: str
    history: tuple[tuple[Role, str], ...]
    reply: str
    anger: float


class ProbesWork:
    """Every line against every persona at every anger."""

    def __init__(self, suite: ProbesSuite, personas: dict[str, Persona], options: Options, judge: JudgedOnce) -> None:
        self._suite = suite
        self._personas = personas
        self._judge = judge
        self._other = _simulator(options.simulator) if options.simulator else None

    def cases(self) -> Iterator[ProbeCase]:
        """Lines x personas x angers, then the labelled attacks x angers."""
        for persona in self._personas.values():
            history: tuple[tuple[Role, str], ...] = (("customer", persona.opening),)
            for number, line in enumerate(self._suite.lines, start=1):
                yield from self._at_each_anger(f"{persona.id}/{number:03}", persona, "lines", history, line)
        for split in self._suite.replies:
            from simulator.training.data import replies

            for item in replies(split):
                persona_ = item.reading.persona
                if persona_ and item.kind == "attack" and Move.SPECIFIC_EMPATHY not in item.moves:
                    reading = item.reading
                    yield from self._at_each_anger(item.id, persona_, split, reading.history, reading.reply)

    def _at_each_anger(
        self, key: str, persona: Persona, group: str, history: tuple[tuple[Role, str], ...], line: str
    ) -> Iterator[ProbeCase]:
        for anger in self._suite.angers:
            yield ProbeCase(
                key=f"{key}/{anger:g}", persona=persona, group=group, history=history, reply=line, anger=anger
            )

    def run(self, cases: Sequence[ProbeCase]) -> Iterator[Row]:
        """Say each line; a row for each."""
        if self._other is not None:
            yield from (self._elsewhere(self._other, case) for case in cases)
            return
        readings = [Reading(persona=case.persona, history=case.history, reply=case.reply) for case in cases]
        for case, judgement in zip(cases, self._judge.each(readings), strict=True):
            if isinstance(judgement, JudgeError | ModelError):
                yield failed(case, "probe", judgement)
                continue
            after = react(case.persona, self._state(case), judgement).state.anger
            yield _row(case, after, tuple(judgement.present), judgement.uncertain)

    def _state(self, case: ProbeCase) -> State:
        told = opening_state(case.persona).told
        if self._suite.story == "told":
            told = tuple(point.id for point in case.persona.story)
        return State(anger=case.anger, told=told, replies=1)

    def _elsewhere(self, simulator: Simulator, case: ProbeCase) -> Row:
        try:
            return _row(case, simulator.start(case.persona, case.history, case.anger).reply(case.reply))
        except ModelError as error:
            return failed(case, "probe", error)

    def read(self, row: Mapping[str, Any]) -> ProbeRow:
        """A row as it was written."""
        return ProbeRow.model_validate(row)

    def measure(self, rows: Iterable[Row]) -> Measured:
        """The share that fell, the mean change in points, and the share that rose, over all and by group. Resampled by
        persona."""
        values: dict[str, list[ProbeRow]] = defaultdict(list)
        for row in rows:
            if isinstance(row, ProbeRow):
                slim = row.model_copy(update={"reply": ""})
                values["all"].append(slim)
                values[row.group].append(slim)
        metrics, groups = {}, {}
        for group, mine in values.items():
            personas = [row.persona for row in mine]
            change = [row.anger_after - row.anger_before for row in mine]
            metrics[f"fell.{group}"] = figure([row.fell for row in mine], personas)
            metrics[f"rose.{group}"] = figure([by > 0 for by in change], personas)
            metrics[f"change.{group}"] = figure(change, personas)
            groups[group] = {"said": float(len(mine)), "fell": float(sum(row.fell for row in mine))}
        return Measured(metrics=metrics, groups=groups)


def _row(case: ProbeCase, after: float, present: tuple[str, ...] = (), uncertain: bool = False) -> ProbeRow:
    return ProbeRow(
        case=case.key,
        persona=case.persona.id,
        group=case.group,
        anger_before=case.anger,
        anger_after=round(after, 3),
        reply=case.reply,
        present=present,
        uncertain=uncertain,
        fell=after < case.anger,
    )


def _simulator(name: str) -> Simulator:
    """The simulator that `package.module:make` gives. Raises SuiteError."""
    module, _, maker = name.partition(":")
    sys.path.insert(0, str(Path.cwd()))  # where the command is given, which a console script does not look in
    try:
        found: Simulator = getattr(import_module(module), maker)()
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        raise SuiteError(
            f"--simulator {name}: {error}; give package.module:make, where make() is a Simulator"
        ) from error
    return found
