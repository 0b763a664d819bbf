"""The lab shows a sampler's transition stage by stage, and asks for a sandwich while its chart is seen."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtTest import QTest

from ebmlab.engine.energies import MLP
from ebmlab.engine.estimators import PersistentContrastiveDivergence
from ebmlab.engine.samplers import MetropolisLangevin
from ebmlab.gui import theme
from ebmlab.gui.window import LabWindow
from ebmlab.paint.dots import Dots
from ebmlab.paint.overlays import Glass, draw_stage
from ebmlab.paint.projection import Projection
from ebmlab.paint.ways import crosses, heads
from ebmlab.session.recipe import Recipe
from ebmlab.session.snapshot import StageShown, Ways

SMALL = Recipe(
    energy=MLP(width=8, depth=1),
    estimator=PersistentContrastiveDivergence(steps=2),
    sampler=MetropolisLangevin(step_size=0.5),
    batch=16,
    log_z=(),
)


@pytest.fixture
def lab(qapp, qtbot):
    window = LabWindow(None)
    window.resize(1280, 800)
    window.furnish(SMALL)
    window.lab.filing.quiet = True
    window.show()
    qtbot.waitUntil(lambda: window.lab.snapshot is not None, timeout=20000)
    yield window.lab
    window.close()
    window.deleteLater()
    QTest.qWait(0)


def test_that_slow_motion_with_moving_particles_shows_the_sampler(lab, qtbot):
    lab.canvas.setFocus()
    QTest.keyClick(lab.canvas, Qt.Key.Key_D)
    QTest.keyClick(lab.canvas, Qt.Key.Key_S)
    qtbot.waitUntil(lambda: lab.snapshot.stage is not None, timeout=20000)
    shown = lab.snapshot
    assert shown.stage.ways is not None
    assert shown.status == "paused"
    label = lab.strip.findChild(object, "stage")
    assert label.text() == f"Sampler {shown.stage.index + 1}  {shown.stage.text}"
    qtbot.waitUntil(lambda: "sampler" in lab.window.status.text("speed"), timeout=5000)
    before = lab.snapshot.stage
    QTest.keyClick(lab.canvas, Qt.Key.Key_Period)
    qtbot.waitUntil(lambda: lab.snapshot.stage is not None and lab.snapshot.stage.text != before.text, timeout=5000)
    assert lab.snapshot.step == 0, "the key goes on with the sampler, not with training"

    QTest.keyClick(lab.canvas, Qt.Key.Key_S)
    qtbot.waitUntil(lambda: lab.snapshot.stage is None, timeout=5000)


def test_that_the_sandwich_is_asked_for_from_the_menu_and_no_more_behind_a_page(lab, qtbot):
    charts = lab.charts
    action = next(a for a in lab.window.menus["charts"].actions() if a.objectName() == "show-chart-sandwich")
    assert not action.isChecked()
    assert not lab.snapshot.lens.sandwich
    action.trigger()
    qtbot.waitUntil(lambda: lab.snapshot.sandwich is not None and len(lab.snapshot.sandwich.slices) > 1, timeout=20000)
    qtbot.waitUntil(lambda: bool(charts.charts["sandwich"].curves), timeout=5000)
    lab.window.actions_["dimension"].trigger()
    qtbot.waitUntil(lambda: not lab.snapshot.lens.sandwich, timeout=5000)
    assert lab.pages.currentWidget().objectName() == "dimension-page"
    QTest.keyClick(lab.pages.currentWidget(), Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: lab.snapshot.lens.sandwich, timeout=5000)
    action.trigger()
    qtbot.waitUntil(lambda: lab.snapshot.sandwich is None, timeout=5000)


def painted(ways):
    image = QImage(240, 240, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(QColor("black"))
    painter = QPainter(image)
    glass = Glass(painter, Projection((-1.0, 1.0, -1.0, 1.0), 240, 240), theme.DARK, Dots())
    draw_stage(glass, StageShown(name="accepted", text="", index=1, ways=ways))
    painter.end()
    return image


def test_that_those_sent_back_are_drawn_in_another_colour():
    line = np.array([[[-0.8, 0.0], [0.8, 0.0]]])
    went, stayed = (painted(Ways(lines=line, owner=np.zeros(1, int), taken=np.array([t]))) for t in (True, False))
    row = range(30, 210)
    colours = [{image.pixelColor(QPoint(x, 120)).name() for x in row} for image in (went, stayed)]
    assert len(colours[0]) < len(colours[1]), "a dashed line has gaps"
    middle = went.pixelColor(QPoint(120, 120))
    assert middle.red() > middle.blue(), "orange"


def test_that_lines_to_infinity_are_left_out():
    lines = np.array([[[0.0, 0.0], [np.inf, 0.0]], [[0.0, 0.0], [np.nan, 1.0]], [[0.0, 0.0], [1e30, 0.0]]])
    image = painted(Ways(lines=lines, owner=np.arange(3), taken=np.ones(3, bool), fresh=3))
    assert image.pixelColor(QPoint(200, 120)).name() == "#000000"


def test_that_heads_point_along_their_lines_and_short_ones_have_none():
    (head,) = heads(np.array([[[0.0, 0.0], [100.0, 0.0]], [[0.0, 0.0], [1.0, 0.0]]]))
    np.testing.assert_array_equal(head[1], [100.0, 0.0])
    assert (head[[0, 2], 0] < 100).all()
    assert head[0, 1] == pytest.approx(-head[2, 1])
    assert len(crosses(np.zeros((2, 2)))) == 4
