"""`defuse persona`: write, check, import and export persona files. No command overwrites a file."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from simulator.cards import CardError, Spec, backfilled, export_card, import_card, read_card
from simulator.cards_png import png_with_cards
from simulator.console import clear_errors, errors
from simulator.draft import at
from simulator.drafts import EDITOR_LINE, slug, template
from simulator.lint import lint
from simulator.persona import (
    LIBRARY,
    Persona,
    PersonaError,
    dump_persona,
    load_persona,
    load_personas,
    parse_persona,
    persona_json_schema,
)

persona_app = typer.Typer(help="Write, check, import and export persona files.", no_args_is_help=True)

Folder = Annotated[Path, typer.Option("--out", help="Folder to write into.")]
_MAX_PICTURE = 20_000_000  # bytes
# What `new --ask` asks, with the field that the answer goes into.
_QUESTIONS = (
    ("name", "Who calls?"),
    ("role", "What are they, in a few words?"),
    ("company", "Which company does the trainee speak for?"),
    ("trainee_role", "What is the trainee there?"),
    ("headline", "The case, in one line"),
    ("opening", "What do they say first?"),
)


class Form(StrEnum):
    """What `export` writes."""

    YAML = "yaml"
    JSON = "json"
    V2 = "v2"
    V3 = "v3"
    PNG = "png"


_ENDS = {Form.YAML: ".yaml", Form.JSON: ".json", Form.V2: ".v2.json", Form.V3: ".v3.json", Form.PNG: ".png"}


@persona_app.command()
def new(
    persona_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the new persona, such as late-delivery.")],
    out: Folder = Path(),
    ask: Annotated[bool, typer.Option("--ask", help="Ask for the first fields, one by one.")] = False,
) -> None:
    """Write a commented example to begin from: a whole persona that can be played as it stands."""
    with clear_errors():
        if slug(persona_id) != persona_id:
            raise PersonaError(
                f"{persona_id!r} cannot be an id: use lower case, digits and hyphens, as {slug(persona_id)!r}"
            )
        path = _free(out / f"{persona_id}.yaml")
        answers = {field: typer.prompt(question) for field, question in _QUESTIONS} if ask else {}
        text = template({"id": persona_id, **answers})
        parse_persona(text, str(path))
        _write_persona(path, text)
    typer.echo(f"{path}: an example; write your own customer over it, then run defuse persona check {path}")


@persona_app.command()
def check(files: Annotated[list[Path], typer.Argument(help="Persona files.")]) -> None:
    """Say what is wrong with persona files, by file and field, and what makes one weak; status 0 when nothing is wrong."""
    bad = 0
    for path in files:
        try:
            persona = load_persona(path)
            typer.echo(f"{path}: good ({persona.name}, {len(persona.story)} story points)")
            for advice in lint(persona):
                typer.echo(f"  weak: {at(advice.at)} {advice.weak}; {advice.do}")
        except PersonaError as error:
            bad += 1
            errors.print(str(error))
    if bad:
        raise typer.Exit(1)


@persona_app.command("import")
def import_(
    card: Annotated[Path, typer.Argument(help="A character card, V2 or V3, as JSON or PNG.")],
    out: Folder = Path(),
) -> None:
    """Make a persona file of a character card: the persona that is in it, or a draft that you finish."""
    with clear_errors():
        read = read_card(card)
        imported = import_card(read, str(card))
        path = _free(out / f"{imported.id}.yaml")
        _write_persona(path, imported.text)
    for note in imported.notes:
        typer.echo(note)
    state = (
        f"good ({imported.persona.name})"
        if imported.persona
        else f"a draft; defuse persona check {path} says what it lacks"
    )
    typer.echo(f"{path}: {state}")


@persona_app.command()
def export(
    persona: Annotated[str, typer.Argument(help="Id of a persona in the library, or a persona file.")],
    form: Annotated[Form, typer.Option("--format", help="yaml, json, a card (v2, v3), or a picture with both cards.")],
    out: Annotated[Path | None, typer.Option(help="File to write; the id with its ending by default.")] = None,
    image: Annotated[Path | None, typer.Option(help="Picture for png: PNG, JPEG or WebP.")] = None,
) -> None:
    """Write a persona in another form. Nothing of it is lost in any of them."""
    with clear_errors():
        if image is not None and form is not Form.PNG:
            raise PersonaError(f"--image goes with --format png; a {form.value} file holds no picture")
        chosen = _chosen(persona)
        path = _free(out or Path(f"{chosen.id}{_ENDS[form]}"))
        if form is Form.YAML:
            _write_persona(path, dump_persona(chosen))
        elif form is Form.PNG:
            _write(path, _picture(chosen, image))
        elif form is Form.JSON:
            _write(path, (chosen.model_dump_json(by_alias=True, exclude_none=True, indent=2) + "\n").encode())
        else:
            _write(path, export_card(chosen, Spec.V2 if form is Form.V2 else Spec.V3).encode())
    typer.echo(str(path))


@persona_app.command()
def schema() -> None:
    """Print the JSON Schema of persona files."""
    typer.echo(persona_json_schema(), nl=False)


def _chosen(persona: str) -> Persona:
    if persona.endswith((".yaml", ".yml")):
        return load_persona(Path(persona))
    library = load_personas(LIBRARY)
    if persona not in library:
        raise PersonaError(f"There is no {persona!r} in the library; give an id of it, or the path of a persona file")
    return library[persona]


def _picture(persona: Persona, image: Path | None) -> bytes:
    cards = {"chara": backfilled(persona), "ccv3": export_card(persona, Spec.V3)}
    try:
        if image is not None and image.stat().st_size > _MAX_PICTURE:
            raise ValueError(f"is larger than {_MAX_PICTURE // 1_000_000} MB; make it smaller first")
        return png_with_cards(cards, persona.name, image.read_bytes() if image is not None else None)
    except (OSError, ValueError) as error:
        raise CardError(f"{image}: {error}") from error


def _free(path: Path) -> Path:
    if path.exists():
        raise PersonaError(f"{path}: exists already and is left as it is; choose another place with --out")
    return path


def _write_persona(path: Path, text: str) -> None:
    """A persona file, and beside it the schema that its first line names, so that editors complete and check it."""
    _write(path, (text if text.startswith(EDITOR_LINE) else EDITOR_LINE + text).encode())
    beside = path.with_name("persona.schema.json")
    if not beside.exists():
        _write(beside, persona_json_schema().encode())


def _write(path: Path, content: bytes) -> None:
    """Write a new file, whole or not at all."""
    begun = False
    try:
        with path.open("xb") as file:
            begun = True
            file.write(content)
    except OSError as error:
        if begun:
            path.unlink()
        raise PersonaError(
            f"{path}: cannot be written ({error.strerror}); free some space or choose another place with --out"
        ) from error
