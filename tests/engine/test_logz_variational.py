from __future__ import annotations

import math

import pytest
import torch
from laws import plane
from normalisers import disc, double_well, gaussian, ring, two_modes

from ebmlab.engine.logz import CUBO, ELBO, Scene
from ebmlab.engine.logz.fit import Mixture, Scaled, slopes

LIKE = torch.zeros(1, dtype=torch.float64)
BOTH = (ELBO, CUBO)


def bound(method, known, rng, like=LIKE):
    *_, found = method.run(Scene(known.energy, like, known.window, known.dim), rng)
    return found


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("dim", [1, 2, 8, 32])
def test_that_one_normal_law_bounds_a_normal_law_tightly_in_any_dimension(kind, dim, rng):
    known = gaussian(dim)
    found = bound(kind(components=1, steps=400 if dim == 32 else 200), known, rng)
    assert found.value == pytest.approx(known.log_z, abs=1e-3)
    assert found.stderr < 1e-3
    assert found.bound == {ELBO: "lower", CUBO: "upper"}[kind]


@pytest.mark.parametrize("known", [ring(), double_well(), two_modes(log_z=5.0)])
def test_that_log_z_lies_between_the_bounds(known, rng):
    low, high = bound(ELBO(), known, rng), bound(CUBO(), known, rng)
    assert low.value - 4 * low.stderr < known.log_z < high.value + 4 * high.stderr
    assert high.value - low.value < 0.5


@pytest.mark.parametrize("components", [1, 8])
def test_that_more_normal_laws_close_the_gap(components, rng):
    gap = 2.2459900 - bound(ELBO(components=components), ring(), rng).value
    assert gap > 1 if components == 1 else 0 < gap < 0.05


def test_that_a_single_normal_law_between_two_modes_takes_one(rng):
    # It seeks modes: KL(q, p) is -log of the share of the mode that it has taken.
    found = bound(ELBO(components=1, steps=200), two_modes(), rng)
    assert min(abs(found.value - math.log(share)) for share in (0.8, 0.2)) < 0.01


def law(rng):
    raw = 0.3 * torch.randn(2, 2, 2, generator=rng, dtype=torch.float64)
    return Mixture(
        torch.tensor([0.2, -0.4], dtype=torch.float64),
        torch.tensor([[-0.7, 0.1], [0.9, 0.4]], dtype=torch.float64),
        raw,
    )


def reference(q, energy, order):
    """The gradient over 1 - α by quadrature and automatic differentiation."""

    y, cell = plane(9.0, 200)
    q = Mixture(*(part.requires_grad_() for part in q))
    log_q = q.look(y).log_density
    log_w = -energy(y) - log_q
    if order == 0:
        value = (log_q.exp() * log_w).sum() * cell
    else:
        value = (log_q + order * log_w + math.log(cell)).logsumexp(0) / (order * (1 - order))
    return torch.autograd.grad(value, q)


@pytest.mark.parametrize("order", [0.0, 0.5, 2.0])
def test_that_the_gradients_of_draws_average_to_that_of_the_bound(order, rng):
    energy = Scaled(gaussian(2, 1.2, 0.3).energy, torch.zeros(2, dtype=torch.float64), 1.0)
    q = law(rng)
    wanted = reference(q, energy, order)
    z = torch.randn(2, 100_000, 2, generator=rng, dtype=torch.float64)
    with torch.no_grad():
        found = slopes(q, energy, z, order)
    for a, b in zip(found, wanted):
        torch.testing.assert_close(a, b.tril() if b.ndim == 3 else b, rtol=0.02, atol=0.01)


def test_that_the_gradient_vanishes_draw_by_draw_at_the_model(rng):
    q = law(rng)
    energy = Scaled(lambda y: 3.0 - q.look(y).log_density, torch.zeros(2, dtype=torch.float64), 1.0)
    found = slopes(q, energy, torch.randn(2, 3, 2, generator=rng, dtype=torch.float64), 0.0)
    assert all(part.abs().max() < 1e-12 for part in found)


def test_that_the_score_of_a_mixture_is_the_slope_of_its_density(rng):
    q = law(rng)
    y = torch.randn(20, 2, generator=rng, dtype=torch.float64).requires_grad_()
    look = q.look(y)
    (slope,) = torch.autograd.grad(look.log_density.sum(), y)
    torch.testing.assert_close(look.score, slope)
    points, cell = plane(12.0, 300)
    assert q.look(points).log_density.exp().sum().item() * cell == pytest.approx(1.0, abs=1e-9)


def test_that_draws_of_a_mixture_have_its_moments(rng):
    q = law(rng)
    x = q.draw(100_000, rng)
    weights = q.logits.softmax(-1)
    mean = weights @ q.means
    second = (weights[:, None, None] * (q.factors @ q.factors.mT + q.means[:, :, None] * q.means[:, None, :])).sum(0)
    torch.testing.assert_close(x.mean(0), mean, rtol=0, atol=0.02)
    torch.testing.assert_close(x.T @ x / len(x), second, rtol=0, atol=0.05)


def test_that_an_upper_bound_by_few_weights_is_no_claim(rng):
    found = bound(CUBO(components=1, steps=0), gaussian(2, 0.05), rng)
    assert found.bound is None
    assert "not to be trusted" in found.warning


def test_that_a_jump_leaves_no_lower_bound(rng):
    found = bound(ELBO(steps=5), disc(), rng)
    assert found.value == -math.inf
    assert found.warning


def test_that_a_fit_gone_astray_gives_no_figure(rng):
    found = bound(ELBO(components=2, rate=1.0, steps=200), double_well(32), rng)
    assert math.isnan(found.value)
    assert "rate" in found.warning


def test_that_the_bounds_hold_for_energies_in_float32(rng):
    known = gaussian(2)
    for kind in BOTH:
        assert bound(kind(steps=200), known, rng, LIKE.float()).value == pytest.approx(known.log_z, abs=5e-3)
