"""A call for other tools: Markdown, JSON, a CSV row, an xAPI statement. In each, evaluator and trainer side by side.

The statement follows xAPI 1.0.3 (https://github.com/adlnet/xAPI-Spec); it goes to a file or to a learning record store.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID, uuid5

from simulator.competencies import TITLES, WEIGHTS
from simulator.grade import PASS_MARK
from simulator.persona import Persona
from simulator.review import OVERALL, Override, ReviewedCall, in_force, second_opinion
from simulator.transcript import as_markdown, escaped

XAPI_VERSION = "1.0.3"
_VERBS = "http://adlnet.gov/expapi/verbs/"
_OURS = "urn:defuse:xapi:"  # names of our extensions
_LONGEST_WAIT = 30  # seconds for a record store to answer


class ExportError(RuntimeError):
    """A call that cannot be exported, or a record store that does not take it. The message says what to do."""


def subject_words(override: Override) -> str:
    """What an override is about: `reply 2, defensive` or `Full listening`."""
    name = override.subject.replace("_", " ")
    if override.turn is not None:
        return f"reply {(override.turn + 1) // 2}, {name}"
    return TITLES.get(override.subject, "Overall score")


def change_words(override: Override) -> str:
    """What an override says: `evaluator: present, trainer: absent` or `evaluator: 40, trainer: 65`."""
    if override.turn is not None:
        said = ("absent", "present")
        return f"evaluator: {said[int(override.was)]}, trainer: {said[int(override.now)]}"
    return f"evaluator: {override.was:.0f}, trainer: {override.now:.0f}"


def markdown(call: ReviewedCall, persona: Persona | None) -> str:
    """The call, its scores and what trainers changed, with their reasons."""
    title = f"{persona.name}, {persona.company}" if persona else call.transcript.persona
    parts = [as_markdown(call.transcript, title).rstrip()]
    card = call.scorecard
    if card is not None:
        trainer = second_opinion(card, call.overrides)
        rows = [(TITLES[name], card.competencies[name].score, trainer.competencies.get(name)) for name in WEIGHTS]
        rows.append(("Overall", card.overall, trainer.overall))
        table = [f"| {name} | {score:.0f} | {_or_dash(other)} |" for name, score, other in rows]
        head = ["| Of 100 | Evaluator | Trainer |", "|---|---|---|"]
        parts.append("\n".join(["## Scores", "", *head, *table, "", f"Pass mark: {PASS_MARK}."]))
    if call.overrides:
        items = [
            f"- {subject_words(each)}: {change_words(each)}. “{escaped(each.reason)}” ({escaped(each.by)}, "
            f"{each.at:%Y-%m-%d %H:%M} UTC)"
            for each in call.overrides
        ]
        parts.append("\n".join(["## What the trainer says", "", *items]))
    return "\n\n".join(parts) + "\n"


def _or_dash(score: float | None) -> str:
    return "–" if score is None else f"{score:.0f}"


def as_json(call: ReviewedCall, trainee: str = "") -> str:
    """Everything that is known of the call, as one JSON object."""
    opinion = second_opinion(call.scorecard, call.overrides) if call.scorecard else None
    whole = {
        "trainee": trainee,
        "transcript": call.transcript.model_dump(mode="json"),
        "scorecard": call.scorecard.model_dump(mode="json") if call.scorecard else None,
        "trainer": opinion.model_dump(mode="json") if opinion else None,
        "overrides": [each.model_dump(mode="json") for each in call.overrides],
        "read_by": [each.model_dump(mode="json") for each in call.readings],
    }
    return json.dumps(whole, ensure_ascii=False, indent=2)


COLUMNS = (
    *("id", "trainee", "persona", "started", "ended", "exam", "hints", "replies", "outcome", "judge", "passed"),
    *(OVERALL, *WEIGHTS),
    *(f"trainer_{name}" for name in (OVERALL, *WEIGHTS)),
    *("moves_changed", "trainer_reasons"),
)


def csv_text(calls: Iterable[tuple[ReviewedCall, str]]) -> str:
    """A header and a row for each call and its trainee's name. An empty cell is a score that was not given."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for call, trainee in calls:
        writer.writerow({name: _cell(value) for name, value in _row(call, trainee).items()})
    return out.getvalue()


