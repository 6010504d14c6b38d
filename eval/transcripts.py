"""Recorded conversations as a suite: read one at a time, graded in batches, so memory stays flat."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from eval.grading import grade_recordings
from eval.judging import JudgedOnce
from eval.recorded import Recording, Unreadable, cases
from eval.rows import Failed, RecordedRow, Row
from eval.suite import RecordedSuite, SuiteError, chosen_personas
from eval.work import Case, Measured, Options, figure


class RecordedCase(Case):
    """One conversation, or a record that is none."""

    recording: Recording | Unreadable


class RecordedWork:
    """Every conversation of a source."""

    def __init__(self, suite: RecordedSuite, options: Options, judge: JudgedOnce) -> None:
        self._source = suite.source.model_copy(update={"path": options.data or suite.source.path})
        if not self._source.path:
            raise SuiteError(f"{suite.suite}: source: no path; give --data PATH (a folder, a file, or hub:OWNER/NAME)")
        self._library = chosen_personas("library", options.personas)
        self._judge = judge

    def cases(self) -> Iterator[RecordedCase]:
        """The conversations, as they are read. Raises InputError when the source cannot be."""
        for one in cases(self._source):
            yield RecordedCase(key=one.id, recording=one)

    def run(self, cases: Sequence[RecordedCase]) -> Iterator[Row]:
        """Grade a batch."""
        readable = [case.recording for case in cases if isinstance(case.recording, Recording)]
        for case in cases:
            if isinstance(case.recording, Unreadable):
                yield Failed(case=case.key, kind="recorded", error=case.recording.error)
        for row in grade_recordings(readable, self._library, self._judge):
            yield self.read(row) if row["status"] == "ok" else Failed.model_validate(_only(row, Failed))

    def read(self, row: Mapping[str, Any]) -> RecordedRow:
        """A row as it was written."""
        return RecordedRow.model_validate(row)

    def measure(self, rows: Iterable[Row]) -> Measured:
        """Mean overall score and competencies, and the share of each outcome; resampled by conversation."""
        values: dict[str, list[float]] = defaultdict(list)
        outcomes: Counter[str] = Counter()
        for row in rows:
            if isinstance(row, RecordedRow):
                values["overall"].append(row.overall)
                for name, score in row.competencies.items():
                    values[f"competency.{name}"].append(score)
                outcomes[row.outcome.value] += 1
        metrics = {name: figure(numbers) for name, numbers in values.items()}
        return Measured(metrics=metrics, groups={"outcomes": {k: float(n) for k, n in outcomes.items()}})


def _only(row: Mapping[str, Any], kind: type[Row]) -> dict[str, Any]:
    return {name: row[name] for name in kind.model_fields if name in row}
