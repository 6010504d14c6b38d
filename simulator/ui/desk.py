"""What the buttons do: plain functions from a trainee's wish to a Screen, which pages.py hands to Gradio.

Nothing of a call lives in the server's memory: each wish opens the call from the store, by its id and its owner. So a
reload, a second tab or a restart finds it where it was, and one browser never reaches another's.
"""

import re
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from simulator import coach as coaching
from simulator.customer import stream
from simulator.engine import Engine
from simulator.judge import JudgeError
from simulator.models.base import ModelError
from simulator.persona import Persona
from simulator.session import Call, ReplyError
from simulator.storage import StorageError, Store, Summary
from simulator.ui import call as on_call
from simulator.ui import calls as my_calls
from simulator.ui import gallery, scorecard
from simulator.ui.gallery import Choice
from simulator.ui.words import esc, first_name

GALLERY, BRIEFING, CALL, SCORECARD, CALLS = "gallery", "briefing", "call", "scorecard", "calls"
PAGES = (GALLERY, BRIEFING, CALL, SCORECARD, CALLS)
PACE = 0.045  # seconds a word of the customer's line; a quick speaker's three words a second would make people wait
READY = "Enter sends · Shift+Enter starts a new line"

_OWNER = re.compile(r"[0-9a-f]{64}")
Trouble = (ReplyError, JudgeError, ModelError, StorageError)


class LostError(StorageError):
    """A page that leads nowhere. The message says where to go."""


@dataclass(frozen=True)
class Screen:
    """What changes on the page; None leaves a part as it is. Strings are HTML, but for `place`, `owner` and `box`."""

    page: str | None = None
    place: str | None = None
    owner: str | None = None
    notice: str | None = None
    welcome: str | None = None
    cards: str | None = None
    briefing: str | None = None
    head: str | None = None
    talk: str | None = None
    now: str | None = None
    aloud: str | None = None
    gauge: str | None = None
    curve: str | None = None
    goals: str | None = None
    coach: str | None = None
    status: str | None = None
    box: str | None = None
    hints: str | None = None
    busy: bool | None = None
    retry: bool | None = None
    over: bool | None = None
    exam: bool | None = None
    asking: bool | None = None
    scorecard: str | None = None
    calls: str | None = None


def known_owner(owner: object) -> str | None:
    """The browser's secret, when it is one of ours."""
    return owner if isinstance(owner, str) and _OWNER.fullmatch(owner) else None


def _known(owner: object) -> str:
    known = known_owner(owner)
    if known is None:
        raise LostError("This browser has no secret of its own yet, so its calls cannot be found. Reload the page.")
    return known


def trouble(error: Exception) -> str:
    """What happened, what is safe, what to do."""
    if isinstance(error, JudgeError):
        said = "Your reply could not be read. It is still in the box, and the call stands where it was. Send it again."
    elif isinstance(error, ModelError):
        said = "The customer's answer could not be found. Your reply is kept and counted. Ask for the answer again."
    else:
        return f'<div class="trouble" role="alert"><p>{esc(str(error))}</p></div>'
    return (
        f'<div class="trouble" role="alert"><p>{said}</p><details><summary>What went wrong</summary>'
        f"<p>{esc(str(error))}</p></details></div>"
    )


