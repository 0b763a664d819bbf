from __future__ import annotations

import contextlib
import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebmlab.engine.energies import MLP
from ebmlab.engine.estimators import ContrastiveDivergence, PersistentContrastiveDivergence
from ebmlab.engine.samplers import MetropolisLangevin, UnadjustedLangevin
from ebmlab.engine.targets import Points
from ebmlab.session.recipe import Recipe
from ebmlab.spec import BadInput, amend, decode, encode


@given(
    st.builds(
        PersistentContrastiveDivergence,
        steps=st.integers(1, 100),
        sampler=st.builds(UnadjustedLangevin, step_size=st.floats(1e-6, 1.0)),
    )
)
def test_that_a_component_survives_json_to_the_last_digit(component):
    data = json.loads(json.dumps(encode(component)))
    assert decode(data, ContrastiveDivergence(), "estimator") == component


def test_that_every_knob_is_written_out():
    assert encode(MLP(width=8)) == {
        "kind": "mlp",
        **{f.name: getattr(MLP(width=8), f.name) for f in dataclasses.fields(MLP)},
    }


def test_that_what_a_file_does_not_say_is_the_default():
    assert decode({"kind": "mlp"}, MLP(), "energy") == MLP()
    assert decode({}, Recipe()) == Recipe()


def test_that_without_a_kind_the_values_amend_what_is_there():
    recipe = decode({"estimator": {"sampler": {"step_size": 0.5}}}, Recipe())
    assert recipe.estimator.sampler == dataclasses.replace(Recipe().estimator.sampler, step_size=0.5)


def test_that_with_a_kind_the_defaults_of_that_kind_fill_the_rest():
    recipe = decode({"estimator": {"sampler": {"kind": "mala"}}}, Recipe())
    assert recipe.estimator.sampler == MetropolisLangevin()


@pytest.mark.parametrize(
    ("data", "key", "hint"),
    [
        ({"bacth": 3}, "bacth", "batch"),
        ({"energy": {"widht": 3}}, "energy.widht", "width"),
        ({"estimator": {"sampler": {"stepsize": 1}}}, "estimator.sampler.stepsize", "step_size"),
        ({"estimator": {"kind": "pdc"}}, "estimator.kind", "pcd"),
        ({"log_z": [{"kind": "ais"}, {"kind": "aiss"}]}, "log_z.1.kind", "ais"),
        ({"log_z": {"kind": "ais"}}, "log_z", "list of objects"),
        ({"energy": "mlp"}, "energy", "an object"),
        ({"energy": {"width": [1]}}, "energy.width", "a whole number"),
        ({"energy": {"kind": ["mlp"]}}, "energy.kind", "mlp"),
    ],
    ids=str,
)
def test_that_a_fault_names_the_key_and_what_would_be_right(data, key, hint):
    with pytest.raises(BadInput, match=hint) as caught:
        decode(data, Recipe())
    assert caught.value.key == key


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["kind", "seed", "energy", "x"]), inner)
    ),
    max_leaves=8,
)


@given(JSON)
def test_that_anything_else_is_a_recipe_or_refused(data):
    with contextlib.suppress(BadInput):
        recipe = decode(data, Recipe())
        assert decode(encode(recipe), Recipe()) == recipe


def test_that_paths_are_relative_to_the_folder_of_the_file():
    target = {"kind": "points", "path": "p.csv"}
    found = decode({"target": target}, Recipe(), base=Path("folder")).target
    assert isinstance(found, Points)
    assert Path(found.path) == Path("folder/p.csv")


@pytest.mark.parametrize(
    ("path", "text", "read"),
    [
        ("batch", "32", lambda r: r.batch == 32),
        ("energy.width", "16", lambda r: r.energy == MLP(width=16)),
        ("estimator", "dsm", lambda r: r.estimator.kind == "dsm"),
        ("estimator.kind", "dsm", lambda r: r.estimator.kind == "dsm"),
        ("estimator.sampler", "mala", lambda r: r.estimator.sampler == MetropolisLangevin()),
        ("log_z.0.particles", "64", lambda r: r.log_z[0].particles == 64),
        ("log_z.0", "importance", lambda r: r.log_z[0].kind == "importance"),
        ("log_z", "[]", lambda r: r.log_z == ()),
        ("window", "[-1, 1, -2, 2]", lambda r: r.window == (-1, 1, -2, 2)),
        ("energy.activation", "tanh", lambda r: r.energy.activation == "tanh"),
    ],
)
def test_that_a_path_sets_one_knob(path, text, read):
    assert read(amend(Recipe(), path, text))


@pytest.mark.parametrize(
    "path", ["", ".", "energy.", ".energy", "a.b.c", "log_z.7", "log_z.-1.particles", "energy.width.x"]
)
def test_that_a_path_that_leads_nowhere_is_refused(path):
    with pytest.raises(BadInput, match="there is no such key"):
        amend(Recipe(), path, "1")


@given(st.text(max_size=12), st.text(max_size=12))
def test_that_whatever_is_typed_sets_a_knob_or_is_refused(path, text):
    for way in (path, f"energy.{path}", "energy.width", "window", "log_z.0", "target"):
        with contextlib.suppress(BadInput):
            recipe = amend(Recipe(), way, text)
            assert decode(encode(recipe), Recipe()) == recipe
