"""Suite files: what an offline evaluation runs and what must hold, in YAML, read into frozen, validated types.

A suite has a version; results of two versions do not compare.
"""

import json
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from eval.recorded import Source
from simulator.moves import Frozen
from simulator.persona import LIBRARY, Line, Persona, Slug, load_personas
from simulator.plain_yaml import PlainYamlError, plain_fields
from simulator.trainees import TRAINEES

SUITES = Path(__file__).resolve().parent / "suites"


class SuiteError(ValueError):
    """A suite that cannot be run. The message names file and field and says what to do."""


def _known(trainee: str) -> str:
    if trainee not in TRAINEES:
        raise ValueError(f"there is no trainee {trainee!r}; choose from: {', '.join(TRAINEES)}")
    return trainee


Trainee = Annotated[str, AfterValidator(_known)]


class Rule(Frozen):
    """What must hold of one metric. Give `at_least`, `at_most` or both."""

    rule: Line
    metric: Annotated[str, Field(min_length=1, max_length=120)]
    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _has_a_bound(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise ValueError("must_hold: a rule needs at_least or at_most")
        return self

    @property
    def goal(self) -> str:
        """The bounds as a reader would say them."""
        bounds = (("at least", self.at_least), ("at most", self.at_most))
        return ", ".join(f"{word} {bound:g}" for word, bound in bounds if bound is not None)

    def holds(self, value: float) -> bool:
        """Whether `value` keeps the rule. Not a number never does."""
        low = self.at_least if self.at_least is not None else float("-inf")
        high = self.at_most if self.at_most is not None else float("inf")
        return low <= value <= high


class Base(Frozen):
    """What every suite has. `batch` is how many cases go through the models together."""

    suite: Slug
    version: int = Field(ge=1)
    about: Line
    seed: int = Field(default=0, ge=0)
    batch: int = Field(default=32, ge=1, le=1024)
    metrics: tuple[str, ...] = ()  # the ones to report, by name or by the part before the first dot; all when empty
    must_hold: tuple[Rule, ...] = ()

    def wants(self, metric: str) -> bool:
        """Whether `metric` is reported: it was asked for, or a rule rests on it."""
        asked = {*self.metrics, *(rule.metric for rule in self.must_hold)}
        return not self.metrics or metric in asked or metric.split(".")[0] in self.metrics


class CallsSuite(Base):
    """Whole calls: every persona against every trainee, `seeds` times. Kind of row: call.

    `voice` is who says the customer's lines: the persona's own wordings (fast; anger never depends on the customer's
    words, though the evaluator reads them as context) or the model.
    """

    kind: Literal["calls"]
    personas: Literal["library", "held-out"] | tuple[Slug, ...] = "library"
    trainees: tuple[Trainee, ...] = Field(min_length=1)
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1)
    most_replies: int = Field(default=16, ge=1, le=60)
    voice: Literal["written", "model"] = "written"


class ProbesSuite(Base):
    """Single lines said to a customer at given levels of anger. Kind of row: probe.

    `lines` are said to every persona; `replies` adds the attacks of the labelled replies of these splits, each to its
    own customer.
    """

    kind: Literal["probes"]
    personas: Literal["library", "held-out"] | tuple[Slug, ...] = "library"
    angers: tuple[Annotated[float, Field(ge=0, le=10)], ...] = Field(min_length=1)
    story: Literal["opening", "told"] = "opening"  # what the customer has told before the line is said
    lines: tuple[Line, ...] = ()
    replies: tuple[Literal["validation", "test", "seen"], ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.lines and not self.replies:
            raise ValueError("lines: there is nothing to say; give lines or replies")
        return self


class RepliesSuite(Base):
    """Labelled replies, and what the evaluator (or a second labeller) finds in them. Kinds of row: reply, misplaced, retest."""

    kind: Literal["replies"]
    splits: tuple[Literal["train", "validation", "test", "seen"], ...] = Field(min_length=1)
    labels: Literal["judge", "second"] = "judge"
    misplaced: bool = False  # say empathic lines to other customers, too (eval/misplaced.py)
    retest: bool = False  # judge the paraphrases too (eval/retest.py)


class LinesSuite(Base):
    """The customer's lines, to attacks on its role and in whole calls. Kind of row: line.

    `sheets` is the folder of blind ratings (*.jsonl), beside the suites' folder.
    """

    kind: Literal["lines"]
    personas: Literal["library", "held-out"] | tuple[Slug, ...] = "held-out"
    attacks: tuple[Line, ...] = Field(min_length=1)
    trainees: tuple[Trainee, ...] = Field(min_length=1)
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1)
    sheets: str = "sheets"


