"""One call: the loop reply -> judge -> anger -> directive -> customer, each turn stored as it happens.

The state is never stored: it is the fold of `react` over the judgements, so a call can be resumed, audited or replayed
from its turns alone.
"""

import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

from simulator.anger import Reaction, State, opening_state, outcome_of, react
from simulator.customer import Customer, Utterance
from simulator.directive import Directive, opening_directive
from simulator.freshness import directed
from simulator.grade import Scorecard, grade
from simulator.judge import MOST_CHARACTERS, Judge, Reading
from simulator.moves import Judgement
from simulator.persona import Persona
from simulator.storage import Store, new_id
from simulator.transcript import Models, Transcript, Turn


class ReplyError(ValueError):
    """A reply that cannot be taken. Nothing has changed; the message says what to do."""


def package_version() -> str:
    """The installed version of Defuse."""
    try:
        return version("defuse")
    except PackageNotFoundError:
        return "source"


class Call:
    """A call with one customer. Not shared between people; the customer and judge behind it are."""

    def __init__(
        self,
        persona: Persona,
        customer: Customer,
        judge: Judge,
        transcript: Transcript,
        store: Store | None,
        owner: str,
    ) -> None:
        self.persona = persona
        self.transcript = transcript
        self._customer = customer
        self._judge = judge
        self._store = store
        self._owner = owner
        self.state = replay(persona, transcript)
        if self.state.ending is not None and not transcript.finished and not self.waiting:
            self._finish(self.state)  # the process ended between the last line and the note that it was the last

    @classmethod
    def begin(
        cls,
        persona: Persona,
        customer: Customer,
        judge: Judge,
        *,
        store: Store | None = None,
        owner: str = "",
        seed: int | None = None,
        exam: bool = False,
    ) -> "Call":
        """A new call; the customer has said the opening. Without a seed, one is drawn from the call's id."""
        call_id = new_id()
        directive = opening_directive(persona, opening_state(persona))
        opening = Turn(
            role="customer", text=persona.opening, anger=persona.temperament.opening_anger, directive=directive
        )
        transcript = Transcript(
            id=call_id,
            persona=persona.id,
            seed=zlib.crc32(call_id.encode()) >> 1 if seed is None else seed,  # PostgreSQL's integers are signed
            turns=(opening,),
            exam=exam,
            models=Models(customer=customer.model.name, judge=judge.name, package=package_version()),
        )
        if store is not None:
            store.create(transcript, owner, persona)
        return cls(persona, customer, judge, transcript, store, owner)

    @classmethod
    def resume(
        cls,
        library: Callable[[str], Persona],
        customer: Customer,
        judge: Judge,
        *,
        store: Store,
        owner: str,
        call_id: str,
    ) -> "Call":
        """A stored call, where it was left. A reply that was never answered is answered by `answer`.

        `library` finds the persona of a call of an earlier version: later ones keep their own, as it was when they began.
        """
        transcript = store.load(call_id, owner)
        persona = store.persona(call_id, owner) or library(transcript.persona)
        return cls(persona, customer, judge, transcript, store, owner)

    @classmethod
    def branch(
        cls, persona: Persona, customer: Customer, judge: Judge, *, store: Store, owner: str, call_id: str, at: int
    ) -> "Call":
        """A finished call taken again from the reply at turn `at`: what was said before is copied, the call itself stays.

        The seed is the same, so the same words get the same answers; it is practice, also where the call was an exam.
        Raises ReplyError when the call is not over or the turn is not a reply of it, and StorageError.
        """
        first = store.load(call_id, owner)
        if not first.finished or at not in dict(first.replies):
            raise ReplyError("Only a call that is over can be taken again, from one of your own replies in it.")
        transcript = Transcript(
            id=new_id(),
            persona=persona.id,
            seed=first.seed,
            turns=first.turns[:at],
            models=Models(customer=customer.model.name, judge=judge.name, package=package_version()),
            branched_from=first.id,
            branched_at=at,
        )
        store.create(transcript, owner, persona)
        return cls(persona, customer, judge, transcript, store, owner)

    @property
    def waiting(self) -> bool:
        """Whether a reply has been said that the customer has not answered."""
        return not self.transcript.finished and self.transcript.turns[-1].role == "trainee"

    def say(self, text: str) -> Reading:
        """Take a reply, not yet judged, and return what the judge reads. Raises ReplyError or StorageError.

        The words are stored before they are judged. Until they are, `say` with the same or another text replaces them.
        """
        text = text.strip()
        if self.transcript.finished:
            raise ReplyError("The call has ended. Take the call again, or choose another customer.")
        if not text:
            raise ReplyError("Say something first: an empty reply cannot be sent.")
        if len(text) > MOST_CHARACTERS:
            raise ReplyError(
                f"That is {len(text):,} characters; nobody listens that long. Keep it under {MOST_CHARACTERS:,} "
                "(it is still in the box)."
            )
        turns = self.transcript.turns
        if turns[-1].role == "trainee":
            turns = turns[:-1]
        self.state = replay(self.persona, self.transcript.model_copy(update={"turns": turns}))
        self._put(len(turns), Turn(role="trainee", text=text, anger=self.state.anger), turns)
        return Reading(persona=self.persona, history=tuple((t.role, t.text) for t in turns), reply=text)

    def judged(self, judgement: Judgement) -> Reaction:
        """Move the anger by the judgement of the reply said last. Raises ReplyError or StorageError."""
        *before, said = self.transcript.turns
        if said.role != "trainee" or said.judgement is not None:
            raise ReplyError("There is no reply to judge; say something first.")
        state, reaction = react(self.persona, self.state, judgement)
        turn = said.model_copy(update={"judgement": judgement, "reaction": reaction, "anger": state.anger})
        self._put(len(before), turn, tuple(before))
        self.state = state
        return reaction

    def hear(self, text: str) -> Reaction:
        """`say`, judge and `judged` in one. When judging fails the words stay, and `hear` again replaces them.

        Raises ReplyError, JudgeError, ModelError or StorageError.
        """
        return self.judged(self._judge.judge([self.say(text)])[0])

    def next_line(self) -> Utterance:
        """What the customer says to the reply heard last; nothing changes. Raises ReplyError or ModelError."""
        return self._customer.speak(
            self.persona, self.transcript.lines(), self._directive(), self.state.told, self.transcript.seed
        )

    def answered(self, line: Utterance) -> Turn:
        """The customer says `line`. Raises ReplyError or StorageError."""
        turn = Turn(role="customer", text=line.text, anger=self.state.anger, directive=self._directive())
        self._put(len(self.transcript.turns), turn, self.transcript.turns)
        if self.state.outcome is not None:
            self._finish(self.state)
        return turn

    def answer(self) -> Turn:
        """`next_line` and `answered` in one. Raises ReplyError, ModelError or StorageError."""
        return self.answered(self.next_line())

    def _directive(self) -> Directive:
        said = self.transcript.turns[-1]
        if said.role != "trainee" or said.reaction is None:
            raise ReplyError("There is no reply to answer; say something first.")
        return directed(self.persona, self.state, said.reaction, self.transcript.lines())

    def reply(self, text: str) -> tuple[Reaction, Turn]:
        """`hear` and `answer` in one."""
        reaction = self.hear(text)
        return reaction, self.answer()

    def hint_used(self) -> None:
        """Count a hint."""
        used = self.transcript.hints + 1
        if self._store is not None:
            used = self._store.count_hint(self.transcript.id, self._owner)
        self.transcript = self.transcript.model_copy(update={"hints": used})

    def end(self) -> Scorecard:
        """End the call from the trainee's side (or take note that it ended), and grade it."""
        if not self.transcript.finished:
            self._finish(self.state.model_copy(update={"outcome": outcome_of(self.persona, self.state)}))
        scorecard = grade(self.persona, self.transcript)
        if self._store is not None:
            self._store.update(self.transcript, self._owner, scorecard)
        return scorecard

    def _finish(self, state: State) -> None:
        ended = {"ending": state.ending, "outcome": state.outcome, "ended": datetime.now(UTC)}
        self.transcript = self.transcript.model_copy(update=ended)
        if self._store is not None:
            self._store.update(self.transcript, self._owner)

    def _put(self, position: int, turn: Turn, before: tuple[Turn, ...]) -> None:
        """Write through: storage first, so that memory never knows more than the disk."""
        if self._store is not None:
            self._store.put_turn(self.transcript.id, self._owner, position, turn)
        self.transcript = self.transcript.model_copy(update={"turns": (*before, turn)})


def replay(persona: Persona, transcript: Transcript) -> State:
    """The state after the judged replies of a transcript."""
    state = opening_state(persona)
    for _, turn in transcript.replies:
        if turn.judgement is not None and state.ending is None:
            state = react(persona, state, turn.judgement).state
    return state
