"""A call in the terminal: what `defuse chat` shows."""

from collections.abc import Sequence
from typing import NamedTuple

from rich.console import Console
from rich.markup import escape

from simulator.coach import hint, note
from simulator.competencies import TITLES
from simulator.directive import mood_of
from simulator.engine import Engine
from simulator.grade import PASS_MARK, Scorecard
from simulator.judge import JudgeError
from simulator.models.base import ModelError
from simulator.persona import Persona
from simulator.session import Call, ReplyError
from simulator.transcript import Transcript


class Played(NamedTuple):
    """A call that was held. `trouble` says why a scripted one broke off; "" when it did not."""

    transcript: Transcript
    scorecard: Scorecard
    trouble: str = ""


def play(persona: Persona, engine: Engine, replies: Sequence[str] | None, seed: int, *, quiet: bool) -> Played:
    """Hold a call until it ends, the replies run out, or the trainee types /end. Nothing is printed when `quiet`.

    A model that fails ends a scripted call; whoever types is told, and asked again. What was said is graded either way.
    """
    console = Console(quiet=quiet, highlight=False)
    call = Call.begin(persona, engine.customer, engine.judge, seed=seed)
    console.print(f"\n[bold]{escape(persona.headline)}[/bold]\n{escape(persona.briefing.strip())}\n")
    if replies is None:
        console.print("[dim]Type your reply. /hint for a hint, /end to end the call.[/dim]\n")
    _say(console, persona, call)
    script = iter(replies) if replies is not None else None
    trouble = ""
    while not call.transcript.finished and not trouble:
        unanswered = call.waiting and call.transcript.turns[-1].judgement is not None
        text = (
            next(script, "/end")
            if script is not None
            else _ask(console, "Enter asks again: " if unanswered else "You: ")
        )
        if text == "/end":
            break
        if text == "/hint":
            call.hint_used()
            console.print(f"[dim]{escape(hint(persona, call.state))}[/dim]")
            continue
        try:
            if not unanswered:
                _hear(console, call, text, aloud=script is not None)
            call.answer()
        except ReplyError as error:
            console.print(f"[dim]{escape(str(error))}[/dim]")
            continue
        except (JudgeError, ModelError) as error:
            trouble = str(error) if script is not None else ""
            console.print(f"[dim]{escape(str(error))} What was said is kept; /end ends the call.[/dim]")
            continue
        except KeyboardInterrupt:
            break
        _say(console, persona, call)
    card = call.end()
    console.print(f"\nOutcome: [bold]{card.outcome.value.replace('_', ' ')}[/bold]")
    console.print(f"Overall {card.overall:.0f} of 100 (pass mark {PASS_MARK})")
    for name, part in card.competencies.items():
        console.print(f"  {part.score:3.0f}  {TITLES[name]}: {escape(part.advice)}")
    return Played(call.transcript, card, trouble)


def _hear(console: Console, call: Call, text: str, *, aloud: bool) -> None:
    reaction = call.hear(text)
    if aloud:
        console.print(f"You: {escape(text)}")
    read = note(call.transcript.turns[-1])
    console.print(f"[dim]  {_change(reaction.change)} {escape(read.headline + ' ' + read.why) if read else ''}[/dim]")


def _ask(console: Console, prompt: str) -> str:
    try:
        return console.input(prompt).strip()
    except (EOFError, KeyboardInterrupt):
        return "/end"


def _say(console: Console, persona: Persona, call: Call) -> None:
    anger = call.state.anger
    console.print(f"[bold]{escape(persona.name)}[/bold] ({anger:.1f}, {mood_of(anger).value}): ", end="")
    console.print(call.transcript.turns[-1].text, markup=False)


def _change(change: float) -> str:
    if change == 0:
        return "= unchanged."
    return f"{'▲ up' if change > 0 else '▼ down'} {abs(change):.1f}."
