"""Recorded conversations as a suite: read one at a time, graded in batches, so memory stays flat."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from scipy.stats import spearmanr

from eval.grading import grade_recordings
from eval.judging import JudgedOnce
from eval.recorded import Columns, Recording, Source, Unreadable, cases, count
from eval.rows import Failed, RecordedRow, Row
from eval.statistics import bootstrap
from eval.suite import RecordedSuite, SuiteError, chosen_personas
from eval.work import Case, Figure, Measured, Options, figure
from simulator.anger import Outcome


class RecordedCase(Case):
    """One conversation, or a record that is none."""

    recording: Recording | Unreadable


class RecordedWork:
    """Every conversation of a source."""

    def __init__(self, suite: RecordedSuite, options: Options, judge: JudgedOnce) -> None:
        given = suite.source.model_dump()
        given["columns"] |= options.columns
        given["roles"] |= options.roles
        try:
            self._source = Source.model_validate(given | {"path": options.data or suite.source.path})
        except ValidationError as error:
            raise SuiteError(f"{suite.suite}: source: {_amiss(error)}") from error
        if not self._source.path:
            raise SuiteError(f"{suite.suite}: source: no path; give --data PATH (a folder, a file, or hub:OWNER/NAME)")
        self._library = chosen_personas("library", options.personas)
        self._judge = judge

    def cases(self) -> Iterator[RecordedCase]:
        """The conversations, as they are read. Raises InputError when the source cannot be."""
        for one in cases(self._source):
            yield RecordedCase(key=one.id, recording=one)

    def count(self) -> int | None:
        """How many conversations there are; None where reading them all first would cost too much."""
        return count(self._source)

    def run(self, cases: Sequence[RecordedCase]) -> Iterator[Row]:
        """Grade a batch."""
        readable = [case.recording for case in cases if isinstance(case.recording, Recording)]
        for case in cases:
            if isinstance(case.recording, Unreadable):
                yield Failed(case=case.key, kind="recorded", error=case.recording.error)
        yield from grade_recordings(readable, self._library, self._judge)

    def read(self, row: Mapping[str, Any]) -> RecordedRow:
        """A row as it was written."""
        return RecordedRow.model_validate(row)

    def measure(self, rows: Iterable[Row]) -> Measured:
        """Mean overall score and competencies, the share of each outcome, and how they go with the source's own scores
        (Spearman's rank correlation, mean distance in points, same outcome); resampled by conversation."""
        values: dict[str, list[float]] = defaultdict(list)
        outcomes: Counter[str] = Counter()
        scored: list[tuple[float, float]] = []
        for row in rows:
            if isinstance(row, RecordedRow):
                values["overall"].append(row.overall)
                for name, score in row.competencies.items():
                    values[f"competency.{name}"].append(score)
                for outcome in Outcome:
                    values[f"outcome.{outcome.value}"].append(row.outcome is outcome)
                outcomes[row.outcome.value] += 1
                if row.reference.score is not None:
                    scored.append((row.reference.score, row.overall))
                    values["reference.distance"].append(abs(row.reference.score - row.overall))
                if row.reference.outcome is not None:
                    values["reference.same_outcome"].append(row.reference.outcome == row.outcome.value)
        metrics = {name: figure(numbers) for name, numbers in values.items()}
        if len({a for a, _ in scored}) > 1 and len({b for _, b in scored}) > 1:
            low, high = bootstrap(scored, _ranks, least=-1.0)
            metrics["reference.rank_correlation"] = Figure(value=_ranks(scored), low=low, high=high, n=len(scored))
        return Measured(metrics=metrics, groups={"outcomes": {k: float(n) for k, n in outcomes.items()}})


def _ranks(pairs: Sequence[tuple[float, float]]) -> float:
    a, b = zip(*pairs, strict=True)
    if len(set(a)) == 1 or len(set(b)) == 1:
        return 0.0  # a draw in which all are the same has no order
    return float(spearmanr(a, b).statistic)


def _amiss(error: ValidationError) -> str:
    """The first mistake of a source, in the words of the command line."""
    first = error.errors(include_url=False)[0]
    part, *name = map(str, first["loc"])
    if part == "columns" and first["type"] == "extra_forbidden":
        return f"there is no column {name[0]!r} to map; choose from: {', '.join(Columns.model_fields)}"
    if part == "roles":
        return f"speaker {name[0]!r} is called {first['input']!r}; say customer, trainee or skip"
    return f"{'.'.join([part, *name])}: {first['msg']}"
