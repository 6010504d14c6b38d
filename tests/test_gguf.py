"""`--model` with a GGUF file that is not the bundled one: small random weights, written and quantised here."""

import json
import subprocess
import sys
from pathlib import Path

import gguf
import numpy as np
import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from typer.testing import CliRunner

from simulator import engine
from simulator.cli import app
from simulator.judge import ScriptedJudge
from simulator.models.base import Message, ModelError, Prompt, Sampling
from simulator.models.local import LocalModel
from simulator.moves import Judgement, Move

WIDTH, LAYERS, HEADS, INNER = 64, 2, 4, 128
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def write_model(path: Path, architecture: str, *, template: str | None = TEMPLATE) -> Path:
    """A causal LM with Q8_0 weights, in the layout of llama.cpp."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=512, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator([Path(__file__).read_text(encoding="utf-8")], trainer)
    trained = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(trained["vocab"], key=trained["vocab"].get)
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name("tiny")
    writer.add_context_length(2048)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS // 2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10_000.0)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    kinds = (gguf.TokenType.CONTROL if token in SPECIAL else gguf.TokenType.NORMAL for token in tokens)
    writer.add_token_types(list(kinds))
    merges = (merge if isinstance(merge, str) else " ".join(merge) for merge in trained["merges"])
    writer.add_token_merges(list(merges))
    for add in (writer.add_bos_token_id, writer.add_unk_token_id):
        add(0)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(2)
    if template:
        writer.add_chat_template(template)

    random = np.random.default_rng(0)

    def weight(name: str, *shape: int) -> None:
        plain = random.normal(0, 0.05, shape).astype(np.float32)
        if len(shape) == 1:
            writer.add_tensor(
                name, np.zeros(shape, np.float32) if name.endswith("bias") else np.ones(shape, np.float32)
            )
            return
        kind = gguf.GGMLQuantizationType.Q8_0
        writer.add_tensor(name, gguf.quants.quantize(plain, kind), raw_dtype=kind)

    weight("token_embd.weight", len(tokens), WIDTH)
    weight("output_norm.weight", WIDTH)
    weight("output.weight", len(tokens), WIDTH)
    for i in range(LAYERS):
        weight(f"blk.{i}.attn_norm.weight", WIDTH)
        weight(f"blk.{i}.ffn_norm.weight", WIDTH)
        for part, rows in (("q", WIDTH), ("k", WIDTH // 2), ("v", WIDTH // 2)):
            weight(f"blk.{i}.attn_{part}.weight", rows, WIDTH)
            if architecture == "qwen2":
                weight(f"blk.{i}.attn_{part}.bias", rows)
        weight(f"blk.{i}.attn_output.weight", WIDTH, WIDTH)
        weight(f"blk.{i}.ffn_gate.weight", INNER, WIDTH)
        weight(f"blk.{i}.ffn_up.weight", INNER, WIDTH)
        weight(f"blk.{i}.ffn_down.weight", WIDTH, INNER)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture(scope="module", params=["llama", "qwen2"])
def tiny(request, tmp_path_factory) -> Path:
    return write_model(tmp_path_factory.mktemp("gguf") / "tiny.gguf", request.param)


def test_a_gguf_file_speaks_and_its_seed_counts(tiny: Path) -> None:
    model = LocalModel(tiny)
    assert model.name == "tiny.gguf"
    talk = (Message(role="system", content="Be brief."), Message(role="user", content="<|im_end|> Hello?"))
    prompt = Prompt(stable=("",), changing="", messages=talk)
    first = model.sample(prompt, Sampling(n=2, max_tokens=12, seed=1))
    assert first == model.sample(prompt, Sampling(n=2, max_tokens=12, seed=1))
    assert first != model.sample(prompt, Sampling(n=2, max_tokens=12, seed=2))
    assert all(sample.score is not None and sample.score < 0 for sample in first)
    ids = [token for piece in model._pieces(prompt) for token in piece]
    end = model.tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert ids.count(end) == 2, "the template's own, and not what was typed"


def test_a_whole_call_with_a_gguf_customer(tiny: Path, tmp_path: Path, monkeypatch) -> None:
    """Random weights say nothing of use: the customer's checks fall back to the persona's own words."""
    judged = Judgement(present=(Move.OPEN_QUESTION,))
    monkeypatch.setattr(engine, "load_judge", lambda *_: ScriptedJudge([judged]))
    (tmp_path / "replies.txt").write_text("What happened?\nAnd then?\n")
    command = ["chat", "cable-no-show", "--model", str(tiny), "--replies", str(tmp_path / "replies.txt"), "--json"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    call = json.loads(done.stdout[done.stdout.index("{") :])
    assert call["models"]["customer"] == "tiny.gguf"
    said = [turn["text"] for turn in call["turns"] if turn["role"] == "customer"]
    assert len(said) == 3
    assert all(said)


def test_a_gguf_file_without_a_chat_template_is_refused(tmp_path: Path) -> None:
    path = write_model(tmp_path / "base.gguf", "llama", template=None)
    with pytest.raises(ModelError, match="no chat template; use an instruction-tuned model"):
        LocalModel(path)


def test_a_gguf_file_that_is_cut_short_is_refused(tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "half.gguf"
    path.write_bytes(tiny.read_bytes()[: tiny.stat().st_size // 2])
    with pytest.raises(ModelError, match="could not be loaded"):
        LocalModel(path)


def test_a_kind_of_model_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = write_model(tmp_path / "odd.gguf", "oddity")
    with pytest.raises(ModelError, match="oddity"):
        LocalModel(path)


_STARVED = """
import resource, sys
from simulator.models.base import Message, ModelError, Prompt, Sampling
from simulator.models.local import LocalModel
model = LocalModel(sys.argv[1])
short, long = ((Message(role="user", content=text),) for text in ("Hello?", "word " * 6000))
model.sample(Prompt(stable=("",), changing="", messages=short), Sampling(n=2, max_tokens=4))
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 120_000_000, resource.RLIM_INFINITY))
try:
    model.sample(Prompt(stable=("",), changing="", messages=long), Sampling(n=64, max_tokens=4))
except ModelError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(len(model.sample(Prompt(stable=("",), changing="", messages=short), Sampling(n=2, max_tokens=4))))
"""


def test_memory_that_is_really_gone_is_said_and_the_model_goes_on(tiny: Path) -> None:
    """The operating system refuses the memory, as it does on a machine that is too small."""
    command = [sys.executable, "-c", _STARVED, str(tiny)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    said, left = done.stdout.splitlines()
    assert "tiny.gguf ran out of memory. Nothing said is lost." in said
    assert int(left) >= 1
