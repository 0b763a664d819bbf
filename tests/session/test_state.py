"""A session's state: going on from it is never having stopped."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from beginnings import QUICK, SMALL, TINY, recipe_for, skeleton_of, trained

from ebmlab.engine.energies import ENERGIES, MLP, VAE
from ebmlab.engine.estimators import ESTIMATORS
from ebmlab.engine.estimators import PersistentContrastiveDivergence as PCD
from ebmlab.engine.memory import REMEMBERED
from ebmlab.engine.optimizers import OPTIMIZERS, SGD, Adam
from ebmlab.engine.samplers import SAMPLERS
from ebmlab.engine.targets import Gaussian
from ebmlab.session.recipe import Data, Recipe
from ebmlab.session.session import Session
from ebmlab.session.state import State
from ebmlab.spec import amend


def reopened(session, state=None):
    fresh = Session(session.recipe, "cpu")
    fresh.resume(State.loads((state or session.capture()).dumps()))
    return fresh


def demand_the_same_future(session, steps=20):
    """Demands that going on from a session's state, once through a file, is the same as the session going on."""

    start = session.capture()
    other = reopened(session, start)
    assert other.capture().dumps() == start.dumps()
    known = len(session.trace)
    for _ in range(steps):
        session.step()
        other.step()
    assert other.capture().dumps() == session.capture().dumps()
    assert np.array_equal(other.trace.view().rows, session.trace.view().rows[known:], equal_nan=True)
    assert session.capture().dumps() != start.dumps()


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_that_going_on_from_a_state_is_never_having_stopped_for_every_estimator(kind):
    demand_the_same_future(trained(recipe_for(kind)))


@pytest.mark.fuzz
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ESTIMATORS)
def test_that_two_hundred_steps_on_from_a_state_every_estimator_is_where_it_would_have_been(kind):
    estimator = ESTIMATORS[kind]()
    energy = next(e for e in (MLP(), VAE()) if not estimator.refusal(e))
    demand_the_same_future(trained(Recipe(estimator=estimator, energy=energy, batch=64)), 200)


@pytest.mark.parametrize("kind", SAMPLERS)
def test_that_persistent_chains_go_on_under_every_sampler(kind):
    sampler = amend(SAMPLERS[kind](), *QUICK[kind].split("=")) if kind in QUICK else SAMPLERS[kind]()
    demand_the_same_future(trained(replace(SMALL, estimator=PCD(steps=2, sampler=sampler))), 8)


@pytest.mark.parametrize("kind", ["hmc", "mala", "nuts"])
def test_that_a_step_size_that_is_being_tuned_goes_on_being_tuned(kind):
    sampler = SAMPLERS[kind](adapt=50)
    demand_the_same_future(trained(replace(SMALL, estimator=PCD(steps=2, sampler=sampler))))


@pytest.mark.parametrize("kind", ENERGIES)
def test_that_every_energy_goes_on_with_its_buffers(kind):
    energy = TINY.get(kind) or ENERGIES[kind]()
    demand_the_same_future(trained(replace(SMALL, energy=energy, estimator=ESTIMATORS["dsm"]()), 3), 5)


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_that_every_optimiser_goes_on_for_the_energy_and_for_what_the_estimator_learns(kind):
    optimizer = amend(OPTIMIZERS[kind](), "momentum", "0.8")
    demand_the_same_future(trained(replace(SMALL, optimizer=optimizer, estimator=ESTIMATORS["nce"]())))


@pytest.mark.parametrize("data", [0, 30])
@pytest.mark.parametrize("steps", [0, 1])
def test_that_a_session_hardly_begun_goes_on_with_fresh_and_with_fixed_points(steps, data):
    demand_the_same_future(trained(replace(SMALL, data=Data(size=data)), steps))


EDITS = [
    {"estimator": PCD(chains=5)},
    {"estimator": PCD(steps=2, sampler=SAMPLERS["hmc"]())},
    {"estimator": ESTIMATORS["nce"]()},
    {"estimator": ESTIMATORS["dsm"]()},
    {"optimizer": SGD(momentum=0.5)},
    {"optimizer": Adam(rate=0.01)},
    {"batch": 40},
    {"target": Gaussian(), "data": Data(size=50)},
]


@pytest.mark.parametrize("change", EDITS, ids=lambda change: " ".join(change))
@pytest.mark.parametrize("start", ["pcd", "nce"])
def test_that_a_state_of_the_moment_of_an_edit_goes_on_as_edited(change, start):
    session = trained(recipe_for(start))
    assert session.edit(replace(session.recipe, **change))
    demand_the_same_future(session)


def test_that_an_edited_session_can_be_captured_some_steps_later():
    session = trained(recipe_for("pcd"))
    for change in EDITS:
        session.edit(replace(session.recipe, **change))
        for _ in range(2):
            session.step()
        demand_the_same_future(session, 3)


def test_that_a_session_goes_back_to_an_earlier_state_of_its_own():
    session = trained(recipe_for("fce"))
    start = session.capture()
    runs = []
    for _ in range(2):
        session.resume(start)
        for _ in range(4):
            session.step()
        runs.append(session.capture().dumps())
    assert runs[0] == runs[1]


def test_that_training_on_does_not_change_a_state_that_was_captured():
    session = trained(recipe_for("tre"))
    state = session.capture()
    before = state.dumps()
    again = reopened(session, state)
    again.resume(state)
    for _ in range(3):
        session.step()
        again.step()
    assert state.dumps() == before


def names_in(skeleton):
    if isinstance(skeleton, dict):
        found = {skeleton["named"]} if "named" in skeleton else set()
        return found.union(*map(names_in, skeleton.values()))
    return set().union(*map(names_in, skeleton)) if isinstance(skeleton, list) else set()


def test_that_every_named_tuple_that_may_be_remembered_is_in_some_memory():
    samplers = [
        replace(SMALL, estimator=PCD(steps=1, sampler=SAMPLERS[kind]())) for kind in ("parallel-tempering", "exact")
    ]
    tuned = replace(SMALL, estimator=PCD(steps=1, sampler=SAMPLERS["mala"](adapt=5)))
    found = set()
    for recipe in [*map(recipe_for, ESTIMATORS), *samplers, tuned]:
        found |= names_in(skeleton_of(trained(recipe, 1).capture().dumps()))
    assert found == set(REMEMBERED)


def test_that_a_state_from_another_kind_of_device_goes_on_with_fresh_random_numbers():
    session = trained(recipe_for("pcd"))
    state = replace(session.capture(), device="cuda", streams={"train": torch.zeros(16, dtype=torch.uint8)})
    other = reopened(session, state)
    assert other.count == 7
    assert all(a.equal(b) for a, b in zip(other.net.parameters(), session.net.parameters(), strict=True))
    other.step()
    assert other.count == 8


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("kind", ["pcd", "nce", "fce"])
def test_that_a_state_goes_on_bit_for_bit_on_a_cuda_device_and_opens_on_the_processor(kind):
    session = Session(recipe_for(kind), "cuda")
    for _ in range(7):
        session.step()
    state = State.loads(session.capture().dumps())
    other = Session(session.recipe, "cuda")
    other.resume(state)
    for _ in range(20):
        session.step()
        other.step()
    assert other.capture().dumps() == session.capture().dumps()
    here = Session(session.recipe, "cpu")
    here.resume(state)
    here.step()
    assert here.count == 8
