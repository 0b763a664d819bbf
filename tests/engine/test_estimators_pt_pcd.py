"""Persistent contrastive divergence with parallel tempering: what it learns exactly, and what plain PCD cannot."""

from __future__ import annotations

import math

import pytest
import torch
from laws import WINDOW, bowl, isotropic, normal, plane, scalar, slope, watch

from ebmlab.engine.energies import MLP
from ebmlab.engine.estimators import (
    Batch,
    PersistentContrastiveDivergence,
    TemperedPersistentContrastiveDivergence,
)
from ebmlab.engine.samplers import MetropolisLangevin, ParallelTempering
from ebmlab.spec import BadInput

N = 4000


def tempered(steps=3, chains=64, **knobs):
    return TemperedPersistentContrastiveDivergence(steps=steps, chains=chains, sampler=ParallelTempering(**knobs))


def slopes(estimator, a, variance, draws=5):
    """Mean and standard error of the slope in a, with every replica at rest where a = 1 / variance."""

    found = []
    for seed in range(draws):
        rng = torch.Generator().manual_seed(seed)
        batch, p = Batch(isotropic(N, variance, rng), WINDOW), scalar(a)
        start = estimator.init(bowl(a), batch, rng)
        tau = estimator.sampler.ladder(batch.x)
        x = torch.stack([isotropic(N, t * variance, rng) for t in tau.tolist()])
        memory = start._replace(x=x[0], extra=start.extra._replace(x=x))
        found += slope(estimator.loss(bowl(p), batch, memory, rng)[0].loss, p)
    found = torch.tensor(found)
    return found.mean().item(), found.std().item() / math.sqrt(draws)


@pytest.mark.parametrize("step_size", [0.05, 0.3])
@pytest.mark.parametrize("variance", [1.3, 0.5])
def test_that_the_learnt_precision_is_exact_whatever_the_step_size(variance, step_size):
    estimator = tempered(chains=N, replicas=3, hottest=3.0, step_size=step_size)
    mean, error = slopes(estimator, 1 / variance, variance)
    assert abs(mean) < 4.5 * error
    for factor, sign in ((0.7, -1), (1.4, 1)):
        mean, error = slopes(estimator, factor / variance, variance)
        assert sign * mean > 4.5 * error


def modes(x, u):
    """-log of the mixture σ(u) N((-2, 0), I/4) + σ(-u) N((2, 0), I/4), which is always normalised."""

    logs = torch.nn.functional.logsigmoid(torch.stack([u, -u]))
    return 2 * (x.square().sum(-1) + 4) - torch.logaddexp(logs[0] - 8 * x[..., 0], logs[1] + 8 * x[..., 0])


def learnt_share(estimator, rng, steps=50):
    """The weight of the left mode after learning nothing else from data that have 0.8 of it."""

    u, shares = scalar(0.0), []
    x = isotropic(500, 0.25, rng)
    x[:, 0] += 2 * torch.where(torch.arange(500) < 400, -1, 1)
    batch = Batch(x, WINDOW)

    def energy(x):
        return modes(x, u)

    memory = estimator.init(energy, batch, rng)
    for _ in range(steps):
        terms, memory = estimator.loss(energy, batch, memory, rng)
        (gradient,) = torch.autograd.grad(terms.loss, u)
        u.data -= gradient
        shares.append(u.sigmoid().item())
    return sum(shares[steps // 2 :]) / (steps // 2)


def test_that_tempering_learns_the_weight_of_a_mode_and_plain_persistence_does_not(rng):
    mala = MetropolisLangevin(step_size=0.05)
    plain = PersistentContrastiveDivergence(steps=5, chains=60, restart=0.0, sampler=mala)
    assert learnt_share(plain, rng) > 0.95  # the share of its chains stands still, so the weight runs away
    assert learnt_share(tempered(5, 60, step_size=0.05, replicas=4, hottest=8.0), rng) == pytest.approx(0.8, abs=0.05)


def test_that_its_gradient_points_along_the_exact_one(rng):
    net = MLP(width=16, confinement=0.5).build(rng).double()
    batch = Batch(normal(3000, torch.diag(torch.tensor([1.0, 0.3], dtype=torch.float64)), rng), WINDOW)
    estimator = tempered(40, 3000, step_size=0.3, replicas=2, hottest=2.0)

    def gradient(loss):
        parts = torch.autograd.grad(loss, list(net.parameters()))
        return torch.cat([g.flatten() for g in parts])

    points, _ = plane(9.0, 96)
    exact = gradient(net(batch.x).mean() - (-net(points)).softmax(0).detach() @ net(points))
    found = gradient(estimator.loss(net, batch, estimator.init(net, batch, rng), rng)[0].loss)
    assert torch.cosine_similarity(found, exact, dim=0) > 0.99


def test_that_replicas_go_on_from_where_the_last_step_left_them(rng):
    estimator, batch = tempered(), Batch(isotropic(32, 1.0, rng), WINDOW)
    _, memory = estimator.loss(bowl(1.0), batch, estimator.init(bowl(1.0), batch, rng), rng)
    seen, (terms, after) = watch(estimator.stages(bowl(2.0), batch, memory, rng))
    assert seen[0].points.equal(memory.x)
    assert (memory.extra.moves, after.extra.moves) == (3, 6)
    assert terms.negatives.equal(after.x)
    assert terms.accept.shape == (64,)
    assert [s.name for s in seen[1:5]] == ["proposal", "accepted", "swap", "negatives"]
    torch.testing.assert_close(after.energy, bowl(2.0)(after.x))


def test_that_a_memory_serves_as_long_as_its_ladders_have_the_same_shape(rng):
    batch = Batch(isotropic(8, 1.0, rng), WINDOW)
    memory = tempered(replicas=3).init(bowl(1.0), batch, rng)
    assert memory.extra.x.shape == (3, 64, 2)
    assert tempered(steps=9, replicas=3, hottest=50.0).fits(memory)
    assert not tempered(replicas=4).fits(memory)
    assert not tempered(chains=65, replicas=3).fits(memory)


def test_that_a_sampler_without_replicas_is_refused():
    with pytest.raises(BadInput, match="mala has no replicas") as caught:
        TemperedPersistentContrastiveDivergence(sampler=MetropolisLangevin())
    assert caught.value.key == "sampler"
