from __future__ import annotations

import json

import pytest

from ebmlab.assets import sweeps
from ebmlab.engine.estimators import ContrastiveDivergence
from ebmlab.session.sweep import checked, load_sweep, loads_sweep, said
from ebmlab.session.sweep.spec import MOST_RUNS
from ebmlab.spec import BadInput

SMALL = {"energy": {"kind": "mlp", "width": 4}, "estimator": {"kind": "dsm"}}


def text(**parts):
    return json.dumps({"format": "ebmlab-sweep", "version": 1, "recipe": SMALL, "steps": 5, **parts})


def read(**parts):
    return loads_sweep(text(**parts))


def refusal(content):
    with pytest.raises(BadInput) as caught:
        checked(loads_sweep(content if isinstance(content, str) else text(**content), source="s.json"))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_that_every_axis_is_combined_with_every_other_one_the_last_fastest():
    trials = checked(read(over={"batch": [8, 16, 32], "seed": [4, 5]}))
    assert [(t.recipe.batch, t.recipe.seed) for t in trials] == [(b, s) for b in (8, 16, 32) for s in (4, 5)]
    assert trials[1].knobs == (("batch", 8), ("seed", 5))
    assert said(trials[1]) == "batch = 8, seed = 5"


def test_that_zipped_knobs_vary_together():
    trials = checked(read(over={"seed": [0, 1]}, zip=[{"energy.width": [3, 5], "batch": [64, 32]}]))
    assert [(t.recipe.seed, t.recipe.energy.width, t.recipe.batch) for t in trials] == [
        (0, 3, 64), (0, 5, 32), (1, 3, 64), (1, 5, 32)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("axis", "values"),
    [
        ({"from": 2, "count": 3}, [2, 3, 4]),
        ({"from": 0, "count": 3, "step": 5}, [0, 5, 10]),
        ({"from": 1, "to": 3, "count": 3}, [1, 2, 3]),
        ({"from": 1, "to": 100, "count": 3, "scale": "log"}, [1, 10, 100]),
        ({"from": 7, "to": 9, "count": 1}, [7]),
    ],
)
def test_that_a_range_stands_for_its_numbers(axis, values):
    assert [t.recipe.seed for t in checked(read(over={"seed": axis}))] == values


def test_that_a_part_is_set_before_the_knobs_within_it():
    over = {"estimator.steps": [3, 4], "estimator": ["cd", {"kind": "cd", "sampler": {"kind": "mala"}}]}
    trials = checked(read(over=over))
    assert all(isinstance(t.recipe.estimator, ContrastiveDivergence) for t in trials)
    assert [(t.recipe.estimator.steps, t.recipe.estimator.sampler.kind) for t in trials] == [
        (3, "ula"), (3, "mala"), (4, "ula"), (4, "mala")
    ]  # fmt: skip


def test_that_files_are_found_beside_the_sweep(tmp_path):
    (tmp_path / "p.csv").write_text("0,0\n1,1\n2,0\n")
    (tmp_path / "s.json").write_text(text(over={"target": [{"kind": "points", "path": "p.csv"}, "ring"]}))
    first, second = checked(load_sweep(tmp_path / "s.json"))
    assert first.recipe.target.path == str(tmp_path / "p.csv")
    assert second.recipe.target.kind == "ring"


def test_that_the_recipe_may_be_a_file_or_an_exhibit(tmp_path):
    (tmp_path / "r.json").write_text(json.dumps({**SMALL, "batch": 77}))
    (tmp_path / "s.json").write_text(text(recipe="r.json"))
    assert load_sweep(tmp_path / "s.json").recipe.batch == 77
    exhibit = json.loads(text(recipe="mle-is-kl"))
    del exhibit["steps"]
    spec = loads_sweep(json.dumps(exhibit))
    assert spec.recipe.estimator.kind == "mle"
    assert spec.steps > 0


