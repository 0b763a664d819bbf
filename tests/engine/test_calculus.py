import math

import pytest
import torch

from ebmlab.engine.calculus import gradient, jet, value_and_grad

a = torch.tensor(1.3, dtype=torch.float64, requires_grad=True)


def quartic(x):
    return a * x.pow(4).sum(-1) + x[:, 0] * x[:, 1]


def points(rng, n=5, d=2):
    return torch.randn(n, d, generator=rng, dtype=torch.float64)


def test_that_the_gradient_and_hessian_of_a_quartic_are_the_ones_worked_by_hand(rng):
    x, v = points(rng), points(rng)
    value, grad, trace = jet(quartic, x)
    torch.testing.assert_close(value, quartic(x))
    torch.testing.assert_close(grad, 4 * a * x**3 + x.flip(-1))
    torch.testing.assert_close(trace, 12 * a * x.square().sum(-1))
    torch.testing.assert_close(jet(quartic, x, v).second, 12 * a * (x * v).square().sum(-1) + 2 * v.prod(-1))
    torch.testing.assert_close(gradient(quartic, x), grad)


def test_that_a_loss_of_the_jet_has_the_parameter_gradient_worked_by_hand(rng):
    x = points(rng)
    value, grad, trace = jet(quartic, x)
    (found,) = torch.autograd.grad((value + grad.sum(-1) + trace).sum(), a)
    torch.testing.assert_close(found, (x**4 + 4 * x**3 + 12 * x**2).sum())


def test_that_value_and_grad_are_detached(rng):
    value, grad = value_and_grad(quartic, points(rng))
    assert not value.requires_grad
    assert not grad.requires_grad


CONSTANT = {
    "learnt": lambda x: a.expand(len(x)),
    "fixed": lambda x: x.new_ones(len(x)),
    "infinite": lambda x: a.expand(len(x)) * math.inf,
}


@pytest.mark.parametrize("kind", CONSTANT)
@pytest.mark.parametrize("n", [0, 3])
def test_that_an_energy_constant_in_x_is_flat(kind, n, rng):
    x, v = points(rng, n), points(rng, n)
    flat, none = torch.zeros_like(x), x.new_zeros(n)
    torch.testing.assert_close(value_and_grad(CONSTANT[kind], x)[1], flat)
    torch.testing.assert_close(gradient(CONSTANT[kind], x).detach(), flat)
    for probe in (None, v):
        _, grad, second = jet(CONSTANT[kind], x, probe)
        torch.testing.assert_close(grad.detach(), flat)
        torch.testing.assert_close(second.detach(), none)


@pytest.mark.parametrize("energy", [CONSTANT["learnt"], lambda x: a * x.sum(-1)])
def test_that_a_loss_of_a_flat_jet_can_be_followed_backwards_to_zero(energy, rng):
    (found,) = torch.autograd.grad(jet(energy, points(rng)).second.sum(), a)
    assert found == 0


def test_that_a_linear_energy_has_its_slope_and_no_curvature(rng):
    x = points(rng)
    _, grad, trace = jet(lambda x: a * x.sum(-1), x)
    torch.testing.assert_close(grad, a.expand_as(x))
    assert trace.eq(0).all()


def test_that_derivatives_can_be_had_without_a_graph(rng):
    with torch.no_grad():
        assert not gradient(quartic, points(rng)).requires_grad
        assert not any(part.requires_grad for part in jet(quartic, points(rng)))


def test_that_the_points_of_the_caller_gather_no_gradient(rng):
    x = points(rng).requires_grad_()
    gradient(quartic, x).sum().backward()
    assert x.grad is None
    a.grad = None
