"""The changes that a form makes to a draft: fields put, entries of a list added, removed and moved.

A change goes into the text where it belongs, so that comments, order and quoting elsewhere stay as their author left them.
"""

import re
from collections.abc import Callable, Mapping
from io import StringIO
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from simulator.draft import read
from simulator.persona import MAX_BYTES

_PATH = re.compile(r"[a-z_]{1,30}(\.\d{1,2}(\.[a-z_]{1,30})?|\.[a-z_]{1,30})?")
MOST_ENTRIES = 40  # of a list that a form may grow; the schema allows fewer and says so
_FRESH: dict[str, Callable[[int], dict[str, Any]]] = {
    "story": lambda n: {
        **{"id": f"part-{n}", "layer": "impact", "told": "asked"},
        **{"fact": "", "feeling": "", "because": "", "weight": 1, "says": []},
    },
    "triggers": lambda _: {"move": "generic_sympathy", "rise": 0.5, "because": ""},
}


class DraftError(ValueError):
    """A change that cannot be made to a draft. The draft is as it was; the message says what to do."""


def put(text: str, changes: Mapping[str, object]) -> str:
    """The text with fields changed. Keys are paths such as `story.0.because`; None removes the field.

    Values are text, numbers or lists of text. Raises DraftError for an unreadable text, an unknown path or another value.
    """
    document = _document(text)
    for path, value in changes.items():
        *before, last = _parts(path)
        there: Any = document
        for part in before:
            there = _into(there, part)
        if not isinstance(there, CommentedMap):
            raise DraftError(f"{path}: there is no such field; reload the page")
        if value is None:
            there.pop(last, None)
        else:
            there[last] = _written(value)
    return _dumped(document)


def add(text: str, where: str) -> str:
    """The text with a fresh entry at the end of `story` or `triggers`."""
    document = _document(text)
    entries = _entries(document, where)
    if len(entries) >= MOST_ENTRIES:
        raise DraftError(f"{where}: that is enough of them; remove one first")
    ids = {entry.get("id") for entry in entries if isinstance(entry, CommentedMap)}
    number = next(n for n in range(len(entries) + 1, len(entries) + 99) if f"part-{n}" not in ids)
    entries.append(CommentedMap({name: _written(value) for name, value in _FRESH[where](number).items()}))
    return _dumped(document)


def remove(text: str, where: str, index: int) -> str:
    """The text without one entry of `story` or `triggers`."""
    document = _document(text)
    entries = _entries(document, where)
    _known(entries, where, index)
    entries.pop(index)
    return _dumped(document)


def move(text: str, where: str, index: int, to: int) -> str:
    """The text with one entry of `story` or `triggers` at another place."""
    document = _document(text)
    entries = _entries(document, where)
    _known(entries, where, index, to)
    entries.insert(to, entries.pop(index))
    return _dumped(document)


def _yaml() -> YAML:
    tool = YAML(typ="rt", pure=True)
    tool.preserve_quotes = True
    tool.width = MAX_BYTES  # lines stay as long as they were written
    tool.indent(mapping=2, sequence=4, offset=2)
    return tool


def _document(text: str) -> CommentedMap:
    cannot = "The YAML cannot be read yet; correct it first"
    if read(text).fields is None:
        raise DraftError(cannot)
    try:
        document = _yaml().load(text)
    except (YAMLError, ValueError) as error:
        raise DraftError(f"{cannot} ({' '.join(str(error).split())[:200]})") from error
    if not isinstance(document, CommentedMap):
        raise DraftError(cannot)
    return document


def _dumped(document: CommentedMap) -> str:
    out = StringIO()
    _yaml().dump(document, out)
    text = out.getvalue()
    if len(text.encode()) > MAX_BYTES:
        raise DraftError(f"That is more than {MAX_BYTES // 1000} kB; a persona is a page or two")
    return text


def _parts(path: str) -> list[str | int]:
    if not _PATH.fullmatch(path):
        raise DraftError(f"{path[:60]}: there is no such field; reload the page")
    return [int(part) if part.isdecimal() else part for part in path.split(".")]


def _into(there: Any, part: str | int) -> Any:
    if isinstance(part, int):
        if not isinstance(there, CommentedSeq) or part >= len(there):
            raise DraftError("That part is no longer there; reload the page")
        return there[part]
    if not isinstance(there, CommentedMap):
        raise DraftError("That field is no longer there; reload the page")
    if not isinstance(there.get(part), CommentedMap | CommentedSeq):
        there[part] = CommentedMap()
    return there[part]


def _entries(document: CommentedMap, where: str) -> CommentedSeq:
    if where not in _FRESH:
        raise DraftError(f"{where[:60]}: there is no such list; reload the page")
    if not isinstance(document.get(where), CommentedSeq):
        document[where] = CommentedSeq()
    entries: CommentedSeq = document[where]
    return entries


def _known(entries: CommentedSeq, where: str, *indices: int) -> None:
    if not all(0 <= index < len(entries) for index in indices):
        raise DraftError(f"{where}: that entry is no longer there; reload the page")


def _written(value: object) -> Any:
    """The value as it goes into the text; quoted where a reader of YAML could take it for something else."""
    if isinstance(value, list):
        return CommentedSeq([_written(entry) for entry in value])
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise DraftError("A field holds text, a number or lines of text; reload the page")
    value = "".join(c for c in value if c.isprintable() or c == "\n")
    return value if _plain(value) else DoubleQuotedScalarString(value)


def _plain(value: str) -> bool:
    if not value or not value.isprintable() or value != value.strip():
        return False
    try:
        return bool(yaml.safe_load(value) == value)
    except (yaml.YAMLError, ValueError):
        return False
