"""What a timeline costs: in training time, in memory and on disk, and how long it takes to look back.

.. code-block:: text

    python -m tests.bench.bench_timeline [--steps 100000]
"""

from __future__ import annotations

import argparse
import resource
import sys
import time

import numpy as np
import torch

from ebmlab.session.blob import Held
from ebmlab.session.recipe import Recipe
from ebmlab.session.recorder import Recorder, Seen
from ebmlab.session.reel import Reel
from ebmlab.session.session import Session
from ebmlab.session.snapshot import Lens
from ebmlab.spec import amend


def say(line):
    sys.stdout.write(line + "\n")


def megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def cost(estimator, steps):
    """Returns the shares of the time of a step that recording takes, over some steps with and without in turns."""

    session = Session(amend(Recipe(), "estimator", estimator), "cpu")
    particles = torch.randn(1000, 2)
    recorder = Recorder(session, lambda: Seen(particles=particles))
    for _ in range(20):
        session.step()
    trained = recorded = 0.0
    for _ in range(steps):
        start = time.perf_counter()
        session.step()
        middle = time.perf_counter()
        recorder.note()
        trained, recorded = trained + middle - start, recorded + time.perf_counter() - middle
    return recorded / trained


def fill(steps):
    """Returns a recorder of a session that has gone through the steps of a long run, without training."""

    session = Session(Recipe(), "cpu")
    particles = torch.randn(1000, 2)
    recorder = Recorder(session, lambda: Seen(particles=particles.clone()))
    for _ in range(5):
        session.step()
    for step in range(5, steps + 1):
        session.count = step
        recorder.note()
    return recorder


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=100_000)
    args = parser.parse_args()
    torch.set_num_threads(1)
    for estimator, steps in (("pcd", 200), ("dsm", 600), ("nce", 600)):
        say(f"recording beside {estimator}: {100 * cost(estimator, steps):.1f} % of a step")
    before = megabytes()
    recorder = fill(args.steps)
    timeline = recorder.timeline
    held = [b for k in timeline.kept for b in (k.frame, k.state) if isinstance(b, Held)]
    memory = sum(b.size for b in held if b.in_memory) / 2**20
    say(f"{args.steps:,} steps: {len(timeline.kept)} kept, {sum(k.state is not None for k in timeline.kept)} whole")
    grown = megabytes() - before
    say(f"  {timeline.size / 2**20:.0f} MiB in all, of them {memory:.0f} in memory; the process grew by {grown:.0f}")
    reel, rng = Reel(recorder.run()), np.random.default_rng(0)
    reel.snapshot(0, Lens())
    times = []
    for step in rng.integers(0, args.steps, 60):
        start = time.perf_counter()
        reel.snapshot(int(step), Lens())
        times.append(1000 * (time.perf_counter() - start))
    say(f"  seek: median {np.median(times):.0f} ms, worst {max(times):.0f} ms")


if __name__ == "__main__":
    main()
