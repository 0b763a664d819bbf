from __future__ import annotations

import csv
import json
import subprocess
import sys

import numpy as np
import pytest

import ebmlab.session.recipe  # noqa: F401 (fills the families)
from ebmlab.cli.arguments import COMMANDS
from ebmlab.cli.main import main
from ebmlab.session.archive import load_run
from ebmlab.session.recipe import Recipe
from ebmlab.session.session import Session
from ebmlab.spec import FAMILIES
from ebmlab.spec.catalogue import shelves

RECIPE = {
    "target": {"kind": "gaussian", "covariance": [[1.0, 0.5], [0.5, 1.0]]},
    "energy": {"kind": "mlp", "width": 8, "depth": 1},
    "estimator": {"kind": "pcd", "steps": 2},
    "batch": 16,
    "log_z": [{"kind": "ais", "particles": 64, "rungs": 8}],
}


@pytest.fixture
def recipe(tmp_path, monkeypatch, quick_figures):
    """A small recipe in a file of the current folder."""

    monkeypatch.chdir(tmp_path)
    (tmp_path / "r.json").write_text(json.dumps(RECIPE))
    return "r.json"


def answer(capsys, *words):
    assert main(list(map(str, words))) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is printed"))


def test_that_train_answers_in_the_words_of_the_contract(recipe, capsys):
    found = answer(capsys, "train", recipe, "-o", "run", "--steps", 3, "--device", "cpu", "--json")
    assert set(found) == {"steps", "seconds", "steps_per_second", "diverged", "device", "evaluation"}
    assert found["steps"] == 3
    assert found["diverged"] is False
    assert found["device"] == "cpu"
    assert found["evaluation"]["step"] == 3


def test_that_evaluate_answers_in_the_words_of_the_contract(recipe, capsys):
    words = "step log_z log_z_error nll entropy kl reverse_kl fisher border_mass normalisable modes parameters"
    found = answer(capsys, "evaluate", recipe, "--json")
    assert set(words.split()) <= set(found)
    assert {"x", "y", "target_mass", "model_mass"} <= set(found["modes"][0])
    assert found["entropy"] == pytest.approx(np.log(2 * np.pi * np.e) + np.log(0.75) / 2, abs=1e-6)
    assert found["nll"] - found["entropy"] == pytest.approx(found["kl"], abs=1e-9)


def test_that_a_figure_that_cannot_be_given_is_null_with_a_why(recipe, capsys):
    found = answer(capsys, "evaluate", recipe, "--set", "energy.confinement=0", "--json")
    assert found["normalisable"] is False
    assert found["log_z"] is None
    assert found["kl"] is None
    assert found["why"]["log_z"]


def test_that_log_z_answers_in_the_words_of_the_contract(recipe, capsys):
    methods = ["--method", "ais", "--method", "quadrature"]
    sizes = ["--set", "log_z.0.particles=64", "--set", "log_z.0.rungs=8"]
    found = answer(capsys, "log-z", recipe, *methods, *sizes, "--json")
    assert set(found) == {"exact", "estimates"}
    assert set(found["exact"]) == {"log_z", "error"}
    assert [e["method"] for e in found["estimates"]] == ["ais", "quadrature"]
    words = {"method", "log_z", "stderr", "bound", "energy_evaluations", "seconds"}
    assert all(words <= set(e) for e in found["estimates"])
    ais, quadrature = found["estimates"]
    assert quadrature["log_z"] == pytest.approx(found["exact"]["log_z"], abs=1e-4)
    assert abs(ais["log_z"] - found["exact"]["log_z"]) < 5 * ais["stderr"]


@pytest.mark.parametrize("name", ["p.npy", "p.csv"])
def test_that_sample_writes_n_points_in_the_plane(name, recipe, capsys, tmp_path):
    answer(capsys, "sample", recipe, "-n", 7, "--steps", 3, "-o", name, "--json")
    if name.endswith("npy"):
        points = np.load(name)
    else:
        heading, *rows = csv.reader((tmp_path / name).read_text().splitlines())
        assert heading == ["x", "y"]
        points = np.array(rows, dtype=float)
    assert points.shape == (7, 2)
    assert np.isfinite(points).all()


def test_that_the_exact_sampler_needs_one_transition_and_draws_the_model(recipe, capsys):
    sets = ["--set", "energy.confinement=4", "--sampler", "exact"]
    found = answer(capsys, "sample", recipe, "-n", 4000, *sets, "-o", "p.npy", "--json")
    assert found == {"points": 4000, "sampler": "exact", "steps": 1}
    # A fresh network is nearly flat beside a confinement of 4, whose variance is 1/4.
    assert np.load("p.npy").std(0) == pytest.approx([0.5, 0.5], rel=0.1)


