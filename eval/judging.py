"""Judges replies in batches, each reply once: a run that was killed finds its judgements again beside its results."""

import hashlib
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Self

from simulator.judge import Judge, JudgeError, Reading
from simulator.models.base import ModelError
from simulator.moves import Judgement
from simulator.persona import Persona


class JudgedOnce:
    """A judge with a memory on disk (SQLite, a file of its own), so memory stays flat. Not shared between threads.

    A judge on a server gets readings by themselves, `at_once` at the same time; any other gets whole batches.
    """

    def __init__(self, judge: Judge, path: Path, at_once: int = 1) -> None:
        self._judge = judge
        self._at_once = at_once
        self.name = judge.name
        self.asked = 0  # readings that went to the model
        self._memory = sqlite3.connect(path)
        self._memory.execute("CREATE TABLE IF NOT EXISTS judgement (reading BLOB PRIMARY KEY, text TEXT) WITHOUT ROWID")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._memory.close()

    def __contains__(self, reading: Reading) -> bool:
        """Whether this reading has been judged."""
        found = self._memory.execute("SELECT 1 FROM judgement WHERE reading = ?", (self._key(reading),))
        return found.fetchone() is not None

    def judge(self, readings: Sequence[Reading]) -> list[Judgement]:
        """One judgement for each reading, in order. Raises JudgeError or ModelError."""
        found = self.each(readings)
        for one in found:
            if isinstance(one, JudgeError | ModelError):
                raise one
        return [one for one in found if isinstance(one, Judgement)]

    def afresh(self, readings: Sequence[Reading]) -> list[Judgement | JudgeError | ModelError]:
        """As `each`, past the memory: for asking the same thing twice."""
        return self._answers(list(readings))

    def each(self, readings: Sequence[Reading]) -> list[Judgement | JudgeError | ModelError]:
        """As `judge`, but a reading that cannot be judged gives its error and harms no other."""
        keys = [self._key(reading) for reading in readings]
        known: dict[bytes, Judgement | JudgeError | ModelError] = {}
        for key in set(keys):
            row = self._memory.execute("SELECT text FROM judgement WHERE reading = ?", (key,)).fetchone()
            if row is not None:
                known[key] = Judgement.model_validate_json(row[0])
        new = {key: reading for key, reading in zip(keys, readings, strict=True) if key not in known}
        answers = dict(zip(new, self._answers(list(new.values())), strict=True))
        rows = [(key, one.model_dump_json()) for key, one in answers.items() if isinstance(one, Judgement)]
        with self._memory:
            self._memory.executemany("INSERT OR REPLACE INTO judgement VALUES (?, ?)", rows)
        known |= answers
        return [known[key] for key in keys]

    def _answers(self, readings: list[Reading]) -> list[Judgement | JudgeError | ModelError]:
        """The batch together; when it fails, one by one, so that only what is at fault fails."""
        if not readings:
            return []
        self.asked += len(readings)
        if self._at_once > 1:
            with ThreadPoolExecutor(self._at_once) as pool:
                return list(pool.map(self._alone, readings))
        try:
            found = self._judge.judge(readings)
            if len(found) != len(readings):
                raise JudgeError(f"{self.name} gave {len(found)} judgements for {len(readings)} replies")
            return list(found)
        except (JudgeError, ModelError) as error:
            if len(readings) == 1:
                return [error]
            self.asked -= len(readings)
            return [answer for reading in readings for answer in self._answers([reading])]

    def _alone(self, reading: Reading) -> Judgement | JudgeError | ModelError:
        try:
            (found,) = self._judge.judge([reading])
        except (JudgeError, ModelError) as error:
            return error
        return found

    def _key(self, reading: Reading) -> bytes:
        said = reading.model_dump_json(exclude={"persona"})
        persona = _digest(reading.persona) if reading.persona else ""
        return hashlib.sha256(f"{self.name}\n{persona}\n{said}".encode()).digest()


@lru_cache(maxsize=4096)
def _digest(persona: Persona) -> str:
    return hashlib.sha256(persona.model_dump_json().encode()).hexdigest()
