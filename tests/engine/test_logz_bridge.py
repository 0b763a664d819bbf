from __future__ import annotations

import math

import pytest
import torch
from normalisers import double_well, gaussian, last, many, rastrigin, ring, scene, torus, two_modes

from ebmlab.engine.logz import BridgeSampling, NoiseContrast
from ebmlab.engine.logz.bridge import bridged, settle
from ebmlab.engine.logz.logistic import Pool, information, most_likely, overlap_warning, standard_error
from ebmlab.spec import BadInput

PLANE = {
    "ring": ring(),
    "well": double_well(),
    "rastrigin": rastrigin(),
    "modes": two_modes(log_z=5.0),
    "walls": torus(),
}


def pool_of(known, width, n, m, rng):
    """Log ratios at exact points of a centred normal law and at points of N(0, width² I)."""

    x = torch.linalg.cholesky(torch.linalg.inv(precision_of(known))) @ torch.randn(
        known.dim, n, generator=rng, dtype=torch.float64
    )
    y = width * torch.randn(m, known.dim, generator=rng, dtype=torch.float64)
    constant = known.dim / 2 * math.log(2 * math.pi * width**2)

    def ratio(x):
        return -known.energy(x) + x.square().sum(-1) / (2 * width**2) + constant

    return Pool(ratio(x.T).unsqueeze(0), ratio(y), torch.arange(n))


def precision_of(known):
    return torch.autograd.functional.hessian(known.energy, torch.zeros(known.dim, dtype=torch.float64))


@pytest.mark.parametrize("width", [1.0, 3.0, 12.0])
@pytest.mark.parametrize(("n", "m"), [(400, 400), (150, 2000), (2000, 150)])
def test_that_bridge_sampling_is_logistic_regression_with_the_energy_frozen(width, n, m, rng):
    pool = pool_of(gaussian(2), width, n, m, rng)
    c = most_likely(pool)
    assert settle(pool, most=100_000) == pytest.approx(c, abs=1e-6)
    assert bridged(pool, c) == pytest.approx(c, abs=1e-9)


def test_that_the_regression_is_where_its_likelihood_is_greatest(rng):
    pool = pool_of(gaussian(2), 3.0, 300, 500, rng)
    c = torch.tensor(most_likely(pool), dtype=torch.float64, requires_grad=True)
    likelihood = -torch.nn.functional.softplus(c - pool.log_odds - pool.model).sum()
    likelihood = likelihood - torch.nn.functional.softplus(pool.noise - c + pool.log_odds).sum()
    (slope,) = torch.autograd.grad(likelihood, c)
    assert abs(slope.item()) < 1e-8


def test_that_the_sandwich_error_is_bennett_s_on_the_model_s_own_points(rng):
    pool = pool_of(gaussian(2), 2.0, 40_000, 20_000, rng)
    c = most_likely(pool)
    known = 1 / information(*pool.chances(c)) - 1 / 40_000 - 1 / 20_000
    assert standard_error(pool, c) == pytest.approx(math.sqrt(known), rel=0.02)


def test_that_draws_of_one_chain_count_as_copies_of_one_family(rng):
    pool = pool_of(gaussian(2), 2.0, 500, 5000, rng)
    c = most_likely(pool._replace(model=pool.model.repeat(2, 1)))
    chains = standard_error(pool._replace(model=pool.model.repeat(2, 1)), c)
    columns = pool._replace(model=pool.model.repeat(1, 2))
    families = standard_error(columns._replace(cluster=pool.cluster.repeat(2)), c)
    strangers = standard_error(columns._replace(cluster=torch.arange(1000)), c)
    assert chains == pytest.approx(families, rel=1e-3)
    assert chains > 1.03 * strangers


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("known", PLANE.values(), ids=PLANE)
def test_that_bridge_sampling_finds_log_z_in_the_plane(known, exact, rng):
    found = last(BridgeSampling(exact=exact), scene(known, exact=True), rng)
    assert abs(found.value - known.log_z) < 4 * found.stderr
    assert found.stderr < 0.2
    assert found.warning == ""


@pytest.mark.parametrize("dim", [1, 3, 4])
def test_that_chains_do_where_there_are_no_exact_points(dim, rng):
    known = gaussian(dim)
    found = last(BridgeSampling(width=2.0), scene(known), rng)
    assert abs(found.value - known.log_z) < 4 * found.stderr
    assert found.stderr < 0.1


def test_that_four_thousand_points_of_either_kind_find_the_two_modes(rng):
    found = last(BridgeSampling(particles=4000, draws=1, width=3.0), scene(two_modes(log_z=1.0), exact=True), rng)
    assert found.value == pytest.approx(1.0, abs=0.12)
    assert found.stderr == pytest.approx(0.042, rel=0.1)


def test_that_laws_that_hardly_overlap_are_called_out(rng):
    found = last(BridgeSampling(particles=64, draws=2, burn_in=10), scene(gaussian(16)), rng)
    assert "overlap" in found.warning


def test_that_nothing_in_common_leaves_no_information():
    pool = Pool(torch.full((1, 20), 1e4), torch.full((20,), -1e4), torch.arange(20))
    assert standard_error(pool, most_likely(pool)) == math.inf
    assert overlap_warning(pool, most_likely(pool))
    nothing = Pool(torch.full((1, 20), -math.inf), torch.full((20,), -math.inf), torch.arange(20))
    assert math.isnan(most_likely(nothing))


def test_that_nce_learns_log_z_where_the_model_fits_the_target(rng):
    known = two_modes(log_z=5.0)
    where = scene(known, exact=True)
    found = last(NoiseContrast(), where._replace(data=where.exact), rng)
    assert abs(found.value - 5.0) < 4 * found.stderr
    assert found.stderr < 0.1
    assert found.warning == ""


def test_that_nce_is_wrong_where_the_model_does_not_fit_the_target(rng):
    known = gaussian(2)
    wide = scene(gaussian(2, 2.0), exact=True).exact
    found = last(NoiseContrast(width=2.0, points=20_000), scene(known)._replace(data=wide), rng)
    assert abs(found.value - known.log_z) > 10 * found.stderr


def test_that_more_noise_to_each_point_makes_the_error_smaller(rng):
    where = scene(gaussian(2), exact=True)
    where = where._replace(data=where.exact)
    one, nine = (last(NoiseContrast(ratio=ratio), where, rng) for ratio in (1, 9))
    assert nine.stderr < 0.6 * one.stderr
    assert abs(nine.value - gaussian(2).log_z) < 4 * nine.stderr


def test_that_nce_needs_data(rng):
    with pytest.raises(BadInput, match="no data"):
        last(NoiseContrast(), scene(gaussian(2)), rng)


def test_that_truth_lies_within_two_standard_errors_as_often_as_it_should():
    known = gaussian(2)
    where = scene(known, exact=True)
    where = where._replace(data=where.exact)
    for method in (BridgeSampling(particles=256, draws=1), NoiseContrast(points=256)):
        log_z, stderr = many(method, where, 120)
        assert 0.9 <= (abs(log_z - known.log_z) < 2 * stderr).double().mean() <= 0.99
        assert stderr.mean() == pytest.approx(log_z.std().item(), rel=0.2)


@pytest.mark.slow
def test_that_the_error_of_chains_is_as_large_as_it_should_be():
    known = two_modes(log_z=1.0)
    log_z, stderr = many(BridgeSampling(particles=96, draws=3, burn_in=10), scene(known), 60)
    assert 0.87 <= (abs(log_z - known.log_z) < 2 * stderr).double().mean() <= 1.0
    assert 0.7 < stderr.mean() / log_z.std() < 1.4
