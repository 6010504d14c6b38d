"""Running out of memory, said clearly."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from simulator.models.base import ModelError

# What torch's allocator and oneDNN say when the operating system refuses them memory.
_REFUSED = ("can't allocate memory", "could not create a primitive", "not enough memory")


@contextmanager
def out_of_memory(name: str) -> Iterator[None]:
    """Turn running out of memory while the model `name` works into a ModelError that says what to do."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        refused = isinstance(error, MemoryError | torch.OutOfMemoryError)
        if not refused and not any(words in str(error) for words in _REFUSED):
            raise
        raise ModelError(
            f"{name} ran out of memory. Nothing said is lost. Close other programs or choose a smaller --model, "
            "then send the reply again."
        ) from error
