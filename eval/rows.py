"""The rows of `results.jsonl`: one a case, written as the case ends. A failure is a row of its own, never a mark."""

from typing import Literal

from pydantic import Field

from simulator.anger import Outcome
from simulator.grade import Mark
from simulator.moves import Frozen, Move
from simulator.transcript import Role


class Row(Frozen):
    """What every row has. `case` is unique within a run and the same in a run of the same suite on another model."""

    case: str
    kind: str
    status: Literal["ok", "failed"] = "ok"


class Failed(Row):
    """A case that could not be run or judged, and why."""

    status: Literal["ok", "failed"] = "failed"
    error: str


class TurnRow(Frozen):
    """One line of a call; `anger` is the level after it, 0 to 10. A reply has moves and points, a customer's line its act,
    story point, source and the seconds that it took."""

    role: Role
    text: str
    anger: float
    present: tuple[str, ...] = ()
    acknowledged: tuple[str, ...] = ()
    act: str | None = None
    point: str | None = None
    source: str | None = None
    seconds: float | None = None


class CallRow(Row):
    """A simulated call with its curve and scorecard."""

    kind: str = "call"
    persona: str
    trainee: str
    seed: int
    turns: tuple[TurnRow, ...]
    anger: tuple[float, ...]
    outcome: Outcome
    ending: str | None
    overall: float
    competencies: dict[str, float]
    heard: tuple[str, ...]
    unheard: tuple[str, ...]


class ProbeRow(Row):
    """One line said to a customer at a level of anger. `fell` is whether it lowered the anger."""

    kind: str = "probe"
    persona: str
    group: str
    anger_before: float
    anger_after: float
    reply: str
    present: tuple[str, ...] = ()
    uncertain: bool = False
    fell: bool


class SpokenLine(Frozen):
    """One line of the customer. `point_said` is the share (0 to 1) of its story point's words that it says; None without
    a point. `source` says who worded it: "model", "written" for a line written beforehand, "persona" for the opening."""

    turn: int
    text: str
    act: str
    mood: str
    anger: float
    source: str
    in_role: bool
    facts_right: bool
    point_said: float | None = None
    seconds: float = Field(ge=0)


class LineRow(Row):
    """What the customer said in one call, or to one attack."""

    kind: str = "line"
    persona: str
    group: str
    lines: tuple[SpokenLine, ...]


class ReplyRow(Row):
    """One labelled reply: what its writer wanted found, and what was found."""

    kind: str = "reply"
    group: str
    pen: str
    sort: str  # plain, hard, attack or genuine_noise
    persona: str | None
    reply: str
    wanted: tuple[Move, ...]
    found: tuple[Move, ...]
    wanted_points: tuple[str, ...]
    found_points: tuple[str, ...]
    points: tuple[str, ...]  # all of the persona's
    probabilities: dict[Move, float]
    uncertain: bool = False
    fell: bool  # whether it would lower the anger of this customer, angry and with the story told


class Retold(Frozen):
    """One wording of a reply and how it was taken; `change` in points of anger, at 9 with the story told."""

    text: str
    found: tuple[Move, ...]
    points: tuple[str, ...]
    change: float


class Placed(Frozen):
    """How a line was taken by one customer, at anger 9 with the story told; `points` are those that it met with empathy,
    `change` in points of anger."""

    persona: str
    points: tuple[str, ...]
    uncertain: bool
    change: float
    fell: bool


class MisplacedRow(Row):
    """An empathic line, taken by the customer whom it means and by others whom it does not."""

    kind: str = "misplaced"
    group: str
    persona: str  # whom the line means
    reply: str
    own: Placed
    others: tuple[Placed, ...] = Field(min_length=1)


class RetestRow(Row):
    """A labelled reply, then its other wordings. `drift` and `turned` are of judging the same again in other orders: the
    largest change of a probability, and how many wordings got other moves."""

    kind: str = "retest"
    persona: str | None
    wanted: tuple[Move, ...]
    wanted_points: tuple[str, ...]
    readings: tuple[Retold, ...] = Field(min_length=2)
    drift: float
    turned: int


class Reference(Frozen):
    """What the source of a recording says of it; `score` is 0 to 100."""

    score: float | None = None
    outcome: str | None = None


class RecordedRow(Row):
    """A recorded conversation with its curve and scorecard."""

    kind: str = "recorded"
    id: str
    persona: str | None
    turns: tuple[TurnRow, ...]
    anger: tuple[float, ...]
    outcome: Outcome
    overall: float
    competencies: dict[str, float]
    evidence: tuple[Mark, ...] = ()
    reference: Reference = Reference()
