"""Films and figures from the window: chosen, looked at, made and called off by mouse and keys."""

from __future__ import annotations

import csv
from dataclasses import replace
from functools import cache

import pytest
from PIL import Image, ImageSequence
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QAbstractSpinBox, QComboBox, QFileDialog, QLineEdit

from ebmlab.engine.energies import MLP
from ebmlab.engine.estimators import PersistentContrastiveDivergence
from ebmlab.gui.panels import film as module
from ebmlab.gui.panels import making
from ebmlab.gui.panels.film import FilmDialog, Screen
from ebmlab.session.recipe import Recipe
from ebmlab.session.recorder import Recorder
from ebmlab.session.session import Session
from ebmlab.session.timeline import Moment

SMALL = Recipe(energy=MLP(width=8, depth=1), estimator=PersistentContrastiveDivergence(steps=1), batch=16, log_z=())
SCREEN = Screen(layout="target,model|energy", size=(801, 500), window=SMALL.window, theme="light")
SMALLEST = {"size": "480p", "layout": "target"}


@pytest.fixture(scope="module")
def run():
    session = Session(SMALL, "cpu")
    recorder = Recorder(session)
    recorder.note()
    for _ in range(30):
        session.step()
        recorder.note()
    recorder.name(Moment(30, "the end"))
    return replace(recorder.run(), moments=(Moment(10, "ten"), Moment(30, "the end")))


@pytest.fixture
def dialog(qtbot, run):
    made = FilmDialog(SCREEN)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    made.show()
    made.show_run(run)
    qtbot.waitUntil(lambda: not made.preview.busy, timeout=10000)
    yield made
    made.close_down()


def choose(dialog, name):
    dialog.formats.setCurrentIndex(dialog.formats.findData(name))
    dialog.formats.activated.emit(dialog.formats.currentIndex())


def stage(dialog, **knobs):
    dialog.staging.set_component(replace(dialog.staging.component, **knobs))
    dialog.staging.edited.emit(dialog.staging.component)


def previewed(dialog, qtbot):
    qtbot.waitUntil(lambda: not dialog.preview.busy, timeout=10000)
    return dialog.preview.image


def test_that_the_preview_shows_what_is_on_the_screen_in_the_size_that_is_asked_for(dialog, qtbot):
    assert dialog.staging.component.layout == "target,model|energy"
    assert dialog.layout_.theme.palette.name == "light"
    assert previewed(dialog, qtbot).size().toTuple() == (1280, 720)
    stage(dialog, size="as on the screen")
    assert previewed(dialog, qtbot).size().toTuple() == (800, 500), "codecs want even sides"


def test_that_the_slider_shows_another_step(dialog, qtbot):
    stage(dialog, **SMALLEST)
    before = previewed(dialog, qtbot).copy()
    dialog.span.slider.setFocus()
    QTest.keyClick(dialog.span.slider, Qt.Key.Key_Home)
    assert dialog.span.step == 0
    assert previewed(dialog, qtbot) != before


def test_that_the_step_that_the_window_looks_at_is_the_first_one_shown(qtbot, run):
    made = FilmDialog(replace(SCREEN, step=10), still=True)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    made.show_run(run)
    assert made.span.step == 10
    made.close_down()


def test_that_only_the_last_of_many_wishes_is_painted(dialog, qtbot, monkeypatch):
    painted = []
    monkeypatch.setattr(
        module,
        "still",
        lambda reel, step, layout: painted.append(step) or QImage(8, 8, QImage.Format.Format_RGB32),
    )
    for place in range(20):
        dialog.span.slider.setValue(place)
    previewed(dialog, qtbot)
    qtbot.waitUntil(lambda: not dialog.preview.busy, timeout=5000)
    assert len(painted) <= 3
    assert painted[-1] == dialog.span.step


def test_that_a_film_may_begin_and_end_where_one_looks_and_at_a_moment(dialog):
    assert dialog.span.range == (0, 30)
    moments = dialog.span.moments
    moments.setCurrentIndex(moments.findText("ten", Qt.MatchFlag.MatchStartsWith))
    moments.activated.emit(moments.currentIndex())
    assert dialog.span.step <= 10
    QTest.mouseClick(dialog.span.begin, Qt.MouseButton.LeftButton)
    assert dialog.span.range == (dialog.span.step, 30)


def test_that_a_layout_typed_wrong_is_explained_below_its_field(dialog):
    field = dialog.staging.editors["layout"]
    field.field.setFocus()
    field.field.selectAll()
    QTest.keyClicks(field.field, "enrgy")
    assert "did you mean energy?" in field.fault.text()
    assert dialog.staging.component.layout == "target,model|energy"


def test_that_panes_without_room_are_refused_in_one_sentence_until_there_is(dialog, qtbot):
    stage(dialog, layout=",".join(["target"] * 12), size="480p")
    qtbot.waitUntil(lambda: "finds no room" in dialog.fault.text(), timeout=10000)
    assert not dialog.save.isEnabled()
    stage(dialog, layout="target")
    qtbot.waitUntil(lambda: dialog.fault.text() == "", timeout=10000)
    assert dialog.save.isEnabled()


