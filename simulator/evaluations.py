"""Suites that trainers run from the pages: one at a time, each in a process of its own, so that calls go on beside it.

A run is a folder of `defuse eval run`, named by when it began; so it outlives this process, and what was stopped can go on.
"""

import atexit
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from filelock import FileLock, Timeout

from simulator.moves import Frozen

LOCK, REPORT = "run.lock", "report.html"  # as eval/runner.py leaves them
_STAMP = "%Y%m%dT%H%M%SZ"
_POLITE = 10  # niceness: a call that somebody takes meanwhile comes first


class EvaluationError(ValueError):
    """What a trainer asked for cannot be done. The message says why and what to do."""


class Rule(Frozen):
    """Something that must hold, and what was seen; None where it was not measured."""

    rule: str
    metric: str
    goal: str
    holds: bool
    seen: float | None


class Run(Frozen):
    """One run of a suite. `most` is the number of cases asked for, None for all; `total` None until the run has counted them.

    `ended` is whether it has its figures; a run that neither ended nor is running was stopped, and `error` says why if it
    stopped by itself.
    """

    suite: str
    began: datetime
    most: int | None = None
    running: bool = False
    ended: bool = False
    done: int = 0
    total: int | None = None
    seconds_left: float | None = None
    failed: int = 0
    rules: tuple[Rule, ...] = ()
    error: str = ""

    @property
    def holds(self) -> bool:
        """Whether all that must hold does, and no case failed that it might not hold for."""
        return self.ended and not self.failed and all(rule.holds for rule in self.rules)


class Evaluations:
    """The runs in `folder`. `options` go to every run: the models and personas of the pages. Safe for several threads."""

    def __init__(self, folder: Path, options: Sequence[str] = ()) -> None:
        self._folder = folder
        self._options = tuple(options)
        self._door = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._now = Path()  # the folder of what runs
        atexit.register(self.stop)

    def running(self) -> str | None:
        """The suite that runs now."""
        return self._now.parent.name if self._process is not None and self._process.poll() is None else None

    def latest(self, suite: str) -> Run | None:
        """The last run of a suite that was begun."""
        folders = self._runs(suite)
        return self._read(folders[-1]) if folders else None

    def report(self, suite: str) -> str | None:
        """The report of the last run that ended, a whole HTML page without scripts."""
        reports = [path for folder in self._runs(suite) if (path := folder / REPORT).is_file()]
        return reports[-1].read_text(encoding="utf-8") if reports else None

    def start(self, suite: str, most: int | None = None, *, go_on: bool = False) -> None:
        """Begin a run of at most `most` cases, or go on with the last. Raises EvaluationError."""
        with self._door:
            if (other := self.running()) is not None:
                raise EvaluationError(
                    f"{other} is running, and one suite at a time is enough for this machine. Stop it first."
                )
            folder = self._place(suite, datetime.now(UTC))
            if go_on:
                last = self.latest(suite)
                if last is None or last.ended or last.running:
                    raise EvaluationError(
                        "There is nothing to go on with: the last run has ended, or somebody has taken it up."
                    )
                folder, most = self._place(suite, last.began), last.most
            self._now = folder
            command = [sys.executable, "-m", "eval", "run", suite, "--out", str(folder), *self._options]
            command += ["--cases", str(most)] if most else []
            try:
                folder.mkdir(parents=True, exist_ok=True)
                (folder / "asked.json").write_text(json.dumps({"most": most}), encoding="utf-8")
                with (folder / "log.txt").open("wb") as log:
                    self._process = subprocess.Popen(  # noqa: S603 (a suite's name and our own options)
                        command,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        env={**os.environ, "COLUMNS": "400"},  # a message on one line
                        start_new_session=True,  # Ctrl+C is for the server, which stops the run in good order
                    )
            except OSError as error:
                raise EvaluationError(f"The run cannot be begun ({error.strerror}). Nothing was changed.") from error
            if hasattr(os, "setpriority"):
                with suppress(OSError):  # it may have ended already
                    os.setpriority(os.PRIO_PROCESS, self._process.pid, _POLITE)

    def stop(self, suite: str | None = None) -> None:
        """Stop what runs, if it is this suite; what it has done is kept."""
        with self._door:
            running = self.running()
            if self._process is not None and running is not None and suite in (None, running):
                self._process.kill()  # every row is on disk when it is done, so there is nothing to tidy up
                self._process.wait()
                (self._now / "log.txt").unlink(missing_ok=True)  # it said nothing of its own accord

    def _place(self, suite: str, began: datetime) -> Path:
        return self._folder / suite / began.strftime(_STAMP)

    def _runs(self, suite: str) -> list[Path]:
        return sorted(path for path in (self._folder / suite).glob("*Z") if path.is_dir())

    def _read(self, folder: Path) -> Run:
        asked, progress, summary = (_json(folder / f"{name}.json") for name in ("asked", "progress", "summary"))
        whole = bool(summary) and (folder / REPORT).is_file()
        running = folder == self._now if self.running() is not None else not whole and _held(folder)
        ended = whole and not running
        counts = summary.get("counts", {}) if ended else {}
        return Run(
            suite=folder.parent.name,
            began=datetime.strptime(folder.name, _STAMP).replace(tzinfo=UTC),
            most=asked.get("most"),
            running=running,
            ended=ended,
            done=sum(counts.values()) if ended else progress.get("done", 0),
            total=progress.get("total"),
            seconds_left=progress.get("seconds_left") if running else None,
            failed=counts.get("failed", 0),
            rules=tuple(Rule.model_validate(rule) for rule in summary.get("must_hold", [])) if ended else (),
            error="" if ended or running else _last_words(folder / "log.txt"),
        )


def _held(folder: Path) -> bool:
    """Whether a process of another server runs there."""
    try:
        with FileLock(folder / LOCK, timeout=0):
            return False
    except Timeout:
        return True
    except OSError:
        return False


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # not there yet, or a disk that was full
        return {}
    return found if isinstance(found, dict) else {}


def _last_words(log: Path) -> str:
    """What a run that ended by itself said last."""
    try:
        lines = [
            line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()
        ]
    except OSError:
        return ""
    return lines[-1][:400] if lines else ""
