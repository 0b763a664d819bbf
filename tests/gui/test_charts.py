from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtGui import QGuiApplication

from ebmlab.engine.estimators import ESTIMATORS
from ebmlab.engine.logz import LogZ
from ebmlab.gui import theme
from ebmlab.gui.numbers import number, with_error
from ebmlab.gui.views.chart import Chart
from ebmlab.gui.views.charts import Charts
from ebmlab.gui.views.curves import Curve, nearest, span, table, thinned, visible
from ebmlab.gui.views.gradient import GradientChart
from ebmlab.gui.views.health import HealthChart
from ebmlab.gui.views.likelihood import Likelihood, Objective
from ebmlab.gui.views.log_z import LogZChart
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
    chart.show_snapshot(shown)
    chart.redraw()
    return chart


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
    assert Objective.concerns(shown) == (kind == "dsm")


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


def test_that_redraws_are_at_least_a_fifth_of_a_second_apart(chart, qtbot):
    count = []
    chart.source.read = lambda s, read=chart.source.read: (count.append(1), read(s))[1]
    qtbot.wait(250)
    for step in range(30):
        chart.show_snapshot(snapshot(step=step))
        qtbot.wait(10)
    assert 1 <= len(count) <= 3


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
    _, y = chart._plot._lines["nll"].getData()
    np.testing.assert_allclose(y, np.log10(exact()["nll"]))


def test_that_zooming_stops_the_axes_from_following_until_they_are_told_to(chart):
    drawn(chart, snapshot())
    chart._plot.getViewBox().setRange(xRange=(100, 200), padding=0)
    chart._plot.zoomed.emit()
    drawn(chart, snapshot(step=600))
    assert chart._plot.steps() == pytest.approx((100, 200))
    chart.follow()
    assert chart._plot.steps() == pytest.approx((0, 600))


def test_that_a_single_point_can_be_seen(chart):
    drawn(chart, snapshot(exact=exact(1)))
    x, y = chart._plot._lines["nll"].getData()
    assert x[0] < x[1]
    assert y[0] == y[1] == 3.0


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
    for palette in (theme.LIGHT, theme.DARK):
        theme.apply(qapp, theme.Theme(palette=palette))
        assert chart._plot._lines["nll"].opts["pen"].color().name() == palette.ink


def test_that_the_objective_has_a_chart_only_where_it_is_no_likelihood(qtbot):
    charts = Charts()
    qtbot.addWidget(charts)
    charts.show()
    charts.show_snapshot(snapshot())
    assert charts.charts["objective"].isHidden()
    charts.show_snapshot(snapshot(recipe=replace(Recipe(), estimator=ESTIMATORS["dsm"]())))
    assert not charts.charts["objective"].isHidden()
    charts.choose("objective", False)
    assert charts.charts["objective"].isHidden()