def test_that_every_control_has_a_name_and_a_tip(dialog):
    kinds = (QAbstractButton, QComboBox, QAbstractSlider, QLineEdit, QAbstractSpinBox)
    controls = [w for kind in kinds for w in dialog.findChildren(kind) if w.isVisible()]
    named = [w for w in controls if w.accessibleName() or getattr(w, "text", str)()]
    tips = [w for w in controls if w.toolTip() or w.parent().toolTip() or w.parent().parent().toolTip()]
    inner = {"qt_spinbox_lineedit"}
    assert [w for w in controls if w not in named and w.objectName() not in inner] == []
    assert [w for w in controls if w not in tips] == []


@pytest.mark.parametrize(("name", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_that_a_figure_is_saved_where_the_user_says(dialog, qtbot, tmp_path, monkeypatch, name, begins):
    stage(dialog, **SMALLEST)
    choose(dialog, name)
    assert not dialog.timing.isVisible()
    asked = []
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *args: (asked.append(args[2]), (str(tmp_path / "mine"), ""))[1]
    )
    QTest.mouseClick(dialog.save, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dialog.saved.isVisible(), timeout=10000)
    assert asked == [f"two-moons-pcd.{name}"]
    assert (tmp_path / f"mine.{name}").read_bytes().startswith(begins)
    QTest.mouseClick(dialog.saved.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == str(tmp_path / f"mine.{name}")


def test_that_the_numbers_of_a_figure_are_a_table(dialog, qtbot, tmp_path):
    stage(dialog, layout="target", size="480p")
    choose(dialog, "csv")
    dialog.begin(str(tmp_path / "mine.csv"))
    qtbot.waitUntil(lambda: dialog.saved.isVisible(), timeout=10000)
    with (tmp_path / "mine.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["figure"] for row in rows} == {"target"}
    assert len(rows) > 64**2


def test_that_a_film_is_made_between_the_steps_that_were_chosen(dialog, qtbot, tmp_path):
    stage(dialog, layout="target", size="480p")
    choose(dialog, "gif")
    dialog.timing.set_component(replace(dialog.timing.component, seconds=0.5, rate=24))
    dialog.span.last.setValue(20)
    dialog.begin(str(tmp_path / "mine.gif"))
    assert not dialog.save.isEnabled()
    qtbot.waitUntil(lambda: dialog.saved.isVisible(), timeout=30000)
    assert dialog.save.isEnabled()
    with Image.open(tmp_path / "mine.gif") as film:
        assert film.size == (854, 480)
        assert film.n_frames > 1
        assert sum(frame.info["duration"] for frame in ImageSequence.Iterator(film)) == pytest.approx(500, abs=50)


def test_that_a_film_of_a_single_step_is_refused(dialog, qtbot, tmp_path):
    dialog.span.first.setValue(30)
    dialog.begin(str(tmp_path / "mine.gif"))
    qtbot.waitUntil(lambda: dialog.saved.isVisible(), timeout=10000)
    assert dialog.saved.text.text() == "the film begins and ends at step 30; choose two steps"


def test_that_a_film_called_off_leaves_nothing(dialog, qtbot, tmp_path):
    choose(dialog, "gif")
    dialog.timing.set_component(replace(dialog.timing.component, seconds=60.0))
    dialog.begin(str(tmp_path / "mine.gif"))
    qtbot.waitUntil(lambda: dialog.errand.stop.isVisible(), timeout=5000)
    QTest.mouseClick(dialog.errand.stop, Qt.MouseButton.LeftButton)
    assert list(tmp_path.iterdir()) == []
    assert dialog.save.isEnabled()


def test_that_a_place_that_will_not_do_becomes_one_sentence(dialog, qtbot, tmp_path):
    dialog.begin(str(tmp_path / "none" / "mine.mp4"))
    qtbot.waitUntil(lambda: dialog.saved.isVisible(), timeout=10000)
    assert "there is no such folder" in dialog.saved.text.text()
    assert dialog.save.isEnabled()


def test_that_a_missing_codec_is_told_before_any_work(dialog, qtbot, monkeypatch):
    lacking = cache(lambda: {"MP4": 'none: MP4 needs av; pip install "ebmlab[video]"'})
    monkeypatch.setattr(making, "_codecs", lacking)
    choose(dialog, "mp4")
    qtbot.waitUntil(lambda: not dialog.preview.busy, timeout=10000)
    assert dialog.help.text() == 'MP4 needs av; pip install "ebmlab[video]"'
    assert not dialog.save.isEnabled()
    choose(dialog, "gif")
    assert dialog.save.isEnabled()


def test_that_a_dialog_closed_early_waits_for_its_threads_and_takes_no_run(qtbot, run):
    made = FilmDialog(SCREEN)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(made)
    made.show()
    made.close()
    made.show_run(run)
    assert not made.preview.busy
    assert not made.save.isEnabled()
