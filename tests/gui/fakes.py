"""Snapshots of a quadratic energy, of which everything is known in closed form."""

import math

import numpy as np

from ebmlab.engine.targets import Gaussian
from ebmlab.session.recipe import Recipe
from ebmlab.session.snapshot import Lens, Snapshot

TARGET = Gaussian(mean=(1.0, -0.5), covariance=((0.5, 0.0), (0.0, 0.5)))
RECIPE = Recipe(target=TARGET, log_z=())
LOG_Z = math.log(2 * math.pi) + 3.0


def lattice(window, n):
    left, right, bottom, top = window
    x = left + (right - left) * (np.arange(n) + 0.5) / n
    y = bottom + (top - bottom) * (np.arange(n) + 0.5) / n
    return np.meshgrid(x, y)


def energy(x, y):
    """A standard normal density's, less 3."""

    return (x**2 + y**2) / 2 - 3.0


def log_target(x, y):
    return -((x - 1) ** 2 + (y + 0.5) ** 2) - math.log(math.pi)


def snapshot(lens=None, **fields):
    lens = lens or Lens()
    x, y = lattice(lens.window, lens.resolution)
    u, v = lattice(lens.window, lens.quiver)
    points = np.random.default_rng(0).normal(size=(500, 2))
    made = {
        "step": 1,
        "recipe": RECIPE,
        "lens": lens,
        "energy": energy(x, y),
        "target": log_target(x, y),
        "score": np.stack([-u, -v], -1),
        "target_score": np.stack([-2 * (u - 1), -2 * (v + 0.5)], -1),
        "log_z": LOG_Z,
        "data": points[:100],
        "negatives": points[100:200],
        "particles": points,
    }
    return Snapshot(**(made | fields))
