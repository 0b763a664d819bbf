"""Closed forms against automatic differentiation, in float64."""

import pytest
import torch

from ebmlab.engine.calculus import gradient, jet, value_and_grad
from ebmlab.engine.energies import (
    MLP,
    RBF,
    Convex,
    Fourier,
    FreeLattice,
    Mixture,
    Product,
    Quadratic,
    ResidualPerceptron,
)
from ebmlab.engine.energies.bend import BENDS
from ebmlab.engine.energies.layered import Jets

MODELS = {
    f"mlp {kind} {depth}": MLP(width=6, depth=depth, activation=kind) for kind in BENDS for depth in (1, 2, 3)
} | {
    "residual silu 2": ResidualPerceptron(width=6, depth=2),
    "residual tanh 1": ResidualPerceptron(width=5, depth=1, activation="tanh"),
    "residual relu 3": ResidualPerceptron(width=4, depth=3, activation="relu"),
    "fourier 0": Fourier(count=5, depth=0),
    "fourier learnt 2": Fourier(count=4, width=6, depth=2, learnt=True),
    "fourier fixed 1": Fourier(count=4, width=6, depth=1, activation="tanh"),
    "convex 1": Convex(width=6, depth=1),
    "convex 3": Convex(width=6, depth=3),
    "mixture": Mixture(components=5, spread=1.0),
    "product": Product(hidden=7),
    "lattice": FreeLattice(resolution=7, half_width=2.0),
    "rbf": RBF(count=8, placement="random"),
    "quadratic": Quadratic(precision=0.7),
    "isotropic": Quadratic(isotropic=True, precision=0.4),
}
SHAPES = [(7, 2), (1, 3), (0, 2), (4, 1), (3, 5)]
CASES = [(model, n, d) for model in MODELS for n, d in SHAPES if d <= 2 or model != "lattice"]
CLOSE = {"atol": 1e-10, "rtol": 1e-10}


def build(model, d, rng):
    """Returns a network with no weight at a special value, and the same as a mere callable without closed forms."""

    net = MODELS[model].build(rng, d).double()
    with torch.no_grad():
        for p in net.parameters():
            p.add_(0.3 * torch.randn(p.shape, generator=rng, dtype=p.dtype))
    return net, lambda x: net(x)


def randn(*shape, rng):
    return torch.randn(*shape, generator=rng, dtype=torch.float64)


def slopes(loss, net):
    """Returns the loss's gradient in all parameters, flat; 0 where it does not depend on one."""

    found = torch.autograd.grad(loss, list(net.parameters()), allow_unused=True, retain_graph=True)
    return torch.cat(
        [(torch.zeros_like(p) if g is None else g).flatten() for p, g in zip(net.parameters(), found, strict=True)]
    )


@pytest.mark.parametrize(("model", "n", "d"), CASES)
@pytest.mark.parametrize("probed", [False, True])
def test_that_the_jet_and_the_parameter_gradients_of_its_losses_are_autograds(model, n, d, probed, rng):
    net, slow = build(model, d, rng)
    x, v = randn(n, d, rng=rng), randn(n, d, rng=rng) if probed else None
    fast, reference = jet(net, x, v), jet(slow, x, v)
    weights = [randn(*part.shape, rng=rng) for part in fast]
    for a, b in zip(fast, reference, strict=True):
        torch.testing.assert_close(a, b, **CLOSE)
    for used in [(0,), (1,), (2,), (1, 2), (0, 1, 2)]:
        losses = [sum((weights[i] * j[i].square()).sum() + j[i].sum() for i in used) for j in (fast, reference)]
        torch.testing.assert_close(*(slopes(loss, net) for loss in losses), **CLOSE)


@pytest.mark.parametrize(("model", "n", "d"), [case for case in CASES if case[1:] in SHAPES[:3]])
def test_that_gradient_and_value_are_autograds(model, n, d, rng):
    net, slow = build(model, d, rng)
    x = randn(n, d, rng=rng)
    fast, reference = gradient(net, x), gradient(slow, x)
    torch.testing.assert_close(fast, reference, **CLOSE)
    torch.testing.assert_close(slopes(fast.pow(3).sum(), net), slopes(reference.pow(3).sum(), net), **CLOSE)
    torch.testing.assert_close(value_and_grad(net, x), value_and_grad(slow, x), **CLOSE)


@pytest.mark.parametrize("kind", BENDS)
def test_that_each_derivative_of_an_activation_is_the_slope_of_the_one_before(kind, rng):
    a = (3 * randn(50, rng=rng)).requires_grad_()
    series = BENDS[kind].series(a.detach().clone(), 3)
    value = BENDS[kind].value(a)
    for order, derivative in enumerate(series):
        torch.testing.assert_close(derivative, value.detach(), **CLOSE)
        if order == 3 or not value.requires_grad:
            break
        (value,) = torch.autograd.grad(value.sum(), a, create_graph=True)
    assert [len(BENDS[kind].series(a.detach().clone(), k)) for k in (1, 2, 3)] == [2, 3, 4]


@pytest.mark.parametrize("kind", BENDS)
def test_that_activations_and_their_derivatives_are_finite_and_flatten_far_out(kind):
    a = torch.tensor([-1e4, -90.0, 90.0, 1e4])
    value, slope, second, third = BENDS[kind].series(a.clone(), 3)
    torch.testing.assert_close(value, BENDS[kind].value(a), atol=1e-30, rtol=1e-6)
    assert slope.isfinite().all()
    assert (second.abs() < 1e-6).all()
    assert (third.abs() < 1e-6).all()


def test_that_the_gradient_is_the_slope_of_finite_differences(rng):
    net, _ = build("mlp silu 2", 2, rng)
    x, h = randn(5, 2, rng=rng), 1e-6
    for i, e in enumerate(torch.eye(2, dtype=x.dtype)):
        rise = (net(x + h * e) - net(x - h * e)) / (2 * h)
        torch.testing.assert_close(gradient(net, x)[:, i], rise, atol=1e-8, rtol=1e-8)


def test_that_the_trace_of_relu_vanishes(rng):
    net, _ = build("mlp relu 2", 2, rng)
    net.spec = MLP(width=6, activation="relu", confinement=0.0)
    assert jet(net, randn(20, 2, rng=rng)).second.eq(0).all()


def test_that_the_reverse_pass_can_be_taken_twice(rng):
    net, _ = build("mlp silu 2", 2, rng)
    _, grad, trace = jet(net, randn(5, 2, rng=rng))
    loss = (grad.square().sum(-1) / 2 - trace).mean()
    assert torch.equal(slopes(loss, net), slopes(loss, net))


def test_that_weights_changed_before_the_reverse_pass_are_noticed(rng):
    net, _ = build("mlp silu 2", 2, rng)
    loss = gradient(net, randn(5, 2, rng=rng)).square().sum()
    with torch.no_grad():
        net.hidden[1].weight.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_that_a_gradient_of_a_gradient_of_the_closed_form_is_refused_not_wrong(rng):
    net, _ = build("mlp silu 2", 2, rng)
    grad = Jets.apply(net.chain().blocks, randn(3, 2, rng=rng), None, *net.parameters())[1]
    (once,) = torch.autograd.grad(grad.square().sum(), [net.head.weight], create_graph=True)
    with pytest.raises(RuntimeError):
        torch.autograd.grad(once.sum(), list(net.parameters()))
