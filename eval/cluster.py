"""A run over a Ray cluster: each actor holds the models, the run steps its calls here and spreads the work over them.

`RAY_ADDRESS` names a cluster; without it Ray starts one on this machine.
"""

import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from typing import Any

from eval.engine import Engines, WrittenVoice
from simulator.customer import Customer
from simulator.judge import Reading
from simulator.models.base import LanguageModel, ModelError, Prompt, Sample, Sampling
from simulator.moves import Judgement

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing leaves the machine

try:
    import ray
except ImportError as error:
    raise ModelError('The ray executor needs Ray: pip install "defuse[ray]"') from error


class Holder:
    """What an actor is: one set of models, asked by name."""

    def __init__(self, make: Callable[[], Engines]) -> None:
        self._engines = make()

    def names(self) -> dict[str, str]:
        """Who judges, who is the customer, who the trainee ("" for nobody)."""
        trainee = self._engines.trainee
        customer = self._engines.customer.model.name
        return {"judge": self._engines.judge.name, "customer": customer, "trainee": trainee.name if trainee else ""}

    def judge(self, readings: Sequence[Reading]) -> list[Judgement]:
        """Judge a share of a batch."""
        return self._engines.judge.judge(readings)

    def sample(self, who: str, prompt: Prompt, sampling: Sampling) -> list[Sample]:
        """Continue a prompt with the model of the customer or the trainee."""
        return self._model(who).sample(prompt, sampling)

    def likelihoods(self, who: str, prompt: Prompt, texts: Sequence[str]) -> list[float]:
        """How likely that model finds each text."""
        return self._model(who).likelihoods(prompt, texts)

    def _model(self, who: str) -> LanguageModel:
        model = self._engines.customer.model if who == "customer" else self._engines.trainee
        if model is None:
            raise ModelError("There is no model for the trainee; give one with --trainee-model")
        return model


class RayJudge:
    """A judge whose batches are shared out evenly over the actors."""

    def __init__(self, actors: Sequence[Any], name: str) -> None:
        self._actors = actors
        self.name = name

    def judge(self, readings: Sequence[Reading]) -> list[Judgement]:
        """One judgement for each reading, in order. Raises JudgeError or ModelError."""
        share = -(-len(readings) // len(self._actors))
        parts = [list(readings[i : i + share]) for i in range(0, len(readings), share)] if readings else []
        with _lost_actors():
            found = ray.get([actor.judge.remote(part) for actor, part in zip(self._actors, parts, strict=False)])
        return [judgement for part in found for judgement in part]


class RayModel:
    """A language model whose requests go to the actors in turn."""

    def __init__(self, actors: Sequence[Any], who: str, name: str) -> None:
        self._turn: Iterator[Any] = cycle(actors)
        self._who = who
        self.name = name

    def sample(self, prompt: Prompt, sampling: Sampling) -> list[Sample]:
        """As the model in the actor does. Raises ModelError."""
        with _lost_actors():
            found: list[Sample] = ray.get(next(self._turn).sample.remote(self._who, prompt, sampling))
        return found

    def likelihoods(self, prompt: Prompt, texts: Sequence[str]) -> list[float]:
        """As the model in the actor does. Raises ModelError."""
        with _lost_actors():
            found: list[float] = ray.get(next(self._turn).likelihoods.remote(self._who, prompt, list(texts)))
        return found


def ray_engines(make: Callable[[], Engines], actors: int, *, writes: bool) -> Engines:
    """The models that `make` gives, in `actors` actors, behind the same protocols. Raises ModelError."""
    if not ray.is_initialized():
        ray.init(include_dashboard=False, log_to_driver=False, logging_level="warning")
    there = ray.cluster_resources()
    kind = ray.remote(num_cpus=int(there.get("CPU", 0) >= actors), num_gpus=gpu_share(there.get("GPU", 0), actors))(
        Holder
    )
    held = [kind.remote(make) for _ in range(actors)]
    with _lost_actors():
        names = ray.get([one.names.remote() for one in held])[0]
    trainee: LanguageModel | None = RayModel(held, "trainee", names["trainee"]) if names["trainee"] else None
    written = names["customer"] == WrittenVoice.name  # nothing to compute, so nothing to send
    voice: LanguageModel = WrittenVoice() if written else RayModel(held, "customer", names["customer"])
    return Engines(
        judge=RayJudge(held, names["judge"]), customer=Customer(voice, writes=writes), trainee=trainee, at_once=actors
    )


def gpu_share(gpus: float, actors: int) -> float:
    """How much of a GPU each actor asks for: all find room, for one that asks for more than there is waits for ever."""
    if gpus < 1:
        return 0
    on_one = -(-actors // int(gpus))
    return math.floor(10_000 / on_one) / 10_000  # Ray counts in ten-thousandths


@contextmanager
def _lost_actors() -> Iterator[None]:
    """An actor that died is a model that cannot run; an error raised in it keeps its own type."""
    try:
        yield
    except ray.exceptions.RayActorError as error:
        why = str(error).strip().splitlines()[-1]
        raise ModelError(f"A Ray actor was lost ({why.strip()}); mend that and start the run again to go on") from error
