"""Weights with their recipe, as safetensors: out, in again, and what is none."""

from __future__ import annotations

import json
import random
import time

import pytest
import torch
from safetensors.torch import load_file, save

from ebmlab.engine.energies import ENERGIES, MLP, Flow
from ebmlab.engine.types import finish
from ebmlab.record.export import export, load_weights
from ebmlab.session.archive import load_run, write_run
from ebmlab.session.checkpoint import open_run
from ebmlab.session.recipe import Recipe
from ebmlab.session.session import Session
from ebmlab.spec import BadInput

RECIPE = Recipe(energy=MLP(width=8), batch=16)


@pytest.fixture
def written(tmp_path, quick_figures):
    """A trained session and the file of its weights."""

    session = Session(RECIPE, "cpu")
    for _ in range(3):
        session.step()
    path = tmp_path / "e.safetensors"
    done = finish(export(session, "safetensors", path))
    assert done.check.error == 0
    return session, path


def altered(path, tensors=None, **facts):
    """Writes the file anew with other tensors, or another fact; None leaves a fact out."""

    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    known = json.loads(content[8 : 8 + length])["__metadata__"] | facts
    metadata = {name: value for name, value in known.items() if value is not None}
    path.write_bytes(save(load_file(path) if tensors is None else tensors, metadata))


def fault_of(path):
    """Returns what is said of a file, None if it is read; nothing but BadInput may come of it."""

    try:
        load_weights(path)
    except BadInput as fault:
        return str(fault)
    return None


def test_that_weights_come_back_bit_for_bit(written, tmp_path):
    session, path = written
    run = load_weights(path)
    assert run.recipe == session.recipe
    assert run.step == 3
    write_run(run, tmp_path / "run")
    again = open_run(load_run(tmp_path / "run"), "cpu")
    x = 9 * torch.randn(100, 2, generator=torch.Generator().manual_seed(0))
    assert torch.equal(again.energy(x), session.energy(x))
    assert again.count == 3


@pytest.mark.parametrize("kind", ENERGIES)
def test_that_weights_of_every_energy_come_back(kind, tmp_path, monkeypatch):
    from ebmlab.engine.oracle import Evaluation

    monkeypatch.setattr(Session, "evaluate", lambda session: Evaluation())
    session = Session(Recipe(energy=ENERGIES[kind](), batch=16), "cpu")
    session.net.observe(torch.ones(7, 2))
    done = finish(export(session, "safetensors", tmp_path / "e.safetensors"))
    assert done.check.error == 0


def test_that_the_metadata_says_where_the_weights_come_from(written):
    session, path = written
    content = path.read_bytes()
    facts = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
    assert facts["step"] == "3"
    assert facts["ebmlab"]
    assert float(facts["log_z"]) == pytest.approx(session.evaluate().log_z, abs=1e-6)
    assert float(facts["log_z_error"]) >= 0
    assert Recipe.loads(facts["recipe"]) == RECIPE


def test_that_a_file_cut_short_at_any_byte_gets_one_sentence(written):
    _, path = written
    content = path.read_bytes()
    for size in [*range(0, 120), *range(120, len(content), 97)]:
        path.write_bytes(content[:size])
        with pytest.raises(BadInput, match=r"e\.safetensors"):
            load_weights(path)


def test_that_mutated_files_are_read_or_refused(written):
    _, path = written
    content, rng = path.read_bytes(), random.Random(0)
    refused = 0
    for _ in range(300):
        mutant = bytearray(content)
        for _ in range(rng.choice([1, 2, 30])):
            mutant[rng.randrange(rng.choice([8, 1000, len(mutant)]))] = rng.randrange(256)
        path.write_bytes(mutant)
        refused += fault_of(path) is not None
    assert refused > 100


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"format": None}, "without a recipe of the lab"),
        ({"format": "pt"}, "without a recipe of the lab"),
        ({"version": "2"}, "version 2, and this program reads up to 1"),
        ({"version": "x"}, "which version"),
        ({"version": "9" * 5000}, "which version"),
        ({"step": "-1"}, "how long it was trained"),
        ({"step": "nan"}, "how long it was trained"),
        ({"recipe": None}, "line 1"),
        ({"recipe": "[" * 100_000}, "recipe"),
        ({"recipe": "[" + "1," * 1_100_000 + "1]"}, "too long"),
        ({"recipe": '{"energy": {"kind": "rbf"}}'}, "weights"),
        ({"recipe": '{"energy": {"kind": "mlp", "width": 9}}'}, "weights"),
        ({"recipe": '{"energy": {"kind": "mlp", "depth": 10000}}'}, "energy.depth"),
        ({"recipe": '{"version": 7}'}, "version 7"),
    ],
)
def test_that_a_file_that_claims_too_much_gets_one_sentence(written, facts, word):
    _, path = written
    altered(path, **facts)
    with pytest.raises(BadInput, match=word) as fault:
        load_weights(path)
    assert len(str(fault.value)) < 500


@pytest.mark.parametrize("bad", [torch.full((1,), torch.nan), torch.zeros(1, dtype=torch.float64), torch.zeros(2)])
def test_that_weights_that_are_none_of_the_recipe_are_refused(written, bad):
    _, path = written
    altered(path, {**load_file(path), "head.bias": bad})
    with pytest.raises(BadInput, match=r"head\.bias"):
        load_weights(path)


def test_that_an_enormous_network_is_refused_before_it_is_built(written):
    _, path = written
    altered(path, recipe=Recipe(energy=Flow(transforms=16, width=1024, depth=8)).dumps())
    begun = time.perf_counter()
    with pytest.raises(BadInput, match="weights"):
        load_weights(path)
    assert time.perf_counter() - begun < 2


@pytest.mark.parametrize("place", ["nosuch.safetensors", ""])
def test_that_a_place_without_a_file_is_named(tmp_path, place):
    with pytest.raises(BadInput, match=r"give a \.safetensors file that the lab has written"):
        load_weights(tmp_path / place)
