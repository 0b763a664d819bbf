"""What every kind of energy must do."""

import copy
import pickle
from dataclasses import replace

import pytest
import torch

from ebmlab.engine.calculus import gradient, jet, value_and_grad
from ebmlab.engine.energies import ENERGIES, MLP, RBF, Flow, Formula, Quadratic, count
from ebmlab.engine.energies.base import Confined
from ebmlab.engine.samplers import UnadjustedLangevin
from ebmlab.spec import BadInput, decode, encode

EVERY = {kind: cls() for kind, cls in ENERGIES.items()} | {
    "quadratic isotropic": Quadratic(isotropic=True),
    "rbf random": RBF(placement="random", count=9),
    "mlp deep": MLP(width=8, depth=3, activation="tanh"),
    "formula of three": Formula(
        expression="h*(x**2 - 1)**2 + k*y**2/2 + s*x", parameters={"h": 2.0, "k": 1.0, "s": 0.1}
    ),
}
EVERY["flow of couplings"] = Flow(transform="coupling")
CONFINED = {name: spec for name, spec in EVERY.items() if isinstance(spec, Confined)}
FIXED = {"quadratic", "formula", "kernel-density", "lattice"}
"""Kinds whose first weights are set rather than drawn."""
PLANE_ONLY = {"formula", "formula of three"}


@pytest.fixture(params=EVERY)
def spec(request):
    return EVERY[request.param]


@pytest.fixture
def net(spec, rng):
    return spec.build(rng)


@pytest.mark.parametrize("shape", [(7, 2), (3, 4, 2), (0, 2), (1, 2), (2,)])
def test_that_an_energy_maps_points_of_any_leading_shape_to_numbers(net, shape, rng):
    assert net(torch.randn(shape, generator=rng)).shape == shape[:-1]


@pytest.mark.parametrize("dim", [1, 3, 5])
def test_that_an_energy_takes_any_dimension_or_says_why_not(spec, dim, rng):
    if isinstance(spec, Formula) or (spec.kind == "lattice" and dim > 2):
        with pytest.raises(BadInput, match="choose another energy"):
            spec.build(rng, dim)
    else:
        assert spec.build(rng, dim)(torch.randn(7, dim, generator=rng)).shape == (7,)


def test_that_the_gradient_of_a_loss_reaches_every_parameter(net, rng):
    x = torch.randn(64, 2, generator=rng)
    loss = net(x).square().mean()
    if net.spec.kind == "vae":  # the energy is the marginal, which needs no encoder
        loss = loss + net.elbo(x, torch.randn(64, 1, generator=rng)).mean()
    loss.backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in net.parameters())
    assert count(net) > 0


def test_that_the_generator_alone_decides_the_weights(spec):
    first, again, other = (spec.build(torch.Generator().manual_seed(seed)).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first) == (spec.kind not in FIXED)


@pytest.mark.parametrize("reach", [40.0, 1e3])
def test_that_energies_and_forces_stay_finite_far_outside_the_window(net, reach):
    x = reach * torch.tensor([[1.0, 1.0], [-1.0, 1.0], [1.0, 0.0], [0.0, -1.0]])
    assert all(part.isfinite().all() for part in (*jet(net, x), *value_and_grad(net, x)))


@pytest.mark.parametrize("spec", CONFINED.values(), ids=CONFINED)
def test_that_the_confinement_goes_live_in_values_and_derivatives(net, rng):
    x, v = torch.randn(7, 2, generator=rng), torch.randn(7, 2, generator=rng)
    before = [*value_and_grad(net, x), gradient(net, x), jet(net, x).second, jet(net, x, v).second, net(x)]
    net.spec = replace(net.spec, confinement=net.spec.confinement + 0.5)
    after = [*value_and_grad(net, x), gradient(net, x), jet(net, x).second, jet(net, x, v).second, net(x)]
    half = x.square().sum(-1) / 4
    rise = [half, x / 2, x / 2, torch.ones(7), v.square().sum(-1) / 2, half]
    for b, a, r in zip(before, after, rise, strict=True):
        torch.testing.assert_close(a - b, r, atol=1e-4, rtol=1e-4)


def test_that_a_copy_is_equal_apart_and_follows_a_change_of_dtype(net, rng):
    x = torch.randn(7, 2, generator=rng)
    twin = copy.deepcopy(net).double()
    torch.testing.assert_close(twin(x.double()).float(), net(x))
    torch.testing.assert_close(gradient(twin, x.double()).float(), gradient(net, x), atol=1e-5, rtol=1e-4)
    with torch.no_grad():
        for p in twin.parameters():
            p.add_(0.1)
    assert not torch.allclose(twin(x.double()).float(), net(x))


