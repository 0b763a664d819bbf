from __future__ import annotations

import math

import pytest
import torch
from laws import CORRELATED, assert_covariance, bowl, double_well, isotropic, normal, plane, quadratic, run

from ebmlab.engine.samplers import ExactSampler, LeimkuhlerMatthews, UnadjustedLangevin, UnderdampedLangevin

N = 20_000
EYE = torch.eye(2, dtype=torch.float64)


def linear(sampler, a, rng):
    """The matrix A and the vector b by which a transition on a|x|²/2 maps s = (x, extra) to A s + b z, z ~ N(0, 1).

    The columns of A are found by letting the transition act on a basis, those points being drawn with the noise of 0.
    """

    x = torch.tensor([[0.0], [1.0], [0.0]], dtype=torch.float64)
    extra = torch.tensor([[0.0], [0.0], [1.0]], dtype=torch.float64)
    state = rng.get_state()
    chains, _ = sampler.step(bowl(a), sampler.init(bowl(a), x)._replace(extra=extra), rng)
    z = torch.randn(3, 1, generator=rng.set_state(state), dtype=torch.float64)
    there = torch.cat([chains.x, chains.extra], -1)  # rows: b z_0, A_x + b z_1, A_extra + b z_2
    b = there[0] / z[0]
    return (there[1:] - b * z[1:]).T, b


def settled(matrix, b):
    """The covariance S that A S Aᵀ + b bᵀ leaves as it is."""

    n = len(b)
    inverse = torch.linalg.inv(torch.eye(n * n, dtype=torch.float64) - torch.kron(matrix, matrix))
    return (inverse @ torch.outer(b, b).flatten()).view(n, n)


@pytest.mark.parametrize("temperature", [1.0, 0.4])
@pytest.mark.parametrize("step_size", [0.1, 0.5, 1.0, 1.9])
def test_that_leimkuhler_matthews_has_the_exact_variance_of_a_gaussian_at_every_stable_step(
    step_size, temperature, rng
):
    a = 1.0
    matrix, b = linear(LeimkuhlerMatthews(step_size=step_size, temperature=temperature), a, rng)
    covariance = settled(matrix, b)
    assert covariance[0, 0].item() == pytest.approx(temperature / a, rel=1e-12)
    assert covariance[1, 1].item() == pytest.approx(1.0, rel=1e-12)
    assert covariance[0, 1].item() == pytest.approx(math.sqrt(step_size * temperature / 2), rel=1e-12)


@pytest.mark.parametrize("step_size", [0.1, 0.5, 1.0])
def test_that_chains_of_leimkuhler_matthews_settle_on_that_variance(step_size, rng):
    x, _ = run(LeimkuhlerMatthews(step_size=step_size), bowl(1.0), isotropic(N, 1.0, rng), 60, rng)
    assert_covariance(x, EYE)


@pytest.mark.parametrize("friction", [0.2, 3.0])
@pytest.mark.parametrize(("step_size", "velocity"), [(0.5, 0.9375), (1.0, 0.75), (1.8, 0.19)])
def test_that_baoab_is_exact_in_the_configuration_and_cold_in_the_velocity(step_size, velocity, friction, rng):
    matrix, b = linear(UnderdampedLangevin(step_size=step_size, friction=friction), 1.0, rng)
    assert settled(matrix, b).flatten().tolist() == pytest.approx([1.0, 0.0, 0.0, velocity], abs=1e-12)


def test_that_baoab_scales_with_the_curvature_and_the_temperature(rng):
    a, h, temperature = 4.0, 0.6, 0.3
    matrix, b = linear(UnderdampedLangevin(step_size=h, temperature=temperature), a, rng)
    expected = [temperature / a, 0.0, 0.0, temperature * (1 - h**2 * a / 4)]
    assert settled(matrix, b).flatten().tolist() == pytest.approx(expected, abs=1e-12)


def test_that_the_friction_is_the_rate_at_which_a_free_velocity_is_forgotten(rng):
    matrix, b = linear(UnderdampedLangevin(step_size=0.2, friction=1.7), 0.0, rng)
    assert matrix[1, 1].item() == pytest.approx(math.exp(-0.34), rel=1e-12)
    assert b[1].item() == pytest.approx(math.sqrt(1 - math.exp(-0.68)), rel=1e-12)


