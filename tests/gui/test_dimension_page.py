"""The page Beyond the plane: chosen, started, called off and copied by mouse and keys."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtTest import QTest

from ebmlab.engine.dimension import Row
from ebmlab.gui import theme
from ebmlab.gui.panels import dimension as module
from ebmlab.gui.panels.dimension import DimensionPage
from ebmlab.paint.survey import FLOOR, CostChart, ErrorChart, WorthChart
from ebmlab.session.survey import Plan, Survey

ROW = Row(method="ais", dim=2, log_z=1.5, stderr=0.1, exact=1.25, evaluations=1000)
DRAWN = ROW._replace(method="importance", ess=0.5, log_z=1.25)
ROWS = (
    ROW,
    DRAWN,
    ROW._replace(dim=16, log_z=3.25),
    DRAWN._replace(dim=16, ess=0.01, log_z=-0.75, why="100 weights are worth 1"),
    ROW._replace(method="quadrature", dim=16, log_z=math.nan, why="32^16 points are more than the budget"),
)


@pytest.fixture
def page(qtbot):
    made = DimensionPage()
    qtbot.addWidget(made)
    made.resize(1000, 640)
    made.form.set_component(replace(Plan(), dimensions="1 2", budget=2000))
    made.plan = made.form.component
    made.show()
    yield made
    made.close_down()


def choose(page, *kinds):
    for i in range(page.methods.count()):
        item = page.methods.item(i)
        on = item.data(Qt.ItemDataRole.UserRole) in kinds
        item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)


def test_that_a_survey_fills_charts_and_table_and_stays(page, qtbot):
    choose(page, "quadrature", "importance")
    QTest.mouseClick(page.start, Qt.MouseButton.LeftButton)
    assert not page.start.isEnabled()
    qtbot.waitUntil(lambda: page.start.isEnabled(), timeout=20000)
    table = page.findings.table
    assert [table.item(i, 0).text() for i in range(table.rowCount())] == page.chosen() * 2
    error, cost, worth = page.charts
    assert {c.key for c in error.curves} == {c.key for c in cost.curves} == {"quadrature", "importance"}
    assert {c.key for c in worth.curves} == {"importance"}


def test_that_the_space_key_chooses_a_method_and_none_leaves_nothing_to_start(page, qtbot):
    choose(page)
    assert not page.start.isEnabled()
    page.methods.setFocus()
    page.methods.setCurrentRow(0)
    QTest.keyClick(page.methods, Qt.Key.Key_Space)
    assert len(page.chosen()) == 1
    assert page.start.isEnabled()


def test_that_a_survey_called_off_keeps_what_it_has(page, qtbot, monkeypatch):
    def endless(plan, methods):
        while True:
            yield Survey(ROWS[:2], 0.5, "ais, d = 2")
            time.sleep(0.01)

    monkeypatch.setattr(module, "survey", endless)
    QTest.mouseClick(page.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.findings.table.rowCount() == 2, timeout=20000)
    QTest.mouseClick(page.errand.stop, Qt.MouseButton.LeftButton)
    assert page.start.isEnabled()
    assert page.findings.table.rowCount() == 2


def test_that_dimensions_typed_wrong_say_what_would_be_right(page, qtbot):
    editor = page.form.editors["dimensions"]
    editor.field.selectAll()
    QTest.keyClicks(editor.field, "4 2")
    assert "from the least to the greatest" in editor.fault.text()
    assert page.plan.dimensions == "1 2"
    editor.field.selectAll()
    QTest.keyClicks(editor.field, "2 4")
    QTest.keyClick(editor.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.plan.dimensions == "2 4", timeout=2000)


def test_that_errors_are_absolute_and_doubtful_dots_hollow(qtbot):
    curves = {c.key: c for c in ErrorChart().read(Survey(ROWS)).curves}
    assert set(curves) == {"ais", "importance"}, "quadrature has no figure"
    np.testing.assert_allclose(curves["ais"].y, [0.25, 2.0])
    np.testing.assert_allclose(curves["importance"].y, [FLOOR, 2.0])
    np.testing.assert_array_equal(curves["importance"].hollow, [False, True])
    assert "d = 16: 100 weights are worth 1" in curves["importance"].help


def test_that_cost_and_worth_are_read_off_the_rows(qtbot):
    cost = {c.key: c for c in CostChart().read(Survey(ROWS)).curves}
    np.testing.assert_array_equal(cost["ais"].y, [1000, 1000])
    (worth,) = WorthChart().read(Survey(ROWS)).curves
    np.testing.assert_array_equal(worth.y, [0.5, 0.01])


def test_that_each_dimension_has_its_number_on_a_logarithmic_axis(page):
    page.show_survey(Survey(ROWS))
    plot = page.charts[0]._plot
    assert [tick.text for tick in plot.settle()._chosen_ticks()] == ["2", "16"]
    assert page.charts[0].spread.x
    assert page.charts[0].spread.y


def test_that_a_hollow_dot_shows_the_ground_within(page):
    page.show_survey(Survey(ROWS))
    chart = page.charts[2]
    (x, y) = chart._plot.placed(chart.curves[0])[1]
    found = chart._plot.grab().toImage().pixelColor(QPoint(round(x), round(y)))
    panel = QColor(theme.current().palette.panel)
    assert abs(found.lightness() - panel.lightness()) < 12


def test_that_the_table_is_copied_with_every_figure_in_full(page, qtbot):
    page.show_survey(Survey(ROWS))
    QTest.mouseClick(page.findings.copy, Qt.MouseButton.LeftButton)
    heading, first, *rest = QGuiApplication.clipboard().text().splitlines()
    assert heading.split("\t")[:3] == ["method", "d", "log Z"]
    assert first.split("\t")[:7] == ["ais", "2", "1.5", "0.1", "1.25", "0.25", "1000"]
    assert rest[-1].endswith("32^16 points are more than the budget")
    QGuiApplication.clipboard().clear()
    QTest.keyClick(page.findings.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text().startswith("method\td")


def test_that_every_control_has_a_name_and_a_tip(page):
    for control in (page.methods, page.start, page.errand.stop, page.findings.copy):
        assert control.toolTip()
        assert control.accessibleName() or control.text()
