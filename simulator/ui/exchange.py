"""One exchange of a call on the page: a reply is read, then answered, and each step shows."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Lock
from typing import Any

from simulator.customer import stream
from simulator.session import Call, ReplyError
from simulator.ui import call as on_call
from simulator.ui.screen import Screen, Trouble, as_it_stands, quiet, trouble
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
            waits = on_call.awaiting(f"{name} is listening", listening=True)
            yield Screen(now=waits, status=quiet("Sending…"), busy=True, retry=False)
            try:
                call.hear(text)
            except Trouble as error:
                yield Screen(now="", status=trouble(error, heard=False), busy=False)
                return
            yield replace(as_it_stands(call), now=on_call.awaiting(f"{name} is answering"), **_ANSWERING, box="")
            yield from self._answer(call)
        yield from self._tell(call, still)

    def ask_again(self, call: Call, still: bool) -> Iterator[Screen]:
        """The answer to a reply that was heard and never answered."""
        with self._alone(call):
            waits = on_call.awaiting(f"{first_name(call.persona)} is answering")
            yield Screen(now=waits, **_ANSWERING)
            yield from self._answer(call)
        yield from self._tell(call, still)

    @contextmanager
    def _alone(self, call: Call) -> Iterator[None]:
        """One reply of a call at a time, also when it is open in two tabs."""
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
                yield replace(as_it_stands(call), status=trouble(error), retry=True)

    def _tell(self, call: Call, still: bool) -> Iterator[Screen]:
        """The customer's line, word by word, then everything as it stands."""
        said = call.transcript.turns[-1]
        if said.role == "trainee":
            return
        for part in () if still else stream(said.text):
            yield Screen(now=on_call.speaking(call.persona, part))
            time.sleep(PACE)
        yield replace(as_it_stands(call), aloud=on_call.answer_aloud(call))
