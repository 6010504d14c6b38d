"""The head and the foot of every page: where one can go, who one is, and what it means that there are no accounts."""

from simulator.ui.door import Visitor
from simulator.ui.words import esc

_BRAND = (
    '<a class="brand" href="#/"><svg viewBox="0 0 28 20" aria-hidden="true"><path d="M1 4 C7 -1 10 6 14 10 S22 18 27 16"/>'
    "</svg>Defuse</a>"
)
_EVERYONE = (("gallery", "#/", "Practise"), ("calls", "#/calls", "My calls"))
_TRAINERS = (("review", "#/review", "Review"), ("studio", "#/studio", "Studio"), ("evaluate", "#/evaluate", "Evaluate"))


def header(visitor: Visitor) -> str:
    """Brand, pages, and who is logged in."""
    pages = _EVERYONE + (_TRAINERS if visitor.trains else ())
    links = "".join(f'<a href="{where}" data-nav="{page}">{name}</a>' for page, where, name in pages)
    who = ""
    if visitor.name is not None:
        who = f'<p class="me"><span>{esc(visitor.name)}, {visitor.role.value}</span> <a href="logout">Log out</a></p>'
    return f'<header class="top">{_BRAND}<nav aria-label="Pages">{links}</nav>{who}</header>'


def foot(visitor: Visitor, accounts: bool) -> str:
    """What being without accounts means; nothing when there are some."""
    if accounts:
        return ""
    said = "No accounts are set up: calls belong to the browser that took them, and nobody can review them."
    if visitor.trains:
        said = "No accounts are set up: Defuse answers this machine only, and whoever sits at it may see and review every call."
    return f'<div class="foot" role="contentinfo"><p>{said}</p></div>'
