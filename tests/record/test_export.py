"""What every export does, and the weights, the Python file and the tables in particular."""

from __future__ import annotations

import ast
import csv
import dataclasses
import importlib.util
import math
import runpy
import subprocess
import sys

import numpy as np
import pytest
import torch

import ebmlab
from ebmlab.engine.energies import MLP, Quadratic
from ebmlab.engine.targets import Gaussian
from ebmlab.engine.types import finish
from ebmlab.engine.window import Lattice
from ebmlab.record.export import EXPORTS, TOLERANCE, Check, export, find_format
from ebmlab.record.export.base import Source
from ebmlab.record.export.python_file import write_file
from ebmlab.session.frame import Frame
from ebmlab.session.recipe import Recipe
from ebmlab.session.run import Run
from ebmlab.session.session import Session
from ebmlab.session.timeline import Timeline
from ebmlab.session.trace import Trace
from ebmlab.spec import BadInput

SMALL = Recipe(energy=MLP(width=8), batch=16)


@pytest.fixture
def session(quick_figures):
    session = Session(SMALL, "cpu")
    for _ in range(3):
        session.step()
    return session


def left(folder):
    return sorted(path.name for path in folder.iterdir())


def test_that_every_format_says_what_it_is():
    for name, form in EXPORTS.items():
        assert form.ending.startswith(".")
        assert form.help.endswith(".")
        assert form.title
        assert bool(form.needs) == bool(form.extra), name


def test_that_an_unknown_format_names_the_nearest():
    with pytest.raises(BadInput, match="csv-particles or csv-landscape or csv-trace"):
        find_format("csv")
    with pytest.raises(BadInput, match="did you mean onnx"):
        find_format("onxx")


def test_that_a_package_that_is_missing_is_named_before_any_work(session, tmp_path, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "onnxruntime" else found(name))
    with pytest.raises(BadInput, match=r'needs onnxruntime; pip install "ebmlab\[onnx\]"'):
        next(export(session, "onnx", tmp_path / "e.onnx"))
    assert left(tmp_path) == []


@pytest.mark.parametrize("path", ["", "nosuch/e.py"])
def test_that_a_place_that_will_not_do_is_named_before_any_work(session, tmp_path, path):
    with pytest.raises(BadInput, match="no such folder to save in"):
        next(export(session, "python", tmp_path / path))


def test_that_a_failed_check_leaves_what_was_there_and_says_by_how_much(session, tmp_path, monkeypatch):
    def wrong(source, path):
        yield 0.5
        path.write_text("wrong")
        return Check("somebody", 7, 0.25)

    monkeypatch.setitem(EXPORTS, "pt2", dataclasses.replace(EXPORTS["pt2"], write=wrong))
    (tmp_path / "e.pt2").write_text("before")
    done = finish(export(session, "pt2", tmp_path / "e.pt2"))
    assert "somebody differs from torch by 0.2" in done.fault
    assert (tmp_path / "e.pt2").read_text() == "before"
    assert left(tmp_path) == ["e.pt2"]


@pytest.mark.parametrize("error", [math.nan, math.inf, 2 * TOLERANCE])
def test_that_nothing_leaves_with_an_error_that_is_no_rounding(session, tmp_path, monkeypatch, error):
    def wrong(source, path):
        yield 0.5
        path.write_text("wrong")
        return Check("somebody", 7, error)

    monkeypatch.setitem(EXPORTS, "pt2", dataclasses.replace(EXPORTS["pt2"], write=wrong))
    assert finish(export(session, "pt2", tmp_path / "e.pt2")).fault
    assert left(tmp_path) == []


def test_that_an_export_called_off_leaves_nothing(session, tmp_path):
    pieces = export(session, "csv-particles", tmp_path / "p.csv")
    next(pieces)
    pieces.close()
    assert left(tmp_path) == []


