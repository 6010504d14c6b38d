"""What trainers' buttons do: plain functions from a wish to a Screen. Each asks first whether this is a trainer."""

from collections.abc import Mapping
from dataclasses import replace

from simulator.accounts import Accounts
from simulator.database import StorageError
from simulator.people import names
from simulator.persona import Persona
from simulator.review import agreement, most_missed
from simulator.reviews import OverrideError, Reviews
from simulator.ui import review, session
from simulator.ui.call import aloud
from simulator.ui.door import Visitor, trainers_only
from simulator.ui.screen import REVIEW, SESSION, Screen, trouble

PLACES = (REVIEW, SESSION)


class Office:
    """The review pages over the store and the library."""

    def __init__(self, reviews: Reviews, personas: Mapping[str, Persona], accounts: Accounts | None) -> None:
        self._reviews = reviews
        self._personas = personas
        self._accounts = accounts

    def go(self, visitor: Visitor, place: str) -> Screen:
        """The page at `review`, with or without a filter, or at `session/ID`. Raises StorageError."""
        trainers_only(visitor)
        kind, _, which = place.strip("#/").partition("/")
        if kind == SESSION:
            return replace(self._session(which), page=SESSION, place=f"{SESSION}/{which}", notice="")
        asked = review.wanted(which)
        known = names(self._accounts, self._reviews.owners())
        choice = review.choice(asked, known)
        found = self._reviews.find(choice, first=(asked.page - 1) * review.PAGE, most=review.PAGE)
        missed = most_missed(self._reviews.cards(choice), self._personas)
        weeks = agreement(self._reviews.read_calls())
        shown = review.page(asked, found, known, self._personas, missed, weeks)
        return Screen(page=REVIEW, place=place.strip("#/"), notice="", review=shown)

    def mark(self, visitor: Visitor, place: str, kind: str, form: Mapping[str, str]) -> Screen:
        """Keep what a trainer says of the call that is open: `move`, `score`, or `read`."""
        try:
            trainers_only(visitor)
            call_id = place.strip("#/").partition("/")[2]
            where = "read"
            if kind == "read":
                self._reviews.mark_read(call_id, visitor.signature)
            else:
                turn, subject, now = _override(kind, form)
                self._reviews.override(call_id, visitor.signature, turn, subject, now, form.get("reason", ""))
                where = "scores" if turn is None else f"said-{turn}"
            return replace(self._session(call_id), notice="", aloud=aloud("Saved."), focus=where)
        except StorageError as error:
            return Screen(notice=trouble(error))

    def _session(self, call_id: str) -> Screen:
        call = self._reviews.open(call_id)
        trainee = names(self._accounts, [call.owner])[call.owner]
        return Screen(session=session.page(call, call.persona or self._personas.get(call.transcript.persona), trainee))


def _override(kind: str, form: Mapping[str, str]) -> tuple[int | None, str, float]:
    """Turn, subject and value as the form gives them; what they may be is for Reviews to say."""
    try:
        if kind == "move":
            subject, _, now = form["subject"].partition(":")
            return int(form["turn"]), subject, float(now)
        return None, form["subject"], float(form["now"])
    except (KeyError, ValueError) as error:
        raise OverrideError("A score is a number from 0 to 100. Nothing was changed.") from error
