from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from ebmlab.assets import assets
from ebmlab.cli.output import Progress, number, show_json, table
from ebmlab.session.recipe import Recipe
from ebmlab.session.session import Session
from ebmlab.spec import amend

ESTIMATORS = ("pcd", "cd", "dsm", "ssm", "ism", "nce", "mle")
GUI_SECONDS = 20


def run(args: argparse.Namespace) -> int:
    """Measures steps per second, pictures, exact figures and the window; takes about a minute."""

    torch.set_num_threads(1)
    jobs: dict[str, Callable[[], dict[str, Any]]] = {
        "steps_per_second": steps_per_second,
        "milliseconds": milliseconds,
        "start_up_ms": start_up,
        "gui": window,
        "against_torchebm": against_torchebm,
    }
    progress = Progress(len(jobs), "jobs")
    answer: dict[str, Any] = {"machine": machine()}
    for done, (name, job) in enumerate(jobs.items()):
        progress(done, name)
        answer[name] = job()
    progress.close()
    if args.json:
        show_json(answer)
    else:
        table(_rows(answer))
    return 0


def machine() -> dict[str, Any]:
    """Returns what the figures were measured on."""

    return {
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def steps_per_second(seconds: float = 2.0) -> dict[str, Any]:
    """Returns the training steps per second of the default recipe with each estimator, on the CPU, one thread."""

    return {kind: _speed(Session(amend(Recipe(), "estimator", kind), "cpu"), seconds) for kind in ESTIMATORS}


def milliseconds() -> dict[str, Any]:
    """Returns what a picture, an exact evaluation and the energies of a thousand points cost."""

    from ebmlab.session.snapshot import Lens
    from ebmlab.session.watch import State, Watch

    session = Session(Recipe(), "cpu")
    session.step()
    watch, lens, x = Watch(session), Lens(), torch.zeros(1000, 2)
    state = State("running", "", "", 0.0, None)
    return {
        "particles_1000": 1e3 * _time(lambda: watch.drift(1000)),
        "snapshot_96": 1e3 * _time(lambda: watch.snapshot(lens, 96, state)),
        "energies_1000": 1e3 * _time(lambda: session.energy(x)),
        "evaluation": 1e3 * _time(session.evaluate, repeats=3),
    }


def start_up() -> dict[str, Any]:
    """Returns how long the command line takes to answer."""

    def ask(*words: str) -> float:
        command = [sys.executable, "-m", "ebmlab", *words]
        return 1e3 * _time(lambda: subprocess.run(command, capture_output=True, check=True), repeats=2)

    return {"help": ask("--help"), "list": ask("list")}


def window(seconds: int = GUI_SECONDS) -> dict[str, Any]:
    """Returns the figures of the window, which trains offscreen for some seconds in a process of its own."""

    with tempfile.TemporaryDirectory() as folder:
        stats = Path(folder) / "stats.json"
        command = [sys.executable, "-m", "ebmlab", "gui", "--for", str(seconds), "--stats", str(stats)]
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=seconds + 60, check=False
        )
        if done.returncode or not stats.exists():
            return {"why": done.stderr.strip()[-300:] or f"the window left with {done.returncode}"}
        return json.loads(stats.read_text(encoding="utf-8"))


def against_torchebm() -> dict[str, Any]:
    """Returns the milliseconds of a training step beside torchebm's, where that and a checkout are at hand."""

    checkout = assets().parent
    if not (checkout / "tests" / "bench" / "bench_steps.py").exists():
        return {"why": "only in a checkout"}
    command = [sys.executable, "-m", "tests.bench.bench_steps", "--json", "--rounds", "20"]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        return {"why": "torchebm is not installed" if "torchebm" in done.stderr else done.stderr.strip()[-300:]}
    found = json.loads(done.stdout)
    return found if isinstance(found, dict) else {"steps": found}


def _speed(session: Session, seconds: float) -> float:
    """Returns the median speed over batches of twenty steps, the first few thrown away."""

    for _ in range(10):
        session.step()
    speeds: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(speeds) < 3:
        start = time.perf_counter()
        for _ in range(20):
            session.step()
        speeds.append(20 / (time.perf_counter() - start))
    return statistics.median(speeds)


def _time(work: Callable[[], Any], repeats: int = 20) -> float:
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def _rows(answer: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in answer.items():
        label = f"{prefix}{name}".replace("_", " ")
        if isinstance(value, dict):
            rows += _rows(value, label + ": ")
        elif isinstance(value, list):
            rows += [row for i, item in enumerate(value) for row in _rows(dict(item), f"{label} {i}: ")]
        else:
            rows.append((label, f"{value:.4g}" if isinstance(value, float) else number(value)))
    return rows
