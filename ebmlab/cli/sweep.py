from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence, Sized
from concurrent.futures import BrokenExecutor, Executor
from contextlib import AbstractContextManager, closing, nullcontext
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ebmlab.assets import sweeps
from ebmlab.cli.main import INTERRUPTED, Failed
from ebmlab.cli.output import Progress, number, show_json, table
from ebmlab.record.sweep import CSV, PAGE, PARQUET, columns, save_csv, save_page, save_parquet
from ebmlab.record.sweep_pictures import draw_models, save_pages
from ebmlab.session.sweep import Folder, Sweep, Trial, checked, cluster, cores, forecast, load_sweep, processes, said
from ebmlab.session.sweep import sweep as perform
from ebmlab.session.tried import Tried
from ebmlab.spec import BadInput

AGAIN = "the same command goes on from there"
PICTURES = "pictures.png"
BEST = 10
"""How many runs are shown at the end."""


def run(args: argparse.Namespace) -> int:
    """Trains a recipe over the values of its knobs, and lays the results side by side."""

    os.environ.setdefault("OMP_NUM_THREADS", "1")  # of the processes to come
    spec = load_sweep(_path(args.sweep))
    trials = checked(spec)
    if args.dry_run:
        return _list(spec, trials, args.json)
    if args.out is None:
        raise BadInput("there is no folder for the results; give -o DIR, or --dry-run", key="-o")
    folder = Folder(args.out)
    todo = [trial for trial in trials if not folder.has(trial.name)]
    start = time.perf_counter()
    try:
        with _executor(args) if todo else nullcontext() as executor:
            print(_ahead(todo, trials, args), file=sys.stderr if args.json else sys.stdout, flush=True)
            with closing(Bar()) as bar:
                rows = perform(spec, args.out, executor, args.device, bar)
    except KeyboardInterrupt:
        done = sum(map(folder.has, (trial.name for trial in trials)))
        print(f"ebmlab: interrupted; {done} of {len(trials)} runs are kept, and {AGAIN}", file=sys.stderr)
        return INTERRUPTED
    except BrokenExecutor:
        raise Failed(f"a process that trained was killed, perhaps for want of memory; {AGAIN}") from None
    files = _write(rows, args)
    answer = _answer(rows, len(todo), time.perf_counter() - start, files)
    show_json(answer) if args.json else _show(rows, answer, Path(args.out))
    return 0


class Bar:
    """The bar of a sweep, with the time that is left."""

    def __init__(self) -> None:
        self._start, self._before = time.perf_counter(), 0
        self._progress: Progress | None = None

    def __call__(self, done: int, total: int) -> None:
        """Takes note of how many runs have ended, at first those that had before."""

        if self._progress is None:
            self._progress, self._before = Progress(total, "runs"), done
        new = done - self._before
        left = (total - done) * (time.perf_counter() - self._start) / new if new else None
        self._progress(done, "" if left is None else f"{_time(left)} left")

    def close(self) -> None:
        """Clears the line."""

        if self._progress is not None:
            self._progress.close()


def _path(name: str) -> str | Path:
    """Returns the file of a sweep, or of the example of that name.

    Raises:
        BadInput: If there is neither.
    """

    if Path(name).exists() or Path(name).suffix:
        return name
    examples = sweeps()
    if name not in examples:
        near = " or ".join(get_close_matches(name, examples, n=2) or examples)
        raise BadInput(f"there is no such file, nor an example of that name; did you mean {near}?", source=name[:200])
    return examples[name]


def _ahead(todo: Sequence[Trial], trials: Sequence[Trial], args: argparse.Namespace) -> str:
    """Says how much there is to do."""

    ended = f", {len(trials) - len(todo)} of which have ended" if len(todo) < len(trials) else ""
    if not todo:
        return f"{_count(trials)}, all of which have ended"
    seconds = forecast(todo, args.device)
    jobs = min(_jobs(args), len(todo))
    share = "" if args.executor or jobs == 1 else f", {_time(seconds / jobs)} on {jobs} processes"
    return f"{_count(trials)}{ended}; at most about {_time(seconds)} one after another{share}"


def _executor(args: argparse.Namespace) -> AbstractContextManager[Executor]:
    return cluster(args.executor) if args.executor else processes(_jobs(args))


def _jobs(args: argparse.Namespace) -> int:
    return args.jobs or cores()


def _write(rows: Sequence[Tried], args: argparse.Namespace) -> list[str]:
    """Writes table, pages of pictures and the page for a browser; returns their names."""

    out, title = Path(args.out), Path(args.sweep).stem
    progress = Progress(len(rows), "pictures")
    pictures = []
    for picture in draw_models(rows):
        pictures.append(picture)
        progress(len(pictures))
    progress.close()
    save_csv(rows, out / CSV)
    parquet = save_parquet(rows, out / PARQUET)
    pages = save_pages(rows, pictures, title, out / PICTURES)
    save_page(rows, pictures, title, out / PAGE)
    more = [f"pictures-{i}.png" for i in range(2, pages + 1)]
    return [CSV, *([PARQUET] if parquet else []), PICTURES, *more, PAGE]


def _answer(rows: Sequence[Tried], trained: int, seconds: float, files: Sequence[str]) -> dict[str, Any]:
    found = columns(rows)
    return {
        "runs": len(rows),
        "trained": trained,
        "diverged": sum(row.diverged for row in rows),
        "seconds": seconds,
        "files": list(files),
        "rows": [dict(zip(found, row)) for row in zip(*found.values())],
    }


def _show(rows: Sequence[Tried], answer: dict[str, Any], out: Path) -> None:
    named = [(row, kl) for row in rows if (kl := row.figure("kl")) is not None and not row.diverged]
    best = sorted(named, key=lambda pair: pair[1])[:BEST]
    print(f"trained {answer['trained']} in {_time(answer['seconds'])}; {answer['diverged']} of {_count(rows)} diverged")
    print("lowest KL:")
    table((f"  {number(kl)}", ", ".join(f"{path} = {value}" for path, value in row.knobs)) for row, kl in best)
    print(f"in {out}: {', '.join(answer['files'])}")


def _list(spec: Sweep, trials: Sequence[Trial], as_json: bool) -> int:
    if as_json:
        runs = [{"run": trial.name, "knobs": dict(trial.knobs)} for trial in trials]
        show_json({"runs": len(trials), "steps": spec.steps, "trials": runs})
        return 0
    for trial in trials:
        print(f"{trial.name}  {said(trial)}")
    print(f"{_count(trials)} of {spec.steps} steps")
    return 0


def _count(runs: Sized) -> str:
    return f"{len(runs)} run{'s' * (len(runs) != 1)}"


def _time(seconds: float) -> str:
    """Returns a time for people."""

    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
