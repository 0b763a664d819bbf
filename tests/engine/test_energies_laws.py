"""What the kinds of energy promise: closed normalisers, convexity, splines. All of it in float64."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.interpolate import BSpline
from torch import distributions

from ebmlab.engine.calculus import gradient, jet
from ebmlab.engine.energies import Convex, Fourier, FreeLattice, Mixture, Product, ResidualPerceptron, count
from ebmlab.spec import BadInput
from tests.laws import plane


def build(spec, rng, dim=2, stir=0.3):
    """Returns a network in float64 with no weight at a special value."""

    net = spec.build(rng, dim).double()
    with torch.no_grad():
        for p in net.parameters():
            p.add_(stir * randn(*p.shape, rng=rng))
    return net


def randn(*shape, rng):
    return torch.randn(shape, generator=rng, dtype=torch.float64)


def quadrature(net, half=14.0, k=400):
    points, cell = plane(half, k)
    with torch.no_grad():
        return (-net(points)).logsumexp(0) + math.log(cell)


def log_z_of_mixture(net):
    """Returns log Z, the confinement included: it adds to each precision and pulls each centre to the origin."""

    m, factors, b, c = net.centres, net.factors, net.offsets, net.spec.confinement
    a = factors @ factors.mT
    stiff = a + c * torch.eye(a.shape[-1], dtype=a.dtype)
    pull = (a @ m.unsqueeze(-1)).squeeze(-1)
    left = (pull * m).sum(-1) - (pull * torch.linalg.solve(stiff, pull)).sum(-1)
    return (-b - left / 2 + m.shape[-1] / 2 * math.log(2 * math.pi) - torch.logdet(stiff) / 2).logsumexp(0).detach()


@pytest.mark.parametrize("dim", [1, 2, 5])
def test_that_a_mixture_has_the_density_and_the_log_z_of_its_gaussians(dim, rng):
    net = build(Mixture(components=4, confinement=0.0), rng, dim)
    a = net.factors @ net.factors.mT
    weights = torch.exp(-net.offsets) / torch.linalg.det(net.factors).abs()
    gaussians = distributions.MultivariateNormal(net.centres, precision_matrix=a)
    mixture = distributions.MixtureSameFamily(distributions.Categorical(weights), gaussians)
    log_z = weights.sum().log() + dim / 2 * math.log(2 * math.pi)
    x = 3 * randn(50, dim, rng=rng)
    torch.testing.assert_close(-net(x), mixture.log_prob(x) + log_z, atol=1e-10, rtol=1e-10)
    torch.testing.assert_close(log_z_of_mixture(net), log_z.detach(), atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("confinement", [0.0, 0.3])
def test_that_the_log_z_of_a_mixture_is_that_of_quadrature(confinement, rng):
    net = build(Mixture(components=4, spread=2.0, confinement=confinement), rng)
    torch.testing.assert_close(quadrature(net), log_z_of_mixture(net), atol=1e-9, rtol=1e-9)


def test_that_the_centres_of_a_mixture_start_with_the_wanted_spread(rng):
    net = Mixture(components=4096, spread=2.0, precision=4.0).build(rng)
    assert net.centres.std().item() == pytest.approx(2.0, rel=0.02)
    assert torch.equal(net.factors, (2 * torch.eye(2)).expand(4096, 2, 2))


def hidden_states(net):
    """Returns the centre, with shape (2^m, d), and the log mass of the Gaussian of each hidden state."""

    states = torch.tensor(list(itertools.product([0.0, 1.0], repeat=len(net.bias))), dtype=torch.float64)
    a, s2, sums = net.centre, torch.exp(2 * net.log_spread), states @ net.weight
    mass = states @ net.bias + sums @ a + s2 / 2 * sums.square().sum(-1)
    return a + s2 * sums, mass + len(a) / 2 * torch.log(2 * math.pi * s2) - net.offset


@pytest.mark.parametrize("dim", [1, 2, 5])
def test_that_a_product_of_experts_is_a_gaussian_for_each_hidden_state(dim, rng):
    net = build(Product(hidden=6, confinement=0.0), rng, dim)
    centres, log_masses = hidden_states(net)
    gaussians = distributions.Independent(distributions.Normal(centres, net.log_spread.exp()), 1)
    x = 2 * randn(50, dim, rng=rng)
    expected = (gaussians.log_prob(x.unsqueeze(1)) + log_masses).logsumexp(1)
    torch.testing.assert_close(-net(x), expected, atol=1e-10, rtol=1e-10)


def test_that_the_log_z_of_a_product_is_the_sum_over_its_hidden_states(rng):
    net = build(Product(hidden=6, confinement=0.0), rng)
    log_z = hidden_states(net)[1].logsumexp(0).detach()
    torch.testing.assert_close(quadrature(net), log_z, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("hidden", [1, 32, 2048])
def test_that_a_product_starts_as_a_bowl_at_the_height_0_whatever_its_size(hidden, rng):
    net = Product(hidden=hidden, spread=2.0, confinement=0.0).build(rng).double()
    assert net(torch.zeros(2, dtype=torch.float64)).item() == pytest.approx(0, abs=1e-3)
    x, v = 5 * randn(200, 2, rng=rng), randn(200, 2, rng=rng)
    assert (jet(net, x, v).second > 0).all()


@pytest.mark.parametrize("depth", [1, 2, 4])
@pytest.mark.parametrize("stir", [0.0, 3.0])
def test_that_a_convex_network_bends_upwards_along_every_direction(depth, stir, rng):
    net = build(Convex(width=16, depth=depth, confinement=0.0), rng, dim=3, stir=stir)
    x, y = 4 * randn(500, 3, rng=rng), 4 * randn(500, 3, rng=rng)
    v = randn(500, 3, rng=rng)
    assert (jet(net, x, v).second >= 0).all()
    assert (jet(net, torch.zeros_like(x), v).second > 0).all()
    between = (net(x) + net(y)) / 2 - net((x + y) / 2)
    assert (between >= -1e-9 * (1 + net(x).abs() + net(y).abs())).all()


def test_that_a_convex_network_starts_at_0_at_the_origin_and_is_normalisable(rng):
    net = Convex(width=32).build(rng).double()
    assert net(torch.zeros(2, dtype=torch.float64)).item() == pytest.approx(0, abs=1e-5)
    near, far = quadrature(net, half=20.0, k=100), quadrature(net, half=40.0, k=200)
    torch.testing.assert_close(near, far, atol=1e-6, rtol=0)


def test_that_a_residual_network_without_returns_is_a_plane(rng):
    net = build(ResidualPerceptron(width=5, depth=2, confinement=0.0), rng)
    with torch.no_grad():
        for way in net.returns:
            way.weight.zero_()
            way.bias.zero_()
    slope = (net.head.weight @ net.trunk.weight).squeeze(0)
    x = randn(9, 2, rng=rng)
    value, grad, trace = jet(net, x)
    torch.testing.assert_close(grad, slope.expand(9, 2))
    torch.testing.assert_close(value, x @ slope + net.head.weight[0] @ net.trunk.bias + net.head.bias)
    assert trace.eq(0).all()


def test_that_waves_of_whole_frequencies_repeat_after_a_turn(rng):
    net = build(Fourier(count=6, width=8, depth=2, scale=2.0, confinement=0.0), rng)
    net.frequencies.round_()
    x = randn(20, 2, rng=rng)
    torch.testing.assert_close(net(x + 2 * math.pi), net(x), atol=1e-10, rtol=1e-10)
    torch.testing.assert_close(gradient(net, x + 2 * math.pi), gradient(net, x), atol=1e-10, rtol=1e-10)


def test_that_frequencies_have_the_wanted_scale_and_are_learnt_on_demand_only(rng):
    fixed, learnt = Fourier(count=4096, scale=3.0, depth=0), Fourier(count=4096, scale=3.0, depth=0, learnt=True)
    assert fixed.build(rng).frequencies.std().item() == pytest.approx(3.0, rel=0.03)
    assert count(learnt.build(rng)) - count(fixed.build(rng)) == 2 * 4096


def test_that_a_sum_of_waves_has_the_curvature_worked_by_hand(rng):
    net = build(Fourier(count=5, depth=0, confinement=0.0), rng)
    x = randn(9, 2, rng=rng)
    angles = x @ net.frequencies.t()
    waves = net.head.weight[0] * torch.cat([angles.cos(), angles.sin()], -1)
    steep = net.frequencies.square().sum(-1).repeat(2)
    torch.testing.assert_close(jet(net, x).second, -(waves @ steep))


@pytest.mark.parametrize(
    ("spec", "smooth"),
    [
        (Fourier(activation="relu"), False),
        (Fourier(activation="relu", depth=0), True),
        (ResidualPerceptron(activation="relu"), False),
        (ResidualPerceptron(), True),
    ],
)
def test_that_a_kink_anywhere_is_owned_up_to(spec, smooth):
    assert spec.smooth is smooth


@pytest.mark.parametrize("cls", [Fourier, FreeLattice])
def test_that_bounded_energies_without_confinement_carry_a_caution(cls):
    assert cls().caution() == ""
    assert "no density" in cls(confinement=0.0).caution()


def flat_lattice(values, half_width=3.0, gain=2.0):
    """Returns a lattice with given values, without confinement."""

    spec = FreeLattice(resolution=len(values), half_width=half_width, gain=gain, confinement=0.0)
    net = spec.build(torch.Generator(), values.ndim).double()
    with torch.no_grad():
        net.values.copy_(values / gain)
    return net


@pytest.mark.parametrize("dim", [1, 2])
def test_that_the_lattice_is_the_cubic_spline_of_its_values_with_those_of_the_border_repeated(dim, rng):
    values, half = randn(*[6] * dim, rng=rng), 3.0
    net, x = flat_lattice(values, half), 3.5 * (2 * torch.rand(200, dim, generator=rng, dtype=torch.float64) - 1)
    padded, cell = np.pad(values.numpy(), 4, mode="edge"), 2 * half / 5
    knots = (np.arange(18) - 6) * cell - half  # a cubic spline's i-th coefficient stands at knot i + 2
    first = BSpline(knots, padded, 3)
    if dim == 1:
        at = x[:, 0].numpy()
        expected, slope, bend = (first(at, nu) for nu in range(3))
        grad = slope[:, None]
    else:
        cross = [[BSpline(knots, first(a, i), 3) for i in range(3)] for a in x[:, 0].numpy()]
        table = np.array([[[s(b, j) for j in range(3)] for s in row] for row, b in zip(cross, x[:, 1].numpy())])
        expected, grad = table[:, 0, 0], np.stack([table[:, 1, 0], table[:, 0, 1]], -1)
        bend = table[:, 2, 0] + table[:, 0, 2]
    for found, wanted in zip(jet(net, x), (expected, grad, bend), strict=True):
        torch.testing.assert_close(found.detach(), torch.from_numpy(wanted), atol=1e-10, rtol=1e-10)


def test_that_a_single_value_makes_the_bump_of_the_docstring(rng):
    values = torch.zeros(7, 7, dtype=torch.float64)
    values[2, 4] = 1.0
    x = 4 * randn(300, 2, rng=rng)
    t = (x + 3.0) - torch.tensor([2.0, 4.0])
    bump = ((2 - t.abs()).clamp(min=0) ** 3 - 4 * (1 - t.abs()).clamp(min=0) ** 3) / 6
    torch.testing.assert_close(flat_lattice(values)(x).detach(), bump.prod(-1))


def test_that_the_lattice_is_twice_continuously_differentiable_across_cells_and_border(rng):
    net = flat_lattice(randn(6, 6, rng=rng), half_width=2.5)
    edges = torch.arange(-5, 6, dtype=torch.float64)[:, None] * 0.5 + torch.tensor([0.0, 0.37])
    v = randn(len(edges), 2, rng=rng)
    for shift in (edges, edges.flip(-1)):
        below, above = (jet(net, shift + step, v) for step in (-1e-9, 1e-9))
        for a, b in zip(below, above, strict=True):
            torch.testing.assert_close(a, b, atol=1e-7, rtol=0)


def test_that_the_lattice_goes_on_for_ever_as_it_ends(rng):
    net = flat_lattice(randn(6, 6, rng=rng), half_width=2.5)
    y = 2 * randn(9, rng=rng)
    near, far = (torch.stack([torch.full_like(y, side), y], -1) for side in (3.5, 1e6))
    torch.testing.assert_close(net(far), net(near))
    assert gradient(net, far)[:, 0].abs().max() < 1e-12
    corner = net(torch.tensor([-50.0, 70.0], dtype=torch.float64)).item()
    assert corner == pytest.approx(net.values[0, -1].item() * net.spec.gain)


def test_that_a_lattice_refuses_more_dimensions_than_it_can_fill(rng):
    with pytest.raises(BadInput, match="has 3 dimensions; choose another energy"):
        FreeLattice().build(rng, 3)
