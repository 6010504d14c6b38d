"""JSON Lines in and out, for the commands that others build on. A broken line is named by file and number."""

import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

Record = TypeVar("Record", bound=BaseModel)


class InputError(ValueError):
    """A bad input file. The message names file, line and field."""


def read_jsonl(path: Path, record: type[Record], check: Callable[[Record], object] | None = None) -> list[Record]:
    """Every line of `path` as a `record`; blank lines are passed over. Raises InputError, also for what `check` raises it."""
    records = []
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    records.append(_record(line, record, f"{path}: line {number}", check))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); give a UTF-8 file of JSON lines") from error
    if not records:
        raise InputError(f"{path}: has no lines; give one JSON object a line")
    return records


def _record(line: str, record: type[Record], where: str, check: Callable[[Record], object] | None) -> Record:
    try:
        found = record.model_validate_json(line)
        if check is not None:
            check(found)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{where}: {field + ': ' if field else ''}{first['msg']}") from error
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    return found


def check_writable(path: Path) -> None:
    """Raise InputError when `path` cannot be written: to be asked before the work, not after it."""
    path = path.resolve()
    folder = path.parent
    special = path.exists() and not path.is_file()
    if special or not folder.is_dir() or not os.access(folder, os.W_OK):
        what = "a folder" if path.is_dir() else "no ordinary file"
        why = f"it is {what}" if special else f"the folder {folder} does not exist or is not yours to write in"
        raise InputError(f"{path}: cannot be written ({why}); give another file")


def write_jsonl(path: Path, rows: Iterable[dict[str, object]]) -> None:
    """Write `rows` whole or not at all; a file that is written over stays as private as it was.

    Raises InputError when the place cannot be written.
    """
    check_writable(path)
    path = path.resolve()  # what a link points at is written, and the link stays
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with part.open("x", encoding="utf-8") as file:
            if path.exists():
                shutil.copymode(path, part)
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()  # on a full disk it would only take up room
        raise InputError(f"{path}: cannot be written ({error.strerror}); nothing was changed there") from error
