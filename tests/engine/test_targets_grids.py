from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats

from ebmlab.engine.targets import FormulaTarget, GridDensity, Image, Points
from ebmlab.engine.targets.grid import axes, blur, deposit
from ebmlab.engine.targets.points import scott
from ebmlab.engine.window import Lattice
from ebmlab.spec import BadInput

WINDOW = (-6.0, 6.0, -6.0, 6.0)
SMALL = Lattice((-1.0, 3.0, 0.0, 3.0), 3, 5)


class Files:
    """Stands in for the files that targets are made from."""

    def __init__(self, array):
        self.array = np.asarray(array, dtype=np.float64)

    def points(self, path):
        return self.array

    def image(self, path):
        return self.array


def tents(mass, lattice, x):
    """The sum over the nodes, term by term."""

    columns, rows = axes(lattice)
    width, height = columns[1] - columns[0], rows[1] - rows[0]
    total = 0.0
    for j, b in enumerate(rows):
        for i, a in enumerate(columns):
            tent = max(0, 1 - abs(x[0] - a) / width) * max(0, 1 - abs(x[1] - b) / height)
            total += mass[j, i] * tent / (width * height)
    return total / mass.sum()


def test_that_a_grid_density_is_the_sum_of_its_tents(rng):
    mass = torch.rand(3, 5, generator=rng, dtype=torch.float64).numpy()
    x = torch.rand(200, 2, generator=rng, dtype=torch.float64) * 6 - torch.tensor([2.0, 1.0])
    found = GridDensity(mass, SMALL).density(x)

    np.testing.assert_allclose(found, [tents(mass, SMALL, p) for p in x.numpy()], atol=1e-14)


def test_that_a_grid_density_is_impossible_and_flat_beyond_its_tents():
    x = torch.tensor([[-1.5, 1.0], [9.0, 1.0], [1.0, -7.0], [-math.inf, 0.0]], requires_grad=True)
    found = GridDensity(np.ones((3, 5)), SMALL).log_density(x)
    found.sum().backward()

    assert found.eq(-math.inf).all()
    assert x.grad.eq(0).all()


def test_that_a_grid_density_has_the_gradient_of_its_interpolation(rng):
    density = GridDensity(torch.rand(3, 5, generator=rng).numpy() + 0.1, SMALL)
    x = torch.tensor([[0.3, 1.2], [1.7, 2.1], [-0.3, 0.8]], dtype=torch.float64, requires_grad=True)

    assert torch.autograd.gradcheck(density.log_density, x)


def test_that_an_empty_node_is_never_drawn(rng):
    mass = np.zeros((3, 5))
    mass[1, 2] = mass[2, 4] = 1.0
    x = GridDensity(mass, SMALL).sample(4000, rng)
    near = ((x - torch.tensor([1.0, 1.5])).abs() <= torch.tensor([0.8, 1.0])).all(-1)
    far = ((x - torch.tensor([2.6, 2.5])).abs() <= torch.tensor([0.8, 1.0])).all(-1)

    assert (near | far).all()
    assert 0.45 < float(near.double().mean()) < 0.55


def test_that_depositing_keeps_mass_and_mean_inside_and_nothing_outside():
    points = np.array([[0.2, 1.1], [1.0, 1.5], [2.1, 2.0], [50.0, 1.0]])
    mass = deposit(points, SMALL)
    x, y = axes(SMALL)

    assert mass.sum() == pytest.approx(3)
    assert (mass.sum(0) @ x, mass.sum(1) @ y) == pytest.approx(tuple(points[:3].sum(0)))


def test_that_a_blur_is_a_convolution_that_keeps_the_mass():
    lattice = Lattice(WINDOW, 128, 128)
    mass = deposit(np.array([[1.0, -2.0]]), lattice)
    x, y = axes(lattice)
    blurred = blur(mass, lattice, 0.5)

    assert blurred.sum() == pytest.approx(1)
    assert blurred.sum(0) @ (x - 1) ** 2 == pytest.approx(0.25, rel=0.02)
    assert blurred.sum(1) @ (y + 2) ** 2 == pytest.approx(0.25, rel=0.02)
    np.testing.assert_array_equal(blur(mass, lattice, 1e-6), mass)


def test_that_points_have_the_kernel_density_summed_one_by_one():
    points = np.random.default_rng(1).normal(size=(300, 2))
    density = Points(path="p", bandwidth=0.4).build(Files(points), WINDOW)
    x = torch.from_numpy(points[:50])
    square = ((points[:50, None] - points) ** 2).sum(-1)
    expected = np.exp(-square / (2 * 0.4**2)).mean(1) / (2 * math.pi * 0.4**2)

    np.testing.assert_allclose(density.log_density(x).exp(), expected, rtol=0.01)


def test_that_the_automatic_bandwidth_is_scotts():
    points = np.random.default_rng(1).normal(size=(300, 2)) * 1.7
    reference = stats.gaussian_kde(points.T)

    assert scott(points) == pytest.approx(math.sqrt(np.trace(reference.covariance) / 2))


def test_that_pasted_points_join_those_of_the_file():
    both = Points(path="p", values=((2.0, 0.0),)).gather(Files([[1.0, 1.0]]))

    assert both.tolist() == [[1.0, 1.0], [2.0, 0.0]]


@pytest.mark.parametrize(
    ("target", "rows", "message"),
    [
        (Points(), [], "path: there are no points; give a file"),
        (Points(path="p"), np.zeros((0, 2)), "path: there are no points; give a file"),
        (Points(path="p"), [[1.0, 2.0]], "bandwidth: all points are the same"),
        (Points(values=((1.0, 2.0), (1.0, 2.0))), [], "bandwidth: all points are the same"),
        (Points(path="p"), [[90.0, 200.0], [110.0, 205.0]], r"set the window to \[89, 111, 199, 206\]"),
    ],
)
def test_that_points_that_make_no_density_are_refused(target, rows, message):
    with pytest.raises(BadInput, match=message):
        target.build(Files(rows), WINDOW)


