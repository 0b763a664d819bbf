import math

import numpy as np
import pytest
from fakes import LOG_Z, energy, lattice, log_target, snapshot

from ebmlab.engine.oracle import Evaluation
from ebmlab.paint.fields import Fields, probe, slope
from ebmlab.paint.histogram import DECAY, Histogram
from ebmlab.paint.overlays import arrows
from ebmlab.paint.projection import Projection
from ebmlab.paint.readout import exp, readout
from ebmlab.paint.shapes import path
from ebmlab.paint.shows import SHOWS, number
from ebmlab.session.snapshot import Lens

LENS = Lens(resolution=128)
WINDOW = LENS.window


def test_that_densities_follow_from_energy_log_z_and_log_target():
    fields = Fields(snapshot(LENS))
    x, y = lattice(WINDOW, 128)
    cell = (12 / 128) ** 2
    np.testing.assert_allclose(fields.model, np.exp(-(x**2 + y**2) / 2) / (2 * math.pi))
    assert fields.model.sum() * cell == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(fields.difference, fields.model - np.exp(log_target(x, y)))
    assert fields.top == 0.5  # the target's peak is 1 / pi
    assert fields.floor == pytest.approx(-3, abs=0.01)


def test_that_an_unchanged_target_is_not_made_again():
    first = snapshot(LENS)
    before = Fields(first)
    target = before.target
    assert Fields(snapshot(LENS, target=first.target), before).target is target
    assert Fields(snapshot(LENS), before).target is not target


@pytest.mark.parametrize("log_z", [None, math.inf, math.nan])
def test_that_there_is_no_model_density_without_a_normaliser(log_z):
    figures = Evaluation(normalisable=False, why=(("log_z", "mass escapes"),))
    fields = Fields(snapshot(LENS, log_z=log_z, figures=figures))
    assert fields.model is None
    assert fields.difference is None
    for kind in ("model", "difference"):
        note = SHOWS[kind].picture(fields, True).note
        assert "cannot be normalised" in note
        assert "mass escapes" in note


@pytest.mark.parametrize("figures", [None, Evaluation(normalisable=True)])
@pytest.mark.parametrize("kind", ["model", "difference"])
def test_that_a_log_z_that_is_still_to_come_is_not_called_impossible(kind, figures):
    fields = Fields(snapshot(LENS, log_z=None, figures=figures))
    assert SHOWS[kind].picture(fields, True).note == "the exact log Z is on its way"
    assert "not normalisable" not in " ".join(readout(fields, (0.0, 0.0)))


def test_that_contour_lines_of_the_model_begin_at_its_peak():
    fields = Fields(snapshot(LENS))
    shown = SHOWS["model"].picture(fields, True)
    assert shown.at[-1] == pytest.approx(float(fields.log_model.max()) - 2)
    assert fields.target_peak == float(fields.snapshot.target.max())


def test_that_both_densities_have_the_same_levels():
    fields = Fields(snapshot(LENS))
    target, model = (SHOWS[kind].picture(fields, True) for kind in ("target", "model"))
    assert target.levels == model.levels
    assert target.bar == ("0", "0.5")


def test_that_a_density_beyond_its_colours_says_so():
    fields = Fields(snapshot(LENS, log_z=LOG_Z - 3))
    assert SHOWS["model"].picture(fields, True).bar[1] == "≥ 0.5"


def test_that_energies_have_colours_for_twelve_nats_and_a_line_every_two():
    shown = SHOWS["energy"].picture(Fields(snapshot(LENS)), True)
    assert shown.levels.low - shown.levels.high == pytest.approx(12)
    np.testing.assert_allclose(np.diff(shown.at), 2)
    assert shown.at[0] == pytest.approx(shown.levels.high + 2)


def test_that_a_probe_is_exact_for_bilinear_fields():
    x, y = lattice(WINDOW, 40)
    assert probe(1 + 2 * x - y + 0.5 * x * y, WINDOW, (1.234, -2.345)) == pytest.approx(
        1 + 2 * 1.234 + 2.345 - 0.5 * 1.234 * 2.345
    )
    assert probe(x, WINDOW, (6.1, 0.0)) is None
    assert probe(None, WINDOW, (0.0, 0.0)) is None


def test_that_a_probe_next_to_nothing_takes_the_nearest_value():
    x, _ = lattice(WINDOW, 40)
    field = np.where(x > 0, -np.inf, x)
    assert probe(field, WINDOW, (0.05, 0.0)) == -np.inf
    assert probe(field, WINDOW, (-0.05, 0.0)) == pytest.approx(-0.15)


