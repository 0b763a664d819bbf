from __future__ import annotations

import dataclasses
import json

import pytest

from ebmlab.engine.targets import GaussianMixture, Points
from ebmlab.session.recipe import FORMAT, VERSION, Data, Recipe
from ebmlab.spec import BadInput


@pytest.fixture
def path(tmp_path):
    return tmp_path / "r.json"


def refused(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BadInput) as caught:
        Recipe.load(path)
    fault = caught.value
    assert fault.source == str(path)
    assert "\n" not in str(fault)
    return fault


def test_that_a_recipe_comes_back_from_its_file(path):
    recipe = Recipe(seed=3, target=GaussianMixture(), data=Data(size=40), batch=32, log_z=())
    recipe.save(path)
    assert Recipe.load(path) == recipe


def test_that_the_file_names_its_format_and_writes_every_knob(path):
    Recipe().save(path)
    data = json.loads(path.read_text())
    assert (data["format"], data["version"]) == (FORMAT, VERSION)
    assert set(data) == {"format", "version", *(f.name for f in dataclasses.fields(Recipe))}


def test_that_saving_leaves_nothing_beside(path):
    Recipe().save(path)
    assert list(path.parent.iterdir()) == [path]


def test_that_the_example_of_the_contract_is_read(path):
    path.write_text(
        """{
        "format": "ebmlab-recipe", "version": 1, "seed": 0,
        "target": {"kind": "two-moons"},
        "data":   {"size": 0},
        "energy": {"kind": "mlp", "width": 128, "depth": 2, "activation": "silu", "confinement": 0.02},
        "estimator": {"kind": "pcd", "steps": 20, "sampler": {"kind": "ula", "step_size": 0.02}},
        "optimizer": {"kind": "adam", "rate": 0.001},
        "batch": 256,
        "sampler": {"kind": "ula"},
        "log_z": [{"kind": "ais"}],
        "window": [-6, 6, -6, 6]
        }"""
    )
    recipe = Recipe.load(path)
    assert recipe.estimator.steps == 20
    assert recipe.estimator.sampler.step_size == 0.02
    assert recipe == Recipe(estimator=recipe.estimator)


def test_that_every_key_is_optional(path):
    path.write_text("{}")
    assert Recipe.load(path) == Recipe()


def test_that_paths_are_relative_to_the_file(path):
    path.write_text('{"target": {"kind": "points", "path": "p.csv"}}')
    found = Recipe.load(path).target
    assert isinstance(found, Points)
    assert found.path == str(path.parent / "p.csv")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('{"sed": 1}', "sed"),
        ('{"seed": -1}', "seed"),
        ('{"seed": 1.5}', "seed"),
        ('{"seed": true}', "seed"),
        ('{"batch": "256"}', "batch"),
        ('{"batch": null}', "batch"),
        ('{"target": {"kind": "two-mons"}}', "target.kind"),
        ('{"target": {"covariance": [[1, 2], [2, 1]], "kind": "gaussian"}}', "target.covariance"),
        ('{"estimator": {"sampler": {"step_size": 1e9}}}', "estimator.sampler.step_size"),
        ('{"window": [6, -6, -6, 6]}', "window"),
        ('{"window": [0, 1]}', "window"),
        ('{"log_z": [{"kind": "ais"}, 3]}', "log_z.1"),
        ('{"format": "other"}', "format"),
        ('{"version": 2}', "version"),
        ('{"version": 0}', "version"),
        ('{"version": true}', "version"),
    ],
)
def test_that_a_fault_names_file_and_key(path, text, key):
    assert refused(path, text).key == key


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "3", '"text"', '{"seed": 1,}', '{"seed": NaN}', '{"seed": Infinity}', "[" * 100_000, b"\xff\xfe"],
)
def test_that_what_is_no_recipe_is_refused(path, content):
    refused(path, content)


def test_that_broken_json_is_pointed_at(path):
    assert "line 2" in str(refused(path, '{\n"seed": 1 "batch": 2}'))


def test_that_a_number_of_thousands_of_digits_is_refused(path):
    refused(path, '{"seed": ' + "9" * 5000 + "}")


def test_that_a_newer_file_is_refused_by_its_version(path):
    assert "newer ebmlab" in str(refused(path, '{"version": 7, "tricks": []}'))


def test_that_a_missing_file_and_a_folder_are_refused(tmp_path):
    for place in (tmp_path / "none.json", tmp_path):
        with pytest.raises(BadInput, match="give a recipe file"):
            Recipe.load(place)
