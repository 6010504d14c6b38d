"""What `defuse judge` and `grade` have judged lies beside their output until that is whole, so the same command goes on.

An hour of a remote model's answers is worth keeping. The output itself is still written whole or not at all.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from eval.judging import JudgedOnce
from simulator.console import errors
from simulator.jsonl import InputError
from simulator.judge import Judge, PromptedJudge, Reading
from simulator.moves import Judgement

BATCH = 256  # replies that are judged, then kept, together: a few seconds of the bundled evaluator


class KeptJudge:
    """A judge whose judgements are on disk as soon as they are made. It says on standard error how far it is."""

    def __init__(self, memory: JudgedOnce, batch: int) -> None:
        self.name = memory.name
        self.kept = self.total = 0  # of the replies that were asked for last
        self._memory = memory
        self._batch = batch

    def judge(self, readings: Sequence[Reading]) -> list[Judgement]:
        """One judgement for each reading, in order. Raises JudgeError or ModelError."""
        return list(self.each(readings))

    def each(self, readings: Sequence[Reading]) -> Iterator[Judgement]:
        """As `judge`, but when all are judged they come back from the disk one by one, so memory stays flat."""
        self._judge_the_rest(readings)
        return (found for reading in readings for found in self._memory.judge([reading]))

    def _judge_the_rest(self, readings: Sequence[Reading]) -> None:
        left = [reading for reading in readings if reading not in self._memory]
        self.total, self.kept = len(readings), len(readings) - len(left)
        if self.kept:
            errors.print(f"Going on after {self.kept:,} of {self.total:,} replies.")
        columns = (TextColumn("replies"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
            bar = progress.add_task("", total=self.total, completed=self.kept)
            for start in range(0, len(left), self._batch):
                batch = left[start : start + self._batch]
                try:
                    self._memory.judge(batch)
                finally:  # of a batch in which one fails the others are kept
                    self.kept += sum(reading in self._memory for reading in batch)
                progress.update(bar, completed=self.kept)


@contextmanager
def kept_beside(target: Path, judge: Judge) -> Iterator[KeptJudge]:
    """`judge` with a memory in `TARGET.part`, which goes when the work in this block is done and stays when it breaks off.

    A judgement is found again by judge, persona, history and reply, so whatever was changed meanwhile is judged anew. The
    file quotes what people said and is its owner's alone. Raises InputError when it cannot be written or is none of ours.
    """
    path = target.resolve()  # beside what a link points at, where the output is written too
    part = path.with_name(f"{path.name}.part")
    found = part.exists()
    kept: KeptJudge | None = None
    try:
        if not found:
            part.touch(0o600)
        with JudgedOnce(judge, part) as memory:
            one_by_one = isinstance(judge, PromptedJudge)  # it asks so anyway, and each answer may have been paid for
            kept = KeptJudge(memory, 1 if one_by_one else BATCH)
            yield kept
    except BaseException as error:  # Ctrl-C too: whatever broke it off, what was judged stays
        if kept and kept.kept:
            count = f"{kept.kept:,} of {kept.total:,} replies"
            errors.print(f"{count} are judged and kept in {part.name}; the same command goes on from there.")
        elif not found:
            part.unlink(missing_ok=True)
        if isinstance(error, sqlite3.OperationalError):
            raise InputError(f"{target}: cannot be written ({error}); nothing was changed there") from error
        if isinstance(error, sqlite3.DatabaseError):
            raise InputError(f"{part}: holds no judgements ({error}); move it, or give another output file") from error
        raise
    part.unlink()
