"""Runs trained in one batch are the runs that they would have been alone."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from ebmlab.engine.energies import ENERGIES as ALL_ENERGIES
from ebmlab.engine.energies import MLP
from ebmlab.engine.estimators import ESTIMATORS
from ebmlab.engine.optimizers import SGD, Adam
from ebmlab.engine.samplers import SAMPLERS as ALL_SAMPLERS
from ebmlab.engine.targets import Ring, TwoMoons
from ebmlab.session.recipe import Data, Recipe
from ebmlab.session.session import Session
from ebmlab.session.sweep.lanes import Lanes
from ebmlab.session.sweep.shapes import ENERGIES, LANES, LARGEST, SAMPLERS, jobs, shape_of
from ebmlab.session.sweep.spec import Trial
from ebmlab.session.sweep.work import Job, work
from ebmlab.spec import amend

STEPS = 12
BASE = Recipe(energy=MLP(width=8), batch=32)


def alone(recipe, steps=STEPS):
    session = Session(recipe, "cpu")
    for _ in range(steps):
        session.step()
    return session


def together(recipes, steps=STEPS):
    sessions = [alone(recipe, 1) for recipe in recipes]
    lanes = Lanes(sessions)
    for _ in range(steps - 1):
        lanes.step()
    lanes.hand_back()
    assert bool(lanes.sound.all())
    return sessions


def assert_same(one, other, tolerance=2e-6):
    assert one.count == other.count
    weights = other.net.state_dict()
    for name, w in one.net.state_dict().items():
        torch.testing.assert_close(w, weights[name], rtol=0, atol=tolerance, msg=name)
    torch.testing.assert_close(one.data, other.data, rtol=0, atol=0)
    torch.testing.assert_close(one.negatives, other.negatives, rtol=1e-4, atol=1e-4)
    rows = (torch.from_numpy(session.trace.view().rows.copy()) for session in (one, other))
    torch.testing.assert_close(*rows, rtol=1e-4, atol=1e-4, equal_nan=True)


def seeds(recipe, n=3):
    return [replace(recipe, seed=seed) for seed in range(n)]


@pytest.mark.parametrize("kind", LARGEST)
def test_that_an_estimator_trains_the_same_in_a_batch(kind):
    recipes = seeds(amend(BASE, "estimator", kind))
    for recipe, session in zip(recipes, together(recipes)):
        assert_same(alone(recipe), session)


@pytest.mark.parametrize("kind", sorted(ENERGIES))
@pytest.mark.parametrize("estimator", ["dsm", "nce", "pcd"])
def test_that_an_energy_trains_the_same_in_a_batch(kind, estimator):
    recipes = seeds(amend(amend(BASE, "energy", kind), "estimator", estimator), 2)
    for recipe, session in zip(recipes, together(recipes, 5)):
        assert_same(alone(recipe, 5), session)


@pytest.mark.parametrize("kind", sorted(SAMPLERS))
def test_that_a_sampler_moves_the_same_in_a_batch(kind):
    recipes = seeds(amend(amend(BASE, "estimator", "pcd"), "estimator.sampler", kind), 2)
    for recipe, session in zip(recipes, together(recipes)):
        assert_same(alone(recipe), session)


@pytest.mark.parametrize("reduction", ["antithetic", "taylor"])
def test_that_the_ways_of_dsm_train_the_same_in_a_batch(reduction):
    recipe = amend(amend(BASE, "estimator", "dsm"), "estimator.levels", "3")
    recipes = seeds(amend(recipe, "estimator.variance_reduction", reduction), 2)
    for recipe, session in zip(recipes, together(recipes)):
        assert_same(alone(recipe), session)


def test_that_targets_data_and_optimisers_may_differ_in_a_batch():
    recipe = amend(BASE, "estimator", "nce")
    recipes = [
        replace(recipe, target=TwoMoons(), optimizer=Adam(rate=1e-3)),
        replace(recipe, target=Ring(), optimizer=Adam(rate=1e-2)),
        replace(recipe, data=Data(size=20), optimizer=Adam(rate=1e-2)),
        replace(recipe, optimizer=SGD(rate=1e-2, momentum=0.9)),
        replace(recipe, optimizer=SGD(rate=1e-3)),
    ]
    assert len({shape_of(recipe) for recipe in recipes}) == 1
    for recipe, session in zip(recipes, together(recipes)):
        assert_same(alone(recipe), session)


def test_that_a_session_goes_on_alone_from_where_the_batch_left_it():
    recipes = seeds(amend(BASE, "estimator", "nce"))
    for recipe, session in zip(recipes, together(recipes)):
        for _ in range(5):
            session.step()
        assert_same(alone(recipe, STEPS + 5), session)


def trials(recipes, steps=STEPS):
    return [Trial(name=f"{i:03}", recipe=recipe, steps=steps, knobs=()) for i, recipe in enumerate(recipes)]


def batches(recipes, device="cpu", has=lambda name: False):
    return [[trial.name for trial in job.trials] for job in jobs(trials(recipes), device, has)]


def test_that_only_runs_of_one_shape_share_a_batch():
    dsm, pcd = amend(BASE, "estimator", "dsm"), amend(BASE, "estimator", "pcd")
    mixed = [
        dsm,
        pcd,
        replace(dsm, seed=1),
        replace(pcd, seed=1),
        replace(dsm, batch=16),
        amend(BASE, "estimator", "mle"),
    ]
    assert batches(mixed) == [["000", "002"], ["001", "003"], ["004"], ["005"]]


def test_that_what_gains_nothing_is_trained_alone():
    assert shape_of(amend(Recipe(), "estimator", "pcd")) is None
    assert shape_of(amend(BASE, "estimator", "ism")) is None
    assert shape_of(amend(BASE, "energy", "flow")) is None
    assert shape_of(amend(BASE, "estimator.sampler", "nuts")) is None
    assert batches(seeds(amend(BASE, "estimator", "dsm")), device="cuda") == [["000"], ["001"], ["002"]]


def test_that_what_is_left_of_a_batch_stays_together():
    recipes = seeds(amend(BASE, "estimator", "dsm"), 2 * LANES + 1)
    whole = batches(recipes)
    assert [len(batch) for batch in whole] == [LANES, LANES, 1]
    ended = {"000", *whole[1]}
    assert batches(recipes, has=ended.__contains__) == [whole[0][1:], whole[2]]


def test_that_a_run_that_diverges_in_a_batch_ends_as_it_would_alone(quick_figures):
    recipe = amend(BASE, "estimator", "pcd")
    wild = [replace(recipe, seed=seed, optimizer=SGD(rate=rate)) for seed, rate in enumerate((1e-3, 10.0, 1e-3))]
    found = work(Job(trials=tuple(trials(wild, 30))))
    rows = [outcome.tried for outcome in found]
    assert [row.diverged for row in rows] == [False, True, False]
    (lone,) = work(Job(trials=(trials(wild, 30)[1],)))
    assert rows[1].why == lone.tried.why != ""
    assert rows[1].steps == lone.tried.steps < 30
    assert [row.together for row in rows] == [3, 1, 3]
    kept = [work(Job(trials=(trials(wild, 30)[i],)))[0].tried for i in (0, 2)]
    for row, other in zip((rows[0], rows[2]), kept):
        assert math.isclose(row.figure("kl"), other.figure("kl"), rel_tol=1e-4)


def test_that_every_kind_named_for_batches_exists():
    assert set(LARGEST) <= set(ESTIMATORS)
    assert set(ENERGIES) <= set(ALL_ENERGIES)
    assert set(SAMPLERS) <= set(ALL_SAMPLERS)


@pytest.fixture
def quick_figures(monkeypatch):
    from ebmlab.engine.oracle import evaluate, reference

    def coarse(energy, density, window, step=0):
        return evaluate(energy, reference(density, window, 64), step)

    monkeypatch.setattr("ebmlab.session.session.evaluate_precisely", coarse)
