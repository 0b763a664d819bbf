r"""How far each method of log Z gets as the dimension grows, where the truth is known.

A lattice takes :math:`k^d` points, and ends. The weights of importance sampling are worth ever fewer draws. What climbs
in many small steps goes on.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import NamedTuple

import torch

from ebmlab.engine.dimension.problems import WINDOW, Posed, Problem
from ebmlab.engine.dimension.tensor import tensor_quadrature
from ebmlab.engine.logz import LOG_ZS, LogZ, LogZMethod, Scene
from ebmlab.engine.samplers import Sampler
from ebmlab.engine.types import Rng
from ebmlab.spec import BadInput, Knob, knobs

METHODS = tuple(LOG_ZS)
"""Every kind, in the order of the catalogue."""

SIDE = 32
"""Points of the tensor lattice along each axis."""

BUDGET = 100_000
"""Energies that a method may evaluate, unless said otherwise."""

LATTICE = 200
"""How many times the budget the tensor lattice may take: its points are cheap, and it is to be seen to fail."""

_BROAD = dict.fromkeys(("importance", "ais", "reverse-ais", "smc", "thermodynamic", "mbar", "nce"), 3.0)
_BROAD |= dict.fromkeys(("bridge", "jarzynski", "nested"), 3.0) | {"wang-landau": WINDOW[1]}
"""The width of the broad law that a method starts from or compares with; of a box, half a side."""

_OVER = 2.0
"""How many times the budget a method may take before it is stopped."""


class Row(NamedTuple):
    """What a method makes of a problem in a dimension; NaN where it says nothing."""

    method: str
    dim: int
    log_z: float
    stderr: float
    exact: float
    evaluations: int
    ess: float = math.nan  # the effective share of the points, for importance sampling
    why: str = ""  # why it gave no answer, or why that is not to be trusted

    @property
    def error(self) -> float:
        """The distance from the exact value."""

        return abs(self.log_z - self.exact)


class Step(NamedTuple):
    """How far the study is; a row where one was completed."""

    share: float  # in [0, 1]
    text: str
    row: Row | None = None


def study(
    problem: Problem, methods: Sequence[str], dims: Sequence[int], rng: Rng, budget: int = BUDGET
) -> Iterator[Step]:
    r"""Asks every method for :math:`\log Z` in every dimension, each with about the same number of evaluations.

    Two small runs tell what a method costs, and it is scaled to the budget by the knob that its cost grows with; the
    steps of its kernel are suited to the problem's finest feature. Quadrature stands here for a tensor product of 32
    points along each axis, :math:`32^d` in all, and ends where that is beyond reason.

    Arguments:
        problem: The energies, of known log Z.
        methods: Kinds of log-Z methods.
        dims: The dimensions.
        rng: What draws, on the CPU.
        budget: Energies that a method may evaluate, besides those of the two small runs.

    Raises:
        BadInput: If there is no such method, or no such dimension.
    """

    chosen = [LOG_ZS.find(kind) for kind in methods]
    if any(dim < 1 for dim in dims):
        raise BadInput(f"there is no dimension {min(dims)}; give whole numbers from 1", key="dims")
    cells = list(product(dims, chosen))
    for i, (dim, cls) in enumerate(cells):
        text = f"{cls.kind}, d = {dim}"
        yield Step(i / len(cells), text)
        work = attempt(problem, cls(), dim, rng, budget)
        while True:
            try:
                yield Step((i + min(next(work), 1.0)) / len(cells), text)
            except StopIteration as end:
                yield Step((i + 1) / len(cells), text, end.value)
                break


def attempt(problem: Problem, method: LogZMethod, dim: int, rng: Rng, budget: int) -> Generator[float, None, Row]:
    """Yields the progress of a method on a problem, and returns what it has found or why it has not."""

    row = Row(method.kind, dim, math.nan, math.nan, math.nan, 0)
    try:
        posed = problem.pose(dim)
        row = row._replace(exact=posed.log_z)
        for found in (yield from _prepared(method, posed, dim, rng, budget)):
            row = row._replace(evaluations=found.evaluations)
            if found.evaluations > max(_OVER, LATTICE if method.kind == "quadrature" else 0) * budget:
                raise BadInput(f"stopped at more than {_OVER:g} times the budget of {budget:,} evaluations")
            yield found.progress
    except BadInput as fault:
        return row._replace(why=fault.message)
    row = row._replace(log_z=found.value, stderr=found.stderr, why=found.warning)
    return row._replace(ess=share(found)) if method.kind == "importance" else row


def _prepared(
    method: LogZMethod, posed: Posed, dim: int, rng: Rng, budget: int
) -> Generator[float, None, Iterator[LogZ]]:
    """Returns a run of the method that the budget has room for."""

    if method.kind == "quadrature":
        return tensor_quadrature(posed.energy, dim, SIDE, (WINDOW[1] - WINDOW[0]) / 2, LATTICE * budget)
    scene = Scene(posed.energy, torch.empty(0, dtype=torch.float64), WINDOW, dim, posed.sample, posed.sample)
    method = yield from scaled(suited(method, posed, dim), scene, rng, budget)
    return method.run(scene, rng)


def suited(method: LogZMethod, posed: Posed, dim: int) -> LogZMethod:
    r"""Returns the method with its broad law the same as every other's, and its kernel suited to the finest feature s.

    .. math:: \epsilon = \frac{s^2}{2 d^{1/3}}

    By this law the acceptance of Langevin proposals stays about what it was as the dimension grows.
    """

    if method.kind in _BROAD:
        method = replace(method, **{"width": _BROAD[method.kind]})
    step = posed.finest**2 / 2 * dim ** (-1 / 3)
    for name, _, declared in knobs(method):
        value = getattr(method, name)
        if name == "step_size":
            method = replace(method, **{name: within(declared, step)})
        if isinstance(value, Sampler):
            inner = {n: k for n, _, k in knobs(value)}
            if "step_size" in inner:
                sampler = replace(value, **{"step_size": within(inner["step_size"], step)})
                method = replace(method, **{name: sampler})
    return method


def scaled(method: LogZMethod, scene: Scene, rng: Rng, budget: int) -> Generator[float, None, LogZMethod]:
    """Returns the method as large as the budget allows, by what two small runs of it cost.

    Raises:
        BadInput: If even those cost too much.
    """

    declared = next(k for name, _, k in knobs(method) if name == method.size)
    small = int(max(declared.low or 1, getattr(method, method.size) // 32))
    costs = []
    for size in (small, 2 * small):
        for last in replace(method, **{method.size: size}).run(scene, rng):
            if last.evaluations > budget / 2:
                raise BadInput(f"even {size} {method.size} take more than half the budget of {budget:,} evaluations")
            yield 0.0
        costs.append(last.evaluations)
    slope = (costs[1] - costs[0]) / small
    fit = small + (budget - costs[0]) / slope if slope > 0 else 2.0 * small
    return replace(method, **{method.size: int(within(declared, max(fit, 1.0)))})


def share(found: LogZ) -> float:
    r"""Returns what share of n weights is effective, by the error of the log of their mean.

    .. math:: \operatorname{se}^2 = \frac{n / n_{\text{eff}} - 1}{n - 1}
    """

    return 1 / (1 + (found.evaluations - 1) * found.stderr**2)


def within(declared: Knob, value: float) -> float:
    """Returns a value, or the bound of a knob that it exceeds."""

    low, high = (value if end is None else end for end in (declared.low, declared.high))
    return min(max(value, low), high)
