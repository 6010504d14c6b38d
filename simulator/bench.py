"""The speed figures of this machine: what `defuse bench` prints."""

import resource
import statistics
import sys
import time

from rich.console import Console
from rich.table import Table

from simulator.engine import load_engine
from simulator.judge import Reading
from simulator.persona import load_personas
from simulator.session import Call

REPLIES = (
    "I am sorry to hear that, I understand your frustration.",
    "What happened, from the beginning?",
    "So you have been left standing there with nobody telling you anything, and it is your name on the line.",
    "How has that landed on your day?",
    "Is there something else behind this that you have not said?",
)


def run() -> None:
    """Hold a call of five replies with each persona of the library, and print the figures with their spread."""
    started = time.perf_counter()
    engine = load_engine()
    personas = list(load_personas().values())
    loaded = time.perf_counter() - started
    heard, said = [], []
    Call.begin(personas[0], engine.customer, engine.judge, seed=1).reply(REPLIES[1])  # warm-up
    for persona in personas:
        call = Call.begin(persona, engine.customer, engine.judge, seed=1)
        for text in REPLIES:
            if call.transcript.finished:
                break
            before = time.perf_counter()
            call.hear(text)
            heard.append(time.perf_counter() - before)
            call.answer()
            said.append(time.perf_counter() - before)
    batch = [
        Reading(persona=persona, history=(("customer", persona.opening),), reply=text)
        for persona in personas
        for text in REPLIES
    ]
    before = time.perf_counter()
    engine.judge.judge(batch)
    rate = len(batch) / (time.perf_counter() - before)

    table = Table("figure", "median", "slowest tenth", "goal")
    # The line is chosen whole before it is shown, so its first words and its last come at the same moment.
    table.add_row("reply to first words, judging included", *_spread(said), "1.5 s")
    table.add_row("reply to whole line", *_spread(said), "3 s")
    table.add_row("judging one reply", *_spread(heard), "0.08 s")
    table.add_row("judging in batches", f"{rate:.0f} replies/s", "", "60 replies/s")
    table.add_row("loading both models", f"{loaded:.1f} s", "", "15 s to the page")
    table.add_row("peak memory", f"{_peak_gigabytes():.2f} GB", "", "3 GB")
    Console().print(table)


def _spread(seconds: list[float]) -> tuple[str, str]:
    tenth = statistics.quantiles(seconds, n=10)[-1]
    return f"{statistics.median(seconds):.2f} s", f"{tenth:.2f} s"


def _peak_gigabytes() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e9 if sys.platform == "darwin" else peak / 1e6
