"""Gradio's own colours and fonts, set to ours, and what goes into the page's head: one style sheet, one script.

Nothing is fetched from elsewhere: the fonts are the system's, and `POLICY` forbids the browser to ask another host.
"""

from pathlib import Path
from typing import Any

import gradio as gr

HERE = Path(__file__).parent
FONTS = ("-apple-system", "Segoe UI", "Roboto", "Ubuntu", "Cantarell", "Noto Sans", "Liberation Sans", "sans-serif")
# Gradio's front end evaluates templates and writes inline styles, so those two must stay allowed.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data: blob:; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)


def theme() -> Any:
    """The base theme with system fonts."""
    return gr.themes.Base(font=FONTS, font_mono=("ui-monospace", "Consolas", "monospace"))


def page_head() -> str:
    """Styles and scripts, inline: they are there before the first page is drawn."""
    scripts = "".join(
        f"<script>{(HERE / name).read_text(encoding='utf-8')}</script>" for name in ("page.js", "studio.js")
    )
    studio = (HERE / "studio.css").read_text(encoding="utf-8")
    return f"{style_sheet()}<style>{studio}</style>{scripts}"


def style_sheet() -> str:
    """The style sheet alone, for the login: Gradio draws that page without our head."""
    return f"<style>{(HERE / 'style.css').read_text(encoding='utf-8')}</style>"
