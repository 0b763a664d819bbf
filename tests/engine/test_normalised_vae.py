"""The variational autoencoder: its marginal by quadrature, and what its bounds fall short of it by."""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import cache

import pytest
import torch
from laws import WINDOW

from ebmlab.engine.energies import ENERGIES, VAE, Flow
from ebmlab.engine.energies.base import Normalised
from ebmlab.engine.energies.vae import lattice
from ebmlab.engine.estimators import Batch, EvidenceLowerBound, Likelihood
from ebmlab.session.recipe import Recipe
from ebmlab.spec import BadInput, amend


def bent(n, rng):
    """Points on a bent line with noise."""

    t = 2 * torch.randn(n, 1, generator=rng, dtype=torch.float64)
    return torch.cat([t, t.square() / 4 - 1], 1) + torch.randn(n, 2, generator=rng, dtype=torch.float64) / 3


@cache
@torch.enable_grad()
def fitted(latent=1, samples=1):
    """A network after some steps of its bound, with the first and the last loss."""

    rng = torch.Generator().manual_seed(3)
    net = VAE(latent=latent, width=16, noise=0.4).build(rng).double()
    optimizer, losses = torch.optim.Adam(net.parameters(), 5e-3), []
    for _ in range(120):
        batch = Batch(bent(64, rng), WINDOW)
        terms, _ = EvidenceLowerBound(samples=samples).loss(net, batch, None, rng)
        optimizer.zero_grad()
        terms.loss.backward()
        optimizer.step()
        losses.append(terms.loss.item())
    return net, losses[0], losses[-1]


def normal(mean, width):
    return torch.distributions.Normal(mean, width)


def posterior_divergence(net, x):
    """KL(q(z|x) || p(z|x)) for a point at a time, by a fine sum over z of the test's own."""

    mean, log_width = net.posterior(x)
    t = torch.linspace(-9, 9, 1001, dtype=torch.float64)
    z = mean + log_width.exp() * t  # (n, k)
    q = normal(mean, log_width.exp()).log_prob(z)
    wide = torch.linspace(-9, 9, 3001, dtype=torch.float64)

    def joint(z):
        decoded = net.decoder(z.unsqueeze(-1))
        return normal(decoded, net.log_noise.exp()).log_prob(x.unsqueeze(1)).sum(-1) + normal(0.0, 1.0).log_prob(z)

    log_p = torch.logsumexp(joint(wide.expand(len(x), -1)), 1) + (wide[1] - wide[0]).log()
    return ((q - joint(z) + log_p.unsqueeze(1)) * q.softmax(1)).sum(1)


@torch.no_grad()
def test_that_the_bound_falls_short_by_the_divergence_of_the_posteriors(rng):
    net, _, _ = fitted()
    x = bent(10, rng)
    t = torch.linspace(-8, 8, 201, dtype=torch.float64)
    weights = (t.square() / -2).softmax(0)
    bound = torch.stack([net.elbo(x, e.expand(10, 1)) for e in t]).T @ weights
    gap = posterior_divergence(net, x)
    assert gap.min() > 1e-4
    torch.testing.assert_close(net.log_density(x) - bound, gap, atol=1e-8, rtol=1e-6)


@torch.no_grad()
@pytest.mark.parametrize("latent", [1, 2])
def test_that_bounds_tighten_with_draws_and_stay_below_the_likelihood(latent, rng):
    net = copy.deepcopy(fitted(latent)[0])
    net.encoder[-1].bias.add_(0.5)  # so that the gap is plain to see
    x = bent(20, rng)
    noise = torch.randn(200, 20, latent, generator=rng, dtype=torch.float64)
    elbo = torch.stack([net.elbo(x, eps) for eps in noise])
    draws = [elbo, *(torch.stack([net.iwae(x, k, rng) for _ in range(200)]) for k in (1, 5, 50))]
    (elbo, once, five, fifty), errors = zip(*((d.mean(), d.mean(1).std() / 200**0.5) for d in draws), strict=True)
    exact = net.log_density(x).mean()
    assert abs(once - elbo) < 4 * (errors[0] + errors[1])
    assert elbo + 0.1 < five < fifty < exact + 4 * errors[3]
    assert exact - fifty < (exact - five) / 4


