from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from normalisers import LIKE, WINDOW, double_well, gaussian, last, rastrigin, ring, scene, two_modes

from ebmlab.engine.logz import (
    AIS,
    CUBO,
    ELBO,
    LOG_ZS,
    BridgeSampling,
    ImportanceSampling,
    Jarzynski,
    Laplace,
    MultistateBennett,
    NestedSampling,
    NoiseContrast,
    Quadrature,
    ReverseAIS,
    ReverseImportanceSampling,
    Scene,
    SequentialMonteCarlo,
    ThermodynamicIntegration,
    WangLandau,
)
from ebmlab.engine.logz.base import log_mean, weights_warning
from ebmlab.engine.logz.start import Seen, Start, Tempered
from ebmlab.engine.quadrature import lattice_sampler
from ebmlab.engine.samplers.mala import MetropolisLangevin
from ebmlab.engine.samplers.ula import UnadjustedLangevin
from ebmlab.spec import BadInput

QUICK = AIS(particles=512, rungs=30, width=3.0, sampler=MetropolisLangevin(step_size=0.03))
SMALL = {
    "quadrature": Quadrature(resolution=128),
    "importance": ImportanceSampling(particles=5000),
    "ais": AIS(particles=32, rungs=8),
    "reverse-ais": ReverseAIS(particles=32, rungs=8),
    "reverse-importance": ReverseImportanceSampling(particles=64, burn_in=5, draws=4),
    "smc": SequentialMonteCarlo(particles=64, rungs=8),
    "thermodynamic": ThermodynamicIntegration(particles=32, rungs=8),
    "bridge": BridgeSampling(particles=64, burn_in=5, draws=4),
    "mbar": MultistateBennett(particles=16, rungs=4, burn_in=1, draws=3),
    "nce": NoiseContrast(points=4500),
    "jarzynski": Jarzynski(particles=32, moves=20),
    "laplace": Laplace(starts=8),
    "elbo": ELBO(components=1, steps=150, particles=2048),
    "cubo": CUBO(components=1, steps=150, particles=2048),
    "nested": NestedSampling(particles=32, moves=1),
    "wang-landau": WangLandau(particles=32, steps=200),
}
BOUNDS = {
    "importance": "lower",
    "ais": "lower",
    "reverse-ais": "upper",
    "reverse-importance": "upper",
    "smc": "lower",
    "jarzynski": "lower",
    "elbo": "lower",
    "cubo": "upper",
    "nested": "lower",
}


def crowded(known):
    """Where every method finds what it needs."""

    where = scene(known, exact=True)
    return where._replace(data=where.exact)


def within_four_errors(found, log_z):
    return abs(found.value - log_z) < 4 * found.stderr


@pytest.mark.parametrize("dim", range(1, 9))
def test_that_sampling_finds_log_z_of_a_correlated_gaussian_in_any_dimension(dim, rng):
    known = gaussian(dim)
    for method in (ImportanceSampling(width=1.5), AIS(width=2.0, particles=256, rungs=30)):
        found = last(method, scene(known), rng)
        assert within_four_errors(found, known.log_z)
        assert found.stderr < 0.3
        assert found.warning == ""


@pytest.mark.parametrize(
    "known", [ring(), double_well(), rastrigin(), two_modes(log_z=5.0)], ids=["ring", "well", "rastrigin", "modes"]
)
@pytest.mark.parametrize("method", [ImportanceSampling(), QUICK], ids=["importance", "ais"])
def test_that_sampling_finds_log_z_in_the_plane(known, method, rng):
    found = last(method, scene(known), rng)
    assert within_four_errors(found, known.log_z)
    assert found.stderr < 0.3


@pytest.mark.parametrize("known", [gaussian(1), double_well(1), gaussian(2), ring(), rastrigin()])
def test_that_quadrature_is_exact_on_the_line_and_in_the_plane(known, rng):
    found = last(Quadrature(), scene(known), rng)
    assert found.value == pytest.approx(known.log_z, abs=1e-6)
    assert found.stderr < 1e-2
    assert found.bound is None


def test_that_quadrature_stops_at_the_plane(rng):
    with pytest.raises(BadInput, match=r"256\^3"):
        last(Quadrature(), scene(gaussian(3)), rng)


def test_that_quadrature_warns_of_an_energy_without_a_normaliser(rng):
    flat = Scene(lambda x: 0 * x[..., 0], LIKE, WINDOW)
    assert "log Z grows" in last(Quadrature(), flat, rng).warning


def test_that_the_estimates_of_quadrature_come_early_and_get_better(rng):
    known = ring()
    found = [f for f in Quadrature().run(scene(known), rng) if math.isfinite(f.value)]
    errors = [abs(f.value - known.log_z) for f in found]
    assert found[0].progress < 0.05
    assert errors[0] > 1e-4 > errors[-1]


def test_that_every_method_here_goes_by_its_kind():
    assert all(type(method) is LOG_ZS[kind] for kind, method in SMALL.items())


def test_that_reverse_ais_needs_exact_samples(rng):
    with pytest.raises(BadInput, match="exact samples"):
        last(ReverseAIS(), scene(gaussian(2)), rng)


@pytest.mark.parametrize("kind", SMALL)
def test_that_progress_and_evaluations_rise_to_the_end(kind, rng):
    found = list(SMALL[kind].run(crowded(gaussian(2)), rng))
    assert [f.progress for f in found] == sorted(f.progress for f in found)
    assert [f.evaluations for f in found] == sorted(f.evaluations for f in found)
    assert found[-1].progress == 1.0
    assert len(found) > 3


@pytest.mark.parametrize("kind", SMALL)
def test_that_the_same_generator_gives_the_same_estimate(kind):
    where = crowded(gaussian(2))
    one, two = (last(SMALL[kind], where, torch.Generator().manual_seed(4)) for _ in range(2))
    assert one == two


