"""What a run is made of: suite, options, models, and the files that it reads. Noted beside its results, so that no run is
gone on with after any of that has changed.
"""

import hashlib
import json
import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from eval.engine import Engines, speaks
from eval.retest import PARAPHRASES
from eval.suite import CallsSuite, Suite, SuiteError
from eval.work import Options
from simulator import anger, reactions
from simulator.persona import LIBRARY
from simulator.session import package_version
from simulator.training.data import DATA


def claim(out: Path, suite: Suite, options: Options, engines: Engines) -> None:
    """Note in `out` what runs here. Raises SuiteError when another run has been begun there."""
    chosen = options.model_dump(mode="json", exclude={"executor", "actors"})
    # Who is named as a speaker stands on a recording, and what stands there is not stored as it is.
    chosen["roles"] = {hashlib.sha256(name.encode()).hexdigest()[:12]: role for name, role in options.roles.items()}
    note = {
        "suite": suite.model_dump(mode="json"),
        "options": chosen,
        "models": models_of(suite, engines),
        "inputs": _inputs(options),
    }
    path = out / "run.json"
    if path.is_file() and _begun(out / "results.jsonl"):
        before = json.loads(path.read_text(encoding="utf-8"))
        for part, wanted in note.items():
            if before.get(part, wanted) != wanted:
                other = "another suite" if part == "suite" else f"other {part}"
                raise SuiteError(f"{out}: holds a run with {other}; give a new folder with --out, or delete it")
        return
    write_json(
        path, {**note, "versions": _versions(), "command": command_line(), "started": datetime.now(UTC).isoformat()}
    )


def _begun(results: Path) -> bool:
    return results.is_file() and results.stat().st_size > 0


# What a run rests on beside models and options; a run is not gone on with after any of it has changed.
_OURS = {
    "library": LIBRARY,
    "labels": DATA / "replies",
    "situations": DATA / "personas",
    "paraphrases": PARAPHRASES,
    "rules": Path(anger.__file__),
    "reactions": reactions.FILE,
}


def _inputs(options: Options) -> dict[str, str]:
    """SHA-256 of all that a run reads, by what it is."""
    places = {**_OURS, "personas": options.personas, "data": Path(options.data) if options.data else None}
    return {name: _digest(place) for name, place in places.items() if place is not None and place.exists()}


def _digest(place: Path) -> str:
    found = hashlib.sha256()
    for path in [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file()):
        found.update(path.relative_to(place).as_posix().encode())
        with path.open("rb") as file:
            found.update(hashlib.file_digest(file, "sha256").digest())
    return found.hexdigest()


def models_of(suite: Suite, engines: Engines) -> dict[str, str]:
    """The models that take part, by their part."""
    named = {"judge": engines.judge.name}
    if speaks(suite) or isinstance(suite, CallsSuite):
        named["customer"] = engines.customer.model.name
    if engines.trainee is not None:
        named["trainee"] = engines.trainee.name
    return named


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    found = {name: version(name) for name in ("torch", "transformers", "datasets", "pydantic")}
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return {"defuse": package_version(), "commit": commit, "python": platform.python_version(), **found}


def command_line() -> str:
    """The command that runs, without the names that it gives to speakers."""
    said = [re.sub(r"^.+(?==(?:customer|trainee|skip)$)", "NAME", word) for word in sys.argv[1:]]
    return " ".join([Path(sys.argv[0]).name, *said])


def write_json(path: Path, data: dict[str, Any]) -> None:
    """Write `data` whole or not at all."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(path)
