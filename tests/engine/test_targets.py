from __future__ import annotations

import json
import math
import pickle

import numpy as np
import pytest
import torch
from scipy import special, stats

from ebmlab.engine.targets import (
    TARGETS,
    Banana,
    Brush,
    Checkerboard,
    DoubleWell,
    Drawing,
    EightGaussians,
    Eraser,
    FormulaTarget,
    Funnel,
    Gaussian,
    GaussianMixture,
    GridGaussians,
    Image,
    MullerBrown,
    Pinwheel,
    Points,
    Ring,
    Rings,
    Spirals,
    Spray,
    Stamp,
    SwissRoll,
    Text,
    TwoModes,
    TwoMoons,
)
from ebmlab.engine.targets.gaussian import MixtureDensity
from ebmlab.engine.window import Lattice
from ebmlab.spec import BadInput, decode, encode

WINDOW = (-6.0, 6.0, -6.0, 6.0)


class Files:
    """Stands in for the files that targets are made from."""

    def points(self, path):
        return np.random.default_rng(0).normal(size=(200, 2)) + np.array([1.0, -0.5])

    def image(self, path):
        picture = np.ones((30, 40))
        picture[3:12, 5:30] = 0.0
        return picture

    def text(self, text):
        return self.image("")[2:20] * 0.7


EVERY = {
    "gaussian": Gaussian(mean=(1.0, -0.5), covariance=((1.0, 0.6), (0.6, 0.8))),
    "gaussian-mixture": GaussianMixture(),
    "two-modes": TwoModes(),
    "eight-gaussians": EightGaussians(),
    "ring": Ring(),
    "disc": Ring(radius=0.0, spread=1.0),
    "grid-gaussians": GridGaussians(spread=0.3),
    "rings": Rings(),
    "swiss-roll": SwissRoll(),
    "banana": Banana(length=1.2, bend=0.2),
    "funnel": Funnel(spread=1.0),
    "pinwheel": Pinwheel(),
    "double-well": DoubleWell(),
    "tilted-well": DoubleWell(barrier=2.0, tilt=-0.3),
    "muller-brown": MullerBrown(),
    "text": Text(smoothing=0.2),
    "two-moons": TwoMoons(),
    "spirals": Spirals(),
    "checkerboard": Checkerboard(),
    "odd-checkerboard": Checkerboard(squares=3, extent=3.0),
    "points": Points(path="p.csv"),
    "image": Image(path="i.png", smoothing=0.2),
    "drawing": Drawing(
        marks=(
            Brush(path=((-3.0, -2.0), (0.0, 2.0), (3.0, -2.0)), radius=0.4),
            Spray(path=((-2.0, 3.0), (2.0, 3.0))),
            Stamp(centre=(1.0, 1.0), sigmas=(1.0, 0.4), angle=30.0, weight=2.0),
            Eraser(path=((0.0, 2.0),)),
        )
    ),
    "formula": FormulaTarget(expression="(x**2 - 4)**2/8 + a*y**2", parameters=(("a", 0.5),)),
}
SMOOTH = [k for k in EVERY if "checker" not in k and k not in ("points", "image", "drawing", "text", "funnel")]


@pytest.fixture(scope="module")
def densities():
    return {name: target.build(Files(), WINDOW) for name, target in EVERY.items()}


def test_that_every_registered_target_is_under_test():
    assert {target.kind for target in EVERY.values()} == set(TARGETS)


@pytest.mark.parametrize("name", SMOOTH)
def test_that_a_smooth_density_integrates_to_one(name, densities):
    lattice = Lattice((-9.0, 9.0, -9.0, 9.0), 256, 256)
    p = densities[name].log_density(lattice.points(torch.float64)).exp()

    assert float(p.sum() * lattice.cell) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("name", ["points", "image", "drawing", "text"])
def test_that_the_nodes_of_a_grid_density_hold_all_its_mass(name, densities):
    lattice = Lattice(WINDOW, 256, 256)
    p = densities[name].log_density(lattice.points(torch.float64)).exp()

    assert float(p.sum() * lattice.cell) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("name", ["checkerboard", "odd-checkerboard"])
def test_that_a_board_integrates_to_one(name, densities):
    lattice = Lattice(WINDOW, 240, 240)
    p = densities[name].log_density(lattice.points(torch.float64)).exp()

    assert float(p.sum() * lattice.cell) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("name", EVERY)
def test_that_samples_follow_the_density(name, densities, rng):
    n, bins, fine = 20_000, 24, 10
    x = densities[name].sample(n, rng).double()
    lattice = Lattice(WINDOW, bins * fine, bins * fine)
    p = densities[name].log_density(lattice.points(torch.float64)).exp() * lattice.cell
    expected = n * p.reshape(bins, fine, bins, fine).sum((1, 3)).flatten().numpy()
    edges = np.linspace(-6, 6, bins + 1)
    found, *_ = np.histogram2d(x[:, 1].numpy(), x[:, 0].numpy(), (edges, edges))
    found, many = found.flatten(), expected >= 5
    rest = n - found[many].sum(), max(n - expected[many].sum(), 1e-9)
    chi2 = ((found - expected)[many] ** 2 / expected[many]).sum()
    chi2 += (rest[0] - rest[1]) ** 2 / rest[1] if rest[1] >= 5 else 0.0

    assert stats.chi2.sf(chi2, many.sum()) > 1e-4
    assert found[expected == 0].sum() == 0


