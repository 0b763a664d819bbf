from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
from PySide6.QtCore import QMimeData, QSettings, Qt, QUrl
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QComboBox, QLineEdit, QTextBrowser

from ebmlab.engine.energies import MLP
from ebmlab.engine.estimators import PersistentContrastiveDivergence
from ebmlab.engine.targets import TARGETS
from ebmlab.gui import theme
from ebmlab.gui.panels.finder import Finder
from ebmlab.gui.panels.guide import Guide
from ebmlab.gui.window import LabWindow
from ebmlab.session.recipe import Recipe

SMALL = Recipe(energy=MLP(width=8, depth=1), estimator=PersistentContrastiveDivergence(steps=1), batch=16, log_z=())


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return QSettings(str(tmp_path_factory.mktemp("settings") / "lab.ini"), QSettings.Format.IniFormat)


@pytest.fixture(scope="module")
def furnished(qapp, settings):
    """One window for all tests: a new one costs as long as all of them together."""

    made = LabWindow(settings)
    made.furnish(SMALL)
    made.lab.filing.quiet = True
    made.show()
    for _ in range(300):  # the first session imports half of torch
        if made.lab.snapshot is None:
            QTest.qWait(50)
    yield made
    made.close()
    made.deleteLater()
    QTest.qWait(0)


@pytest.fixture
def window(furnished, qtbot):
    """The window, paused at the small recipe's first step."""

    furnished.lab.document.new(SMALL)
    furnished.lab.steering.run(False)
    trigger(furnished, "reset")
    lab = furnished.lab
    qtbot.waitUntil(
        lambda: lab.snapshot is not None and (lab.snapshot.step, lab.snapshot.recipe) == (0, SMALL), timeout=20000
    )
    furnished.error_bar.clear()
    return furnished


def trigger(window, name):
    window.actions_[name].trigger()


def mime(text="", image=None, path=None):
    data = QMimeData()
    if text:
        data.setText(text)
    if image is not None:
        data.setImageData(image)
    if path is not None:
        data.setUrls([QUrl.fromLocalFile(str(path))])
    return data


