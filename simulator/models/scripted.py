"""A model without weights, for tests of the plumbing: it says what it is told to say."""

from collections.abc import Sequence

from simulator.models.base import Prompt, Sample, Sampling


class ScriptedModel:
    """Returns `lines` in turn, over and over, and prefers none."""

    name = "scripted"

    def __init__(self, lines: Sequence[str] = ("Go on then, I am listening.",)) -> None:
        self._lines = tuple(lines)
        self._next = 0

    def sample(self, prompt: Prompt, sampling: Sampling) -> list[Sample]:
        """The next `sampling.n` lines of the script."""
        del prompt
        start = self._next
        self._next += sampling.n
        return [Sample(text=self._lines[(start + i) % len(self._lines)]) for i in range(sampling.n)]

    def likelihoods(self, prompt: Prompt, texts: Sequence[str]) -> list[float]:
        """It prefers none."""
        del prompt
        return [0.0] * len(texts)
