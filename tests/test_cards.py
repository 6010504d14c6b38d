"""Character cards: forms as the two specifications give them, what is kept of them, and hostile files."""

import base64
import io
import json
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin
from typer.testing import CliRunner

from simulator.cards import OURS, CardError, Spec, export_card, import_card, parse_card, read_card
from simulator.cli import app
from simulator.drafts import EDITOR_LINE, draft
from simulator.persona import LIBRARY, PersonaError, load_persona, load_personas, parse_persona
from tests.conftest import LATE_PALLET

CARDS = Path(__file__).parent / "cards"
V2, V3 = CARDS / "v2.json", CARDS / "v3.json"
run = CliRunner().invoke
# What a draft lacks, written by its author.
FINISHED = LATE_PALLET[LATE_PALLET.index("temperament:") :].replace(
    "opening: My yarn was due last Tuesday. It is Tuesday again.\n", ""
) + ("role: florist\ncompany: Stem and Co\ntrainee_role: desk clerk\nbriefing: A florist is calling.\ndifficulty: 3\n")


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*chunks: bytes, size: tuple[int, int] = (1, 1), after: bool = False) -> bytes:
    """A grey picture of one pixel, written by hand from the PNG specification."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0\x80"))
    middle = (pixels, *chunks) if after else (*chunks, pixels)
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(middle) + chunk(b"IEND", b"")


def text_chunk(key: str, content: bytes) -> bytes:
    return chunk(b"tEXt", key.encode() + b"\0" + base64.b64encode(content))


def finished(text: str) -> str:
    """A draft as its author leaves it."""
    return text + FINISHED


@pytest.mark.parametrize("path", sorted(LIBRARY.glob("*.yaml")), ids=lambda path: path.stem)
@pytest.mark.parametrize("spec", Spec)
def test_a_persona_travels_without_loss(path: Path, spec: Spec) -> None:
    persona = load_persona(path)
    text = export_card(persona, spec)
    imported = import_card(parse_card(text.encode()))
    assert imported.persona == persona
    assert parse_persona(imported.text) == persona
    assert imported.notes == ()
    assert export_card(imported.persona, spec) == text


@pytest.mark.parametrize(("spec", "version"), [(Spec.V2, "2.0"), (Spec.V3, "3.0")])
def test_an_exported_card_has_every_field_of_its_specification(persona, spec: Spec, version: str) -> None:
    card = json.loads(export_card(persona, spec))
    assert (card["spec"], card["spec_version"]) == (spec.value, version)
    texts = "name description personality scenario first_mes mes_example creator_notes system_prompt"
    texts += " post_history_instructions creator character_version"
    lists = ["alternate_greetings", "tags"] + (["group_only_greetings"] if spec is Spec.V3 else [])
    assert set(card["data"]) == {*texts.split(), *lists, "extensions"}
    assert all(isinstance(card["data"][name], str) for name in texts.split())
    assert all(isinstance(card["data"][name], list) for name in lists)
    assert card["data"]["first_mes"] == persona.opening
    assert set(card["data"]["extensions"]) == {OURS}


@pytest.mark.parametrize(("path", "name"), [(V2, "Marguerite Osei"), (V3, "Anneke van der Berg-Ó Súilleabháin")])
@pytest.mark.parametrize("spec", Spec)
def test_what_a_foreign_card_carries_comes_back(path: Path, name: str, spec: Spec) -> None:
    foreign = json.loads(path.read_text(encoding="utf-8"))
    imported = import_card(read_card(path))
    persona = parse_persona(finished(imported.text))
    assert persona.name == name
    card = json.loads(export_card(persona, spec))
    ours = card["data"]["extensions"].pop(OURS)
    assert "card" not in ours["persona"]
    expected = foreign["data"] | {"first_mes": persona.opening}
    assert {name: card["data"][name] for name in expected} == expected
    again = import_card(parse_card(export_card(persona, spec).encode())).persona
    assert again is not None
    assert json.loads(export_card(again, spec)) == json.loads(export_card(persona, spec))
    assert again.model_copy(update={"card": None}) == persona.model_copy(update={"card": None})


def test_a_draft_takes_what_the_card_says_and_names_what_it_cannot() -> None:
    imported = import_card(read_card(V2))
    assert imported.persona is None
    assert imported.id == "marguerite-osei"
    with pytest.raises(PersonaError) as error:
        parse_persona(imported.text, "draft.yaml")
    for field in ("role", "company", "trainee_role", "briefing", "temperament", "story", "resolution", "endings"):
        assert f"{field}: is missing" in str(error.value)
        assert field in "\n".join(imported.notes)
    assert "never raises her voice" in imported.text, "the author has the card's words at hand"
    persona = parse_persona(finished(imported.text))
    assert persona.opening == "Four hundred peonies, you. I counted them. There are none."
    assert persona.voice.style == "courteous, precise, slow to forgive"
    assert persona.voice.samples == (
        "You could have helped at five, when the van was due.",
        "I have a bride at noon. Do not say hi to me.",
    )
    assert persona.tags == ("floristry", "Wedding")
    assert "asterisks" in "\n".join(imported.notes)


def test_a_nickname_speaks_in_the_examples_of_version_three() -> None:
    persona = parse_persona(finished(import_card(read_card(V3)).text))
    assert persona.headline == "Anneke manages a climbing hall."
    assert persona.voice.samples == ("Her pride. And your reputation.", "I have closed half the hall.")


def test_a_name_changed_elsewhere_is_told(persona) -> None:
    card = json.loads(export_card(persona, Spec.V3))
    card["data"]["name"] = "Somebody Else"
    card["data"]["extensions"]["new/one"] = {"x": 1}
    imported = import_card(parse_card(json.dumps(card).encode()))
    assert imported.persona is not None
    assert imported.persona.name == persona.name
    assert any(note.startswith("name:") for note in imported.notes)
    assert json.loads(export_card(imported.persona, Spec.V2))["data"]["extensions"]["new/one"] == {"x": 1}


@pytest.mark.parametrize("key", ["chara", "ccv3", "Chara"])
@pytest.mark.parametrize("after", [False, True])
def test_a_card_in_a_picture(tmp_path: Path, key: str, after: bool) -> None:
    path = tmp_path / "card.png"
    path.write_bytes(png(text_chunk("Comment", b"x"), text_chunk(key, V2.read_bytes()), after=after))
    assert read_card(path).data == read_card(V2).data


def test_version_three_comes_before_version_two_in_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "card.png"
    sound = text_chunk("chara-ext-asset_:thud.mp3", b"ID3")
    path.write_bytes(png(text_chunk("chara", V2.read_bytes()), sound, text_chunk("ccv3", V3.read_bytes())))
    card = read_card(path)
    assert card.spec is Spec.V3
    assert "not kept" in " ".join(card.notes)


def test_a_newer_version_is_read_and_said() -> None:
    newer = json.loads(V3.read_text(encoding="utf-8")) | {"spec_version": "3.1"}
    assert "newer than 3.0" in parse_card(json.dumps(newer).encode()).notes[0]


def changed(path: Path, **fields: object) -> bytes:
    card = json.loads(path.read_text(encoding="utf-8"))
    return json.dumps(card | {"data": card["data"] | fields}).encode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not the JSON"),
        (b"\xff\xfe\x00", "not the JSON"),
        (b"[" * 100_000, "not the JSON"),
        (b'{"spec": "chara_card_v2", "data": ' + b'{"a":' * 900 + b"1" + b"}" * 901, "data:"),
        (b'{"x": NaN}', "NaN is not JSON"),
        (b"9" * 5000, "not the JSON"),
        (b"[]", "spec:"),
        (b'{"spec": ["chara_card_v2"]}', "spec:"),
        (b'{"spec": "chara_card_v9", "data": {}}', "spec:"),
        (b'{"spec": "chara_card_v2"}', "data:"),
        (b'{"spec": "chara_card_v2", "data": {}}', "name: is missing"),
        (changed(V2, extensions=[]), "extensions"),
        (changed(V2, first_mes=7), "first_mes"),
        (changed(V2, tags="floristry"), "tags"),
        (b" " * 1_000_001, "more than 1 MB"),
        (b"!!python/object/apply:os.system ['true']", "not the JSON"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_card_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(CardError) as error:
        parse_card(content, "mine.json")
    assert "mine.json" in str(error.value)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("ours", "message"),
    [
        ([], "extensions.defuse.persona"),
        ({}, "extensions.defuse.persona"),
        ({"persona": {"schema": 1, "shouting": True}}, "shouting: is not a field"),
        ({"persona": "!!python/object/apply:os.system ['true']"}, "extensions.defuse.persona"),
    ],
)
def test_a_broken_persona_inside_is_named(ours: object, message: str) -> None:
    with pytest.raises(CardError, match=message):
        import_card(parse_card(changed(V2, extensions={OURS: ours})))


HOSTILE = (
    "<script>alert(1)</script>",
    "!!python/object/apply:os.system ['true']",
    "x\u2028schema: 2\x85id: stolen\rname: Stolen\nrole: stolen",
    "&a [*a, *a]",
    "\ud800 \x00 \x1b[31m",
    "{{char}}{{user}}" * 200,
    "*" * 5000,
    "%YAML 1.1\n---\n...\n",
)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_in_a_card_stays_text(text: str) -> None:
    fields = dict.fromkeys(("description", "personality", "scenario", "mes_example", "creator_notes"), text)
    names = {"name": f"A {text}", "first_mes": f"A {text}", "tags": [text], "extensions": {text: [text]}}
    card = parse_card(changed(V2, **fields, **names))
    imported = import_card(card)
    written = "voice: {style: a, samples: [b, c]}\nheadline: A card\nopening: Hm.\n"
    persona = parse_persona(finished(_without(imported.text, "voice", "headline", "opening") + written))
    assert persona.schema_version == 1
    assert persona.role == "florist", "no line of the card became a field"
    assert persona.id.startswith("a")
    again = json.loads(export_card(persona, Spec.V2))["data"]
    assert again["extensions"][text] == [text]
    assert again["creator_notes"] == text


def _without(text: str, *fields: str) -> str:
    """The draft without these top-level fields, which its author writes anew."""
    kept, skipping = [], False
    for line in text.splitlines(keepends=True):
        if not line.startswith((" ", "-", "\n")):
            skipping = line.split(":", 1)[0] in fields
        if not skipping:
            kept.append(line)
    return "".join(kept)


def test_a_card_that_carries_too_much_says_which_part() -> None:
    with pytest.raises(CardError, match=r"data\.assets: .*120 kB"):
        import_card(parse_card(changed(V3, assets=[{"uri": "data:," + "A" * 200_000}])))


@pytest.mark.parametrize("text", [" ", "\n", "*a ", "{{char}}:", "a:", "{{char}}: a\n"])
def test_examples_of_any_length_are_read_in_one_pass(text: str) -> None:
    """With a pattern that looks back at every line, the blank ones would take hours."""
    fields = dict.fromkeys(("description", "mes_example", "first_mes", "personality", "scenario"), text * 150_000)
    made = draft({"name": "A", "nickname": "", "tags": [], **fields}, None)
    assert len(made.text) < 100_000


BOMB = zlib.compress(b"\0" * 200_000_000, 9)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (png(), "no character card in this picture"),
        (png(chunk(b"zTXt", b"chara\0\0" + BOMB)), "text is compressed"),
        (png(chunk(b"iTXt", b"ccv3\0\1\0\0\0" + BOMB)), "text is compressed"),
        (png(text_chunk("chara", V2.read_bytes()))[:200], "cut short"),
        (png(text_chunk("chara", V2.read_bytes())).replace(b"chara\0e", b"chara\0f"), "checksum"),
        (png(chunk(b"tEXt", b"ccv3\0not base64!")), "damaged"),
        (png(text_chunk("ccv3", b"A" * 3_000_000)), "more than 1 MB"),
        (png(text_chunk("ccv3", b"{}")), "spec:"),
        (png(*(chunk(b"tEXt", b"k\0v") for _ in range(20_001))), "too many pieces"),
        (b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 2**32 - 1) + b"tEXtchara\0", "cut short"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 21_000_000, "larger than 20 MB"),
        (b"GIF89a", "not the JSON"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_hostile_pictures_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "card.png"
    path.write_bytes(content)
    with pytest.raises(CardError) as error:
        read_card(path)
    assert message in str(error.value)
    assert str(path) in str(error.value)


# --- the commands ----------------------------------------------------------------------------------------------------


def test_new_writes_an_example_that_holds_and_that_editors_check(tmp_path: Path) -> None:
    made = run(app, ["persona", "new", "late-delivery", "--out", str(tmp_path)])
    path = tmp_path / "late-delivery.yaml"
    assert made.exit_code == 0, made.output
    assert load_persona(path).id == "late-delivery"
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=persona.schema.json\n")
    assert (tmp_path / "persona.schema.json").read_text() == (LIBRARY / "persona.schema.json").read_text()
    assert text.count("#") > 20, "each field is explained"
    again = run(app, ["persona", "new", "late-delivery", "--out", str(tmp_path)])
    assert again.exit_code == 1
    assert "left as it is" in again.output
    assert path.read_text(encoding="utf-8") == text


def test_new_asks_only_when_asked(tmp_path: Path) -> None:
    answers = 'Ida: "x"\nbaker\nOven & Co\nclerk\nFlat bread\nIt is flat. #1\n'
    made = run(app, ["persona", "new", "flat-bread", "--ask", "--out", str(tmp_path)], input=answers)
    assert made.exit_code == 0, made.output
    persona = load_persona(tmp_path / "flat-bread.yaml")
    assert (persona.name, persona.company, persona.opening) == ('Ida: "x"', "Oven & Co", "It is flat. #1")


@pytest.mark.parametrize("name", ["../out", "Late", "a--b", "-a", "a b", ""])
def test_new_takes_no_name_that_is_no_id(tmp_path: Path, name: str) -> None:
    done = run(app, ["persona", "new", "--out", str(tmp_path), "--", name])
    assert done.exit_code == 1
    assert "cannot be an id" in done.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["yaml", "json", "v2", "v3", "png"])
def test_every_form_comes_back_whole(tmp_path: Path, form: str) -> None:
    ending = {"yaml": "yaml", "json": "json"}.get(form, "card.png" if form == "png" else "card.json")
    path = tmp_path / f"portal-down.{ending}"
    done = run(app, ["persona", "export", "portal-down", "--format", form, "--out", str(path)])
    assert done.exit_code == 0, done.output
    expected = load_personas()["portal-down"]
    if form in ("yaml", "json"):
        assert load_persona(path) == expected
        return
    done = run(app, ["persona", "import", str(path), "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert load_persona(tmp_path / "portal-down.yaml") == expected
    assert (tmp_path / "portal-down.yaml").read_text(encoding="utf-8").startswith(EDITOR_LINE)


def test_a_foreign_card_from_picture_to_picture(tmp_path: Path) -> None:
    source = tmp_path / "card.png"
    source.write_bytes(png(text_chunk("chara", V2.read_bytes()), text_chunk("Author", b"x")))
    done = run(app, ["persona", "import", str(source), "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "story" in done.output
    draft = tmp_path / "marguerite-osei.yaml"
    done = run(app, ["persona", "check", str(draft)])
    assert done.exit_code == 1
    assert "story: is missing; add it" in done.output
    draft.write_text(finished(draft.read_text(encoding="utf-8")), encoding="utf-8")
    assert run(app, ["persona", "check", str(draft)]).exit_code == 0
    target = tmp_path / "back.png"
    more = ["--format", "png", "--image", str(source), "--out", str(target)]
    assert run(app, ["persona", "export", str(draft), *more]).exit_code == 0
    with Image.open(target) as picture:
        assert isinstance(picture, PngImagePlugin.PngImageFile)
        assert picture.size == (1, 1)
        text = picture.text
    assert set(text) == {"chara", "ccv3"}, "two cards and nothing of what else the picture carried"
    older = json.loads(base64.b64decode(text["chara"]))
    assert older["spec"] == "chara_card_v2"
    assert older["data"]["creator_notes"].startswith("This character card is Character Card V3")
    assert json.loads(base64.b64decode(text["ccv3"]))["data"]["extensions"]["agnai"]["voice"]["pitch"] == 0.1


def large() -> bytes:
    out = io.BytesIO()
    Image.new("1", (5000, 4000)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (b"no picture", "not a PNG, JPEG or WebP"),
        (png(size=(60_000, 60_000)), "million pixels"),
        (large(), "million pixels"),
        (png(chunk(b"zTXt", b"c\0\0" + BOMB)), "not a PNG, JPEG or WebP"),
        (b"\0" * 20_000_001, "larger than 20 MB"),
    ],
    ids=["none", "bomb", "large", "text bomb", "heavy"],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_picture_that_cannot_be_used_is_refused(tmp_path: Path, picture: bytes, message: str) -> None:
    path, target = tmp_path / "face.png", tmp_path / "out.png"
    path.write_bytes(picture)
    more = ["--format", "png", "--image", str(path), "--out", str(target)]
    done = run(app, ["persona", "export", "portal-down", *more])
    assert done.exit_code == 1
    assert message in done.output
    assert not target.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["import", "none.png"], "none.png: cannot be read"),
        (["export", "nobody", "--format", "v3"], "There is no 'nobody'"),
        (["export", "portal-down", "--format", "v3", "--image", "x.png"], "goes with --format png"),
        (["export", "portal-down", "--format", "v3", "--out", "/no/such/folder/x.json"], "cannot be written"),
        (["export", "portal-down", "--format", "v3", "--out", "/dev/full"], "exists already"),
    ],
)
def test_wrong_input_ends_with_a_clear_line(arguments: list[str], message: str) -> None:
    done = run(app, ["persona", *arguments])
    assert done.exit_code == 1
    assert message in done.output
    assert "Traceback" not in done.output
