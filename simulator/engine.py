"""Which models speak and judge: the bundled ones by default, others by name. Loaded once, shared by every call."""

import os
from dataclasses import dataclass
from pathlib import Path

from simulator.customer import Customer
from simulator.judge import Judge, PromptedJudge
from simulator.models.base import LanguageModel, ModelError

ADAPTERS = Path(__file__).resolve().parent / "adapters"
BUNDLED = "bundled"


@dataclass(frozen=True)
class Engine:
    """The two models behind every call."""

    customer: Customer
    judge: Judge


def language_model(name: str, base_url: str | None = None) -> LanguageModel:
    """A model by name: `bundled`, `openai:NAME` (with `base_url`), a hub id, a folder, or a GGUF file.

    Raises ModelError. The key of a server comes from OPENAI_API_KEY.
    """
    if name.startswith("openai:"):
        from simulator.models.remote import RemoteModel

        if not base_url:
            raise ModelError(f"{name} needs the server's address: add --base-url, for example http://127.0.0.1:8000/v1")
        return RemoteModel(name.removeprefix("openai:"), base_url, os.environ.get("OPENAI_API_KEY"))
    from simulator.models.local import LocalModel

    if name != BUNDLED:
        return LocalModel(name)
    from simulator.models.bundled import SMOLLM2, ensure

    adapter = ADAPTERS / "customer"
    if not (adapter / "adapter_model.safetensors").is_file():
        raise ModelError(f"The customer's adapter is missing in {adapter}; reinstall Defuse or train it again")
    return LocalModel(ensure(SMOLLM2), adapter, script=True)


def load_judge(name: str = BUNDLED, base_url: str | None = None) -> Judge:
    """The trained evaluator, or any language model asked by the rubric. Raises ModelError."""
    if name != BUNDLED:
        return PromptedJudge(language_model(name, base_url))
    from simulator.models.bundled import MINILM, ensure
    from simulator.models.trained import TrainedJudge

    return TrainedJudge(ensure(MINILM), ADAPTERS / "evaluator")


def load_engine(model: str = BUNDLED, judge_model: str = BUNDLED, base_url: str | None = None) -> Engine:
    """Both models, loaded. Raises ModelError."""
    customer = Customer(language_model(model, base_url), writes=model != BUNDLED)
    return Engine(customer=customer, judge=load_judge(judge_model, base_url))
