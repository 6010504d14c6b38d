"""What the Studio's buttons do: from a trainer's wish to a Screen. Drafts, files and test drives are kept elsewhere.

Every wish names its trainer and is refused to anyone else.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from threading import Lock

from simulator.draft import BLANK, Reading, at, read
from simulator.draft_edits import DraftError, put
from simulator.drawer import Draft, Drafts
from simulator.drives import Drives, kept_since
from simulator.engine import Engine
from simulator.faults import Fault
from simulator.judge import JudgeError
from simulator.lint import lint
from simulator.models.base import ModelError
from simulator.persona import Persona, PersonaError, dump_persona
from simulator.rehearsal import Cast, Rehearsed, rehearse
from simulator.shelf import ConflictError, Customers, ShelfError
from simulator.storage import StorageError, Store
from simulator.ui import form, panels, studio
from simulator.ui.door import Visitor, trainers_only
from simulator.ui.drive import DriveDesk
from simulator.ui.screen import STUDIO, LostError, Screen
from simulator.ui.wish import Wish, understood, written
from simulator.ui.words import esc, plural

_Trouble = (ShelfError, DraftError, PersonaError, StorageError, ModelError, JudgeError)
_BARE = Screen(page=STUDIO, place=STUDIO, notice="", panel="", form="", checks="", side="", verdict="")


class Workshop:
    """The trainers' personas, drafts and test drives behind the Studio page. Shared by all trainers."""

    def __init__(
        self, customers: Customers, drafts: Drafts, drives: Drives, desk: DriveDesk, engine: Engine, cast: Cast
    ) -> None:
        self._customers = customers
        self._shelf = customers.own
        self._drafts = drafts
        self._drives = drives
        self.desk = desk
        self._engine = engine
        self._cast = cast
        self._rehearsing = Lock()

    @property
    def own(self) -> Mapping[str, Persona]:
        """The trainers' own personas."""
        return self._shelf

    def go(self, visitor: Visitor, key: str) -> Screen:
        """The Studio's page at a draft, or its list."""
        try:
            trainer = _trainer(visitor)
            return self._open(self._draft(trainer, key)) if key else self._list(trainer)
        except _Trouble as error:
            return self._list_or_not(visitor, error)

    def handle(self, visitor: Visitor, wish: object) -> Iterator[Screen]:
        """Do what a trainer asks for. Trouble is told on the page, and leaves everything as it was."""
        try:
            trainer = _trainer(visitor)
            asked = understood(wish)
            if asked.act == "cast":
                yield from self._rehearse(self._changed(trainer, asked))
            else:
                yield self._done(trainer, asked)
        except ConflictError as error:
            mine = self._draft(trainer, asked.key)
            yield replace(self._verdict(asked.seq, mine), panel=panels.conflict_panel(mine.text, error.theirs))
        except _Trouble as error:
            yield Screen(notice=_told(error))

    def _done(self, trainer: str, wish: Wish) -> Screen:
        match wish.act:
            case "new":
                text = put(BLANK, {"id": self._shelf.free_id("new-customer")})
                return self._open(self._drafts.new(trainer, text))
            case "copy":
                return self._open(self._drafts.new(trainer, self._copied(wish.which)))
            case "upload":
                return self._open(self._drafts.new(trainer, wish.text))
            case "discard":
                self._drafts.discard(trainer, wish.key)
                return self._list(trainer)
            case "close":
                return Screen(notice="", panel="")
        draft = self._changed(trainer, wish)
        match wish.act:
            case "save" | "over":
                return self._save(trainer, draft, wish)
            case "copy-mine":
                fields = read(draft.text).fields or {}
                free = self._shelf.free_id(str(fields.get("id", "")) or "new-customer")
                copy = self._drafts.new(trainer, put(draft.text, {"id": free}))
                self._drafts.discard(trainer, draft.key)
                return self._open(copy)
            case "ask-remove":
                return replace(self._verdict(wish.seq, draft), panel=panels.remove_panel(draft))
            case "ask-discard":
                return replace(self._verdict(wish.seq, draft), panel=panels.discard_panel(draft))
            case "remove":
                self._shelf.remove(draft.key, draft.over or "")
                self._drafts.discard(trainer, draft.key)
                return self._list(trainer)
            case "try":
                return replace(self._verdict(wish.seq, draft), panel=panels.drive_panel(self._whole(draft)))
            case "call":
                copy_ = self._drives.begin(self._whole(draft), draft.key, wish.anger, wish.told)
                return self.desk.begin(trainer, copy_)
            case "change":
                return self._verdict(wish.seq, draft)
            case _:
                focus = f"{wish.where}.{wish.to}" if wish.act == "move" else wish.where if wish.act != "yaml" else ""
                readable = read(draft.text).fields is not None
                return replace(self._verdict(wish.seq, draft, focus), form=self._form(draft) if readable else None)

    def _changed(self, trainer: str, wish: Wish) -> Draft:
        """The draft with what the wish changes, kept."""
        draft = self._draft(trainer, wish.key)
        text = written(draft.text, wish)
        return draft if text == draft.text else self._drafts.keep(trainer, draft.model_copy(update={"text": text}))

    def _draft(self, trainer: str, key: str) -> Draft:
        draft = self._drafts.get(trainer, key)
        kept = None if draft or key.endswith(".new") else self._shelf.kept(key)
        if draft is None and kept is not None:
            draft = Draft(key=key, text=kept.text, over=kept.version)
        if draft is None:
            raise ShelfError("That draft is no longer here: it was saved, discarded, or made in another browser.")
        return draft

    def _read(self, draft: Draft) -> Reading:
        """What the draft says, with the mistakes that only the shelf knows of."""
        reading = read(draft.text)
        named = (reading.fields or {}).get("id")
        fault = None
        if draft.over is not None and reading.fields is not None and named != draft.key:
            fault = f"stays {draft.key}, for calls are kept under it; duplicate the persona to use another"
        elif draft.over is None and isinstance(named, str) and self._shelf.free_id(named) != named:
            fault = "is taken by another persona; choose another"
        if fault is None:
            return reading
        return Reading(reading.fields, None, (Fault(("id",), fault), *reading.faults))

    def _whole(self, draft: Draft) -> Persona:
        persona = read(draft.text).persona
        if persona is None:
            raise DraftError("Nobody can call a persona that is not whole yet. Write and mend what the checks list.")
        return persona

    def _copied(self, persona_id: str) -> str:
        if persona_id not in self._customers:
            raise ShelfError("That persona is no longer here. Choose another one.")
        kept = self._shelf.kept(persona_id) if persona_id in self._shelf else None
        text = kept.text if kept else dump_persona(self._customers[persona_id])
        return put(text, {"id": self._shelf.free_id(persona_id)})

    def _save(self, trainer: str, draft: Draft, wish: Wish) -> Screen:
        reading = self._read(draft)
        if reading.faults:
            first = next((f for f in reading.faults if not studio.to_write(f)), reading.faults[0])
            words = f"Not saved yet: {plural(len(reading.faults), 'thing')} to write or to mend. The draft is kept."
            return replace(self._verdict(wish.seq, draft, at(first.at)), notice=_notice(words, "trouble"))
        persona = self._shelf.save(draft.text, wish.which if wish.act == "over" else draft.over)
        self._drafts.discard(trainer, draft.key)
        words = f"{persona.name} is saved and in the gallery now."
        return replace(self._open(self._draft(trainer, persona.id)), notice=_notice(words, "done"))

    def _rehearse(self, draft: Draft) -> Iterator[Screen]:
        persona = self._whole(draft)
        if not self._rehearsing.acquire(blocking=False):
            raise ShelfError("The four trainees are on the line with another persona. Try again in a few seconds.")
        try:
            names, done = list(self._cast), list[Rehearsed]()
            yield Screen(notice="", panel=panels.cast_panel(persona, done, names[0]))
            for run in rehearse(persona, self._engine.judge, self._cast):
                done.append(run)
                awaited = names[len(done)] if len(done) < len(names) else ""
                yield Screen(panel=panels.cast_panel(persona, done, awaited))
        finally:
            self._rehearsing.release()

    def _verdict(self, seq: int, draft: Draft, focus: str = "") -> Screen:
        reading = self._read(draft)
        weak = lint(reading.persona) if reading.persona else ()
        return Screen(
            notice="", checks=studio.checks(reading, weak), verdict=studio.verdict(seq, draft, reading, weak, focus)
        )

    def _form(self, draft: Draft) -> str:
        fields = read(draft.text).fields
        return form.unreadable() if fields is None else form.form(fields, draft.over is not None)

    def _open(self, draft: Draft) -> Screen:
        saved = draft.over is not None
        kept = self._shelf.kept(draft.key) if saved else None
        since = saved and (kept is None or kept.version != draft.over)
        return replace(
            self._verdict(0, draft),
            page=STUDIO,
            place=f"{STUDIO}/{draft.key}",
            studio=studio.head(draft, saved, since),
            panel="",
            form=self._form(draft),
            side=studio.side(draft),
        )

    def _list(self, trainer: str) -> Screen:
        shelves = studio.shelves(
            self._customers.library, dict(self._shelf), self._drafts.of(trainer), self._shelf.unusable()
        )
        return replace(_BARE, studio=shelves)

    def _list_or_not(self, visitor: Visitor, error: Exception) -> Screen:
        if visitor.trains and visitor.owner:
            return replace(self._list(visitor.owner), notice=_told(error))
        return replace(_BARE, studio='<h1 tabindex="-1">Studio</h1>', notice=_told(error))


def open_workshop(folder: Path, customers: Customers, engine: Engine, cast: Cast) -> Workshop:
    """The workshop whose drafts and test drives are in `folder`. Raises StorageError."""
    drives = Drives(folder / "drives")
    drives.folder.mkdir(parents=True, exist_ok=True)
    calls = Store(f"sqlite:///{drives.folder / 'calls.sqlite'}")
    calls.forget_before(kept_since())
    desk = DriveDesk(engine, calls, drives)
    return Workshop(customers, Drafts(folder / "drafts"), drives, desk, engine, cast)


def _trainer(visitor: Visitor) -> str:
    """The trainer's secret. Raises LostError for anyone else."""
    trainers_only(visitor)
    if visitor.owner is None:
        raise LostError("This browser has no secret of its own yet, so its drafts cannot be found. Reload the page.")
    return visitor.owner


def _told(error: Exception) -> str:
    return _notice(str(error), "trouble")


def _notice(words: str, kind: str) -> str:
    role = "alert" if kind == "trouble" else "status"
    return f'<div class="{kind}" role="{role}"><p>{esc(words)}</p></div>'