def test_that_the_shell_is_shown_without_torch():
    code = (
        "import os, sys; os.environ['QT_QPA_PLATFORM'] = 'offscreen';"
        "from PySide6.QtWidgets import QApplication; app = QApplication([]);"
        "from ebmlab.gui.window import LabWindow; window = LabWindow(); window.show(); app.processEvents();"
        "print('torch' in sys.modules, 'pyqtgraph' in sys.modules, window.frames.window_ms > 0)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert out.stdout.split() == ["False", "False", "True"]


def test_that_the_first_landscape_waits_for_neither_optimiser_nor_charts():
    code = (
        "import os, sys; os.environ['QT_QPA_PLATFORM'] = 'offscreen';"
        "from PySide6.QtWidgets import QApplication; app = QApplication([]);"
        "from ebmlab.gui.window import LabWindow; window = LabWindow(); window.show(); lab = window.furnish();"
        "seen = lambda: [name in sys.modules for name in ('torch._dynamo', 'ebmlab.gui.views.charts')];\n"
        "while lab.snapshot is None: app.processEvents()\n"
        "print(lab.snapshot.energy is not None, *seen()); lab.charts; print(seen()[1]); window.close()"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert out.stdout.split() == ["True", "False", "False", "True"]


def test_that_the_run_goes_on_when_told_and_stops_when_told(window, qtbot):
    trigger(window, "run")
    qtbot.waitUntil(lambda: window.lab.snapshot.step > 3, timeout=20000)
    assert window.actions_["run"].text() == "Pause"
    trigger(window, "run")
    qtbot.waitUntil(lambda: window.lab.snapshot.status == "paused", timeout=20000)
    assert window.actions_["run"].text() == "Run"
    at = window.lab.snapshot.step
    trigger(window, "step")
    qtbot.waitUntil(lambda: window.lab.snapshot.step == at + 1, timeout=20000)
    trigger(window, "reset")
    qtbot.waitUntil(lambda: window.lab.snapshot.step == 0, timeout=20000)


def test_that_slow_motion_names_the_stage_in_the_strip(window, qtbot):
    window.transport.set_slow(True)
    trigger(window, "slow-motion")
    trigger(window, "run")
    qtbot.waitUntil(lambda: window.lab.snapshot.stage is not None, timeout=20000)
    assert window.lab.strip.findChild(object, "stage").text() == f"1  {window.lab.snapshot.stage.text}"
    trigger(window, "slow-motion")
    trigger(window, "run")


def test_that_an_edit_reaches_the_run_and_can_be_undone(window, qtbot):
    document = window.lab.document
    document.set(replace(document.recipe, batch=32), "Change batch")
    qtbot.waitUntil(lambda: window.lab.snapshot.recipe.batch == 32, timeout=20000)
    assert window.isWindowModified()
    assert window.actions_["undo"].text() == "&Undo Change batch"
    trigger(window, "undo")
    qtbot.waitUntil(lambda: window.lab.snapshot.recipe.batch == 16, timeout=20000)
    assert not window.isWindowModified()


def test_that_pasted_points_become_the_target(window, qtbot):
    assert window.lab.filing.take(mime("0 0\n1 1\n2 0.5\n"))
    assert window.lab.document.recipe.target.values == ((0, 0), (1, 1), (2, 0.5))
    qtbot.waitUntil(lambda: window.lab.snapshot.recipe.target.kind == "points", timeout=20000)


def test_that_a_broken_paste_says_which_row_and_leaves_the_target(window):
    before = window.lab.document.recipe
    assert not window.lab.filing.take(mime("0,0\n1,1\n2\n"))
    assert "row 3" in window.error_bar.text
    assert window.lab.document.recipe == before
    window.error_bar.copy()
    assert QGuiApplication.clipboard().text() == window.error_bar.text
    window.error_bar.clear()
    assert window.error_bar.text == ""


def test_that_a_dropped_picture_becomes_the_target(window, tmp_path):
    picture = QImage(32, 32, QImage.Format.Format_RGB32)
    picture.fill(Qt.GlobalColor.white)
    for i in range(8, 24):
        picture.setPixelColor(i, 12, Qt.GlobalColor.black)
    path = tmp_path / "line.png"
    assert picture.save(str(path))
    assert window.lab.filing.take(mime(path=path))
    assert window.lab.document.recipe.target.path == str(path)


@pytest.mark.parametrize(
    ("name", "text", "says"), [("a.json", "{", "line 1"), ("a.csv", "", "no rows"), ("a.xyz", "1", "ends in")]
)
def test_that_a_file_that_cannot_be_read_becomes_one_sentence(window, tmp_path, name, text, says):
    path = tmp_path / name
    path.write_text(text)
    before = window.lab.document.recipe
    assert not window.lab.filing.open(str(path))
    assert says in window.error_bar.text
    assert str(path) in window.error_bar.text
    assert window.lab.document.recipe == before


def test_that_an_opened_recipe_is_in_the_title_and_among_the_recent_files(window, tmp_path):
    path = tmp_path / "mine.json"
    replace(SMALL, seed=7).save(path)
    assert window.lab.filing.open(str(path))
    assert window.windowTitle() == "mine.json[*] — ebmlab"
    window.lab.filing._list_recent()
    assert window.menus["recent"].actions()[0].text() == "mine.json"


def test_that_an_edit_that_the_run_refuses_is_explained_until_it_is_mended(window, qtbot):
    document = window.lab.document
    good = document.recipe
    document.set(replace(good, target=TARGETS["points"](path="missing.csv")), "Change target")
    qtbot.waitUntil(lambda: window.error_bar.text != "", timeout=20000)
    assert "missing.csv" in window.error_bar.text
    document.undo()
    qtbot.waitUntil(lambda: window.error_bar.text == "", timeout=20000)


def test_that_a_failure_leaves_the_error_bar_once_it_is_mended_and_nothing_else_does(window):
    window.say("diverged")
    window.lab.bridge.mended.emit("diverged")
    assert window.error_bar.text == ""
    window.say("a file is missing")
    window.lab.bridge.mended.emit("diverged")
    assert window.error_bar.text == "a file is missing"


def test_that_theme_and_scale_are_remembered(window, settings, qtbot):
    trigger(window, "theme")
    trigger(window, "larger")
    assert theme.current().palette == theme.LIGHT
    again = LabWindow(settings)
    qtbot.addWidget(again)
    assert again.actions_["theme"].isChecked()
    assert theme.current().scale == pytest.approx(1.15)
    window._apply(theme.Theme())


def test_that_presenting_leaves_canvas_and_charts_alone(window):
    trigger(window, "present")
    assert not window.side.isVisible()
    assert not window.transport.isVisible()
    assert window.lab.canvas.isVisible()
    window._escape()
    assert window.side.isVisible()
    assert window.transport.isVisible()


def test_that_every_action_is_found_by_its_words(window, qtbot):
    finder = Finder(window.actions_, window)
    qtbot.addWidget(finder)
    assert {"run", "reset", "theme"} <= set(finder.found())
    finder._search("slow stage")
    assert finder.found() == ["step", "slow-motion"]
    finder._search("no such words")
    assert finder.found() == []


def test_that_what_a_pane_may_show_is_found_too(window):
    trigger(window, "find")
    *_, finder = window.findChildren(Finder)
    finder._search("histogram")
    assert finder.found() == ["show-samples"]
    finder.close()


def test_that_the_guide_names_every_key(window, qtbot):
    guide = Guide(window.actions_, window)
    qtbot.addWidget(guide)
    text = guide.findChild(QTextBrowser).toPlainText()
    keys = [action.shortcut().toString() for action in window.actions_ if not action.shortcut().isEmpty()]
    assert len(keys) > 10
    assert [key for key in keys if key not in text] == []


def test_that_every_control_has_a_name_and_a_tool_tip(window):
    nameless = [
        widget
        for kind in (QAbstractButton, QComboBox, QAbstractSlider, QLineEdit)
        for widget in (*window.transport.findChildren(kind), *window.lab.strip.findChildren(kind))
        if widget.isVisible() and not (widget.accessibleName() and widget.toolTip())
    ]
    assert nameless == []


def test_that_the_status_names_device_step_and_seed(window, qtbot):
    qtbot.waitUntil(lambda: window.status.text("step") == "step 0", timeout=3000)
    assert window.status.text("device") == window.lab.snapshot.device
    assert window.status.text("seed") == "seed 0"


def test_that_frames_are_counted_where_they_are_painted(window, qtbot):
    trigger(window, "run")
    qtbot.waitUntil(lambda: len(window.frames._times) > 3 and window.frames.stats()["steps"] > 0, timeout=8000)
    trigger(window, "run")
    stats = window.frames.stats()
    assert stats["window_ms"] <= stats["first_landscape_ms"]
    assert stats["frames"] >= 4
    assert 0 < stats["frame_ms_p50"] <= stats["frame_ms_p99"]
    assert stats["steps"] > 0
    assert 0 < stats["gui_busy_share"] <= 1.5
