"""`python app.py`: the pages on http://127.0.0.1:7860. Options only; the work is in simulator/ui."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from simulator.engine import BUNDLED
from simulator.models.base import ModelError
from simulator.persona import PersonaError
from simulator.storage import StorageError
from simulator.ui.app import PortError, serve


def parser() -> argparse.ArgumentParser:
    """The options, each with its default."""
    options = argparse.ArgumentParser(
        prog="app.py",
        description="Practise calming an irate customer, in the browser. Everything runs on this machine.",
    )
    names = "bundled, a hub id, a folder, a GGUF file, or openai:NAME with --base-url"
    options.add_argument("--model", default=BUNDLED, help=f"the customer's model: {names} (default: %(default)s)")
    options.add_argument(
        "--judge-model", default=BUNDLED, help="the evaluator's model, likewise (default: %(default)s)"
    )
    options.add_argument("--base-url", help="address of an OpenAI-compatible server, such as http://127.0.0.1:8000/v1")
    options.add_argument("--host", default="127.0.0.1", help="who may connect: this machine only by default")
    options.add_argument("--port", type=int, default=os.environ.get("PORT") or 7860, help="default: $PORT, or 7860")
    options.add_argument("--database", help="URL of the database that keeps the calls (default: SQLite in DEFUSE_HOME)")
    options.add_argument("--personas", type=Path, help="a folder of persona files to add to the library")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted. Exit status 1, with a message that says what to do, when it cannot."""
    chosen = parser().parse_args(arguments)
    logging.basicConfig(format="%(message)s")
    logging.getLogger("simulator").setLevel(logging.INFO)  # the first start fetches the weights, and says so
    try:
        serve(
            model=chosen.model,
            judge_model=chosen.judge_model,
            base_url=chosen.base_url,
            host=chosen.host,
            port=chosen.port,
            database=chosen.database,
            personas=chosen.personas,
        )
    except (PortError, PersonaError, ModelError, StorageError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
