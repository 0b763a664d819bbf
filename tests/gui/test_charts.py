from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QWheelEvent

from ebmlab.engine.estimators import ESTIMATORS
from ebmlab.engine.logz import LogZ
from ebmlab.gui import theme
from ebmlab.gui.views.chart import Chart
from ebmlab.gui.views.charts import Charts
from ebmlab.gui.views.legend import Entry
from ebmlab.paint import axes
from ebmlab.paint.curves import Curve, nearest, span, table, thinned, visible
from ebmlab.paint.gradient import GradientChart
from ebmlab.paint.health import HealthChart
from ebmlab.paint.likelihood import Likelihood, Objective
from ebmlab.paint.log_z import LogZChart
from ebmlab.paint.numbers import number, with_error
from ebmlab.paint.ticks import ticks
from ebmlab.session.recipe import Data, Recipe
from ebmlab.session.snapshot import Estimate, Health, Lens, Snapshot
from ebmlab.session.trace import Trace

# The platform without a screen says so of every window with a least size.


def traced(columns, *rows):
    trace = Trace(*columns)
    for row in rows:
        trace.append(*row)
    return trace.view()


def exact(n=50):
    steps = np.arange(n) * 10.0
    columns = ("step", "log_z", "error", "nll", "entropy", "kl", "train_nll", "held_out_nll")
    return traced(columns, *[(s, 2.5 + s / 1000, 0.01, 3 - s / 1000, 2.0, 1 - s / 1000, 2.9, 3.1) for s in steps])


def training(n=500, log_z=np.nan):
    return traced(("step", "value", "accept", "log_z"), *[(s, np.sin(s), 1.0, log_z) for s in range(1, n + 1)])


def snapshot(**changes):
    given = {"step": 500, "recipe": Recipe(), "lens": Lens(), "exact": exact(), "training": training()} | changes
    return Snapshot(**given)


def curves_of(source, shown):
    return {curve.key: curve for curve in source.read(shown).curves}


@pytest.fixture
def chart(qtbot):
    made = Chart(Likelihood())
    qtbot.addWidget(made)
    made.resize(360, 200)
    made.show()
    return made


def drawn(chart, shown):
    chart.take(shown, shown.step)
    chart.redraw()
    return chart


@pytest.fixture
def charts(qtbot):
    made = Charts()
    qtbot.addWidget(made)
    made.resize(340, 720)
    made.show()
    return made


def counted(charts):
    """Keeps count of who draws."""

    drawn = []
    for name, chart in charts.charts.items():
        chart.source.read = lambda s, read=chart.source.read, name=name: (drawn.append(name), read(s))[1]
    return drawn


# Thinning


def test_that_thinning_keeps_the_greatest_and_least_of_a_long_curve(rng):
    y = np.random.default_rng(0).normal(size=50_000)
    index = thinned(np.arange(len(y)), y)
    assert len(index) <= 1000
    assert {y.argmax(), y.argmin()} <= set(index)
    assert (np.diff(index) > 0).all()


def test_that_a_growing_curve_keeps_the_points_it_was_drawn_with():
    y = np.random.default_rng(0).normal(size=9000)
    before, after = set(thinned(np.arange(8200), y[:8200])), set(thinned(np.arange(9000), y))
    full = 8200 // 32 * 32
    assert {i for i in before if i < full} == {i for i in after if i < full}


def test_that_short_curves_are_drawn_point_by_point():
    assert list(thinned(np.arange(5), np.ones(5))) == [0, 1, 2, 3, 4]


def test_that_a_zoomed_curve_reaches_beyond_both_edges():
    x = np.arange(100.0)
    piece = visible(Curve(key="a", label="a", x=x, y=x), 10.5, 20.5)
    assert (piece.x[0], piece.x[-1]) == (10, 21)


def test_that_the_axis_spans_where_each_curve_is_now():
    y = np.concatenate([np.zeros(999), [50.0]])
    low, high = span([Curve(key="a", label="a", x=np.arange(1000.0), y=y)])
    assert low < 0 < 50 < high


def test_that_an_axis_without_any_finite_value_has_a_span():
    assert span([Curve(key="a", label="a", x=np.arange(3.0), y=np.full(3, np.nan))]) == (0.0, 1.0)


def test_that_the_point_nearest_to_a_step_is_read_with_its_error():
    curve = Curve(
        key="a", label="a", x=np.array([0.0, 10, 20]), y=np.array([1.0, 2, 3]), error=np.array([0.1, 0.2, 0.3])
    )
    assert nearest(curve, 14) == (10, 2, 0.2)
    assert nearest(curve, 16) == (20, 3, 0.3)
    assert nearest(curve, -5) == (0, 1, 0.1)


