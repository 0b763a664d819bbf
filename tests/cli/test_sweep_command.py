from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from PIL import Image

from ebmlab.cli.main import main

SPEC = {
    "format": "ebmlab-sweep",
    "recipe": {
        "target": {"kind": "gaussian"},
        "energy": {"kind": "mlp", "width": 4, "confinement": 1.0},
        "estimator": {"kind": "dsm"},
        "batch": 16,
    },
    "steps": 5,
    "over": {"estimator.sigma": [0.3, 0.5], "seed": [0, 1]},
}


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "s.json"
    path.write_text(json.dumps(SPEC))
    return path


@pytest.fixture
def here(monkeypatch, quick_figures):
    """The work is done in this process."""

    @contextmanager
    def threads(jobs):
        with ThreadPoolExecutor(1) as executor:
            yield executor

    monkeypatch.setattr("ebmlab.cli.sweep.processes", threads)


def run(capsys, *words, code=0):
    assert main([*map(str, words)]) == code
    return capsys.readouterr()


def test_that_a_sweep_ends_with_a_table_pictures_and_a_page(capsys, tmp_path, spec, here):
    out, err = run(capsys, "sweep", spec, "-o", tmp_path / "out", "--json")
    assert "4 runs; at most about" in err
    answer = json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is printed"))
    assert {key: answer[key] for key in ("runs", "trained", "diverged")} == {"runs": 4, "trained": 4, "diverged": 0}
    assert [(row["estimator.sigma"], row["seed"]) for row in answer["rows"]] == [(0.3, 0), (0.3, 1), (0.5, 0), (0.5, 1)]
    assert all(row["kl"] > 0 for row in answer["rows"])
    assert set(answer["files"]) >= {"table.csv", "pictures.png", "index.html"}
    assert all((tmp_path / "out" / name).stat().st_size > 100 for name in answer["files"])
    with Image.open(tmp_path / "out" / "pictures.png") as picture:
        assert picture.width > 500

    out, _ = run(capsys, "sweep", spec, "-o", tmp_path / "out")
    assert "4 runs, all of which have ended" in out
    assert "trained 0 in" in out
    assert "estimator.sigma = 0.3, seed = 0" in out


def test_that_a_dry_run_lists_the_runs_and_writes_nothing(capsys, tmp_path, spec):
    out, _ = run(capsys, "sweep", spec, "--dry-run")
    lines = out.splitlines()
    assert len(lines) == 5
    assert lines[0].endswith("estimator.sigma = 0.3, seed = 0")
    assert lines[-1] == "4 runs of 5 steps"
    out, _ = run(capsys, "sweep", spec, "-o", tmp_path / "out", "--dry-run", "--json")
    assert [trial["knobs"]["seed"] for trial in json.loads(out)["trials"]] == [0, 1, 0, 1]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["{spec}"], "-o: there is no folder for the results"),
        (["{spec}", "-o", "{spec}"], "this file is in the way"),
        (["{spec}", "-o", "{out}", "--jobs", "0"], "--jobs: '0' will not do"),
        (["{spec}", "-o", "{out}", "--executor", "ray://here"], "give dask://HOST:PORT"),
        (["{spec}", "-o", "{out}", "--device", "abacus"], "no device is called"),
        (["{spec}", "-o", "{out}", "--jobs", "2", "--executor", "dask://a:1"], "not allowed with"),
        (["nowhere.json", "-o", "{out}"], "no such file"),
        (["noise-levles", "-o", "{out}"], "did you mean noise-levels?"),
    ],
)
def test_that_what_will_not_do_is_one_line(capsys, tmp_path, spec, words, said):
    _, err = run(capsys, "sweep", *(w.format(spec=spec, out=tmp_path / "out") for w in words), code=2)
    assert said in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_that_an_example_goes_by_its_name(capsys):
    out, _ = run(capsys, "sweep", "noise-levels", "--dry-run")
    assert "runs of" in out


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl+C cannot be sent to a process of its own there")
def test_that_an_interrupt_says_how_to_go_on(tmp_path, spec):
    spec.write_text(json.dumps({**SPEC, "steps": 100_000}))
    command = [sys.executable, "-m", "ebmlab", "sweep", str(spec), "-o", str(tmp_path / "out"), "--jobs", "1"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )
    assert "4 runs" in child.stdout.readline()
    while not (tmp_path / "out" / "plan.json").exists():
        time.sleep(0.05)
    time.sleep(0.5)
    os.killpg(child.pid, signal.SIGINT)  # as a terminal does: the processes at work are interrupted too
    _, err = child.communicate(timeout=40)
    assert child.returncode == 130
    assert err == "ebmlab: interrupted; 0 of 4 runs are kept, and the same command goes on from there\n"
