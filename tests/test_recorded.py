"""Recorded conversations: read from every form, mapped, masked before anything else sees them, graded without personas."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from datasets import Dataset

from eval.grading import grade_recordings, own_customer
from eval.masking import mask
from eval.recorded import Columns, Recording, Source, Unreadable, cases, count
from eval.rows import Failed, RecordedRow
from simulator.jsonl import InputError
from simulator.judge import JudgeError, Reading, ScriptedJudge
from simulator.moves import Judgement, Move
from simulator.records import Said

LINES = [("Agent", "Hello, how can I help?"), ("Client", "My chairs came broken."), ("Agent", "All four of them?")]
SPOKEN = "\n".join(f"{who}: {text}" for who, text in LINES)
WANTED = (Said(role="customer", text="My chairs came broken."), Said(role="trainee", text="All four of them?"))


def _folder(path: Path) -> str:
    (path / "a").mkdir()
    (path / "a" / "one.txt").write_text(SPOKEN)
    return str(path)


def _json_folder(path: Path) -> str:
    turns = [{"speaker": who, "utterance": text} for who, text in LINES]
    (path / "one.json").write_text(json.dumps({"turns": turns}))
    return str(path)


def _json_list(path: Path) -> str:
    (path / "deep").mkdir()
    (path / "deep" / "one.json").write_text(json.dumps([{"role": who, "content": text} for who, text in LINES]))
    return str(path)


def _markdown(path: Path) -> str:
    (path / "one.md").write_text("# A call\n\n" + "\n\n".join(f"**{who}** (anger 7.0): {text}" for who, text in LINES))
    return str(path / "one.md")


def _jsonl(path: Path) -> str:
    turns = [{"from": who, "value": text} for who, text in LINES]
    (path / "in.jsonl").write_text(json.dumps({"id": 1, "conversation": turns}) + "\n")
    return str(path / "in.jsonl")


def _csv(path: Path) -> str:
    with (path / "in.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("id", "role", "text"), *(("1", *line) for line in LINES)])
    return str(path / "in.csv")


def _parquet(path: Path) -> str:
    Dataset.from_list([{"id": "1", "turns": [{"role": w, "text": t} for w, t in LINES]}]).to_parquet(
        path / "in.parquet"
    )
    return str(path / "in.parquet")


def _hub(path: Path) -> str:
    _parquet(path)  # a local folder goes the way of a data set of the hub
    return f"hub:{path}"


@pytest.mark.parametrize("write", [_folder, _json_folder, _json_list, _markdown, _jsonl, _csv, _parquet, _hub])
def test_every_form_gives_the_same_conversation(tmp_path: Path, write: Callable[[Path], str]) -> None:
    source = Source(path=write(tmp_path))
    [found] = cases(source)
    assert count(source) == (None if source.path.startswith("hub:") else 1)
    assert isinstance(found, Recording)
    assert found.turns == WANTED  # from the customer's first line on


def test_lines_with_the_time_before_them_are_read(tmp_path: Path) -> None:
    text = "\n".join(f"[00:0{k}] {who}: {said}" for k, (who, said) in enumerate(LINES))
    (tmp_path / "in.jsonl").write_text(json.dumps({"turns": text}) + "\n")
    [found] = cases(Source(path=str(tmp_path / "in.jsonl")))
    assert isinstance(found, Recording)
    assert found.turns == WANTED


def test_columns_and_speakers_are_mapped(tmp_path: Path) -> None:
    rows = [("call", "who", "said", "mark")]
    rows += [("c1", "Ms Vance", "It leaks.", "40"), ("c1", "BOT", "Hold.", "40"), ("c1", "Priya", "Since when?", "40")]
    rows += [("c2", "Ms Vance", "Again!", ""), ("c2", "Supervisor", "Yes?", "")]
    with (tmp_path / "in.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    source = Source(
        path=str(tmp_path / "in.csv"),
        columns=Columns(id="call", role="who", text="said", score="mark"),
        roles={"Ms Vance": "customer", "priya": "trainee"},
    )
    first, second = cases(source)
    assert isinstance(first, Recording)
    assert [said.role for said in first.turns] == ["customer", "trainee"]
    assert (first.id, first.score) == ("c1", 40)
    assert isinstance(second, Unreadable)
    assert "Supervisor" in second.error


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("7", "not a JSON object"),
        ('{"turns": []}', "no lines"),
        ('{"turns": 12}', "no list of lines"),
        (json.dumps({"turns": "[" * 100_000}), "nested too deep"),
        (json.dumps({"turns": "x" * 5_000_001}), "longer than 5 MB"),
        ('{"turns": [{"text": "hi"}]}', "no speaker"),
        ('{"turns": [{"role": "agent", "text": "hi"}]}', "nobody answers"),
        ('{"turns": [{"role": "customer", "text": "hi"}], "persona": 7}', "nobody answers"),
        ('{"turns": [["customer", "hi"], ["agent", "ho"]], "persona": 7}', "persona"),
        ('{"turns": [["customer", "hi"], ["agent", "ho"]], "score": "high"}', "score"),
    ],
)
def test_a_bad_record_is_named_and_the_rest_goes_on(tmp_path: Path, line: str, error: str) -> None:
    good = json.dumps({"id": "good", "turns": LINES})
    (tmp_path / "in.jsonl").write_text(f"{line}\n{good}\n{good}\n")
    bad, *rest = cases(Source(path=str(tmp_path / "in.jsonl")))
    assert isinstance(bad, Unreadable)
    assert error in bad.error
    assert "line 1" in bad.id
    assert [one.id for one in rest] == ["good", "good (2)"]


@pytest.mark.parametrize("path", ["nothing-here.jsonl", "README.pdf", "."])
def test_a_bad_source_says_what_to_do(tmp_path: Path, path: str) -> None:
    (tmp_path / "README.pdf").write_text("")
    with pytest.raises(InputError, match=r"give|put"):
        list(cases(Source(path=str(tmp_path / path))))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Hi Dorothy, I'm Priya Nair.", "Hi [NAME 1], I'm [NAME 2]."),
        ("my name is anita kumar and i rang", "my name is [NAME 1] and i rang"),
        ("Ask Mr Okafor. Okafor's firm.", "Ask Mr [NAME 1]. [NAME 1]'s firm."),
        ("07700 900123 or +44 7700 900 123", "[PHONE 1] or [PHONE 2]"),
        ("d.vance@mill.co.uk, D.Vance@mill.co.uk", "[EMAIL 1], [EMAIL 1]"),
        ("card 4111-1111-1111-1111", "card [CARD 1]"),
        ("GB82 WEST 1234 5698 7654 32", "[IBAN 1]"),
        ("gb29nwbk60161331926819", "[IBAN 1]"),
        ("jo.o'brien@acme.co.uk", "[EMAIL 1]"),
        ("2001:db8::1 or fe80:0:0:0:1:2:3:4, at 12:30:45", "[IP 1] or [IP 2], at 12:30:45"),
        ("221B Baker Street, born March 3, 1980", "[ADDRESS 1], born [DATE OF BIRTH 1]"),
        ("my date of birth is the 3rd of March 1980", "my date of birth is [DATE OF BIRTH 1]"),
        ("14 Larch Close, Leeds LS7 3QP", "[ADDRESS 1], Leeds [ADDRESS 2]"),
        ("Order number GB-448812-A, order GB-448812-A.", "Order number [ORDER 1], order [ORDER 1]."),
        (
            "Will you mark it by 12 May, at 10:30, for £1,250,000?",
            "Will you mark it by 12 May, at 10:30, for £1,250,000?",
        ),
        ("I waited 2 hours for 212 cues.", "I waited 2 hours for 212 cues."),
    ],
)
def test_personal_data_is_masked_and_the_rest_is_left(text: str, masked: str) -> None:
    assert mask([text]) == [masked]


def test_a_mask_is_the_same_throughout_a_conversation_even_before_the_name_is_given() -> None:
    texts = ["Vance here again.", "Is that Dorothy?", "Dorothy Vance, yes. Ms Vance to you."]
    assert mask(texts) == ["[NAME 1] here again.", "Is that [NAME 1]?", "[NAME 1], yes. Ms [NAME 1] to you."]


def test_letters_of_other_alphabets_stop_no_run() -> None:
    assert mask(["My name is Ali Yildirim.", "Ask Yıldırım."]) == ["My name is [NAME 1].", "Ask [NAME 1]."]


def test_an_odd_outcome_is_none(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(b"\xef\xbb\xbf" + json.dumps({"turns": LINES, "outcome": ["lost"]}).encode())
    (one,) = cases(Source(path=str(tmp_path / "in.jsonl")))
    assert isinstance(one, Recording)
    assert one.outcome is None


def test_nothing_unmasked_leaves_the_reader(tmp_path: Path) -> None:
    secret = [("Dorothy Vance", "I'm Dorothy, 07700 900123."), ("Agent", "Thank you Dorothy.")]
    (tmp_path / "in.jsonl").write_text(json.dumps({"id": "dorothy@mill.co.uk", "turns": secret}))
    source = Source(path=str(tmp_path / "in.jsonl"), roles={"Dorothy Vance": "customer"})
    [found] = cases(source)
    [row] = grade_recordings([found] if isinstance(found, Recording) else [], {}, ScriptedJudge([Judgement()]))
    assert row.status == "ok"
    assert not any(word in row.model_dump_json() for word in ("Dorothy", "dorothy", "07700", "Vance"))


class _Fussy:
    """Fails on any batch with the reply 'No.' in it."""

    name = "fussy"

    def judge(self, readings):
        if any(reading.reply == "No." for reading in readings):
            raise JudgeError("cannot read this")
        return [
            Judgement(present=(Move.SPECIFIC_EMPATHY,), acknowledged=tuple(p.id for p in reading.persona.story))
            for reading in readings
        ]


def test_one_that_cannot_be_judged_fails_alone_and_is_no_mark() -> None:
    def said(reply: str, persona: str | None = None) -> Recording:
        turns = (Said(role="customer", text="It leaks."), Said(role="trainee", text=reply))
        return Recording(id=reply, persona=persona, turns=turns)

    good, bad, lost = grade_recordings([said("Since when?"), said("No."), said("Yes?", "nobody")], {}, _Fussy())
    assert isinstance(good, RecordedRow)
    assert good.anger == (7, pytest.approx(4.5))
    assert isinstance(bad, Failed)
    assert bad.error == "cannot read this"
    assert isinstance(lost, Failed)
    assert "nobody" in lost.error
    [named] = grade_recordings([said("Yes?", "Jo, 07700 900123")], {}, _Fussy())
    assert isinstance(named, Failed)
    assert "07700" not in named.error, "a report is sent on"


def test_a_recording_is_read_against_what_its_own_customer_says() -> None:
    persona = own_customer([Said(role="customer", text="x" * 500), Said(role="trainee", text="?"), *WANTED])
    assert [point.id for point in persona.story] == ["said-1", "said-2"]
    assert persona.story[1].fact == "My chairs came broken."


class _Noting(_Fussy):
    """Keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Reading] = []

    def judge(self, readings):  # type: ignore[no-untyped-def]
        self.asked += readings
        return super().judge(readings)


def test_a_reply_is_not_held_against_what_the_customer_says_later() -> None:
    judge = _Noting()
    later = Said(role="customer", text="And the sofa.")
    both = [Recording(id="own", turns=(*WANTED, later, Said(role="trainee", text="I see.")))]
    assert isinstance(grade_recordings(both, {}, judge)[0], RecordedRow)
    assert [[p.fact for p in reading.persona.story] for reading in judge.asked if reading.persona] == [
        ["My chairs came broken."],
        ["My chairs came broken.", "And the sofa."],
    ]
