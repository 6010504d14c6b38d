"""Persona files: what is read, and what a trainer is told about what is not."""

import json
from pathlib import Path

import pytest
import yaml

from simulator.anger import floor
from simulator.persona import (
    LIBRARY,
    PersonaError,
    Told,
    dump_persona,
    load_persona,
    load_personas,
    parse_persona,
    persona_json_schema,
)
from simulator.plain_yaml import PlainYamlError, _Loader, plain_fields
from tests.conftest import LATE_PALLET

SHIPPED = sorted(LIBRARY.glob("*.yaml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_persona_is_whole(path: Path) -> None:
    persona = load_persona(path)
    assert {point.told for point in persona.story} == set(Told), "each way of coming out is practised"
    said = tuple(p.id for p in persona.story if p.told is not Told.PROBED)
    assert floor(persona, said) < persona.temperament.hears_advice_at, "advice can land before the unsaid is said"


def test_the_library_has_the_eight_customers_to_start_from() -> None:
    first = "broken-promise cable-no-show channel-partner late-shipment"
    second = "missing-equipment portal-down print-onboarding wrong-item"
    assert {*first.split(), *second.split()} <= set(load_personas())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("difficulty: 2", "difficulty: 9", "difficulty: must be 5 or less (found '9')"),
        ("difficulty: 2", "dificulty: 2", "dificulty: is not a field of a persona"),
        ("patience: 3", "patience: three", "temperament.patience"),
        ("opening_anger: 7", "opening_anger: .nan", "temperament.opening_anger"),
        ("company: Borderway Freight\n", "", "company: is missing; add it"),
        ("told: asked", "told: sometimes", "story.1.told"),
        ("id: idle-knitters", "id: late-yarn", "is used twice"),
        ("told: opening", "told: asked", "told: opening; mark what the opening line already says"),
        ("move: blame", "move: shout", "triggers.0.move"),
        ("id: late-pallet", "id: ../../etc", "id: "),
        ("name: Rhona Mackie", "name: !!python/object/apply:os.system ['true']", "not plain YAML"),
        ("name: Rhona Mackie", "name: [", "not plain YAML"),
        ("name: Rhona Mackie", "name: " + "[" * 2000, "nested too deep"),
        ("name: Rhona Mackie", "name: 2020-99-99", "not plain YAML"),
        ("name: Rhona Mackie", "name: !!binary x", "not plain YAML"),
        ("name: Rhona Mackie", "name: !!int x", "not plain YAML"),
        ("name: Rhona Mackie", "name: Rhona\ncard: no JSON", "card: is not the JSON"),
        ("name: Rhona Mackie", "name: &a Rhona\nheadline: *a", "write out what it stands for"),
        ("name: Rhona Mackie", "name: Rhona\nname: Mackie", "'name' stands here a second time"),
        ("name: Rhona Mackie", "name: yes", "name: must be text"),
        ("schema: 1", "schema: 2", "schema: "),
        ('says: ["A week, and not one call."]', "says: A week", "story.0.says"),
    ],
)
def test_a_mistake_is_named_by_file_and_field(old: str, new: str, message: str) -> None:
    assert old in LATE_PALLET
    with pytest.raises(PersonaError) as error:
        parse_persona(LATE_PALLET.replace(old, new, 1), "mine.yaml")
    assert "mine.yaml" in str(error.value)
    assert message in str(error.value)


@pytest.mark.parametrize(
    "text", ["", "- a\n- b\n", "just words", "x" * 300_000], ids=["empty", "list", "words", "huge"]
)
def test_what_is_no_persona_is_refused(text: str) -> None:
    with pytest.raises(PersonaError, match=r"mine\.yaml"):
        parse_persona(text, "mine.yaml")


def test_looking_for_a_field_given_twice_takes_one_look_at_each() -> None:
    class Name(str):
        looks = 0
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            Name.looks += 1
            return str.__eq__(self, other)

    keys = [yaml.ScalarNode("tag:yaml.org,2002:str", Name(f"field-{i}")) for i in range(500)]
    fields = yaml.MappingNode("tag:yaml.org,2002:map", [(key, key) for key in keys])
    assert len(_Loader("").construct_mapping(fields)) == 500
    assert Name.looks < 1000


def test_a_number_and_its_digits_in_quotes_are_two_fields() -> None:
    assert plain_fields("1: one\n'1': text\n", what="page", such_as="'1:'") == {1: "one", "1": "text"}
    with pytest.raises(PlainYamlError, match="'1' stands here a second time"):
        plain_fields("1: one\n1: two\n", what="page", such_as="'1:'")


def test_the_file_has_the_name_of_its_id(tmp_path: Path) -> None:
    path = tmp_path / "other.yaml"
    path.write_text(LATE_PALLET)
    with pytest.raises(PersonaError, match="file's name"):
        load_persona(path)
    with pytest.raises(PersonaError, match="cannot be read"):
        load_persona(tmp_path / "none.yaml")


def test_yaml_there_and_back(persona) -> None:
    assert parse_persona(dump_persona(persona)) == persona


def test_the_schema_forbids_unknown_fields() -> None:
    schema = json.loads(persona_json_schema())
    assert schema["additionalProperties"] is False
    assert "schema" in schema["properties"]


def test_the_shipped_schema_is_the_current_one() -> None:
    """`defuse persona schema > personas/persona.schema.json` brings it up to date."""
    assert (LIBRARY / "persona.schema.json").read_text(encoding="utf-8") == persona_json_schema()
