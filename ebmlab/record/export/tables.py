"""Numbers for other programs: particles, landscape and histories, as NumPy arrays and as tables of text."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ebmlab.engine.types import Work, chunks
from ebmlab.engine.window import Lattice, uniform
from ebmlab.record.export.base import Source
from ebmlab.session.streams import Streams
from ebmlab.session.trace import Series

SIDE = 256
"""Points of the lattice along each side."""
PARTICLES, TRANSITIONS = 1000, 1000
"""How many particles are drawn where there are none, and how often each is moved."""


def write_arrays(source: Source, path: Path) -> Work[None]:
    """Writes an NPZ file.

    .. code-block:: text

        particles     (n, 2)        points that the recipe's sampler has moved
        x, y          (256), (256)  the lattice's columns and rows
        energy        (256, 256)    E, in rows from bottom to top
        target        (256, 256)    log p of the target
        window        (4)           left, right, bottom, top
        log_z         ()            exact; NaN where there is none
        training      (n, columns)  a history, one for each there is; training_columns (columns) names its columns
    """

    particles = yield from _particles(source)
    arrays = {"particles": particles, **(yield from _landscape(source))}
    log_z = source.figures.log_z
    arrays["window"] = np.array(source.session.recipe.window)
    arrays["log_z"] = np.array(math.nan if log_z is None else log_z)
    for name, series in _histories(source).items():
        plain = name.replace("/", "_")
        arrays |= {plain: series.rows, f"{plain}_columns": np.array(series.columns)}
    with path.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def write_particles(source: Source, path: Path) -> Work[None]:
    """Writes the particles: a row for each, with x and y."""

    particles = yield from _particles(source)
    _write(path, ("x", "y"), particles)


def write_landscape(source: Source, path: Path) -> Work[None]:
    """Writes the landscape: a row for each point of the lattice, with x, y, the energy and the target's log density."""

    arrays = yield from _landscape(source)
    x, y = np.meshgrid(arrays["x"], arrays["y"])
    columns = [values.ravel() for values in (x, y, arrays["energy"], arrays["target"])]
    _write(path, ("x", "y", "energy", "target"), np.stack(columns, -1))


def write_trace(source: Source, path: Path) -> Work[None]:
    """Writes the histories as one table: a row for each step of which something is known, blank where nothing is."""

    yield 0.1
    names, columns = ["step"], []
    histories = _histories(source)
    steps = np.unique(np.concatenate([series["step"] for series in histories.values()]))
    for name, series in histories.items():
        at = np.searchsorted(steps, series["step"])
        for column in (c for c in series.columns if c != "step"):
            values = np.full(len(steps), math.nan)
            values[at] = series[column]
            names.append(f"{name}.{column}")
            columns.append(values)
    yield 0.5
    _write(path, names, np.stack([steps, *columns], -1))


def _histories(source: Source) -> Mapping[str, Series]:
    """Returns the histories by name; the training's own is always among them."""

    return {"training": source.session.trace.view(), **source.series}


def _particles(source: Source) -> Work[np.ndarray]:
    """Returns the particles, with shape (n, 2); new ones start uniformly in the window."""

    if source.particles is not None:
        return source.particles
    recipe, net = source.session.recipe, source.net
    rng = Streams(recipe.seed, torch.device("cpu")).fresh("sample", torch.device("cpu"))
    chains = recipe.sampler.init(net, uniform(recipe.window, PARTICLES, rng, torch.empty(0)))
    for done in range(TRANSITIONS):
        chains, _ = recipe.sampler.step(net, chains, rng)
        if done % 10 == 0:
            yield 0.8 * done / TRANSITIONS
    return chains.x.numpy()


def _landscape(source: Source) -> Work[dict[str, np.ndarray]]:
    """Returns columns and rows of a lattice, and on it the energy and the target's log density."""

    lattice = Lattice(source.session.recipe.window, SIDE, SIDE)
    points = lattice.points()
    energies = []
    for piece in chunks(points):
        energies.append(source.net(piece))
        yield 0.8 + 0.1 * len(energies) * 4096 / len(points)
    device = source.session.device
    target = [source.session.density.log_density(piece.to(device)).cpu() for piece in chunks(points)]
    fields = {"energy": energies, "target": target}
    x, y = points.view(SIDE, SIDE, 2)[0, :, 0], points.view(SIDE, SIDE, 2)[:, 0, 1]
    grids = {name: torch.cat(pieces).view(SIDE, SIDE).numpy() for name, pieces in fields.items()}
    return {"x": x.numpy(), "y": y.numpy(), **grids}


def _write(path: Path, columns: Any, rows: np.ndarray) -> None:
    """Writes a table; a number that is not there is an empty cell."""

    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([["" if math.isnan(v) else f"{v:.9g}" for v in row] for row in rows.tolist()])
