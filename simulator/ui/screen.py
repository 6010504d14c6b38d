"""What a wish changes on the page, and how trouble is told: what happened, what is safe, what to do."""

import re
from dataclasses import dataclass
from typing import NamedTuple

from simulator.judge import JudgeError
from simulator.models.base import ModelError
from simulator.session import Call, ReplyError
from simulator.storage import StorageError
from simulator.ui import call as on_call
from simulator.ui.words import esc, first_name

GALLERY, BRIEFING, CALL, SCORECARD, CALLS, WHATIF = "gallery", "briefing", "call", "scorecard", "calls", "whatif"
REVIEW, SESSION, STUDIO, EVALUATE = "review", "session", "studio", "evaluate"
PAGES = (GALLERY, BRIEFING, CALL, SCORECARD, CALLS, WHATIF, REVIEW, SESSION, STUDIO, EVALUATE)
UNFORESEEN = (
    '<div class="trouble" role="alert"><p>Something went wrong that Defuse did not foresee. What was said so far is kept. '
    "Reload the page to see how things stand.</p></div>"
)
READY = "Enter sends · Shift+Enter starts a new line"


class Places(NamedTuple):
    """What the address calls the pages of a call: the call, its scorecard, and two courses of it side by side."""

    call: str
    scorecard: str
    whatif: str


COUNTED = Places(CALL, SCORECARD, WHATIF)
DRIVES = Places("drive", "driven", "driven-again")  # test drives, on the same pages

_OWNER = re.compile(r"[0-9a-f]{64}")
Trouble = (ReplyError, JudgeError, ModelError, StorageError)  # what a trainee can do something about


class LostError(StorageError):
    """A page that leads nowhere. The message says where to go."""


@dataclass(frozen=True)
class Screen:
    """What changes on the page; None leaves a part as it is. Strings are HTML, but for `place`, `owner`, `box` and `focus`,
    the id of what is to have the focus. `ticking` is whether the page asks by itself how things stand; a page that comes up
    does not, unless it says so."""

    page: str | None = None
    place: str | None = None
    owner: str | None = None
    notice: str | None = None
    welcome: str | None = None
    filters: str | None = None
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
    whatif: str | None = None
    calls: str | None = None
    review: str | None = None
    session: str | None = None
    header: str | None = None
    foot: str | None = None
    focus: str | None = None
    studio: str | None = None
    panel: str | None = None
    form: str | None = None
    checks: str | None = None
    side: str | None = None
    verdict: str | None = None
    heard: str | None = None
    evaluate: str | None = None
    ticking: bool | None = None


def known_owner(owner: object) -> str | None:
    """The browser's secret, when it is one of ours."""
    return owner if isinstance(owner, str) and _OWNER.fullmatch(owner) else None


def owner_of(owner: object) -> str:
    """The browser's secret. Raises LostError when it has none."""
    known = known_owner(owner)
    if known is None:
        raise LostError(
            "Your calls cannot be found: you are not logged in any more, or this browser has no secret of its own yet. "
            "Reload the page."
        )
    return known


def trouble(error: Exception, heard: bool = True) -> str:
    """What happened, what is safe, what to do. `heard` says whether the reply had been taken in before it happened."""
    if isinstance(error, ReplyError | StorageError):
        return f'<div class="trouble" role="alert"><p>{esc(str(error))}</p></div>'
    said = "Your reply could not be read. It is still in the box, and the call stands where it was. Send it again."
    if heard:
        said = "The customer's answer could not be found. Your reply is kept and counted. Ask for the answer again."
    return (
        f'<div class="trouble" role="alert"><p>{said}</p><details><summary>What went wrong</summary>'
        f"<p>{esc(str(error))}</p></details></div>"
    )


def quiet(words: str = "") -> str:
    """The line under the conversation when all is well."""
    return f'<p class="quiet">{esc(words)}</p>'


def as_it_stands(call: Call) -> Screen:
    """The call page as the call stands."""
    transcript, exam = call.transcript, call.transcript.exam
    unanswered = call.waiting and transcript.turns[-1].reaction is not None
    status = quiet(READY)
    if transcript.finished:
        how = f"{first_name(call.persona)} has said the last word" if transcript.ending else "You ended it elsewhere"
        status = quiet(f"The call is over. {how}.")
    elif unanswered:
        status = quiet(f"{first_name(call.persona)} has not answered yet.")
    return Screen(
        talk=on_call.talk(call.persona, transcript),
        now="",
        gauge=on_call.gauge(call.state, on_call.last_change(transcript)),
        curve=on_call.small_curve(call),
        goals=on_call.goals(call.persona, call.state, exam),
        coach=on_call.coach(transcript),
        status=status,
        hints=hint_button(call),
        busy=False,
        retry=unanswered,
        over=transcript.finished,
        exam=exam,
        asking=False if transcript.finished else None,  # a question asked meanwhile awaits its answer
    )


def hint_button(call: Call) -> str:
    """What stands on the button: the hints so far."""
    return f"Hint ({call.transcript.hints} used)" if call.transcript.hints else "Hint"
