"""The pages as a Gradio app: which wish each button makes of whom, and how a Screen becomes updates of the components."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import gradio as gr

from simulator.engine import Engine
from simulator.persona import Persona
from simulator.reviews import Reviews
from simulator.storage import StorageError, Store
from simulator.ui.desk import Desk
from simulator.ui.door import AccessError, Door, Visitor
from simulator.ui.evaluate import Evaluate, Wanted
from simulator.ui.header import foot, header
from simulator.ui.layout import layout
from simulator.ui.office import PLACES, Office
from simulator.ui.screen import DRIVES, EVALUATE, PAGES, SCORECARD, STUDIO, UNFORESEEN, WHATIF, Screen, trouble
from simulator.ui.words import esc
from simulator.ui.workshop import Workshop

_ARRIVING = """(owner) => [owner, decodeURIComponent(location.hash.replace(/^#\\/?/, '')),
  matchMedia('(prefers-reduced-motion: reduce)').matches]"""


def build(
    engine: Engine,
    store: Store,
    personas: Mapping[str, Persona],
    door: Door,
    workshop: Workshop,
    evaluate: Evaluate,
) -> gr.Blocks:
    """The app. The models in `engine` are shared by everyone; calls are kept in `store`, by account or by browser."""
    desk = Desk(engine, store, personas, door.accounts, workshop.own)
    office = Office(Reviews(store.database), personas, door.accounts)
    with gr.Blocks(title="Defuse", analytics_enabled=False, fill_width=True) as blocks:
        parts = layout(desk)
        _wire(blocks, desk, office, workshop, evaluate, door, parts)
    return blocks


_HTML: tuple[str, ...] = (
    *("notice", "welcome", "filters", "cards", "briefing", "head", "talk", "now", "aloud", "gauge", "curve", "goals"),
    *("coach", "studio", "panel", "form", "checks", "side", "verdict", "heard"),
    *("status", "scorecard", "whatif", "calls", "place", "owner", "box", "review", "session", "header", "foot"),
    "evaluate",
)
_MORE = ("router", "focus", "send", "retry", "over", "reply", "leave", "sure", "hints", "coached", "clock")


def paint(screen: Screen) -> tuple[Any, ...]:
    """A Screen as one update for each output, in the order of `_wire`'s outputs."""
    plain = [gr.skip() if getattr(screen, name) is None else getattr(screen, name) for name in _HTML]
    pages = [gr.skip() if screen.page is None else gr.update(visible=screen.page == page) for page in PAGES]

    def when(known: object, /, **settings: Any) -> Any:
        return gr.skip() if known is None else gr.update(**settings)

    hints: dict[str, Any] = {}
    if screen.hints is not None:
        hints["value"] = screen.hints
    if screen.exam is not None:
        hints["visible"] = not screen.exam and not screen.over
    return (
        *plain,
        *pages,
        when(screen.place, value=f'<i data-place="{esc(screen.place or "")}" data-page="{screen.page}"></i>'),
        when(screen.focus, value=f'<i data-focus="{esc(screen.focus or "")}" data-at="{time.monotonic()}"></i>'),
        when(screen.busy, interactive=not screen.busy),
        when(screen.retry, visible=bool(screen.retry)),
        when(screen.over, visible=bool(screen.over)),
        when(screen.over, visible=not screen.over),
        when(screen.over, visible=not screen.over),
        when(screen.asking, visible=bool(screen.asking)),
        gr.update(**hints) if hints else gr.skip(),
        when(screen.exam, visible=not screen.exam),
        when(screen.ticking if screen.page is None else True, active=bool(screen.ticking)),
    )


def _wire(
    blocks: gr.Blocks,
    desk: Desk,
    office: Office,
    workshop: Workshop,
    evaluate: Evaluate,
    door: Door,
    parts: dict[str, Any],
) -> None:
    outputs = [parts[name] for name in _HTML] + [parts[f"page-{page}"] for page in PAGES] + [parts[n] for n in _MORE]
    owner, place, still, box = parts["owner"], parts["place"], parts["still"], parts["box"]
    # Private: no page of the API lists these, and no client library calls them.
    common = {"outputs": outputs, "show_progress": "hidden", "api_visibility": "private", "concurrency_limit": None}

    # Who leaves a call must not have its last words written over the page they went to: the address of each open page,
    # by Gradio's session. The call goes on without them and is found as it ended.
    whereabouts: dict[str, str] = {}

    def at(request: gr.Request, screen: Screen) -> tuple[Any, ...]:
        if screen.place is not None:
            whereabouts[request.session_hash] = screen.place
        return paint(screen)

    def while_there(request: gr.Request, place: str, screens: Iterator[Screen]) -> Iterator[tuple[Any, ...]]:
        for screen in screens:
            there = whereabouts.get(request.session_hash, place) == place
            # Gradio shows the last of them once more when there are no more; so one that changes nothing.
            yield paint(screen if there else Screen())

    def who(request: gr.Request, owner: object) -> Visitor:
        return door.visitor(request.username, owner)

    def mine(request: gr.Request, owner: object) -> str | None:
        return who(request, owner).owner

    def desk_at(place: str) -> Desk:
        return workshop.desk if place.strip("#/").partition("/")[0] in DRIVES else desk

    def there(visitor: Visitor, place: str) -> Screen:
        kind, _, which = place.strip("#/").partition("/")
        if kind == STUDIO:
            return workshop.go(visitor, which)
        if kind not in (*PLACES, *DRIVES, EVALUATE):
            return desk.go(visitor.owner, place)
        try:  # the gallery that is shown instead is the trainees', never one of test drives
            if kind == EVALUATE:
                return evaluate.go(visitor, place)
            return workshop.desk.at_a_call(visitor.owner, place) if kind in DRIVES else office.go(visitor, place)
        except StorageError as error:
            return replace(desk.go(visitor.owner, ""), notice=trouble(error))

    def arrive(owner: object, place: str, still: bool, request: gr.Request) -> tuple[Any, ...]:
        visitor = who(request, owner)
        first = desk.arrive(visitor.owner, "")
        visitor = visitor.model_copy(update={"owner": first.owner}) if door.accounts is None else visitor
        shown = replace(
            there(visitor, place),
            owner=first.owner if door.accounts is None else None,
            header=header(visitor),
            foot=foot(visitor, door.accounts is not None),
        )
        return (*at(request, shown), still)

    def go(owner: object, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        return at(request, there(who(request, owner), str(event.place)))

    def wish(owner: object, event: gr.EventData, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        place = whereabouts.get(request.session_hash, "")
        for screen in workshop.handle(who(request, owner), event.wish):
            if screen.place is not None:
                place = whereabouts[request.session_hash] = screen.place
            yield paint(screen if whereabouts.get(request.session_hash, place) == place else Screen())
        # The browser sends its next wish when it reads that this one is done.
        seq = event.wish.get("seq") if isinstance(event.wish, dict) else ""
        yield paint(Screen(heard=f'<i data-heard="{esc(str(seq))}"></i>'))

    def mark(owner: object, place: str, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        form = {str(name): str(value) for name, value in dict(event.form).items()}
        return paint(office.mark(who(request, owner), place, str(event.kind), form))

    def narrow(owner: object, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        return paint(desk.choose(mine(request, owner), event.difficulty, event.trade))

    def surprise(owner: object, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        return at(request, desk.surprise(mine(request, owner), event.difficulty, event.trade))

    def take(owner: object, place: str, exam: bool, request: gr.Request) -> tuple[Any, ...]:
        return at(request, desk.take(mine(request, owner), place, exam))

    def say(owner: object, place: str, text: str, still: bool, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        yield from while_there(request, place, desk_at(place).say(mine(request, owner), place, text, still))

    def ask_again(owner: object, place: str, still: bool, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        yield from while_there(request, place, desk_at(place).ask_again(mine(request, owner), place, still))

    def again(owner: object, place: str, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        return at(request, desk_at(place).again(mine(request, owner), place, event.turn))

    def hint(owner: object, place: str, request: gr.Request) -> tuple[Any, ...]:
        return paint(desk_at(place).hint(mine(request, owner), place))

    def end(owner: object, place: str, request: gr.Request) -> tuple[Any, ...]:
        return at(request, desk_at(place).end(mine(request, owner), place))

    def run(owner: object, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        try:
            asked = Wanted(str(event.act), str(event.suite), str(event.cases))
            return paint(evaluate.wish(who(request, owner), asked))
        except AccessError as error:
            return paint(Screen(notice=trouble(error)))

    def tick(owner: object, request: gr.Request) -> tuple[Any, ...]:
        return paint(evaluate.tick(who(request, owner), whereabouts.get(request.session_hash, "")))

    def forget(request: gr.Request) -> None:
        whereabouts.pop(request.session_hash, None)

    # place and still are what the browser says of itself, read by the script before the function runs.
    blocks.load(arrive, [owner, place, still], **{**common, "outputs": [*outputs, still]}, js=_ARRIVING)
    blocks.unload(forget)
    parts["router"].go(go, [owner], **common)
    wishing = parts["router"].wish(wish, [owner], **common, trigger_mode="multiple")
    wishing.failure(lambda: paint(Screen(notice=UNFORESEEN)), **common)
    parts["filters"].narrow(narrow, [owner], **common)
    parts["filters"].surprise(surprise, [owner], **common)
    for page in (SCORECARD, WHATIF):
        parts[page].again(again, [owner, place], **common)
    parts["evaluate"].run(run, [owner], **common)
    parts["clock"].tick(tick, [owner], **common)
    parts["session"].mark(mark, [owner, place], **common)
    parts["take"].click(take, [owner, place, parts["as_exam"]], **common)
    # "multiple", for a call that was left may still be answered when the first reply of another is sent.
    sent = {**common, "trigger_mode": "multiple"}
    saying = gr.on([box.submit, parts["send"].click], say, [owner, place, box, still], **sent)
    asking = parts["retry"].click(ask_again, [owner, place, still], **sent)
    for event in (saying, asking):
        event.failure(lambda: paint(Screen(now="", status=UNFORESEEN, busy=False)), **common)
    parts["hints"].click(hint, [owner, place], **common)
    for button in (parts["yes"], parts["over"]):
        button.click(end, [owner, place], **common)
    parts["leave"].click(lambda: paint(Screen(asking=True)), **common)
    parts["no"].click(lambda: paint(Screen(asking=False)), **common)
    parts["coached"].change(None, [parts["coached"]], js="(on) => document.body.classList.toggle('uncoached', !on)")