def test_that_copied_data_hold_every_point_and_its_error():
    curve = Curve(key="a", label="log Z", x=np.array([1.0, 2]), y=np.array([0.5, -0.25]), error=np.array([0.1, np.nan]))
    assert table([curve]) == "curve\tstep\tvalue\tstderr\nlog Z\t1\t0.5\t0.1\nlog Z\t2\t-0.25\t\n"


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [(2.55521, 0.0003, "2.5552 ± 0.0003"), (-1.5, 0.04, "−1.500 ± 0.040"), (None, 0.1, "–"), (12.3, 2.0, "12.3 ± 2.0")],
)
def test_that_figures_are_written_to_the_decimals_their_error_leaves(value, error, text):
    assert with_error(value, error) == text
    assert number(-0.5) == "−0.5"
    assert (number(1190.4, 3), number(2.5e9, 3)) == ("1,190", "2.5e+09")


# What is drawn


def test_that_the_exact_likelihood_is_ink_over_a_dashed_entropy():
    curves = curves_of(Likelihood(), snapshot())
    assert (curves["nll"].role, curves["nll"].dash) == ("exact", "solid")
    assert (curves["entropy"].role, curves["entropy"].dash) == ("muted", "dashed")
    gap = curves["nll"].y - curves["entropy"].y
    np.testing.assert_allclose(gap, curves["kl"].y)
    assert not curves["kl"].shown
    assert "KL 0.51" in Likelihood().read(snapshot()).note


@pytest.mark.parametrize(("kind", "shares"), [("mle", True), ("dsm", False), ("pcd", False)])
def test_that_only_a_likelihood_shares_the_axis_of_the_exact_one(kind, shares, qapp):
    shown = snapshot(recipe=replace(Recipe(), estimator=ESTIMATORS[kind]()))
    assert ("objective" in curves_of(Likelihood(), shown)) == shares
    assert Objective.concerns(shown) != shares


def test_that_values_of_a_former_objective_are_no_part_of_the_curve(qapp):
    source, recipes = Objective(), [replace(Recipe(), estimator=ESTIMATORS[kind]()) for kind in ("dsm", "nce")]
    assert len(curves_of(source, snapshot(recipe=recipes[0]))["objective"].x) == 500
    assert curves_of(source, snapshot(recipe=recipes[1])) == {}
    later = snapshot(recipe=recipes[1], step=520, training=training(520))
    np.testing.assert_array_equal(curves_of(source, later)["objective"].x, np.arange(501, 521))
    again = snapshot(recipe=recipes[1], step=30, training=training(30))
    assert len(curves_of(source, again)["objective"].x) == 30


def test_that_fixed_data_show_what_is_held_out():
    shown = snapshot(recipe=replace(Recipe(), data=Data(size=40)))
    curves = curves_of(Likelihood(), shown)
    assert curves["held-out"].role == curves["train"].role == "target"
    assert curves["held-out"].dash != curves["train"].dash


def test_that_each_method_of_log_z_has_its_error_as_a_band_and_its_bound_as_an_arrow():
    history = traced(("step", "value", "stderr"), (10, 2.4, 0.2), (20, 2.5, 0.1))
    estimate = Estimate(index=0, kind="ais", step=20, log_z=LogZ(2.5, 0.1, 1.0, 100, "lower", "few rungs"))
    curves = curves_of(LogZChart(), snapshot(log_z_history=(history,), estimates=(estimate,)))
    ais = curves["0-ais"]
    assert (ais.label, ais.role) == ("ais ↑", "model")
    np.testing.assert_array_equal(ais.error, [0.2, 0.1])
    assert "few rungs" in ais.help
    np.testing.assert_array_equal(curves["exact"].error, exact()["error"])
    assert curves["exact"].role == "exact"


def test_that_log_z_of_training_is_drawn_where_there_is_one():
    assert "training" not in curves_of(LogZChart(), snapshot())
    assert "training" in curves_of(LogZChart(), snapshot(training=training(log_z=2.0)))


def test_that_the_health_chart_remembers_a_run_and_forgets_it_when_it_begins_again():
    source = HealthChart()
    for step in (10, 20, 20, 30):
        source.read(snapshot(step=step, health=Health(accept=0.5, r_hat=1.2, ess=50, draws=200)))
    curves = curves_of(source, snapshot(step=30))
    np.testing.assert_array_equal(curves["ess"].x, [10, 20, 30])
    np.testing.assert_array_equal(curves["ess"].y, [0.25] * 3)
    assert curves_of(source, snapshot(step=0)) == {}


def test_that_the_gradient_chart_measures_against_one():
    meter = traced(("step", "cosine", "bias", "variance"), (1, 0.9, 0.1, 2.0))
    reading = GradientChart().read(snapshot(meter=meter))
    assert reading.guide == 1.0
    assert [c.key for c in reading.curves if c.shown] == ["cosine"]


