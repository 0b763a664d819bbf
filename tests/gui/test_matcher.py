"""As many parameters as another energy, by menu or by number."""

from __future__ import annotations

import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QInputDialog

from ebmlab.engine.energies import MLP, Quadratic, count
from ebmlab.gui.document import Document
from ebmlab.gui.panels.recipe import RecipePanel
from ebmlab.session.recipe import Recipe
from ebmlab.session.snapshot import Lens, Snapshot
from ebmlab.spec import amend

# The offscreen platform says so of every window that has a least size.

DEFAULT = 17025


@pytest.fixture
def wired(qtbot):
    """A panel and a document that follow each other, as in the window."""

    panel, document = RecipePanel(Recipe()), Document(Recipe())
    qtbot.addWidget(panel)
    panel.resize(280, 700)
    panel.show()
    panel.edited.connect(document.set)
    panel.finished.connect(document.seal)
    document.changed.connect(panel.show_recipe)
    run(panel, document)
    yield panel, document
    panel.close_down()


def run(panel, document):
    """Shows the panel what the run would: the present recipe and how many parameters it has."""

    recipe = document.recipe
    parameters = count(recipe.energy.build(torch.Generator()))
    panel.show_snapshot(Snapshot(step=0, recipe=recipe, lens=Lens(), parameters=parameters))
    return parameters


def choose(panel, text):
    """Takes the entry of the menu whose text begins so."""

    panel.matcher.menu.aboutToShow.emit()
    (action,) = (a for a in panel.matcher.menu.actions() if a.text().startswith(text))
    action.trigger()


def offered(panel):
    panel.matcher.menu.aboutToShow.emit()
    return [action.text() for action in panel.matcher.menu.actions()]


def test_that_at_first_there_is_no_other_to_be_matched(wired):
    panel, _ = wired
    assert panel.matcher.text.accessibleName() == "17,025 parameters"
    assert offered(panel) == ["Another number…"]


def test_that_another_kind_is_given_as_many_as_the_one_before_had_and_undo_takes_it_back(wired, qtbot):
    panel, document = wired
    document.set(amend(document.recipe, "energy", "residual"))
    assert offered(panel)[0] == "As many as mlp had: 17,025", "before the run has come so far"
    run(panel, document)
    assert offered(panel)[0] == "As many as mlp had: 17,025"
    document.set(amend(document.recipe, "energy.width", "8"))
    before = document.recipe
    run(panel, document)
    with qtbot.waitSignal(panel.edited, timeout=20000):
        choose(panel, "As many as mlp")
    assert run(panel, document) == pytest.approx(DEFAULT, rel=0.02)
    assert panel.energy.form.editors["width"].field.text() == str(document.recipe.energy.width)
    assert panel.matcher.previous == ("mlp", DEFAULT), "the size is no other kind"
    document.undo()
    assert document.recipe == before


def test_that_a_number_is_typed_and_matched(wired, qtbot):
    panel, document = wired
    choose(panel, "Another number")
    (dialog,) = panel.matcher.findChildren(QInputDialog)
    assert dialog.intValue() == DEFAULT
    dialog.setIntValue(1000)
    with qtbot.waitSignal(panel.edited, timeout=20000):
        QTest.keyClick(dialog, Qt.Key.Key_Return)
    assert run(panel, document) == pytest.approx(1000, rel=0.1)


def test_that_an_energy_without_a_size_says_why_it_cannot(wired):
    panel, document = wired
    document.set(Recipe(energy=Quadratic()))
    assert not panel.matcher.button.isEnabled()
    assert "no knob that its number of parameters grows with" in panel.matcher.button.toolTip()
    document.undo()
    assert panel.matcher.button.isEnabled()
    assert "compare fairly" in panel.matcher.button.toolTip()


def test_that_a_number_out_of_reach_is_refused_below_the_energy(wired, qtbot):
    panel, document = wired
    document.set(Recipe(energy=MLP(depth=1)))
    before = document.recipe
    with qtbot.waitSignal(panel.matcher.refused, timeout=20000):
        panel.matcher.match(9_000_000)
    assert document.recipe == before
    assert "comes no nearer to 9000000 parameters" in panel.energy.fault.text()


def test_that_an_edit_made_meanwhile_stands(wired, qtbot):
    panel, document = wired
    panel.matcher.match(1000)
    edited = amend(document.recipe, "energy.depth", "3")
    document.set(edited)
    qtbot.waitUntil(lambda: not panel.matcher._timer.isActive(), timeout=20000)
    assert document.recipe == edited
