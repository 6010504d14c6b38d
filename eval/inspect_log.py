"""A run as an Inspect AI log, which `inspect view` opens, written with inspect_ai's own classes.

Needs the extra: pip install "defuse[inspect]". The package is imported only here, for it takes seconds.
"""

import asyncio
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.measures import measures
from eval.report import rows_of, summary_of
from simulator.jsonl import InputError

if TYPE_CHECKING:
    from inspect_ai.log import EvalSample
    from inspect_ai.model import ChatMessage

HELD = 500  # samples before they are written out
_APART = {"case", "kind", "status", "error", "turns", "reply", "readings", "lines"}  # the rest of a row is metadata


def write_inspect_log(directory: Path) -> Path:
    """Write `inspect/SUITE.eval` beside the results of a run. Raises InputError without a run or without inspect_ai."""
    try:
        from inspect_ai.log import EvalLog  # noqa: F401
    except ImportError as error:
        raise InputError('The Inspect log needs inspect_ai; install it: pip install "defuse[inspect]"') from error
    summary = summary_of(directory)
    note = summary_of(directory, "run.json") if (directory / "run.json").is_file() else {}
    path = directory / "inspect" / f"{summary['suite']}.eval"
    path.parent.mkdir(exist_ok=True)
    with ThreadPoolExecutor(1) as apart:  # a loop may be running here, as in a notebook
        apart.submit(asyncio.run, _write(directory, path, summary, note)).result()
    return path


async def _write(directory: Path, path: Path, summary: Mapping[str, Any], note: Mapping[str, Any]) -> None:
    """Through Inspect's recorder, as its own runs do: samples go to the file in passing, so memory stays flat."""
    from inspect_ai.log import (
        EvalConfig,
        EvalDataset,
        EvalMetric,
        EvalPlan,
        EvalResults,
        EvalScore,
        EvalSpec,
        EvalStats,
    )
    from inspect_ai.log._recorders.eval import EvalRecorder

    counts = summary["counts"]
    started = note.get("started") or datetime.now(UTC).isoformat()
    ids = [str(row["case"]) for row in rows_of(directory)]
    spec = EvalSpec(
        created=started,
        task=f"defuse/{summary['suite']}",
        task_version=summary["version"],
        dataset=EvalDataset(name=summary["suite"], samples=len(ids), sample_ids=list(ids)),
        model=f"defuse/{next(iter(summary['models'].values()), 'none')}",
        config=EvalConfig(),
        packages={name: str(version) for name, version in note.get("versions", {}).items()},
        metadata={"models": summary["models"], "seed": summary["seed"], "must_hold": summary["must_hold"]},
    )
    metrics = {
        name: EvalMetric(name=name, value=one["value"], metadata={key: one[key] for key in ("low", "high", "n")})
        for name, one in summary["metrics"].items()
    }
    results = EvalResults(
        total_samples=counts["ok"] + counts["failed"],
        completed_samples=counts["ok"],
        scores=[EvalScore(name="defuse", scorer="defuse", scored_samples=counts["ok"], metrics=metrics)],
    )
    recorder = EvalRecorder(str(path.parent))
    await recorder.log_init(spec, str(path), clean=True)
    await recorder.log_start(spec, EvalPlan())
    for number, sample in enumerate(_samples(directory), start=1):
        await recorder.log_sample(spec, sample)
        if number % HELD == 0:
            await recorder.flush(spec)
    stats = EvalStats(started_at=started, completed_at=datetime.now(UTC).isoformat())
    await recorder.log_finish(spec, "success", stats, results, None, header_only=True)


def _samples(directory: Path) -> "Iterator[EvalSample]":
    from inspect_ai._util.error import EvalError
    from inspect_ai.log import EvalSample
    from inspect_ai.scorer import Score

    for row in rows_of(directory):
        failed = row["status"] != "ok"
        said = [] if failed else _messages(row)
        why = str(row.get("error", ""))
        yield EvalSample(
            id=str(row["case"]),
            epoch=1,
            input=str(said[0].text) if said else str(row["case"]),
            target=list(row.get("wanted", ())) or "",
            messages=said,
            scores=None if failed else {name: Score(value=one.value) for name, one in measures(row).items()},
            metadata={"kind": row["kind"], **{key: value for key, value in row.items() if key not in _APART}},
            error=EvalError(message=why, traceback=why, traceback_ansi=why) if failed else None,
        )


def _messages(row: Mapping[str, Any]) -> "list[ChatMessage]":
    """What was said: the customer as the user, the trainee as the assistant who is assessed."""
    from inspect_ai.model import ChatMessageAssistant, ChatMessageUser

    def message(role: str, text: str) -> "ChatMessage":
        return ChatMessageUser(content=text) if role == "customer" else ChatMessageAssistant(content=text)

    match row["kind"]:
        case "call" | "recorded":
            return [message(turn["role"], turn["text"]) for turn in row["turns"]]
        case "line":
            return [message("customer", line["text"]) for line in row["lines"]]
        case "retest":
            return [message("trainee", one["text"]) for one in row["readings"]]
    return [message("trainee", row["reply"])]
