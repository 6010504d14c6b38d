"""The trainers' own personas: YAML files in one folder, shared by all trainers of an installation.

Nobody's work is overwritten unseen: whoever saves names the version that they began with, and is told when another one
stands there by now.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock

from simulator.persona import MAX_BYTES, Persona, PersonaError, parse_persona

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MOST_FILES = 500
PATIENCE = 10  # seconds that one waits for another process to let go of the folder


class ShelfError(ValueError):
    """A persona that cannot be kept or found. Nothing has changed; the message says what to do."""


class ConflictError(ShelfError):
    """Someone else has changed the file since. `theirs` is what stands there now, None when they removed it."""

    def __init__(self, theirs: "Kept | None") -> None:
        super().__init__("Another trainer has changed this persona since you began. Nothing is lost; choose below.")
        self.theirs = theirs


class Kept(NamedTuple):
    """A file's text and its version: the SHA-256 of its bytes."""

    text: str
    version: str


def version_of(text: str) -> str:
    """What tells one state of a file from another."""
    return hashlib.sha256(text.encode()).hexdigest()


class Shelf(Mapping[str, Persona]):
    """The valid personas of a folder by id, as the folder is now. `reserved` are ids that may not be used here."""

    def __init__(self, folder: Path, reserved: Collection[str] = ()) -> None:
        self.folder = folder
        self._reserved = reserved
        self._read: dict[Path, tuple[tuple[int, int], Persona | None]] = {}

    def __getitem__(self, persona_id: str) -> Persona:
        try:
            persona = self._persona(self._path(persona_id))
        except ShelfError as error:
            raise KeyError(persona_id) from error
        if persona is None:
            raise KeyError(persona_id)
        return persona

    def __iter__(self) -> Iterator[str]:
        return iter([path.stem for path in self._paths() if self._persona(path) is not None])

    def __len__(self) -> int:
        return len(list(iter(self)))

    def unusable(self) -> list[str]:
        """Ids of files that hold no valid persona, put there by hand; the gallery leaves them out."""
        return [path.stem for path in self._paths() if self._persona(path) is None]

    def kept(self, persona_id: str) -> Kept | None:
        """The file as it stands, None when there is none. Raises ShelfError for an id that is none, or no text."""
        path = self._path(persona_id)
        try:
            if path.stat().st_size > MAX_BYTES:
                raise ShelfError(f"{path.name} is larger than {MAX_BYTES // 1000} kB; a persona is a page or two")
            text = path.read_bytes().decode()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise ShelfError(f"{path.name} cannot be read ({error}); it must be a UTF-8 file") from error
        return Kept(text, version_of(text))

    def save(self, text: str, over: str | None) -> Persona:
        """Keep a valid persona under its id. `over` is the version that this one replaces, None for a new file.

        Raises PersonaError for a text with faults, ConflictError when another version stands there, ShelfError else.
        """
        persona = parse_persona(text)
        if persona.id in self._reserved:
            raise ShelfError(
                f"The library has a persona of the id {persona.id!r}, and it stays as it is. Choose another id."
            )
        path = self._path(persona.id)
        with self._alone():
            self._unchanged(persona.id, over)
            if over is None and len(self._paths()) >= MOST_FILES:
                raise ShelfError(f"There are {MOST_FILES} personas here already. Remove one that nobody plays.")
            write_whole(path, text)
        return persona

    def remove(self, persona_id: str, over: str) -> None:
        """Remove a file, if it still is the version `over`. Raises ConflictError or ShelfError."""
        with self._alone():
            self._unchanged(persona_id, over)
            remove_file(self._path(persona_id))

    def free_id(self, wanted: str) -> str:
        """`wanted`, or the first of `wanted-2`, `wanted-3`, ... that nobody uses."""
        stem = re.sub(r"-\d+$", "", wanted)[:56].rstrip("-")
        taken = {*self._reserved, *(path.stem for path in self._paths())}
        others = (f"{stem}-{number}" for number in range(2, MOST_FILES + 2))
        return wanted if wanted not in taken else next(name for name in others if name not in taken)

    def _unchanged(self, persona_id: str, over: str | None) -> None:
        there = self.kept(persona_id)
        if over is None and there is not None:
            raise ShelfError(f"There is a persona of the id {persona_id!r} here already. Choose another id.")
        if over is not None and (there is None or there.version != over):
            raise ConflictError(there)

    def _path(self, persona_id: str) -> Path:
        if not _ID.fullmatch(persona_id) or len(persona_id) > 60:
            raise ShelfError("There is no such persona here.")
        path = self.folder / f"{persona_id}.yaml"
        if path.is_symlink():
            raise ShelfError(f"{path.name} is a link; put the file itself into the folder.")
        return path

    def _paths(self) -> list[Path]:
        return sorted(path for path in self.folder.glob("*.yaml") if path.is_file() and not path.is_symlink())

    def _persona(self, path: Path) -> Persona | None:
        """The persona in a file, read again only when the file has changed."""
        try:
            stat = path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            if self._read.get(path, (None, None))[0] != stamp:
                self._read[path] = (stamp, self._valid(path))
        except OSError:
            return None
        return self._read[path][1]

    def _valid(self, path: Path) -> Persona | None:
        try:
            kept = self.kept(path.stem)
            persona = parse_persona(kept.text) if kept else None
        except (ShelfError, PersonaError):
            return None
        return persona if persona and persona.id == path.stem and persona.id not in self._reserved else None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        lock = FileLock(self.folder / ".lock", timeout=PATIENCE)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except OSError as error:  # no rights, a full disk, or another process that does not let go
            raise ShelfError(
                f"The folder {self.folder} cannot be written now ({error.strerror or error}). Your draft is safe; try again."
            ) from error
        try:
            yield
        finally:
            lock.release()


def remove_file(path: Path) -> None:
    """Remove a file; nothing happens when there is none. Raises ShelfError."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise ShelfError(f"{path.name} could not be removed ({error.strerror}). It is there as it was.") from error


def write_whole(path: Path, text: str) -> None:
    """Write a file that is there whole or not at all. Raises ShelfError."""
    name = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("wb", dir=path.parent, suffix=".part", delete=False) as file:
            name = file.name
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError as error:
        if name:
            Path(name).unlink(missing_ok=True)
        raise ShelfError(
            f"{path.name} could not be written ({error.strerror}). What was kept before is safe."
        ) from error


class Customers(Mapping[str, Persona]):
    """Everyone who may call: the library, and after it what the trainers wrote."""

    def __init__(self, library: Mapping[str, Persona], own: Shelf) -> None:
        self.library = library
        self.own = own

    def __getitem__(self, persona_id: str) -> Persona:
        return self.library[persona_id] if persona_id in self.library else self.own[persona_id]

    def __iter__(self) -> Iterator[str]:
        return iter([*self.library, *(persona_id for persona_id in self.own if persona_id not in self.library)])

    def __len__(self) -> int:
        return len(list(iter(self)))
