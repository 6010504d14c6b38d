"""The models behind a run: on this machine, on a server, or one in each actor of a Ray cluster."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from eval.suite import CallsSuite, LinesSuite, Suite
from eval.work import Options
from simulator.customer import Customer
from simulator.engine import BUNDLED, language_model, load_judge
from simulator.judge import Judge
from simulator.models.base import LanguageModel, ModelError, Prompt, Sample, Sampling

AT_ONCE = 8  # requests that a server gets at the same time

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class WrittenVoice:
    """No weights: the customer says written lines, all equally likely. The anger is the same."""

    name = "written"

    def sample(self, prompt: Prompt, sampling: Sampling) -> list[Sample]:
        """One empty continuation, which no check lets through."""
        del prompt, sampling
        return [Sample(text="")]

    def likelihoods(self, prompt: Prompt, texts: Sequence[str]) -> list[float]:
        """It prefers none."""
        del prompt
        return [0.0] * len(texts)


@dataclass(frozen=True)
class Engines:
    """Who judges, who is the customer, and who is the trainee when a model is. `at_once` requests go out together to the
    two that speak, `judged_at_once` to the judge."""

    judge: Judge
    customer: Customer
    trainee: LanguageModel | None = None
    at_once: int = 1
    judged_at_once: int = 1

    def map(self, call: Callable[[Item], Answer], items: Iterable[Item]) -> list[Answer | ModelError]:
        """`call` of each item, in order; a ModelError stands in the place of its item."""

        def one(item: Item) -> Answer | ModelError:
            try:
                return call(item)
            except ModelError as error:
                return error

        if self.at_once == 1:
            return [one(item) for item in items]
        with ThreadPoolExecutor(self.at_once) as pool:
            return list(pool.map(one, items))


def load_engines(suite: Suite, options: Options) -> Engines:
    """The models that this suite needs, loaded here or in the actors of a cluster. Raises ModelError."""
    if options.executor == "ray":
        from eval.cluster import ray_engines

        return ray_engines(partial(_local, suite, options), options.actors, writes=_writes(suite, options))
    return _local(suite, options)


def _local(suite: Suite, options: Options) -> Engines:
    customer: LanguageModel = WrittenVoice()
    if speaks(suite):
        customer = language_model(options.model, options.base_url)
    trainee = language_model(options.trainee_model, options.base_url) if options.trainee_model else None
    remote = any(name.startswith("openai:") for name in (options.model, options.trainee_model or ""))
    return Engines(
        judge=load_judge(options.judge_model, options.base_url),
        customer=Customer(customer, writes=_writes(suite, options)),
        trainee=trainee,
        at_once=AT_ONCE if remote else 1,
        judged_at_once=AT_ONCE if options.judge_model.startswith("openai:") else 1,
    )


def _writes(suite: Suite, options: Options) -> bool:
    """Whether the customer words its lines itself; the bundled model chooses among written ones."""
    return speaks(suite) and options.model != BUNDLED


def speaks(suite: Suite) -> bool:
    """Whether the customer's model is needed."""
    return isinstance(suite, LinesSuite) or (isinstance(suite, CallsSuite) and suite.voice == "model")
