from __future__ import annotations

import queue
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from ebmlab.engine.energies import MLP
from ebmlab.engine.estimators import DenoisingScoreMatching, PersistentContrastiveDivergence
from ebmlab.engine.targets import Ring
from ebmlab.session import orders
from ebmlab.session.recipe import Recipe
from ebmlab.session.recorder import Recorder
from ebmlab.session.reel import Reel, log_z_of
from ebmlab.session.replay import replay
from ebmlab.session.runner import Runner
from ebmlab.session.session import Session
from ebmlab.session.snapshot import Lens
from ebmlab.session.timeline import Moment

SMALL = Recipe(energy=MLP(width=12), batch=24, estimator=PersistentContrastiveDivergence(steps=2))
LENS = Lens(resolution=32, particles=50)


@pytest.fixture
def start():
    runners = []

    def make(recipe=SMALL):
        runner = Runner(recipe, "cpu")
        runners.append(runner)
        runner.start()
        runner.post(orders.Look(LENS))
        return runner

    yield make
    for runner in runners:
        runner.close()
        assert not runner.alive


def until(runner, condition, seconds=20.0):
    """Returns the first snapshot that meets a condition."""

    end, last = time.perf_counter() + seconds, None
    while time.perf_counter() < end:
        if (letter := runner.snapshots.take()) is not None:
            last = letter
            if condition(letter):
                return letter
        time.sleep(0.002)
    raise AssertionError(f"no such snapshot; the last: {last and (last.step, last.status, last.refusal)}")


def trained(runner, steps):
    runner.post(orders.Advance(steps))
    return until(runner, lambda s: s.status == "paused" and s.step == steps)


def handed_out(runner, name="here"):
    runner.post(orders.Keep(name))
    while (capture := runner.captures.get(timeout=20)).name != name:
        pass
    return capture.run


def alone(recipe, steps, edits=()):
    session = Session(recipe, "cpu")
    edits = dict(edits)
    for step in range(steps):
        if step in edits:
            session.edit(edits[step])
        session.step()
    return session


def same(weights, session):
    mine = session.net.state_dict()
    return all(torch.equal(w, mine[name]) for name, w in weights.items())


def finished(pieces):
    while True:
        try:
            next(pieces)
        except StopIteration as end:
            return end.value


def test_that_a_step_of_the_past_is_shown_with_its_own_weights(start):
    runner = start()
    trained(runner, 40)
    runner.post(orders.Recall(20))
    past = until(runner, lambda s: s.past)
    assert (past.step, past.end, past.status) == (20, 40, "paused")
    session = alone(SMALL, 20)
    left, right, bottom, _ = LENS.window
    cell = (right - left) / past.energy.shape[0]
    corner = torch.tensor([[left + cell / 2, bottom + cell / 2]])
    assert past.energy[0, 0] == pytest.approx(session.energy(corner).item(), abs=1e-5)
    assert past.training["step"][-1] == 20


def test_that_the_present_comes_back(start):
    runner = start()
    trained(runner, 12)
    runner.post(orders.Recall(3))
    until(runner, lambda s: s.past)
    runner.post(orders.Recall(None))
    assert until(runner, lambda s: not s.past).step == 12


@pytest.mark.parametrize("order", [orders.Advance(1), orders.Edit(replace(SMALL, batch=30))], ids=["advance", "edit"])
def test_that_going_on_leads_back_to_the_present(start, order):
    runner = start()
    trained(runner, 12)
    runner.post(orders.Recall(3))
    until(runner, lambda s: s.past)
    runner.post(order)
    assert until(runner, lambda s: not s.past).step >= 12


def test_that_training_goes_on_behind_the_past(start):
    runner = start()
    trained(runner, 10)
    runner.post(orders.Play())
    until(runner, lambda s: s.step > 11)
    runner.post(orders.Recall(5))
    first = until(runner, lambda s: s.past)
    later = until(runner, lambda s: s.past and s.end > first.end)
    assert (later.step, later.status) == (5, "running")


def test_that_looking_back_changes_no_bit(start):
    runner = start()
    trained(runner, 15)
    for step in (0, 7, 10):
        runner.post(orders.Recall(step))
        until(runner, lambda s, step=step: s.past and s.step <= step)
    runner.post(orders.Advance(15))
    until(runner, lambda s: s.step == 30 and s.status == "paused")
    assert same(handed_out(runner).weights, alone(SMALL, 30))


def test_that_a_pinned_step_lies_beside_the_shown_one(start):
    runner = start()
    trained(runner, 20)
    runner.post(orders.Pin(5))
    shown = until(runner, lambda s: s.pinned is not None)
    assert (shown.step, shown.pinned.step) == (20, 5)
    assert shown.pinned.energy.shape == shown.energy.shape
    assert not np.array_equal(shown.pinned.energy, shown.energy)
    runner.post(orders.Pin(None))
    until(runner, lambda s: s.pinned is None)


def test_that_a_moment_keeps_its_name(start):
    runner = start()
    trained(runner, 23)
    runner.post(orders.Name(Moment(23, "here", "first look")))
    shown = until(runner, lambda s: s.moments)
    assert shown.moments == (Moment(23, "here", "first look"),)
    assert 23 in shown.kept
    assert handed_out(runner).moments == shown.moments


def test_that_a_fork_stands_where_the_run_was(start):
    runner = start()
    trained(runner, 60)
    runner.post(orders.Fork(35))
    until(runner, lambda s: s.step == 35 and s.status == "paused" and not s.past)
    run = handed_out(runner)
    assert same(run.weights, alone(SMALL, 35))
    assert run.kept[-1].step == 35


