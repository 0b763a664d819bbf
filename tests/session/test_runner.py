from __future__ import annotations

import pickle
import threading
import time
from dataclasses import replace

import pytest
import torch

from ebmlab.engine.energies import MLP
from ebmlab.engine.estimators import PersistentContrastiveDivergence
from ebmlab.engine.samplers import UnadjustedLangevin
from ebmlab.engine.targets import Points, Ring
from ebmlab.session import orders
from ebmlab.session.archive import load_run
from ebmlab.session.checkpoint import save_run
from ebmlab.session.recipe import Recipe
from ebmlab.session.runner import Runner
from ebmlab.session.session import Session
from ebmlab.session.snapshot import Lens

SMALL = Recipe(energy=MLP(width=16), batch=32, estimator=PersistentContrastiveDivergence(steps=3))


@pytest.fixture
def start():
    runners = []

    def make(recipe=SMALL, factory=None):
        runner = Runner(recipe, "cpu", factory)
        runners.append(runner)
        runner.start()
        return runner

    yield make
    for runner in runners:
        runner.close()
        assert not runner.alive


def until(runner, condition, seconds=20.0):
    """Returns the first snapshot that meets a condition."""

    end = time.perf_counter() + seconds
    last = None
    while time.perf_counter() < end:
        if (letter := runner.snapshots.take()) is not None:
            last = letter
            if condition(letter):
                return letter
        time.sleep(0.002)
    raise AssertionError(f"no such snapshot; the last: {last and (last.step, last.status, last.reason)}")


def test_that_a_first_snapshot_comes_before_any_order(start):
    snapshot = until(start(), lambda s: True)
    assert (snapshot.step, snapshot.status) == (0, "paused")
    assert snapshot.energy is not None
    assert snapshot.target is not None


def test_that_it_runs_and_pauses_between_two_steps(start):
    runner = start()
    runner.post(orders.Play())
    until(runner, lambda s: s.step > 5 and s.status == "running")
    runner.post(orders.Pause())
    paused = until(runner, lambda s: s.status == "paused")
    time.sleep(0.1)
    runner.post(orders.Look(Lens(resolution=64)))
    assert until(runner, lambda s: True).step == paused.step


def test_that_advances_add_up(start):
    runner = start()
    runner.post(orders.Advance(3))
    runner.post(orders.Advance(2))
    assert until(runner, lambda s: s.status == "paused" and s.step > 0).step == 5


def test_that_a_run_in_a_window_has_the_weights_of_one_without(start):
    made = []

    def factory(recipe):
        made.append(Session(recipe, "cpu"))
        return made[-1]

    runner = start(factory=factory)
    runner.post(orders.Drift(True))
    runner.post(orders.Advance(40))
    until(runner, lambda s: s.status == "paused" and s.step == 40)
    runner.close()
    alone = Session(SMALL, "cpu")
    for _ in range(40):
        alone.step()
    for a, b in zip(made[0].net.parameters(), alone.net.parameters(), strict=True):
        assert a.equal(b)


def test_that_a_live_edit_keeps_the_step_and_a_new_shape_starts_afresh(start):
    runner = start()
    runner.post(orders.Advance(4))
    until(runner, lambda s: s.step == 4)
    live = replace(SMALL, target=Ring(), batch=16)
    runner.post(orders.Edit(live))
    assert until(runner, lambda s: s.recipe == live).step == 4
    wider = replace(live, energy=MLP(width=24))
    runner.post(orders.Edit(wider))
    snapshot = until(runner, lambda s: s.recipe == wider)
    assert snapshot.step == 0
    assert snapshot.parameters == 24 * 24 + 24 + 24 * 3 + 24 + 1


def test_that_a_refused_edit_says_why_and_the_old_target_stays(start, tmp_path):
    runner = start()
    runner.post(orders.Edit(replace(SMALL, target=Points(path=str(tmp_path / "gone.csv")))))
    snapshot = until(runner, lambda s: s.refusal)
    assert "gone.csv" in snapshot.refusal
    assert snapshot.recipe == SMALL
    runner.post(orders.Edit(replace(SMALL, batch=64)))
    assert until(runner, lambda s: s.recipe.batch == 64).refusal == ""


