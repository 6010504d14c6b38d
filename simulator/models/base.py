"""What the customer needs of a language model: a few continuations of a prompt, and how likely it finds each."""

from collections.abc import Sequence
from typing import Protocol

from pydantic import Field

from simulator.moves import Frozen


class ModelError(RuntimeError):
    """A model that cannot be fetched, loaded or run. The message says what happened and what to do."""


class Message(Frozen):
    """One message of a chat prompt."""

    role: str
    content: str


class Prompt(Frozen):
    """A prompt in both forms; a backend uses the one that it understands.

    `stable` and `changing` together are the plain script that the bundled adapter was trained on. `stable` comes in
    pieces and only ever grows by whole ones during a call, so a backend can keep the keys and values of each.
    `messages` is the full prompt for a chat model.
    """

    stable: tuple[str, ...]
    changing: str
    messages: tuple[Message, ...] = ()


class Sampling(Frozen):
    """How to sample. The same prompt, sampling and model give the same texts."""

    n: int = Field(default=4, ge=1, le=64)
    temperature: float = Field(default=0.6, ge=0, le=2)
    top_p: float = Field(default=0.95, gt=0, le=1)
    max_tokens: int = Field(default=48, ge=1, le=1024)
    seed: int = 0
    one_line: bool = True  # a new line ends the text, where the backend can be told so


class Sample(Frozen):
    """One continuation, without the prompt. `score` is its mean log-probability a token (natural log), None when the
    backend does not say."""

    text: str
    score: float | None = None


class LanguageModel(Protocol):
    """A model that continues prompts. Implementations are safe to call from several threads."""

    @property
    def name(self) -> str:
        """Model, revision and adapter, precisely enough to load it again."""
        ...

    def sample(self, prompt: Prompt, sampling: Sampling) -> list[Sample]:
        """At least one and at most `sampling.n` continuations. Raises ModelError."""
        ...

    def likelihoods(self, prompt: Prompt, texts: Sequence[str]) -> list[float]:
        """How likely the model finds each text as what comes next: mean log-probability a token, natural log.

        All 0 from a backend that cannot say. Raises ModelError.
        """
        ...
