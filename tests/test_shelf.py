"""Own personas on disk: nobody's work is overwritten unseen, and nothing leaves its folder."""

from pathlib import Path

import pytest
from filelock import FileLock

from simulator.draft_edits import put
from simulator.drawer import Draft, Drafts
from simulator.drives import Drives
from simulator.persona import LIBRARY, PersonaError
from simulator.shelf import ConflictError, Customers, Shelf, ShelfError, version_of
from tests.conftest import LATE_PALLET

MINE = LATE_PALLET.replace("a week late", "nine days late")


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "personas", {"cable-no-show"})


def test_a_saved_persona_is_there_at_once_for_everyone(shelf: Shelf) -> None:
    everyone = Customers({}, shelf)
    assert list(everyone) == []
    shelf.save(LATE_PALLET, None)
    assert everyone["late-pallet"].name == "Rhona Mackie"
    shelf.save(LATE_PALLET.replace("Rhona", "Ishbel"), version_of(LATE_PALLET))
    assert everyone["late-pallet"].name == "Ishbel Mackie"


def test_nobody_overwrites_another_unseen(shelf: Shelf) -> None:
    shelf.save(LATE_PALLET, None)
    begun = version_of(LATE_PALLET)
    shelf.save(MINE, begun)
    with pytest.raises(ConflictError) as error:
        shelf.save(LATE_PALLET.replace("Rhona", "Ishbel"), begun)
    assert error.value.theirs is not None
    assert error.value.theirs.text == MINE
    with pytest.raises(ConflictError):
        shelf.remove("late-pallet", begun)
    with pytest.raises(ShelfError, match="already"):
        shelf.save(LATE_PALLET, None)
    kept = shelf.kept("late-pallet")
    assert kept is not None
    assert kept.text == MINE


def test_the_library_is_copied_never_changed(shelf: Shelf) -> None:
    before = {path: path.read_bytes() for path in LIBRARY.iterdir()}
    with pytest.raises(ShelfError, match="library"):
        shelf.save((LIBRARY / "cable-no-show.yaml").read_text(), None)
    assert shelf.free_id("cable-no-show") == "cable-no-show-2"
    assert {path: path.read_bytes() for path in LIBRARY.iterdir()} == before


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "..", "", "a/b", "A", "x" * 65, "late.yaml", "late\n"])
def test_paths_stay_inside(shelf: Shelf, name: str, tmp_path: Path) -> None:
    with pytest.raises(ShelfError):
        shelf.kept(name)
    with pytest.raises(PersonaError):
        shelf.save(put(LATE_PALLET, {"id": name}), None)
    assert name not in shelf
    with pytest.raises(ShelfError):
        Drafts(tmp_path).get("me", name if name != "A" else "A.new")
    with pytest.raises(KeyError):
        Drives(tmp_path).drive(name)


def test_a_link_out_of_the_folder_is_no_persona(shelf: Shelf, tmp_path: Path) -> None:
    outside = tmp_path / "late-pallet.yaml"
    outside.write_text(LATE_PALLET)
    shelf.folder.mkdir()
    (shelf.folder / "late-pallet.yaml").symlink_to(outside)
    assert "late-pallet" not in shelf
    with pytest.raises(ShelfError):
        shelf.save(MINE, version_of(LATE_PALLET))
    assert outside.read_text() == LATE_PALLET


def test_a_broken_file_put_there_by_hand_troubles_nobody(shelf: Shelf) -> None:
    shelf.save(LATE_PALLET, None)
    (shelf.folder / "broken.yaml").write_text("id: broken")
    (shelf.folder / "other-name.yaml").write_text(LATE_PALLET)
    assert list(shelf) == ["late-pallet"]
    assert shelf.unusable() == ["broken", "other-name"]


def test_drafts_are_each_trainers_own(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path)
    draft = drafts.new("me", "name: [ half")
    drafts.keep("me", draft.model_copy(update={"text": "name: half"}))
    assert [one.text for one in Drafts(tmp_path).of("me")] == ["name: half"]
    assert drafts.of("you") == []
    assert drafts.get("you", draft.key) is None
    assert "me" not in [path.name for path in tmp_path.iterdir()], "the secret itself is not stored"
    drafts.discard("me", draft.key)
    assert drafts.of("me") == []
    with pytest.raises(ShelfError, match="kB"):
        drafts.keep("me", Draft.model_construct(key="a.new", text="x" * 200_001, over=None, changed=None))


def test_a_folder_that_another_process_holds_is_told(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = shelf.save(LATE_PALLET, None)
    held = FileLock(shelf.folder / ".lock")
    with held:
        monkeypatch.setattr("simulator.shelf.PATIENCE", 0.1)
        with pytest.raises(ShelfError, match="Your draft is safe"):
            shelf.remove(kept.id, version_of(LATE_PALLET))
    shelf.remove(kept.id, version_of(LATE_PALLET))


def test_a_drive_starts_where_it_is_told_to(tmp_path: Path, persona) -> None:
    drives = Drives(tmp_path)
    copy = drives.begin(persona, "late-pallet", 4.5, ["idle-knitters", "nobody"])
    again = Drives(tmp_path)[copy.id]
    assert again == copy
    assert again.temperament.opening_anger == 4.5
    assert [point.told.value for point in again.story] == ["opening", "opening", "understood", "probed"]
    assert again.opening.endswith("I've six women at machines with nothing on them.")
    assert drives.drive(copy.id).draft == "late-pallet"
