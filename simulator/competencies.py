"""The five competencies: what each counts, and the rule that scores it from the replies as they were judged.

A rule returns points that grade.py brings between 0 and 100, and the marks that say which words earned or cost them. What each
thing is worth was set on 80 whole calls with their authors' scores (transcripts/validation.jsonl), none of them a test call.
"""

from collections.abc import Callable

from simulator.anger import Reaction
from simulator.coach import quote_of
from simulator.moves import INVITATIONS, Frozen, Judgement, Move
from simulator.persona import Persona, Told
from simulator.transcript import Turn

WEIGHTS = {
    "specific_empathy": 30,
    "full_listening": 30,
    "composure": 15,
    "empathy_first": 10,
    "way_forward": 15,
}
TITLES = {
    "specific_empathy": "Specific empathy",
    "full_listening": "Full listening",
    "composure": "Composure",
    "empathy_first": "Empathy first, advice second",
    "way_forward": "Ownership and way forward",
}


class Mark(Frozen):
    """One turn that earned or cost a competency: its position, the quoted words, and why."""

    competency: str
    turn: int
    quote: str
    earned: bool
    why: str


_TAKEN_BACK = 0.5  # what a point is worth that was understood and then spoiled in the same breath
_CANNED_COSTS = 8  # off specific empathy, for each canned reply
# Points lost, of 100, by composure in a call of five replies; at anger 10 a slip costs a quarter less than at 0, for that is
# harder, and each further slip in the same reply costs AND_ANOTHER. In a longer call one slip weighs less.
_SLIP = {Move.DEFENSIVE: 25, Move.BLAME: 30, Move.DISMISSIVE: 30, Move.CANNOT_DO: 30}
_AND_ANOTHER = 8
_CALL_LENGTH, _SHORTEST = 5, 3
# Off "empathy first", for each solution before it could be heard; half where something was heard before.
_EARLY_COSTS = 35
_NO_EMPATHY, _NOTHING_HEARD = 80, 50  # of 100: where listening alone came first, and where nothing did
_WORTH = {Move.OWNERSHIP: 25, Move.SOLUTION: 30, Move.SET_EXPECTATIONS: 45}  # of a way forward
_EARLY_WORTH = 0.3  # what is left of a solution that came before it could be heard

# What brings out more of the story, the likeliest first: whose words are quoted.
_DRAWS_OUT = (Move.PROBE_UNSAID, Move.OPEN_QUESTION, Move.RESTATEMENT, Move.SPECIFIC_EMPATHY)

Replies = tuple[tuple[int, Turn, Judgement, Reaction], ...]
Result = tuple[float, list[Mark]]


def _specific_empathy(persona: Persona, replies: Replies) -> Result:
    """Share of the told weight met with specific empathy, half where it was taken back; canned lines against it."""
    marks: list[Mark] = []
    met: dict[str, float] = {}
    canned = 0
    told = {p.id for p in persona.story if p.told is Told.OPENING}
    for i, turn, judgement, reaction in replies:
        if judgement.has(Move.SPECIFIC_EMPATHY):
            lands = reaction.change < 0 or any(c.change < 0 for c in reaction.causes)
            if not judgement.uncertain:  # what may mean another customer, or the reader, earns nothing
                met |= {p: max(met.get(p, 0.0), 1.0 if lands else _TAKEN_BACK) for p in judgement.acknowledged}
            taken_back = (
                "cannot be told for sure" if judgement.uncertain else "understood, then taken back in the same breath"
            )
            why = "says what this customer feels, and why" if lands else taken_back
            marks.append(_mark("specific_empathy", i, turn, judgement, Move.SPECIFIC_EMPATHY, lands, why))
        if judgement.has(Move.GENERIC_SYMPATHY):
            canned += 1
            why = "would fit any complaint, so it sounds like a script"
            marks.append(_mark("specific_empathy", i, turn, judgement, Move.GENERIC_SYMPATHY, False, why))
        told |= {reaction.reveals} if reaction.reveals else set()
    weights = {p.id: p.weight for p in persona.story}  # a trainer may have taken a point out of it since
    whole = sum(weight for p, weight in weights.items() if p in told or p in met)
    share = sum(weight * met.get(p, 0.0) for p, weight in weights.items()) / whole
    return 100 * share - _CANNED_COSTS * canned, marks


