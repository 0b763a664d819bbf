"""A sweep from its plan to its results, whatever kills it."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from ebmlab.session.archive import load_run
from ebmlab.session.checkpoint import open_run
from ebmlab.session.sweep import Folder, checked, forecast, loads_sweep, processes, read_tried, sweep
from ebmlab.session.sweep.executors import cluster
from ebmlab.spec import BadInput

SMALL = {
    "target": {"kind": "gaussian"},
    "energy": {"kind": "mlp", "width": 4, "confinement": 1.0},
    "estimator": {"kind": "dsm"},
    "batch": 16,
    "window": [-4, 4, -4, 4],
}
SPEC = {"format": "ebmlab-sweep", "recipe": SMALL, "steps": 5, "over": {"batch": [16, 24], "seed": [0, 1, 2]}}


def spec(**parts):
    return loads_sweep(json.dumps({**SPEC, **parts}))


class Here(ThreadPoolExecutor):
    """Works in this process, and tells what it was asked to do."""

    def __init__(self):
        super().__init__(1)
        self.asked = []

    def submit(self, function, job):
        self.asked += [trial.name for trial in job.trials]
        return super().submit(function, job)


@pytest.fixture(autouse=True)
def quick_figures(monkeypatch):
    from ebmlab.engine.oracle import evaluate, reference

    def coarse(energy, density, window, step=0):
        return evaluate(energy, reference(density, window, 64), step)

    monkeypatch.setattr("ebmlab.session.session.evaluate_precisely", coarse)


def same(one, other):
    """Returns whether two rows say the same, but for where and how fast."""

    found = [{**row.to_json(), "seconds": 0, "session": ""} for row in (one, other)]
    weights = [load_run(row.session).weights for row in (one, other)]
    return found[0] == found[1] and all(torch.equal(w, weights[1][name]) for name, w in weights[0].items())


def test_that_every_run_is_trained_once_and_kept_with_its_session(tmp_path):
    told = []
    with Here() as here:
        rows = sweep(spec(), tmp_path / "out", here, report=lambda *n: told.append(n))
    assert told == [(i, 6) for i in range(7)]
    assert [row.name for row in rows] == [trial.name for trial in checked(spec())]
    assert [row.steps for row in rows] == [5] * 6
    assert all(row.figure("kl") > 0 and not row.diverged and row.seconds > 0 for row in rows)
    assert rows[4].knobs == (("batch", 24), ("seed", 1))
    session = open_run(load_run(rows[4].session), "cpu")
    assert session.count == 5
    assert session.recipe == rows[4].recipe
    assert read_tried(tmp_path / "out") == rows


def test_that_what_has_ended_is_not_trained_again(tmp_path):
    with Here() as here:
        first = sweep(spec(over={"seed": [0, 1]}), tmp_path, here)
        again = sweep(spec(over={"seed": [0, 1]}), tmp_path, here)
        assert again == first
        assert len(here.asked) == 2
        grown = sweep(spec(over={"seed": [2, 1, 0]}), tmp_path, here)
    assert grown[:0:-1] == first
    assert len(here.asked) == 3


def test_that_runs_of_an_earlier_plan_come_after_those_of_the_present_one(tmp_path):
    with Here() as here:
        old = sweep(spec(over={"seed": [0]}), tmp_path, here)
        new = sweep(spec(over={"seed": [1]}), tmp_path, here)
    assert read_tried(tmp_path) == [*new, *old]


def test_that_a_run_that_diverges_is_a_result(tmp_path):
    with Here() as here:
        rates = {"optimizer": [{"kind": "sgd", "rate": rate} for rate in (1e-3, 10.0)]}
        good, bad = sweep(spec(over=rates, steps=40), tmp_path, here)
    assert not good.diverged
    assert bad.diverged
    assert "diverged at step" in bad.why
    assert bad.steps < 40
    assert load_run(bad.session).step == bad.steps


def test_that_nothing_is_trained_before_all_is_checked(tmp_path):
    with Here() as here, pytest.raises(BadInput, match="target"):
        sweep(spec(over={"target": ["ring", {"kind": "points", "path": "none.csv"}]}), tmp_path / "out", here)
    assert here.asked == []
    assert not (tmp_path / "out").exists()


def test_that_a_second_sweep_in_the_same_folder_is_refused(tmp_path):
    folder = Folder(tmp_path / "out")
    with folder.locked(), Here() as here, pytest.raises(BadInput, match="another sweep is at work"):
        sweep(spec(), tmp_path / "out", here)
    with Here() as here:
        assert len(sweep(spec(over={"seed": [0]}), tmp_path / "out", here)) == 1


@pytest.mark.parametrize("name", ["", "file", "full", "missing/out"])
def test_that_a_folder_that_will_not_do_is_one_line(tmp_path, name):
    (tmp_path / "file").write_text("")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("")
    with pytest.raises(BadInput) as caught:
        Folder(tmp_path / name)
    assert str(tmp_path) in str(caught.value)


def test_that_half_a_result_is_cleared_away_and_a_broken_one_named(tmp_path):
    with Here() as here:
        (row, _) = sweep(spec(over={"seed": [0, 1]}), tmp_path, here)
        half = tmp_path / "runs" / "0123.part"
        half.mkdir()
        assert len(read_tried(tmp_path)) == 2
        sweep(spec(over={"seed": [0, 1]}), tmp_path, here)
        assert not half.exists()
        (tmp_path / "runs" / row.name / "result.json").write_text('{"name": ')
        with pytest.raises(BadInput, match=f"remove the folder {row.name}"):
            read_tried(tmp_path)


def test_that_reading_what_is_no_sweep_is_one_line(tmp_path):
    with pytest.raises(BadInput, match="not the folder of a sweep"):
        read_tried(tmp_path)
    (tmp_path / "plan.json").write_text("[1")
    with pytest.raises(BadInput, match=r"plan\.json"):
        read_tried(tmp_path)


def test_that_an_error_in_the_work_ends_the_sweep_and_keeps_what_has_ended(tmp_path):
    class Failing(Here):
        def submit(self, function, job):
            if len(self.asked) >= 3:
                future = Future()
                future.set_exception(MemoryError("no room"))
                return future
            return super().submit(function, job)

    with Failing() as here, pytest.raises(MemoryError):
        sweep(spec(), tmp_path, here)
    with Here() as here:
        rows = sweep(spec(), tmp_path, here)
    assert len(rows) == 6


def test_that_the_forecast_grows_with_the_runs():
    few, many = checked(spec(over={"seed": [0]})), checked(spec(over={"seed": {"from": 0, "count": 20}}))
    assert forecast(()) == 0
    assert 0 < forecast(few) < forecast(many)


def test_that_no_cluster_is_one_line():
    pytest.importorskip("distributed")
    for address in ("tcp://here:1", "dask://", "dask://127.0.0.1:1"):
        with pytest.raises(BadInput) as caught, cluster(address, seconds=0.3):
            pass
        assert "\n" not in str(caught.value)


def test_that_a_missing_library_of_clusters_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(BadInput, match=r'pip install "ebmlab\[cluster\]"'), cluster("dask://127.0.0.1:1"):
        pass


@pytest.mark.slow
def test_that_a_cluster_does_the_same_work(tmp_path):
    distributed = pytest.importorskip("distributed")
    small = spec(over={"seed": [0, 1]})
    with Here() as here:
        alone = sweep(small, tmp_path / "here", here)
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, protocol="tcp", host="127.0.0.1", dashboard_address=":0"
        ) as made,
        cluster("dask://" + made.scheduler_address.partition("://")[2]) as executor,
    ):
        rows = sweep(small, tmp_path / "there", executor)
    assert all(map(same, alone, rows))


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_that_processes_do_the_same_work(tmp_path):
    small = spec(over={"estimator.sigma": [0.3, 0.5], "seed": [0, 1]})
    with Here() as here:
        alone = sweep(small, tmp_path / "here", here)
    with processes(2) as executor:
        rows = sweep(small, tmp_path / "there", executor)
    assert [row.knobs for row in rows] == [row.knobs for row in alone]
    for one, other in zip(alone, rows):
        pair = load_run(one.session).weights, load_run(other.session).weights
        assert all(torch.equal(w, pair[1][name]) for name, w in pair[0].items())


PROGRAM = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from ebmlab.session.sweep import load_sweep, processes, sweep

if __name__ == "__main__":
    with processes(2) if sys.argv[3] == "processes" else ThreadPoolExecutor(1) as executor:
        sweep(load_sweep(sys.argv[1]), sys.argv[2], executor, report=lambda done, total: print(done, flush=True))
"""