def test_that_a_run_is_known_by_its_recipe_and_steps():
    names = {t.name for t in checked(read(over={"seed": {"from": 0, "count": 20}}))}
    assert len(names) == 20
    assert {t.name for t in checked(read(over={"seed": [3, 4]}))} < names
    assert not names & {t.name for t in checked(read(over={"seed": [3, 4]}, steps=6))}


def test_that_a_run_is_another_one_when_its_points_have_changed(tmp_path):
    path = tmp_path / "p.csv"
    over = {"target": [{"kind": "points", "path": str(path)}]}
    path.write_text("0,0\n1,1\n2,0\n")
    (first,) = checked(read(over=over))
    path.write_text("0,0\n1,1\n2,1\n")
    (second,) = checked(read(over=over))
    assert first.recipe == second.recipe
    assert first.name != second.name


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"over": {"estimator.sgima": [1]}}, "over.estimator.sgima: there is no such key; did you mean sigma"),
        ({"over": {"estimator.sigma": [-1]}}, "over.estimator.sigma: -1 will not do"),
        ({"over": {"estimator": ["dmsm"]}}, "did you mean dsm"),
        ({"over": {"seed": [1, 1.0]}}, "two runs are the same"),
        ({"over": {"seed": []}}, "over.seed: give a list of values"),
        ({"over": {"seed": 3}}, "over.seed: give a list of values"),
        ({"over": {"seed": {"from": 0, "cuont": 3}}}, "over.seed.cuont: there is no such key; did you mean count"),
        ({"over": {"seed": {"from": 0, "count": 10**12}}}, "over.seed.count"),
        ({"over": {"seed": {"from": "a", "count": 3}}}, "over.seed.from: 'a' will not do"),
        ({"over": {"estimator.sigma": {"from": 0, "to": 1, "count": 3, "scale": "log"}}}, "above 0"),
        ({"over": {"seed": {"from": 0, "count": 200}, "batch": {"from": 1, "count": 200}}}, f"at most {MOST_RUNS:,}"),
        ({"over": {"seed": [1]}, "zip": [{"seed": [1, 2], "batch": [1, 2]}]}, "seed: this knob varies twice"),
        ({"zip": [{"seed": [1, 2], "batch": [1]}]}, "these have seed 2, batch 1"),
        ({"zip": [{"seed": [1, 2]}]}, "put a single one under over"),
        ({"zip": {"seed": [1, 2]}}, "zip: give a list of objects"),
        ({"over": [1]}, "over: give an object"),
        ({"ovre": {}}, "ovre: there is no such key; did you mean over"),
        ({"version": 2}, "get a newer ebmlab"),
        ({"version": "1"}, "is no version"),
        ({"steps": -1}, "steps: '-1' will not do"),
        ({"steps": 1.5}, "steps"),
        ({"recipe": {"energy": {"kind": "mpl"}}}, "recipe: energy.kind: no energy is called"),
        ({"recipe": "mle-is-lk"}, "did you mean mle-is-kl"),
        ({"recipe": None}, "recipe: a recipe is a JSON object"),
        ({"over": {"target": [{"kind": "points", "path": "/nowhere/p.csv"}]}}, "target: no such file"),
        ({"over": {"target": [{"kind": "formula", "expression": "1 +"}]}}, "target"),
        ("[1]", "this is no sweep"),
        ("{", "line 1, column 2"),
        ('{"format": "ebmlab-sweep", "steps": NaN}', "NaN is not a number"),
        ("[" * 100_000, "nested too deeply"),
        ('{"format": "ebmlab-sweep", "steps": ' + "9" * 6000 + "}", "too many digits"),
    ],
)
def test_that_what_will_not_do_is_refused_in_one_line(parts, words):
    message = refusal(parts)
    assert words in message
    assert "s.json" in message or isinstance(parts, dict)


def test_that_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(BadInput, match="no such file"):
        load_sweep(tmp_path / "s.json")
    (tmp_path / "b.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="not a text file"):
        load_sweep(tmp_path / "b.json")


@pytest.mark.parametrize("path", sweeps().values(), ids=lambda path: path.stem)
def test_that_the_examples_can_be_run(path):
    assert len(checked(load_sweep(path))) > 1