def test_that_exporting_changes_nothing(session, tmp_path, monkeypatch):
    monkeypatch.setattr("ebmlab.record.export.tables.TRANSITIONS", 20)
    other = Session(SMALL, "cpu")
    for _ in range(3):
        other.step()
    finish(export(session, "pt2", tmp_path / "e.pt2"))
    finish(export(session, "csv-particles", tmp_path / "p.csv"))
    session.step()
    other.step()
    for a, b in zip(session.net.parameters(), other.net.parameters(), strict=True):
        assert torch.equal(a, b)
        assert a.requires_grad


@pytest.fixture
def gaussian(quick_figures):
    """A session whose energy is the negative log density of a Gaussian, but for a constant."""

    return Session(Recipe(energy=Quadratic(precision=4.0, confinement=0.0), target=Gaussian()), "cpu")


@pytest.mark.slow
def test_that_the_python_file_runs_by_itself_and_needs_torch_alone(session, tmp_path):
    path = tmp_path / "e.py"
    done = finish(export(session, "python", path))
    assert done.check.by == "Python"
    assert done.check.error <= 1e-5
    assert done.size == path.stat().st_size
    imported = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else alias.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert imported == {"base64", "torch", "torch.nn"}
    said = subprocess.run([sys.executable, "-I", str(path)], capture_output=True, text=True, check=True)
    assert said.stdout.count("E(") == 5
    assert "largest relative difference" in said.stdout


def run(source, path):
    """Returns the names that the written file defines; it is not run a second time, in a Python of its own."""

    pieces = write_file(source, path)
    for share in pieces:
        if share >= 0.6:
            break
    pieces.close()
    return runpy.run_path(str(path))


def test_that_the_density_of_the_python_file_is_normalised(gaussian, tmp_path):
    file = run(Source(session=gaussian), tmp_path / "e.py")
    lattice = Lattice(gaussian.recipe.window, 200, 200)
    mass = file["log_density"](lattice.points()).exp().sum() * lattice.cell
    assert mass.item() == pytest.approx(1, abs=1e-5)
    assert file["LOG_Z"] == pytest.approx(math.log(2 * math.pi / 4), abs=1e-6)


def test_that_the_sampler_of_the_python_file_draws_from_its_density(gaussian, tmp_path):
    file = run(Source(session=gaussian), tmp_path / "e.py")
    x = file["sample"](4000, steps=100, step_size=0.05, seed=1)
    bias = 1 / (1 - 0.05 * 4 / 2)
    torch.testing.assert_close(x.T.cov(), torch.eye(2) / 4 * bias, atol=0.02, rtol=0)
    torch.testing.assert_close(x.mean(0), torch.zeros(2), atol=0.03, rtol=0)
    assert torch.equal(file["sample"](9, steps=2, seed=1), file["sample"](9, steps=2, seed=1))


def test_that_the_python_file_withholds_a_density_that_cannot_be_normalised(quick_figures, tmp_path):
    session = Session(Recipe(energy=MLP(width=4, confinement=0.0)), "cpu")
    path = tmp_path / "e.py"
    file = run(Source(session=session), path)
    assert file["LOG_Z"] is None
    assert "log_density" not in file
    assert "LOG_Z = None  # " in path.read_text(encoding="utf-8")


def test_that_the_python_file_is_short_and_says_where_it_comes_from(session, tmp_path):
    path = tmp_path / "e.py"
    file = run(Source(session=session), path)
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 120
    assert max(map(len, text.partition("CHECK_POINTS")[0].splitlines())) <= 120
    assert f"ebmlab {ebmlab.__version__}" in file["__doc__"]
    assert "(mlp), trained 3 steps by pcd on two-moons" in file["__doc__"]
    assert Recipe.loads(file["RECIPE"]) == session.recipe
    body = text.partition('shape (n, 2)."""\n\n')[2].partition("\n\n\ndef score")[0]
    assert body == (
        "    linear = F.linear(x, HIDDEN_0_WEIGHT, HIDDEN_0_BIAS)\n"
        "    silu = F.silu(linear)\n"
        "    linear_1 = F.linear(silu, HIDDEN_1_WEIGHT, HIDDEN_1_BIAS)\n"
        "    silu_1 = F.silu(linear_1)\n"
        "    linear_2 = F.linear(silu_1, HEAD_WEIGHT, HEAD_BIAS)\n"
        "    squeeze = torch.squeeze(linear_2, -1)\n"
        "    linalg_vecdot = torch.linalg.vecdot(x, x)\n"
        "    return torch.add(squeeze, linalg_vecdot, alpha=0.01)"
    )


