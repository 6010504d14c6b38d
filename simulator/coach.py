"""What the trainee is told: how the last reply landed and why, a hint when asked, a better line afterwards.

Two sentences, with the trainee's own words quoted and the rule behind them in plain language. Never a lecture, never praise
for its own sake.
"""

from simulator.anger import Landing, Reaction, State
from simulator.moves import Frozen, Judgement, Move
from simulator.persona import Persona, StoryPoint, Told
from simulator.transcript import Turn
from simulator.wording import about, bare_clause, feeling_to_face, pronoun, sentence, to_face


class Note(Frozen):
    """How a reply landed. `quote` are the words that did it, `offer` what was said too early to be heard."""

    headline: str
    why: str
    quote: str = ""
    offer: str = ""


_NOTES: dict[Landing, tuple[str, str]] = {
    Landing.HEARD: (
        "That landed.",
        "You said what they feel and the reason for it, so they believe you have understood.",
    ),
    Landing.HEARD_AGAIN: (
        "Heard before.",
        "True, but you have said it already; there is more that nobody has said yet.",
    ),
    Landing.GUESSED: (
        "A guess beside the point.",
        "It was specific, but it is not what weighs on them. Ask, then try again.",
    ),
    Landing.SPOILED: (
        "You had them, then took it back.",
        "The understanding was right; what came in the same breath undid it. Stop after the understanding.",
    ),
    Landing.CANNED: (
        "It sounded like a script.",
        "These words fit any complaint. Name their feeling and the reason for it.",
    ),
    Landing.TOO_EARLY: ("Too early.", "The fix may be right, but they cannot hear it yet. Stay with the story first."),
    Landing.DEFENDED: (
        "They heard a defence.",
        "Explaining or justifying puts you on the other side. Leave who is right alone.",
    ),
    Landing.BLAMED: ("They heard blame.", "Whoever's fault it was, they called you. Take the outcome on yourself."),
    Landing.DISMISSED: ("They felt brushed off.", "What they just told you went by. Pick it up before anything else."),
    Landing.REFUSED: (
        "They hit a wall.",
        "A limit is easier to hear as a choice: what you can do, and two ways to it.",
    ),
    Landing.OVERPROMISED: (
        "They do not believe it.",
        "A promise nobody can keep is the next complaint. Say what is certain.",
    ),
    Landing.INTERROGATED: ("It felt like a form.", "Data can wait. One open question, what or how, brings out more."),
    Landing.ASKED: (
        "They are talking.",
        "A question keeps it from getting worse; understanding said aloud brings it down.",
    ),
    Landing.RESTATED: (
        "They know you listened.",
        "The facts came back right. Now say what it must be like for them, and why.",
    ),
    Landing.PROBED: (
        "You asked what else.",
        "It brings out what is under the story, once they are calm enough to say it.",
    ),
    Landing.OFFERED: (
        "They can hear an offer now.",
        "It lacks the when and the how. Say both, and what may still go wrong.",
    ),
    Landing.SETTLED: (
        "They can rely on that.",
        "A step with a time and a margin. Is there anything they have not said?",
    ),
    Landing.NOTHING: (
        "Nothing happened.",
        "There was nothing in it for them. Ask what happened, or say what you have understood.",
    ),
}
_SHOWN_BY = {
    Landing.HEARD: Move.SPECIFIC_EMPATHY,
    Landing.HEARD_AGAIN: Move.SPECIFIC_EMPATHY,
    Landing.GUESSED: Move.SPECIFIC_EMPATHY,
    Landing.CANNED: Move.GENERIC_SYMPATHY,
    Landing.TOO_EARLY: Move.SOLUTION,
    Landing.DEFENDED: Move.DEFENSIVE,
    Landing.BLAMED: Move.BLAME,
    Landing.DISMISSED: Move.DISMISSIVE,
    Landing.REFUSED: Move.CANNOT_DO,
    Landing.OVERPROMISED: Move.OVERPROMISE,
    Landing.INTERROGATED: Move.CLOSED_QUESTION,
    Landing.ASKED: Move.OPEN_QUESTION,
    Landing.RESTATED: Move.RESTATEMENT,
    Landing.PROBED: Move.PROBE_UNSAID,
    Landing.OFFERED: Move.SOLUTION,
    Landing.SETTLED: Move.SET_EXPECTATIONS,
}


def quote_of(judgement: Judgement, move: Move | None, text: str, most: int = 160) -> str:
    """The words that show `move`, a span of the reply of at most `most` characters; its beginning when none stands out."""
    quote = ((judgement.quote(move) if move else "") or text).strip()
    return quote if len(quote) <= most else (quote[:most].rsplit(maxsplit=1) or [""])[0]


def note(turn: Turn) -> Note | None:
    """How this reply landed; None for a turn that has not been judged."""
    judgement, reaction = turn.judgement, turn.reaction
    if judgement is None or reaction is None:
        return None
    if judgement.uncertain and not _worst(reaction):
        return Note(
            headline="Not sure what that was.",
            why="The evaluator could not tell what this reply does, or that it means this customer, so nothing came of it. "
            "Say it plainly, with what they told you.",
        )
    headline, why = _NOTES[reaction.landing]
    move = _SHOWN_BY.get(reaction.landing) or _worst(reaction)
    offer = quote_of(judgement, Move.SOLUTION, turn.text) if reaction.too_early else ""
    quote = quote_of(judgement, move, turn.text) if move else ""
    return Note(headline=headline, why=why, quote=quote, offer=offer)


def _worst(reaction: Reaction) -> Move | None:
    rises = [cause for cause in reaction.causes if cause.change > 0]
    return max(rises, key=lambda cause: cause.change).move if rises else None


def hint(persona: Persona, state: State) -> str:
    """What to try now, without giving the story away."""
    waiting = [p for p in state.told if p not in state.heard]
    if waiting:
        fact = bare_clause(persona.point(waiting[-1]).fact)
        return (
            f"They have told you that {fact}. Nobody has said yet what that is like for them. Say it, with the reason."
        )
    untold = [p for p in persona.story if p.id not in {*state.told, *state.heard}]
    if any(p.told is not Told.PROBED for p in untold):
        return "There is more to the story. Ask something open, what or how, and leave room for the answer."
    if state.anger > persona.temperament.hears_advice_at:
        return "They have told you much, yet they are still too angry for a fix. Say once more what this has cost them, and why."
    if untold:
        return "They are calm enough to say what they have held back. Ask whether something else lies behind this."
    return "They can hear a way forward now: what you will do, by when, and what could still go wrong."


def better_line(persona: Persona, point: StoryPoint) -> str:
    """A line that would have met this point: what happened, what it feels like and why, said to the customer's face."""
    own = pronoun(persona)
    fact, because = (to_face(about(persona, note), own) for note in (point.fact, point.because))
    feeling = feeling_to_face(point.feeling, own)
    felt = sentence(f"I imagine that leaves you feeling {feeling}, because {because}")
    return f"“{sentence(fact)} {felt} Have I got that right?”"
