"""Bounds of log Z from both sides, as a study that runs only while somebody wants it."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
import torch

from ebmlab.engine.energies import MLP, Quadratic
from ebmlab.engine.estimators import PersistentContrastiveDivergence
from ebmlab.engine.logz import AIS
from ebmlab.engine.samplers import MetropolisLangevin, ParallelTempering
from ebmlab.session import orders
from ebmlab.session import sandwich as module
from ebmlab.session.recipe import Recipe
from ebmlab.session.runner import Runner
from ebmlab.session.session import Session
from ebmlab.session.snapshot import Lens
from ebmlab.session.watch import EVERY, State, Watch

LADDER = AIS(particles=32, sampler=MetropolisLangevin(step_size=0.3))
SMALL = Recipe(
    energy=MLP(width=8, depth=1), batch=16, estimator=PersistentContrastiveDivergence(steps=2), log_z=(LADDER,)
)
WANTED = Lens(fields=frozenset(), sandwich=True)


def watched(session, lens=WANTED, pieces=10**6):
    watch = Watch(session)
    watch.look(lens)
    while watch.pending and pieces:
        watch.study()
        pieces -= 1
    return watch


@pytest.fixture
def short(monkeypatch):
    """Few rungs, so that a sandwich takes a tenth of a second."""

    original = module.sandwich
    monkeypatch.setattr(module, "sandwich", lambda *given, **more: original(*given, rungs=(5, 10, 40), **more))


def test_that_a_sandwich_holds_the_exact_log_z_of_its_own_step(short):
    session = Session(SMALL, "cpu")
    for _ in range(3):
        session.step()
    snapshot = watched(session).snapshot(WANTED, 8, State())
    found = snapshot.sandwich
    assert (found.step, [s.rungs for s in found.slices]) == (3, [5, 10, 40])
    assert found.log_z == pytest.approx(session.evaluate().log_z, abs=1e-4)
    for s in found.slices:
        assert s.below <= s.low < found.log_z + 4 * s.low_error
        assert s.above >= s.high > found.log_z - 4 * s.high_error
    widths = [s.above - s.below for s in found.slices]
    assert widths[-1] < widths[0], "more rungs close in"


def test_that_no_sandwich_is_made_unless_it_is_asked_for(short):
    watch = watched(Session(SMALL, "cpu"), Lens())
    assert watch.snapshot(Lens(), 8, State()).sandwich is None
    watch.look(WANTED)
    assert watch.pending
    watch.look(Lens())
    assert not watch.pending


def test_that_slices_are_shown_one_by_one(short):
    watch = watched(Session(SMALL, "cpu"), pieces=0)
    seen = []
    while watch.pending:
        fresh, sandwich = watch.study(), watch.snapshot(WANTED, 8, State()).sandwich
        if sandwich is not None and (not seen or seen[-1] is not sandwich):
            assert fresh, "whoever draws is told"
            seen.append(sandwich)
    assert [len(s.slices) for s in seen] == [1, 2, 3]


def test_that_an_energy_without_a_normaliser_has_no_sandwich_but_a_reason():
    session = Session(Recipe(energy=Quadratic(confinement=0.0), batch=16, log_z=()), "cpu")
    with torch.no_grad():
        for p in session.net.parameters():
            p.zero_()
    found = watched(session).snapshot(WANTED, 8, State()).sandwich
    assert found.slices == ()
    assert "log Z grows" in found.why


def test_that_a_sandwich_changes_no_bit_of_training(short):
    plain, seen = Session(SMALL, "cpu"), Session(SMALL, "cpu")
    watch = watched(seen)
    for _ in range(4):
        plain.step()
        seen.step()
        watch.study()
    for a, b in zip(plain.net.parameters(), seen.net.parameters(), strict=True):
        assert torch.equal(a, b)


def test_that_the_runner_makes_one_while_the_lens_asks_and_again_after_a_reset(short):
    runner = Runner(replace(SMALL, log_z=()), "cpu")
    runner.start()
    try:
        runner.post(orders.Look(WANTED))
        found = _until(runner, lambda s: s.sandwich is not None and len(s.sandwich.slices) == 3)
        assert found.step == found.sandwich.step == 0
        runner.post(orders.Advance(2))
        runner.post(orders.Reset())
        _until(runner, lambda s: s.step == 0 and s.sandwich is not None and s.sandwich is not found.sandwich)
    finally:
        runner.close()


def test_that_health_tells_the_swaps_of_each_pair_of_replicas():
    watch = Watch(Session(replace(SMALL, sampler=ParallelTempering(replicas=4)), "cpu"))
    for _ in range(EVERY):
        watch.drift(50)
    swaps = watch.snapshot(Lens(fields=frozenset()), 8, State()).health.swaps
    assert len(swaps) == 3
    assert all(0 < rate <= 1 for rate in swaps)


def _until(runner, condition):
    end = time.perf_counter() + 20
    while time.perf_counter() < end:
        snapshot = runner.snapshots.take()
        if snapshot is not None and condition(snapshot):
            return snapshot
        time.sleep(0.005)
    raise AssertionError("no such snapshot")
