"""The trained evaluator as a judge: replies in batches, calibrated, with evidence, and a doubt where one is due."""

import hashlib
import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors.torch import load_file
from torch import Tensor

from simulator.judge import JudgeError, Reading
from simulator.models.base import ModelError
from simulator.models.encoding import Encoded, Encoding, batch_tensors, fitted, load_encoder, rounded, told
from simulator.models.memory import out_of_memory
from simulator.models.points import ATTENTION, CUTS, Heard, Hearing, PointReader, Taken
from simulator.models.reader import Familiar, Reader
from simulator.moves import MOVES, Judgement, Move

BATCH = 32


class Made(NamedTuple):
    """What a reply does: the chance of each move, (moves,); those present; how much each token shows each move, (reply's
    tokens and the one before, moves); and whether the reply is unlike all that the evaluator learnt from."""

    chances: Tensor
    present: set[Move]
    spans: Tensor
    strange: bool


class TrainedJudge:
    """The default judge. `adapter` holds what was trained, `reader.safetensors` (moves) and `points.safetensors` (story
    points), each with its thresholds beside it as JSON."""

    def __init__(self, base: Path, adapter: Path) -> None:
        files = [adapter / name for name in ("reader.safetensors", "reader.json", "points.safetensors", "points.json")]
        if not all(file.is_file() for file in files):
            raise ModelError(f"The evaluator's adapter is missing in {adapter}; reinstall Defuse or train it again")
        self.settings = json.loads(files[1].read_text())
        tokenizer, encoder, width = load_encoder(base)
        self._encoding = Encoding(tokenizer)
        state = load_file(files[0])
        self._reader = fitted(Reader(encoder, width), state)
        self._familiar = Familiar(
            state["familiar.mean"], state["familiar.whiten"], float(self.settings["familiar_within"])
        )
        _, encoder, width = load_encoder(base, ATTENTION)
        reader = fitted(PointReader(encoder, width), load_file(files[2]))
        cuts = json.loads(files[3].read_text())
        if not set(CUTS) <= cuts.keys():
            raise ModelError(f"{files[3]} is of another version of Defuse; reinstall it, or train the evaluator again")
        self._points = Hearing(reader, self._encoding, cuts)
        self._lock = threading.Lock()
        self._thresholds = torch.tensor([self.settings["thresholds"][move.value] for move in MOVES])
        self._slope = torch.tensor([self.settings["calibration"][move.value] for move in MOVES])
        # The thresholds are a part of the judge: another set of them judges otherwise.
        digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
        self.name = f"{base.name}+{adapter.name}@{digest[:12]} rubric {self.settings['rubric']}"

    def judge(self, readings: Sequence[Reading]) -> list[Judgement]:
        """One judgement for each reading, in order. Raises JudgeError or ModelError."""
        made: dict[int, Made] = {}
        # Readings of like length go together, so that little of a batch is padding.
        encoded = [self._encoding(reading) for reading in readings]
        order = sorted(range(len(readings)), key=lambda i: len(encoded[i].ids))
        with self._lock, torch.inference_mode(), out_of_memory(self.name):
            for start in range(0, len(order), BATCH):
                chosen = order[start : start + BATCH]
                made |= dict(zip(chosen, self._made([encoded[i] for i in chosen]), strict=True))
            heard = [
                Heard(one, told(reading), reading.persona.story if reading.persona else (), made[i].present)
                for i, (reading, one) in enumerate(zip(readings, encoded, strict=True))
            ]
            taken = self._points.taken_in(heard)
        return [self._verdict(readings[i].reply, encoded[i], made[i], taken[i]) for i in range(len(readings))]

    def _made(self, encoded: list[Encoded]) -> list[Made]:
        """What each reply of a batch does."""
        ids, mask, types, reply = batch_tensors(rounded(encoded))
        states = self._reader.read(ids, mask, types)[: len(encoded)]
        logits, spans = self._reader.moves(states, reply[: len(encoded)])
        if not bool(torch.isfinite(logits).all()):
            raise JudgeError("The evaluator returned no numbers for this reply; send it again, or reword it")
        chances = (logits[:, :-1] * self._slope[:, 0] + self._slope[:, 1]).sigmoid()
        strange = (logits[:, -1].sigmoid() >= self.settings["attack_threshold"]) | ~self._familiar(states[:, 0])
        return [
            Made(chances[i], self._present(chances[i]), spans[i, : one.reply_length + 1].clone(), bool(strange[i]))
            for i, one in enumerate(encoded)
        ]

    def _present(self, chances: Tensor) -> set[Move]:
        """The moves over their thresholds. The two kinds of sympathy exclude each other; the likelier stays."""
        present = {move for move, over in zip(MOVES, (chances >= self._thresholds).tolist(), strict=True) if over}
        rival = {Move.SPECIFIC_EMPATHY, Move.GENERIC_SYMPATHY}
        if rival <= present:
            margin = chances - self._thresholds
            present -= {min(rival, key=lambda move: float(margin[MOVES.index(move)]))}
        return present

    def _verdict(self, reply: str, one: Encoded, made: Made, taken: Taken) -> Judgement:
        empathy = MOVES.index(Move.SPECIFIC_EMPATHY)
        near = abs(float(made.chances[empathy] - self._thresholds[empathy])) < self.settings["uncertain_within"]
        elsewhere = Move.SPECIFIC_EMPATHY in made.present and taken.strange
        return Judgement(
            probabilities={move: round(float(made.chances[k]), 4) for k, move in enumerate(MOVES)},
            present=tuple(move for move in MOVES if move in made.present),
            acknowledged=taken.points,
            evidence={
                move: quote
                for k, move in enumerate(MOVES)
                if move in made.present and (quote := _quote(reply, one, made.spans[:, k]))
            },
            uncertain=made.strange or near or elsewhere,
            judge=self.name,
        )


def _quote(reply: str, one: Encoded, scores: Tensor) -> str:
    """The clause whose tokens show the move most: a contiguous span of the reply."""
    best, quote = float("-inf"), ""
    mine = scores[1 : 1 + one.reply_length].sigmoid().tolist()
    for start, end in clauses(reply):
        inside = [s for s, (a, b) in zip(mine, one.offsets, strict=True) if a >= start and b <= end]
        if inside and sum(inside) / len(inside) > best:
            best, quote = sum(inside) / len(inside), reply[start:end].strip()
    return quote


def clauses(text: str) -> list[tuple[int, int]]:
    """Character spans of the sentences of a text; a text without stops is one."""
    spans, start = [], 0
    for i, char in enumerate(text):
        if char in ".!?\n" and (i + 1 == len(text) or text[i + 1].isspace()):
            spans.append((start, i + 1))
            start = i + 1
    return [(a, b) for a, b in [*spans, (start, len(text))] if text[a:b].strip()]
