"""Where recordings lie: a folder of text, JSON or Markdown, a JSONL, CSV or Parquet file, a hub data set; read as a stream.

Every record comes with the place that an error can name. Nothing here knows what a record means.
"""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from simulator.jsonl import InputError

MOST_BYTES = 5_000_000  # of one file of a folder, or one line: a conversation is a few pages
HUB = "hub:"
_SPEAKER = re.compile(
    r"^[\s>*_\-#]*(?:\[[\d:.]+\]\s*)?(?P<who>[^\W\d_][\w .'’-]{0,40}?)[*_]*(?:\s*\([^)]{0,40}\))?[*_]*\s*:[*_]*\s*(?P<text>.*)$"
)
_ESCAPED = re.compile(r"\\([\\`*_\[\]#|~])")


class Raw(NamedTuple):
    """One record as it lies there, and where. `data` is None where it could not be read; `why` then says so."""

    where: str
    data: dict[str, Any] | None
    why: str = ""


def raw_records(path: str, split: str, config: str | None) -> Iterator[Raw]:
    """The records of a source in their order. Raises InputError when the source itself cannot be read."""
    if path.startswith(HUB):
        return _through_datasets(path, path.removeprefix(HUB), config, split)
    place = Path(path)
    if place.is_dir():
        return _folder(place)
    if not place.is_file():
        raise InputError(f"{path}: no such file or folder; give one, or {HUB}OWNER/NAME for a hub data set")
    match place.suffix.lower():
        case ".jsonl" | ".ndjson":
            return _jsonl(place)
        case ".csv":
            return _csv(place)
        case ".parquet":
            return _through_datasets(path, "parquet", None, split, data_files={split: str(place)})
        case ".txt" | ".md" | ".json":
            return iter((_document(place),))
    raise InputError(f"{path}: {place.suffix or 'this'} is not a form read here; give JSONL, CSV, Parquet, or a folder")


def spoken_lines(text: str) -> list[tuple[str, str]]:
    """Speaker and words of a conversation written as `Speaker: words`; a line without a speaker goes on with the last."""
    lines: list[tuple[str, str]] = []
    for line in text.splitlines():
        if found := _SPEAKER.match(line):
            lines.append((found["who"].strip(), found["text"].strip()))
        elif lines and line.strip():
            who, before = lines[-1]
            lines[-1] = (who, f"{before} {line.strip()}".strip())
    return lines


def _folder(folder: Path) -> Iterator[Raw]:
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in {".txt", ".md", ".json"} and not p.is_symlink())
    if not paths:
        raise InputError(f"{folder}: has no .txt, .md or .json file; put one conversation in each")
    for path in paths:
        raw = _document(path)
        if raw.data is not None and "id" not in raw.data:
            raw.data["id"] = path.relative_to(folder).with_suffix("").as_posix()
        yield raw


def _document(path: Path) -> Raw:
    """One file that holds one conversation."""
    try:
        if path.stat().st_size > MOST_BYTES:
            return Raw(str(path), None, f"larger than {MOST_BYTES // 1_000_000} MB; one conversation is a few pages")
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".json":
            return _object(str(path), text)
    except (OSError, UnicodeDecodeError) as error:
        return Raw(str(path), None, f"cannot be read as UTF-8 ({error})")
    if path.suffix.lower() == ".md":
        text = _ESCAPED.sub(r"\1", text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return Raw(str(path), {"turns": text})


def _object(where: str, text: str) -> Raw:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Raw(where, None, f"not JSON ({error})")
    if isinstance(data, list):
        data = {"turns": data}
    return Raw(where, data) if isinstance(data, dict) else Raw(where, None, "not a JSON object")


def _jsonl(path: Path) -> Iterator[Raw]:
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(MOST_BYTES + 1), b""), start=1):
            where = f"{path}: line {number}"
            if len(line) > MOST_BYTES:
                while line and not line.endswith(b"\n"):  # the rest of it is no line of its own
                    line = file.readline(MOST_BYTES)
                yield Raw(where, None, f"longer than {MOST_BYTES // 1_000_000} MB; give one conversation a line")
            elif line.strip():
                yield _object(where, line.decode("utf-8-sig" if number == 1 else "utf-8", errors="replace"))


def _csv(path: Path) -> Iterator[Raw]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            for row in rows:
                ragged = None in row or None in row.values()
                yield Raw(
                    f"{path}: line {rows.line_num}", None if ragged else dict(row), "not as many cells as the head has"
                )
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read ({error}); give a UTF-8 CSV with a head line") from error


def _through_datasets(where: str, name: str, config: str | None, split: str, **options: Any) -> Iterator[Raw]:
    """Parquet files and hub data sets, streamed. Remote code is never run: `datasets` no longer knows how."""
    from datasets import load_dataset

    try:
        for number, row in enumerate(load_dataset(name, config, split=split, streaming=True, **options), start=1):
            yield Raw(f"{where}: row {number}", dict(row))
    except (OSError, ValueError, RuntimeError) as error:  # what `datasets` raises for a missing name, split or column
        detail = " ".join(str(error).split())[:300]
        raise InputError(f"{where}: cannot be read ({detail}); check name, split, config and the network") from error
