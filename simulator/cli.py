"""The `defuse` command. Every subcommand is a thin call into the library; a bad input ends with status 1 and a clear line."""

import json
import logging
from pathlib import Path
from typing import Annotated

import typer

from simulator.admin import export, user_app
from simulator.console import BaseUrl, JudgeModel, Model, Personas, clear_errors, errors, stop
from simulator.eval_cli import eval_app
from simulator.jsonl import InputError, check_writable, read_jsonl, write_jsonl
from simulator.judge import MOST_CHARACTERS
from simulator.kept import kept_beside
from simulator.persona import LIBRARY, Persona, load_persona, load_personas
from simulator.persona_cli import persona_app
from simulator.records import (
    CallRecord,
    ReplyRecord,
    gradable,
    grade_records,
    judgement_json,
    known_persona,
    readings,
    transcript_json,
)
from simulator.ui.app import serve

__all__ = ["app", "eval_app", "main"]  # `python -m eval` takes its commands from here

app = typer.Typer(
    help="Practise calming the customer who is furious for a reason.", no_args_is_help=True, add_completion=False
)
app.add_typer(persona_app, name="persona")
app.add_typer(eval_app, name="eval")
app.add_typer(user_app, name="user")
app.command()(export)

Input = Annotated[Path, typer.Argument(help="JSON lines to read.")]
Output = Annotated[Path, typer.Argument(help="JSON lines to write.")]


def _library(folder: Path | None) -> dict[str, Persona]:
    return load_personas(LIBRARY, *([folder] if folder else []))


@app.command("app")
def open_app(
    model: Model = "bundled",
    judge_model: JudgeModel = "bundled",
    base_url: BaseUrl = None,
    personas: Personas = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="PORT", help="Port to listen on.")] = 7860,
    database: Annotated[str | None, typer.Option(help="Database URL; SQLite in your folder by default.")] = None,
) -> None:
    """Open the practice pages in the browser."""
    with clear_errors():
        serve(model, judge_model, base_url, personas, host, port, database)


@app.command()
def setup() -> None:
    """Fetch and verify the bundled weights, once; afterwards the network is not needed."""
    from simulator.models.bundled import BUNDLES, ensure

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with clear_errors():
        for bundle in BUNDLES:
            errors.print(f"{bundle.name}: {ensure(bundle)}")


@app.command()
def chat(
    persona: Annotated[str, typer.Argument(help="Id of a persona in the library, or a persona file.")],
    replies: Annotated[Path | None, typer.Option(help="Play these replies, one a line, instead of asking.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed and replies give the same call.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole call as one JSON object.")] = False,
    model: Model = "bundled",
    judge_model: JudgeModel = "bundled",
    base_url: BaseUrl = None,
    personas: Personas = None,
) -> None:
    """A call in the terminal, or from a file of replies."""
    from simulator.terminal import play

    with clear_errors():
        chosen = load_persona(Path(persona)) if persona.endswith((".yaml", ".yml")) else None
        chosen = chosen or known_persona(_library(personas), persona)
        script = _replies(replies) if replies else None
        from simulator.engine import load_engine

        played = play(chosen, load_engine(model, judge_model, base_url), script, seed, quiet=as_json)
    if as_json:
        typer.echo(json.dumps(transcript_json(played.transcript, played.scorecard), ensure_ascii=False))
    if played.trouble:
        stop(played.trouble)


def _replies(path: Path) -> list[str]:
    try:
        read = path.read_text(encoding="utf-8-sig").split("\n")  # not splitlines: a reply may hold odd separators
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); give a UTF-8 file with one reply a line") from error
    lines = {number: line.strip() for number, line in enumerate(read, start=1) if line.strip()}
    if not lines:
        raise InputError(f"{path}: has no replies; write one a line")
    for number, line in lines.items():
        if len(line) > MOST_CHARACTERS:
            raise InputError(
                f"{path}: line {number}: is {len(line):,} characters; nobody listens that long. Keep it under "
                f"{MOST_CHARACTERS:,}"
            )
    return list(lines.values())


@app.command()
def judge(
    source: Input,
    target: Output,
    personas: Personas = None,
    judge_model: JudgeModel = "bundled",
    base_url: BaseUrl = None,
) -> None:
    """Label replies in batches. Broken off, it goes on when it is called again."""
    with clear_errors():
        check_writable(target)
        library = _library(personas)
        records = read_jsonl(source, ReplyRecord, lambda one: one.persona and known_persona(library, one.persona))
        asked = readings(records, library)
        from simulator.engine import load_judge

        with kept_beside(target, load_judge(judge_model, base_url)) as evaluator:
            found = evaluator.each(asked)
            write_jsonl(target, ({"id": r.id, **judgement_json(j)} for r, j in zip(records, found, strict=True)))


@app.command("grade")
def grade_command(
    source: Input,
    target: Output,
    personas: Personas = None,
    judge_model: JudgeModel = "bundled",
    base_url: BaseUrl = None,
) -> None:
    """Grade recorded transcripts. Broken off, it goes on when it is called again."""
    with clear_errors():
        check_writable(target)
        library = _library(personas)
        records = read_jsonl(source, CallRecord, lambda one: gradable(one, library))
        from simulator.engine import load_judge

        with kept_beside(target, load_judge(judge_model, base_url)) as evaluator:
            write_jsonl(target, grade_records(records, library, evaluator))


@app.command()
def bench() -> None:
    """Measure this machine: first words, whole reply, judging, start, memory."""
    from simulator.bench import run

    with clear_errors():
        run()


def main() -> None:
    """Entry point of the console script."""
    app()


if __name__ == "__main__":
    main()