def _full_listening(persona: Persona, replies: Replies) -> Result:
    """60: the story drawn out, half where it came only after the first solution, and half where it came without a question.
    The rest: open questions among the closed 20; given back 10, or 5 as a feeling alone; the unsaid found 10."""
    marks: list[Mark] = []
    drawn = [p for p in persona.story if p.told is not Told.OPENING]
    before, out, offered = set(), set(), False
    open_, closed, given_back = 0, 0, 0.0
    for i, turn, judgement, reaction in replies:
        if judgement.has(Move.SOLUTION) and not offered:
            offered = True
        new = {reaction.reveals} if reaction.reveals else set()
        new |= set(reaction.newly_heard)
        out |= new
        before |= set() if offered else new
        open_ += judgement.has(Move.OPEN_QUESTION) or judgement.has(Move.PROBE_UNSAID)
        closed += judgement.has(Move.CLOSED_QUESTION)
        understood = judgement.has(Move.SPECIFIC_EMPATHY) and bool(judgement.acknowledged) and not judgement.uncertain
        given_back = max(given_back, 1.0 if judgement.has(Move.RESTATEMENT) else 0.5 * understood)
        if reaction.reveals:
            move = next((m for m in _DRAWS_OUT if judgement.has(m)), None)
            marks.append(_mark("full_listening", i, turn, judgement, move, True, "brought out more of the story"))
        elif judgement.has(Move.CLOSED_QUESTION) and not judgement.has(*INVITATIONS, Move.SPECIFIC_EMPATHY):
            why = "asks for a datum where the story was waiting"
            marks.append(_mark("full_listening", i, turn, judgement, Move.CLOSED_QUESTION, False, why))
    weight = sum(p.weight for p in drawn)
    unsaid = {p.id for p in persona.story if p.told is Told.PROBED}
    share = sum(p.weight for p in drawn if p.id in before) / weight if weight else 1.0
    late = sum(p.weight for p in drawn if p.id in out - before) / weight if weight else 0.0
    questions = open_ / (open_ + closed) if open_ + closed else 0.0
    found = 1.0 if unsaid <= out else 0.0
    drawn_out = (share + 0.5 * late) * (1.0 if open_ else 0.5)
    return 60 * drawn_out + 20 * questions + 10 * given_back + 10 * found, marks


def _composure(_: Persona, replies: Replies) -> Result:
    """What defence, blame, dismissal and policy walls cost, weighed by how angry the customer was and how long the call."""
    marks, lost = [], 0.0
    for i, turn, judgement, reaction in replies:
        slips = [move for move in _SLIP if judgement.has(move)]
        ease = 1 - reaction.before / 40
        lost += max((_SLIP[move] for move in slips), default=0) * ease + _AND_ANOTHER * max(0, len(slips) - 1)
        for move in slips:
            marks.append(
                _mark("composure", i, turn, judgement, move, False, f"{move.value.replace('_', ' ')} under attack")
            )
    if not marks and replies:
        hardest = max(replies, key=lambda reply: reply[3].before)
        quote = quote_of(hardest[2], None, hardest[1].text)
        why = f"stayed with the customer at anger {hardest[3].before:.0f}"
        marks.append(Mark(competency="composure", turn=hardest[0], quote=quote, earned=True, why=why))
    return 100 - lost * _CALL_LENGTH / max(len(replies), _SHORTEST), marks


def _empathy_first(_: Persona, replies: Replies) -> Result:
    """Solutions before the customer could hear them. Without any empathy less could come first, and without listening little."""
    marks: list[Mark] = []
    early, prepared = 0.0, False
    empathic = any(judgement.has(Move.SPECIFIC_EMPATHY) for _, _, judgement, _ in replies)
    listened = any(judgement.has(*INVITATIONS) for _, _, judgement, _ in replies)
    for i, turn, judgement, reaction in replies:
        if judgement.has(Move.SOLUTION):
            why = "offered before it could be heard" if reaction.too_early else "offered when it could be heard"
            marks.append(_mark("empathy_first", i, turn, judgement, Move.SOLUTION, not reaction.too_early, why))
            early += reaction.too_early * (0.5 if prepared else 1.0)
        prepared = prepared or judgement.has(Move.SPECIFIC_EMPATHY, *INVITATIONS)
    before = 100 if empathic else _NO_EMPATHY if listened else _NOTHING_HEARD
    return before - _EARLY_COSTS * early, marks


def _way_forward(_: Persona, replies: Replies) -> Result:
    """Ownership, a way forward that could be heard, and what to expect of it; over-promises and walls against it."""
    marks: list[Mark] = []
    against, worth = 0.0, dict.fromkeys(_WORTH, 0.0)
    whys = {
        Move.OWNERSHIP: "takes responsibility without excuse",
        Move.SOLUTION: "names what can be done",
        Move.SET_EXPECTATIONS: "says when, how, or what may still go wrong",
    }
    for i, turn, judgement, reaction in replies:
        for move, points in _WORTH.items():
            if judgement.has(move):
                early = move is Move.SOLUTION and reaction.too_early
                if not early and worth[move] < points:
                    marks.append(_mark("way_forward", i, turn, judgement, move, True, whys[move]))
                worth[move] = max(worth[move], points * (_EARLY_WORTH if early else 1.0))
        for move, cost in ((Move.OVERPROMISE, 20), (Move.CANNOT_DO, 15)):
            if judgement.has(move):
                against += cost
                why = "promises what nobody can keep" if move is Move.OVERPROMISE else "a wall instead of a choice"
                marks.append(_mark("way_forward", i, turn, judgement, move, False, why))
    return sum(worth.values()) - against, marks


def _mark(name: str, i: int, turn: Turn, judgement: Judgement, move: Move | None, earned: bool, why: str) -> Mark:
    quote = quote_of(judgement, move, turn.text)
    return Mark(competency=name, turn=i, quote=quote, earned=earned, why=why)


RULES: dict[str, Callable[[Persona, Replies], Result]] = {
    "specific_empathy": _specific_empathy,
    "full_listening": _full_listening,
    "composure": _composure,
    "empathy_first": _empathy_first,
    "way_forward": _way_forward,
}
