r"""Estimators with a generator of their own, on the standard test: data from N(0, s² I), an energy a|x|²/2 + c."""

from __future__ import annotations

import math

import pytest
import torch
from laws import CORRELATED, WINDOW, bowl, isotropic, normal, plane, quadratic, scalar, slope
from torch.func import jacrev, vmap

from ebmlab.engine.energies import MLP
from ebmlab.engine.estimators import AdversarialTraining, Batch, FlowContrastiveEstimation
from ebmlab.engine.estimators.adversarial import Generator, excess
from ebmlab.engine.estimators.coupling import Coupling
from ebmlab.engine.estimators.fce import Contest, ease
from ebmlab.engine.estimators.inner import begin
from ebmlab.engine.estimators.noise import logistic

VARIANCES = [1.3, 0.5]
EYE = torch.eye(2, dtype=torch.float64)
LOG_TAU = math.log(2 * math.pi)


def bent(flow, rng, size=0.3):
    """Parameters of a flow that is no Gaussian."""

    mean = torch.full((flow.dim,), 0.5, dtype=torch.float64)
    theta = flow.draw(mean, 0.8 * torch.ones_like(mean), rng)
    return theta + size * torch.randn(theta.shape, generator=rng, dtype=theta.dtype)


def gaussian(variance):
    """A flow without couplings that is N(0, v I)."""

    flow = Coupling(2, 0, 1)
    zero = torch.zeros(2, dtype=torch.float64)
    return flow, begin(flow.draw(zero, math.sqrt(variance) + zero, torch.Generator()))


# the flow


@pytest.mark.parametrize("dim", [1, 2, 3, 8])
def test_that_the_density_of_the_flow_is_that_of_its_jacobian(dim, rng):
    flow = Coupling(dim, 4, 6)
    theta, z = bent(flow, rng), torch.randn(20, dim, generator=rng, dtype=torch.float64)
    x, log_q = flow.generate(theta, z)
    jacobian = vmap(jacrev(lambda z: flow.generate(theta, z[None])[0][0]))(z)
    expected = -z.square().sum(-1) / 2 - dim * LOG_TAU / 2 - torch.linalg.slogdet(jacobian).logabsdet
    torch.testing.assert_close(log_q, expected)
    torch.testing.assert_close(flow.log_density(theta, x), log_q)


def test_that_the_flow_integrates_to_one_and_draws_its_own_density(rng):
    flow = Coupling(2, 4, 6)
    theta = bent(flow, rng, 0.2)
    points, cell = plane(24.0, 800)
    density = flow.log_density(theta, points).exp() * cell
    assert density.sum().item() == pytest.approx(1, abs=2e-4)
    x, log_q = flow.generate(theta, torch.randn(40_000, 2, generator=rng, dtype=torch.float64))
    mean = density @ points
    assert (x.mean(0) - mean).abs().max() < 4.5 * x.std() / 200
    entropy = -(density * density.div(cell).clamp(min=1e-300).log()).sum()
    assert abs(-log_q.mean() - entropy) < 4.5 * log_q.std() / 200


@pytest.mark.parametrize("layers", [0, 4, 6])
def test_that_a_flow_starts_as_the_gaussian_asked_for(layers, rng):
    flow = Coupling(3, layers, 8)
    mean, scale = torch.tensor([1.0, -2, 0], dtype=torch.float64), torch.tensor([0.5, 1, 3], dtype=torch.float64)
    x = torch.randn(10, 3, generator=rng, dtype=torch.float64)
    law = torch.distributions.Normal(mean, scale)
    theta = flow.draw(mean, scale, rng)
    torch.testing.assert_close(flow.log_density(theta, x), law.log_prob(x).sum(-1))


# adversarial


def adversarial(generator="gaussian", **knobs):
    return AdversarialTraining(generator=generator, **{"penalty": 0.0, **knobs})


@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("a", [0.4, 2.0])
def test_that_the_bound_is_tight_at_the_best_generator_and_falls_short_by_its_divergence(a, variance, rng):
    x = isotropic(20_000, variance, rng)
    log_z = LOG_TAU - math.log(a) - 3
    for v in (1 / a, 0.5 / a, 3 / a):
        memory, p = Generator(*gaussian(v)), scalar(a)
        terms, _ = adversarial(generator_rate=1e-9).loss(bowl(p, 3.0), Batch(x, WINDOW), memory, rng)
        divergence = a * v - 1 - math.log(a * v)
        assert terms.log_z.item() == pytest.approx(log_z - divergence, abs=1e-7 if v == 1 / a else 0.1)
        assert terms.log_z < log_z + 1e-7
        assert slope(terms.loss, p)[0] == pytest.approx(variance - v, abs=0.06 * v)
        assert terms.value.item() == pytest.approx(a * variance + 3 + terms.log_z.item(), abs=1e-9)