@pytest.mark.parametrize("name", EVERY)
def test_that_samples_lie_where_the_density_is_positive(name, densities, rng):
    x = densities[name].sample(5000, rng)

    assert x.shape == (5000, 2)
    assert x.dtype == torch.float32
    assert densities[name].log_density(x).isfinite().all()


@pytest.mark.parametrize("name", EVERY)
def test_that_both_precisions_and_any_shape_agree(name, densities, rng):
    x = densities[name].sample(60, rng)
    single, double = (densities[name].log_density(x.to(t)) for t in (torch.float32, torch.float64))

    assert single.dtype == torch.float32
    assert double.dtype == torch.float64
    torch.testing.assert_close(single.double(), double, rtol=1e-3, atol=2e-3)
    torch.testing.assert_close(densities[name].log_density(x.reshape(3, 20, 2)).flatten(), single)


@pytest.mark.parametrize("name", EVERY)
def test_that_equal_generators_give_equal_samples(name, densities):
    a, b = (densities[name].sample(50, torch.Generator().manual_seed(3)) for _ in range(2))

    assert a.equal(b)


@pytest.mark.parametrize("name", EVERY)
def test_that_a_target_survives_the_file_format_and_pickling(name):
    target = EVERY[name]

    assert decode(json.loads(json.dumps(encode(target))), Gaussian(), "target") == target
    assert pickle.loads(pickle.dumps(target)) == target


@pytest.mark.parametrize("dim", [1, 2, 5])
def test_that_a_mixture_has_the_density_that_torch_gives_it(dim, rng):
    means = 2 * torch.randn(4, dim, generator=rng, dtype=torch.float64)
    root = torch.randn(4, dim, dim, generator=rng, dtype=torch.float64)
    covariances = root @ root.mT + 0.3 * torch.eye(dim).double()
    weights = torch.tensor([0.1, 0.0, 2.0, 0.5], dtype=torch.float64)
    x = 30 * torch.randn(50, dim, generator=rng, dtype=torch.float64)
    law = torch.distributions.MultivariateNormal(means, covariances)

    expected = torch.logsumexp(law.log_prob(x[:, None]) + (weights / weights.sum()).log(), -1)
    density = MixtureDensity(weights, means, covariances)

    torch.testing.assert_close(density.log_density(x), expected, rtol=1e-10, atol=1e-10)
    assert torch.autograd.gradcheck(density.log_density, x[:3].requires_grad_())


def test_that_a_density_first_asked_in_inference_mode_still_has_a_gradient():
    for target in (TwoMoons(), Points(values=((0.0, 0.0),), bandwidth=1.0)):
        density = target.build(Files(), WINDOW)
        x = torch.tensor([[0.1, 0.2]], requires_grad=True)
        with torch.inference_mode():
            density.log_density(x)
        density.log_density(x).sum().backward()

        assert x.grad.abs().sum() > 0


def test_that_the_component_of_weight_zero_is_never_drawn(rng):
    x = TwoModes(weight=0.0).build(Files(), WINDOW).sample(2000, rng)

    assert (x[:, 0] > 0).all()


def test_that_two_modes_holds_its_weight_on_the_left(rng):
    x = TwoModes().build(Files(), WINDOW).sample(20_000, rng)

    assert float((x[:, 0] < 0).double().mean()) == pytest.approx(0.8, abs=4 * math.sqrt(0.16 / 20_000))


def test_that_the_normaliser_of_the_ring_is_the_closed_form():
    assert math.exp(Ring(radius=2.0, spread=0.3).log_z()) == pytest.approx(9.449766, abs=5e-7)
    assert math.exp(Ring(radius=0.0, spread=2.0).log_z()) == pytest.approx(8 * math.pi)


@pytest.mark.parametrize(("radius", "spread"), [(2.0, 0.3), (0.5, 1.0), (0.0, 1.0)])
def test_that_the_radii_of_the_ring_follow_their_law(radius, spread, rng):
    density = Ring(radius=radius, spread=spread).build(Files(), WINDOW)
    r = np.linspace(0, radius + 10 * spread, 20_001)
    points = torch.from_numpy(np.stack([r, 0 * r], -1))
    law = (2 * math.pi * r * density.log_density(points).exp().numpy()).cumsum() * r[1]

    sample = density.sample(20_000, rng).norm(dim=-1).numpy()

    assert stats.kstest(sample, lambda q: np.interp(q, r, law)).pvalue > 1e-3


