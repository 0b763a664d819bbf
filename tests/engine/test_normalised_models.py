"""Normalised models: densities that integrate to one, and samples that follow them."""

from __future__ import annotations

import math
from functools import cache

import pytest
import torch
from laws import WINDOW, excess, isotropic

from ebmlab.engine.calculus import gradient, jet, value_and_grad
from ebmlab.engine.energies import VAE, Autoregressive, Flow, KernelDensity, MixtureDensity, NormalisedNet
from ebmlab.engine.estimators import Batch, Likelihood
from ebmlab.engine.quadrature import integral, rule, values_at
from ebmlab.engine.targets import TwoModes
from ebmlab.engine.window import uniform

MODELS = {
    "spline": Flow(width=8, transforms=2),
    "coupling": Flow(transform="coupling", width=8, transforms=3),
    "autoregressive": Autoregressive(width=8, components=4),
    "mixture-density": MixtureDensity(components=6),
    "kernel-density": KernelDensity(points=50),
    "vae": VAE(width=8, nodes=128),
    "vae of two": VAE(latent=2, width=8, nodes=64),
}
DOUBLE = torch.empty(0, dtype=torch.float64)
models = pytest.mark.parametrize("name", MODELS)


def built(name, rng, dim=2):
    return MODELS[name].build(rng, dim).double()


@cache
def fitted(name, dim=2):
    """A model after some steps of likelihood on two modes, with the first and the last loss."""

    rng = torch.Generator().manual_seed(1)
    net = built(name, rng, dim)
    optimizer = torch.optim.Adam(net.parameters(), 0.02)
    losses = []
    for _ in range(30):
        x = torch.randn(64, dim, generator=rng, dtype=torch.float64) / 2
        x[:, 0] += 6.0 * (torch.rand(64, generator=rng) < 0.3) - 2
        terms, _ = Likelihood().loss(net, Batch(x, WINDOW), None, rng)
        optimizer.zero_grad()
        terms.loss.backward()
        optimizer.step()
        net.observe(x)
        losses.append(terms.loss.item())
    return net, losses[0], losses[-1]


def log_z(net, dim=2, n=160):
    plane = rule(WINDOW, n, dim)
    return integral(plane, torch.cat(list(values_at(net, plane.points, DOUBLE))), 1e-16).log_z


@models
def test_that_a_fresh_density_integrates_to_one(name, rng):
    assert log_z(built(name, rng)) == pytest.approx(0.0, abs=1e-3)


@models
def test_that_training_raises_the_likelihood_and_keeps_the_integral(name):
    net, first, last = fitted(name)
    assert last < first - 0.2
    assert log_z(net) == pytest.approx(0.0, abs=1e-3)


@models
def test_that_on_the_line_the_density_integrates_to_one(name):
    assert log_z(fitted(name, 1)[0], 1, 1024) == pytest.approx(0.0, abs=1e-3)


@models
def test_that_samples_follow_the_density(name, rng):
    net = fitted(name)[0]
    x = net.sample(20_000, rng)
    assert (x.shape, x.dtype, x.requires_grad) == ((20_000, 2), torch.float64, False)
    right, wrong = (y[(y.abs() < 6).all(-1)] for y in (x, 1.1 * x))
    with torch.no_grad():
        assert excess(right, net, half=4.0, fine=192) < 4
        assert excess(wrong, net, half=4.0, fine=192) > 8, "the statistic has no power"


@models
@pytest.mark.parametrize("dim", [1, 2, 3])
def test_that_importance_weights_of_a_wide_gaussian_average_to_one(name, dim, rng):
    net = fitted(name, dim)[0]
    width = 4.0
    x = width * torch.randn(20_000, dim, generator=rng, dtype=torch.float64)
    noise = torch.distributions.Normal(0.0, width).log_prob(x).sum(-1)
    with torch.no_grad():
        weights = torch.exp(net.log_density(x) - noise)
    assert abs(weights.mean() - 1) < 5 * weights.std() / math.sqrt(len(x))