def test_that_the_slope_of_a_quadratic_is_exact_at_a_cell_centre():
    x, y = lattice(WINDOW, 120)
    assert slope(energy(x, y), WINDOW, (0.95, -0.35)) == pytest.approx((0.95, -0.35))
    assert slope(x, WINDOW, (5.99, 0.0)) is None


def test_that_the_read_out_has_the_figures_of_the_point():
    x, y = 0.515625, -1.078125  # a cell centre, where nothing is interpolated
    text = " ".join(readout(Fields(snapshot(LENS)), (x, y)))
    log_model = -energy(x, y) - LOG_Z
    assert "0.52, −1.08" in text
    assert f"E {energy(x, y):.3g}".replace("-", "−") in text
    assert f"log pθ {log_model:.3g}".replace("-", "−") in text
    assert "score −0.516, 1.08" in text
    assert f"target p {math.exp(log_target(x, y)):.3g}" in text
    assert f"p/pθ {math.exp(log_target(x, y) - log_model):.3g}" in text


def test_that_the_read_out_owns_up_to_what_is_not_known():
    text = " ".join(readout(Fields(snapshot(LENS, log_z=None, figures=Evaluation())), (0.0, 0.0)))
    assert "not normalisable" in text
    assert "p/pθ" not in text
    assert readout(Fields(snapshot(LENS)), (9.0, 9.0)) == ("9.00, 9.00",)
    assert exp(1e4) == math.inf


def test_that_the_histogram_is_a_density_over_time():
    counts = Histogram()
    first, second = np.array([[0.05, 0.05]] * 3 + [[50.0, 0.0]]), np.array([[2.05, 0.05]] * 4)
    counts.count(snapshot(LENS, particles=first))
    cell = (12 / 64) ** 2
    assert counts.density.sum() * cell == pytest.approx(3 / 4)
    counts.count(snapshot(LENS, particles=second))
    total = 4 * DECAY + 4
    assert counts.total == pytest.approx(total)
    assert sorted(counts.density[counts.density > 0] * cell) == pytest.approx([3 * DECAY / total, 4 / total])


def test_that_the_histogram_counts_no_particle_twice_and_forgets_another_window():
    counts, still = Histogram(), snapshot(LENS)
    assert counts.density is None
    counts.count(still)
    before = counts.total
    counts.count(still)
    assert counts.total == before
    counts.count(snapshot(Lens(window=(0.0, 1.0, 0.0, 1.0))))
    assert counts.total == 500


def test_that_an_arrow_points_along_its_vector_and_never_beyond_a_cell():
    projection = Projection((-6.0, 6.0, -6.0, 6.0), 600, 600)
    at = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])
    made = arrows(at, np.array([[3.0, 4.0], [np.nan, 0.0], [1e9, 0.0]]), 0.5, projection)
    assert made.shape == (2, 5, 2)
    step = made[0, 1] - made[0, 0]
    np.testing.assert_allclose(step, 50 * 0.5 * np.array([3, -4]) / 6)
    assert np.linalg.norm(made[1, 1] - made[1, 0]) == pytest.approx(25)


def test_that_a_projection_fills_the_pane_at_one_scale():
    projection = Projection.fit((-6.0, 6.0, -6.0, 6.0), 600, 300)
    assert projection.window == (-12.0, 12.0, -6.0, 6.0)
    assert projection.plane(projection.pixel((1.5, -2.0))) == pytest.approx((1.5, -2.0))
    np.testing.assert_allclose(projection.pixels(np.array([[-12.0, 6.0], [0.0, 0.0]])), [[0, 0], [300, 150]])


def test_that_arrays_reach_qt_unchanged():
    points = np.array([[1.5, 2.5], [-3.0, 4.0], [5.0, 6.0]])
    lines = path([points[:2], points])
    elements = [lines.elementAt(i) for i in range(lines.elementCount())]
    assert [(e.x, e.y) for e in elements] == [tuple(p) for p in (*points[:2], *points)]
    assert [e.isMoveTo() for e in elements] == [True, False, True, False, False]
    assert path([]).isEmpty()


@pytest.mark.parametrize(("value", "text"), [(-0.5, "−0.5"), (0.0, "0"), (-0.0, "0"), (12345.0, "1.23e+04")])
def test_that_numbers_have_three_digits_and_a_true_minus(value, text):
    assert number(value) == text
