"""What the estimators that move chains keep of them between training steps, and what they lose."""

from __future__ import annotations

import pytest
import torch
from laws import WINDOW, bowl, isotropic

from ebmlab.engine.estimators import (
    Batch,
    ContrastiveDivergence,
    PersistentContrastiveDivergence,
    RecoveryLikelihood,
    ShortRun,
)
from ebmlab.engine.samplers import (
    SAMPLERS,
    AnnealedLangevin,
    MetropolisLangevin,
    ParallelTempering,
    UnadjustedLangevin,
    UnderdampedLangevin,
)


def trained(estimators, rng, n=40):
    """The memory after a step of each estimator in turn."""

    batch = Batch(isotropic(n, 1.0, rng), WINDOW)
    memory = estimators[0].init(bowl(1.0), batch, rng)
    for estimator in estimators:
        _, memory = estimator.loss(bowl(1.0), batch, memory, rng)
    return memory


def pcd(sampler, **knobs):
    return PersistentContrastiveDivergence(**{"steps": 2, "restart": 0.0, "sampler": sampler} | knobs)


def test_that_persistent_chains_keep_what_their_kernel_remembers(rng):
    steady = UnderdampedLangevin(step_size=1e-6, friction=0.0)
    first = trained([pcd(steady)], rng)
    _, second = pcd(steady).loss(bowl(1.0), Batch(isotropic(40, 1.0, rng), WINDOW), first, rng)
    torch.testing.assert_close(second.chains.extra, first.chains.extra, atol=1e-4, rtol=0)
    assert trained([pcd(ParallelTempering())] * 3, rng).chains.extra.moves == 6
    assert trained([pcd(MetropolisLangevin(adapt=4))] * 3, rng).chains.extra.seen == 4


def test_that_persistent_chains_cool_down_over_training_steps(rng):
    cooling = AnnealedLangevin(step_size=0.05, hottest=10.0, levels=5, steps=10)
    assert not pcd(cooling).caution()
    x = trained([pcd(cooling, steps=20)] * 8, rng, 2000).chains.x
    assert x.var().item() == pytest.approx(1 / (1 - 0.05 / 2), rel=0.08)


@pytest.mark.parametrize("changed", [pcd(MetropolisLangevin()), pcd(UnadjustedLangevin(), chains=7)])
def test_that_persistent_chains_stay_where_they_are_when_their_kernel_or_number_changes(changed, rng):
    still = pcd(UnadjustedLangevin(step_size=1e-6, temperature=0.0))
    memory = trained([still], rng)
    batch = Batch(isotropic(40, 1.0, rng), WINDOW)
    _, after = changed.loss(bowl(1.0), batch, memory, rng)
    assert len(after.chains.x) == (changed.chains or 40)
    assert (after.chains.x - memory.chains.x[: len(after.chains.x)]).norm(dim=-1).mean() < 2


def test_that_fresh_starts_widen_the_persistent_chains_by_their_closed_form(rng):
    share, step_size, k, u = 0.05, 0.02, 20, 12.0
    estimator = pcd(UnadjustedLangevin(step_size=step_size), steps=k, restart=share, chains=20_000)
    settling, v = (1 - step_size) ** (2 * k), 1 / (1 - step_size / 2)
    expected = ((1 - settling) * v + share * settling * u) / (1 - (1 - share) * settling)
    assert expected == pytest.approx(1.43, abs=0.01)
    assert trained([estimator] * 16, rng).chains.x.var().item() == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("kind", [ContrastiveDivergence, ShortRun, RecoveryLikelihood])
def test_that_chains_begun_at_each_step_are_said_not_to_outlive_a_warm_up(kind):
    assert "400" in kind(steps=400 - 20, sampler=AnnealedLangevin(levels=21, steps=20)).caution()
    assert "begin anew" in kind(steps=10, sampler=MetropolisLangevin(adapt=10)).caution()
    assert not kind(steps=11, sampler=MetropolisLangevin(adapt=10)).caution()
    assert not kind().caution()


@pytest.mark.parametrize("kind", SAMPLERS)
def test_that_no_sampler_warms_up_unless_it_is_asked_to_or_cools(kind):
    assert (SAMPLERS[kind]().warm_up() > 0) == (kind == "annealed-langevin")