def test_that_a_fork_goes_on_as_the_run_did(start):
    runner = start()
    trained(runner, 60)
    runner.post(orders.Fork(35))
    until(runner, lambda s: s.step == 35 and s.status == "paused")
    runner.post(orders.Advance(25))
    until(runner, lambda s: s.step == 60 and s.status == "paused")
    assert same(handed_out(runner).weights, alone(SMALL, 60))


def test_that_a_fork_may_take_another_estimator(start):
    runner, other = start(), replace(SMALL, estimator=DenoisingScoreMatching())
    trained(runner, 40)
    runner.post(orders.Fork(33))
    runner.post(orders.Edit(other))
    runner.post(orders.Advance(10))
    until(runner, lambda s: s.recipe == other and s.step > 33 and s.status == "paused")
    run = handed_out(runner)
    assert same(run.weights, alone(SMALL, run.step, edits=[(run.log[1][0], other)]))


def test_that_a_fork_makes_the_edits_on_its_way(start):
    runner, other = start(), replace(SMALL, target=Ring())
    trained(runner, 36)
    runner.post(orders.Edit(other))
    until(runner, lambda s: s.recipe == other)
    runner.post(orders.Advance(30))
    until(runner, lambda s: s.step == 66 and s.status == "paused")
    runner.post(orders.Fork(45))
    until(runner, lambda s: s.step == 45 and s.status == "paused")
    run = handed_out(runner)
    assert run.recipe == other
    assert same(run.weights, alone(SMALL, 45, edits=[(36, other)]))


def test_that_the_run_left_behind_is_handed_out(start):
    runner = start()
    trained(runner, 30)
    for order in (orders.Fork(10), orders.Reset()):
        runner.post(order)
    left = [runner.captures.get(timeout=20) for _ in range(2)]
    assert [(c.name, c.run.step) for c in left] == [("", 30), ("", 10)]


def test_that_a_closed_runner_hands_out_what_it_had(start):
    runner = start()
    trained(runner, 5)
    runner.close()
    assert runner.captures.get_nowait().run.step == 5
    with pytest.raises(queue.Empty):
        runner.captures.get_nowait()


def test_that_a_restored_run_goes_on_as_if_never_stopped(start):
    runner = start()
    trained(runner, 20)
    run = handed_out(runner)
    runner.post(orders.Restore(run))
    shown = until(runner, lambda s: s.status == "paused" and s.kept and s.step == 20)
    assert len(shown.training) == 20
    runner.post(orders.Advance(15))
    until(runner, lambda s: s.step == 35 and s.status == "paused")
    assert same(handed_out(runner, "again").weights, alone(SMALL, 35))


def test_that_a_replay_comes_out_the_same(start):
    runner, other = start(), replace(SMALL, target=Ring(), batch=40)
    trained(runner, 26)
    runner.post(orders.Edit(other))
    runner.post(orders.Advance(14))
    until(runner, lambda s: s.step == 40 and s.status == "paused")
    runner.post(orders.Look(LENS))
    until(runner, lambda s: s.exact is not None and len(s.exact))
    session, verdict = finished(replay(handed_out(runner), "cpu"))
    assert verdict.same
    assert verdict.steps == session.count == 40
    assert verdict.weights > 15
    assert verdict.figures >= 3 * 40


def test_that_a_replay_says_where_a_run_was_tampered_with(start):
    runner = start()
    trained(runner, 30)
    run = handed_out(runner)
    weights = {name: w + 1e-3 for name, w in run.weights.items()}
    _, verdict = finished(replay(replace(run, weights=weights), "cpu"))
    assert [d.step for d in verdict.differences] == [30]
    assert verdict.differences[0].most == pytest.approx(1e-3, rel=1e-3)
    assert "the file was changed" in verdict.why
    _, verdict = finished(replay(replace(run, weights=weights, versions={**run.versions, "torch": "1.0"}), "cpu"))
    assert "torch 1.0 then" in verdict.why


def test_that_a_reel_gives_the_exact_log_z_of_each_step(start):
    runner = start()
    trained(runner, 20)
    reel = Reel(handed_out(runner))
    session = alone(SMALL, 10)
    shown = reel.snapshot(10, LENS)
    assert log_z_of(session.net, SMALL.window) == pytest.approx(session.evaluate().log_z, abs=1e-5)
    assert shown.log_z == pytest.approx(session.evaluate().log_z, abs=2e-2)


def test_that_the_particles_of_a_film_flow_while_a_frame_stands():
    session = Session(SMALL, "cpu")
    recorder = Recorder(session)
    recorder.note()
    for _ in range(10):
        session.step()
        recorder.note()
    reel = Reel(recorder.run())
    shown = list(reel.play([5, 5, 5, 10], LENS))
    assert [s.step for s in shown] == [5, 5, 5, 10]
    assert shown[0].energy is shown[1].energy
    assert not np.array_equal(shown[0].particles, shown[1].particles)
    again = list(Reel(recorder.run()).play([5, 5, 5, 10], LENS))
    assert all(np.array_equal(a.particles, b.particles) for a, b in zip(shown, again, strict=True))


def test_that_figures_that_nobody_took_are_found_out_afterwards():
    session = Session(SMALL, "cpu")
    recorder = Recorder(session)
    recorder.note()
    for _ in range(20):
        session.step()
        recorder.note()
    reel = Reel(recorder.run())
    assert reel.snapshot(20, LENS).figures is None
    finished(reel.complete())
    shown = reel.snapshot(20, LENS)
    assert shown.figures.kl == pytest.approx(session.evaluate().kl, rel=1e-3)
    assert len(shown.exact) > 5
