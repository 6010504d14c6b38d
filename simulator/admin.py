"""`defuse user` and `defuse export`: for whoever runs Defuse for others, at the machine that has the database."""

import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from simulator import exports
from simulator.accounts import Accounts, Role, accounts_of
from simulator.console import clear_errors, errors, stop
from simulator.exports import ExportError
from simulator.people import names
from simulator.persona import LIBRARY, Persona, load_personas
from simulator.review import ReviewedCall
from simulator.reviews import Choice, Reviews
from simulator.storage import Store
from simulator.ui.app import default_database

user_app = typer.Typer(
    help="Accounts. DEFUSE_AUTH says where they are: 1 for the database of the calls (the default here), or a file.",
    no_args_is_help=True,
)

DatabaseUrl = Annotated[str | None, typer.Option("--database", help="Database URL; SQLite in your folder by default.")]
Name = Annotated[str, typer.Argument(help="Name to log in with.")]


def _accounts(database: str | None) -> Accounts:
    return _accounts_beside(Store(database or default_database()))


def _accounts_beside(store: Store) -> Accounts:
    return accounts_of(os.environ.get("DEFUSE_AUTH", ""), store.database) or Accounts(store.database)


def _password() -> str:
    """Typed twice at a terminal; the first line of standard input otherwise. Never an argument: those are seen by all."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().rstrip("\n")


@user_app.command("add")
def add_user(
    name: Name,
    role: Annotated[Role, typer.Option(help="A trainee sees their own calls, a trainer everyone's.")],
    database: DatabaseUrl = None,
) -> None:
    """Make an account. The password is asked for, or read from standard input."""
    with clear_errors():
        _accounts(database).add(name, role, _password())
    typer.echo(f"{name} may log in as a {role.value}, when the app runs with DEFUSE_AUTH set.")


@user_app.command("list")
def list_users(database: DatabaseUrl = None) -> None:
    """Names and roles."""
    with clear_errors():
        found = _accounts(database).all()
    for account in found:
        typer.echo(f"{account.name}\t{account.role.value}")
    if not found:
        errors.print("No accounts yet. Make one: defuse user add NAME --role trainer")


@user_app.command("remove")
def remove_user(name: Name, database: DatabaseUrl = None) -> None:
    """Forget an account and end its logins. Its calls stay, without a name."""
    with clear_errors():
        _accounts(database).remove(name)


@user_app.command("password")
def set_password(name: Name, database: DatabaseUrl = None) -> None:
    """Change a password, and end the logins that used the old one."""
    with clear_errors():
        _accounts(database).set_password(name, _password())


class Form(StrEnum):
    """What a call is exported as."""

    MARKDOWN = "markdown"
    JSON = "json"
    CSV = "csv"
    XAPI = "xapi"


def export(
    calls: Annotated[
        list[str] | None, typer.Argument(help="Ids of calls; every graded call when none is given.")
    ] = None,
    form: Annotated[Form, typer.Option("--format", help="What to write.")] = Form.JSON,
    out: Annotated[Path | None, typer.Option(help="File to write; standard output by default.")] = None,
    lrs: Annotated[str | None, typer.Option(help="Send xAPI statements to this record store instead.")] = None,
    lrs_user: Annotated[str, typer.Option(envvar="DEFUSE_LRS_USER", help="Name there.")] = "",
    home: Annotated[
        str, typer.Option(help="xAPI: address of the system in which trainees have their names.")
    ] = "http://localhost/defuse",
    personas: Annotated[Path | None, typer.Option("--personas", help="A folder of persona files to add.")] = None,
    database: DatabaseUrl = None,
) -> None:
    """Export calls with the trainer's word beside the evaluator's. The record store's password is in DEFUSE_LRS_PASSWORD."""
    with clear_errors():
        store = Store(database or default_database())
        reviews = Reviews(store.database)
        wanted = [reviews.open(one) for one in calls] if calls else _graded(reviews)
        if not wanted:
            stop("No call has been graded yet, so there is nothing to export.")
        known = names(_accounts_beside(store), {call.owner for call in wanted})
        library = load_personas(LIBRARY, *([personas] if personas else []))
        pairs = [(call, known[call.owner]) for call in wanted]
        if lrs:
            statements = _statements(pairs, library, home)
            exports.send(statements, lrs, lrs_user, os.environ.get("DEFUSE_LRS_PASSWORD", ""))
            errors.print(f"{len(statements)} sent to {lrs}")
            return
        text = _text(form, pairs, library, home)
        if out is None:
            typer.echo(text, nl=False)
            return
        try:
            out.write_text(text, encoding="utf-8")
        except OSError as error:
            raise ExportError(f"{out} cannot be written ({error.strerror}). Choose another file.") from error


def _graded(reviews: Reviews) -> list[ReviewedCall]:
    return [call for call in reviews.find(Choice()).calls if call.scorecard is not None]


def _statements(pairs: list[tuple[ReviewedCall, str]], library: dict[str, Persona], home: str) -> list[dict[str, Any]]:
    return [exports.statement(call, who, library.get(call.transcript.persona), home) for call, who in pairs]


def _text(form: Form, pairs: list[tuple[ReviewedCall, str]], library: dict[str, Persona], home: str) -> str:
    """One object for one call, a list for several; Markdown one after another."""
    if form is Form.CSV:
        return exports.csv_text(pairs)
    if form is Form.MARKDOWN:
        return "\n".join(exports.markdown(call, library.get(call.transcript.persona)) for call, _ in pairs)
    if form is Form.XAPI:
        return json.dumps(_statements(pairs, library, home), ensure_ascii=False, indent=2) + "\n"
    found = [exports.as_json(call, who) for call, who in pairs]
    return (found[0] if len(found) == 1 else "[\n" + ",\n".join(found) + "\n]") + "\n"
