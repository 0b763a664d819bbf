"""What is seen of a session, against what it is."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from ebmlab.engine.energies import MLP, Quadratic
from ebmlab.engine.estimators import MaximumLikelihood, PersistentContrastiveDivergence
from ebmlab.engine.logz import AIS, Quadrature, ReverseAIS
from ebmlab.engine.samplers import UnadjustedLangevin
from ebmlab.engine.targets import Gaussian, Ring, TwoModes
from ebmlab.engine.window import Lattice
from ebmlab.session.recipe import Data, Recipe
from ebmlab.session.session import Session
from ebmlab.session.snapshot import Lens
from ebmlab.session.watch import State, Watch

SMALL = Recipe(energy=MLP(width=16), batch=32, estimator=PersistentContrastiveDivergence(steps=3))
EVERYTHING = Lens(fields=frozenset({"energy", "target", "score", "target-score"}), quiver=5)


def studied(session):
    watch = Watch(session)
    while watch.pending:
        watch.study()
    return watch


def test_that_fields_lie_on_the_lattice_in_rows_from_bottom_to_top():
    session = Session(SMALL, "cpu")
    lens = replace(EVERYTHING, window=(-2.0, 3.0, -1.0, 4.0))
    snapshot = Watch(session).snapshot(lens, 7, State())
    x = Lattice(lens.window, 7, 7).points().reshape(7, 7, 2)
    assert x[0, 0, 1] < x[6, 0, 1]
    assert x[0, 0, 0] < x[0, 6, 0]
    with torch.no_grad():
        np.testing.assert_allclose(snapshot.energy, session.net(x), atol=1e-5)
    np.testing.assert_allclose(snapshot.target, session.density.log_density(x.double()), atol=1e-4)
    coarse = Lattice(lens.window, 5, 5).points()
    grad = session.net.value_and_grad(coarse)[1].reshape(5, 5, 2)
    np.testing.assert_allclose(snapshot.score, -grad, atol=1e-6)


def test_that_the_target_score_is_that_of_its_density():
    session = Session(replace(SMALL, target=Gaussian(covariance=((2, 0), (0, 0.5)))), "cpu")
    snapshot = Watch(session).snapshot(EVERYTHING, 8, State())
    x = Lattice(EVERYTHING.window, 5, 5).points().reshape(5, 5, 2).numpy()
    np.testing.assert_allclose(snapshot.target_score, -x / np.array([2, 0.5]), rtol=1e-5, atol=1e-6)


def test_that_a_lens_that_asks_for_nothing_gets_nothing():
    snapshot = Watch(Session(SMALL, "cpu")).snapshot(Lens(fields=frozenset()), 8, State())
    assert snapshot.energy is snapshot.target is snapshot.score is None


def test_that_the_target_is_computed_once_and_again_after_it_changes():
    session = Session(SMALL, "cpu")
    watch = Watch(session)
    first = watch.snapshot(EVERYTHING, 8, State()).target
    session.step()
    assert watch.snapshot(EVERYTHING, 8, State()).target is first
    session.edit(replace(SMALL, target=Ring()))
    watch.edited()
    assert watch.snapshot(EVERYTHING, 8, State()).target is not first


def test_that_live_figures_agree_with_the_precise_ones():
    session = Session(replace(SMALL, target=TwoModes()), "cpu")
    for _ in range(5):
        session.step()
    found, truth = studied(session).snapshot(Lens(), 8, State()).figures, session.evaluate()
    assert found.step == truth.step == 5
    for name in ("log_z", "nll", "entropy", "kl", "fisher"):
        assert getattr(found, name) == pytest.approx(getattr(truth, name), abs=1e-4, rel=1e-4)
    assert found.nll - found.entropy == pytest.approx(found.kl, abs=1e-6)


def test_that_the_shown_log_z_is_of_this_very_step_not_of_the_last_figures():
    session = Session(replace(SMALL, estimator=MaximumLikelihood()), "cpu")
    watch = studied(session)
    before = watch.snapshot(Lens(), 64, State()).log_z
    for _ in range(30):
        session.step()
    snapshot = watch.snapshot(Lens(), 64, State())
    assert snapshot.figures.step == 0
    truth = session.evaluate().log_z
    assert abs(before - truth) > 0.1
    assert snapshot.log_z == pytest.approx(truth, abs=0.1 * abs(before - truth))


def test_that_an_energy_without_a_normaliser_shows_none():
    flat = Recipe(energy=Quadratic(confinement=0.0), batch=16)
    session = Session(flat, "cpu")
    with torch.no_grad():
        for p in session.net.parameters():
            p.zero_()
    snapshot = studied(session).snapshot(Lens(), 16, State())
    assert not snapshot.figures.normalisable
    assert snapshot.log_z is None
    assert snapshot.figures.kl is None


def test_that_every_method_of_log_z_reports_and_the_sandwich_holds_the_truth():
    recipe = replace(SMALL, log_z=(AIS(rungs=30), ReverseAIS(rungs=30), Quadrature()))
    snapshot = studied(Session(recipe, "cpu")).snapshot(Lens(), 8, State())
    low, high, exact = (e.log_z for e in snapshot.estimates)
    assert [e.kind for e in snapshot.estimates] == ["ais", "reverse-ais", "quadrature"]
    assert exact.value == pytest.approx(snapshot.figures.log_z, abs=1e-4)
    assert low.value - 4 * low.stderr < exact.value < high.value + 4 * high.stderr
    assert [len(series) for series in snapshot.log_z_history] == [1, 1, 1]


def test_that_editing_one_method_of_log_z_keeps_the_history_of_the_others():
    recipe = replace(SMALL, log_z=(AIS(rungs=5), Quadrature()))
    session = Session(recipe, "cpu")
    watch = studied(session)
    session.edit(replace(recipe, log_z=(AIS(rungs=6), Quadrature())))
    watch.edited()
    assert [len(series) for series in watch.snapshot(Lens(), 8, State()).log_z_history] == [0, 1]


def test_that_held_out_points_are_judged_beside_the_training_points():
    recipe = replace(SMALL, data=Data(size=50), target=Gaussian())
    session = Session(recipe, "cpu")
    exact = studied(session).snapshot(Lens(), 8, State()).exact
    log_z = exact["log_z"][0]
    with torch.no_grad():
        assert exact["train_nll"][0] == pytest.approx(session.net(session.pool.train).mean().item() + log_z, abs=1e-5)
        assert exact["held_out_nll"][0] == pytest.approx(
            session.net(session.pool.held_out).mean().item() + log_z, abs=1e-5
        )


def test_that_fresh_data_have_no_held_out_figure():
    exact = studied(Session(SMALL, "cpu")).snapshot(Lens(), 8, State()).exact
    assert math.isnan(exact["held_out_nll"][0])


def test_that_the_gradient_of_exact_likelihood_is_its_own_truth():
    session = Session(replace(SMALL, target=Gaussian(), estimator=MaximumLikelihood(), batch=4096), "cpu")
    session.step()
    reading = studied(session).snapshot(Lens(), 8, State()).gradient
    assert reading.cosine > 0.99


def test_that_health_tells_the_stability_and_where_the_particles_are():
    recipe = replace(SMALL, target=TwoModes(), sampler=UnadjustedLangevin(step_size=0.1))
    session = Session(recipe, "cpu")
    watch = studied(session)
    for _ in range(60):
        watch.drift(100)
    health = watch.snapshot(Lens(), 8, State()).health
    assert sum(health.occupancy) == pytest.approx(1)
    assert len(health.occupancy) == 2
    curvature = watch.snapshot(Lens(), 8, State()).figures.curvature
    assert health.stability == pytest.approx(0.1 * curvature / 2)
    assert health.accept == 1
    assert health.r_hat > 0.9
    assert 0 < health.ess <= health.draws * 2


def test_that_another_target_leaves_log_z_and_withholds_what_compares_with_the_old_one():
    session = Session(SMALL, "cpu")
    watch = studied(session)
    before = watch.snapshot(Lens(), 16, State())
    session.edit(replace(SMALL, target=Ring()))
    watch.edited()
    after = watch.snapshot(Lens(), 16, State())
    assert after.log_z == pytest.approx(before.log_z)
    assert after.figures.log_z == before.figures.log_z
    assert after.figures.kl is after.figures.nll is after.figures.entropy is None
    assert dict(after.figures.why)["kl"] == "the target has just changed"
    while watch.pending:
        watch.study()
    assert watch.snapshot(Lens(), 16, State()).figures.kl > 0
