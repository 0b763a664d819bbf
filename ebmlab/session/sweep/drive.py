"""Runs a sweep: hands its work to an executor, and keeps what comes back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, wait
from contextlib import nullcontext

from ebmlab.session.sweep.executors import cores, processes
from ebmlab.session.sweep.folder import Folder
from ebmlab.session.sweep.plan import checked
from ebmlab.session.sweep.shapes import jobs
from ebmlab.session.sweep.spec import Sweep
from ebmlab.session.sweep.work import Job, Outcome, work
from ebmlab.session.tried import Tried

Report = Callable[[int, int], None]
"""Is told how many runs have ended, of how many."""


def sweep(
    spec: Sweep,
    out: str | os.PathLike[str],
    executor: Executor | None = None,
    device: str = "cpu",
    report: Report = lambda done, total: None,
) -> list[Tried]:
    """Trains every run of a sweep that has not ended yet, and returns what all of them have come to, in order.

    A run that diverges is a result like any other. What has ended is kept at once and whole, so a sweep that was killed
    goes on where it was, and ends with the same results, bit for bit.

    Arguments:
        spec: What is swept.
        out: The folder that the results are kept in.
        executor: Who does the work; None for as many processes as there are cores.
        device: Where each run is trained.
        report: Is told how many runs have ended, of how many, at the beginning and with each further one.

    Raises:
        BadInput: If a run cannot be made, or the folder holds something else or is in use.
    """

    trials = checked(spec)
    folder = Folder(out)
    with folder.locked():
        folder.begin(spec, trials)
        work_left = jobs(trials, device, folder.has)
        done = len(trials) - sum(len(job.trials) for job in work_left)
        report(done, len(trials))
        if work_left:
            with nullcontext(executor) if executor else processes(min(cores(), len(work_left))) as at_work:
                for outcome in _outcomes(at_work, work_left):
                    folder.add(outcome)
                    done += 1
                    report(done, len(trials))
        return folder.rows(trial.name for trial in trials)


def _outcomes(executor: Executor, todo: Sequence[Job]) -> Iterator[Outcome]:
    """Yields what comes of the work as soon as it has ended; gives back what has not begun if nobody wants it."""

    left = {executor.submit(work, job) for job in todo}
    try:
        while left:
            ended, left = wait(left, return_when=FIRST_COMPLETED)
            for future in ended:
                yield from future.result()
    finally:
        for future in left:
            future.cancel()
