"""The session file: all of a run comes back, whatever version it is of, and no save destroys another."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from boxed import SMALL, names, taken_apart

from ebmlab.engine.targets import Points
from ebmlab.session import boxes, members
from ebmlab.session.archive import load_run, write_run
from ebmlab.session.checkpoint import open_run
from ebmlab.session.frame import Frame
from ebmlab.session.timeline import Kept
from ebmlab.spec import BadInput

GOLDEN = Path(__file__).parent / "golden"


def same_series(a, b):
    return a.columns == b.columns and np.array_equal(a.rows, b.rows, equal_nan=True)


def test_that_all_of_a_run_comes_back(whole, place):
    write_run(whole, place)
    run = load_run(place)
    for name in (
        "recipe",
        "step",
        "device",
        "evaluation",
        "log",
        "moments",
        "view",
        "thumbnail",
        "seconds",
        "versions",
    ):
        assert getattr(run, name) == getattr(whole, name), name
    assert run.source == str(place)
    assert run.state.dumps() == whole.state.dumps()
    assert {name: w.tolist() for name, w in run.weights.items()} == {n: w.tolist() for n, w in whole.weights.items()}
    assert run.series.keys() == whole.series.keys()
    assert all(same_series(series, whole.series[name]) for name, series in run.series.items())
    assert [(k.step, k.frame.read(), k.state and k.state.read()) for k in run.kept] == [
        (k.step, k.frame.read(), k.state and k.state.read()) for k in whole.kept
    ]
    assert any(k.state for k in run.kept)
    assert Frame.loads(run.kept[3].frame.read()).step == run.kept[3].step


def test_that_what_comes_back_is_written_again_to_the_very_same_bytes(whole, tmp_path):
    write_run(whole, tmp_path / "a.ebmlab")
    write_run(load_run(tmp_path / "a.ebmlab"), tmp_path / "b.ebmlab")
    assert (tmp_path / "a.ebmlab").read_bytes() == (tmp_path / "b.ebmlab").read_bytes()


def test_that_the_timeline_can_be_left_out_of_the_reading(whole, place):
    write_run(whole, place)
    run = load_run(place, timeline=False)
    assert run.kept == ()
    assert run.thumbnail == whole.thumbnail


def test_that_a_timeline_outlives_the_file_that_it_was_read_from(whole, place):
    write_run(whole, place)
    run = load_run(place)
    write_run(replace(whole, kept=()), place)
    frames = [k.frame.read() for k in run.kept]
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    assert frames == [k.frame.read() for k in run.kept] == [k.frame.read() for k in whole.kept]
    assert [k.frame.read() for k in pickle.loads(pickle.dumps(run.kept))] == frames


def test_that_steps_no_longer_kept_leave_the_folder(whole, tmp_path):
    write_run(whole, tmp_path / "run")
    (tmp_path / "run" / "mine.txt").write_text("a note of my own")
    write_run(replace(whole, kept=whole.kept[:2]), tmp_path / "run")
    assert sorted(n for n in names(tmp_path / "run") if n.startswith("frames/")) == [
        f"frames/{k.step}.safetensors" for k in whole.kept[:2]
    ]
    assert (tmp_path / "run" / "mine.txt").exists()


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("ending", ["", ".ebmlab"])
def test_that_session_files_of_every_version_open_for_ever(version, ending):
    run = load_run(GOLDEN / (version + ending))
    facts = json.loads((GOLDEN / f"{version}.json").read_text())
    session = open_run(run, "cpu")
    assert run.step == session.count == facts["step"]
    assert run.evaluation == facts["evaluation"]
    assert [[moment.step, moment.name] for moment in run.moments] == facts["moments"]
    assert [k.step for k in run.kept] == facts["kept"]
    assert [step for step, _ in session.log] == facts["log"]
    points = torch.tensor(facts["points"])
    torch.testing.assert_close(session.energy(points), torch.tensor(facts["energies"]), rtol=1e-5, atol=1e-6)
    session.step()
    assert session.count == facts["step"] + 1


def test_that_saving_again_into_a_folder_writes_only_what_is_new(whole, tmp_path, monkeypatch):
    path = tmp_path / "run"
    write_run(replace(whole, kept=whole.kept[:-1]), path)
    written = []
    write = boxes._write
    monkeypatch.setattr(boxes, "_write", lambda place, content: (written.append(place.name), write(place, content)))
    write_run(replace(whole, seconds=2.0), path)
    last = f"{whole.kept[-1].step}.safetensors.part"
    assert set(written) == {"run.json.part", last}
    assert [k.frame.read() for k in load_run(path).kept] == [k.frame.read() for k in whole.kept]


def test_that_a_failed_save_leaves_what_was_there(whole, place, monkeypatch):
    write_run(whole, place)
    before = taken_apart(place)

    class Broken:
        size = 1

        def read(self):
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="space"):
        write_run(replace(whole, seconds=9.0, kept=(*whole.kept, Kept(99, Broken()))), place)
    assert taken_apart(place) == before


@pytest.mark.parametrize("done", range(12))
def test_that_a_folder_is_the_old_run_or_the_new_one_wherever_its_saving_stops(
    done, whole, other, tmp_path, monkeypatch
):
    path = tmp_path / "run"
    write_run(whole, path)
    left = [done]

    def replace_or_die(self, target):
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        os.replace(self, target)

    monkeypatch.setattr(Path, "replace", replace_or_die)
    monkeypatch.setattr(Path, "unlink", lambda self, missing_ok=False: None)
    with pytest.raises(KeyboardInterrupt):
        write_run(other, path)
    monkeypatch.undo()
    run, wanted = load_run(path), whole if done == 0 else other
    assert run.seconds == wanted.seconds
    assert run.state.dumps() == wanted.state.dumps()
    assert [k.frame.read() for k in run.kept] == [k.frame.read() for k in wanted.kept]
    write_run(whole, path)
    assert load_run(path).state.dumps() == whole.state.dumps()
    assert not [name for name in names(path) if name.endswith(boxes.PART)]


@pytest.mark.parametrize("taken", ["a file", "a folder"])
def test_that_what_is_no_run_is_never_overwritten(taken, whole, tmp_path):
    path = tmp_path / ("run" if taken == "a file" else "run.ebmlab")
    if taken == "a file":
        path.write_text("mine")
    else:
        path.mkdir()
    with pytest.raises(BadInput, match="name"):
        write_run(whole, path)


def test_that_a_recipe_of_more_points_than_are_read_again_is_not_written(whole, place, monkeypatch):
    monkeypatch.setattr(members, "MOST_VALUES", 100)
    with pytest.raises(BadInput, match="file"):
        write_run(
            replace(whole, recipe=replace(SMALL, target=Points(values=tuple((0.0, 1.0) for _ in range(200))))), place
        )


def test_that_the_weights_are_read_without_ebmlab_as_the_readme_says(whole, tmp_path, monkeypatch):
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    code = next(part for part in text.split("```") if part.startswith("python") and "zipfile" in part)
    write_run(whole, tmp_path / "run.ebmlab")
    monkeypatch.chdir(tmp_path)
    assert "import ebmlab" not in code
    found = {}
    exec(code.removeprefix("python"), found)
    assert all(w.equal(whole.weights[name]) for name, w in found["weights"].items())
    assert found["recipe"]["batch"] == 6
