"""The call as it stands, as HTML: the conversation, the gauge, the curve, the goals and the coach."""

from simulator.anger import State
from simulator.coach import note
from simulator.directive import MOOD_FROM, mood_of
from simulator.moves import Move
from simulator.persona import Persona
from simulator.session import Call
from simulator.transcript import Transcript, Turn
from simulator.ui.curve import curve, stops
from simulator.ui.gallery import facts
from simulator.ui.words import (
    CHANNEL,
    cap,
    change_mark,
    change_words,
    changed,
    esc,
    first_name,
    level,
    plural,
)

_COACH = '<h2 class="hidden">Coach</h2>'


def head(persona: Persona, transcript: Transcript, back: str = "") -> str:
    """Who is on the line, and the briefing again for who wants it. `back` is where a test drive came from."""
    kind = '<span class="exam">Exam</span>' if transcript.exam else ""
    if transcript.branched_at is not None:
        kind = f'<span class="exam">Again from reply {(transcript.branched_at + 1) // 2}</span>'
    if back:
        kind += f' <a class="exam" href="{esc(back)}">Test drive, back to the Studio</a>'
    return (
        f'<div class="caller"><h1 tabindex="-1">{esc(persona.name)} {kind}</h1>'
        f"<p>{esc(persona.role)} · {esc(persona.company)}, {CHANNEL[persona.channel]}</p></div>"
        f'<details class="again"><summary>Briefing</summary><div class="sheet">{facts(persona)}</div></details>'
    )


def talk(persona: Persona, transcript: Transcript, *, but_last: bool = False) -> str:
    """The conversation. A reply that was never judged is not shown: it is back in the box."""
    turns = list(transcript.turns)
    if turns[-1].role == "trainee" and turns[-1].reaction is None:
        turns.pop()
    if but_last:
        turns.pop()
    lines = "".join(_line(persona, i, turn, "turn") for i, turn in enumerate(turns))
    return f'<ol class="talk">{lines}</ol>'


def _line(persona: Persona, position: int, turn: Turn, prefix: str) -> str:
    reaction = turn.reaction
    did = f'<p class="did">{change_mark(changed(reaction.before, reaction.after))}</p>' if reaction else ""
    who = "You" if turn.role == "trainee" else esc(first_name(persona))
    return (
        f'<li class="turn {turn.role}" id="{prefix}-{position}" tabindex="-1"><p class="who">{who}</p>'
        f'<p class="said">{esc(turn.text)}</p>{did}</li>'
    )


def speaking(persona: Persona, text: str) -> str:
    """The customer's line while it is being said."""
    who = esc(first_name(persona))
    return f'<div class="turn customer"><p class="who">{who}</p><p class="said">{esc(text)}</p></div>'


def awaiting(words: str, listening: bool = False) -> str:
    """The typing sign; page.js shows the words after a second and the time after ten, and while the customer is still
    listening keeps the box as it was sent."""
    mark = "data-waiting data-listening" if listening else "data-waiting"
    return (
        f'<div class="turn customer awaiting" {mark}><p class="said"><span class="typing" aria-hidden="true">'
        f'<i></i><i></i><i></i></span><span class="awaited">{esc(words)}</span><span class="elapsed"></span></p></div>'
    )


def last_change(transcript: Transcript) -> float | None:
    """What the last judged reply did to the anger, as shown; None before the first."""
    judged = [turn.reaction for _, turn in transcript.replies if turn.reaction is not None]
    return changed(judged[-1].before, judged[-1].after) if judged else None


def gauge(state: State, change: float | None) -> str:
    """The number, its word, and what the last reply did to it."""
    anger = round(state.anger, 1)
    effect = '<span class="change same">at the start</span>' if change is None else change_mark(change)
    heard = level(anger) if change is None else f"{level(anger)}; your last reply: {change_words(change)}"
    notches = "".join(f'<i style="left:{bound * 10:.0f}%"></i>' for bound, _ in MOOD_FROM)
    return (
        f'<div class="gauge" role="meter" aria-label="Anger" aria-valuemin="0" aria-valuemax="10" '
        f'aria-valuenow="{anger:.1f}" aria-valuetext="{heard}"><p class="reading"><strong>{anger:.1f}</strong>'
        f'<span class="of">of 10</span><span class="now"><span class="mood">{cap(mood_of(anger).value)}</span>{effect}</span></p>'
        f'<div class="track" aria-hidden="true"><div class="fill" style="--level:{anger * 10:.0f}%"></div>{notches}</div>'
        f'<p class="ends" aria-hidden="true"><span>0 calm</span><span>10 about to hang up</span></p></div>'
    )


