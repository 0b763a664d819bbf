from __future__ import annotations

import numpy as np
import pytest

from ebmlab.paint.camera import HIGHEST, LOWEST, Camera
from ebmlab.paint.relief import AMBIENT, BASE, LIGHT, SHADES, Relief, Stand, shaded

WINDOW = (-3.0, 3.0, -3.0, 3.0)
X, Y = np.meshgrid(*2 * [np.linspace(-3, 3, 97)[:-1] + 3 / 96])
LOOK = Camera()
BOWL = ((X**2 + Y**2) / 9).clip(0, 1)


def relief(heights=BOWL, camera=LOOK, size=(300, 240)):
    return Relief(heights, WINDOW, Stand(WINDOW, camera, *size))


def painted(made, ground=7):
    stand = made.stand
    out = np.full((stand.height, stand.width), ground, np.uint32)
    table = np.arange(256 * SHADES, dtype=np.uint32) + 1000
    made.paint((0.0, 255.0), table, np.uint32(9), out)
    return out


def place(words):
    return (words.astype(int) - 1000) // SHADES


def reference(made, column):
    """Returns what a column of pixels shows, from the bottom: the first point of the line of sight not below it."""

    stand = made.stand
    found = []
    u = (column + 0.5 - stand.width / 2) / stand.scale
    away = np.linspace(-stand.diagonal / 2, stand.diagonal / 2, 20_001)
    at = stand.centre + np.stack([np.full_like(away, u), away], -1) @ stand.camera.turn
    inside = (np.abs(at) <= 3).all(-1)
    if not inside.any():
        return [None] * stand.height
    heights = made.heights(at)
    rows = np.where(inside, stand.rows(away, heights), -1e9)
    first = int(inside.argmax())
    base = stand.rows(away[first], np.array(-BASE))
    for pixel in np.arange(stand.height) + 0.5:
        hit = np.flatnonzero(rows >= pixel)
        if not len(hit) or pixel <= base:
            found.append(None)
        else:
            found.append("wall" if hit[0] <= first else heights[hit[0]])
    return found


@pytest.mark.parametrize("camera", [Camera(0, 40), Camera(33, 55), Camera(200, 25, 1.7), Camera(90, 90)])
def test_that_each_pixel_shows_what_lies_nearest_on_its_line_of_sight(camera):
    bumps = 0.5 + 0.25 * np.sin(2 * X) + 0.25 * np.cos(3 * Y)
    made = relief(bumps, camera)
    out = painted(made)
    off = 0
    for column in range(60, 240, 20):
        for row, wanted in enumerate(reference(made, column)):
            word = out[made.stand.height - 1 - row, column]
            if wanted is None or wanted == "wall":
                off += word != (7 if wanted is None else 9)
            else:
                off += word < 1000 or abs(place(word) - 255 * wanted) > 8
    assert off <= 0.02 * 9 * made.stand.height  # the silhouettes, by a pixel


def test_that_from_straight_above_the_surface_is_the_flat_picture():
    out = painted(relief(camera=Camera(0, 90)))
    inside = out >= 1000
    rows, columns = np.nonzero(inside)
    stand = relief(camera=Camera(0, 90)).stand
    x = (columns + 0.5 - stand.width / 2) / stand.scale
    y = (stand.height / 2 - rows - 0.5) / stand.scale
    assert np.abs(place(out[inside]) - 255 * ((x**2 + y**2) / 9).clip(0, 1)).max() < 5
    assert inside.sum() == pytest.approx((6 * stand.scale) ** 2, rel=0.02)


def test_that_a_hill_hides_what_lies_behind_it_and_a_valley_nothing():
    ridge = np.exp(-((Y / 0.4) ** 2))
    camera = Camera(0, 20)
    behind = np.array([[0.0, 1.0]])
    assert np.isnan(relief(ridge, camera).pixels(behind, np.zeros(1))).all()
    assert np.isfinite(relief(1 - ridge, camera).pixels(behind, np.ones(1))).all()
    assert np.isfinite(relief(ridge, Camera(180, 20)).pixels(behind, np.zeros(1))).all()


def test_that_points_beyond_the_window_are_not_seen():
    assert np.isnan(relief().pixels(np.array([[4.0, 0.0], [np.inf, 0.0]]), np.zeros(2))).all()


@pytest.mark.parametrize("camera", [Camera(0, 40), Camera(120, 60, 2.0)])
def test_that_the_pixel_of_a_point_leads_back_to_it(camera):
    made = relief(camera=camera)
    points = np.random.default_rng(0).uniform(-2, 2, (200, 2))
    pixels = made.pixels(points, made.heights(points))
    found = [(p, made.plane(x, y)) for p, (x, y) in zip(points, pixels) if x == x and 0 <= x < 300 and 0 <= y < 240]
    assert len(found) > 40
    errors = [np.hypot(*(np.array(back) - p)) for p, back in found if back is not None]
    assert len(errors) > 0.9 * len(found)
    assert np.median(errors) < 3 / made.stand.scale


def test_that_a_pixel_of_the_ground_or_of_a_wall_is_no_point():
    made = relief(camera=Camera(0, 40))
    assert made.plane(2.0, 2.0) is None
    assert made.plane(150.0, 239.0) is None


def test_that_a_plate_has_the_very_colours_of_the_map():
    plate = painted(relief(np.ones((96, 96)), Camera(0, 50)))
    shade = (plate[plate >= 1000].astype(int) - 1000) % SHADES
    assert np.ptp(shade) == 0
    colour = shaded(np.full((256, 3), 100, np.uint8))[shade[0]]
    assert np.abs(colour.astype(int) - 100).max() <= 2
    assert (AMBIENT + (1 - AMBIENT) * LIGHT[2]) * (SHADES - 1) == pytest.approx(shade[0], abs=1)


def test_that_the_side_of_a_valley_that_faces_the_light_is_lighter():
    out = painted(relief(1 - np.exp(-(X**2)), Camera(0, 70)))
    row = out[out.shape[0] // 2]
    shade = (row[row >= 1000].astype(int) - 1000) % SHADES
    half = len(shade) // 2
    assert LIGHT[0] < 0
    assert shade[half + 5 : half + 40].mean() > shade[half - 40 : half - 5].mean() + 2


def test_that_the_camera_stays_above_the_plane_and_near_it():
    camera = Camera()
    assert camera.turned(0, 1000).elevation == HIGHEST
    assert camera.turned(0, -1000).elevation == LOWEST
    assert camera.turned(400, 0).azimuth == pytest.approx(camera.azimuth + 40)
    assert camera.zoomed(1e9).zoom == camera.zoomed(1e8).zoom


def test_that_the_whole_block_finds_room():
    for camera in (Camera(45, LOWEST), Camera(45, HIGHEST), Camera(10, 50)):
        out = painted(relief(camera=camera))
        assert (out[[0, -1]] == 7).all()
        assert (out[:, [0, -1]] == 7).all()
