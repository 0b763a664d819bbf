"""The chart of log Z between two bounds, and swap rates in that of the sampler's health."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor, QGuiApplication

from ebmlab.engine.logz import Slice
from ebmlab.gui import theme
from ebmlab.gui.views.chart import Chart
from ebmlab.gui.views.charts import Charts
from ebmlab.paint.axes import colour
from ebmlab.paint.curves import Curve, span
from ebmlab.paint.health import HealthChart
from ebmlab.paint.sandwich import SandwichChart
from ebmlab.session.recipe import Recipe
from ebmlab.session.snapshot import Health, Lens, Sandwiched, Snapshot

RUNGS = (5, 20, 80, 320)
SLICES = tuple(
    Slice(n, below=2.0 - 9 / n, above=2.0 + 6 / n, low=2.0 - 3 / n, low_error=0.1, high=2.0 + 2 / n, high_error=0.05,
          evaluations=100) for n in RUNGS
)  # fmt: skip
FOUND = Sandwiched(step=40, slices=SLICES, log_z=2.0, error=1e-6)


def snapshot(**changes):
    return Snapshot(**({"step": 50, "recipe": Recipe(), "lens": Lens()} | changes))


@pytest.fixture
def chart(qtbot):
    made = Chart(SandwichChart())
    qtbot.addWidget(made)
    made.resize(380, 220)
    made.show()
    return made


def drawn(chart, shown):
    chart.take(shown, shown.step)
    chart.redraw()
    return chart


def test_that_the_exact_value_lies_between_orange_from_below_and_violet_from_above(chart):
    curves = {c.key: c for c in SandwichChart().read(snapshot(sandwich=FOUND)).curves}
    assert [curves[k].role for k in ("exact", "low", "high")] == ["exact", "model", "second"]
    assert (curves["low"].y < 2.0).all()
    assert (curves["high"].y > 2.0).all()
    np.testing.assert_array_equal(curves["low"].error, [0.1] * 4)
    np.testing.assert_array_equal(curves["below"].y, [2.0 - 9 / n for n in RUNGS])
    assert not curves["below"].shown
    assert tuple(curves["exact"].x) == (5, 320)


def test_that_the_axis_of_rungs_is_logarithmic_and_has_a_number_at_each(chart):
    drawn(chart, snapshot(sandwich=FOUND))
    plot = chart._plot
    assert chart.spread.x
    assert [tick.text for tick in plot.settle()._chosen_ticks()] == ["5", "20", "80", "320"]
    x = plot.placed(next(c for c in chart.curves if c.key == "low"))[:, 0]
    np.testing.assert_allclose(np.diff(x), np.diff(x)[0], rtol=1e-6)
    assert plot.area.left() < x[0] < x[-1] < plot.area.right()


def test_that_the_note_tells_the_gap_and_whose_weights_these_are(chart):
    drawn(chart, snapshot(sandwich=FOUND))
    assert chart.reading.note == "gap 0.016 · step 40", "the run is at step 50 by now"
    drawn(chart, snapshot(sandwich=Sandwiched(step=1, why="the energy does not grow far out")))
    assert chart.reading.note == "no exact value"
    assert chart._empty.isVisible()


def test_that_a_single_slice_is_a_dot(chart):
    drawn(chart, snapshot(sandwich=Sandwiched(step=40, slices=SLICES[:1], log_z=2.0)))
    low = next(c for c in chart.curves if c.key == "low")
    x, y = chart._plot.placed(low)[0]
    image = chart._plot.grab().toImage()
    assert _near(image.pixelColor(QPoint(round(x), round(y))), colour("model", theme.current().palette))


def _near(found: QColor, wanted: QColor) -> bool:
    return math.dist(found.getRgb()[:3], wanted.getRgb()[:3]) < 60


def test_that_hovering_and_copying_name_rungs(chart, qtbot):
    drawn(chart, snapshot(sandwich=FOUND))
    x, y = chart._plot.placed(next(c for c in chart.curves if c.key == "low"))[1]
    for beside in (3, 0):
        qtbot.mouseMove(chart._plot, QPoint(round(x) + beside, round(y)))
    qtbot.waitUntil(lambda: "rungs 20" in chart._readout.text(), timeout=2000)
    chart.copy_data()
    assert QGuiApplication.clipboard().text().startswith("curve\trungs\tvalue\tstderr\n")


def test_that_the_sandwich_is_wanted_only_while_it_can_be_seen(qtbot):
    charts = Charts()
    qtbot.addWidget(charts)
    charts.resize(340, 720)
    said = []
    charts.sandwich_wanted.connect(said.append)
    charts.show()
    assert charts.charts["sandwich"].isHidden()
    assert True not in said
    charts.choose("sandwich", True)
    assert said[-1] is True
    charts.hide()
    assert said[-1] is False
    charts.show()
    assert said[-1] is True
    charts.choose("sandwich", False)
    assert said[-1] is False


def test_that_the_cursor_over_steps_leaves_the_axis_of_rungs_alone(qtbot):
    charts = Charts()
    qtbot.addWidget(charts)
    charts.charts["likelihood"].hovered.emit(10.0)
    assert charts.charts["log-z"]._plot.painter._cursor == 10.0
    assert charts.charts["sandwich"]._plot.painter._cursor is None


def test_that_a_logarithmic_axis_spans_small_values_and_skips_none_above_zero():
    curve = Curve(key="a", label="a", x=np.arange(4.0), y=np.array([1e-4, 0.0, 1e-2, 1.0]))
    low, high = span([curve], log=True)
    assert 1e-5 < low < 1e-4
    assert 1.0 < high < 10.0


# Swaps


def test_that_swaps_of_replicas_are_a_curve_of_their_mean_and_listed_in_the_note(qtbot):
    source = HealthChart()
    source.read(snapshot(step=10, health=Health(accept=0.7, r_hat=1.01, swaps=(0.8, 0.6, 0.4))))
    reading = source.read(snapshot(step=20, health=Health(accept=0.7, r_hat=1.01, swaps=(0.9, 0.6, 0.3))))
    swap = next(c for c in reading.curves if c.key == "swap")
    np.testing.assert_allclose(swap.y, [0.6, 0.6])
    assert (swap.role, swap.dash) == ("model", "dashed")
    assert reading.note == "R̂ 1.01 · swaps .90 .60 .30"
    assert "coldest first: .90 .60 .30" in swap.help


def test_that_many_swap_rates_are_told_by_the_least_and_the_greatest(qtbot):
    rates = tuple(k / 10 for k in range(1, 9))
    reading = HealthChart().read(snapshot(step=10, health=Health(accept=0.7, swaps=rates)))
    assert reading.note == "swaps .10–.80"
    assert ".10 .20 .30" in next(c for c in reading.curves if c.key == "swap").help


def test_that_a_sampler_without_replicas_has_no_curve_of_swaps(qtbot):
    reading = HealthChart().read(snapshot(step=10, health=Health(accept=0.7, r_hat=1.2)))
    assert "swap" not in {c.key for c in reading.curves}
    assert reading.note == "R̂ 1.2"
