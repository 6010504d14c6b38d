"""Every component of the pages by name, what is where, and the scripts by which HTML parts tell the server of a wish."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from simulator.ui import gallery
from simulator.ui.call import aloud
from simulator.ui.desk import Desk
from simulator.ui.screen import BRIEFING, CALL, CALLS, EVALUATE, GALLERY, REVIEW, SCORECARD, SESSION, STUDIO, WHATIF

BOX_MOST = 20_000  # characters the box takes; the session says earlier, and kindly, when it is too much

_ROUTER = """
const heading = () => trigger('go', {place: decodeURIComponent(location.hash.replace(/^#\\/?/, ''))});
window.addEventListener('popstate', heading);
window.addEventListener('studio-wish', (event) => trigger('wish', {wish: event.detail}));
"""
_FILTERS = """
const chosen = (name) => element.querySelector(`[data-filter="${name}"]`).value;
const wish = () => ({difficulty: chosen('difficulty'), trade: chosen('trade')});
element.addEventListener('change', () => trigger('narrow', wish()));
element.addEventListener('click', (event) => { if (event.target.closest('[data-surprise]')) trigger('surprise', wish()); });
"""
_MARKING = """
element.addEventListener('submit', (event) => {
  event.preventDefault();
  trigger('mark', {kind: event.target.dataset.mark, form: Object.fromEntries(new FormData(event.target))});
});
"""
_RUNNING = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-run]');
  if (!button || button.disabled) return;
  button.disabled = true; // two clicks are one wish
  trigger('run', {act: button.dataset.run, suite: button.dataset.suite, cases: element.querySelector('[data-cases]').value});
  setTimeout(() => { button.disabled = 'held' in button.dataset; }, 1500);
});
"""
_AGAIN = """
element.addEventListener('click', (event) => {
  const again = event.target.closest('[data-again]');
  if (again && !again.disabled) {
    again.disabled = true; // two clicks are one wish
    setTimeout(() => { again.disabled = false; }, 3000);
    trigger('again', {turn: again.dataset.again});
  }
});
"""


def layout(desk: Desk) -> dict[str, Any]:
    """Every component by name; those named like a field of Screen show that field."""
    parts: dict[str, Any] = {}

    def html(name: str, **settings: Any) -> None:
        settings = {"js_on_load": None, **settings}
        parts[name] = gr.HTML(elem_id=name, apply_default_css=False, **settings)

    html("header", value="")
    html("router", value="", js_on_load=_ROUTER)
    html("aloud", value=aloud())
    html("notice", value="")
    parts["owner"] = gr.BrowserState(None, storage_key="defuse", secret="defuse-keeps-it")  # noqa: S106 (obfuscation only)
    parts["place"] = gr.Textbox(visible=False)
    parts["still"] = gr.Checkbox(visible=False)
    with gr.Column(elem_id="page-gallery", elem_classes="page", visible=False) as parts[f"page-{GALLERY}"]:
        html("welcome")
        html("filters", value=gallery.filters(desk.personas), js_on_load=_FILTERS)
        html("cards")
    with gr.Column(elem_id="page-briefing", elem_classes="page narrow", visible=False) as parts[f"page-{BRIEFING}"]:
        html("briefing")
        parts["take"] = gr.Button("Take the call", variant="primary", elem_id="take")
        parts["as_exam"] = gr.Checkbox(label="Exam: no coach and no hints until the end", elem_id="as-exam")
    with gr.Column(elem_id="page-call", elem_classes="page", visible=False) as parts[f"page-{CALL}"]:
        _call_layout(parts, html)
    with gr.Column(elem_id="page-scorecard", elem_classes="page narrow", visible=False) as parts[f"page-{SCORECARD}"]:
        html("scorecard", js_on_load=_AGAIN)
    with gr.Column(elem_id="page-calls", elem_classes="page narrow", visible=False) as parts[f"page-{CALLS}"]:
        html("calls")
    with gr.Column(elem_id="page-whatif", elem_classes="page", visible=False) as parts[f"page-{WHATIF}"]:
        html("whatif", js_on_load=_AGAIN)
    with gr.Column(elem_id="page-review", elem_classes="page", visible=False) as parts[f"page-{REVIEW}"]:
        html("review")
    with gr.Column(elem_id="page-session", elem_classes="page", visible=False) as parts[f"page-{SESSION}"]:
        html("session", js_on_load=_MARKING)
    with gr.Column(elem_id="page-studio", elem_classes="page", visible=False) as parts[f"page-{STUDIO}"]:
        for name in ("studio", "panel", "checks", "form", "side", "verdict", "heard"):
            html(name, value="")
    with gr.Column(elem_id="page-evaluate", elem_classes="page narrow", visible=False) as parts[f"page-{EVALUATE}"]:
        html("evaluate", js_on_load=_RUNNING)
    parts["clock"] = gr.Timer(2.0, active=False)
    html("foot", value="")
    html("focus", value="")
    return parts


def _call_layout(parts: dict[str, Any], html: Callable[..., None]) -> None:
    with gr.Column(elem_id="left"):
        with gr.Row(elem_id="bar"):
            html("head")
            parts["leave"] = gr.Button("End call", elem_id="leave", elem_classes="quiet")
        with gr.Column(elem_id="room"):
            html("talk")
            html("now")
        with gr.Column(elem_id="mine"):
            html("status")
            with gr.Row(elem_id="sure", visible=False) as parts["sure"]:
                gr.HTML("<p>End the call now? The scorecard follows.</p>", js_on_load=None, apply_default_css=False)
                parts["yes"] = gr.Button("End it", variant="primary", elem_id="yes")
                parts["no"] = gr.Button("Go on talking", elem_id="no")
            parts["retry"] = gr.Button("Ask for the answer again", variant="primary", elem_id="retry", visible=False)
            with gr.Row(elem_id="reply") as parts["reply"]:
                parts["box"] = gr.Textbox(
                    label="Your reply",
                    placeholder="Say it as you would on the line",
                    lines=1,
                    max_lines=6,
                    max_length=BOX_MOST,
                    elem_id="box",
                    container=False,
                )
                parts["send"] = gr.Button("Send", variant="primary", elem_id="send")
            parts["over"] = gr.Button("See how it went", variant="primary", elem_id="over", visible=False)
    with gr.Column(elem_id="right"):
        with gr.Column(elem_id="state"):
            html("gauge")
            html("curve")
        html("goals")
        with gr.Column(elem_id="coach-panel"):
            with gr.Row(elem_id="coach-bar"):
                parts["coached"] = gr.Checkbox(True, label="Coach", elem_id="coached", container=False)
                parts["hints"] = gr.Button("Hint", elem_id="hints", elem_classes="quiet")
            html("coach")
