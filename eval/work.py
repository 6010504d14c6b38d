"""What a suite does, whatever its kind: cases in, rows out, figures over the rows."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import Field

from eval.rows import Failed, Row
from eval.statistics import interval
from simulator.moves import Frozen


class Case(Frozen):
    """One thing to run. `key` is unique in the suite and says what it is, so that two runs can be paired."""

    key: str


class Figure(Frozen):
    """A mean with the bootstrap's middle 95 % and how many values stand behind it."""

    value: float
    low: float
    high: float
    n: int


class Measured(Frozen):
    """Figures over the rows of a run, by name, and counts by group for the tables."""

    metrics: dict[str, Figure]
    groups: dict[str, dict[str, float]] = Field(default_factory=dict)


class Work(Protocol):
    """One kind of suite."""

    def cases(self) -> Iterable[Any]:
        """Every case, a `Case` each, in an order that does not change."""
        ...

    def run(self, cases: Sequence[Any]) -> Iterator[Row]:
        """Run a batch together; each row as its case ends, a `Failed` for one that could not be run."""
        ...

    def read(self, row: Mapping[str, Any]) -> Row:
        """A row of a results file (status ok), as it was written."""
        ...

    def measure(self, rows: Iterable[Row]) -> Measured:
        """Figures over the rows that are ok; no figure where there is nothing to measure."""
        ...


class Options(Frozen):
    """What the command line adds to a suite."""

    model: str = "bundled"
    judge_model: str = "bundled"
    trainee_model: str | None = None
    base_url: str | None = None
    personas: Path | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    roles: dict[str, str] = Field(default_factory=dict)
    data: str | None = None
    simulator: str | None = None
    executor: Literal["local", "ray"] = "local"
    actors: int = Field(default=2, ge=1, le=1024)
    most_cases: int | None = None


def figure(values: Sequence[float], groups: Sequence[Hashable] | None = None) -> Figure:
    """The mean of `values`, resampled by `groups` (a persona, a conversation). Raises ValueError when empty."""
    mean, low, high = interval(values, groups)
    return Figure(value=mean, low=low, high=high, n=len(values))


def failed(case: Case, kind: str, error: Exception) -> Failed:
    """The row of a case that could not be run."""
    return Failed(case=case.key, kind=kind, error=f"{type(error).__name__}: {error}")