# The widget


def test_that_an_empty_chart_says_what_will_come(chart):
    drawn(chart, snapshot(exact=None, training=None))
    assert chart._empty.isVisible()
    drawn(chart, snapshot())
    assert not chart._empty.isVisible()


def test_that_no_two_charts_are_drawn_with_one_snapshot_and_each_only_now_and_then(charts, monkeypatch):
    drawn, now = counted(charts), [100.0]
    for module in ("charts", "chart"):
        monkeypatch.setattr(f"ebmlab.gui.views.{module}.monotonic", lambda: now[0])
    times = {name: [] for name in charts.charts if name not in charts.hidden}
    for step in range(60):
        before = len(drawn)
        charts.show_snapshot(snapshot(step=step, status="running"))
        assert len(drawn) - before <= 1
        for name in drawn[before:]:
            times[name].append(now[0])
        now[0] += 1 / 30
    for seen in times.values():
        assert 4 <= len(seen) <= 5
        assert np.diff(seen).min() >= 0.4 - 1e-9


def test_that_every_chart_is_drawn_at_once_when_the_run_stops(charts):
    charts.show_snapshot(snapshot(step=1, status="running"))
    drawn = counted(charts)
    charts.show_snapshot(snapshot(step=2))
    assert sorted(drawn) == ["gradient", "health", "likelihood", "log-z", "objective"]


def test_that_every_chart_shows_the_last_snapshot_in_the_end(charts, qtbot):
    for step in (1, 2, 3):
        charts.show_snapshot(snapshot(step=step, status="running"))
    qtbot.waitUntil(lambda: not any(chart.stale for chart in charts.charts.values()), timeout=3000)


def test_that_a_note_that_grows_leaves_no_switch_of_the_legend_squashed(charts, qtbot):
    charts.resize(330, 700)
    charts.show_snapshot(snapshot(step=0))
    qtbot.wait(100)
    meter = traced(("step", "cosine", "bias", "variance"), (0, 0.68, 0.1, 2.0))
    gradient = drawn(charts.charts["gradient"], snapshot(step=0, meter=meter))
    qtbot.wait(50)
    seen = [entry for entry in gradient.findChildren(Entry) if entry.isVisible()]
    assert 0 < len(seen) < 3
    assert all(entry.width() >= entry.sizeHint().width() for entry in seen)


def test_that_the_same_snapshot_is_not_drawn_twice(charts, qtbot):
    shown = snapshot(step=1)
    charts.show_snapshot(shown)
    qtbot.waitUntil(lambda: not any(chart.stale for chart in charts.charts.values()), timeout=3000)
    drawn = counted(charts)
    charts.show_snapshot(shown)
    assert drawn == []


def test_that_a_legend_switch_takes_a_curve_away_and_back(chart):
    drawn(chart, snapshot())
    entry = chart.findChild(object, "legend-nll")
    entry.click()
    assert "nll" not in {c.key for c in chart.curves}
    entry.click()
    assert "nll" in {c.key for c in chart.curves}


def test_that_logarithmic_values_are_drawn_at_their_logarithm(chart):
    drawn(chart, snapshot())
    chart.set_spread(y=True)
    area, y = chart._plot.area, chart._plot.placed(chart.curves[0])[:, 1]
    low, high = chart._plot.painter.y
    share = (area.bottom() - y) / area.height()
    np.testing.assert_allclose(low + share * (high - low), np.log10(exact()["nll"]))


def test_that_zooming_stops_the_axes_from_following_until_they_are_told_to(chart):
    drawn(chart, snapshot())
    chart._plot.painter.set_span((100, 200), (0, 1))
    chart._plot.zoomed.emit()
    drawn(chart, snapshot(step=600))
    assert chart._plot.painter.steps() == pytest.approx((100, 200))
    chart.follow()
    assert chart._plot.painter.steps() == pytest.approx((0, 600))


def test_that_a_single_point_can_be_seen(chart):
    drawn(chart, snapshot(exact=exact(1)))
    curve = chart._plot.painter.curves[0]
    assert curve.x[0] < curve.x[1]
    assert curve.y[0] == curve.y[1] == 3.0


def test_that_the_read_out_names_step_value_and_curve(chart):
    drawn(chart, snapshot())
    chart._hover(101.0)
    assert "step 100" in chart._readout.text()
    assert "NLL 2.9" in chart._readout.text()
    chart._hover(None)
    assert not chart._readout.isVisible()


def test_that_the_visible_curves_can_be_copied_as_data_and_as_a_picture(chart):
    drawn(chart, snapshot())
    chart.copy_data()
    assert QGuiApplication.clipboard().text() == table(chart.curves)
    chart.copy_image()
    assert not QGuiApplication.clipboard().image().isNull()