@pytest.mark.parametrize("generator", ["gaussian", "flow"])
def test_that_the_generator_learns_the_model(generator, rng):
    estimator = adversarial(generator, generator_steps=250, generator_rate=0.02, layers=2, width=8)
    batch = Batch(torch.randn(300, 2, generator=rng, dtype=torch.float64), WINDOW)
    energy = quadratic(torch.linalg.inv(CORRELATED))
    terms, memory = estimator.loss(energy, batch, estimator.init(energy, batch, rng), rng)
    log_z = LOG_TAU + torch.logdet(CORRELATED).item() / 2
    x, _ = memory.flow.generate(memory.learner.theta, torch.randn(20_000, 2, generator=rng, dtype=torch.float64))
    torch.testing.assert_close(x.T.cov(), CORRELATED, atol=0.12, rtol=0)
    assert terms.log_z.item() == pytest.approx(log_z, abs=0.03)
    assert terms.log_z < log_z + 0.02


@pytest.mark.parametrize("variance", VARIANCES)
def test_that_the_contest_ends_at_the_precision_of_the_data(variance, rng):
    estimator = adversarial(generator_steps=2, generator_rate=0.03)
    batch, a = Batch(isotropic(1000, variance, rng), WINDOW), scalar(0.5)
    memory = estimator.init(bowl(a), batch, rng)
    optimizer = torch.optim.Adam([a], lr=0.05)
    for _ in range(200):
        terms, memory = estimator.loss(bowl(a), batch, memory, rng)
        optimizer.zero_grad()
        terms.loss.backward()
        optimizer.step()
    assert a.item() == pytest.approx(1 / variance, rel=0.12)
    assert terms.log_z.item() == pytest.approx(LOG_TAU - math.log(a.item()), abs=0.1)


@pytest.mark.parametrize("penalty", [0.1, 1.0])
@pytest.mark.parametrize("variance", VARIANCES)
def test_that_the_penalty_flattens_a_gaussian_as_its_closed_form_says(variance, penalty, rng):
    a = (math.sqrt(1 + 8 * penalty / variance) - 1) / (4 * penalty)
    assert a * (1 + 2 * penalty * a) == pytest.approx(1 / variance)
    memory, p = Generator(*gaussian(1 / a)), scalar(a)
    estimator = adversarial(penalty=penalty, generator_rate=1e-9)
    terms, _ = estimator.loss(bowl(p), Batch(isotropic(40_000, variance, rng), WINDOW), memory, rng)
    assert slope(terms.loss, p)[0] == pytest.approx(0, abs=4.5 / a / math.sqrt(40_000))
    assert terms.value.item() == pytest.approx(a * variance + LOG_TAU - math.log(a), abs=1e-7)


def test_that_the_slope_of_the_generator_is_that_of_its_divergence(rng):
    flow, net = Coupling(2, 3, 5), MLP(width=8).build(rng).double()
    theta, z = bent(flow, rng).requires_grad_(), torch.randn(40, 2, generator=rng, dtype=torch.float64)
    x, log_q = flow.generate(theta, z)
    value = (net(x) + log_q).mean()
    surrogate = excess(net, *flow.generate(theta, z))
    assert surrogate.item() == pytest.approx(value.item(), abs=1e-12)
    torch.testing.assert_close(torch.autograd.grad(surrogate, theta), torch.autograd.grad(value, theta))


def test_that_a_generator_of_another_shape_starts_afresh(rng):
    batch = Batch(torch.zeros(3, 2), WINDOW)
    memory = adversarial("flow").init(bowl(1.0), batch, rng)
    assert adversarial("flow", generator_rate=0.1).fits(memory)
    assert not adversarial("flow", layers=3).fits(memory)
    assert not adversarial("flow", width=3).fits(memory)
    assert not adversarial("gaussian").fits(memory)
    assert adversarial("gaussian", width=3).fits(adversarial("gaussian").init(bowl(1.0), batch, rng))
    cautions = [adversarial("gaussian"), adversarial("flow", penalty=1.0), adversarial("flow")]
    assert [bool(estimator.caution()) for estimator in cautions] == [True, True, False]


