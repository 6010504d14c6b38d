"""The panels that open in the Studio: a test drive, the four trainees, removing and discarding, two versions of one."""

import difflib
from collections.abc import Iterable

from simulator.drawer import Draft
from simulator.persona import Persona, Told
from simulator.rehearsal import Rehearsed
from simulator.shelf import Kept
from simulator.ui.curve import curve, stops
from simulator.ui.studio import action, draft_name
from simulator.ui.words import OUTCOME, cap, esc, first_name, level, plural, sentence


def _panel(title: str, body: str) -> str:
    return (
        f'<section class="panel" aria-label="{title}"><div class="panel-head"><h2 tabindex="-1" data-panel>{title}</h2>'
        f'<button type="button" class="plain quiet" data-act="close">Close</button></div>{body}</section>'
    )


def drive_panel(persona: Persona) -> str:
    """Where a test drive begins: the anger, and what has been told already."""
    told = "".join(
        f'<label class="tick-row"><input type="checkbox" data-told="{esc(point.id)}"'
        f"{' checked disabled' if point.told is Told.OPENING else ''}> <span>{esc(sentence(point.fact))}</span></label>"
        for point in persona.story
    )
    start = persona.temperament.opening_anger
    step = "0.5" if (start * 2).is_integer() else "any"  # or the browser would refuse the persona's own anger
    return _panel(
        "Test drive",
        "<p>You take the call as a trainee would. It is not counted among your calls.</p>"
        '<label class="field inline">Anger at the start, 0 to 10 '
        f'<input type="number" min="0" max="10" step="{step}" value="{start:g}" required data-anger></label>'
        f"<fieldset><legend>Already told</legend>{told}</fieldset>"
        '<button type="button" class="plain primary-look" data-act="call">Take the call</button>',
    )


def cast_panel(persona: Persona, done: Iterable[Rehearsed], awaited: str = "") -> str:
    """The curves of the trainees side by side. `awaited` is who is on the line now."""
    items = "".join(_rehearsed(persona, number, run) for number, run in enumerate(done))
    wait = ""
    if awaited:
        wait = (
            f'<li class="awaiting" data-waiting><p>{esc(awaited)}</p><p class="said"><span class="typing" aria-hidden="true">'
            '<i></i><i></i><i></i></span><span class="awaited">on the line</span><span class="elapsed"></span></p></li>'
        )
    lead = (
        "Each takes the call once, read by the evaluator. The customer answers in the wordings that you wrote. "
        "A good persona is won by the expert alone."
    )
    return _panel("Four trainees", f'<p>{lead}</p><ul class="cast">{items}{wait}</ul>')


def _rehearsed(persona: Persona, number: int, run: Rehearsed) -> str:
    transcript = run.transcript
    outcome = cap(OUTCOME[transcript.outcome]) if transcript.outcome else "Not finished"
    replies = plural(len(transcript.replies), "reply", "replies")
    lines = "".join(
        f"<li><b>{'Trainee' if turn.role == 'trainee' else esc(first_name(persona))}</b> {esc(turn.text)}"
        f" <small>{turn.anger:.1f}</small></li>"
        for turn in transcript.turns
    )
    return (
        f"<li><h3>{esc(run.name)}</h3><p><b>{outcome}</b> after {replies}</p>"
        f"{curve(stops(transcript), f'heat-cast-{number}')}<p class='axis'>Anger at the end: {level(transcript.anger[-1])}</p>"
        f"<details><summary>Read the call</summary><ol class='brief-talk'>{lines}</ol></details></li>"
    )


def remove_panel(draft: Draft) -> str:
    """The question before a persona is removed for everyone."""
    return _panel(
        "Remove this persona?",
        f"<p>{esc(draft_name(draft))} leaves the gallery for everyone. Calls already held keep their lines; "
        "there is no way back.</p>"
        '<p class="actions"><button type="button" class="plain primary-look" data-act="remove">Remove it</button>'
        f"{action('close', 'Keep it')}</p>",
    )


def discard_panel(draft: Draft) -> str:
    """The question before a trainer's own draft is forgotten."""
    name = esc(draft_name(draft))
    goes = f"Your changes to {name} go; what is saved stays as it is."
    if draft.over is None:
        goes = f"{name} is not saved yet, so all that you wrote goes."
    return _panel(
        "Discard this draft?",
        f"<p>{goes} There is no way back.</p>"
        '<p class="actions"><button type="button" class="plain primary-look" data-act="discard">Discard it</button>'
        f"{action('close', 'Keep it')}</p>",
    )


def conflict_panel(mine: str, theirs: Kept | None) -> str:
    """Two trainers' versions side by side, and the choice."""
    if theirs is None:
        return _panel(
            "Removed meanwhile",
            "<p>Another trainer has removed this persona since you began. Your draft is safe.</p>"
            f'<p class="actions">{action("copy-mine", "Keep mine as a new draft")}{action("discard", "Discard mine")}</p>',
        )
    left, right = _marked(theirs.text, mine)
    return _panel(
        "Two versions",
        "<p>Another trainer has saved this persona since you began. Nothing is lost; choose. Lines that differ are marked.</p>"
        f'<div class="versions"><div><h3>Theirs, as saved now</h3><pre tabindex="0">{left}</pre></div>'
        f'<div><h3>Yours</h3><pre tabindex="0">{right}</pre></div></div>'
        f'<p class="actions">{action("discard", "Keep theirs, discard mine")}'
        f'<button type="button" class="plain" data-act="over" data-version="{esc(theirs.version)}">Save mine over theirs</button>'
        f"{action('copy-mine', 'Keep both: mine as a new draft')}</p>",
    )


def _marked(theirs: str, mine: str) -> tuple[str, str]:
    """Both texts as HTML, the lines in which they differ marked."""
    a, b = theirs.splitlines(), mine.splitlines()
    left: list[str] = []
    right: list[str] = []
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        before, after = ("", "") if tag == "equal" else ("<mark>", "</mark>")
        left += [f"{before}{esc(line) or ' '}{after}" for line in a[i1:i2]]
        right += [f"{before}{esc(line) or ' '}{after}" for line in b[j1:j2]]
    return "\n".join(left), "\n".join(right)
