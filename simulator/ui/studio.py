"""The Studio as HTML: the list of personas, and around an open one its head, its checks and its YAML."""

import json
from collections.abc import Mapping, Sequence

from simulator.draft import Reading, at
from simulator.drawer import Draft
from simulator.faults import Fault
from simulator.lint import Advice
from simulator.persona import Persona
from simulator.ui.form import label_of
from simulator.ui.words import CHANNEL, DIFFICULTY, cap, esc, local_time, plural, sentence, trade

_TO_WRITE = ("is empty", "is missing", "needs at least")  # what a new persona begins with; no mistake yet
_SHOWN = 8  # of a list of mistakes


def shelves(
    library: Mapping[str, Persona], own: Mapping[str, Persona], drafts: Sequence[Draft], unusable: Sequence[str]
) -> str:
    """The first page: what one is writing, what the trainers wrote, and the library to copy from."""
    drafting = "".join(_draft_row(draft) for draft in drafts)
    mine = "".join(_own_row(persona) for persona in sorted(own.values(), key=lambda persona: persona.name))
    broken = "".join(_broken_row(name) for name in unusable)
    shown = f'<section><h2>Your drafts</h2><ul class="shelf">{drafting}</ul></section>' if drafting else ""
    empty = '<p class="empty">None yet. Begin with an empty one, or copy a customer of the library and change it.</p>'
    listed = f'<ul class="shelf">{mine}{broken}</ul>' if mine or broken else empty
    copies = "".join(_library_row(p) for p in sorted(library.values(), key=lambda p: (p.difficulty, p.name)))
    return (
        '<h1 tabindex="-1">Studio</h1><p class="lead">Write customers of your own and try them before anyone else does.</p>'
        '<p class="actions"><button type="button" class="plain primary-look" data-act="new">New persona</button>'
        '<label class="file">Upload a YAML file<input type="file" accept=".yaml,.yml" data-upload></label></p>'
        f"{shown}<section><h2>Own personas</h2>{listed}</section>"
        '<section><h2>Library</h2><p class="lead">These stay as they are; copy one to change it.</p>'
        f'<ul class="shelf">{copies}</ul></section>'
    )


def _who(name: str, about: str) -> str:
    return f'<div class="who"><b>{esc(name)}</b><span>{about}</span></div>'


def _draft_row(draft: Draft) -> str:
    when = f"changed {local_time(draft.changed)}" if draft.changed else "not changed yet"
    what = "of a new persona" if draft.key.endswith(".new") else f"of {esc(draft.key)}"
    name = draft_name(draft)
    return (
        f'<li>{_who(name, f"Draft {what} · {when}")}<p class="go"><a href="#/studio/{esc(draft.key)}">Go on'
        f'<span class="hidden">: {esc(name)}</span></a></p></li>'
    )


def _about(persona: Persona) -> str:
    return f"{esc(persona.headline)} · {esc(trade(persona))}, {CHANNEL[persona.channel]}, {DIFFICULTY[persona.difficulty - 1]}"


def _own_row(persona: Persona) -> str:
    name = esc(persona.name)
    return (
        f'<li>{_who(persona.name, _about(persona))}<p class="go"><a href="#/studio/{esc(persona.id)}">Edit'
        f'<span class="hidden">: {name}</span></a>{_copy(persona.id, name, "Duplicate")}</p></li>'
    )


def _library_row(persona: Persona) -> str:
    return f'<li>{_who(persona.name, _about(persona))}<p class="go">{_copy(persona.id, esc(persona.name), "Copy")}</p></li>'


def _copy(persona_id: str, name: str, words: str) -> str:
    return (
        f'<button type="button" class="plain quiet" data-act="copy" data-which="{esc(persona_id)}">{words}'
        f'<span class="hidden">: {name}</span></button>'
    )


def _broken_row(name: str) -> str:
    return (
        f'<li>{_who(f"{name}.yaml", "This file has mistakes, so nobody can be called by it.")}<p class="go">'
        f'<a href="#/studio/{esc(name)}">Mend<span class="hidden">: {esc(name)}</span></a></p></li>'
    )


def draft_name(draft: Draft) -> str:
    """Whom a draft is about, as far as it says."""
    for line in draft.text.splitlines():
        if line.startswith("name:"):
            return line.removeprefix("name:").strip().strip("'\"")[:80] or "New persona"
    return "New persona"


