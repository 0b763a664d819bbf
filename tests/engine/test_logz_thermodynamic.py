from __future__ import annotations

import math

import pytest
import torch
from laws import plane
from normalisers import gaussian, last, many, rastrigin, ring, rosenbrock, scene, torus, two_modes

from ebmlab.engine.logz import ThermodynamicIntegration
from ebmlab.engine.logz.start import Start
from ebmlab.engine.logz.thermodynamic import Mean, factors, integral

PLANE = {"gaussian": gaussian(2), "ring": ring(), "rastrigin": rastrigin(), "modes": two_modes(log_z=5.0)}


def exact_means(known, width, betas):
    """What an endless population would say of each rung, by quadrature."""

    x, _ = plane(9.0 * width, 500)
    energy, broad = known.energy(x), Start(torch.zeros(2, dtype=torch.float64), width)(x)
    means = []
    for beta in betas:
        share = (-(1 - beta) * broad - beta * energy).softmax(0)
        mean = (share * (broad - energy)).sum()
        variance = (share * (broad - energy - mean).square()).sum()
        means.append(Mean(beta, mean, variance, share, broad, torch.arange(1)))
    return means


@pytest.mark.parametrize(("power", "plain", "corrected"), [(1.0, 0.878, 1.022), (4.0, 0.973, 1.000)])
def test_that_even_rungs_miss_what_a_power_law_does_not(power, plain, corrected):
    betas = [(k / 20) ** power for k in range(21)]
    means = exact_means(two_modes(log_z=1.0), 3.0, betas)
    assert integral(means, corrected=False) == pytest.approx(plain, abs=2e-3)
    assert integral(means, corrected=True) == pytest.approx(corrected, abs=2e-3)


def test_that_the_correction_lifts_the_order_of_the_rule_from_two_to_four():
    errors = {}
    for rungs in (16, 32):
        means = exact_means(gaussian(2), 2.0, [k / rungs for k in range(rungs + 1)])
        errors[rungs] = [abs(integral(means, corrected) - gaussian(2).log_z) for corrected in (False, True)]
    assert errors[16][0] / errors[32][0] == pytest.approx(4, rel=0.1)
    assert errors[16][1] / errors[32][1] == pytest.approx(16, rel=0.2)


def test_that_the_factors_are_those_of_the_trapezoid_rule():
    zero = torch.zeros(1)
    means = [Mean(b, zero, zero, zero, zero, zero) for b in (0.0, 0.2, 1.0)]
    ends = [a for a, _ in factors(means, corrected=False)]
    assert ends == pytest.approx([0.1, 0.5, 0.4])
    slopes = [b for _, b in factors(means, corrected=True)]
    assert slopes == pytest.approx([0.04 / 12, (0.64 - 0.04) / 12, -0.64 / 12])


@pytest.mark.parametrize("known", PLANE.values(), ids=PLANE)
def test_that_thermodynamic_integration_finds_log_z_in_the_plane(known, rng):
    found = last(ThermodynamicIntegration(), scene(known), rng)
    assert abs(found.value - known.log_z) < 4 * found.stderr
    assert found.stderr < 0.2
    assert found.warning == ""


@pytest.mark.parametrize("dim", [1, 4, 16])
def test_that_thermodynamic_integration_carries_on_as_the_dimension_grows(dim, rng):
    known = gaussian(dim)
    found = last(ThermodynamicIntegration(width=3.0, particles=256), scene(known), rng)
    assert abs(found.value - known.log_z) < 4 * found.stderr
    assert found.stderr < 0.3


def test_that_rungs_too_far_apart_are_called_out(rng):
    found = last(ThermodynamicIntegration(rungs=20, power=1.0), scene(gaussian(2, 0.2)), rng)
    assert "too far apart" in found.warning
    assert abs(found.value - gaussian(2, 0.2).log_z) < 2 * found.stderr
    assert "too far apart" in last(ThermodynamicIntegration(particles=64), scene(rosenbrock()), rng).warning


def test_that_an_energy_without_a_mean_is_called_out(rng):
    found = last(ThermodynamicIntegration(particles=64), scene(torus()), rng)
    assert math.isnan(found.value)
    assert "no finite mean" in found.warning


@pytest.mark.slow
def test_that_truth_lies_within_two_standard_errors_as_often_as_it_should():
    known = two_modes(log_z=1.0)
    log_z, stderr = many(ThermodynamicIntegration(particles=64, rungs=16, width=4.0), scene(known), 60)
    assert 0.85 <= (abs(log_z - known.log_z) < 2 * stderr).double().mean() <= 1.0
    assert 0.7 < stderr.mean() / log_z.std() < 1.4