@torch.no_grad()
def test_that_the_bounds_shown_are_named_and_in_order(rng):
    net, _, _ = fitted()
    x = bent(500, rng)
    bounds = net.bounds(x, rng)
    assert list(bounds) == ["ELBO", "IWAE 50"]
    assert bounds["ELBO"] < bounds["IWAE 50"] < net.log_density(x).mean() + 0.01
    assert Flow(width=8).build(rng).bounds(x.float(), rng) == {}


@torch.no_grad()
@pytest.mark.parametrize("latent", [1, 2])
def test_that_a_finer_lattice_leaves_the_marginal_where_it_was(latent, rng):
    net = fitted(latent)[0]
    x = bent(100, rng)
    coarse = net.log_density(x)
    spec, net.spec = net.spec, replace(net.spec, nodes=4 * net.spec.nodes)
    fine = net.log_density(x)
    net.spec = spec
    torch.testing.assert_close(coarse, fine, atol=1e-8 if latent == 1 else 1e-5, rtol=0)


def test_that_a_coarse_lattice_over_two_latent_variables_is_owned_up_to():
    assert VAE().caution() == ""
    assert "give 2048 nodes" in VAE(latent=2).caution()
    assert VAE(latent=2, nodes=2048).caution() == ""


@pytest.mark.parametrize(("latent", "count"), [(1, 512), (2, 64**2)])
def test_that_the_lattice_has_the_moments_of_the_normal_law(latent, count):
    z, log_weights = lattice(latent, 512, torch.empty(0, dtype=torch.float64))
    w = log_weights.exp()
    assert z.shape == (count, latent)
    assert w.sum().item() == pytest.approx(1.0, abs=1e-12)
    for power, moment in ((1, 0.0), (2, 1.0), (4, 3.0), (6, 15.0)):
        torch.testing.assert_close(w @ z.pow(power), torch.full((latent,), moment, dtype=w.dtype), atol=2e-4, rtol=0)


@pytest.mark.parametrize("samples", [1, 8])
def test_that_the_bound_trains_encoder_and_decoder_and_the_likelihood_rises(samples, rng):
    net, first, last = fitted(samples=samples)
    assert last < first - 0.2
    x = bent(300, rng)
    fresh = VAE(width=16).build(torch.Generator().manual_seed(3)).double()
    with torch.no_grad():
        assert net(x).mean() < fresh(x).mean() - 0.5
    terms, _ = EvidenceLowerBound(samples=samples).loss(fresh, Batch(x, WINDOW), None, rng)
    terms.loss.backward()
    assert all(p.grad.abs().max() > 0 for p in fresh.parameters())


def test_that_likelihood_trains_the_decoder_alone(rng):
    net = VAE(width=8).build(rng).double()
    Likelihood().loss(net, Batch(bent(50, rng), WINDOW), None, rng)[0].loss.backward()
    assert all(p.grad is None for p in net.encoder.parameters())
    assert all(p.grad.abs().max() > 0 for p in [*net.decoder.parameters(), net.paced_log_noise])


@torch.no_grad()
def test_that_the_value_is_one_draw_of_the_bound(rng):
    net, x = fitted()[0], bent(10, rng)
    state = rng.get_state()
    terms, _ = EvidenceLowerBound().loss(net, Batch(x, WINDOW), None, rng)
    again = net.elbo(x, torch.randn(10, 1, generator=rng.set_state(state), dtype=torch.float64))
    assert terms.value == -again.mean()
    terms, _ = EvidenceLowerBound(samples=4).loss(net, Batch(x, WINDOW), None, rng.set_state(state))
    assert terms.value == -net.iwae(x, 4, rng.set_state(state)).mean()


@pytest.mark.parametrize("kind", ENERGIES)
def test_that_estimators_of_normalised_models_refuse_what_makes_no_sense(kind):
    spec = ENERGIES[kind]()
    assert ("choose mle" in Likelihood().refusal(spec)) == (not isinstance(spec, Normalised))
    assert ("choose the vae" in EvidenceLowerBound().refusal(spec)) == (kind != "vae")


def test_that_a_recipe_is_refused_with_the_reason():
    with pytest.raises(BadInput, match="the mlp energy has a normaliser"):
        amend(Recipe(), "estimator", "likelihood")
    with pytest.raises(BadInput, match="the flow energy has no encoder"):
        Recipe(energy=Flow(), estimator=EvidenceLowerBound())
