"""README and docs say what is there: paths, commands with their options, the tree, libraries, suites, customers."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest
import typer

from eval.suite import shipped
from simulator.cli import app
from simulator.persona import load_personas

ROOT = Path(__file__).resolve().parent.parent
PAGES = {path: path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}
README = PAGES[ROOT / "README.md"]
TREE = README.split("## The tree")[1].split("```")[1]
FOLDERS = ("simulator", "simulator/models", "simulator/training", "simulator/ui", "eval")
LINKS = sorted({(page, link) for page, text in PAGES.items() for link in re.findall(r"\]\(([^)#:]+)\)", text)})


def _commands() -> set[str]:
    """What follows `defuse` in code, in a line or in a block."""
    found = set()
    for text in PAGES.values():
        found |= set(re.findall(r"`(?:\w+=\S+ )*defuse ([^`\n]+)`", text))
        for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
            found |= set(re.findall(r"^(?:\w+=\S+ )*defuse ([^#\n]+)", block.replace("\\\n", " "), re.MULTILINE))
    return found


@pytest.mark.parametrize(("page", "link"), LINKS, ids=str)
def test_every_link_leads_somewhere(page: Path, link: str) -> None:
    assert (page.parent / link).exists()


@pytest.mark.parametrize("name", sorted(set(re.findall(r"[\w.]+\.(?:py|js|css|yaml|jsonl)\b|\w+/", TREE))))
def test_the_tree_is_the_tree(name: str) -> None:
    assert any((ROOT / folder / name).exists() for folder in (".", *FOLDERS))


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_module_is_in_the_tree(folder: str) -> None:
    for path in (ROOT / folder).glob("*.py"):
        assert path.name.startswith("__") or re.search(rf"\b{re.escape(path.name)}", TREE), f"{folder}/{path.name}"


@pytest.mark.parametrize("line", sorted(_commands()))
def test_every_command_is_a_command(line: str) -> None:
    command = typer.main.get_command(app)
    for word in shlex.split(line):
        if not hasattr(command, "commands"):
            break
        assert word in command.commands, f"defuse {line}"
        command = command.commands[word]
    options = {name for parameter in command.params for name in parameter.opts} | {"--help"}
    assert set(re.findall(r"(?<!\S)\[?(--[a-z-]+)", line)) <= options


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake (\w+)", README))))
def test_every_make_target_is_there(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_every_library_is_defended() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    section = README.split("## Libraries, and why")[1].split("\n## ")[0]
    for requirement in wanted:
        name = re.split(r"[\[~=<>]", requirement)[0]
        assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", section), name


def test_every_suite_is_explained() -> None:
    for name in shipped():
        assert f"| `{name}` |" in README
        assert f"| `{name}` |" in PAGES[ROOT / "docs" / "suites.md"]


def test_the_library_page_is_the_library() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| ([^|]+) \| [^|]+ \| (\w+) \| (\d) \|", PAGES[ROOT / "docs/library.md"], re.M)
    people = {(p.id, p.name, p.channel, str(p.difficulty)) for p in load_personas().values()}
    assert set(rows) == people
