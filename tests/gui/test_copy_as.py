"""What leaves a lab and comes back: the set-up as text, films, the model, and the runs that were tried."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest
from PySide6.QtCore import QMimeData, QSettings, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox

from ebmlab.cli.arguments import parser
from ebmlab.cli.sources import amended, read_recipe
from ebmlab.engine.energies import MLP
from ebmlab.engine.estimators import PersistentContrastiveDivergence
from ebmlab.engine.targets import TARGETS, Ring
from ebmlab.gui.panels.export import ExportDialog
from ebmlab.gui.panels.film import FilmDialog
from ebmlab.gui.panels.tried import TriedPage
from ebmlab.gui.window import LabWindow
from ebmlab.session.recipe import Recipe
from ebmlab.session.share import from_link, link

SMALL = Recipe(energy=MLP(width=8, depth=1), estimator=PersistentContrastiveDivergence(steps=1), batch=16, log_z=())
OTHER = replace(SMALL, target=Ring(), batch=32, seed=3)


@pytest.fixture(scope="module")
def furnished(qapp, tmp_path_factory):
    settings = QSettings(str(tmp_path_factory.mktemp("settings") / "lab.ini"), QSettings.Format.IniFormat)
    made = LabWindow(settings)
    made.furnish(SMALL)
    made.lab.filing.quiet = True
    made.show()
    for _ in range(300):
        if made.lab.snapshot is None:
            QTest.qWait(50)
    yield made
    made.close()
    made.deleteLater()
    QTest.qWait(0)


@pytest.fixture
def window(furnished, qtbot):
    lab = furnished.lab
    lab.steering.run(False)
    lab.sessions.begin(SMALL)
    qtbot.waitUntil(lambda: (lab.snapshot.step, lab.snapshot.recipe) == (0, SMALL), timeout=20000)
    qtbot.waitUntil(lambda: not lab.sessions.scribe.busy, timeout=20000)
    furnished.error_bar.clear()
    return furnished


def copied(window, name):
    QGuiApplication.clipboard().clear()
    window.actions_[f"copy-{name}"].trigger()
    return QGuiApplication.clipboard().text()


def press(window, key):
    """Presses a key with Ctrl in the window, which dialogs may have left behind."""

    window.activateWindow()
    window.lab.window.centre.setFocus()
    QTest.qWaitForWindowActive(window)
    QTest.keyClick(window, key, Qt.KeyboardModifier.ControlModifier)


def paste(window, text):
    QGuiApplication.clipboard().setText(text)
    press(window, Qt.Key.Key_V)


def train(window, qtbot, steps):
    window.lab.steering.run(True)
    qtbot.waitUntil(lambda: window.lab.snapshot.step >= steps, timeout=30000)
    window.lab.steering.run(False)
    qtbot.waitUntil(lambda: window.lab.snapshot.status == "paused", timeout=20000)


def test_that_the_command_trains_the_recipe_of_the_window(window):
    program, *words = shlex.split(copied(window, "command"))
    args = parser().parse_args(words)
    assert program == "ebmlab"
    assert amended(read_recipe(args.recipe), args) == SMALL


def test_that_the_script_holds_what_is_not_at_its_default(window):
    text = copied(window, "python")
    assert "MLP(width=8, depth=1)" in text
    compile(text, "script", "exec")


def test_that_a_recipe_copied_as_link_or_json_is_pasted_by_key_and_can_be_undone(window, qtbot):
    window.lab.document.set(OTHER, "Change")
    texts = [copied(window, "link"), copied(window, "recipe")]
    assert texts[0].startswith("ebmlab:1:")
    for text in texts:
        window.lab.sessions.begin(SMALL)
        paste(window, text)
        assert window.lab.document.recipe == OTHER
        qtbot.waitUntil(lambda: window.lab.snapshot.recipe == OTHER, timeout=20000)
        window.actions_["undo"].trigger()
        assert window.lab.document.recipe == SMALL


def test_that_a_dropped_link_is_taken_with_the_line_breaks_of_a_letter(window):
    text, data = link(OTHER), QMimeData()
    data.setText("\r\n".join(text[i : i + 20] for i in range(0, len(text), 20)))
    assert window.lab.filing.take(data)
    assert window.lab.document.recipe == OTHER


@pytest.mark.parametrize(
    "text", ["ebmlab:", "ebmlab:1:AAAA", "ebmlab:9:AAAAAAAA", f"{link(OTHER)[:-6]}", "ebmlab:1:🙂"]
)
def test_that_garbage_that_looks_like_a_link_becomes_one_sentence(window, text):
    paste(window, text)
    assert window.error_bar.text.startswith("the link: ")
    assert "\n" not in window.error_bar.text
    assert window.lab.document.recipe == SMALL


def test_that_a_recipe_that_names_a_file_says_why_no_link_can_hold_it(window, tmp_path):
    (tmp_path / "p.csv").write_text("0,0\n1,1\n2,0\n")
    points = TARGETS["points"](path=str(tmp_path / "p.csv"))
    window.lab.document.set(replace(SMALL, target=points), "Change")
    assert copied(window, "link") == ""
    assert "a link holds no files" in window.error_bar.text


def test_that_the_dialogs_take_the_run_while_it_goes_on(window, qtbot):
    train(window, qtbot, 5)
    window.lab.steering.run(True)
    for name, kind in (("film", FilmDialog), ("export-figure", FilmDialog), ("export-model", ExportDialog)):
        window.actions_[name].trigger()
        *_, dialog = window.findChildren(kind)
        qtbot.waitUntil(lambda dialog=dialog: dialog.save.isEnabled(), timeout=20000)
        assert dialog._run.recipe == SMALL
        if kind is FilmDialog:
            assert dialog.staging.component.layout.startswith("target,model|energy,difference|likelihood")
            assert dialog.kind.still == (name == "export-figure")
        dialog.close()
    QTest.qWait(0)
    assert window.lab.snapshot.status == "running"


def test_that_the_pages_under_way_row_and_an_ended_run_come_back(window, qtbot, monkeypatch):
    train(window, qtbot, 25)
    steps = window.lab.snapshot.step
    press(window, Qt.Key.Key_J)
    page = window.findChild(TriedPage)
    assert page.isVisible()
    qtbot.waitUntil(lambda: page.table.sorted.index(0, 0).data() == "under way", timeout=5000)
    qtbot.waitUntil(lambda: not page.errand.busy, timeout=20000)
    before = len(page.model.rows)
    window.actions_["reset"].trigger()
    qtbot.waitUntil(lambda: len(page.model.rows) == before + 1, timeout=20000)
    row = page.model.rows[-1]
    assert (row.recipe, row.steps) == (SMALL, steps)

    page.table.clearSelection()
    page.table.selectRow(1)
    qtbot.keyClick(page.table, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.lab.snapshot.end == steps, timeout=20000)
    assert not page.isVisible()
    assert window.lab.document.path is None

    press(window, Qt.Key.Key_J)
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    page.table.selectAll()
    page.ask_and_delete()
    qtbot.waitUntil(lambda: page.model.rows == (), timeout=20000)
    assert list(window.lab.sessions.keeper.folder.glob("*.ebmlab")) == []
    window._escape()


def test_that_a_run_that_is_not_kept_any_more_begins_afresh(window, qtbot):
    from ebmlab.session.tried import Tried

    window.lab.takeout.reopen(Tried(name="x", recipe=OTHER, steps=9, seconds=1.0, session="/none/x.ebmlab"), True)
    qtbot.waitUntil(lambda: window.lab.snapshot.recipe == OTHER, timeout=20000)
    assert "begins afresh" in window.error_bar.text
    assert from_link(copied(window, "link")) == OTHER
