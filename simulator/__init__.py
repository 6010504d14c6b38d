"""Defuse: practise calming the customer who is furious for a reason.

The public names. Importing them loads neither torch nor gradio.
"""

from simulator.anger import Outcome, Reaction, State, opening_state, react
from simulator.moves import Judgement, Move
from simulator.persona import Persona, PersonaError, load_persona, load_personas
from simulator.transcript import Transcript, Turn

__all__ = [
    "Judgement",
    "Move",
    "Outcome",
    "Persona",
    "PersonaError",
    "Reaction",
    "State",
    "Transcript",
    "Turn",
    "load_persona",
    "load_personas",
    "opening_state",
    "react",
]
__version__ = "0.1.0"
