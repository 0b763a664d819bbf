from __future__ import annotations

import math

import pytest
import torch
from normalisers import ROUGH, SMOOTH, WINDOW, double_well, rastrigin, ring, rosenbrock, two_modes

from ebmlab.engine.energies import MLP
from ebmlab.engine.quadrature import integral, lattice_sampler, like_of, rule, values_at

EPSILON = torch.finfo(torch.float64).eps
KNOWN = SMOOTH | ROUGH


def integrate(known, n):
    plane = rule(known.window, n, known.dim)
    return integral(plane, known.energy(plane.points), EPSILON)


def test_that_the_closed_forms_are_those_published():
    published = {ring(): 9.449766, double_well(1): 73.18582, rastrigin(1): 0.430743}
    for known, z in published.items():
        assert math.exp(known.log_z) == pytest.approx(z, rel=1e-6)


@pytest.mark.parametrize("name", SMOOTH)
def test_that_log_z_of_a_smooth_energy_is_found_to_a_millionth(name):
    found = integrate(SMOOTH[name], 256)
    assert found.log_z == pytest.approx(SMOOTH[name].log_z, abs=1e-6)
    assert found.why == ""


def test_that_log_z_of_the_rosenbrock_valley_is_found_on_a_fine_lattice():
    assert integrate(rosenbrock(), 768).log_z == pytest.approx(math.log(math.pi / 10), abs=1e-6)


@pytest.mark.parametrize("n", [64, 128, 256])
@pytest.mark.parametrize("name", KNOWN)
def test_that_the_true_error_is_at_most_ten_times_the_estimate(name, n):
    found = integrate(KNOWN[name], n)
    # Closed forms and sums carry rounding of their own.
    assert abs(found.log_z - KNOWN[name].log_z) <= 10 * found.error + 1e-13


@pytest.mark.parametrize("name", SMOOTH)
def test_that_the_estimated_error_falls_below_any_need_on_a_fine_lattice(name):
    assert integrate(SMOOTH[name], 512).error < 1e-8


def test_that_the_estimate_is_within_two_decades_of_the_error_of_a_kink():
    known = ROUGH["laplace"]
    for n in (128, 256, 512):
        found = integrate(known, n)
        assert found.error < 100 * abs(found.log_z - known.log_z)


def test_that_rounding_of_the_energies_counts_as_error():
    plane = rule(WINDOW, 256)
    energy = 1000 + plane.points.square().sum(-1) / 2
    assert integral(plane, energy, 1e-7).error > 1e-4


@pytest.mark.parametrize(
    "energy",
    [
        lambda x: 0 * x[..., 0],
        lambda x: -x.square().sum(-1) / 2,
        lambda x: x[..., 0],
        lambda x: 5 - 40 * torch.exp(-x.square().sum(-1) / 2),
        lambda x: 0.5 * x[..., 0] ** 2,
        lambda x: -2.5 * x.cos().sum(-1),
        lambda x: 3 * torch.tanh(x.norm(dim=-1)),
    ],
    ids=["flat", "upside down", "slope", "deep well that levels off", "trough", "periodic", "plateau"],
)
@pytest.mark.parametrize("n", [128, 256])
def test_that_an_energy_without_a_normaliser_is_flagged(energy, n):
    plane = rule(WINDOW, n)
    assert "log Z grows" in integral(plane, energy(plane.points), EPSILON).why


def test_that_mass_at_the_border_leaves_log_z_unsettled():
    plane = rule(WINDOW, 256)
    found = integral(plane, plane.points.square().sum(-1) / (2 * 30**2), EPSILON)
    assert found.border_mass > 1e-3
    assert "beyond half the box" in found.why


def test_that_a_fresh_network_held_by_its_confinement_alone_is_normalisable(rng):
    net = MLP().build(rng).double()
    coarse, fine = (
        integral(p := rule(WINDOW, n), torch.cat(list(values_at(net, p.points, like_of(net)))), EPSILON)
        for n in (128, 256)
    )
    assert coarse.why == fine.why == ""
    assert abs(coarse.log_z - fine.log_z) <= 10 * coarse.error < 1e-2


@pytest.mark.parametrize("value", [math.nan, -math.inf])
def test_that_an_energy_that_is_not_finite_has_no_log_z(value):
    plane = rule(WINDOW, 64)
    energy = plane.points.square().sum(-1)
    energy[7] = value
    assert integral(plane, energy, EPSILON).why == "the energy is not finite"


def test_that_one_lattice_reaches_far_and_is_nearly_even_in_the_window():
    (x, y) = rule((-6.0, 6.0, -3.0, 3.0), 256).axes
    assert x.abs().max() == pytest.approx(120.0)
    assert y.abs().max() == pytest.approx(60.0)
    gaps = x[x.abs() < 4].diff()
    assert gaps.max() < 1.2 * gaps.min()


def test_that_lattice_samples_have_the_moments_of_the_model(rng):
    known = two_modes()
    x = lattice_sampler(known.energy, WINDOW, torch.zeros(1, dtype=torch.float64))(40_000, rng)
    left = x[:, 0] < 0
    assert left.double().mean().item() == pytest.approx(0.8, abs=0.008)
    spread = x[left].var(0)
    torch.testing.assert_close(spread, torch.full((2,), 0.25, dtype=torch.float64), rtol=0.03, atol=0)