def test_that_chains_of_baoab_settle_on_a_correlated_gaussian(rng):
    gaussian = quadratic(torch.linalg.inv(CORRELATED))
    x, _ = run(UnderdampedLangevin(step_size=0.6, temperature=0.7), gaussian, normal(N, CORRELATED, rng), 40, rng)
    assert_covariance(x, 0.7 * CORRELATED)


def test_that_baoab_at_high_friction_is_leimkuhler_matthews(rng):
    h, x = 0.3, isotropic(50, 1.0, rng)
    z = torch.randn(50, 2, generator=rng, dtype=torch.float64)
    fast, slow = UnderdampedLangevin(step_size=h, friction=1e6), LeimkuhlerMatthews(step_size=h**2 / 2)
    flying, diffusing = fast.init(double_well, x), slow.init(double_well, x)._replace(extra=z)
    flying = flying._replace(extra=z - h / 2 * flying.grad)
    state = rng.get_state()
    for _ in range(20):
        flying, _ = fast.step(double_well, flying, rng)
    rng.set_state(state)
    for _ in range(20):
        diffusing, _ = slow.step(double_well, diffusing, rng)
    torch.testing.assert_close(flying.x, diffusing.x, rtol=1e-10, atol=1e-10)


def test_that_averaged_noise_leaves_a_double_well_far_less_biased_than_langevin(rng):
    start, _ = run(ExactSampler(half_width=4.0, resolution=512), double_well, isotropic(N, 1.0, rng), 1, rng)
    points, _ = plane(6.0, 512)
    truth = (-double_well(points)).softmax(0) @ points[:, 0].square()
    error = [
        abs(run(kind(step_size=0.05), double_well, start, 40, rng)[0][:, 0].square().mean() - truth)
        for kind in (UnadjustedLangevin, LeimkuhlerMatthews)
    ]
    assert error[0] > 0.03
    assert error[1] < 0.012


def test_that_a_velocity_outlives_a_change_of_the_energy_and_the_gradient_does_not(rng):
    sampler = UnderdampedLangevin()
    chains, _ = sampler.step(bowl(1.0), sampler.init(bowl(1.0), isotropic(9, 1.0, rng)), rng)
    again = sampler.refresh(bowl(3.0), chains)
    assert again.extra.equal(chains.extra)
    assert again.x.equal(chains.x)
    torch.testing.assert_close(again.grad, 3 * chains.x)


def test_that_noise_is_remembered_across_a_change_of_the_energy(rng):
    sampler = LeimkuhlerMatthews()
    chains, _ = sampler.step(bowl(1.0), sampler.init(bowl(1.0), isotropic(9, 1.0, rng)), rng)
    assert sampler.refresh(bowl(3.0), chains).extra.equal(chains.extra)


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_that_the_stability_limit_is_where_unadjusted_kernels_break(factor, rng):
    curvature = 4.0
    for sampler in (
        LeimkuhlerMatthews(step_size=factor * 2 / curvature),
        UnderdampedLangevin(step_size=factor * 2 / math.sqrt(curvature)),
    ):
        assert sampler.stability(curvature) == pytest.approx(factor)
        assert not sampler.invariant
        x, _ = run(sampler, bowl(curvature), isotropic(500, 0.25, rng), 80, rng)
        assert (x.abs().max() < 10) == (factor < 1)


def test_that_baoab_says_what_it_lacks_without_friction(rng):
    assert "friction" in UnderdampedLangevin(friction=0.0).caution()
    assert UnderdampedLangevin().caution() == ""
    sampler = UnderdampedLangevin(step_size=0.02, friction=0.0)
    chains, _ = sampler.step(double_well, sampler.init(double_well, isotropic(50, 0.5, rng)), rng)
    before = chains.energy + chains.extra.square().sum(-1) / 2
    for _ in range(100):
        chains, _ = sampler.step(double_well, chains, rng)
    assert (chains.energy + chains.extra.square().sum(-1) / 2 - before).abs().max() < 0.05
