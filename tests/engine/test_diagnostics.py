from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from ebmlab.engine.diagnostics import ess, health, moved, pareto_k, rhat, weights_ess


def autoregressive(rho, m, n, rng):
    z = torch.randn(m, n, generator=rng, dtype=torch.float64).numpy()
    x = np.empty_like(z)
    x[:, 0] = z[:, 0]
    for i in range(1, n):
        x[:, i] = rho * x[:, i - 1] + math.sqrt(1 - rho**2) * z[:, i]
    return x


def test_that_independent_draws_are_worth_their_number(rng):
    found = health(torch.randn(64, 128, 2, generator=rng))
    np.testing.assert_allclose(found.bulk, 64 * 128, rtol=0.1)
    np.testing.assert_allclose(found.tail, 64 * 128, rtol=0.1)
    np.testing.assert_allclose(found.rhat, 1, atol=0.01)
    assert found.moved == 1.0


@pytest.mark.parametrize("rho", [-0.5, 0.3, 0.6, 0.9])
def test_that_autocorrelated_draws_are_worth_the_closed_form(rho, rng):
    x = autoregressive(rho, 16, 4000, rng)
    exact = 16 * 4000 * (1 - rho) / (1 + rho)
    assert float(ess(x)) == pytest.approx(exact, rel=0.12)
    assert float(health(x).bulk) == pytest.approx(exact, rel=0.12)


def test_that_chains_apart_disagree(rng):
    x = torch.randn(4, 200, generator=rng, dtype=torch.float64)
    x[:2] += 5
    assert float(rhat(x)) > 1.5
    assert float(ess(x)) < 10


def test_that_a_chain_that_drifts_disagrees_with_itself(rng):
    x = torch.randn(1, 400, generator=rng, dtype=torch.float64) + torch.linspace(0, 6, 400)
    assert float(rhat(x)) > 1.5


def test_that_rhat_of_ranks_is_the_same_for_any_monotone_map(rng):
    x = torch.randn(4, 100, generator=rng, dtype=torch.float64)
    assert float(rhat(x)) == float(rhat(x.exp()))


def test_that_the_unranked_rhat_formula_holds_on_a_case_by_hand():
    # Ranks 1..8 over the four half chains, two draws each.
    x = np.array([[1.0, 5.0, 2.0, 6.0], [3.0, 7.0, 4.0, 8.0]])
    z = torch.special.ndtri((torch.arange(1, 9, dtype=torch.float64) - 0.375) / 8.25).numpy()
    halves = np.array([[z[0], z[4]], [z[2], z[6]], [z[1], z[5]], [z[3], z[7]]])
    within = halves.var(1, ddof=1).mean()
    between = halves.mean(1).var(ddof=1)
    assert float(rhat(x)) == pytest.approx(math.sqrt(0.5 + between / within))


def test_that_chains_that_never_moved_are_worth_one_draw_each():
    assert float(ess(np.zeros((8, 100)))) == 16  # eight chains, each cut in two
    assert moved(np.zeros((8, 100, 2))) == 0.0


def test_that_moved_counts_the_transitions_that_moved():
    x = torch.zeros(1, 5, 2)
    x[0, 2:, 1] = 1.0
    assert moved(x) == 0.25


@pytest.mark.parametrize("k", [0.2, 0.5, 0.8, 1.2])
def test_that_the_shape_of_a_pareto_tail_is_found(k, rng):
    found = []
    for _ in range(20):
        u = torch.rand(4000, generator=rng, dtype=torch.float64)
        found.append(pareto_k(((1 - u) ** -k / k).log()))
    assert sum(found) / 20 == pytest.approx(k, abs=0.06)


def test_that_weights_with_light_tails_have_a_small_shape(rng):
    assert pareto_k(torch.rand(4000, generator=rng).log()) < 0.2


def test_that_too_few_weights_have_no_shape_and_equal_ones_the_least():
    assert math.isnan(pareto_k(torch.zeros(10)))
    assert pareto_k(torch.zeros(100)) == -math.inf


def test_that_weights_are_worth_their_number_when_equal_and_one_when_one_rules():
    assert weights_ess(torch.full((50,), -700.0)) == pytest.approx(50)
    assert weights_ess(torch.tensor([0.0, -900.0, -900.0])) == pytest.approx(1)
