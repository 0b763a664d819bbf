from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from ebmlab.cli.main import main
from ebmlab.session.archive import load_run, write_run

RECIPE = {
    "target": {"kind": "gaussian"},
    "energy": {"kind": "mlp", "width": 8, "depth": 1},
    "estimator": {"kind": "pcd", "steps": 2},
    "batch": 16,
}


@pytest.fixture
def trained(tmp_path, monkeypatch, quick_figures, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "r.json").write_text(json.dumps(RECIPE))
    assert main(["train", "r.json", "-o", "run.ebmlab", "--steps", "30"]) == 0
    capsys.readouterr()
    return "run.ebmlab"


def answer(capsys, words):
    assert main(words.split()) == 0
    return json.loads(capsys.readouterr().out)


def test_that_a_run_is_trained_again_and_comes_out_the_same(trained, capsys):
    found = answer(capsys, f"replay {trained} --verify --json")
    assert found["same"]
    assert (found["steps"], found["start"], found["differences"]) == (30, 0, [])
    assert found["weights_compared"] > 10
    assert found["evaluation"]["step"] == 30


def test_that_a_run_that_was_gone_on_with_is_replayed_from_its_seed(trained, capsys):
    assert main(f"train {trained} -o more.ebmlab --steps 12 --set batch=20 --set estimator=dsm".split()) == 0
    capsys.readouterr()
    found = answer(capsys, "replay more.ebmlab --verify --json")
    assert (found["same"], found["steps"], found["start"]) == (True, 42, 0)


def test_that_going_on_in_two_stretches_is_going_on_at_once(trained, capsys):
    assert main(f"train {trained} -o a.ebmlab --steps 12".split()) == 0
    assert main(["train", "r.json", "-o", "b.ebmlab", "--steps", "42"]) == 0
    a, b = load_run("a.ebmlab"), load_run("b.ebmlab")
    assert all(torch.equal(w, b.weights[name]) for name, w in a.weights.items())
    assert [k.step for k in a.kept] == [k.step for k in b.kept]


def test_that_what_cannot_change_on_the_way_is_named(trained, capsys):
    assert main(f"train {trained} -o a.ebmlab --steps 3 --set energy.width=9".split()) == 2
    assert "energy.width" in capsys.readouterr().err


def test_that_a_run_with_other_weights_is_found_out(trained, capsys):
    run = load_run(trained)
    for w in run.weights.values():
        w += 0.5
    write_run(run, "odd.ebmlab")
    assert main(["replay", "odd.ebmlab"]) == 1
    out, err = capsys.readouterr()
    assert "step 30" in out
    assert "differ by up to 0.5" in err


def test_that_a_run_of_an_older_version_has_no_log(trained, capsys):
    run = load_run(trained)
    write_run(replace(run, log=()), "old.ebmlab")
    assert main(["replay", "old.ebmlab"]) == 2
    assert "no log" in capsys.readouterr().err
