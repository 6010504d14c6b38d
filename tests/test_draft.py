"""Drafts as text: a change goes where it belongs and leaves the rest alone; whatever is written is read back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.draft import BLANK, at, read
from simulator.draft_edits import MOST_ENTRIES, DraftError, add, move, put, remove
from simulator.persona import LIBRARY, read_fields
from tests.conftest import LATE_PALLET

WRITTEN = (LIBRARY / "cable-no-show.yaml").read_text(encoding="utf-8")


def test_a_change_leaves_every_other_line_as_it_was() -> None:
    commented = WRITTEN.replace("story:\n", "story:  # as Bronagh told it\n")
    changed = put(commented, {"name": "Cynthia Reyes"})
    before, after = commented.splitlines(), changed.splitlines()
    assert [(a, b) for a, b in zip(before, after, strict=True) if a != b] == [
        (next(line for line in before if line.startswith("name:")), "name: Cynthia Reyes")
    ]


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60), st.lists(st.text(max_size=30), max_size=4))
def test_what_is_written_is_read_back(text: str, lines: list[str]) -> None:
    shown = "".join(c for c in text if c.isprintable() or c == "\n")
    fields = read_fields(put(BLANK, {"name": text, "voice.samples": lines, "story.1.because": text}))
    assert fields["name"] == fields["story"][1]["because"] == shown
    assert len(fields["voice"]["samples"]) == len(lines)


def test_parts_are_added_moved_and_removed() -> None:
    ids = lambda text: [point["id"] for point in read_fields(text)["story"]]  # noqa: E731
    first = ids(LATE_PALLET)
    assert ids(move(LATE_PALLET, "story", 0, 2)) == [first[1], first[2], first[0], first[3]]
    assert ids(remove(LATE_PALLET, "story", 1)) == [first[0], first[2], first[3]]
    assert ids(add(add(LATE_PALLET, "story"), "story")) == [*first, "part-5", "part-6"]


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: put(LATE_PALLET, {"story.9.fact": "x"}),
        lambda: put(LATE_PALLET, {"../etc/passwd": "x"}),
        lambda: put(LATE_PALLET, {"name": {"a": 1}}),
        lambda: put(LATE_PALLET, {"story.0": "x"}),
        lambda: put("name: [", {"name": "x"}),
        lambda: move(LATE_PALLET, "story", 0, 7),
        lambda: remove(LATE_PALLET, "endings", 0),
        lambda: put(LATE_PALLET, {"name": "x" * 300_000}),
    ],
)
def test_what_cannot_be_changed_is_refused(attempt: object) -> None:
    with pytest.raises(DraftError):
        attempt()  # type: ignore[operator]


def test_a_list_does_not_grow_without_end() -> None:
    text = put(BLANK, {})
    for _ in range(MOST_ENTRIES):
        text = add(text, "triggers")
    with pytest.raises(DraftError, match="enough"):
        add(text, "triggers")


def test_each_mistake_is_named_at_its_field() -> None:
    text = put(
        LATE_PALLET, {"temperament.patience": 9, "story.1.because": "", "id": "Late Pallet", "story.0.weight": "much"}
    )
    found = {at(fault.at): fault.message for fault in read(text).faults}
    assert found == {
        "id": "may have lower case letters, digits and single hyphens only, such as late-parcel",
        "temperament.patience": "must be 6 or less",
        "story.0.weight": "must be a number",
        "story.1.because": "is empty; write something",
    }
    assert read("name: x\nname: y").faults[0].message.startswith("cannot be read at line 2")
    assert read(BLANK).persona is None
