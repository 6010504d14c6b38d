"""What a section of a report is made of: figures, and the worst cases with their words.

Rows are read as they lie in the file, one at a time; only numbers and the worst cases are kept.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from markupsafe import Markup

Row = Mapping[str, Any]
WORST = 8  # cases shown in full


class Figure(NamedTuple):
    """One plot with its title and a sentence that says what it shows."""

    title: str
    says: str
    svg: Markup
    wide: bool = False


class Line(NamedTuple):
    """One line of a case; `anger` is the level after it."""

    who: str
    text: str
    anger: float | None = None
    note: str = ""


class Case(NamedTuple):
    """A case with its words, and why it is shown."""

    title: str
    why: str
    lines: list[Line]


class Section(NamedTuple):
    """What the report says about one kind of row."""

    title: str
    figures: list[Figure]
    cases: list[Case]
    cases_are: str


class Worst:
    """The few rows with the highest badness, whole; the rest go by."""

    def __init__(self) -> None:
        self._kept: list[tuple[float, int, Row]] = []
        self._seen = 0

    def take(self, badness: float, row: Row) -> None:
        self._seen += 1
        item = (badness, -self._seen, row)
        (heapq.heappush if len(self._kept) < WORST else heapq.heappushpop)(self._kept, item)

    def rows(self) -> list[Row]:
        return [row for _, _, row in sorted(self._kept, key=lambda item: item[:2], reverse=True)]


class Gathers(Protocol):
    """What the report says about one kind of row, gathered row by row."""

    def take(self, row: Row) -> None:
        """Note one row."""
        ...

    def done(self) -> Section:
        """What all of them come to."""
        ...


def sections(rows: Iterable[Row], kinds: Mapping[str, Callable[[], Gathers]]) -> list[Section]:
    """A section for each kind of row that there is, in the order of `kinds`. Failed rows are passed over."""
    found = {kind: make() for kind, make in kinds.items()}
    used = set()
    for row in rows:
        if row["status"] == "ok" and row["kind"] in found:
            found[row["kind"]].take(row)
            used.add(row["kind"])
    return [section.done() for kind, section in found.items() if kind in used]