def test_that_one_point_with_a_bandwidth_is_a_density():
    density = Points(values=((1.0, 2.0),), bandwidth=0.5).build(Files([]), WINDOW)
    peak = density.log_density(torch.tensor([1.0, 2.0], dtype=torch.float64)).exp()

    assert float(peak) == pytest.approx(1 / (2 * math.pi * 0.25), rel=0.02)


def picture():
    """A dark bar high up in a light field twice as wide as tall."""

    light = np.ones((20, 40))
    light[2:6, 10:30] = 0.0
    return light


def test_that_a_picture_stands_upright_with_square_pixels():
    x = Image(path="i", smoothing=0.0, size=1.0).build(Files(picture()), WINDOW)
    # 40 pixels span 12, so a pixel is 0.3 wide: the bar covers [-3, 3] by [1.2, 2.4].
    sample = x.sample(5000, torch.Generator().manual_seed(0))

    assert sample.amin(0).tolist() == pytest.approx([-3, 1.2], abs=0.06)
    assert sample.amax(0).tolist() == pytest.approx([3, 2.4], abs=0.06)
    inside = torch.tensor([0.0, 1.8], dtype=torch.float64)
    assert float(x.log_density(inside).exp()) == pytest.approx(1 / (6 * 1.2), rel=1e-3)


def test_that_the_ink_is_told_from_the_border():
    dark, light = (Image(path="i").build(Files(p), WINDOW) for p in (picture(), 1 - picture()))
    x = Lattice(WINDOW, 16, 16).points(torch.float64)

    torch.testing.assert_close(dark.log_density(x), light.log_density(x))


def test_that_threshold_and_gamma_weigh_the_ink():
    light = np.ones((10, 10))
    light[4:6, 2:4], light[4:6, 6:8] = 0.0, 0.5
    for gamma, threshold, share in ((1.0, 0.0, 0.5), (2.0, 0.0, 0.25), (1.0, 0.2, 0.375), (1.0, 0.6, 0.0)):
        mass = Image(gamma=gamma, threshold=threshold).weigh(light)
        assert mass[4, 6] / mass[4, 2] == pytest.approx(share)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((8, 8)), "path: the picture is all black; give one"),
        (np.ones((8, 8)), "path: the picture is all white; give one"),
        (np.full((8, 8), 0.6), "path: the picture is all of one shade; give one"),
        (np.zeros((1, 1)), "path: the picture is all black; give one"),
    ],
)
def test_that_a_blank_picture_is_refused(array, message):
    with pytest.raises(BadInput, match=message):
        Image(path="i.png").build(Files(array), WINDOW)


def test_that_an_image_without_a_path_is_refused():
    with pytest.raises(BadInput, match="path: there is no picture; give the path of one"):
        Image().build(Files([]), WINDOW)


def formula(expression, window=WINDOW, **parameters):
    return FormulaTarget(expression=expression, parameters=parameters).build(Files([]), window)


def test_that_a_formula_is_normalised_to_the_closed_forms():
    origin = torch.zeros(2, dtype=torch.float64)
    at_two = torch.tensor([2.0, 0.0], dtype=torch.float64)

    gauss = formula("a*(x**2 + y**2)/2 + 7", a=2.0)
    ring = formula("(r - 2)**2 / (2 * s**2)", s=0.3)

    assert float(gauss.log_density(origin)) == pytest.approx(-math.log(math.pi), abs=1e-9)
    assert float(-ring.log_density(at_two)) == pytest.approx(math.log(9.449766), abs=1e-7)


def test_that_the_normaliser_of_the_quartic_well_is_the_closed_form():
    well = formula("x**4 - 4*x**2 + y**4 - 4*y**2")

    assert float(-well.log_density(torch.zeros(2, dtype=torch.float64))) == pytest.approx(
        math.log(73.18582**2), abs=1e-6
    )


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("0", "0.19 of the mass lies at the border of the doubled window"),
        ("-x**2", "of the mass lies at the border"),
        ("abs(x)", "of the mass lies at the border"),
        ("x**2/2 + y**2/2 + log(x)", "the energy is nan at x = -12, y = -12; mend it there"),
        ("-1/(x - x)", "the energy is -inf at"),
        ("1/(x - x)", "the energy is infinite everywhere"),
        ("1e5*(x**2 + y**2)", "the density is too sharp for the lattice"),
        ("r + 1.9*log(r) + 3*log(r)", "the density is too sharp for the lattice"),
    ],
)
def test_that_an_energy_that_cannot_be_normalised_is_refused(expression, message):
    with pytest.raises(BadInput, match=message) as caught:
        formula(expression)

    assert caught.value.key == "expression"


def test_that_an_energy_may_be_infinite_outside_its_support(rng):
    disc = formula("1/max(0, 9 - r**2) + x")

    assert disc.log_density(torch.tensor([4.0, 0.0])) == -math.inf
    assert disc.sample(500, rng).norm(dim=-1).max() < 3.05


def test_that_a_bad_formula_is_refused_when_the_target_is_made():
    with pytest.raises(BadInput, match=r"expression: there is no name 'b' \(character 1\)"):
        FormulaTarget(expression="b*x", parameters={"a": 1.0})
    with pytest.raises(BadInput, match="parameters: 'x' has a meaning of its own"):
        FormulaTarget(expression="x", parameters={"x": 1.0})
