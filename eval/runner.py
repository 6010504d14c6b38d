"""Runs a suite by name and keeps its results."""

import json
from pathlib import Path
from typing import Any

from rich.console import Console

SUITES = ("evaluator", "agreement")


def run(suite: str, out: Path, judge_model: str, base_url: str | None, outside_data: Path | None) -> None:
    """Run `suite` and write `summary.json` into `out`. Raises ValueError for an unknown suite."""
    if suite not in SUITES:
        raise ValueError(f"There is no suite {suite!r}; choose one of: {', '.join(SUITES)}")
    out.mkdir(parents=True, exist_ok=True)
    summary = _agreement() if suite == "agreement" else _evaluator(judge_model, base_url, outside_data)
    (out / "summary.json").write_text(json.dumps({"suite": suite, **summary}, indent=1) + "\n")
    Console().print(f"Written to {out / 'summary.json'}")


def _agreement() -> dict[str, Any]:
    from eval.agreement import agreement
    from eval.report import show_agreement
    from simulator.training.data import replies, second_labels

    everything = {item.id: item for split in ("train", "validation", "test") for item in replies(split)}
    found = agreement(everything, second_labels())
    show_agreement(found, Console())
    return found.model_dump(mode="json")


def _evaluator(judge_model: str, base_url: str | None, outside_data: Path | None) -> dict[str, Any]:
    from eval.evaluator import evaluate, outside
    from eval.report import show, show_scorecard
    from eval.scorecard import compare
    from simulator.engine import load_judge
    from simulator.persona import load_personas
    from simulator.training.data import DATA, replies, situations

    judge = load_judge(judge_model, base_url)
    sets = {"validation": replies("validation"), "test": replies("test")}
    if outside_data is not None:
        sets["outside"] = outside(outside_data)
    reports = {}
    for name, items in sets.items():
        reports[name] = evaluate(judge, items)
        show(name, reports[name], Console())
    calls = {"test": (DATA / "transcripts" / "test.jsonl", situations())}
    if outside_data is not None and (outside_data / "transcripts.jsonl").is_file():
        calls["outside"] = (outside_data / "transcripts.jsonl", load_personas(outside_data / "personas"))
    scorecards = {name: compare(judge, path, personas) for name, (path, personas) in calls.items()}
    show_scorecard(scorecards, Console())
    graded = {name: found.model_dump(mode="json") for name, found in scorecards.items()}
    return {
        "scorecards": graded,
        "judge": judge.name,
        "sets": {name: report.model_dump(mode="json") for name, report in reports.items()},
    }
