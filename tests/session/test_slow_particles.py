"""Slow motion of the particles' transitions: every stage, one path of code, and training none the wiser."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from ebmlab.engine.energies import MLP
from ebmlab.engine.estimators import PersistentContrastiveDivergence
from ebmlab.engine.samplers import (
    SAMPLERS,
    HamiltonianMonteCarlo,
    MetropolisLangevin,
    ParallelTempering,
    UnadjustedLangevin,
)
from ebmlab.engine.types import Stage
from ebmlab.session import orders
from ebmlab.session.course import FEW, Course
from ebmlab.session.recipe import Recipe
from ebmlab.session.runner import Runner
from ebmlab.session.session import Session
from ebmlab.session.snapshot import Lens
from ebmlab.session.watch import State, Watch

SMALL = Recipe(energy=MLP(width=8, depth=1), batch=16, estimator=PersistentContrastiveDivergence(steps=2), log_z=())
LENS = Lens(fields=frozenset(), particles=60)


@pytest.fixture
def runner():
    made = Runner(replace(SMALL, sampler=MetropolisLangevin(step_size=0.5)), "cpu")
    made.start()
    made.post(orders.Look(LENS))
    yield made
    made.close()
    assert not made.alive


def until(runner, condition, seconds=20.0):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        if (snapshot := runner.snapshots.take()) is not None and condition(snapshot):
            return snapshot
        time.sleep(0.002)
    raise AssertionError("no such snapshot")


def shown(sampler):
    """Returns a snapshot at every stage of one transition, and one after it."""

    watch = Watch(Session(replace(SMALL, sampler=sampler), "cpu"))
    watch.drift(LENS.particles)
    seen = [
        watch.snapshot(LENS, 8, State(stage=(i, stage), moving=True))
        for i, stage in enumerate(watch.stages(LENS.particles))
    ]
    return [*seen, watch.snapshot(LENS, 8, State())]


@pytest.mark.parametrize("kind", SAMPLERS)
def test_that_particles_end_where_they_would_have_unseen(kind):
    slow, fast = (Watch(Session(replace(SMALL, sampler=SAMPLERS[kind]()), "cpu")) for _ in range(2))
    for _ in range(2):
        stages = [stage.name for stage in slow.stages(50)]
        fast.drift(50)
    assert stages
    ends = [watch.snapshot(LENS, 8, State()).particles for watch in (slow, fast)]
    np.testing.assert_array_equal(*ends)


def test_that_leaps_add_up_to_unbroken_ways():
    *stages, after = shown(HamiltonianMonteCarlo(leaps=4))
    assert [s.stage.name for s in stages] == ["proposal"] * 4 + ["accepted"]
    assert [len(s.stage.ways.lines) for s in stages] == [FEW * k for k in (1, 2, 3, 4, 4)]
    ways = stages[3].stage.ways
    for particle in range(FEW):
        line = ways.lines[ways.owner == particle]
        np.testing.assert_array_equal(line[0, 0], stages[0].particles[particle])
        np.testing.assert_array_equal(line[1:, 0], line[:-1, 1])
    assert stages[-1].stage.ways.fresh == 0
    assert not np.array_equal(after.particles, stages[-1].particles)


def test_that_those_sent_back_are_told_from_those_that_went():
    *stages, after = shown(MetropolisLangevin(step_size=2.0))
    ways = stages[-1].stage.ways
    moved = (after.particles[:FEW] != stages[0].particles[:FEW]).any(-1)
    np.testing.assert_array_equal(ways.taken, moved)
    assert 0 < moved.sum() < FEW, "a step size at which some are sent back"
    assert stages[0].stage.ways.taken.all(), "nobody knows before the test"


def test_that_of_the_replicas_the_coldest_are_followed():
    first, second, *_ = shown(ParallelTempering(replicas=3))
    ways = first.stage.ways
    np.testing.assert_array_equal(ways.lines[:, 0], first.particles[:FEW])
    assert len(ways.lines) == len(second.stage.ways.lines) == FEW


def test_that_lines_belong_to_whom_has_been_where_they_begin():
    x = torch.tensor([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]])
    course = Course(x)
    course.follow(Stage("proposal", "", x + 0.5, x))
    course.follow(Stage("proposal", "", torch.tensor([[3.0, 3.0]]), x[1:2] + 0.5))
    ways = course.ways()
    assert list(ways.owner) == [0, 1, 2, 1]
    assert ways.fresh == 1
    course.follow(Stage("accepted", "", torch.tensor([[0.5, 0.5], [3.0, 3.0], [2.0, 0.0]]), x))
    assert list(course.ways().taken) == [True, True, False, True]
    course.follow(Stage("proposal", "", x, torch.tensor([[0.5, 0.5], [3.0, 3.0], [2.0, 0.0]])))
    assert list(course.ways().owner) == [0, 1, 2], "a new part of the transition begins anew"


def test_that_a_paused_run_shows_the_stages_of_the_sampler_and_stays_at_its_step(runner):
    runner.post(orders.SlowMotion(0.02))
    runner.post(orders.Drift(True))
    seen = []

    def done(snapshot):
        if snapshot.stage is not None:
            seen.append(snapshot.stage)
        return len(seen) >= 6

    assert until(runner, done).step == 0
    assert {stage.name for stage in seen} == {"proposal", "accepted"}
    assert all(stage.ways is not None for stage in seen)
    runner.post(orders.Drift(False))
    assert until(runner, lambda s: s.stage is None).status == "paused"


def test_that_a_beat_goes_on_to_the_next_stage_at_once(runner):
    runner.post(orders.SlowMotion(60.0))
    runner.post(orders.Drift(True))
    first = until(runner, lambda s: s.stage is not None)
    assert (first.stage.name, first.stage.index) == ("proposal", 0)
    runner.post(orders.Beat())
    second = until(runner, lambda s: s.stage is not None and s.stage.index == 1)
    np.testing.assert_array_equal(second.particles, first.particles)
    runner.post(orders.Beat())
    third = until(runner, lambda s: s.stage is not None and s.stage.index == 0)
    assert not np.array_equal(third.particles, first.particles), "the transition is over, the next has begun"


def test_that_training_takes_slow_motion_over_and_hands_it_back(runner):
    runner.post(orders.SlowMotion(0.02))
    runner.post(orders.Drift(True))
    until(runner, lambda s: s.stage is not None and s.stage.ways is not None)
    runner.post(orders.Advance(1))
    until(runner, lambda s: s.stage is not None and s.stage.name == "data" and s.stage.ways is None)
    after = until(runner, lambda s: s.step == 1 and s.stage is not None and s.stage.ways is not None)
    assert after.status == "paused"


def test_that_an_edit_in_the_middle_of_a_transition_takes_effect_with_the_next(runner):
    runner.post(orders.SlowMotion(60.0))
    runner.post(orders.Drift(True))
    until(runner, lambda s: s.stage is not None)
    runner.post(orders.Edit(replace(SMALL, sampler=UnadjustedLangevin())))
    runner.post(orders.Beat())
    snapshot = until(runner, lambda s: s.stage is not None and s.recipe.sampler == UnadjustedLangevin())
    assert "kicked by noise." in snapshot.stage.text


def test_that_slow_particles_change_no_bit_of_training():
    plain, seen = (Session(SMALL, "cpu") for _ in range(2))
    watch = Watch(seen)
    for _ in range(3):
        plain.step()
        seen.step()
        for _ in watch.stages(40):
            pass
    for a, b in zip(plain.net.parameters(), seen.net.parameters(), strict=True):
        assert torch.equal(a, b)
