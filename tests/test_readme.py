"""The README's paths exist and its commands are commands."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from simulator.cli import app

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_every_link_leads_somewhere(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("name", sorted(set(re.findall(r"^ {0,2}(\w+\.py|\w+/)", README, re.MULTILINE))))
def test_the_tree_is_the_tree(name: str) -> None:
    assert (ROOT / name).exists() or (ROOT / "simulator" / name).exists()


def test_every_module_of_the_loop_is_in_the_tree() -> None:
    for path in (ROOT / "simulator").glob("*.py"):
        assert path.name in README or path.name == "__init__.py", f"{path.name} is not in the README's tree"


@pytest.mark.parametrize("line", sorted(set(re.findall(r"`defuse ([a-z][^`]*)`", README))))
def test_every_command_is_a_command(line: str) -> None:
    words = [word for word in shlex.split(line) if re.fullmatch(r"[a-z]+", word)]
    known = {"app", "chat", "judge", "grade", "persona", "check", "schema", "bench", "setup", "eval", "run"}
    done = CliRunner().invoke(app, [*[word for word in words if word in known], "--help"])
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake (\w+)", README))))
def test_every_make_target_is_there(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
