r"""The modes of a density and their basins, found on a lattice.

Every lattice point climbs to its highest neighbour until it stands on a peak; a peak's basin is what climbs to it. Two
basins meet at a saddle. Peaks that rise by less than a factor 2 above the saddle to a higher one are ripples and join
it: persistence, which does not ask how wide a peak is.

References:
    | Persistence-based clustering in Riemannian manifolds (Chazal, Guibas, Oudot & Skraba, 2013)
    | https://doi.org/10.1145/2535927
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ebmlab.engine.window import Lattice

PROMINENCE = math.log(2)
"""How far a peak of log p must rise above its saddle."""

LEAST = 0.01
"""The least share of the mass that makes a mode."""

Pair = tuple[tuple[slice, slice], tuple[slice, slice]]

_SIDES: tuple[Pair, Pair] = (
    ((slice(None), slice(None, -1)), (slice(None), slice(1, None))),
    ((slice(None, -1), slice(None)), (slice(1, None), slice(None))),
)
"""What lays every point beside each neighbour with which it shares a side. Squares that touch at a corner are apart."""


class Basins(NamedTuple):
    """The modes, from the heaviest, and which of them each lattice point belongs to."""

    lattice: Lattice
    peaks: np.ndarray  # (k, 2), x and y
    masses: np.ndarray  # (k,), shares of the mass in the window
    labels: np.ndarray  # (rows, columns), of 0 .. k - 1

    def of(self, x: Tensor) -> Tensor:
        """Returns the basin of each point, with shape (n, 2); outside the window that of the nearest edge."""

        left, right, bottom, top = self.lattice.window
        rows, columns = self.labels.shape
        corner, size = x.new_tensor([left, bottom]), x.new_tensor([right - left, top - bottom])
        cell = ((x - corner) / size * x.new_tensor([columns, rows])).floor().long()
        column, row = cell[:, 0].clamp(0, columns - 1), cell[:, 1].clamp(0, rows - 1)
        return torch.from_numpy(self.labels).to(x.device)[row, column]


def basins(log_p: np.ndarray, lattice: Lattice) -> Basins:
    """Finds the modes of a log density on a lattice, with shape (rows, columns); -inf where there is none."""

    rank = _rank(log_p)
    root, heads = _climb(rank)
    root = _merge(log_p, rank, root, heads)
    mass = np.exp(log_p - log_p.max())
    mass /= mass.sum()
    sums = np.bincount(root.ravel(), mass.ravel(), minlength=rank.size)
    kept = np.flatnonzero(sums >= min(LEAST, sums.max()))
    kept = kept[np.argsort(-sums[kept], kind="stable")]
    points = lattice.points(torch.float64).numpy()
    labels = _label(root, kept, np.isfinite(log_p))
    masses = np.bincount(labels.ravel(), mass.ravel(), minlength=len(kept))
    tops = [_middle(points[(labels == i).ravel() & (log_p.ravel() == log_p.flat[k])]) for i, k in enumerate(kept)]
    return Basins(lattice, np.stack(tops), masses, labels)


def _rank(log_p: np.ndarray) -> np.ndarray:
    """Returns the place of every point in the order of height, which has no ties."""

    rank = np.empty(log_p.size, dtype=np.int64)
    rank[np.argsort(log_p, axis=None, kind="stable")] = np.arange(log_p.size)
    return rank.reshape(log_p.shape)


def _climb(rank: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns, for every point, the peak that it climbs to, and all the peaks, as flat indices."""

    at = np.empty(rank.size, dtype=np.int64)
    at[rank.ravel()] = np.arange(rank.size)
    highest = rank.copy()
    for here, there in _SIDES:
        np.maximum(highest[here], rank[there], out=highest[here])
        np.maximum(highest[there], rank[here], out=highest[there])
    up = at[highest.ravel()]
    heads = np.flatnonzero(up == np.arange(up.size))
    while not np.array_equal(further := up[up], up):
        up = further
    return up.reshape(rank.shape), heads


def _merge(log_p: np.ndarray, rank: np.ndarray, root: np.ndarray, heads: np.ndarray) -> np.ndarray:
    """Joins basins across their saddles, from the highest, where the lower peak is a ripple."""

    height, order = log_p.ravel(), rank.ravel()
    parent = {int(head): int(head) for head in heads}

    def find(i: int) -> int:
        while parent[i] != i:
            parent[i] = i = parent[parent[i]]
        return i

    for saddle, a, b in _saddles(log_p, root):
        low, high = sorted((find(a), find(b)), key=order.__getitem__)
        if low != high and height[low] - saddle < PROMINENCE:
            parent[low] = high
    final = np.arange(root.size)
    final[heads] = [find(int(head)) for head in heads]
    return final[root]


def _saddles(log_p: np.ndarray, root: np.ndarray) -> list[tuple[float, int, int]]:
    """Returns every pass between two basins, the highest of each pair, from the highest; none through p = 0."""

    found: list[np.ndarray] = []
    for here, there in _SIDES:
        height = np.minimum(log_p[here], log_p[there])
        across = (root[here] != root[there]) & np.isfinite(height)
        pair = np.sort(np.stack([root[here][across], root[there][across]]), axis=0)
        found.append(np.vstack([height[across], pair]))
    height, a, b = np.concatenate(found, axis=1)
    order = np.argsort(-height, kind="stable")
    pair = (a * root.size + b)[order]
    first = np.sort(np.unique(pair, return_index=True)[1])
    chosen = order[first]
    return list(zip(height[chosen].tolist(), a[chosen].astype(int).tolist(), b[chosen].astype(int).tolist()))


def _label(root: np.ndarray, kept: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Numbers the basins kept; what belongs to none goes to the nearest, which grow cell by cell until they meet."""

    number = np.full(root.size, -1)
    number[kept] = np.arange(len(kept))
    labels: np.ndarray = np.where(inside, number[root], -1)
    while (labels < 0).any():
        before = labels.copy()
        for side in _SIDES:
            for here, there in (side, side[::-1]):
                grows = (labels[here] < 0) & (before[there] >= 0)
                labels[here][grows] = before[there][grows]
    return labels


def _middle(points: np.ndarray) -> np.ndarray:
    """Returns the point nearest to the centre of a plateau."""

    return points[((points - points.mean(0)) ** 2).sum(1).argmin()]
