from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ebmlab.engine.energies import MLP
from ebmlab.engine.targets import Gaussian
from ebmlab.record import colours
from ebmlab.record.figure import GAP, HEAD, PANE, TITLE, draw_figure, save_figure
from ebmlab.session.recipe import Recipe
from ebmlab.session.session import Session

FIGURES = {"log_z": 2.5, "log_z_error": 1e-9, "nll": 2.9, "entropy": 2.8, "kl": 0.1, "why": {}, "modes": []}


@pytest.fixture
def session():
    return Session(Recipe(target=Gaussian(mean=(2.0, 1.0)), energy=MLP(width=4, depth=1)), "cpu")


def pane(picture, i):
    x, y = GAP + i % 2 * (PANE + GAP), TITLE + i // 2 * (HEAD + PANE + GAP) + HEAD
    return np.asarray(picture)[y : y + PANE, x : x + PANE].astype(int)


def brightest(pixels):
    row, column = np.unravel_index(pixels.sum(-1).argmax(), pixels.shape[:2])
    return -6 + 12 * (column + 0.5) / PANE, 6 - 12 * (row + 0.5) / PANE


def test_that_the_target_lies_where_it_is(session):
    assert brightest(pane(draw_figure(session, FIGURES), 0)) == pytest.approx((2.0, 1.0), abs=0.1)


@pytest.mark.parametrize("dark", [True, False])
def test_that_every_pane_recedes_into_its_background_and_shows_something(session, dark):
    picture = draw_figure(session, FIGURES, dark)
    for i, shades in enumerate((colours.density(dark), colours.energy(dark), colours.density(dark, True))):
        pixels = pane(picture, i)
        assert np.abs(pixels - shades[0]).sum(-1).max() > 50
        assert {tuple(p) for p in pixels[::20, ::20].reshape(-1, 3)} <= {tuple(c) for c in shades.astype(int)}


def test_that_no_density_is_painted_where_log_z_is_withheld(session):
    withheld = {**FIGURES, "log_z": None, "kl": None, "why": {"log_z": "mass escapes", "kl": "mass escapes"}}
    picture = draw_figure(session, withheld)
    for i in (2, 3):
        assert len(np.unique(pane(picture, i).reshape(-1, 3), axis=0)) == 1


def test_that_the_difference_of_a_model_from_itself_is_background(session, monkeypatch):
    monkeypatch.setattr(session, "energy", lambda x: -session.density.log_density(x))
    pixels = pane(draw_figure(session, {**FIGURES, "log_z": 0.0}), 3)
    ground = colours.difference(True)[127:129].astype(int)
    assert np.abs(pixels[:, :, None] - ground).sum(-1).min(-1).max() == 0


def test_that_the_file_is_a_picture_with_nothing_left_beside(session, tmp_path):
    save_figure(session, tmp_path / "p.png", FIGURES)
    with Image.open(tmp_path / "p.png") as picture:
        assert picture.size[0] == 2 * PANE + 3 * GAP
        picture.verify()
    assert [p.name for p in tmp_path.iterdir()] == ["p.png"]
