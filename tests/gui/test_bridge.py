from __future__ import annotations

import gc
from queue import SimpleQueue

import pytest

from ebmlab.gui.bridge import Bridge
from ebmlab.gui.sweeper import Sweeper
from ebmlab.session.mailbox import Mailbox
from ebmlab.session.orders import Play
from ebmlab.session.recipe import Recipe
from ebmlab.session.run import Capture, Run
from ebmlab.session.snapshot import Lens, Snapshot


class Stub:
    """A runner without a thread."""

    def __init__(self):
        self.orders, self.captures, self.snapshots = SimpleQueue(), SimpleQueue(), Mailbox()
        self.started = self.closed = False

    def start(self):
        self.started = True

    def close(self):
        self.closed = True


def snapshot(step=0, **changes):
    return Snapshot(step=step, recipe=Recipe(), lens=Lens(), **changes)


@pytest.fixture
def runner():
    return Stub()


@pytest.fixture
def bridge(runner, qapp):
    made = Bridge(runner)
    yield made
    made.close()


def test_that_the_newest_snapshot_arrives_once(runner, bridge, qtbot):
    seen = []
    bridge.arrived.connect(lambda s: seen.append(s.step))
    bridge.start()
    runner.snapshots.put(snapshot(1))
    runner.snapshots.put(snapshot(2))
    qtbot.waitUntil(lambda: bool(seen), timeout=1000)
    qtbot.wait(60)
    assert seen == [2]
    assert runner.started


def test_that_every_run_that_is_handed_out_arrives_even_at_the_end(runner, bridge):
    seen = []
    bridge.captured.connect(lambda capture: seen.append(capture.name))
    for name in ("save", ""):
        runner.captures.put(Capture(name, Run(recipe=Recipe())))
    bridge.poll()
    runner.captures.put(Capture("last", Run(recipe=Recipe())))
    bridge.close()
    assert seen == ["save", "", "last"]


def test_that_a_run_that_was_asked_for_goes_to_whoever_asked(runner, bridge):
    mine, others = [], []
    bridge.captured.connect(lambda capture: others.append(capture.name))
    bridge.ask(mine.append)
    order = runner.orders.get_nowait()
    run = Run(recipe=Recipe(), step=7)
    runner.captures.put(Capture(order.name, run))
    runner.captures.put(Capture("save", run))
    bridge.poll()
    assert mine == [run]
    assert others == ["save"]


def test_that_a_reason_that_holds_no_more_is_told(runner, bridge):
    mended = []
    bridge.mended.connect(mended.append)
    for reason in ("", "diverged", "diverged", ""):
        runner.snapshots.put(snapshot(1, reason=reason))
        bridge.poll()
    assert mended == ["diverged"]


def test_that_a_failure_is_told_once_for_as_long_as_it_lasts(runner, bridge):
    reasons = []
    bridge.stopped.connect(reasons.append)
    for reason in ("diverged", "diverged", "", "diverged"):
        runner.snapshots.put(snapshot(status="failed" if reason else "paused", reason=reason))
        bridge.poll()
    assert reasons == ["diverged", "diverged"]


def test_that_orders_reach_the_runner_and_closing_ends_it(runner, bridge):
    bridge.post(Play())
    assert runner.orders.get_nowait() == Play()
    bridge.close()
    assert runner.closed


def test_that_the_sweeper_collects_in_place_of_the_automatic_collector(qapp):
    class Node:
        pass

    before = gc.isenabled()
    sweeper = Sweeper()
    try:
        assert not gc.isenabled()
        for _ in range(3000):
            node = Node()
            node.me = node
        count = gc.get_count()[0]
        sweeper.sweep()
        assert gc.get_count()[0] < count
    finally:
        sweeper.close()
    assert gc.isenabled() == before
