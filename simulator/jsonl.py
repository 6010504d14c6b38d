"""JSON Lines in and out, for the commands that others build on. A broken line is named by file and number."""

import json
import os
import tempfile
from collections.abc import Callable, Iterable
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
        with path.open(encoding="utf-8") as file:
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
    folder = path.parent
    if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        why = "it is a folder" if path.is_dir() else f"the folder {folder} does not exist or is not yours to write in"
        raise InputError(f"{path}: cannot be written ({why}); give another file")


def write_jsonl(path: Path, rows: Iterable[dict[str, object]]) -> None:
    """Write `rows` whole or not at all. Raises InputError when the place cannot be written."""
    part: Path | None = None
    try:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False, suffix=".part") as file:
            part = Path(file.name)
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        part.chmod(0o644)  # temporary files are private; a result is not
        part.replace(path)
    except OSError as error:
        if part is not None:
            part.unlink(missing_ok=True)  # on a full disk it would only take up room
        raise InputError(f"{path}: cannot be written ({error.strerror}); nothing was changed there") from error
