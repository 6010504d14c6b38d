"""A causal language model on this machine, through transformers: the bundled one, a hub id, a folder or a GGUF file."""

import copy
import hashlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from jinja2 import TemplateError
from torch.nn.functional import softmax
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache, GgufConfig
from transformers.utils.hub import resolve_revision

from simulator.models.base import Message, ModelError, Prompt, Sample, Sampling
from simulator.models.fast import FastLlama, fits
from simulator.models.memory import out_of_memory

log = logging.getLogger(__name__)

Pieces = tuple[tuple[int, ...], ...]  # token ids of a prompt, in the pieces in which it is read

PREFIXES = 8  # calls whose keys and values are kept; about 10 MB each with the bundled model


class LibraryCache:
    """The library's cache with the two ways of copying that a prefix needs."""

    def __init__(self, cache: DynamicCache) -> None:
        self.states = cache

    def copy(self) -> "LibraryCache":
        """The same tokens in memory of their own."""
        return LibraryCache(copy.deepcopy(self.states))

    def repeat(self, rows: int) -> "LibraryCache":
        """This cache of one row as one of `rows`; the memory is taken over."""
        self.states.batch_repeat_interleave(rows)
        return self


class LibraryModel:
    """Any architecture, as transformers runs it; the same calls as FastLlama."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def new_cache(self) -> LibraryCache:
        """An empty cache of one row."""
        return LibraryCache(DynamicCache(config=self._model.config))

    def __call__(self, ids: torch.Tensor, cache: LibraryCache) -> torch.Tensor:
        """Read `ids`, (rows, tokens), behind the cache; logits after the last token, (rows, vocabulary), float32."""
        logits: torch.Tensor = self._model(ids, past_key_values=cache.states, logits_to_keep=1).logits[:, -1]
        return logits.float()

    def every(self, ids: torch.Tensor, cache: LibraryCache) -> torch.Tensor:
        """The same with the logits after each token, (rows, tokens, vocabulary)."""
        logits: torch.Tensor = self._model(ids, past_key_values=cache.states).logits
        return logits.float()


def without_system(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The messages, what the first one instructs said by the user, for chat templates that know no such role."""
    first, *rest = messages
    if first.role != "system":
        return tuple(messages)
    if rest and rest[0].role == "user":
        first, *rest = Message(role="user", content=f"{first.content}\n\n{rest[0].content}"), *rest[1:]
    return (Message(role="user", content=first.content), *rest)


