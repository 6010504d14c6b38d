"""One exchange of a call on the page: a reply is read, then answered, and each step shows."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Lock
from typing import Any

from simulator import coach as coaching
from simulator.customer import stream
from simulator.session import Call, ReplyError
from simulator.ui import call as on_call
from simulator.ui.screen import Screen, Trouble, as_it_stands, hint_button, quiet, trouble
from simulator.ui.words import first_name

_ANSWERING: dict[str, Any] = {"status": quiet("You can write on meanwhile."), "busy": True, "retry": False}
PACE = 0.045  # seconds a word of the customer's line; a quick speaker's three words a second would make people wait


class Exchange:
    """Keeps nothing of a call but which ones are being answered. What cannot be done is raised as one of Trouble."""

    def __init__(self) -> None:
        self._answering: set[str] = set()
        self._door = Lock()

    def say(self, call: Call, text: str, still: bool) -> Iterator[Screen]:
        """A reply: read, then answered. The text leaves the box only once it has been heard."""
        name = first_name(call.persona)
        with self._alone(call):
            if call.transcript.finished:  # in another tab
                yield as_it_stands(call)
                return
            waits = on_call.awaiting(f"{name} is listening", listening=True)
            yield Screen(now=waits, status=quiet("Sending…"), busy=True, retry=False)
            try:
                call.hear(text)
            except Trouble as error:
                yield Screen(now="", status=trouble(error, heard=False), busy=False)
                return
            yield replace(_standing(call), now=on_call.awaiting(f"{name} is answering"), **_ANSWERING, box="")
            yield from self._answer(call)
            yield from self._speak(call, still)
        yield from self._told(call)

    def ask_again(self, call: Call, still: bool) -> Iterator[Screen]:
        """The answer to a reply that was heard and never answered."""
        with self._alone(call):
            if not call.waiting:  # another tab has had the answer, or has ended the call
                yield as_it_stands(call)
                return
            waits = on_call.awaiting(f"{first_name(call.persona)} is answering")
            yield Screen(now=waits, **_ANSWERING)
            yield from self._answer(call)
            yield from self._speak(call, still)
        yield from self._told(call)

    def hint(self, call: Call) -> Screen:
        """A hint, counted; while the customer answers, a kind no that is not."""
        if call.transcript.id in self._answering:
            words = f"Ask for a hint once {first_name(call.persona)} has answered; this one is not counted."
            return Screen(status=quiet(words), aloud=on_call.aloud(words))
        if call.transcript.finished:
            return as_it_stands(call)
        if call.transcript.exam:
            return Screen()
        call.hint_used()
        hint = coaching.hint(call.persona, call.state)
        shown, aloud = on_call.coach(call.transcript, hint), on_call.aloud(f"Hint: {hint}")
        return Screen(coach=shown, hints=hint_button(call), aloud=aloud)

    @contextmanager
    def _alone(self, call: Call) -> Iterator[None]:
        """One reply of a call at a time, until its answer has been said, also when the call is open in two tabs."""
        with self._door:
            if call.transcript.id in self._answering:
                raise ReplyError(
                    f"{first_name(call.persona)} is still answering. Your words are in the box; send them then."
                )
            self._answering.add(call.transcript.id)
        try:
            yield
        finally:
            self._answering.discard(call.transcript.id)

    def _answer(self, call: Call) -> Iterator[Screen]:
        """Find the customer's line; yields only when it cannot be found."""
        try:
            call.answer()
            if call.transcript.finished:
                call.end()
        except Trouble as error:
            # A call that is over and stored but for its mark is graded when its scorecard is opened.
            if not call.transcript.finished:
                yield replace(_standing(call), status=trouble(error), retry=True)

    def _speak(self, call: Call, still: bool) -> Iterator[Screen]:
        """The customer's line, word by word."""
        said = call.transcript.turns[-1]
        for part in () if still or said.role == "trainee" else stream(said.text):
            yield Screen(now=on_call.speaking(call.persona, part))
            time.sleep(PACE)

    def _told(self, call: Call) -> Iterator[Screen]:
        """Everything as it stands once the customer has answered, but for the coach, who has nothing to add: a hint that
        was asked for before the answer was asked for again stays."""
        if call.transcript.turns[-1].role == "customer":
            yield replace(_standing(call), coach=None, aloud=on_call.answer_aloud(call))


def _standing(call: Call) -> Screen:
    """The call as it stands, but for the count of hints, which may have grown since this exchange opened the call."""
    return replace(as_it_stands(call), hints=None)