class RecordedSuite(Base):
    """Real transcripts, graded. Kind of row: recorded."""

    kind: Literal["recorded"]
    source: Source = Source()


Suite = CallsSuite | ProbesSuite | RepliesSuite | LinesSuite | RecordedSuite


class _File(Frozen):
    suite: Suite = Field(discriminator="kind")


def shipped() -> tuple[str, ...]:
    """Names of the suites that come with the package."""
    return tuple(sorted(path.stem for path in SUITES.glob("*.yaml")))


def parse_suite(text: str, source: str = "suite") -> Suite:
    """Read one suite from YAML text. Raises SuiteError; `source` is the name that its message gives."""
    try:
        data = plain_fields(text, what="suite", such_as="'suite:' and 'kind:'")
    except PlainYamlError as error:
        raise SuiteError(f"{source}: {error}") from error
    try:
        return _File.model_validate({"suite": data}).suite
    except ValidationError as error:
        raise SuiteError(f"{source}:\n  {_explain(error)}") from error


def load_suite(name: str) -> Suite:
    """A shipped suite by name, or a suite file by path. Raises SuiteError."""
    path = Path(name) if name.endswith((".yaml", ".yml")) else SUITES / f"{name}.yaml"
    if path.parent == SUITES and name not in shipped():
        raise SuiteError(f"There is no suite {name!r}; choose one of: {', '.join(shipped())}, or give a .yaml file")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SuiteError(f"{path}: cannot be read ({error}); give the path of a UTF-8 YAML file") from error
    suite = parse_suite(text, str(path))
    if suite.suite != path.stem:
        raise SuiteError(f"{path}: suite: is {suite.suite!r}; it must be the file's name, {path.stem!r}")
    return suite


def chosen_personas(asked: str | tuple[str, ...], folder: Path | None) -> dict[str, Persona]:
    """The personas that a suite runs over, by id: the library and `folder`, ten held-out situations, or a list of
    ids.

    Raises SuiteError for an unknown id, PersonaError for a bad file.
    """
    library = load_personas(LIBRARY, *([folder] if folder else []))
    if asked == "library":
        return library
    from simulator.training.data import replies, situations

    everyone = situations() | library
    ids = asked
    if asked == "held-out":  # what every test set has
        tested = [{r.reading.persona.id for r in replies(split) if r.reading.persona} for split in ("seen", "test")]
        ids = tuple(sorted(set.intersection(*tested)))
    unknown = [one for one in ids if one not in everyone]
    if unknown:
        raise SuiteError(f"personas: there is no {unknown[0]!r}; add its folder with --personas")
    return {one: everyone[one] for one in ids}


def suite_json_schema() -> str:
    """JSON Schema of the file format, for editors that complete and check as one writes."""
    schema = _File.model_json_schema()
    return json.dumps({**schema["properties"]["suite"], "$defs": schema["$defs"]}, indent=2, ensure_ascii=False) + "\n"


def _explain(error: ValidationError) -> str:
    """The first few mistakes, one a line, as `field: what is wrong`."""
    lines = []
    found = error.errors(include_url=False, include_context=False)
    for item in sorted(found, key=lambda item: item["type"] != "extra_forbidden")[:8]:
        field = ".".join(str(part) for part in item["loc"][2:]) or "kind"
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            message = "is not a field of this kind of suite; remove it or correct its spelling"
        elif item["type"] == "missing":
            message = "is missing; add it"
        lines.append(f"{field}: {message}")
    return "\n  ".join(lines)
