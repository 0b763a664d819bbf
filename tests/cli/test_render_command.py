from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from ebmlab.cli.main import main
from ebmlab.engine.energies import MLP
from ebmlab.engine.targets import EightGaussians
from ebmlab.session.archive import write_run
from ebmlab.session.checkpoint import save_run
from ebmlab.session.recipe import Recipe
from ebmlab.session.recorder import Recorder
from ebmlab.session.session import Session

SMALL = ["--size", "320x240", "--seconds", "0.2", "--fps", "20", "--device", "cpu"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run with a timeline, and one that has only its weights."""

    folder = tmp_path_factory.mktemp("runs")
    session = Session(Recipe(target=EightGaussians(), energy=MLP(width=8, depth=1), batch=16, log_z=()), "cpu")
    recorder = Recorder(session)
    for _ in range(40):
        session.step()
        recorder.note()
    write_run(recorder.run(), folder / "long.ebmlab")
    save_run(session, folder / "bare.ebmlab")
    return folder


@pytest.fixture
def here(runs, tmp_path, monkeypatch, qapp):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def answer(capsys, *words):
    assert main(["render", *map(str, words), "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out)


def fault(capsys, *words):
    assert main(["render", *map(str, words)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1, err
    assert err.startswith("ebmlab: ")
    return err


@pytest.mark.parametrize("name", ["f.mp4", "f.gif"])
def test_that_a_film_is_made_of_a_run(runs, here, capsys, name):
    found = answer(capsys, runs / "long.ebmlab", "-o", name, *SMALL)
    assert (found["pictures"], found["width"], found["height"], found["fps"]) == (4, 320, 240, 20)
    assert (found["from"], found["to"]) == (1, 40)
    assert [p.name for p in here.iterdir()] == [name]


def test_that_a_film_may_show_a_part_of_the_run(runs, here, capsys):
    found = answer(capsys, runs / "long.ebmlab", "-o", "f.apng", *SMALL, "--from", 10, "--to", 20)
    assert (found["from"], found["to"]) == (10, 20)


@pytest.mark.parametrize("name", ["p.png", "p.svg", "p.pdf", "p.csv"])
@pytest.mark.parametrize("run", ["long", "bare"])
def test_that_a_picture_is_made_of_any_run(runs, here, capsys, run, name):
    found = answer(capsys, runs / f"{run}.ebmlab", "-o", name, *SMALL, "--layout", "target", "--axes")
    assert found == {"file": name, "step": 40, "width": 320, "height": 240}
    assert (here / name).stat().st_size > 1000


def test_that_the_step_of_a_picture_can_be_chosen(runs, here, capsys):
    found = answer(capsys, runs / "long.ebmlab", "-o", "p.csv", "--at", 10, "--layout", "objective", "--device", "cpu")
    assert found["step"] == 10
    rows = list(csv.DictReader((here / "p.csv").read_text().splitlines()))
    assert max(float(row["x"]) for row in rows) == 10


def test_that_theme_caption_formula_and_orbit_change_the_picture(runs, here, capsys):
    bare = ["--size", "400x300", "--layout", "surface", "--device", "cpu"]
    pictures = []
    for more in ([], ["--theme", "light"], ["--caption", "PCD"], ["--formula"], ["--scale", "1.5"]):
        answer(capsys, runs / "long.ebmlab", "-o", "p.png", *bare, *more)
        pictures.append(np.asarray(Image.open("p.png").convert("RGB")))
    assert all((pictures[0] != other).any() for other in pictures[1:])
    answer(capsys, runs / "long.ebmlab", "-o", "o.apng", *SMALL, "--layout", "surface~particles", "--orbit", 90)
    with Image.open("o.apng") as film:
        first = np.asarray(film.convert("RGB"))
        film.seek(3)
        assert (np.asarray(film.convert("RGB")) != first).any()


BROKEN = [
    (["long", "-o", "f.avi"], "end it in .mp4"),
    (["long", "-o", "no/f.mp4"], "folder"),
    (["long", "-o", "f.mp4", "--layout", "enrgy"], "did you mean energy"),
    (["long", "-o", "f.mp4", "--size", "big"], "WIDTHxHEIGHT"),
    (["long", "-o", "f.mp4", "--size", "9x9"], "64 to 4096"),
    (["long", "-o", "f.mp4", "--fps", "0"], "from 1 to 60"),
    (["long", "-o", "f.mp4", "--seconds", "-1"], "seconds"),
    (["long", "-o", "f.mp4", "--from", "500"], "from 1 to 40"),
    (["long", "-o", "f.mp4", "--at", "5"], "no single step"),
    (["long", "-o", "f.mp4", "--theme", "pink"], "pink"),
    (["bare", "-o", "f.mp4"], "no timeline"),
    (["bare", "-o", "p.png", "--at", "5"], "no timeline"),
    (["none", "-o", "f.mp4"], "no such file"),
]


@pytest.mark.parametrize(
    ("words", "said"), BROKEN, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_that_a_film_that_cannot_be_made_is_refused_in_one_line(runs, here, capsys, words, said):
    run, *rest = words
    assert said in fault(capsys, runs / f"{run}.ebmlab", *rest)
    assert list(here.iterdir()) == []


def test_that_a_missing_package_is_said_before_any_work(runs, here, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.setattr("ebmlab.cli.render.read_run", lambda name: pytest.fail("work has begun"))
    assert 'pip install "ebmlab[video]"' in fault(capsys, runs / "long.ebmlab", "-o", "f.mp4")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT for another process")
def test_that_ctrl_c_leaves_nothing_and_no_display_is_needed(runs, here):
    bare = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
    command = [sys.executable, "-m", "ebmlab", "render", str(runs / "long.ebmlab"), "-o", "f.mp4", "--seconds", "600"]
    process = subprocess.Popen(command, env=bare, stderr=subprocess.PIPE, text=True)
    while not (here / "f.mp4.part").exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err.strip()) == (130, "ebmlab: interrupted; nothing was saved")
    assert list(here.iterdir()) == []
