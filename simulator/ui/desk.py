"""What the buttons do: plain functions from a trainee's wish to a Screen, which pages.py hands to Gradio.

Nothing of a call lives in the server's memory: each wish opens the call from the store, by its id and its owner. So a
reload, a second tab or a restart finds it where it was, and one browser never reaches another's.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from simulator.accounts import Accounts
from simulator.engine import Engine
from simulator.people import names
from simulator.persona import Persona
from simulator.session import Call
from simulator.storage import StorageError, Store, Summary, hashed
from simulator.ui import call as on_call
from simulator.ui import calls as my_calls
from simulator.ui import gallery, scorecard, whatif
from simulator.ui.exchange import Exchange
from simulator.ui.gallery import Choice
from simulator.ui.screen import (
    BRIEFING,
    CALL,
    CALLS,
    COUNTED,
    GALLERY,
    SCORECARD,
    WHATIF,
    LostError,
    Screen,
    Trouble,
    as_it_stands,
    known_owner,
    owner_of,
    trouble,
)


class Desk:
    """The engine, the store and the library behind the pages. Shared by all trainees; keeps nothing of a call."""

    places = COUNTED

    def __init__(
        self,
        engine: Engine,
        store: Store,
        personas: Mapping[str, Persona],
        accounts: Accounts | None = None,
        own: Mapping[str, Persona] | None = None,
    ) -> None:
        self.personas = personas  # may change while the app runs: trainers write their own, which are in `own` too
        self._own: Mapping[str, Persona] = {} if own is None else own
        self._accounts = accounts
        self._engine = engine
        self._store = store
        self._exchange = Exchange()

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
            if kind in self.places:
                return self.at_a_call(owner, place)
            mine = self._mine(owner)
            if kind == CALLS:
                return Screen(page=CALLS, place=CALLS, notice="", calls=my_calls.calls(self.personas, mine))
            return self._gallery(mine, "")
        except StorageError as error:
            return self._gallery(self._mine_or_none(owner), trouble(error))

    def at_a_call(self, owner: object, place: str) -> Screen:
        """The page of a call, its scorecard or its comparison. Raises StorageError when there is none."""
        kind, _, which = place.strip("#/").partition("/")
        call = self._open(owner, which)
        if kind == self.places.call:
            return self._call_page(call, owner)
        return self._scorecard_page(call, owner) if kind == self.places.scorecard else self._whatif_page(call, owner)

    def choose(self, owner: object, difficulty: object, trade: object) -> Screen:
        """The cards that a filter lets through."""
        return Screen(cards=self._cards(self._mine_or_none(owner), _choice(difficulty, trade)))

    def surprise(self, owner: object, difficulty: object, trade: object) -> Screen:
        """The briefing of a customer drawn from the filtered ones, one not met yet if there is any."""
        met = gallery.records(self._mine_or_none(owner))
        there = gallery.chosen(self.personas, _choice(difficulty, trade)) or list(self.personas.values())
        drawn = secrets.choice([persona for persona in there if persona.id not in met] or there)
        return self.go(owner, f"{BRIEFING}/{drawn.id}")

    def take(self, owner: object, place: str, exam: bool) -> Screen:
        """Take the call whose briefing is open."""
        try:
            known = owner_of(owner)
            persona = self._persona(place.partition("/")[2])
            engine = self._engine
            call = Call.begin(persona, engine.customer, engine.judge, store=self._store, owner=known, exam=exam)
            return self._call_page(call, known)
        except Trouble as error:
            return Screen(notice=trouble(error))

    def again(self, owner: object, place: str, turn: object) -> Screen:
        """Take the call whose scorecard or comparison is open again, from the reply at `turn`."""
        try:
            known, (kind, _, which) = owner_of(owner), place.partition("/")
            call = self._open(known, which)
            first = call.transcript.branched_from if kind == self.places.whatif else which
            at = int(turn) if isinstance(turn, int | str) and str(turn).isdecimal() else -1
            persona, customer, judge = call.persona, self._engine.customer, self._engine.judge
            branch = Call.branch(
                persona, customer, judge, store=self._store, owner=known, call_id=first or which, at=at
            )
            return self._call_page(branch, known)
        except Trouble as error:
            return Screen(notice=trouble(error))

    def say(self, owner: object, place: str, text: str, still: bool) -> Iterator[Screen]:
        """A reply: read, then answered. `still` shows the answer whole."""
        yield from self._exchanged(owner, place, lambda call: self._exchange.say(call, text, still))

    def ask_again(self, owner: object, place: str, still: bool) -> Iterator[Screen]:
        """The answer to a reply that was heard and never answered."""
        yield from self._exchanged(owner, place, lambda call: self._exchange.ask_again(call, still))

    def hint(self, owner: object, place: str) -> Screen:
        """A hint, counted."""
        try:
            return self._exchange.hint(self._at_call(owner, place))
        except Trouble as error:
            return Screen(status=trouble(error))

    def end(self, owner: object, place: str) -> Screen:
        """End the call and read its scorecard."""
        try:
            call = self._at_call(owner, place)
            call.end()
            return self._whatif_page(call, owner)
        except Trouble as error:
            return Screen(status=trouble(error), asking=False)

    def _persona(self, persona_id: str) -> Persona:
        if persona_id not in self.personas:
            raise LostError("That customer is not in the library. Choose another one here.")
        return self.personas[persona_id]

    def _open(self, owner: object, call_id: str) -> Call:
        known = owner_of(owner)
        engine = self._engine
        return Call.resume(
            self._persona, engine.customer, engine.judge, store=self._store, owner=known, call_id=call_id
        )

    def _at_call(self, owner: object, place: str) -> Call:
        return self._open(owner, place.partition("/")[2])

    def _exchanged(self, owner: object, place: str, exchange: Callable[[Call], Iterator[Screen]]) -> Iterator[Screen]:
        """What an exchange shows, and that the call is over when another tab has ended it meanwhile."""
        try:
            call = self._at_call(owner, place)
            yield from exchange(call)
            if not call.transcript.finished and (ended := self._at_call(owner, place)).transcript.finished:
                yield as_it_stands(ended)
        except Trouble as error:
            yield Screen(status=trouble(error))

    def _mine(self, owner: object) -> Sequence[Summary]:
        known = known_owner(owner)
        return self._store.calls(known) if known is not None else ()

    def _mine_or_none(self, owner: object) -> Sequence[Summary]:
        try:
            return self._mine(owner)
        except StorageError:
            return ()

    def _gallery(self, mine: Sequence[Summary], notice: str) -> Screen:
        return Screen(
            page=GALLERY,
            place="",
            notice=notice,
            welcome=gallery.welcome(self.personas, mine),
            filters=gallery.filters(self.personas),
            cards=self._cards(mine, Choice()),
        )

    def _cards(self, mine: Sequence[Summary], choice: Choice) -> str:
        return gallery.cards(self.personas, mine, choice, set(self._own))

    def _back(self, persona: Persona) -> str:
        """Where a test drive came from; empty for a call that counts."""
        del persona
        return ""

    def _call_page(self, call: Call, owner: object) -> Screen:
        if call.transcript.finished:
            return self._whatif_page(call, owner)
        last = call.transcript.turns[-1]
        unread = last.text if last.role == "trainee" and last.reaction is None else ""
        head = on_call.head(call.persona, call.transcript, self._back(call.persona))
        place = f"{self.places.call}/{call.transcript.id}"
        # asking=False: the question may stand open from the call that was left.
        return replace(as_it_stands(call), page=CALL, place=place, notice="", head=head, box=unread, asking=False)

    def _scorecard_page(self, call: Call, owner: object) -> Screen:
        if not call.transcript.finished:
            return self._call_page(call, owner)
        known, call_id = owner_of(owner), call.transcript.id
        if self._store.scorecard(call_id, known) is None:
            call.end()
        trainee = names(self._accounts, [hashed(known)])[hashed(known)]
        branches = [one for one in self._mine(owner) if one.branched_from == call_id]
        reviewed = self._store.reviewed(call_id, known)
        back, listed = self._back(call.persona), call.persona.id in self.personas
        shown = scorecard.scorecard(call.persona, reviewed, trainee, branches, self.places, back, listed)
        return Screen(page=SCORECARD, place=f"{self.places.scorecard}/{call_id}", notice="", scorecard=shown)

    def _whatif_page(self, call: Call, owner: object) -> Screen:
        """The two courses of a branch side by side; the scorecard of a call that is none, or whose first course is gone."""
        if not call.transcript.finished:
            return self._call_page(call, owner)
        try:
            first = self._open(owner, call.transcript.branched_from or "")
        except StorageError:
            return self._scorecard_page(call, owner)
        courses = self._course(first, owner), self._course(call, owner)
        back, listed = self._back(call.persona), call.persona.id in self.personas
        shown = whatif.comparison(call.persona, *courses, self.places, back, listed)
        return Screen(page=WHATIF, place=f"{self.places.whatif}/{call.transcript.id}", notice="", whatif=shown)

    def _course(self, call: Call, owner: object) -> whatif.Course:
        reviewed = self._store.reviewed(call.transcript.id, owner_of(owner))
        return whatif.Course(call.transcript, reviewed.scorecard or call.end(), reviewed.overrides)


def _choice(difficulty: object, trade: object) -> Choice:
    level = str(difficulty)
    return Choice(int(level) if level.isdecimal() else 0, trade if isinstance(trade, str) else "")
