from __future__ import annotations

import math

import pytest
import torch
from normalisers import WINDOW

from ebmlab.engine.energies import MLP
from ebmlab.engine.estimators import Batch, PersistentContrastiveDivergence
from ebmlab.engine.estimators.base import Estimator, Terms
from ebmlab.engine.meter import compare, exact_gradient, measure
from ebmlab.engine.oracle import evaluate, reference
from ebmlab.engine.targets import TARGETS
from ebmlab.engine.types import finish


@pytest.fixture(scope="module")
def target():
    return reference(TARGETS["two-modes"]().build(None, WINDOW), WINDOW, 64)


class ExactBatch(Estimator):
    """The likelihood's gradient on a batch, its negative phase drawn from the target: no bias at the truth."""

    def stages(self, energy, batch, memory, rng):
        n = len(batch.x) // 2
        yield from ()
        return Terms(energy(batch.x[:n]).mean() - energy(batch.x[n:]).mean()), memory


def test_that_the_exact_gradient_is_the_slope_of_the_nll(target, rng):
    net = MLP(width=8, depth=1).build(rng).double()
    exact = finish(exact_gradient(net, target))
    flat = torch.nn.utils.parameters_to_vector(net.parameters()).detach()
    for i in (0, 11, 20, len(flat) - 2):
        step = torch.zeros_like(flat)
        step[i] = 1e-5
        sides = []
        for sign in (1, -1):
            torch.nn.utils.vector_to_parameters(flat + sign * step, net.parameters())
            sides.append(evaluate(net, target).nll)
        assert exact[i].item() == pytest.approx((sides[0] - sides[1]) / 2e-5, rel=1e-4, abs=1e-6)


def test_that_a_reading_recovers_a_known_bias_and_variance(rng):
    exact = torch.zeros(50, dtype=torch.float64)
    exact[0] = 2.0
    bias = torch.zeros(50, dtype=torch.float64)
    bias[1] = 1.0
    noise = torch.randn(4000, 50, generator=rng, dtype=torch.float64)
    reading = compare(exact + bias + 0.1 * noise, exact)
    assert reading.norm == pytest.approx(2.0)
    assert reading.bias == pytest.approx(0.5, rel=0.01)
    assert reading.variance == pytest.approx(50 * 0.01 / 4, rel=0.02)
    assert reading.cosine_mean == pytest.approx(2 / math.sqrt(5), rel=0.01)
    assert reading.cosine < reading.cosine_mean


def test_that_noise_alone_reads_as_no_bias(rng):
    exact = torch.ones(20, dtype=torch.float64)
    biases = [
        compare(exact + torch.randn(8, 20, generator=rng, dtype=torch.float64), exact).bias ** 2 for _ in range(200)
    ]
    # Without the correction it would be var / R = 20 / 8 / 20 = 0.125.
    assert sum(biases) / len(biases) < 0.03


def test_that_the_meter_leaves_the_network_and_the_memory_as_they_were(target, rng):
    net, estimator = MLP(width=16).build(rng), PersistentContrastiveDivergence(steps=2)
    memory = estimator.init(net, Batch(target.density.sample(32, rng), WINDOW), rng)
    before = [p.detach().clone() for p in net.parameters()] + [memory.chains.x.clone()]
    reading = finish(measure(net, target, estimator, 32, memory, rng))
    assert all(map(torch.equal, before, [*net.parameters(), memory.chains.x]))
    assert all(p.grad is None for p in net.parameters())
    assert -1 <= reading.cosine <= 1
    assert reading.variance > 0


def test_that_more_data_means_less_variance(target, rng):
    net = MLP(width=16).build(rng)
    few, many = (finish(measure(net, target, ExactBatch(), n, None, rng)).variance for n in (32, 512))
    assert many == pytest.approx(few / 16, rel=0.9)


def test_that_there_is_no_reading_without_a_normaliser(target, rng):
    net = MLP(width=8, confinement=0.0, activation="tanh").build(rng)
    assert math.isnan(finish(measure(net, target, ExactBatch(), 32, None, rng)).cosine)