@models
def test_that_the_samples_come_from_the_generator_in_the_dtype_of_the_weights(name, rng):
    net = built(name, rng).float()
    first, again, other = (net.sample(5, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert first.dtype == torch.float32
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@models
def test_that_derivatives_are_the_slopes_of_the_energy(name, rng):
    net = fitted(name)[0]
    x = net.sample(20, rng)
    h = 1e-5
    slope = torch.stack([(net(x + h * e) - net(x - h * e)) / (2 * h) for e in torch.eye(2, dtype=x.dtype)], -1)
    curve = sum((net(x + h * e) - 2 * net(x) + net(x - h * e)) / h**2 for e in torch.eye(2, dtype=x.dtype))
    value, grad = value_and_grad(net, x)
    found = jet(net, x)
    torch.testing.assert_close(value, net(x).detach(), atol=1e-9, rtol=1e-9)
    torch.testing.assert_close(grad, gradient(net, x).detach(), atol=1e-9, rtol=1e-9)
    near = (found.grad - slope).abs().amax(-1) < 1e-5 * (1 + slope.abs().amax(-1))
    bent = (found.second - curve).abs() < 1e-3 * (1 + curve.abs())
    assert near.float().mean() >= 0.9, "all but the knots of splines"
    assert bent.float().mean() >= 0.9, "all but the knots of splines"
    assert found.second.requires_grad


@models
def test_that_a_saved_state_restores_the_density_without_the_data(name, rng):
    net = fitted(name)[0]
    state = {key: value.float() for key, value in net.state_dict().items()}
    assert all(value.is_floating_point() for value in net.state_dict().values())
    other = MODELS[name].build(torch.Generator().manual_seed(9)).double()
    assert {k: v.shape for k, v in other.state_dict().items()} == {k: v.shape for k, v in state.items()}
    other.load_state_dict(state)
    x = uniform(WINDOW, 20, rng, DOUBLE)
    torch.testing.assert_close(other(x), net(x), atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("name", ["spline", "coupling"])
@pytest.mark.parametrize("dim", [1, 2, 3])
def test_that_the_log_determinant_of_a_flow_is_that_of_its_jacobian(name, dim, rng):
    bijection = fitted(name, dim)[0].bijection
    x = 3 * torch.randn(10, dim, generator=rng, dtype=torch.float64)
    z, log_det = bijection(x)
    jacobian = torch.stack([torch.autograd.functional.jacobian(lambda p: bijection(p)[0], p) for p in x])
    torch.testing.assert_close(log_det, torch.linalg.slogdet(jacobian).logabsdet, atol=1e-9, rtol=1e-9)
    torch.testing.assert_close(bijection.inverse(z), x, atol=1e-8, rtol=1e-8)


@pytest.mark.parametrize("name", ["spline", "coupling"])
def test_that_the_inverse_of_a_flow_is_differentiable_in_its_weights(name, rng):
    net = built(name, rng)
    net.bijection.inverse(torch.randn(50, 2, generator=rng, dtype=torch.float64)).square().mean().backward()
    assert all(p.grad.abs().max() > 0 for p in net.parameters())


def test_that_a_spline_owns_up_to_its_knots():
    assert not Flow().smooth
    assert Flow(transform="coupling").smooth


def test_that_each_conditional_depends_on_the_coordinates_before_it_alone(rng):
    net = fitted("autoregressive", 3)[0]
    x = torch.randn(3, generator=rng, dtype=torch.float64)
    for part in range(3):
        jacobian = torch.autograd.functional.jacobian(lambda p, part=part: net._conditionals(p)[part].sum(-1), x)
        shifts = torch.autograd.functional.jacobian(lambda p, part=part: net._conditionals(p)[part][:, 0], x)
        assert jacobian.triu().eq(0).all()
        assert shifts[1, 0] != 0
        assert shifts[2, :2].ne(0).all()


def test_that_a_mixture_density_is_that_of_its_gaussians(rng):
    net = fitted("mixture-density", 3)[0]
    log_weights, means, factors, _ = net._parts()
    assert factors.triu(1).eq(0).all()
    assert factors.tril(-1).abs().max() > 0.01
    law = torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(logits=log_weights),
        torch.distributions.MultivariateNormal(means, precision_matrix=factors @ factors.mT),
    )
    x = 2 * torch.randn(20, 3, generator=rng, dtype=torch.float64)
    torch.testing.assert_close(net.log_density(x), law.log_prob(x))


def test_that_likelihood_finds_the_moments_of_a_gaussian(rng):
    net = MixtureDensity(components=1, half_width=1.0).build(rng).double()
    x = isotropic(500, 0.7, rng) @ torch.tensor([[1.0, 0.8], [0.0, 0.5]], dtype=torch.float64) + 1
    optimizer = torch.optim.LBFGS(net.parameters(), max_iter=200, tolerance_grad=1e-10, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = Likelihood().loss(net, Batch(x, WINDOW), None, rng)[0].loss
        loss.backward()
        return loss

    optimizer.step(closure)
    _, means, factors, _ = net._parts()
    torch.testing.assert_close(means[0], x.mean(0), atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.linalg.inv(factors[0] @ factors[0].mT), x.T.cov(correction=0), atol=1e-4, rtol=0)


def test_that_a_kernel_density_is_the_mean_of_gaussians_on_the_latest_points(rng):
    net = KernelDensity(points=5, bandwidth=0.4).build(rng).double()
    x = 2 * torch.randn(30, 2, generator=rng, dtype=torch.float64)
    seen = 2 * torch.randn(40, 2, generator=rng, dtype=torch.float64)
    for end in (3, 4, 6, 9, 13, 20, 40):
        begin = {3: 0, 4: 3, 6: 4, 9: 6, 13: 9, 20: 13, 40: 20}[end]
        net.observe(seen[begin:end])
        latest = seen[max(0, end - 5) : end]
        law = torch.distributions.Normal(latest, 0.4)
        direct = law.log_prob(x.unsqueeze(1)).sum(-1).logsumexp(1) - math.log(len(latest))
        torch.testing.assert_close(net.log_density(x), direct, atol=1e-6, rtol=1e-6)


def test_that_the_ring_of_a_kernel_density_counts_on_for_ever(rng):
    net = KernelDensity(points=4).build(rng)
    for i in range(1000):
        net.observe(torch.full((3, 2), float(i)))
        assert net.count < 8
    assert sorted(net.points[:, 0].tolist()) == [998.0, 999.0, 999.0, 999.0]


def test_that_before_any_data_a_kernel_density_is_one_broad_gaussian(rng):
    net = KernelDensity(bandwidth=0.2).build(rng).double()
    x = torch.randn(9, 2, generator=rng, dtype=torch.float64)
    torch.testing.assert_close(net(x), -torch.distributions.Normal(0.0, 2.0).log_prob(x).sum(-1), atol=1e-6, rtol=1e-6)


def test_that_the_bandwidth_learnt_is_near_the_best_on_held_out_points(rng):
    net = KernelDensity(points=100, bandwidth=1.0).build(rng).double()
    stored, fresh = (torch.randn(n, 2, generator=rng, dtype=torch.float64) for n in (100, 500))
    net.observe(stored)
    optimizer = torch.optim.Adam(net.parameters(), 0.02)
    for _ in range(60):
        terms, _ = Likelihood().loss(net, Batch(fresh, WINDOW), None, rng)
        optimizer.zero_grad()
        terms.loss.backward()
        optimizer.step()
    tried = [math.exp(t / 40) for t in range(-60, 20)]
    with torch.no_grad():
        best = min(tried, key=lambda h: replaced(net, h)(fresh).mean().item())
    assert net.named_figures()["h"] == pytest.approx(best, rel=0.03)


def replaced(net, bandwidth):
    other = KernelDensity(points=100, bandwidth=bandwidth).build(torch.Generator()).double()
    other.observe(net.points)
    return other


def test_that_a_normalised_model_evaluates_many_points_as_few(rng):
    net = built("spline", rng)
    x = uniform(WINDOW, 1200, rng, DOUBLE)
    with torch.no_grad():
        torch.testing.assert_close(net(x), torch.cat([net(x[:100]), net(x[100:])]))


def test_that_likelihood_is_the_negative_log_density_of_the_batch(rng):
    net = built("coupling", rng)
    assert isinstance(net, NormalisedNet)
    x = TwoModes().build(None, WINDOW).sample(30, rng).double()
    terms, _ = Likelihood().loss(net, Batch(x, WINDOW), None, rng)
    torch.testing.assert_close(terms.loss, -net.log_density(x).mean())