class LocalModel:
    """A causal LM with a cache of prompt prefixes. One lock: the model serves one request at a time.

    `adapter` is a folder with a LoRA adapter (safetensors); it is merged into a copy of the weights in memory. With
    `script=True` prompts are the plain script of the bundled adapter, else the tokenizer's chat template is used.
    """

    def __init__(self, model: str | Path, adapter: Path | None = None, *, script: bool = False) -> None:
        revision = _revision(model)
        self.name = _name(model, adapter, revision)
        self._script = script
        self._lock = threading.Lock()
        self._prefixes: OrderedDict[Pieces, Any] = OrderedDict()
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            with out_of_memory(self.name):
                self.tokenizer, loaded = _load(model, adapter, self.device, revision)
        except (OSError, ValueError, RuntimeError) as error:
            raise ModelError(
                f"The model {model} could not be loaded ({' '.join(str(error).split())[:200]}). Give a hub id, a folder "
                "with safetensors or a GGUF file; a hub id needs the network the first time."
            ) from error
        if not script and not self.tokenizer.chat_template:
            raise ModelError(f"The model {model} has no chat template; use an instruction-tuned model")
        self._stop = {i for i in (self.tokenizer.eos_token_id, loaded.config.eos_token_id) if isinstance(i, int)}
        self._model: Any = FastLlama(loaded) if fits(loaded, self.device) else LibraryModel(loaded)

    def sample(self, prompt: Prompt, sampling: Sampling) -> list[Sample]:
        """Continuations up to the end of turn or line. The same seed gives the same texts.

        Stragglers are dropped: once half are done, nobody waits for the rest.
        """
        with self._lock, torch.inference_mode(), out_of_memory(self.name):
            logits, cache = self._read(prompt)
            return self._decode(logits, cache, sampling)

    def likelihoods(self, prompt: Prompt, texts: Sequence[str]) -> list[float]:
        """Mean log-likelihood a token of each text as what comes next; below 0, the higher the likelier."""
        if not texts:
            return []
        with self._lock, torch.inference_mode(), out_of_memory(self.name):
            logits, cache = self._read(prompt)
            rows = [self._encode((" " if self._script else "") + text) for text in texts]
            longest = max(map(len, rows))
            ids = torch.tensor([row + [row[-1]] * (longest - len(row)) for row in rows], device=self.device)
            logits = logits.expand(len(rows), -1)[:, None]
            if longest > 1:
                logits = torch.cat([logits, self._model.every(ids[:, :-1], cache.repeat(len(rows)))], 1)
            likely = logits.gather(2, ids[:, :, None])[:, :, 0] - logits.logsumexp(-1)
            return [float(likely[i, : len(row)].mean()) for i, row in enumerate(rows)]

    def _encode(self, text: str) -> list[int]:
        """Token ids of untrusted text: control tokens typed into it stay ordinary characters."""
        ids = self.tokenizer(text, add_special_tokens=False, split_special_tokens=True).input_ids
        return list(ids)

    def _pieces(self, prompt: Prompt) -> Pieces:
        """The prompt's token ids, cut where a call grows: the last piece is never met again, the others are kept."""
        if self._script:
            first, *rest = (self._encode(piece) for piece in prompt.stable)
            said = ([self.tokenizer.bos_token_id, *first], *rest, self._encode(prompt.changing))
            return tuple(tuple(piece) for piece in said)
        # The template's own tags are control tokens; what people said is encoded apart and put between them.
        messages = prompt.messages if self._knows_system else without_system(prompt.messages)
        marks = [f"\x00{i}\x00" for i in range(len(messages))]
        try:
            text = self._framed([message.role for message in messages], marks)
        except TemplateError as error:
            raise ModelError(
                f"{self.name}: its chat template refuses this call ({error}); choose another model"
            ) from error
        pieces: list[list[int]] = [[]]
        for message, mark in zip(messages, marks, strict=True):
            before, text = text.split(mark, 1)
            if message.role == "user" and pieces[-1]:
                pieces.append([])
            pieces[-1] += self.tokenizer(before, add_special_tokens=False).input_ids + self._encode(message.content)
        pieces[-1] += self.tokenizer(text, add_special_tokens=False).input_ids
        return tuple(tuple(piece) for piece in pieces)

    def _framed(self, roles: Sequence[str], contents: Sequence[str]) -> str:
        chat = [{"role": role, "content": content} for role, content in zip(roles, contents, strict=True)]
        return str(self.tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True))

    @cached_property
    def _knows_system(self) -> bool:
        """Whether the template keeps a system message where it stands; some refuse one, others move it."""
        marks = [f"\x00{i}\x00" for i in range(4)]
        try:
            text = self._framed(("system", "user", "assistant", "user"), marks)
        except TemplateError:
            return False
        places = [text.find(mark) for mark in marks]
        return places == sorted(places) and places[0] >= 0

    def _read(self, prompt: Prompt) -> tuple[torch.Tensor, Any]:
        """Logits after the prompt, (1, vocabulary), and a cache that the caller may change.

        Pieces that are known are not read again. Each piece is always read by itself, so that what was kept is the
        same to the bit as what would be read anew, and a seed says the same whatever was said before it.
        """
        *stable, last = self._pieces(prompt)
        known = max((key for key in self._prefixes if key == tuple(stable[: len(key)])), key=len, default=())
        if known:
            self._prefixes.move_to_end(known)
        cache = self._prefixes[known].copy() if known else self._model.new_cache()
        for piece in stable[len(known) :]:
            self._model(torch.tensor([piece], device=self.device), cache)
        if len(stable) > len(known):
            self._prefixes[tuple(stable)] = cache.copy()
        while len(self._prefixes) > PREFIXES:
            self._prefixes.popitem(last=False)
        return self._model(torch.tensor([last], device=self.device), cache), cache

    def _decode(self, logits: torch.Tensor, cache: Any, sampling: Sampling) -> list[Sample]:
        generator = torch.Generator(self.device).manual_seed(sampling.seed)
        n = sampling.n
        cache = cache.repeat(n)
        logits = logits.expand(n, -1)
        rows: list[list[int]] = [[] for _ in range(n)]
        scores: list[list[float]] = [[] for _ in range(n)]
        open_rows = set(range(n))
        for _ in range(sampling.max_tokens):
            chosen = _choose(logits, sampling, generator)
            likely = logits.gather(1, chosen[:, None])[:, 0] - logits.logsumexp(-1)
            for row in list(open_rows):
                token = int(chosen[row])
                scores[row].append(float(likely[row]))
                if token in self._stop or (sampling.one_line and "\n" in self.tokenizer.decode([token])):
                    open_rows.discard(row)
                else:
                    rows[row].append(token)
            if len(open_rows) <= n // 2:
                break
            logits = self._model(chosen[:, None], cache)
        done = [row for row in range(n) if row not in open_rows] or list(range(n))
        return [
            Sample(
                text=str(self.tokenizer.decode(rows[row], skip_special_tokens=True)).strip(),
                score=sum(scores[row]) / len(scores[row]),
            )
            for row in done
        ]


