"""The data sets: splits that do not touch, labels that hold together, quotes that stand in their replies."""

import json
from itertools import chain

import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from simulator.moves import MOVES, Move
from simulator.training.data import DATA, customer_lines, first_labels, replies, second_labels, situations

SPLITS = ("train", "validation", "test", "seen")


@pytest.fixture(scope="module")
def labelled():
    return {split: replies(split) for split in SPLITS}


def test_no_situation_and_no_pen_is_in_two_splits(labelled) -> None:
    pens = [{item.pen for item in labelled[split]} for split in SPLITS]
    assert len(set(chain(*pens))) == sum(map(len, pens)), "a pen wrote for two splits"
    places = {split: {item.reading.persona.id for item in labelled[split]} for split in SPLITS}
    held_out = places["test"] | places["seen"]  # both are test sets; they share ten situations
    assert not held_out & (places["train"] | places["validation"])
    assert not places["train"] & places["validation"]


def test_no_test_reply_is_a_near_duplicate_of_a_training_reply(labelled) -> None:
    """Cosine over character n-grams; very short replies ("What happened?") are anyone's and are passed over."""
    train = [item.reading.reply for item in labelled["train"]]
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5)).fit(train)
    known = vectorizer.transform(train)
    for split in ("validation", "test", "seen"):
        texts = [item.reading.reply for item in labelled[split] if len(item.reading.reply.split()) > 6]
        nearest = (vectorizer.transform(texts) @ known.T).max(axis=1).toarray().ravel()
        twins = [text for text, near in zip(texts, nearest, strict=True) if near > 0.8]
        assert not twins, f"{split}: {twins[:3]}"


def test_labels_hold_together(labelled) -> None:
    for item in chain(*labelled.values()):
        assert " ".join(part.text for part in item.parts) == item.reading.reply, item.id
        assert set(item.moves) == set(chain(*(part.moves for part in item.parts))), item.id
        assert not {Move.SPECIFIC_EMPATHY, Move.GENERIC_SYMPATHY} <= set(item.moves), item.id
        assert set(item.acknowledged) <= {point.id for point in item.reading.persona.story}, item.id


def test_every_move_is_there_often_enough(labelled) -> None:
    everything = list(chain(*labelled.values()))
    assert len(everything) > 4000
    assert len({item.id for item in everything}) == len(everything)
    for move in MOVES:
        assert sum(move in item.moves for item in everything) >= 300, move
    assert sum(item.kind == "attack" for item in everything) >= 500


def test_customer_lines_belong_to_the_split_of_their_situation(labelled) -> None:
    for split in ("train", "validation"):
        allowed = {item.reading.persona.id for item in labelled[split]}
        lines = customer_lines(split)
        assert {line.reading.persona.id for line in lines} <= allowed
        assert all(line.line.strip() and "|" not in line.line for line in lines)


def test_each_situation_is_written_for(labelled) -> None:
    written = {item.reading.persona.id for item in chain(*labelled.values())}
    assert written == set(situations())
    assert len(written) == 294


def test_a_third_reading_settles_what_two_labellers_left_open(labelled) -> None:
    """Validation and test were labelled twice; what has changed since is kept as it was, and no label comes from nowhere."""
    item_of = {item.id: item for item in chain(*labelled.values())}
    second = {two.id: two for two in second_labels()}
    assert {item.id for split in ("validation", "test") for item in labelled[split]} <= second.keys()
    first = first_labels()
    assert 0 < len(first) < len(second) / 4
    for one in first:
        settled, two = item_of[one.id], second[one.id]
        assert (set(one.moves), set(one.acknowledged)) != (set(settled.moves), set(settled.acknowledged))
        assert set(one.moves) & set(two.moves) <= set(settled.moves) <= set(one.moves) | set(two.moves)


def test_scored_calls_belong_to_their_split(labelled) -> None:
    for split, most in (("validation", 80), ("test", 60)):
        rows = [json.loads(line) for line in (DATA / "transcripts" / f"{split}.jsonl").read_text("utf-8").splitlines()]
        assert len(rows) == most
        assert {row["persona"] for row in rows} <= {item.reading.persona.id for item in labelled[split]}
        assert all(0 <= row["overall"] <= 100 and any(t["role"] == "trainee" for t in row["turns"]) for row in rows)
