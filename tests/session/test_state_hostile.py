"""A state that is broken or does not fit the recipe is refused in one sentence, and changes nothing."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from beginnings import SMALL, recipe_for, skeleton_of, trained
from safetensors.torch import load, save

from ebmlab.engine.energies import MLP
from ebmlab.engine.optimizers import SGD, Adam
from ebmlab.session.state import State
from ebmlab.spec import BadInput


def changed(state, tensors=None, skeleton=None):
    """Returns the content of a state with some tensors replaced, and its skeleton passed through a function."""

    content = state.dumps()
    tree = skeleton_of(content)
    if skeleton:
        skeleton(tree["dict"])
    held = {**load(content), **(tensors or {})}
    return save({name: x for name, x in held.items() if x is not None}, {"tree": json.dumps(tree)})


def refused(session, content):
    before = session.capture().dumps()
    with pytest.raises(BadInput) as caught:
        session.resume(State.loads(content))
    assert ";" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert session.capture().dumps() == before
    return str(caught.value)


HOSTILE_TENSORS = {
    "weights": {"weights.LAYER": torch.zeros(3)},
    "weights that are not finite": {"weights.LAYER": torch.nan},
    "weights of another type": {"weights.LAYER": torch.float64},
    "no weights": {"weights.LAYER": None},
    "one tensor more": {"other": torch.zeros(1)},
    "moments of another shape": {"optimizer.0.exp_avg": torch.zeros(7)},
    "moments of one number": {"optimizer.0.exp_avg": torch.zeros(())},
    "a step of several numbers": {"optimizer.0.step": torch.zeros(2)},
    "moments missing": {"optimizer.0.exp_avg_sq": None},
    "a stream cut short": {"streams.train": torch.zeros(10, dtype=torch.uint8)},
    "a stream of nothing": {"streams.train": torch.zeros(5056, dtype=torch.uint8)},
    "a stream of numbers": {"streams.data": torch.zeros(5056)},
    "chains in three dimensions": {"memory.chains.x": torch.zeros(12, 3)},
    "chains that are no points": {"memory.chains.x": torch.zeros(12)},
    "chains of booleans": {"memory.chains.x": torch.zeros(12, 2, dtype=torch.bool)},
    "data in three dimensions": {"data": torch.zeros(12, 3)},
    "negatives of integers": {"negatives": torch.zeros(12, 2, dtype=torch.int64)},
}


@pytest.mark.parametrize("case", HOSTILE_TENSORS)
def test_that_a_state_with_a_tensor_that_will_not_do_is_refused_and_changes_nothing(case):
    session = trained(recipe_for("pcd"))
    layer, w = next(iter(session.net.state_dict().items()))
    tensors = {}
    for name, x in HOSTILE_TENSORS[case].items():
        if isinstance(x, float):
            x = torch.full_like(w, x)
        elif isinstance(x, torch.dtype):
            x = w.to(x)
        tensors[name.replace("LAYER", layer)] = x
    refused(session, changed(session.capture(), tensors))


def put(**values):
    return lambda parts: parts.update(values)


HOSTILE_SKELETONS = {
    "a step below 0": put(step=-1),
    "a step that is true": put(step=True),
    "a step that is a text": put(step="7"),
    "one part more": put(other=1),
    "no step": lambda parts: parts.pop("step"),
    "no memory": lambda parts: parts.pop("memory"),
    "a list": put(device=["cpu"]),
    "an unknown named tuple": put(memory={"named": "Stage", "fields": {}}),
    "a module for a named tuple": put(memory={"named": "os.system", "fields": {}}),
    "an unknown family": put(memory={"component": "os", "knobs": {}}),
    "a component that is broken": put(memory={"component": "sampler", "knobs": {"kind": "hmc", "step_size": -1}}),
    "a tensor twice": put(negatives={"tensor": "data"}),
    "an unknown node": put(memory={"eval": "1"}),
    "nothing trained for Adam": put(optimizer={"dict": {"99": {"dict": {}}}}),
    "depth": put(memory=json.loads('{"tuple":[' * 300 + "]}" * 300)),
}


@pytest.mark.parametrize("case", HOSTILE_SKELETONS)
def test_that_a_state_with_a_part_that_will_not_do_is_refused_and_changes_nothing(case):
    session = trained(recipe_for("pcd"))
    refused(session, changed(session.capture(), skeleton=HOSTILE_SKELETONS[case]))


@pytest.mark.parametrize("theirs", ["pcd", "dsm", "nce", "tre", "fce", "lsd", "adversarial", "jarzynski", "pt-pcd"])
@pytest.mark.parametrize("ours", ["pcd", "dsm", "nce", "tre", "lsd", "jarzynski", "pt-pcd"])
def test_that_the_memory_of_another_estimator_is_refused(ours, theirs):
    if ours != theirs:
        refused(trained(recipe_for(ours), 1), trained(recipe_for(theirs), 1).capture().dumps())


def test_that_the_moments_of_another_optimiser_are_refused():
    adam, sgd = (trained(replace(SMALL, optimizer=o)) for o in (Adam(), SGD(momentum=0.5)))
    assert "optimizer" in refused(adam, sgd.capture().dumps())
    assert "optimizer" in refused(sgd, adam.capture().dumps())


def test_that_a_state_of_another_energy_is_refused_by_the_weight_that_differs():
    wide = trained(replace(SMALL, energy=MLP(width=9, depth=1)))
    assert "weights" in refused(trained(SMALL), wide.capture().dumps())


def test_that_a_state_cut_short_is_refused():
    session = trained(recipe_for("pcd"), 1)
    whole = session.capture().dumps()
    for n in (0, 4, 8, 100, len(whole) // 2, len(whole) - 1):
        refused(session, whole[:n])