def _row(call: ReviewedCall, trainee: str) -> dict[str, object]:
    transcript, card = call.transcript, call.scorecard
    row: dict[str, object] = {
        "id": transcript.id,
        "trainee": trainee,
        "persona": transcript.persona,
        "started": transcript.started.isoformat(),
        "ended": transcript.ended.isoformat() if transcript.ended else "",
        "exam": transcript.exam,
        "hints": transcript.hints,
        "replies": len(transcript.replies),
        "outcome": transcript.outcome.value if transcript.outcome else "",
        "judge": transcript.models.judge,
        "moves_changed": sum(turn is not None for turn, _ in in_force(call.overrides)),
        "trainer_reasons": "; ".join(f"{subject_words(each)}: {each.reason}" for each in call.overrides),
    }
    if card is not None:
        trainer = second_opinion(card, call.overrides)
        row |= {"passed": card.passed, OVERALL: card.overall, f"trainer_{OVERALL}": trainer.overall}
        row |= {name: card.competencies[name].score for name in WEIGHTS}
        row |= {f"trainer_{name}": score for name, score in trainer.competencies.items()}
    return row


def _cell(value: object) -> object:
    """A spreadsheet would run a text that begins like a formula; an apostrophe keeps it text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def statement(call: ReviewedCall, trainee: str, persona: Persona | None, home: str) -> dict[str, Any]:
    """The scored attempt as an xAPI statement. `home` is the address of the system in which `trainee` is a name.

    The result is the evaluator's; the trainer's word is an extension beside it. The same call with the same overrides
    has the same id, so that sending it twice stores it once. Raises ExportError for a call that was not graded.
    """
    transcript, card = call.transcript, call.scorecard
    if card is None:
        raise ExportError(f"Call {transcript.id} has no score yet. Only calls that are over can be sent.")
    trainer = second_opinion(card, call.overrides)
    extensions: dict[str, Any] = {
        f"{_OURS}competencies": {name: round(card.competencies[name].score / 100, 4) for name in WEIGHTS},
        f"{_OURS}outcome": card.outcome.value,
        f"{_OURS}hints": transcript.hints,
        f"{_OURS}judge": transcript.models.judge,
    }
    if call.overrides:
        extensions[f"{_OURS}override"] = {
            "scaled": None if trainer.overall is None else round(trainer.overall / 100, 4),
            "success": None if trainer.overall is None else trainer.overall >= PASS_MARK,
            "competencies": {name: round(score / 100, 4) for name, score in trainer.competencies.items()},
            "changes": [each.model_dump(mode="json") for each in call.overrides],
        }
    result: dict[str, Any] = {
        "score": {"scaled": round(card.overall / 100, 4), "raw": card.overall, "min": 0, "max": 100},
        "success": card.passed,
        "completion": True,
        "extensions": extensions,
    }
    if transcript.ended is not None:
        result["duration"] = _duration(transcript.ended - transcript.started)
    verb = "passed" if card.passed else "failed"
    name = f"A call with {persona.name}, {persona.company}" if persona else transcript.persona
    body: dict[str, Any] = {
        "actor": {"objectType": "Agent", "name": trainee, "account": {"homePage": home, "name": trainee}},
        "verb": {"id": f"{_VERBS}{verb}", "display": {"en": verb}},
        "object": {
            "objectType": "Activity",
            "id": f"urn:defuse:persona:{quote(transcript.persona)}",
            "definition": {"type": "http://adlnet.gov/expapi/activities/simulation", "name": {"en": name}},
        },
        "result": result,
        "context": {"registration": transcript.id, "platform": "Defuse"},
        "timestamp": (transcript.ended or transcript.started).isoformat(),
    }
    return {"id": str(uuid5(UUID(transcript.id), json.dumps(body, sort_keys=True))), **body}


def _duration(length: timedelta) -> str:
    """ISO 8601, to the hundredth of a second, as xAPI asks."""
    return f"PT{max(0.0, length.total_seconds()):.2f}S"


def send(statements: Sequence[Mapping[str, Any]], endpoint: str, user: str, password: str) -> None:
    """Post statements to a learning record store with basic auth. Raises ExportError; then none of them was taken.

    A password crosses a network only by https.
    """
    import httpx

    parts = urlsplit(endpoint)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        raise ExportError(f"{endpoint} is not an https address. Over http the password could be read on the way.")
    where = f"{endpoint.rstrip('/')}/statements"
    try:
        answer = httpx.post(
            where,
            json=list(statements),
            auth=(user, password),
            headers={"X-Experience-API-Version": XAPI_VERSION},
            timeout=_LONGEST_WAIT,
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ExportError(f"{where} cannot be reached ({error}). Check the address; nothing was sent.") from error
    if answer.status_code in (401, 403):
        raise ExportError(f"{where} refused the name or password ({answer.status_code}). Nothing was stored.")
    if not answer.is_success:
        said = " ".join(answer.text.split())[:200]
        raise ExportError(f"{where} did not take the statements: {answer.status_code} {said}")


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
