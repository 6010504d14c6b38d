"""Test drives: a persona as it is being written, at any anger and with any part told, ready to be called.

A drive plays a copy of the persona, so that the call stays what it was while its author writes on.
"""

import re
import secrets
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from simulator.moves import Frozen
from simulator.persona import Persona, Told
from simulator.shelf import ShelfError, write_whole

KEPT = timedelta(days=7)
_ID = re.compile(r"drive-[0-9a-f]{16}")
_OPENING_MOST = 2000  # characters, as the schema has it


class Drive(Frozen):
    """The persona that one test drive plays, and the key of the draft that it came from."""

    draft: str
    persona: Persona


class Drives(Mapping[str, Persona]):
    """The personas of the test drives in a folder, by an id that each has for itself."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self, persona: Persona, draft: str, anger: float, told: Collection[str]) -> Persona:
        """A copy to be called: it starts at `anger`, 0 to 10, and has told the points in `told` already.

        Raises ShelfError when it cannot be kept.
        """
        self._forget_old()
        copy = at_the_start(persona, anger, told).model_copy(update={"id": f"drive-{secrets.token_hex(8)}"})
        write_whole(self._path(copy.id), Drive(draft=draft, persona=copy).model_dump_json(by_alias=True))
        return copy

    def drive(self, drive_id: str) -> Drive:
        """The drive with this id; KeyError when there is none any more."""
        try:
            return Drive.model_validate_json(self._path(drive_id).read_bytes())
        except (OSError, ValidationError) as error:
            raise KeyError(drive_id) from error

    def __getitem__(self, drive_id: str) -> Persona:
        return self.drive(drive_id).persona

    def __iter__(self) -> Iterator[str]:
        return (path.stem for path in self.folder.glob("drive-*.json"))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def _path(self, drive_id: str) -> Path:
        if not _ID.fullmatch(drive_id):
            raise KeyError(drive_id)
        return self.folder / f"{drive_id}.json"

    def _forget_old(self) -> None:
        """Forget the drives that have been kept for long enough. Raises ShelfError."""
        oldest = kept_since().timestamp()
        for path in self.folder.glob("drive-*.json"):
            try:
                if path.stat().st_mtime < oldest:
                    path.unlink(missing_ok=True)
            except OSError as error:
                raise ShelfError(
                    f"{self.folder} cannot be tidied ({error.strerror}); check that it can be written."
                ) from error


def kept_since() -> datetime:
    """What began before is forgotten."""
    return datetime.now(UTC) - KEPT


def at_the_start(persona: Persona, anger: float, told: Collection[str]) -> Persona:
    """The persona as it would be met at `anger` with the points in `told` said: they join the opening."""
    early = [point for point in persona.story if point.id in told and point.told is not Told.OPENING]
    opening = persona.opening
    for point in early:
        if len(longer := f"{opening} {point.says[0]}") <= _OPENING_MOST:
            opening = longer
    temper = persona.temperament.model_copy(update={"opening_anger": min(10.0, max(0.0, anger))})
    story = tuple(
        point.model_copy(update={"told": Told.OPENING}) if point in early else point for point in persona.story
    )
    return persona.model_copy(update={"temperament": temper, "opening": opening, "story": story})
