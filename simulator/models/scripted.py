"""A model without weights, for tests of the plumbing: it says what it is told to say."""

from collections.abc import Sequence

from simulator.models.base import Prompt, Sampling


class ScriptedModel:
    """Returns `lines` in turn, over and over; scores every continuation alike."""

    name = "scripted"
    scores = True

    def __init__(self, lines: Sequence[str] = ("Go on then, I am listening.",)) -> None:
        self._lines = tuple(lines)
        self._next = 0

    def sample(self, prompt: Prompt, sampling: Sampling) -> list[str]:
        """The next `sampling.n` lines of the script."""
        del prompt
        start = self._next
        self._next += sampling.n
        return [self._lines[(start + i) % len(self._lines)] for i in range(sampling.n)]

    def score(self, prompt: Prompt, continuations: Sequence[str]) -> list[float]:
        """Zero for each: no preference."""
        del prompt
        return [0.0] * len(continuations)