def test_that_moons_and_spirals_cannot_be_told_from_a_smooth_band():
    t = torch.linspace(1.0, 2.0, 400, dtype=torch.float64)
    moon = TwoMoons(radius=2.5, spread=0.1).build(Files(), WINDOW)
    arc = 2.5 * torch.stack([t.cos() - 0.5, t.sin() - 0.25], -1)
    along = moon.log_density(arc)

    assert float(along.max() - along.min()) < 1e-9


def test_that_the_law_of_the_moons_turned_half_round_is_the_same(rng):
    for target in (TwoMoons(), Spirals()):
        density = target.build(Files(), WINDOW)
        x = 3 * torch.randn(100, 2, generator=rng, dtype=torch.float64)
        torch.testing.assert_close(density.log_density(x), density.log_density(-x))


def test_that_the_components_of_a_spiral_are_evenly_spaced():
    density = Spirals().build(Files(), WINDOW)
    means, _ = density._draws.on(torch.device("cpu"), torch.float64)
    step = means[: len(means) // 2].diff(dim=0).norm(dim=-1)

    # Chords of an arc, so a little shorter where it is tight.
    assert float(step[8:].max() / step[8:].min()) < 1.01


def test_that_the_board_is_uniform_on_every_other_square_and_nothing_elsewhere():
    density = Checkerboard().build(Files(), WINDOW)
    x = torch.tensor([[-3.0, -3.0], [-1.0, -3.0], [1.0, 1.0], [4.1, 4.1], [-4.5, -3.0]])

    found = density.log_density(x)

    torch.testing.assert_close(found, torch.tensor([-math.log(32), -math.inf, -math.log(32), -math.inf, -math.inf]))


def test_that_the_funnel_is_a_normal_law_within_a_normal_law(densities, rng):
    x = 2 * torch.randn(100, 2, generator=rng, dtype=torch.float64)
    normal = torch.distributions.Normal
    inner = normal(0.0, (x[:, 1] / 2).exp()).log_prob(x[:, 0])

    torch.testing.assert_close(densities["funnel"].log_density(x), inner + normal(0.0, 1.0).log_prob(x[:, 1]))


@pytest.mark.parametrize("name", ["banana", "pinwheel"])
def test_that_bending_back_a_sample_leaves_a_normal_number(name, rng):
    x = EVERY[name].build(Files(), WINDOW).sample(20_000, rng).double()
    if name == "banana":
        z = (x[:, 1] - 0.2 * (x[:, 0].square() - 1.2**2)) / 0.4
    else:
        turn = torch.polar(x.norm(dim=-1), torch.atan2(x[:, 1], x[:, 0]) - 0.6 / 2.5**2 * x.square().sum(-1)).angle()
        sector = 2 * math.pi / 5
        off = (turn + sector / 2).remainder(sector) - sector / 2
        near = off.abs() < 0.9 * sector / 2
        z = (x.norm(dim=-1) * off.sin() / 0.25)[near]

    assert stats.kstest(z.numpy(), "norm").pvalue > 1e-3 if name == "banana" else float(z.abs().median()) < 0.72


@pytest.mark.parametrize(("barrier", "distance", "spread"), [(0.5, 1.0, 1.0), (4.0, 2.5, 0.6), (20.0, 3.0, 0.2)])
def test_that_the_normaliser_of_the_double_well_is_the_closed_form(barrier, distance, spread):
    density = DoubleWell(barrier=barrier, distance=distance, spread=spread).build(Files(), WINDOW)
    bessel = special.ive(-0.25, barrier / 2) + special.ive(0.25, barrier / 2)
    truth = distance * spread * math.sqrt(2 * math.pi) * math.pi / 2 * bessel

    assert density.log_z == pytest.approx(math.log(truth), abs=1e-10)


def test_that_the_wells_and_the_saddle_of_muller_and_brown_are_where_they_found_them():
    target = MullerBrown(temperature=1.0 * 100, scale=1.0)
    places = torch.tensor([[-0.558, 1.442], [0.623, 0.028], [-0.822, 0.624]], dtype=torch.float64)
    centre = torch.tensor([-0.2, 0.7], dtype=torch.float64)
    x = (places - centre).requires_grad_()
    energy = target.energy(x)
    (slope,) = torch.autograd.grad(energy.sum(), x)

    torch.testing.assert_close(100 * energy, torch.tensor([-146.70, -108.17, -40.66]).double(), atol=0.01, rtol=0)
    assert slope.abs().max() < 0.02


def test_that_a_text_fills_the_window_and_a_bar_starts_a_line():
    seen = []

    class Spy(Files):
        def text(self, text):
            seen.append(text)
            return np.ones((10, 20))

    density = Text(text="ab|c", smoothing=0.0, size=0.5).build(Spy(), WINDOW)
    x = torch.tensor([[2.9, 1.4], [3.1, 0.0], [0.0, 1.6]])

    assert seen == ["ab\nc"]
    assert density.log_density(x).isfinite().tolist() == [True, False, False]
    for text in ("", " | "):
        with pytest.raises(BadInput, match="no text"):
            Text(text=text)