@pytest.fixture
def begin(tmp_path):
    """Begins a sweep in a process of its own."""

    (tmp_path / "program.py").write_text(PROGRAM)

    def start(out, how, **parts):
        (tmp_path / "s.json").write_text(json.dumps({**SPEC, **parts}))
        command = [sys.executable, str(tmp_path / "program.py"), str(tmp_path / "s.json"), str(out), how]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})

    return start


LONG = {"steps": 30, "over": {"batch": [16, 24, 32], "estimator.sigma": [0.3, 0.5], "seed": [0, 1, 2]}}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_that_a_sweep_killed_at_any_moment_loses_no_run_and_does_none_twice(tmp_path, begin):
    whole = begin(tmp_path / "whole", "thread", **LONG)
    assert whole.wait(120) == 0
    whole.stdout.close()
    draw, seen, kills = random.Random(0), {}, 0
    while kills < 100:
        child = begin(tmp_path / "killed", "thread", **LONG)
        for _ in range(draw.randint(2, 8)):
            child.stdout.readline()
        try:
            child.wait(draw.uniform(0.0, 0.2))
        except subprocess.TimeoutExpired:
            child.kill()
            kills += 1
        child.wait()
        child.stdout.close()
        there = {path.parent.name: path.stat().st_mtime_ns for path in tmp_path.glob("killed/runs/*/result.json")}
        assert seen.items() <= there.items(), "a run was lost, or done twice"
        seen = there
        if child.returncode == 0:
            break
    assert kills > 1
    rows, others = read_tried(tmp_path / "whole"), read_tried(tmp_path / "killed")
    assert len(rows) == 18
    assert all(map(same, rows, others))


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are looked up in /proc")
@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT])
def test_that_workers_end_with_the_sweep(tmp_path, begin, blow):
    child = begin(tmp_path / "out", "processes", **{**LONG, "steps": 100_000})
    child.stdout.readline()
    task = Path(f"/proc/{child.pid}/task/{child.pid}/children")
    until = time.monotonic() + 30
    while len(workers := task.read_text().split()) < 3 and time.monotonic() < until:  # with the resource tracker
        time.sleep(0.1)
    time.sleep(0.5)
    child.send_signal(blow)
    child.wait(20)
    child.stdout.close()
    assert len(workers) >= 2
    until = time.monotonic() + 20
    while (left := [pid for pid in workers if alive(pid)]) and time.monotonic() < until:
        time.sleep(0.1)
    assert left == []


def alive(pid):
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