@pytest.mark.parametrize("rungs", [1, 5])
def test_that_ais_is_unbiased_in_z_however_short_the_ladder(rungs):
    known = two_modes()
    method = AIS(particles=100, rungs=rungs, width=4.0)
    z = [math.exp(last(method, scene(known), torch.Generator().manual_seed(seed)).value) for seed in range(40)]
    z = torch.tensor(z, dtype=torch.float64)
    assert abs(z.mean() - 1) < 4 * z.std() / math.sqrt(40)
    assert z.std() < 1


def test_that_an_estimate_half_way_up_the_ladder_is_unbiased_too():
    known, z = gaussian(2), []
    for seed in range(40):
        rungs = AIS(particles=100, rungs=6, width=3.0).run(scene(known), torch.Generator().manual_seed(seed))
        z.append(math.exp([f.value for f in rungs][3] - known.log_z))
    z = torch.tensor(z, dtype=torch.float64)
    assert abs(z.mean() - 1) < 4 * z.std() / math.sqrt(40)


def test_that_ais_and_its_reverse_close_a_sandwich_on_average():
    where, gaps = scene(two_modes(log_z=1.0), exact=True), []
    for rungs in (2, 16):
        below, above = (
            torch.tensor([last(m, where, torch.Generator().manual_seed(s)).value for s in range(8)])
            for m in (AIS(particles=64, rungs=rungs), ReverseAIS(particles=64, rungs=rungs))
        )
        assert below.mean() < 1.0 + 2 * below.std() / math.sqrt(8)
        assert above.mean() > 1.0 - 2 * above.std() / math.sqrt(8)
        gaps.append((above.mean() - below.mean()).item())
    assert gaps[0] > 2 * abs(gaps[1])


@pytest.mark.parametrize("kind", SMALL)
def test_that_a_bound_says_which_way_it_errs(kind, rng):
    assert last(SMALL[kind], crowded(gaussian(2)), rng).bound == BOUNDS.get(kind)


@pytest.mark.parametrize("kind", ["ais", "reverse-ais", "smc"])
def test_that_a_kernel_that_is_not_exact_leaves_no_bound(kind, rng):
    method = replace(SMALL[kind], sampler=UnadjustedLangevin())
    assert method.caution()
    assert last(method, crowded(gaussian(2)), rng).bound is None


@pytest.mark.parametrize("kind", SMALL)
def test_that_every_evaluation_is_counted(kind, rng):
    known, seen = gaussian(2), []

    def energy(x):
        seen.append(len(x))
        return known.energy(x)

    found = last(SMALL[kind], crowded(known)._replace(energy=energy), rng)
    assert found.evaluations == sum(seen)


@pytest.mark.parametrize("kind", SMALL)
def test_that_single_precision_is_enough(kind, rng):
    known, like = gaussian(2), torch.zeros(1)
    exact = lattice_sampler(known.energy, WINDOW, like, 128)
    found = last(SMALL[kind], Scene(known.energy, like, WINDOW, 2, exact, exact), rng)
    assert math.isfinite(found.value)
    stderr = 0.0 if math.isnan(found.stderr) else found.stderr  # Laplace's formula knows none
    assert abs(found.value - known.log_z) < 5 * stderr + 1e-4


def test_that_a_proposal_too_narrow_is_called_out(rng):
    found = last(ImportanceSampling(width=0.25), scene(gaussian(2)), rng)
    assert "not to be trusted" in found.warning


def test_that_a_hot_sampler_is_refused():
    with pytest.raises(BadInput, match="temperature 1"):
        AIS(sampler=UnadjustedLangevin(temperature=2.0))


def test_that_the_error_of_a_log_mean_is_that_of_the_weights(rng):
    w = torch.rand(100, generator=rng, dtype=torch.float64) + 0.5
    value, stderr = log_mean(w.log() + 300)
    assert value == pytest.approx(w.mean().log().item() + 300)
    assert stderr == pytest.approx((w.std() / w.mean()).item() / 10)


def test_that_weights_that_say_nothing_have_an_infinite_error():
    assert log_mean(torch.tensor([2.0])) == (2.0, math.inf)
    assert log_mean(torch.full((5,), -math.inf)) == (-math.inf, math.inf)
    assert weights_warning(torch.full((5,), -math.inf)) == "no weight is a number above 0"


def test_that_the_start_is_normalised():
    start = Start(torch.tensor([1.0, -2.0], dtype=torch.float64), 1.7)
    where = Scene(start, LIKE, WINDOW)
    assert last(Quadrature(), where, torch.Generator()).value == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("beta", [0.0, 0.3, 1.0])
def test_that_the_force_between_two_energies_is_the_slope_of_their_mixture(beta, rng):
    start = Start(torch.zeros(2, dtype=torch.float64), 4.0)
    energy = Tempered(start, ring().energy, beta)
    y = torch.randn(20, 2, generator=rng, dtype=torch.float64).requires_grad_()
    (slope,) = torch.autograd.grad(energy(y).sum(), y)
    value, grad = energy.value_and_grad(y.detach())
    torch.testing.assert_close(value, energy(y).detach())
    torch.testing.assert_close(grad, slope)


def test_that_what_has_been_seen_is_not_evaluated_again():
    calls = []
    y = torch.ones(3, 2)
    seen = Seen(y, torch.zeros(3), torch.zeros(3, 2))
    energy = Tempered(Start(torch.zeros(2), 2.0), lambda x: calls.append(x) or x.sum(-1), 0.5, seen)
    energy.value_and_grad(y)
    assert calls == []
    energy.value_and_grad(y.clone())
    assert len(calls) == 1
