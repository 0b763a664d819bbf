from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from normalisers import WINDOW, disc, double_well, gaussian, rastrigin, ring, rosenbrock, two_modes
from scipy.special import iv

from ebmlab.engine.energies import MLP
from ebmlab.engine.logz import Laplace, Scene
from ebmlab.engine.logz.minima import descend, hessian, precise
from ebmlab.engine.window import uniform

LIKE = torch.zeros(1, dtype=torch.float64)


def laplace(known, rng, like=LIKE, **knobs):
    *_, found = Laplace(**knobs).run(Scene(known.energy, like, known.window, known.dim), rng)
    return found


@pytest.mark.parametrize("dim", [1, 2, 3, 8, 32])
def test_that_laplace_is_exact_for_a_normal_law_in_any_dimension(dim, rng):
    known = gaussian(dim)
    found = laplace(known, rng)
    assert found.value == pytest.approx(known.log_z, abs=1e-9)
    assert found.warning == ""


@pytest.mark.parametrize("known", [gaussian(2, 0.2, 1.234), gaussian(2, 7.0), gaussian(2, 3.0, 10.0), rosenbrock()])
def test_that_neither_width_nor_place_matters(known, rng):
    assert laplace(known, rng).value == pytest.approx(known.log_z, abs=1e-8)


@pytest.mark.parametrize("dim", [2, 8])
def test_that_the_masses_of_modes_far_apart_add_up(dim, rng):
    assert laplace(two_modes(dim, log_z=5.0), rng).value == pytest.approx(5.0, abs=1e-9)


@pytest.mark.parametrize("dim", [1, 2, 4])
def test_that_every_well_counts_by_its_own_curvature(dim, rng):
    # Each axis has wells at ±√(be/2al), be²/4al deep, with curvature 4 be.
    one = math.log(2) + 4.0 + math.log(2 * math.pi / 16) / 2
    assert laplace(double_well(dim), rng).value == pytest.approx(dim * one, abs=1e-8)


def rippled(depth, radius=2.0, spread=0.3):
    """A ring with one well on it, E = (r - R)²/2s² - k cos θ, of which Z is the ring's times I₀(k)."""

    def energy(x):
        r = x.norm(dim=-1)
        return (r - radius) ** 2 / (2 * spread**2) - depth * x[..., 0] / r

    exact = ring(radius, spread).log_z + math.log(iv(0, depth))
    tangent = depth + math.log(2 * math.pi) - math.log(depth / (radius * spread) ** 2) / 2
    return ring()._replace(energy=energy), exact, tangent


@pytest.mark.parametrize(("depth", "least", "most"), [(20.0, 0.0, 0.01), (1.0, 0.1, 0.2), (1e-3, 2.0, 3.0)])
def test_that_the_error_along_a_valley_grows_as_it_flattens(depth, least, most, rng):
    known, exact, tangent = rippled(depth)
    found = laplace(known, rng)
    assert found.value == pytest.approx(tangent, abs=1e-6)
    assert least < abs(found.value - exact) < most


@pytest.mark.parametrize("known", [ring(), disc()], ids=["ring", "disc"])
def test_that_a_flat_valley_makes_the_formula_infinite(known, rng):
    found = laplace(known, rng)
    assert found.value == math.inf
    assert "flat" in found.warning


def test_that_minima_that_no_other_descent_found_tell_of_more(rng):
    found = laplace(rastrigin(4), rng)
    assert "must be unseen" in found.warning


def test_that_kinks_are_no_minima(rng):
    net = MLP(width=32, activation="relu").build(rng).requires_grad_(False)
    found = laplace(gaussian(2)._replace(energy=net), rng, torch.zeros(1), steps=40)
    assert "did not end in a minimum" in found.warning


def test_that_it_knows_no_error(rng):
    found = laplace(gaussian(2), rng)
    assert math.isnan(found.stderr)
    assert found.bound is None


def test_that_its_hessian_is_that_of_automatic_differentiation(rng):
    net = MLP(width=16).build(rng)
    energy = precise(net, torch.zeros(1))
    x = torch.tensor([0.3, -1.2], dtype=torch.float64)
    grad, bend = hessian(energy, x)
    torch.testing.assert_close(bend, torch.autograd.functional.hessian(energy, x))
    torch.testing.assert_close(grad, torch.autograd.functional.jacobian(energy, x))
    assert all(p.dtype == torch.float32 for p in net.parameters())


def test_that_descents_only_ever_go_down(rng):
    x = uniform(WINDOW, 32, rng, LIKE)
    values = [found.value for found in descend(rastrigin().energy, x, 50, 3.0)]
    assert all((b <= a).all() for a, b in pairwise(values))
    assert len(values) > 5