def goals(persona: Persona, state: State, exam: bool) -> str:
    """The three aims, ticked as they happen, and how much of the story is still unheard; never what it is."""
    total = len(persona.story)
    unheard = total - len(state.heard)
    told = len([p for p in state.told if p not in state.heard])
    story = f"{unheard} of {plural(total, 'part')} unheard" if unheard else f"all {plural(total, 'part')} heard"
    if told and unheard:
        story += f" · {told} told, not taken in"
    said = f"said for {plural(len(state.met), 'part')} of the story" if state.met else "not said yet"
    can_hear = state.anger <= persona.temperament.hears_advice_at
    way = "a step they can rely on" if state.settled else "they can hear it now" if can_hear else "not the moment yet"
    if exam and not state.settled:
        way = "not offered in a way they can rely on"
    rows = (
        (not unheard, "Hear the whole story", story),
        (bool(state.met), "Say what they think or feel, and why", said),
        (state.settled, "Then, a way forward", way),
    )
    items = "".join(
        f'<li class="{"done" if done else "open"}"><span class="tick" aria-hidden="true">{"✓" if done else ""}</span>'
        f'<span><span class="hidden">{"Done" if done else "Open"}: </span>{name}<small>{text}</small></span></li>'
        for done, name, text in rows
    )
    return f'<h2>Goals</h2><ul class="goals">{items}</ul>'


def parked_offer(transcript: Transcript) -> str:
    """The latest offer that came too early and has not been made again since; empty for none."""
    parked = ""
    for _, turn in transcript.replies:
        told = note(turn)
        if told is not None and told.offer:
            parked = told.offer
        elif turn.reaction is not None and turn.judgement is not None and turn.judgement.has(Move.SOLUTION):
            parked = ""
    return parked


def coach(transcript: Transcript, hint: str = "") -> str:
    """How the last reply landed, the offer to keep for later, and the hint that was asked for."""
    asked = f'<div class="hint"><h3>Hint</h3><p>{esc(hint)}</p></div>' if hint else ""
    if transcript.exam:
        return f'{_COACH}<p class="rest">Exam: the notes on your replies come with the scorecard.</p>'
    judged = [turn for _, turn in transcript.replies if turn.reaction is not None]
    told = note(judged[-1]) if judged else None
    if told is None:
        return f'{_COACH}{asked}<p class="rest">After each reply you read here how it landed.</p>'
    quote = f"<blockquote>“{esc(told.quote)}”</blockquote>" if told.quote else ""
    offer = parked_offer(transcript)
    kept = ""
    if offer:
        kept = f'<div class="parked"><h3>Not heard yet. Offer it again later:</h3><p>“{esc(offer)}”</p></div>'
        quote = "" if offer == told.quote else quote
    return f'{_COACH}{asked}<div class="note"><h3>{esc(told.headline)}</h3>{quote}<p>{esc(told.why)}</p>{kept}</div>'


def aloud(words: str = "") -> str:
    """What a screen reader says of its own accord; the region must be there before its words are."""
    return f'<div role="status" aria-live="polite">{esc(words)}</div>'


def answer_aloud(call: Call) -> str:
    """The customer's last line and the gauge."""
    change = last_change(call.transcript)
    effect = f", {change_words(change)}" if change is not None else ""
    said = call.transcript.turns[-1]
    return aloud(f"{first_name(call.persona)}: {said.text} Anger {level(call.state.anger)}{effect}.")


def small_curve(call: Call) -> str:
    """The curve so far, without numbers."""
    return curve(stops(call.transcript), "heat-call")