# flow contrastive


def test_that_a_perfect_flow_leaves_two_log_two(rng):
    flow = Coupling(2, 3, 5)
    theta = bent(flow, rng)
    x, _ = flow.generate(theta, torch.randn(50, 2, generator=rng, dtype=torch.float64))
    memory = Contest(flow, begin(theta), scalar(-3.0))
    estimator = FlowContrastiveEstimation(layers=3, width=5, flow_steps=0)
    terms, _ = estimator.loss(lambda y: 3 - flow.log_density(theta, y), Batch(x, WINDOW), memory, rng)
    assert terms.value.item() == pytest.approx(2 * math.log(2), abs=1e-12)
    assert terms.log_z.item() == -3


@pytest.mark.parametrize("variance", VARIANCES)
def test_that_flow_contrast_learns_the_precision_and_log_z_against_any_flow(variance):
    estimator, log_z = FlowContrastiveEstimation(flow_steps=0), LOG_TAU + math.log(variance) - 3

    def one(seed, factor):
        rng, a, c = torch.Generator().manual_seed(seed), scalar(factor / variance), scalar(log_z - math.log(factor))
        memory = Contest(*gaussian(1.7 * variance), c)
        batch = Batch(isotropic(5000, variance, rng), WINDOW)
        return slope(estimator.loss(bowl(a, 3.0), batch, memory, rng)[0].loss, a, c)

    for factor in (1.0, 0.7, 1.4):
        found = torch.tensor([one(seed, factor) for seed in range(6)], dtype=torch.float64)
        mean, error = found.mean(0), found.std(0) / math.sqrt(6)
        if factor == 1:
            assert (mean.abs() < 6 * error).all()
        else:
            assert (factor - 1) * mean[0] > 4.5 * error[0] * abs(factor - 1)


def test_that_the_slope_of_the_flow_is_that_of_the_contrast(rng):
    flow, net, c = Coupling(2, 3, 5), MLP(width=8).build(rng).double(), scalar(0.7)
    theta = bent(flow, rng).requires_grad_()
    x, z = (torch.randn(40, 2, generator=rng, dtype=torch.float64) for _ in range(2))
    y, log_q = flow.generate(theta, z)
    at_q = torch.cat([flow.log_density(theta, x), log_q])
    value = -logistic(-net(torch.cat([x, y])) - c - at_q, len(x))
    found = ease(net, flow.generate(theta, z), (net(x) + c).detach() + flow.log_density(theta, x), c.detach())
    assert found.item() == pytest.approx(value.item(), abs=1e-12)
    torch.testing.assert_close(torch.autograd.grad(found, theta), torch.autograd.grad(value, theta))


def test_that_the_flow_makes_itself_harder_to_tell_from_the_data(rng):
    energy, batch = bowl(1.0, 2.0), Batch(isotropic(2000, 1.0, rng), WINDOW)
    contest = Contest(*gaussian(3.0), scalar(LOG_TAU - 2))
    losses = []
    for _ in range(60):
        estimator = FlowContrastiveEstimation(flow_steps=1, flow_rate=0.02)
        terms, contest = estimator.loss(energy, batch, contest, rng)
        losses.append(terms.value.item())
    assert losses[-1] > losses[0] + 0.1
    assert losses[-1] == pytest.approx(2 * math.log(2), abs=0.05)


def test_that_the_flow_starts_near_the_data_and_the_constant_near_log_z(rng):
    estimator = FlowContrastiveEstimation(layers=2, width=8, warm_up=60, flow_rate=2e-3)
    batch = Batch(normal(500, CORRELATED, rng) + 1, WINDOW)
    energy = quadratic(torch.linalg.inv(CORRELATED))
    memory = estimator.init(lambda x: energy(x - 1), batch, rng)
    log_q = memory.flow.log_density(memory.learner.theta, batch.x)
    log_z = LOG_TAU + torch.logdet(CORRELATED).item() / 2
    assert (log_q + energy(batch.x - 1) + log_z).mean().abs() < 0.06
    assert memory.c.item() == pytest.approx(log_z, abs=0.1)
    assert estimator.fits(memory)
    assert not FlowContrastiveEstimation(layers=3, width=8).fits(memory)
