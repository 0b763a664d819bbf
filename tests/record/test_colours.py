import numpy as np
import pytest

from ebmlab.record import colours
from ebmlab.record.oklab import from_hex, to_lab, to_rgb

SEQUENTIAL = {
    "target": colours.density,
    "model": lambda dark: colours.density(dark, model=True),
    "energy": colours.energy,
    "samples": colours.samples,
}


def lightness(shades):
    return to_lab(shades / 255)[:, 0]


@pytest.mark.parametrize("name", SEQUENTIAL)
@pytest.mark.parametrize("dark", [True, False])
def test_that_lightness_is_linear_along_a_sequential_map(name, dark):
    light = lightness(SEQUENTIAL[name](dark))
    steps = np.diff(light)
    assert (steps >= 0).all() if dark else (steps <= 0).all()
    np.testing.assert_allclose(light, np.linspace(light[0], light[-1], 256), atol=0.003)


@pytest.mark.parametrize("name", SEQUENTIAL)
@pytest.mark.parametrize("dark", [True, False])
def test_that_nothing_has_the_colour_of_the_panel(name, dark):
    shades = SEQUENTIAL[name](dark)
    assert shades.shape == (256, 3)
    assert shades.dtype == np.uint8
    np.testing.assert_allclose(shades[0] / 255, from_hex(colours.BACKGROUND[dark]), atol=1e-6)


@pytest.mark.parametrize("dark", [True, False])
def test_that_the_background_is_the_panel_of_the_theme(dark):
    from ebmlab.paint.look import DARK, LIGHT

    assert (DARK if dark else LIGHT).panel == colours.BACKGROUND[dark]


@pytest.mark.parametrize("dark", [True, False])
def test_that_both_signs_of_a_difference_are_equally_light(dark):
    shades = colours.difference(dark)
    light = lightness(shades)
    np.testing.assert_allclose(light, light[::-1], atol=0.01)
    np.testing.assert_allclose(shades[127:129] / 255, np.tile(from_hex(colours.BACKGROUND[dark]), (2, 1)), atol=0.01)
    assert shades[0, 2] > shades[0, 0]
    assert shades[-1, 0] > shades[-1, 2]


def test_that_target_and_model_are_told_apart_by_hue_and_compared_by_lightness():
    target, model = colours.density(True), colours.density(True, model=True)
    assert target[160, 2] > target[160, 0]
    assert model[160, 0] > model[160, 2]
    np.testing.assert_allclose(lightness(target), lightness(model), atol=0.03)


def test_that_a_map_cannot_be_changed_by_whoever_borrows_it():
    with pytest.raises(ValueError, match="read-only"):
        colours.energy(True)[0] = 0


def test_that_oklab_has_the_published_white_and_red():
    # Ottosson gives OKLab of white as (1, 0, 0); sRGB red is (0.62796, 0.22486, 0.12585).
    np.testing.assert_allclose(to_lab(np.ones(3)), [1, 0, 0], atol=1e-6)
    np.testing.assert_allclose(to_lab(from_hex("#ff0000")), [0.62796, 0.22486, 0.12585], atol=1e-4)


def test_that_oklab_and_back_is_the_same_colour():
    rgb = np.random.default_rng(0).uniform(0, 1, (100, 3))
    np.testing.assert_allclose(to_rgb(to_lab(rgb)), rgb, atol=1e-6)
