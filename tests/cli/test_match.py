from __future__ import annotations

import json

import pytest
import torch

from ebmlab.cli.main import main
from ebmlab.engine.energies import count
from ebmlab.session.recipe import Recipe

SMALL = {"energy": {"kind": "residual"}, "estimator": {"kind": "dsm"}, "batch": 16, "log_z": []}
LIKE_MLP = 17025


@pytest.fixture
def recipe(tmp_path, monkeypatch, quick_figures):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "r.json").write_text(json.dumps(SMALL))
    return "r.json"


def told(capsys, *words):
    status = main([*map(str, words)])
    out, err = capsys.readouterr()
    return status, out, err


@pytest.mark.parametrize("kind", ["mlp", "residual", "fourier", "mixture"])
def test_that_match_gives_every_kind_with_a_size_about_as_many_parameters(recipe, capsys, kind):
    settings = ["--set", f"energy={kind}", "--match", LIKE_MLP, "--device", "cpu"]
    told(capsys, "train", recipe, "-o", "run", "--steps", 0, *settings)
    net = Recipe.load("run/recipe.json").energy.build(torch.Generator())
    assert count(net) == pytest.approx(LIKE_MLP, rel=0.02)


def test_that_match_comes_after_what_is_set(recipe, capsys):
    settings = ["--set", "energy=mlp", "--set", "energy.depth=1", "--set", "energy.width=7", "--match", 401]
    told(capsys, "train", recipe, "-o", "run", "--steps", 1, *settings, "--device", "cpu")
    energy = Recipe.load("run/recipe.json").energy
    assert (energy.depth, energy.width) == (1, 100), "2·100 + 100 weights and biases, 100 + 1 of the output"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["--set", "energy=quadratic", "--match", "500"], "--match"),
        (["--set", "energy=rbf", "--match", "9000000"], "comes no nearer"),
        (["--match", "0"], "give a whole number from 1"),
        (["--match", "many"], "give a whole number from 1"),
    ],
)
def test_that_a_number_that_cannot_be_matched_is_refused_in_one_sentence(recipe, capsys, settings, said):
    status, out, err = told(capsys, "evaluate", recipe, *settings)
    assert (status, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_that_a_saved_run_keeps_its_own_size(recipe, capsys):
    told(capsys, "train", recipe, "-o", "run", "--steps", 1, "--set", "energy=mlp", "--device", "cpu")
    status, _, err = told(capsys, "evaluate", "run", "--match", 401, "--device", "cpu")
    assert status == 2
    assert "energy" in err