@pytest.mark.parametrize("name", ["run", "run.ebmlab"])
def test_that_a_saved_run_is_the_session_that_was_trained(name, recipe, capsys):
    answer(capsys, "train", recipe, "-o", name, "--steps", 4, "--seed", 5, "--device", "cpu", "--json")
    session = Session(load_run(name).recipe, "cpu")
    for _ in range(4):
        session.step()
    run = load_run(name)
    assert run.recipe.seed == 5
    assert run.step == 4
    assert all(w.equal(run.weights[k]) for k, w in session.net.state_dict().items())
    assert answer(capsys, "evaluate", name, "--json") == run.evaluation


def test_that_training_twice_into_one_folder_keeps_the_later_run(recipe, capsys, tmp_path):
    for steps in (1, 2):
        answer(capsys, "train", recipe, "-o", "run", "--steps", steps, "--json")
    assert load_run("run").step == 2
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == [
        "frames",
        "log.json",
        "recipe.json",
        "run.json",
        "series.safetensors",
        "state.safetensors",
        "states",
        "thumbnail.png",
        "weights.safetensors",
    ]


def test_that_a_picture_is_drawn_beside_the_run(recipe, capsys, tmp_path):
    answer(capsys, "train", recipe, "-o", "run", "--steps", 1, "--picture", "run/picture.png", "--json")
    assert (tmp_path / "run" / "picture.png").read_bytes().startswith(b"\x89PNG")


def test_that_figures_for_people_name_log_z_and_the_divergences(recipe, capsys):
    assert main(["train", recipe, "-o", "run", "--steps", "2"]) == 0
    out, err = capsys.readouterr()
    assert "log Z" in out
    assert "KL(target || model)" in out
    assert out.endswith("saved in run\n")
    assert err == "", "no progress where there is no terminal"


def test_that_log_z_for_people_sets_estimates_beside_the_exact_value(recipe, capsys):
    assert main(["log-z", recipe]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("exact")
    assert out[1].startswith("ais")
    assert "lower bound" in out[1]


def test_that_the_list_names_every_component(capsys):
    found = answer(capsys, "list", "--json")
    assert {heading: list(kinds) for heading, kinds in found.items()} == {h: list(k) for h, k in shelves().items()}
    assert {kind for kinds in found.values() for kind in kinds} == {kind for r in FAMILIES.values() for kind in r}
    assert list(answer(capsys, "list", "sampler", "--json")) == ["sampler"]


@pytest.mark.parametrize("kind", ["pcd", "estimator/pcd"])
def test_that_a_page_shows_equation_knobs_and_papers(kind, capsys):
    assert main(["describe", kind]) == 0
    out = capsys.readouterr().out
    assert "estimator pcd:" in out
    assert "steps = " in out
    assert "http" in out


def test_that_a_kind_of_several_families_shows_all_its_pages(capsys):
    several = [k for k in FAMILIES["target"] if sum(k in registry for registry in FAMILIES.values()) > 1]
    for kind in several:
        assert main(["describe", kind]) == 0
        out = capsys.readouterr().out
        assert all(f"{family} {kind}:" in out for family, registry in FAMILIES.items() if kind in registry)


def test_that_the_doctor_names_versions_device_and_display(capsys):
    code = main(["doctor", "--json"])
    report = json.loads(capsys.readouterr().out)
    assert code == bool(report["missing"])
    assert {"ebmlab", "python", "versions", "device", "display", "fonts", "qt_libraries"} <= set(report)
    assert report["versions"]["torch"]


@pytest.mark.parametrize("command", [[], *([c] for c in COMMANDS)], ids=lambda words: "".join(words) or "top")
def test_that_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([*command, "--help"])
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith("usage: ebmlab")


def test_that_help_and_slips_are_answered_without_torch():
    code = (
        "import sys\nfrom ebmlab.cli.main import main\nassert main(['trian']) == 2\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "assert 'torch' not in sys.modules and 'numpy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_that_a_recipe_without_a_name_is_the_default_one(recipe, capsys):
    sets = ["--set", "energy.width=4", "--set", "batch=4", "--set", "estimator.steps=1"]
    answer(capsys, "train", "-o", "run", "--steps", 1, *sets, "--json")
    found = load_run("run").recipe
    assert found.target == Recipe().target
    assert (found.energy.width, found.batch, found.estimator.steps) == (4, 4, 1)


def test_that_the_last_of_two_settings_of_a_knob_wins(recipe, capsys):
    answer(capsys, "train", recipe, "-o", "run", "--steps", 0, "--set", "batch=4", "--set", "batch=8", "--json")
    assert load_run("run").recipe.batch == 8
