"""The commands others build on: their forms, their exit status, and what they say of bad input."""

import json
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from simulator import engine as engine_module
from simulator.cli import _replies, app
from simulator.customer import Customer
from simulator.engine import Engine
from simulator.jsonl import InputError, write_jsonl
from simulator.judge import JudgeError, ScriptedJudge
from simulator.models.scripted import ScriptedModel
from simulator.moves import MOVES, Judgement, Move
from tests.conftest import LATE_PALLET

run = CliRunner().invoke
JUDGED = Judgement(
    present=(Move.OPEN_QUESTION,), probabilities=dict.fromkeys(MOVES, 0.1), evidence={Move.OPEN_QUESTION: "What"}
)


@pytest.fixture
def scripted(monkeypatch) -> None:
    monkeypatch.setattr(engine_module, "load_judge", lambda *_: ScriptedJudge([JUDGED]))


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "late-pallet.yaml").write_text(LATE_PALLET)
    return folder


def jsonl(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return path


REPLY = {
    "id": "1",
    "persona": "late-pallet",
    "history": [{"role": "customer", "text": "Late."}],
    "reply": "What happened?",
}
CALL = {
    "id": "1",
    "persona": "late-pallet",
    "turns": [{"role": "customer", "text": "Late."}, {"role": "trainee", "text": "What?"}],
}


@pytest.mark.usefixtures("scripted")
def test_judge(tmp_path: Path, library: Path) -> None:
    source, target = jsonl(tmp_path / "in.jsonl", REPLY, REPLY | {"id": "2", "persona": None}), tmp_path / "out.jsonl"
    done = run(app, ["judge", str(source), str(target), "--personas", str(library)])
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in target.read_text().splitlines()]
    assert [row["id"] for row in rows] == ["1", "2"]
    assert set(rows[0]["moves"]) == {move.value for move in MOVES}
    assert rows[0]["present"] == ["open_question"]
    assert rows[0]["evidence"] == {"open_question": "What"}


@pytest.mark.usefixtures("scripted")
def test_grade(tmp_path: Path, library: Path) -> None:
    source, target = jsonl(tmp_path / "in.jsonl", CALL), tmp_path / "out.jsonl"
    done = run(app, ["grade", str(source), str(target), "--personas", str(library)])
    assert done.exit_code == 0, done.output
    (row,) = [json.loads(line) for line in target.read_text().splitlines()]
    names = {"specific_empathy", "full_listening", "composure", "empathy_first", "way_forward"}
    assert set(row) == {"id", "competencies", "overall", "outcome", "anger", "evidence"}
    assert set(row["competencies"]) == names
    assert row["anger"] == [7, 7]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{broken", "line 2"),
        ('{"id": "2"}', "line 2: reply"),
        (REPLY | {"extra": 1}, "line 2: extra"),
        (REPLY | {"history": [{"role": "boss", "text": "x"}]}, "line 2: history.0.role"),
        (REPLY | {"persona": "nobody"}, "line 2: persona: there is no 'nobody'"),
    ],
)
@pytest.mark.usefixtures("scripted")
def test_a_broken_line_is_named_and_nothing_written(tmp_path: Path, library: Path, row: object, message: str) -> None:
    source, target = jsonl(tmp_path / "in.jsonl", REPLY, row), tmp_path / "out.jsonl"
    done = run(app, ["judge", str(source), str(target), "--personas", str(library)])
    assert done.exit_code == 1
    assert message in done.output
    assert not target.exists()


def test_a_reply_that_is_too_long_is_named_and_nothing_is_played(tmp_path: Path) -> None:
    (tmp_path / "replies.txt").write_text("What happened?\n\n" + "x" * 20_000 + "\n")
    done = run(app, ["chat", "cable-no-show", "--replies", str(tmp_path / "replies.txt"), "--json"])
    assert done.exit_code == 1
    assert "line 3: is 20,000 characters" in done.output
    assert done.stdout == ""


class _Fails:
    name = "fails"

    def judge(self, readings):
        raise JudgeError("The server does not answer. Send again.")