def test_that_exact_curves_stay_ink_when_the_theme_changes(chart, qapp):
    drawn(chart, snapshot())
    before = theme.current()
    try:
        for palette in (theme.LIGHT, theme.DARK):
            theme.apply(qapp, theme.Theme(palette=palette))
            assert axes.pen("exact", palette).color().name() == palette.ink
            plot, curve = chart._plot, chart.curves[0]
            x, y = plot.placed(curve)[25]
            column = [plot.grab().toImage().pixelColor(round(x), round(y) + i).lightness() for i in (-1, 0, 1)]
            ink, panel = QColor(palette.ink).lightness(), QColor(palette.panel).lightness()
            assert min(abs(light - ink) for light in column) < abs(ink - panel) / 2
    finally:
        theme.apply(qapp, before)


def test_that_the_wheel_zooms_a_chart_about_the_cursor(chart, qapp):
    drawn(chart, snapshot())
    plot, at = chart._plot, QPointF(chart._plot.area.center())
    middle = np.mean(plot.painter.steps())
    none, still = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    event = QWheelEvent(at, at, QPoint(), QPoint(0, 240), none, still, Qt.ScrollPhase.NoScrollPhase, False)
    qapp.sendEvent(plot, event)
    assert np.ptp(plot.painter.steps()) == pytest.approx(500 * 0.85**2)
    assert np.mean(plot.painter.steps()) == pytest.approx(middle)
    assert not chart.painter.following


def test_that_a_drag_takes_the_curves_along_and_a_double_click_brings_them_back(chart, qtbot):
    drawn(chart, snapshot())
    plot, start = chart._plot, chart._plot.area.center().toPoint()
    qtbot.mousePress(plot, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(plot, start + QPoint(-30, 0))
    qtbot.mouseRelease(plot, Qt.MouseButton.LeftButton)
    assert plot.painter.steps()[0] == pytest.approx(30 / plot.area.width() * 500, rel=0.05)
    qtbot.mouseDClick(plot, Qt.MouseButton.LeftButton)
    assert plot.painter.steps() == pytest.approx((0, 500))


def test_that_axes_are_painted_again_only_when_their_numbers_move(chart):
    drawn(chart, snapshot())
    chart.grab()
    key = chart._plot.painter._axes.cacheKey()
    drawn(chart, snapshot(training=training(400)))
    chart.grab()
    assert chart._plot.painter._axes.cacheKey() == key
    drawn(chart, snapshot(step=900))
    chart.grab()
    assert chart._plot.painter._axes.cacheKey() != key


@pytest.mark.parametrize("wild", [np.nan, np.inf, -np.inf, 1e300])
def test_that_a_wild_figure_leaves_a_gap_and_no_complaint(chart, wild):
    rows = [(s, 2.5, 0.1, wild if s == 30 else 3.0, 2.0, 1.0, 2.9, 3.1) for s in range(0, 100, 10)]
    columns = ("step", "log_z", "error", "nll", "entropy", "kl", "train_nll", "held_out_nll")
    drawn(chart, snapshot(exact=traced(columns, *rows)))
    chart.set_spread(x=True, y=True)
    assert not chart.grab().isNull()


@pytest.mark.parametrize(
    ("ends", "most", "log", "texts"),
    [
        ((0, 1), 4, False, ["0.0", "0.5", "1.0"]),
        ((0, 2500), 3, False, ["0", "1,000", "2,000"]),
        ((-0.3, 0.3), 7, False, ["−0.3", "−0.2", "−0.1", "0.0", "0.1", "0.2", "0.3"]),
        ((0, 4), 5, True, ["1", "10", "100", "1000", "10000"]),
        ((np.log10(2.05), np.log10(4.9)), 4, True, ["3", "4"]),
        ((1, 1), 4, False, []),
        ((np.nan, 1), 4, False, []),
    ],
)
def test_that_ticks_are_round_and_few(ends, most, log, texts):
    made = ticks(*ends, most, log)
    assert [tick.text for tick in made] == texts
    assert all(ends[0] - 1e-9 <= tick.at <= ends[1] + 1e-9 for tick in made)


def test_that_the_objective_has_a_chart_only_where_it_is_no_likelihood(charts):
    charts.show_snapshot(snapshot(recipe=replace(Recipe(), estimator=ESTIMATORS["mle"]())))
    assert charts.charts["objective"].isHidden()
    charts.show_snapshot(snapshot(recipe=replace(Recipe(), estimator=ESTIMATORS["dsm"]())))
    assert not charts.charts["objective"].isHidden()
    charts.choose("objective", False)
    assert charts.charts["objective"].isHidden()
