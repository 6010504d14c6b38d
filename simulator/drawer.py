"""Drafts of personas, kept on the server as they are written, each by its trainer."""

import hashlib
import re
import secrets
from datetime import UTC, datetime
from pathlib import Path

from pydantic import Field, ValidationError

from simulator.moves import Frozen
from simulator.persona import MAX_BYTES
from simulator.shelf import ShelfError, remove_file, write_whole

_KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(\.new)?")
MOST_DRAFTS = 100  # of one trainer


class Draft(Frozen):
    """A persona being written. `key` is the id of the own persona that it changes, or ends in `.new`.

    `over` is the version of the file that it began from, None for a new one; `changed` is when it was kept, None for a
    file opened and not changed yet.
    """

    key: str
    text: str = Field(max_length=MAX_BYTES)
    over: str | None = None
    changed: datetime | None = None


class Drafts:
    """A folder of drafts. A trainer is named by an opaque secret, of which only the hash is stored."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, trainer: str) -> list[Draft]:
        """The trainer's drafts, the one changed last first."""
        found = [self.get(trainer, path.stem) for path in self._home(trainer).glob("*.json")]
        kept = [draft for draft in found if draft is not None]
        return sorted(kept, key=lambda draft: str(draft.changed), reverse=True)

    def get(self, trainer: str, key: str) -> Draft | None:
        """One draft, None when there is none."""
        try:
            return Draft.model_validate_json(self._path(trainer, key).read_bytes())
        except (OSError, ValidationError):
            return None

    def keep(self, trainer: str, draft: Draft) -> Draft:
        """Keep the draft as it is now. Raises ShelfError."""
        path = self._path(trainer, draft.key)
        if not path.exists() and len(self.of(trainer)) >= MOST_DRAFTS:
            raise ShelfError(f"You have {MOST_DRAFTS} drafts. Save or discard one of them first.")
        if len(draft.text.encode()) > MAX_BYTES:
            raise ShelfError(f"That is more than {MAX_BYTES // 1000} kB; a persona is a page or two.")
        kept = draft.model_copy(update={"changed": datetime.now(UTC)})
        write_whole(path, kept.model_dump_json())
        return kept

    def new(self, trainer: str, text: str) -> Draft:
        """Keep a draft of a persona that there is no file of yet. Raises ShelfError."""
        return self.keep(trainer, Draft(key=f"{secrets.token_hex(4)}.new", text=text))

    def discard(self, trainer: str, key: str) -> None:
        """Forget a draft; nothing happens when there is none. Raises ShelfError."""
        remove_file(self._path(trainer, key))

    def _home(self, trainer: str) -> Path:
        return self._folder / hashlib.sha256(trainer.encode()).hexdigest()[:32]

    def _path(self, trainer: str, key: str) -> Path:
        if not _KEY.fullmatch(key) or len(key) > 64:
            raise ShelfError("There is no such draft. Choose one here.")
        return self._home(trainer) / f"{key}.json"