def test_that_the_weights_survive_a_state_dict_and_the_network_a_pickle(spec, net, rng):
    x = torch.randn(7, 2, generator=rng)
    with torch.no_grad():
        for p in net.parameters():
            p.add_(torch.randn(p.shape, generator=rng) * 0.1)
    other = spec.build(torch.Generator().manual_seed(5))
    other.load_state_dict(net.state_dict())
    assert torch.equal(other(x), net(x))
    assert torch.equal(pickle.loads(pickle.dumps(net))(x), net(x))


def test_that_a_description_survives_the_file_format(spec):
    assert decode(encode(spec), MLP(), "energy") == spec


def test_that_value_and_grad_agree_with_the_energy_and_hold_no_graph(net, rng):
    x = torch.randn(7, 2, generator=rng)
    value, grad = value_and_grad(net, x)
    torch.testing.assert_close(value, net(x).detach())
    torch.testing.assert_close(grad, gradient(net, x).detach(), atol=1e-5, rtol=1e-4)
    assert not value.requires_grad
    assert not grad.requires_grad


def test_that_a_sampler_moves_on_every_energy(net, rng):
    sampler = UnadjustedLangevin()
    chains = sampler.init(net, torch.randn(7, 2, generator=rng))
    moved, _ = sampler.step(net, chains, rng)
    assert moved.x.isfinite().all()
    assert not torch.equal(moved.x, chains.x)


def test_that_a_formula_with_a_fault_names_the_key():
    with pytest.raises(BadInput, match="expression") as fault:
        Formula(expression="a*(x**2 + z)", parameters={"a": 1.0})
    assert fault.value.key == "expression"


def test_that_named_figures_are_the_current_values(rng):
    net = Formula().build(rng)
    assert net.named_figures() == pytest.approx({"a": 0.3})
    with torch.no_grad():
        net.values[0].fill_(2.0)
    assert net.named_figures() == {"a": 2.0}
    assert Quadratic(isotropic=True, precision=0.5).build(rng).named_figures() == {"a": 0.5}


def test_that_the_figures_of_a_quadratic_are_its_precision_matrix_and_mean(rng):
    net = Quadratic().build(rng)
    with torch.no_grad():
        net.factor.copy_(torch.tensor([[2.0, 0.0], [1.0, 3.0]]))
        net.mean.copy_(torch.tensor([0.5, -1.0]))
    assert net.named_figures() == {"m1": 0.5, "m2": -1.0, "A11": 4.0, "A12": 2.0, "A22": 10.0}


def test_that_a_quadratic_has_the_normaliser_and_the_covariance_of_its_gaussian(rng):
    net = Quadratic(confinement=0.0).build(rng).double()
    with torch.no_grad():
        net.factor.copy_(torch.tensor([[1.2, 0.0], [0.5, 0.8]]))
        net.mean.copy_(torch.tensor([0.3, -0.2]))
    x = torch.randn(9, 2, generator=rng, dtype=torch.float64)
    precision = (net.factor @ net.factor.t()).detach()
    gaussian = torch.distributions.MultivariateNormal(net.mean.detach(), precision_matrix=precision)
    log_z = -(gaussian.log_prob(x) + net(x).detach())
    expected = torch.log(torch.tensor(2 * torch.pi, dtype=torch.float64)) - torch.logdet(precision) / 2
    torch.testing.assert_close(log_z, expected.expand(9))


def test_that_the_isotropic_precision_may_turn_negative(rng):
    net = Quadratic(isotropic=True, confinement=0.0).build(rng)
    with torch.no_grad():
        net.precision.fill_(-0.5)
    assert net(torch.tensor([2.0, 0.0])) == -1.0


def test_that_the_grid_of_centres_fills_the_square_evenly(rng):
    net = RBF(count=10, half_width=3.0).build(rng)
    axis = torch.tensor([-2.0, 0.0, 2.0])
    torch.testing.assert_close(net.centres.detach(), torch.cartesian_prod(axis, axis))
    torch.testing.assert_close(net.log_scales.detach().exp(), torch.full((9,), 2.0))
    assert RBF(placement="random", count=10).build(rng).centres.abs().max() <= 4


def test_that_a_bump_falls_to_its_gaussian_value_one_scale_away(rng):
    net = RBF(count=1, half_width=1.0, confinement=0.0).build(rng)
    with torch.no_grad():
        net.weights.fill_(-3.0)
    expected = -3.0 * torch.exp(torch.tensor([0.0, -0.5]))
    torch.testing.assert_close(net(torch.tensor([[0.0, 0.0], [2.0, 0.0]])).detach(), expected)
