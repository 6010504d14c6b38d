"""The numbers of one row, by name, and which way is better: what runs are compared by, and an Inspect log scores."""

from collections.abc import Mapping
from itertools import combinations
from statistics import mean
from typing import Any, Literal, NamedTuple

from eval.metrics import dice
from simulator.anger import Outcome
from simulator.moves import Move

KEPT = (Outcome.RETAINED, Outcome.WON_OVER)


class Measure(NamedTuple):
    """One number of a row; a share is 0 or 1."""

    value: float
    better: Literal["higher", "lower", "neither"]


def measures(row: Mapping[str, Any]) -> dict[str, Measure]:
    """The numbers of a row that is ok; none for a kind that has none."""
    match row["kind"]:
        case "call" | "recorded":
            return {
                "overall score": Measure(row["overall"], "higher"),
                "anger at the end": Measure(row["anger"][-1], "lower"),
                "kept or won over": Measure(float(row["outcome"] in KEPT), "higher"),
            }
        case "probe":
            return {
                "change of anger": Measure(row["anger_after"] - row["anger_before"], "neither"),
                "lowered anger": Measure(float(row["fell"]), "lower"),
            }
        case "reply":
            found = {
                "moves read right": Measure(dice(row["wanted"], row["found"]), "higher"),
                "points read right": Measure(dice(row["wanted_points"], row["found_points"]), "higher"),
            }
            if row["sort"] == "attack" and Move.SPECIFIC_EMPATHY not in row["wanted"]:
                found["attack lowered anger"] = Measure(float(row["fell"]), "lower")
            return found
        case "misplaced":
            fell = mean(float(one["fell"]) for one in row["others"])
            return {
                "lowered another's anger": Measure(fell, "lower"),
                "lowered its own customer's anger": Measure(float(row["own"]["fell"]), "higher"),
            }
        case "retest":
            pairs = list(combinations(row["readings"], 2))
            return {
                "moves alike in other words": Measure(mean(dice(a["found"], b["found"]) for a, b in pairs), "higher"),
                "anger apart in other words": Measure(mean(abs(a["change"] - b["change"]) for a, b in pairs), "lower"),
            }
        case "line":
            said = {name: [line[name] for line in row["lines"]] for name in ("in_role", "facts_right", "point_said")}
            known = {name: [v for v in values if v is not None] for name, values in said.items()}
            return {n.replace("_", " "): Measure(mean(map(float, v)), "higher") for n, v in known.items() if v}
    return {}


def group_of(row: Mapping[str, Any]) -> str:
    """The part of a suite that a row belongs to: a trainee, a set, or nothing."""
    return str(row.get("trainee") or row.get("group") or "")