def test_that_a_run_that_diverges_pauses_with_its_reason_and_can_be_mended(start):
    wild = replace(
        SMALL,
        energy=MLP(width=16, confinement=100.0),
        estimator=PersistentContrastiveDivergence(steps=200, sampler=UnadjustedLangevin(step_size=10.0)),
    )
    runner = start(wild)
    runner.post(orders.Play())
    failed = until(runner, lambda s: s.status == "failed")
    assert "estimator.sampler.step_size" in failed.reason
    tame = replace(wild, estimator=PersistentContrastiveDivergence(steps=3, sampler=UnadjustedLangevin(step_size=1e-3)))
    runner.post(orders.Edit(tame))
    runner.post(orders.Play())
    assert until(runner, lambda s: s.status == "running" and s.step > 3).reason == ""


def test_that_an_error_in_the_program_is_a_state_and_the_thread_lives_on(start, caplog):
    class Broken(Session):
        def stages(self):
            yield from ()
            raise ZeroDivisionError("a fault of ours")

    runner = start(factory=lambda recipe: Broken(recipe, "cpu"))
    runner.post(orders.Play())
    assert "a fault of ours" in until(runner, lambda s: s.status == "failed").reason
    runner.post(orders.Look(Lens(resolution=64)))
    assert until(runner, lambda s: s.lens.resolution == 64)


def test_that_slow_motion_shows_every_stage_by_name(start):
    runner = start()
    runner.post(orders.SlowMotion(0.01))
    runner.post(orders.Play())
    seen = set()

    def done(snapshot):
        if snapshot.stage:
            seen.add(snapshot.stage.name)
        return snapshot.step == 2

    until(runner, done)
    assert {"data", "negatives", "positive", "negative", "update"} <= seen
    runner.post(orders.SlowMotion(None))
    assert until(runner, lambda s: s.step > 10).stage is None


def test_that_a_pause_in_slow_motion_ends_between_two_steps(start):
    runner = start()
    runner.post(orders.SlowMotion(5.0))
    runner.post(orders.Play())
    until(runner, lambda s: s.stage is not None)
    runner.post(orders.Pause())
    snapshot = until(runner, lambda s: s.status == "paused")
    assert (snapshot.step, snapshot.stage) == (1, None)


def test_that_the_speed_can_be_limited(start):
    runner = start()
    runner.post(orders.Speed(20.0))
    runner.post(orders.Play())
    first = until(runner, lambda s: s.step >= 1)
    begin = time.perf_counter()
    last = until(runner, lambda s: s.step >= first.step + 10)
    took = time.perf_counter() - begin
    assert took > 0.3
    assert last.step - first.step <= 20 * took + 2


def test_that_particles_move_while_paused_only_if_asked(start):
    runner = start()
    runner.post(orders.Drift(True))
    a = until(runner, lambda s: len(s.particles) > 0)
    b = until(runner, lambda s: (s.particles != a.particles).any())
    assert b.step == 0


def test_that_exact_figures_and_log_z_arrive_while_paused(start):
    snapshot = until(start(), lambda s: s.figures is not None and s.estimates)
    assert snapshot.figures.step == 0
    assert snapshot.figures.kl > 0
    estimate = snapshot.estimates[0]
    assert abs(estimate.log_z.value - snapshot.figures.log_z) < 5 * estimate.log_z.stderr + 0.1


def test_that_reset_goes_back_to_the_first_weights(start):
    runner = start()
    first = until(runner, lambda s: True)
    runner.post(orders.Advance(5))
    until(runner, lambda s: s.step == 5)
    runner.post(orders.Reset())
    again = until(runner, lambda s: s.step == 0)
    runner.post(orders.Look(first.lens))
    assert torch.equal(torch.tensor(again.energy), torch.tensor(first.energy))


def test_that_snapshots_pickle_whole(start):
    snapshot = until(start(), lambda s: s.figures is not None)
    assert pickle.loads(pickle.dumps(snapshot)).figures == snapshot.figures


def test_that_no_thread_is_left_behind():
    before = threading.active_count()
    runner = Runner(SMALL, "cpu")
    runner.start()
    runner.close()
    assert threading.active_count() == before


def test_that_a_saved_run_goes_on_from_its_weights_and_step(start, tmp_path):
    session = Session(SMALL, "cpu")
    for _ in range(3):
        session.step()
    save_run(session, tmp_path / "run.ebmlab")
    runner = start(replace(SMALL, batch=8))
    runner.post(orders.Restore(load_run(tmp_path / "run.ebmlab")))
    snapshot = until(runner, lambda s: s.step == 3)
    assert snapshot.recipe == SMALL
    x = torch.tensor([[1.0, 2.0]])
    runner.post(orders.Look(replace(snapshot.lens, window=(0.0, 2.0, 1.0, 3.0), resolution=1)))
    shown = until(runner, lambda s: s.lens.resolution == 1)
    assert shown.energy.item() == pytest.approx(session.energy(x).item(), abs=1e-5)
