"""The desk of the test drives: the ordinary call, on a copy of the persona, in a store that counts for nothing."""

from simulator.drives import Drives, kept_since
from simulator.engine import Engine
from simulator.persona import Persona
from simulator.session import Call
from simulator.storage import Store
from simulator.ui.desk import Desk
from simulator.ui.screen import DRIVES, STUDIO, LostError, Screen


class DriveDesk(Desk):
    """Opens and continues test drives; nothing here reaches a trainee's own calls."""

    places = DRIVES

    def __init__(self, engine: Engine, store: Store, drives: Drives) -> None:
        super().__init__(engine, store, drives)
        self._drives = drives

    def begin(self, owner: str, persona: Persona) -> Screen:
        """Take the call with a copy that the drives keep; what was said in old ones goes with them."""
        self._store.forget_before(kept_since())
        engine = self._engine
        return self._call_page(
            Call.begin(persona, engine.customer, engine.judge, store=self._store, owner=owner), owner
        )

    def _back(self, persona: Persona) -> str:
        self._persona(persona.id)
        return f"#/{STUDIO}/{self._drives.drive(persona.id).draft}"

    def _persona(self, persona_id: str) -> Persona:
        if persona_id not in self.personas:
            raise LostError("That test drive is over a week old and no longer kept. Take another one from the Studio.")
        return self.personas[persona_id]
