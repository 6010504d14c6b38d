"""What the subcommands share: the options that choose models and personas, and how they tell of trouble.

Trouble is a message that says what to do, on standard error, and status 1.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from simulator.database import StorageError
from simulator.exports import ExportError
from simulator.jsonl import InputError
from simulator.judge import JudgeError
from simulator.models.base import ModelError
from simulator.persona import PersonaError
from simulator.ui.app import PortError

Model = Annotated[
    str, typer.Option("--model", help="Customer: bundled, openai:NAME, a hub id, a folder or a GGUF file.")
]
JudgeModel = Annotated[str, typer.Option("--judge-model", help="Evaluator: bundled, or any model asked by the rubric.")]
BaseUrl = Annotated[
    str | None, typer.Option("--base-url", help="Address of an OpenAI-compatible server, ending in /v1.")
]
Personas = Annotated[Path | None, typer.Option("--personas", help="A folder of persona files to add to the library.")]

errors = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)


@contextmanager
def clear_errors() -> Iterator[None]:
    """What a user can mend ends with its message and status 1; anything else is a bug and shows its trace."""
    try:
        yield
    except (PersonaError, InputError, ModelError, JudgeError, StorageError, PortError, ExportError) as error:
        stop(str(error))


def stop(message: str) -> NoReturn:
    """End with a message and status 1."""
    errors.print(message)
    raise typer.Exit(1)
