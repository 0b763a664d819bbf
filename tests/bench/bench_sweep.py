"""What a sweep gains over training its runs one after another: by batches, by processes, and by both.

.. code-block:: text

    python -m tests.bench.bench_sweep [--steps 300] [--sweeps]

The first table holds a step of one run alone against its share of a step of a batch, by the processor's clock, in turns
within one run. ``--sweeps`` adds whole sweeps of 64 runs, with exact figures and saving, by the clock on the wall.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from dataclasses import replace

import torch

from ebmlab.engine.energies import MLP
from ebmlab.session.recipe import Recipe
from ebmlab.session.session import Session
from ebmlab.session.sweep import checked, cores, loads_sweep, processes, sweep
from ebmlab.session.sweep.lanes import Lanes
from ebmlab.session.sweep.shapes import LANES, LARGEST, shape_of
from ebmlab.session.sweep.work import Job, work
from ebmlab.spec import amend

SWEEPS = {
    "dsm, width 64": {"energy": {"kind": "mlp", "width": 64}, "estimator": {"kind": "dsm"}},
    "pcd, width 32": {"energy": {"kind": "mlp", "width": 32}, "estimator": {"kind": "pcd"}},
    "the default recipe (pcd, width 128)": {},
}


def say(line):
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def share(recipe, rounds=4):
    """Returns the milliseconds of a step alone, and of a run's share in a step of a batch; the best of some rounds."""

    sessions = [Session(replace(recipe, seed=seed), "cpu") for seed in range(LANES)]
    for session in sessions:
        session.step()
    lanes = Lanes(sessions)
    lanes.step()
    alone, batched = [], []
    for _ in range(rounds):
        alone.append(clocked(sessions[0].step, 6) / 6)
        batched.append(clocked(lanes.step, 2) / 2 / LANES)
    return 1e3 * min(alone), 1e3 * min(batched)


def clocked(job, times):
    start = time.process_time()
    for _ in range(times):
        job()
    return time.process_time() - start


def steps():
    say("| estimator | " + " | ".join(f"width {width}" for width in (16, 32, 64, 128)) + " |")
    say("|---|---|---|---|---|")
    for kind in LARGEST:
        cells = []
        for width in (16, 32, 64, 128):
            recipe = replace(amend(Recipe(), "estimator", kind), energy=MLP(width=width))
            alone, batched = share(recipe)
            used = "" if shape_of(recipe) else " (not used)"
            cells.append(f"{alone:.2f} to {batched:.2f} ms, {alone / batched:.1f}x{used}")
        say(f"| `{kind}` | " + " | ".join(cells) + " |")


def whole(name, recipe, count):
    """Sweeps 64 runs by processes, then trains them one after another in this process."""

    data = {
        "format": "ebmlab-sweep",
        "recipe": recipe,
        "steps": count,
        "over": {"optimizer.rate": [1e-3, 2e-3, 3e-3, 5e-3]},
    }
    data["over"]["seed"] = {"from": 0, "count": 16}
    spec = loads_sweep(json.dumps(data))
    with tempfile.TemporaryDirectory() as out:
        start, used = time.perf_counter(), spent()
        with processes(cores()) as executor:
            rows = sweep(spec, out, executor)
        swept, swept_used = time.perf_counter() - start, spent() - used
    start, used = time.perf_counter(), spent()
    for trial in checked(spec):
        work(Job(trials=(trial,)))
    alone, alone_used = time.perf_counter() - start, spent() - used
    batch = max(row.together for row in rows)
    say(f"{name}, 64 runs of {count} steps, batches of {batch}, {cores()} processes:")
    say(f"    {alone:.0f} s one after another, {swept:.0f} s as a sweep: {alone / swept:.2f}x")
    say(f"    of processors: {alone_used:.0f} s and {swept_used:.0f} s: {alone_used / swept_used:.2f}x")


def spent():
    """Returns the processor time of this process and of those that it has started and that have ended, in seconds."""

    uses = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in uses)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--sweeps", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    steps()
    for name, recipe in SWEEPS.items() if args.sweeps else ():
        whole(name, recipe, args.steps if recipe else args.steps // 5)


if __name__ == "__main__":
    main()
