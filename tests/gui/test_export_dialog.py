"""A trained energy exported from the window, checked, and opened again."""

from __future__ import annotations

import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from ebmlab.engine.energies import MLP
from ebmlab.engine.estimators import PersistentContrastiveDivergence
from ebmlab.gui.files import opened
from ebmlab.gui.panels import export as module
from ebmlab.gui.panels.export import ExportDialog
from ebmlab.record.export import EXPORTS, Check, Exported
from ebmlab.session.recipe import Recipe
from ebmlab.session.recorder import Recorder
from ebmlab.session.session import Session

SMALL = Recipe(energy=MLP(width=8, depth=1), estimator=PersistentContrastiveDivergence(steps=1), batch=16, log_z=())


@pytest.fixture(scope="module")
def run():
    session = Session(SMALL, "cpu")
    for _ in range(5):
        session.step()
    return Recorder(session).run()


@pytest.fixture
def dialog(qtbot, run):
    made = ExportDialog()
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    made.show()
    made.show_run(run)
    yield made
    made.close_down()


def choose(dialog, name):
    dialog.formats.setCurrentRow(list(EXPORTS).index(name))


def test_that_every_format_is_offered_with_its_sentence(dialog):
    for name, form in EXPORTS.items():
        choose(dialog, name)
        assert dialog.name == name
        assert dialog.help.text() == form.help
        assert dialog.save.isEnabled()


def test_that_what_is_missing_is_told_before_a_file_is_asked_for(dialog, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    choose(dialog, "onnx")
    assert 'pip install "ebmlab[onnx]"' in dialog.help.text()
    assert not dialog.save.isEnabled()
    choose(dialog, "safetensors")
    assert dialog.save.isEnabled()


def test_that_the_file_gets_the_right_ending_and_its_check_is_told(dialog, qtbot, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *args: (asked.append(args[2]), (str(tmp_path / "mine"), ""))[1]
    )
    choose(dialog, "safetensors")
    QTest.mouseClick(dialog.save, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dialog.saved.isVisible(), timeout=30000)
    assert asked == ["two-moons-mlp.safetensors"]
    assert (tmp_path / "mine.safetensors").stat().st_size > 0
    assert "at most 0.0e+00 from torch" in dialog.saved.text.text()


def test_that_exported_weights_open_as_the_run_that_they_came_from(dialog, qtbot, tmp_path, run):
    choose(dialog, "safetensors")
    dialog.begin(str(tmp_path / "mine.safetensors"))
    qtbot.waitUntil(lambda: dialog.saved.isVisible(), timeout=30000)
    found = opened(str(tmp_path / "mine.safetensors"), Recipe())
    assert (found.recipe, found.path, found.run.step) == (SMALL, "", 5)
    assert all(torch.equal(found.run.weights[name], w) for name, w in run.weights.items())


def test_that_the_particles_are_those_of_the_run(dialog, qtbot, tmp_path):
    choose(dialog, "csv-particles")
    dialog.begin(str(tmp_path / "mine.csv"))
    qtbot.waitUntil(lambda: dialog.saved.isVisible(), timeout=30000)
    assert (tmp_path / "mine.csv").read_text().startswith("x,y\n")
    assert "bytes" in dialog.saved.text.text()


def test_that_a_check_that_fails_is_a_fault_and_offers_no_folder(dialog, qtbot, monkeypatch, tmp_path):
    def fails(session, name, path, run):
        yield 0.5
        return Exported(format=name, path=str(path), check=Check("it", 3, 1.0), fault="it differs from torch by 1")

    monkeypatch.setattr(module, "export", fails)
    dialog.begin(str(tmp_path / "mine.py"))
    qtbot.waitUntil(lambda: dialog.saved.isVisible(), timeout=10000)
    assert dialog.saved.text.text() == "it differs from torch by 1"
    assert not dialog.saved.folder.isVisible()


def test_that_a_place_that_will_not_do_becomes_one_sentence(dialog, qtbot, tmp_path):
    dialog.begin(str(tmp_path / "none" / "mine.py"))
    qtbot.waitUntil(lambda: not dialog.errand.busy, timeout=10000)
    assert "there is no such folder" in dialog.saved.text.text()
    assert not dialog.errand._text.isVisible(), "it is said once"


def test_that_a_dialog_closed_early_takes_no_run(qtbot, run):
    made = ExportDialog()
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    made.show()
    made.close()
    made.show_run(run)
    assert not made.save.isEnabled()
