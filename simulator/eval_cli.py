"""`defuse eval`, which is also `python -m eval`: run a suite, compare two runs, see which suites there are."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from simulator.console import BaseUrl, JudgeModel, Model, Personas, clear_errors, stop
from simulator.jsonl import InputError

eval_app = typer.Typer(help="Offline evaluation suites.", no_args_is_help=True)


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
