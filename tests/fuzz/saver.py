"""Saves two sessions in turn over one another until it is killed, and looks at what is left; again and again.

``saver.py FOLDER NAME TIMES SEED``
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch


def main(folder: str, name: str, times: str, seed: str) -> None:
    from ebmlab.session.archive import load_run, write_run

    torch.set_num_threads(1)
    place, rng = Path(folder) / name, random.Random(int(seed))
    runs = {float(i): run for i, run in enumerate(two_runs())}
    write_run(runs[0.0], place)
    start = time.perf_counter()
    write_run(runs[1.0], place)
    whole, found = time.perf_counter() - start, {0.0: 0, 1.0: 0}
    for _ in range(int(times)):
        killed(lambda: save_for_ever(runs, place), rng.uniform(0, 4 * whole))
        run = load_run(place)
        demand_same(run, runs[run.seconds])
        found[run.seconds] += 1
    sys.stdout.write(str(found))


def two_runs():
    from ebmlab.engine.energies import MLP
    from ebmlab.session.recipe import Recipe
    from ebmlab.session.recorder import Recorder
    from ebmlab.session.session import Session

    for seed in (0, 1):
        session = Session(Recipe(seed=seed, energy=MLP(width=64)), "cpu")
        recorder = Recorder(session)
        for _ in range(30 + 5 * seed):
            recorder.note()
            session.step()
        yield replace(recorder.run(), seconds=float(seed))


def save_for_ever(runs, place) -> None:
    from ebmlab.session.archive import write_run

    while True:
        for run in runs.values():
            write_run(run, place)


def killed(work, seconds: float) -> None:
    """Does some work in a process of its own that is killed after some seconds."""

    child = os.fork()
    if not child:
        try:
            work()
        finally:
            os._exit(1)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the saving failed before it was killed"


def demand_same(found, saved) -> None:
    assert found.recipe == saved.recipe
    assert found.state.dumps() == saved.state.dumps()
    assert [k.frame.read() for k in found.kept] == [k.frame.read() for k in saved.kept]


if __name__ == "__main__":
    main(*sys.argv[1:])
