from __future__ import annotations

import numpy as np
import pytest
from fakes import snapshot
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from ebmlab.gui.views.canvas import Canvas
from ebmlab.paint.camera import Camera


@pytest.fixture
def canvas(qtbot):
    made = Canvas()
    qtbot.addWidget(made)
    made.set_layout(2)
    made.resize(800, 420)
    made.show()
    with qtbot.waitSignal(made.lens_changed, timeout=2000):
        pass
    made.panes[0].show_kind("surface")
    made.show_snapshot(snapshot(made.lens))
    made.grab()
    return made


def move(plane, at, button=Qt.MouseButton.NoButton):
    event = QMouseEvent(QEvent.Type.MouseMove, at, at, button, button, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(plane, event)


def camera(canvas):
    return canvas._shared.camera


def test_that_a_drag_turns_the_surface_and_not_the_window_of_the_plane(qtbot, canvas):
    plane, window = canvas.panes[0].plane, canvas._shared.window
    before = plane.grab().toImage()
    qtbot.mousePress(plane, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    for at in (QPointF(130, 100), QPointF(160, 90)):
        move(plane, at, Qt.MouseButton.LeftButton)
    qtbot.mouseRelease(plane, Qt.MouseButton.LeftButton, pos=QPoint(160, 90))
    assert camera(canvas).azimuth < Camera().azimuth
    assert camera(canvas).elevation < Camera().elevation
    assert canvas._shared.window == window
    assert plane.grab().toImage() != before


def test_that_the_wheel_brings_the_surface_nearer_and_a_double_click_back(qtbot, canvas):
    plane, at = canvas.panes[0].plane, QPointF(100, 100)
    none, still = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    event = QWheelEvent(at, at, QPoint(), QPoint(0, 240), none, still, Qt.ScrollPhase.NoScrollPhase, False)
    QApplication.sendEvent(plane, event)
    assert camera(canvas).zoom > 1.2
    qtbot.mouseDClick(plane, Qt.MouseButton.LeftButton, pos=at.toPoint())
    assert camera(canvas) == Camera()


def test_that_the_arrow_keys_turn_a_surface_and_move_a_flat_pane(qtbot, canvas):
    window = canvas._shared.window
    qtbot.keyClick(canvas.panes[0].plane, Qt.Key.Key_Left)
    qtbot.keyClick(canvas.panes[0].plane, Qt.Key.Key_Up)
    assert camera(canvas)[:2] == (Camera().azimuth + 10, Camera().elevation + 5)
    assert canvas._shared.window == window
    qtbot.keyClick(canvas.panes[1].plane, Qt.Key.Key_Left)
    assert canvas._shared.window != window


def test_that_the_point_under_the_cursor_is_the_same_in_every_pane(canvas):
    plane, surface = canvas.panes[0].plane, canvas.panes[0].plane.painter._surface
    point = np.array([[1.0, -1.0]])
    ((x, y),) = surface._pixels(point)
    move(plane, QPointF(x, y))
    assert canvas._shared.hover == pytest.approx((1.0, -1.0), abs=0.15)
    move(plane, QPointF(1, 1))
    assert canvas._shared.hover is None


def test_that_a_brush_does_not_draw_on_a_surface(qtbot, canvas):
    canvas.set_tool("brush")
    edits = []
    canvas.edited.connect(edits.append)
    qtbot.mousePress(canvas.panes[0].plane, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    move(canvas.panes[0].plane, QPointF(150, 120), Qt.MouseButton.LeftButton)
    qtbot.mouseRelease(canvas.panes[0].plane, Qt.MouseButton.LeftButton, pos=QPoint(150, 120))
    assert not edits
    assert camera(canvas) != Camera()
