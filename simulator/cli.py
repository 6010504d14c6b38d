"""The `defuse` command. Every subcommand is a thin call into the library; a bad input ends with status 1 and a clear line."""

import json
import logging
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from simulator.admin import export, user_app
from simulator.console import clear_errors, errors, stop
from simulator.jsonl import InputError, read_jsonl, write_jsonl
from simulator.judge import MOST_CHARACTERS
from simulator.persona import LIBRARY, Persona, load_persona, load_personas
from simulator.persona_cli import persona_app
from simulator.records import (
    CallRecord,
    ReplyRecord,
    grade_records,
    judgement_json,
    known_persona,
    readings,
    transcript_json,
)
from simulator.ui.app import serve

app = typer.Typer(
    help="Practise calming the customer who is furious for a reason.", no_args_is_help=True, add_completion=False
)
app.add_typer(persona_app, name="persona")
eval_app = typer.Typer(help="Offline evaluation suites.", no_args_is_help=True)
app.add_typer(eval_app, name="eval")
app.add_typer(user_app, name="user")
app.command()(export)

Model = Annotated[
    str, typer.Option("--model", help="Customer: bundled, openai:NAME, a hub id, a folder or a GGUF file.")
]
JudgeModel = Annotated[str, typer.Option("--judge-model", help="Evaluator: bundled, or any model asked by the rubric.")]
BaseUrl = Annotated[
    str | None, typer.Option("--base-url", help="Address of an OpenAI-compatible server, ending in /v1.")
]
Personas = Annotated[Path | None, typer.Option("--personas", help="A folder of persona files to add to the library.")]
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
        chosen = chosen or known_persona(_library(personas), persona, "chat")
        script = _replies(replies) if replies else None
        from simulator.engine import load_engine

        transcript, card = play(chosen, load_engine(model, judge_model, base_url), script, seed, quiet=as_json)
    if as_json:
        typer.echo(json.dumps(transcript_json(transcript, card), ensure_ascii=False))


def _replies(path: Path) -> list[str]:
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); give a UTF-8 file with one reply a line") from error
    if not lines:
        raise InputError(f"{path}: has no replies; write one a line")
    for number, line in enumerate(lines, start=1):
        if len(line) > MOST_CHARACTERS:
            raise InputError(
                f"{path}: reply {number}: is {len(line):,} characters; nobody listens that long. Keep it under "
                f"{MOST_CHARACTERS:,}"
            )
    return lines


@app.command()
def judge(
    source: Input,
    target: Output,
    personas: Personas = None,
    judge_model: JudgeModel = "bundled",
    base_url: BaseUrl = None,
) -> None:
    """Label replies in batches."""
    with clear_errors():
        records = read_jsonl(source, ReplyRecord)
        asked = readings(records, _library(personas))
        from simulator.engine import load_judge

        found = load_judge(judge_model, base_url).judge(asked)
        rows = ({"id": r.id, **judgement_json(j)} for r, j in zip(records, found, strict=True))
        write_jsonl(target, rows)


@app.command("grade")
def grade_command(
    source: Input,
    target: Output,
    personas: Personas = None,
    judge_model: JudgeModel = "bundled",
    base_url: BaseUrl = None,
) -> None:
    """Grade recorded transcripts."""
    with clear_errors():
        records = read_jsonl(source, CallRecord)
        library = _library(personas)
        for record in records:
            known_persona(library, record.persona, f"{source}: id {record.id}")
        from simulator.engine import load_judge

        write_jsonl(target, grade_records(records, library, load_judge(judge_model, base_url)))


@app.command()
def bench() -> None:
    """Measure this machine: first words, whole reply, judging, start, memory."""
    from simulator.bench import run

    with clear_errors():
        run()


@eval_app.callback()
def _eval() -> None:
    """Offline evaluation suites."""


class Executor(StrEnum):
    """Where a suite's models run."""

    LOCAL = "local"
    RAY = "ray"


@eval_app.command("run")
def eval_run(
    suite: Annotated[str, typer.Argument(help="A suite by name (`defuse eval list`), or a suite file.")],
    out: Annotated[Path, typer.Option(help="Folder for the results; a run begun there goes on.")],
    model: Model = "bundled",
    judge_model: JudgeModel = "bundled",
    trainee_model: Annotated[str | None, typer.Option(help="A model that takes calls as a trainee.")] = None,
    base_url: BaseUrl = None,
    personas: Personas = None,
    data: Annotated[
        str | None, typer.Option(help="Recordings (folder, file, hub:OWNER/NAME) or a folder of labelled replies.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(help="A column of the recordings under another name, as turns=dialogue; again for each."),
    ] = None,
    role: Annotated[
        list[str] | None, typer.Option(help="Who a speaker is, as 'Ms Vance=customer' (customer, trainee, skip).")
    ] = None,
    simulator: Annotated[
        str | None, typer.Option(help="Probe another simulator: package.module:make (eval/probes.py).")
    ] = None,
    executor: Annotated[Executor, typer.Option(help="local, or ray: one set of models an actor.")] = Executor.LOCAL,
    actors: Annotated[int, typer.Option(min=1, help="Actors of the ray executor.")] = 2,
    cases: Annotated[int | None, typer.Option(min=1, help="Run only so many cases, spread over all.")] = None,
) -> None:
    """Run a suite and keep its results; status 1 when what must hold does not."""
    from eval.runner import run
    from eval.suite import SuiteError, load_suite
    from eval.work import Options

    with clear_errors():
        try:
            options = Options(
                model=model,
                judge_model=judge_model,
                trainee_model=trainee_model,
                base_url=base_url,
                personas=personas,
                data=data,
                columns=_named(column, "--column"),
                roles=_named(role, "--role"),
                simulator=simulator,
                executor=executor.value,
                actors=actors,
                most_cases=cases,
            )
            holds = run(load_suite(suite), out, options).holds
        except SuiteError as error:
            stop(str(error))
    if not holds:
        raise typer.Exit(1)


def _named(pairs: list[str] | None, option: str) -> dict[str, str]:
    """`name=value` options as a mapping. Raises InputError."""
    found = dict(pair.partition("=")[::2] for pair in pairs or ())
    if bad := [name for name, value in found.items() if not name.strip() or not value.strip()]:
        raise InputError(f"{option} {bad[0]}: write it as name=value")
    return found


@eval_app.command("compare")
def eval_compare(
    a: Annotated[Path, typer.Argument(help="Folder of the first run.")],
    b: Annotated[Path, typer.Argument(help="Folder of the second run, of the same suite.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as one JSON object.")] = False,
) -> None:
    """Say what changed from one run to another, case by case, and whether it is more than chance."""
    from eval.compare import compare, show

    with clear_errors():
        found = compare(a, b)
    if as_json:
        typer.echo(found.model_dump_json())
    else:
        show(found, Console())


@eval_app.command("list")
def eval_list() -> None:
    """The suites that come with Defuse."""
    from eval.suite import load_suite, shipped

    for name in shipped():
        typer.echo(f"{name}: {load_suite(name).about}")


@eval_app.command("schema")
def eval_schema() -> None:
    """Print the JSON Schema of suite files."""
    from eval.suite import suite_json_schema

    typer.echo(suite_json_schema(), nl=False)


def main() -> None:
    """Entry point of the console script."""
    app()


if __name__ == "__main__":
    main()