@pytest.mark.parametrize("typed", [False, True])
def test_a_model_that_fails_loses_nothing_said(tmp_path: Path, monkeypatch, typed: bool) -> None:
    broken = Engine(Customer(ScriptedModel(["No."])), _Fails())
    monkeypatch.setattr(engine_module, "load_engine", lambda *_: broken)
    (tmp_path / "replies.txt").write_text("What happened?\nAnd then?\n")
    if typed:
        done = run(app, ["chat", "cable-no-show", "--json"], input="What happened?\nWhat happened?\n/end\n")
        assert done.exit_code == 0, done.output
    else:
        done = run(app, ["chat", "cable-no-show", "--replies", str(tmp_path / "replies.txt"), "--json"])
        assert done.exit_code == 1
        assert "does not answer" in done.stderr
    call = json.loads(done.stdout)
    assert [turn["text"] for turn in call["turns"]][1:] == ["What happened?"]
    assert call["scorecard"]["overall"] == 0


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """No file may grow beyond `room` bytes: the operating system refuses what does, as it does on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("scripted")
@pytest.mark.parametrize(("command", "row"), [("judge", REPLY), ("grade", CALL)])
def test_a_full_disk_leaves_the_results_that_were_there(tmp_path: Path, library: Path, command: str, row: dict) -> None:
    source, target = jsonl(tmp_path / "in.jsonl", *[row | {"id": str(i)} for i in range(40)]), tmp_path / "out.jsonl"
    target.write_text("before")
    with full_disk(1024):
        done = run(app, [command, str(source), str(target), "--personas", str(library)])
    assert done.exit_code == 1
    assert f"{target}: cannot be written" in done.output
    assert target.read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "mine", "out.jsonl"]


def test_a_full_disk_leaves_no_half_of_a_persona(tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    with full_disk(1024):
        done = run(app, ["persona", "export", "portal-down", "--format", "v3", "--out", str(target)])
    assert done.exit_code == 1
    assert f"{target}: cannot be written" in done.output
    assert not target.exists()


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["judge", "none.jsonl", "out.jsonl"], 1, "none.jsonl"),
        (["judge"], 2, "Missing argument"),
        (["chat", "nobody"], 1, "there is no 'nobody'"),
        (["chat", "cable-no-show", "--replies", "none.txt"], 1, "none.txt"),
        (["chat", "cable-no-show", "--model", "openai:x"], 1, "--base-url"),
        (["chat", "cable-no-show", "--model", "/no/such/model.gguf"], 1, "no such file"),
        (["judge", "a", "b", "--personas", "/no/such/folder"], 1, "/no/such/folder"),
        (["judge", "a", "/no/such/folder/b"], 1, "/no/such/folder/b: cannot be written"),
        (["grade", "a", "/no/such/folder/b"], 1, "/no/such/folder/b: cannot be written"),
        (["eval", "run", "attacks", "--out", "/dev/null"], 1, "/dev/null: cannot be a folder"),
        (["nonsense"], 2, "No such command"),
    ],
)
def test_wrong_input_ends_with_a_clear_line(arguments: list[str], status: int, message: str) -> None:
    done = run(app, arguments)
    assert done.exit_code == status, done.output
    assert message in done.output
    assert "Traceback" not in done.output


def test_persona_check(tmp_path: Path, library: Path) -> None:
    good, bad = library / "late-pallet.yaml", tmp_path / "bad.yaml"
    bad.write_text("id: bad\nshouting: true\n")
    done = run(app, ["persona", "check", str(good)])
    assert done.exit_code == 0
    assert "weak" not in done.output
    one_breath = tmp_path / "late-pallet.yaml"
    one_breath.write_text(good.read_text().replace("because: nobody rang", "because: the yarn is a week late"))
    done = run(app, ["persona", "check", str(one_breath)])
    assert done.exit_code == 0, "a weak persona can be played"
    assert "weak: story.0.because only repeats the fact; say why it hurts" in done.output
    done = run(app, ["persona", "check", str(good), str(bad)])
    assert done.exit_code == 1
    assert "bad.yaml" in done.output
    assert "shouting: is not a field" in done.output


@pytest.mark.parametrize(
    "command",
    [[], ["app"], ["chat"], ["judge"], ["grade"], ["persona", "check"], ["persona", "new"], ["bench"], ["setup"]],
)
def test_every_command_explains_itself(command: list[str]) -> None:
    done = run(app, [*command, "--help"])
    assert done.exit_code == 0
    assert len(done.output) > 100


def test_a_result_is_written_where_it_belongs_and_stays_private(tmp_path: Path) -> None:
    (tmp_path / "real.jsonl").write_text("old")
    (tmp_path / "real.jsonl").chmod(0o600)
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "real.jsonl")
    write_jsonl(tmp_path / "link.jsonl", [{"a": 1}])
    assert (tmp_path / "link.jsonl").is_symlink()
    assert (tmp_path / "real.jsonl").read_text() == '{"a": 1}\n'
    assert (tmp_path / "real.jsonl").stat().st_mode & 0o777 == 0o600
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="no ordinary file"):
        write_jsonl(tmp_path / "pipe", [{"a": 1}])
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.usefixtures("scripted")
def test_a_byte_order_mark_is_no_text(tmp_path: Path, library: Path) -> None:
    (tmp_path / "in.jsonl").write_text(json.dumps(REPLY), encoding="utf-8-sig")
    done = run(app, ["judge", str(tmp_path / "in.jsonl"), str(tmp_path / "out.jsonl"), "--personas", str(library)])
    assert done.exit_code == 0, done.output
    (tmp_path / "replies.txt").write_text("One\u2028and the same.\r\n\r\nTwo.\r\n", encoding="utf-8-sig")
    assert _replies(tmp_path / "replies.txt") == ["One\u2028and the same.", "Two."]
