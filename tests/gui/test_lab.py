"""The whole lab as a person uses it: real mouse and key events, and nothing left behind."""

from __future__ import annotations

import gc
import sys
import threading

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSlider, QApplication, QPushButton, QToolButton, QWidget

from ebmlab.engine.energies import MLP
from ebmlab.engine.estimators import PersistentContrastiveDivergence
from ebmlab.engine.targets import Drawing
from ebmlab.gui.window import LabWindow
from ebmlab.session.recipe import Recipe

SMALL = Recipe(energy=MLP(width=8, depth=1), estimator=PersistentContrastiveDivergence(steps=2), batch=16, log_z=())
LEFT = Qt.MouseButton.LeftButton


def opened():
    window = LabWindow(None)
    window.resize(1280, 800)
    window.furnish(SMALL)
    window.lab.filing.quiet = True
    window.show()
    return window


@pytest.fixture(scope="module")
def shared(qapp):
    made = opened()
    for _ in range(300):
        if made.lab.snapshot is None:
            QTest.qWait(50)
    yield made
    made.close()
    made.deleteLater()
    QTest.qWait(0)


@pytest.fixture
def lab(shared, qtbot):
    shared.lab.document.new(SMALL)
    shared.lab.steering.run(False)
    shared.actions_["reset"].trigger()
    qtbot.waitUntil(lambda: (shared.lab.snapshot.step, shared.lab.snapshot.recipe) == (0, SMALL), timeout=20000)
    shared.lab.canvas.setFocus()
    return shared.lab


def stroke(plane, *points):
    """Presses, drags and lets go of the left button along points, given as shares of the plane's size."""

    at = [QPoint(round(x * plane.width()), round(y * plane.height())) for x, y in points]
    QTest.mousePress(plane, LEFT, pos=at[0])
    for point in at[1:]:
        QTest.mouseMove(plane, point)
        QTest.qWait(20)
    QTest.mouseRelease(plane, LEFT, pos=at[-1])


def take_up(lab, tool):
    button = lab.panel.drawing.findChild(QToolButton, f"tool-{tool}") or lab.panel.drawing.findChild(
        QPushButton, f"tool-{tool}"
    )
    QTest.mouseClick(button, LEFT)


def test_that_space_runs_and_pauses(lab, qtbot):
    QTest.keyClick(lab.canvas, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: lab.snapshot.status == "running" and lab.snapshot.step > 2, timeout=20000)
    QTest.keyClick(lab.canvas, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: lab.snapshot.status == "paused", timeout=20000)


def test_that_a_stroke_drawn_by_mouse_changes_the_target_and_undo_takes_it_back(lab, qtbot):
    take_up(lab, "brush")
    plane = lab.canvas.findChild(QWidget, "plane-0")
    stroke(plane, (0.3, 0.5), (0.5, 0.4), (0.7, 0.5))
    assert isinstance(lab.document.recipe.target, Drawing)
    qtbot.waitUntil(lambda: lab.snapshot.recipe == lab.document.recipe, timeout=20000)
    (mark,) = lab.snapshot.recipe.target.marks
    (x0, _), (x1, _) = mark.path[0], mark.path[-1]
    assert x0 < -1 < 1 < x1, "the stroke ran from the left to the right of the plane's middle"
    stroke(plane, (0.3, 0.7), (0.7, 0.7))
    qtbot.waitUntil(lambda: len(lab.snapshot.recipe.target.marks) == 2, timeout=20000)

    lab.window.actions_["undo"].trigger()
    qtbot.waitUntil(lambda: len(lab.snapshot.recipe.target.marks) == 1, timeout=20000)
    lab.window.actions_["undo"].trigger()
    qtbot.waitUntil(lambda: lab.snapshot.recipe.target == SMALL.target, timeout=20000)
    take_up(lab, "brush")


def test_that_the_model_trains_on_while_a_stroke_is_drawn(lab, qtbot):
    QTest.keyClick(lab.canvas, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: lab.snapshot.step > 2, timeout=20000)
    before = lab.snapshot.step
    take_up(lab, "brush")
    stroke(lab.canvas.findChild(QWidget, "plane-0"), *[(0.3 + 0.02 * i, 0.5) for i in range(15)])
    qtbot.waitUntil(lambda: isinstance(lab.snapshot.recipe.target, Drawing), timeout=20000)
    qtbot.waitUntil(lambda: lab.snapshot.step > before + 5, timeout=20000)
    assert lab.snapshot.status == "running"
    take_up(lab, "brush")


def test_that_a_slider_dragged_by_keys_changes_the_run_without_a_reset(lab, qtbot):
    QTest.keyClick(lab.canvas, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: lab.snapshot.step > 2, timeout=20000)
    step = lab.snapshot.step
    slider = lab.panel.findChild(QWidget, "estimator").findChild(QWidget, "step_size").findChild(QAbstractSlider)
    slider.setFocus()
    for _ in range(3):
        QTest.keyClick(slider, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: lab.snapshot.recipe.estimator.sampler.step_size > 0.02, timeout=20000)
    assert lab.snapshot.step >= step


def lived_and_closed(qtbot):
    """Opens a lab, trains a little, closes it; returns the timers that still run after half a second."""

    window = opened()
    qtbot.waitUntil(lambda: window.lab.snapshot is not None, timeout=20000)
    window.lab.steering.run(True)
    qtbot.waitUntil(lambda: window.lab.snapshot.step > 2, timeout=20000)
    window.close()
    QTest.qWait(500)
    running = [(t.parent(), t.interval()) for t in window.findChildren(QTimer) if t.isActive()]
    window.deleteLater()
    return running


def test_that_a_closed_lab_leaves_no_thread_timer_or_widget(lab, qtbot):
    def windows():
        return sum(isinstance(widget, LabWindow) for widget in QApplication.topLevelWidgets())

    threads, before = set(threading.enumerate()), windows()
    assert not lived_and_closed(qtbot)
    assert set(threading.enumerate()) <= threads
    QTest.qWait(10)
    gc.collect()
    QTest.qWait(10)
    assert windows() == before


def test_that_a_thousand_frames_take_no_reference_to_none_away(lab, qtbot):
    """PySide6 6.12 drops one reference to None per call that returns it, until the interpreter dies."""

    snapshot = lab.snapshot
    views = (lab.canvas, lab.charts, lab.strip, lab.panel)
    QTest.qWait(50)
    before = sys.getrefcount(None)
    for _ in range(1000):
        for view in views:
            view.show_snapshot(snapshot)
        lab.canvas.update()
    QTest.qWait(50)
    assert sys.getrefcount(None) > before - 500
