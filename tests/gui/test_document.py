from __future__ import annotations

from dataclasses import replace

import pytest

from ebmlab.gui.document import Document
from ebmlab.session.recipe import Recipe
from ebmlab.spec import BadInput


@pytest.fixture
def document(qapp):
    return Document(Recipe())


def seeded(seed):
    return replace(Recipe(), seed=seed)


def test_that_undo_and_redo_walk_through_the_recipes(document):
    for seed in (1, 2, 3):
        document.set(seeded(seed), f"Set {seed}")
    assert document.undo_label == "Set 3"
    document.undo()
    document.undo()
    assert document.recipe == seeded(1)
    assert (document.undo_label, document.redo_label) == ("Set 1", "Set 2")
    document.redo()
    assert document.recipe == seeded(2)
    document.undo()
    document.undo()
    document.undo()
    assert document.recipe == Recipe()
    assert not document.can_undo


def test_that_an_edit_forgets_what_could_be_redone(document):
    document.set(seeded(1))
    document.undo()
    document.set(seeded(2))
    assert not document.can_redo


def test_that_edits_of_one_knob_in_one_drag_are_undone_together(document):
    for seed in range(1, 10):
        document.set(seeded(seed), "Change seed", "seed")
    document.seal()
    document.set(seeded(20), "Change seed", "seed")
    document.undo()
    assert document.recipe == seeded(9)
    document.undo()
    assert document.recipe == Recipe()


def test_that_edits_of_different_knobs_are_undone_apart(document):
    document.set(seeded(1), "", "seed")
    document.set(replace(seeded(1), batch=8), "", "batch")
    document.undo()
    assert document.recipe == seeded(1)


def test_that_strokes_without_a_key_are_undone_one_by_one(document):
    document.set(seeded(1), "Stroke")
    document.set(seeded(2), "Stroke")
    document.undo()
    assert document.recipe == seeded(1)


def test_that_an_edit_after_undo_does_not_join_the_one_before(document):
    document.set(seeded(1), "", "seed")
    document.set(replace(seeded(1), batch=8), "", "batch")
    document.undo()
    document.set(seeded(5), "", "seed")
    document.undo()
    assert document.recipe == seeded(1)


def test_that_the_same_recipe_is_no_edit(document):
    told = []
    document.changed.connect(told.append)
    document.set(Recipe(), "Nothing")
    assert not told
    assert not document.can_undo


def test_that_every_change_is_told_with_the_recipe(document, qtbot):
    with qtbot.waitSignals([document.changed, document.described]):
        document.set(seeded(4))
    with qtbot.waitSignal(document.changed) as told:
        document.undo()
    assert told.args == [Recipe()]


def test_that_a_document_is_unsaved_exactly_while_it_differs_from_its_file(document, tmp_path):
    assert not document.dirty
    document.set(seeded(1))
    assert document.dirty
    document.save(tmp_path / "r.json")
    assert not document.dirty
    document.undo()
    assert document.dirty
    document.redo()
    assert not document.dirty


def test_that_a_saved_recipe_is_loaded_again_and_its_history_forgotten(document, tmp_path):
    document.set(seeded(7))
    document.save(tmp_path / "r.json")
    other = Document()
    other.set(seeded(1))
    other.load(tmp_path / "r.json")
    assert other.recipe == seeded(7)
    assert other.path == tmp_path / "r.json"
    assert not other.dirty
    assert not other.can_undo


def test_that_a_broken_file_leaves_the_document_as_it_was(document, tmp_path):
    (tmp_path / "broken.json").write_text("{")
    document.set(seeded(1))
    with pytest.raises(BadInput, match=r"broken\.json"):
        document.load(tmp_path / "broken.json")
    assert document.recipe == seeded(1)
    assert document.can_undo


def test_that_saving_nowhere_or_where_none_can_says_what_to_do(document, tmp_path):
    with pytest.raises(BadInput, match="give it a name"):
        document.save()
    with pytest.raises(BadInput, match="choose another place"):
        document.save(tmp_path / "no such folder" / "r.json")