class Desk:
    """The engine, the store and the library behind the pages. Shared by all trainees; keeps no state of any."""

    def __init__(self, engine: Engine, store: Store, personas: Mapping[str, Persona]) -> None:
        self.personas = dict(personas)
        self._engine = engine
        self._store = store

    def arrive(self, owner: object, place: str) -> Screen:
        """The first page of a visit; a browser that has no secret yet gets one."""
        known = known_owner(owner)
        if known is None:
            known = secrets.token_hex(32)
        return replace(self.go(known, place), owner=known)

    def go(self, owner: object, place: str) -> Screen:
        """The page at a place such as `briefing/late-pour`; the gallery, with a word, when there is none."""
        kind, _, which = place.strip("#/").partition("/")
        try:
            if kind == BRIEFING:
                shown = gallery.briefing(self._persona(which))
                return Screen(page=BRIEFING, place=f"{BRIEFING}/{which}", notice="", briefing=shown)
            if kind == CALL:
                return self._call_page(self._open(owner, which), owner)
            if kind == SCORECARD:
                return self._scorecard_page(self._open(owner, which), owner)
            mine = self._mine(owner)
            if kind == CALLS:
                return Screen(page=CALLS, place=CALLS, notice="", calls=my_calls.calls(self.personas, mine))
            return self._gallery(mine, "")
        except Trouble as error:
            return self._gallery((), trouble(error))

    def choose(self, owner: object, difficulty: object, trade: object) -> Screen:
        """The cards that a filter lets through."""
        level = int(difficulty) if isinstance(difficulty, str | int) and str(difficulty).isdigit() else 0
        try:
            return Screen(cards=gallery.cards(self.personas, self._mine(owner), Choice(level, str(trade or ""))))
        except Trouble as error:
            return Screen(notice=trouble(error))

    def surprise(self, owner: object, difficulty: object, trade: object) -> Screen:
        """The briefing of a customer drawn from the filtered ones, one not met yet if there is any."""
        level = int(difficulty) if isinstance(difficulty, str | int) and str(difficulty).isdigit() else 0
        try:
            met = gallery.records(self._mine(owner))
        except StorageError:
            met = {}
        there = gallery.chosen(self.personas, Choice(level, str(trade or ""))) or list(self.personas.values())
        drawn = secrets.choice([persona for persona in there if persona.id not in met] or there)
        return self.go(owner, f"{BRIEFING}/{drawn.id}")

    def take(self, owner: object, place: str, exam: bool) -> Screen:
        """Take the call whose briefing is open."""
        try:
            known = _known(owner)
            persona = self._persona(place.partition("/")[2])
            engine = self._engine
            call = Call.begin(persona, engine.customer, engine.judge, store=self._store, owner=known, exam=exam)
            return self._call_page(call, known)
        except Trouble as error:
            return Screen(notice=trouble(error))

    def say(self, owner: object, place: str, text: str, still: bool) -> Iterator[Screen]:
        """A reply: read, then answered. The text leaves the box only once it has been heard."""
        try:
            call = self._at_call(owner, place)
            name = first_name(call.persona)
            waits = on_call.awaiting(f"{name} is listening")
            yield Screen(now=waits, status=_quiet("Sending…"), busy=True, retry=False)
            call.hear(text)
        except Trouble as error:
            yield Screen(now="", status=trouble(error), busy=False, retry=False)
            return
        yield replace(self._state(call), now=on_call.awaiting(f"{name} is answering"), box="", busy=True)
        yield from self._answer(call, still)

    def ask_again(self, owner: object, place: str, still: bool) -> Iterator[Screen]:
        """The answer to a reply that was heard and never answered."""
        try:
            call = self._at_call(owner, place)
        except Trouble as error:
            yield Screen(status=trouble(error))
            return
        waits = on_call.awaiting(f"{first_name(call.persona)} is answering")
        yield Screen(now=waits, status=_quiet(), busy=True, retry=False)
        yield from self._answer(call, still)

    def _answer(self, call: Call, still: bool) -> Iterator[Screen]:
        try:
            turn = call.answer()
            if call.transcript.finished:
                call.end()
        except Trouble as error:
            if not call.transcript.finished:
                yield replace(self._state(call), now="", status=trouble(error), busy=False, retry=True)
                return
            # The call is over and stored; only its mark is not. The scorecard is graded again when it is opened.
        if not still:
            for said in stream(turn.text):
                yield Screen(now=on_call.speaking(call.persona, said))
                time.sleep(PACE)
        yield replace(self._state(call), aloud=on_call.aloud(call), busy=False)

    def hint(self, owner: object, place: str) -> Screen:
        """A hint, counted."""
        try:
            call = self._at_call(owner, place)
            if call.transcript.finished or call.transcript.exam:
                return Screen()
            call.hint_used()
        except Trouble as error:
            return Screen(status=trouble(error))
        hint = coaching.hint(call.persona, call.state)
        return replace(self._state(call), coach=on_call.coach(call.transcript, hint), aloud=f"<p>Hint: {esc(hint)}</p>")

    def end(self, owner: object, place: str) -> Screen:
        """End the call and read its scorecard."""
        try:
            call = self._at_call(owner, place)
            call.end()
            return self._scorecard_page(call, owner)
        except Trouble as error:
            return Screen(status=trouble(error), asking=False)

    def _persona(self, persona_id: str) -> Persona:
        if persona_id not in self.personas:
            raise LostError("That customer is not in the library. Choose another one here.")
        return self.personas[persona_id]

    def _open(self, owner: object, call_id: str) -> Call:
        known = _known(owner)
        persona = self._persona(self._store.load(call_id, known).persona)
        engine = self._engine
        return Call.resume(persona, engine.customer, engine.judge, store=self._store, owner=known, call_id=call_id)

    def _at_call(self, owner: object, place: str) -> Call:
        return self._open(owner, place.partition("/")[2])

    def _mine(self, owner: object) -> Sequence[Summary]:
        known = known_owner(owner)
        return self._store.calls(known) if known is not None else ()

    def _gallery(self, mine: Sequence[Summary], notice: str) -> Screen:
        return Screen(
            page=GALLERY,
            place="",
            notice=notice,
            welcome=gallery.welcome(self.personas, mine),
            cards=gallery.cards(self.personas, mine, Choice()),
        )

    def _call_page(self, call: Call, owner: object) -> Screen:
        if call.transcript.finished:
            return self._scorecard_page(call, owner)
        last = call.transcript.turns[-1]
        unread = last.text if last.role == "trainee" and last.reaction is None else ""
        head = on_call.head(call.persona, call.transcript.exam)
        return replace(
            self._state(call), page=CALL, place=f"{CALL}/{call.transcript.id}", notice="", head=head, box=unread
        )

    def _scorecard_page(self, call: Call, owner: object) -> Screen:
        if not call.transcript.finished:
            return self._call_page(call, owner)
        card = self._store.scorecard(call.transcript.id, _known(owner)) or call.end()
        shown = scorecard.scorecard(call.persona, call.transcript, card)
        return Screen(page=SCORECARD, place=f"{SCORECARD}/{call.transcript.id}", notice="", scorecard=shown)

    def _state(self, call: Call) -> Screen:
        """The call page as the call stands."""
        transcript, exam = call.transcript, call.transcript.exam
        unanswered = call.waiting and transcript.turns[-1].reaction is not None
        status = _quiet(READY)
        if transcript.finished:
            status = _quiet(f"The call is over. {first_name(call.persona)} has said the last word.")
        elif unanswered:
            status = _quiet(f"{first_name(call.persona)} has not answered yet.")
        return Screen(
            talk=on_call.talk(call.persona, transcript),
            now="",
            gauge=on_call.gauge(call.state, on_call.last_change(transcript)),
            curve=on_call.small_curve(call),
            goals=on_call.goals(call.persona, call.state, exam),
            coach=on_call.coach(transcript),
            status=status,
            hints=f"Hint ({transcript.hints} used)" if transcript.hints else "Hint",
            busy=False,
            retry=unanswered,
            over=transcript.finished,
            exam=exam,
            asking=False,
        )


def _quiet(words: str = "") -> str:
    return f'<p class="quiet">{esc(words)}</p>'