def _choose(logits: torch.Tensor, sampling: Sampling, generator: torch.Generator) -> torch.Tensor:
    """One token a row, by temperature and nucleus; greedy at temperature 0."""
    if sampling.temperature == 0:
        return logits.argmax(-1)
    top, tokens = (logits / sampling.temperature).topk(64, dim=-1)  # the nucleus lies well within 64 tokens
    weights = softmax(top, dim=-1)
    weights[weights.cumsum(-1) - weights > sampling.top_p] = 0
    drawn = torch.multinomial(weights, 1, generator=generator)
    return tokens.gather(1, drawn)[:, 0]


def _revision(model: str | Path) -> Any:
    """What a hub id stands for now, so that tokenizer, weights and name are of one commit (`.resolved`).

    None for what lies on this machine, and where neither the hub nor its cache can tell.
    """
    # The path of a GGUF file can look like an id; one that is not there must not be asked for on the hub.
    return None if Path(model).suffix == ".gguf" else resolve_revision(model)


def _load(model: str | Path, adapter: Path | None, device: str, revision: Any) -> tuple[Any, Any]:
    path = Path(model)
    extra: dict[str, Any] = {}
    if path.suffix == ".gguf":
        if not path.is_file():
            raise OSError(f"{path}: no such file")
        extra, model = {"gguf_file": path.name}, path.parent
    tokenizer = AutoTokenizer.from_pretrained(model, revision=revision, **extra)
    if extra:  # unpacked once: kernels on packed weights are the slower way on a CPU
        extra["quantization_config"] = GgufConfig(dequantize=True)
    loaded = AutoModelForCausalLM.from_pretrained(model, revision=revision, dtype=torch.bfloat16, **extra)
    if adapter is not None:
        from peft import PeftModel

        loaded = PeftModel.from_pretrained(loaded, str(adapter)).merge_and_unload()
    return tokenizer, loaded.to(device).eval()


def _name(model: str | Path, adapter: Path | None, revision: Any) -> str:
    """What results note, so that they can be traced: a file's name or a hub id with its commit, then the adapter."""
    base = Path(model).name if Path(model).exists() else str(model)
    if revision is not None:
        base += f"@{revision.resolved[:12]}"
    if adapter is None:
        return base
    digest = hashlib.sha256((adapter / "adapter_model.safetensors").read_bytes()).hexdigest()
    return f"{base}+{adapter.name}@{digest[:12]}"
