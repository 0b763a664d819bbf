"""Session files broken by the hundred harm nothing, and none is lost to a kill while it is being saved."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ebmlab.engine.energies import MLP, Flow, KernelDensity
from ebmlab.engine.estimators import ESTIMATORS
from ebmlab.engine.estimators import PersistentContrastiveDivergence as PCD
from ebmlab.engine.samplers import NoUTurnSampler, ParallelTempering
from ebmlab.engine.targets import Drawing, Points, TwoMoons
from ebmlab.engine.targets.marks import Brush
from ebmlab.session.archive import write_run
from ebmlab.session.recipe import Recipe
from ebmlab.session.recorder import Recorder, Seen
from ebmlab.session.session import Session
from ebmlab.session.timeline import Moment
from ebmlab.spec import amend

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "session"))
GOLDEN = HERE.parent / "session" / "golden"
SMALL = Recipe(target=TwoMoons(), energy=MLP(width=6, depth=2), batch=8)


def recipes(folder):
    (folder / "p.csv").write_text("0,0\n1,1\n2,0\n")
    tre = amend(amend(ESTIMATORS["tre"](), "width", "4"), "bridges", "2")
    fce = amend(amend(ESTIMATORS["fce"](), "width", "4"), "warm_up", "2")
    yield replace(SMALL, target=Points(path=str(folder / "p.csv")))
    yield replace(SMALL, target=Drawing(marks=(Brush(path=((0.0, 0.0), (1.0, 1.0))),)), estimator=ESTIMATORS["nce"]())
    yield replace(SMALL, estimator=PCD(steps=2, sampler=ParallelTempering(replicas=3)))
    yield replace(SMALL, estimator=PCD(steps=1, sampler=NoUTurnSampler(adapt=5)), energy=KernelDensity(points=16))
    yield replace(SMALL, estimator=tre)
    yield replace(SMALL, estimator=fce, energy=Flow(transforms=1, width=4))
    yield replace(SMALL, estimator=amend(ESTIMATORS["jarzynski"](), "walkers", "10"))


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    """Small session files of many kinds, as bytes."""

    folder = tmp_path_factory.mktemp("seeds")
    for i, recipe in enumerate(recipes(folder)):
        session = Session(recipe, "cpu")
        seen = Seen(session.data.new_zeros(5, 2), session.evaluate(), 1.0) if i == 1 else Seen()
        recorder = Recorder(session, lambda seen=seen: seen)
        for _ in range(3):
            recorder.note()
            session.step()
        session.edit(replace(recipe, batch=9))
        recorder.name(Moment(3, "here"))
        run = replace(recorder.run(), view={"panes": ["landscape"]})
        write_run(replace(run, kept=run.kept[-2:]), folder / f"{i}.ebmlab")
    return [path.read_bytes() for path in (*folder.glob("*.ebmlab"), *GOLDEN.glob("*.ebmlab"))]


def environment(folder):
    paths = os.pathsep.join([str(HERE.parent.parent), str(HERE.parent / "session")])
    keep = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}
    return {
        **keep,
        "PYTHONPATH": paths,
        "TMPDIR": str(folder),
        "HOME": str(folder),
        "OMP_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def demand_harmless(seeds, folder, number, seed):
    """Demands that a process which opens mutants ends well and leaves nothing but them; returns its report."""

    from mutants import mutant

    rng = random.Random(seed)
    for name in ("mutants", "tmp"):
        (folder / name).mkdir()
    paths = [folder / "mutants" / f"{i}.ebmlab" for i in range(number)]
    for path in paths:
        path.write_bytes(mutant(rng, seeds))
    before = {path: path.read_bytes() for path in (folder / "mutants").rglob("*")}
    command = [sys.executable, str(HERE / "victim.py"), *map(str, paths)]
    done = subprocess.run(
        command, env=environment(folder / "tmp"), cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert {path: path.read_bytes() for path in (folder / "mutants").rglob("*")} == before
    assert {path.name for path in folder.iterdir()} == {"mutants", "tmp"}
    left = {path.name for path in (folder / "tmp").iterdir() if not path.name.startswith("torch")}
    assert left == set()
    return json.loads(done.stdout)


needs_posix = pytest.mark.skipif(os.name != "posix", reason="limits and kills processes as POSIX does")


@needs_posix
@pytest.mark.timeout(120)
def test_that_thirty_mutated_session_files_harm_nothing(seeds, tmp_path):
    report = demand_harmless(seeds, tmp_path, 30, seed=1)
    assert report["refused"] > 10


@needs_posix
@pytest.mark.fuzz
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("part", range(4))
def test_that_a_thousand_mutated_session_files_harm_nothing(part, seeds, tmp_path):
    report = demand_harmless(seeds, tmp_path, 250, seed=100 + part)
    assert report["refused"] > 100
    print(report)  # noqa: T201


def demand_nothing_lost(folder, name, times, seed):
    command = [sys.executable, str(HERE / "saver.py"), str(folder), name, str(times), str(seed)]
    done = subprocess.run(command, env=environment(folder), cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


@needs_posix
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", ["run.ebmlab", "run"])
def test_that_a_session_killed_while_it_is_saved_is_the_old_one_or_the_new_one(name, tmp_path):
    demand_nothing_lost(tmp_path, name, 8, seed=1)


@needs_posix
@pytest.mark.fuzz
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ["run.ebmlab", "run"])
def test_that_a_hundred_kills_while_saving_lose_no_session(name, tmp_path):
    print(demand_nothing_lost(tmp_path, name, 100, seed=2))  # noqa: T201