def filled(session):
    """Returns a run of the session with histories and a timeline."""

    exact = Trace("step", "log_z", "error", "nll", "entropy", "kl", "train_nll", "held_out_nll")
    exact.append(2, 1.5, *[math.nan] * 3, 0.25, math.nan, math.nan)
    timeline = Timeline()
    timeline.add(Frame(step=3, weights=session.net.state_dict(), particles=torch.tensor([[1.0, 2.0], [3.0, 4.5]])))
    return Run(recipe=session.recipe, series={"exact": exact.view()}, kept=timeline.kept)


def rows(path):
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_that_the_arrays_hold_what_they_say(session, tmp_path):
    path = tmp_path / "a.npz"
    done = finish(export(session, "npz", path, filled(session)))
    assert done.check is None
    with np.load(path, allow_pickle=False) as arrays:
        assert arrays["particles"].tolist() == [[1.0, 2.0], [3.0, 4.5]]
        assert arrays["energy"].shape == arrays["target"].shape == (256, 256)
        at = torch.tensor([[arrays["x"][40], arrays["y"][200]]])
        assert arrays["energy"][200, 40] == pytest.approx(session.energy(at).item(), rel=1e-5)
        assert arrays["target"][200, 40] == pytest.approx(session.density.log_density(at).item(), rel=1e-5)
        assert arrays["window"].tolist() == list(session.recipe.window)
        assert math.isfinite(arrays["log_z"])
        assert arrays["training"].shape == (3, len(arrays["training_columns"]))
        assert arrays["exact_columns"][0] == "step"


def test_that_the_table_of_histories_is_blank_where_nothing_is_known(session, tmp_path):
    path = tmp_path / "t.csv"
    finish(export(session, "csv-trace", path, filled(session)))
    names, *table = rows(path)
    assert names[:4] == ["step", "training.value", "training.accept", "training.log_z"]
    assert [row[0] for row in table] == ["1", "2", "3"]
    assert [row[names.index("exact.kl")] for row in table] == ["", "0.25", ""]
    assert all(math.isfinite(float(row[1])) for row in table)


def test_that_an_untrained_energy_has_an_empty_history(quick_figures, tmp_path):
    finish(export(Session(SMALL, "cpu"), "csv-trace", tmp_path / "t.csv"))
    assert rows(tmp_path / "t.csv") == [["step", "training.value", "training.accept", "training.log_z"]]


def test_that_particles_are_those_of_the_run_or_else_drawn(session, tmp_path, monkeypatch):
    monkeypatch.setattr("ebmlab.record.export.tables.TRANSITIONS", 20)
    finish(export(session, "csv-particles", tmp_path / "p.csv", filled(session)))
    assert rows(tmp_path / "p.csv") == [["x", "y"], ["1", "2"], ["3", "4.5"]]
    finish(export(session, "csv-particles", tmp_path / "p.csv"))
    drawn = np.loadtxt(tmp_path / "p.csv", delimiter=",", skiprows=1)
    assert drawn.shape == (1000, 2)
    assert np.isfinite(drawn).all()


def test_that_the_table_of_the_landscape_has_a_row_for_each_point(session, tmp_path):
    finish(export(session, "csv-landscape", tmp_path / "l.csv"))
    names, *table = rows(tmp_path / "l.csv")
    assert names == ["x", "y", "energy", "target"]
    assert len(table) == 256 * 256
    x, y, energy, _ = map(float, table[12345])
    assert energy == pytest.approx(session.energy(torch.tensor([[x, y]])).item(), rel=1e-5)
