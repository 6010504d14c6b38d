"""What is wrong with a persona, in a trainer's words: where it is, what is wrong there, what to do."""

from collections.abc import Callable
from typing import Any, NamedTuple

from pydantic import ValidationError

Path = tuple[str | int, ...]


class Fault(NamedTuple):
    """One mistake. `at` leads to the field (`("story", 0, "because")`; empty for the whole); `message` is the predicate
    of the sentence that the field begins; `found` is what stands there, shortened, or empty."""

    at: Path
    message: str
    found: str = ""


_WORDS: dict[str, Callable[[dict[str, Any]], str]] = {
    "missing": lambda _: "is missing; add it",
    "extra_forbidden": lambda _: "is not a field of a persona; remove it or correct its spelling",
    "string_type": lambda _: "must be text; put it in quotes if it looks like a number, a date, yes or no",
    "string_too_short": lambda _: "is empty; write something",
    "string_too_long": lambda c: f"is too long; use at most {c['max_length']} characters",
    "greater_than": lambda c: f"must be more than {c['gt']:g}",
    "greater_than_equal": lambda c: f"must be {c['ge']:g} or more",
    "less_than_equal": lambda c: f"must be {c['le']:g} or less",
    "finite_number": lambda _: "must be a number",
    "float_type": lambda _: "must be a number",
    "float_parsing": lambda _: "must be a number",
    "int_type": lambda _: "must be a whole number",
    "int_parsing": lambda _: "must be a whole number",
    "int_from_float": lambda _: "must be a whole number",
    "enum": lambda c: f"must be one of these: {c['expected']}",
    "literal_error": lambda c: f"must be {c['expected']}",
    "tuple_type": lambda _: "must be a list; begin each entry with a hyphen on a line of its own",
    "model_type": lambda _: "must have fields of its own, each on an indented line",
    "too_short": lambda c: f"needs at least {_entries(c['min_length'])}; it has {c['actual_length'] or 'none'}",
    "too_long": lambda c: f"takes at most {_entries(c['max_length'])}; remove some",
}
_PATTERNS = {
    "id": "may have lower case letters, digits and single hyphens only, such as late-parcel",
    "language": "must be a language code, such as en or pt-BR",
}


def faults(error: ValidationError) -> list[Fault]:
    """Every mistake, in the order of the file; a misspelt field before the one that it leaves missing."""
    items = error.errors(include_url=False)
    return [_fault(item) for item in sorted(items, key=lambda item: item["type"] != "extra_forbidden")]


def _fault(item: Any) -> Fault:
    at, message = tuple(item["loc"]), str(item["msg"])
    if item["type"] == "value_error":  # our own words; those about the whole begin with the field
        message = message.removeprefix("Value error, ")
        field, _, rest = message.partition(": ")
        return Fault(at, message) if at else Fault((field,), rest)
    if item["type"] == "string_pattern_mismatch":
        message = _PATTERNS.get(str(at[-1]), message)
    elif item["type"] in _WORDS:
        message = _WORDS[item["type"]](item.get("ctx", {}))
    told = item["type"] in ("missing", "extra_forbidden") or not isinstance(item["input"], str | int | float)
    return Fault(at, message, "" if told else str(item["input"])[:60])


def _entries(count: int) -> str:
    return f"{count} {'entry' if count == 1 else 'entries'}"
