"""Any OpenAI-compatible server (vLLM, llama.cpp, Ollama, `transformers serve`) as the language model."""

from collections.abc import Sequence
from typing import Any

import httpx

from simulator.models.base import ModelError, Prompt, Sample, Sampling

_PASSING = (
    401,
    403,
    429,
    502,
    503,
    504,
)  # what says nothing of `n`: who asks, how often, and a server that is not well


class RemoteModel:
    """A model behind `{base_url}/chat/completions`.

    `base_url` ends in `/v1` as a rule. `api_key` is sent as a bearer token when given and appears in no message or log.
    """

    def __init__(self, model: str, base_url: str, api_key: str | None = None, timeout: float = 60.0) -> None:
        api_key = (api_key or "").strip()
        if not (api_key.isascii() and api_key.isprintable()):
            raise ModelError("The key holds characters that no key has; correct OPENAI_API_KEY")
        self.name = f"openai:{model}"
        self._model = model
        self._url = base_url.rstrip("/") + "/chat/completions"
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = httpx.Client(timeout=timeout, headers=headers)
        self._several = True  # until the server refuses to give several answers at once, as llama.cpp does

    def sample(self, prompt: Prompt, sampling: Sampling) -> list[Sample]:
        """`sampling.n` answers; servers that ignore or refuse `n` are asked again until there are enough."""
        answers: list[str] = []
        while len(answers) < sampling.n:
            body = {
                "model": self._model,
                "messages": [message.model_dump() for message in prompt.messages],
                "n": sampling.n - len(answers) if self._several else 1,
                "temperature": sampling.temperature,
                "top_p": sampling.top_p,
                "max_tokens": sampling.max_tokens,
                "seed": sampling.seed + len(answers),
            }
            answers += self._ask(body)
        return [Sample(text=answer) for answer in answers[: sampling.n]]

    def likelihoods(self, prompt: Prompt, texts: Sequence[str]) -> list[float]:
        """All 0: chat servers do not tell the likelihood of a given text."""
        del prompt
        return [0.0] * len(texts)

    def _ask(self, body: dict[str, Any]) -> list[str]:
        try:
            response = self._client.post(self._url, json=body)
            if response.is_error and response.status_code not in _PASSING and body["n"] > 1:
                alone = self._client.post(self._url, json={**body, "n": 1})
                if alone.is_success:
                    response, self._several = alone, False
            response.raise_for_status()
            answers = [choice["message"]["content"] or "" for choice in response.json()["choices"]]
        except httpx.HTTPStatusError as error:
            raise ModelError(
                f"{self._url} answered {error.response.status_code} for model {self._model!r}: "
                f"{error.response.text[:200]}. Check the model's name and the key."
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ModelError(
                f"No answer from {self._url} ({error}). Start the server, or correct --base-url, then send again."
            ) from error
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise ModelError(f"{self._url} did not answer in the OpenAI form; check --base-url") from error
        if not answers:
            raise ModelError(f"{self._url} answered with no choices; check the model {self._model!r}")
        return answers