def head(draft: Draft, saved: bool, changed_since: bool) -> str:
    """The top of an open persona. `changed_since` says that another trainer has saved it meanwhile."""
    name = draft_name(draft)
    state = "Own persona" if saved else "New, not saved yet"
    since = ""
    if changed_since:
        since = (
            '<div class="trouble" role="status"><p>Another trainer has saved this persona since you began. '
            "When you save, you see both and choose.</p></div>"
        )
    hidden = "" if draft.changed else " hidden"
    more = f'<button type="button" class="plain" data-act="ask-discard"{hidden}>Discard draft</button>'
    more += action("ask-remove", "Remove") if saved else ""
    gallery = f'<a class="text" href="#/briefing/{esc(draft.key)}">See it in the gallery</a>' if saved else ""
    return (
        '<nav aria-label="Back"><a href="#/studio">Studio</a></nav>'
        f'<h1 tabindex="-1">{esc(name)}</h1><p class="kind"><span class="own-mark">{state}</span> · '
        f'<span data-kept>{_kept(draft)}</span></p>{since}<p class="actions">'
        '<button type="button" class="plain primary-look" data-act="save">Save</button>'
        f"{action('try', 'Test drive')}{action('cast', 'Four trainees')}{more}{gallery}</p>"
    )


def _kept(draft: Draft) -> str:
    return f"draft kept {local_time(draft.changed)}" if draft.changed else "as saved"


def action(act: str, words: str) -> str:
    """A button that studio.js hears."""
    return f'<button type="button" class="plain" data-act="{act}">{words}</button>'


def to_write(fault: Fault) -> bool:
    """Whether a fault is only something not written yet."""
    return fault.message.startswith(_TO_WRITE)


def checks(reading: Reading, advice: Sequence[Advice]) -> str:
    """What keeps the draft from being saved, or, when nothing does, what makes it weak."""
    if reading.fields is None:
        words = sentence(f"The YAML {reading.faults[0].message}")
        return f'<h2>Checks</h2><p class="bad">{esc(words)}</p>'
    wrong = [fault for fault in reading.faults if not to_write(fault)]
    open_ = [fault for fault in reading.faults if to_write(fault)]
    if reading.faults:
        parts = [
            _found(wrong, f"{plural(len(wrong), 'mistake')} to mend", "bad"),
            _found(open_, f"{plural(len(open_), 'field')} to write", "open"),
        ]
        return f"<h2>Checks</h2>{''.join(parts)}"
    if not advice:
        return "<h2>Checks</h2><p>It can be saved, and nothing makes it weak.</p>"
    items = "".join(
        f"<li>{_to(at(one.at))} {esc(one.weak)}.<small>{esc(sentence(one.do))}</small></li>" for one in advice
    )
    weak = plural(len(advice), "thing makes it weak", "things make it weak")
    return f'<h2>Checks</h2><p>It can be saved. {cap(weak)}:</p><ul class="found weak">{items}</ul>'


def _found(found: Sequence[Fault], title: str, kind: str) -> str:
    if not found:
        return ""
    items = "".join(
        f"<li>{_to(at(fault.at))}{'' if kind == 'open' else ' ' + esc(fault.message)}</li>" for fault in found[:_SHOWN]
    )
    rest = f"<li>and {len(found) - _SHOWN} more</li>" if len(found) > _SHOWN else ""
    return f'<p class="{kind}"><b>{title}</b></p><ul class="found {kind}">{items}{rest}</ul>'


def _to(path: str) -> str:
    return f'<button type="button" class="to-field" data-to="{esc(path)}">{esc(label_of(path))}</button>'


def verdict(seq: int, draft: Draft, reading: Reading, advice: Sequence[Advice], focus: str = "") -> str:
    """What studio.js needs to bring the inputs, the YAML, the mistakes and the advice into step."""
    found = [[at(fault.at), fault.message, to_write(fault)] for fault in reading.faults]
    kept = draft.changed.isoformat() if draft.changed else ""
    told = {
        **{"seq": seq, "key": draft.key, "yaml": draft.text, "faults": found, "kept": kept, "focus": focus},
        "weak": [[at(one.at), f"{one.weak}; {one.do}"] for one in advice],
        "readable": reading.fields is not None,
    }
    return f'<i data-verdict="{esc(json.dumps(told))}"></i>'


def side(draft: Draft) -> str:
    """The YAML beside the form."""
    return (
        '<label for="yaml">YAML</label><small id="yaml-hint">The same persona as a file. Write in either; the other follows.'
        f'</small><textarea id="yaml" spellcheck="false" aria-describedby="yaml-hint">\n{esc(draft.text)}</textarea>'
    )
