"""Labelled replies as tensors, in batches, and varied: the same parts put together anew, or typed by a hurried hand."""

import random
from collections.abc import Sequence

import numpy as np
import torch

from simulator.models.encoding import Encoded, Encoding
from simulator.moves import MOVES, Move
from simulator.training.data import LabelledReply, Part

BATCH, TOGETHER = 16, 4
RECOMBINED, ROUGHENED = 0.3, 0.08  # shares of an epoch's replies


class Example:
    """One labelled reply as tensors."""

    def __init__(self, item: LabelledReply, encoding: Encoding) -> None:
        self.item, self.encoding = item, encoding
        self.encoded: Encoded = encoding(item.reading)
        self.signals = torch.tensor([*(float(move in item.moves) for move in MOVES), float(item.kind == "attack")])
        self.spans = torch.zeros(self.encoded.reply_length, len(MOVES))
        start = 0
        for part in item.parts:
            end = start + len(part.text)
            for k, (a, b) in enumerate(self.encoded.offsets):
                if a >= start and b <= end:
                    for move in part.moves:
                        self.spans[k, MOVES.index(move)] = 1
            start = end + 1


Scenes = dict[tuple[str, tuple[tuple[str, str], ...]], list[Part]]


def _scene(item: LabelledReply) -> tuple[str, tuple[tuple[str, str], ...]]:
    return item.reading.persona.id if item.reading.persona else "", item.reading.history


def by_scene(items: Sequence[LabelledReply]) -> Scenes:
    """Parts of genuine replies to the same line of the same customer, where a part's labels hold without its neighbours.

    Beside specific empathy a bare "sorry" carries no label, so of such a reply only the empathy itself is taken.
    """
    scenes: Scenes = {}
    for item in items:
        if item.kind in ("plain", "hard"):
            whole = Move.SPECIFIC_EMPATHY not in item.moves
            parts = [part for part in item.parts if whole or Move.SPECIFIC_EMPATHY in part.moves]
            scenes.setdefault(_scene(item), []).extend(parts)
    return scenes


def varied(one: Example, scenes: Scenes, encoding: Encoding) -> Example:
    """The example as written, or, as often as RECOMBINED and ROUGHENED say, made of the parts of its scene, or typed worse.

    Every part carries its own labels, so that what is put together from parts is labelled by its parts.
    """
    parts = list(one.item.parts)
    others = scenes.get(_scene(one.item), [])
    if one.item.kind in ("plain", "hard") and random.random() < RECOMBINED and others:
        if len(parts) > 1 and Move.SPECIFIC_EMPATHY not in one.item.moves and random.random() < 0.4:
            parts.pop(random.randrange(len(parts)))
        else:
            parts.insert(random.choice((0, len(parts))), random.choice(others))
    if random.random() < ROUGHENED:
        parts = [part.model_copy(update={"text": roughened(part.text)}) for part in parts]
    if parts == list(one.item.parts):
        return one
    moves = {move for part in parts for move in part.moves}
    if Move.SPECIFIC_EMPATHY in moves:
        moves.discard(Move.GENERIC_SYMPATHY)
    reply = " ".join(part.text for part in parts)
    changed = one.item.model_copy(
        update={
            "reading": one.item.reading.model_copy(update={"reply": reply}),
            "moves": tuple(move for move in MOVES if move in moves),
            "acknowledged": tuple({point for part in parts for point in part.acknowledged}),
            "parts": tuple(parts),
        }
    )
    return Example(changed, encoding)


def roughened(text: str) -> str:
    """The text as a hurried hand types it: small letters, lost marks, a swapped pair of letters."""
    way = random.random()
    if way < 0.4:
        return text.lower().replace("'", "")
    if way < 0.7:
        return text.rstrip(".!?").replace(",", "")
    letters = list(text)
    for _ in range(max(1, len(letters) // 60)):
        at = random.randrange(max(1, len(letters) - 1))
        letters[at : at + 2] = reversed(letters[at : at + 2])
    return "".join(letters)


def shuffled_batches(examples: list[Example]) -> list[list[Example]]:
    """Random batches of replies of like length; TOGETHER at a time answer one customer, so that a batch holds contrasts."""

    def length(one: Example) -> float:
        return len(one.encoded.ids) + random.uniform(-20, 20)

    by_persona: dict[str, list[Example]] = {}
    for one in sorted(examples, key=length):
        by_persona.setdefault(one.item.reading.persona.id if one.item.reading.persona else "", []).append(one)
    groups = [group[i : i + TOGETHER] for group in by_persona.values() for i in range(0, len(group), TOGETHER)]
    groups.sort(key=lambda group: length(group[-1]))
    size = BATCH // TOGETHER
    batches = [[one for group in groups[i : i + size] for one in group] for i in range(0, len(groups), size)]
    return random.sample(batches, len(batches))


def best_threshold(chances: np.ndarray) -> float:
    """The threshold with the highest F1 to be expected where chances, (n,), are calibrated: half of that F1.

    From the chances alone, because the threshold that happens to score best on a few hundred labels follows their noise
    (Lipton, Elkan and Narayanaswamy, 2014).
    """
    likeliest = np.sort(chances)[::-1]
    expected = 2 * likeliest.cumsum() / (np.arange(1, len(chances) + 1) + chances.sum())
    return float(np.clip(expected.max() / 2, 0.1, 0.9))
