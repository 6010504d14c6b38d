"""What a trainer's browser asks the Studio for: checked before it is used, and what it does to the text of a draft."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, ValidationError

from simulator import draft_edits
from simulator.draft_edits import DraftError
from simulator.moves import Frozen
from simulator.persona import MAX_BYTES


class Wish(Frozen):
    """What a trainer asks for. `seq` numbers a browser's wishes; `changes` are the inputs changed since the last one."""

    act: Literal[
        "new", "copy", "upload", "discard", "close", "change", "yaml", "add", "remove-entry", "move", "save", "over",
        "copy-mine", "ask-remove", "remove", "ask-discard", "try", "call", "cast",
    ]  # fmt: skip
    seq: int = 0
    key: str = Field(default="", max_length=80)
    which: str = Field(default="", max_length=80)
    text: str = Field(default="", max_length=MAX_BYTES)
    changes: dict[str, str | int | float | list[str]] = Field(default_factory=dict, max_length=300)
    where: str = Field(default="", max_length=20)
    index: int = 0
    to: int = 0
    anger: float = Field(default=0, ge=0, le=10)
    told: tuple[str, ...] = Field(default=(), max_length=40)


def understood(wish: object) -> Wish:
    """What a browser sent, once it makes sense. Raises DraftError when it does not."""
    if isinstance(wish, Mapping) and len(str(wish.get("text", "")).encode()) > MAX_BYTES:
        raise DraftError(f"That is more than {MAX_BYTES // 1000} kB; a persona is a page or two. Nothing was changed.")
    try:
        return Wish.model_validate(wish)
    except ValidationError as error:
        if any(fault["loc"] == ("anger",) for fault in error.errors()):
            raise DraftError(
                "The anger at the start is a number from 0 to 10. Correct it and take the call."
            ) from error
        raise DraftError("That could not be understood. Nothing was changed. Reload the page and try again.") from error


def written(text: str, wish: Wish) -> str:
    """The text of a draft with what the wish changes in it. Raises DraftError when that cannot be done."""
    if wish.changes:
        text = draft_edits.put(text, wish.changes)
    match wish.act:
        case "yaml":
            return wish.text
        case "add":
            return draft_edits.add(text, wish.where)
        case "remove-entry":
            return draft_edits.remove(text, wish.where, wish.index)
        case "move":
            return draft_edits.move(text, wish.where, wish.index, wish.to)
    return text
