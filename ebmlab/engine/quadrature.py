r"""Quadrature over the line and the plane: exact answers where the dimension allows them.

Along each axis the trapezoid rule runs in a stretched coordinate t, even spacing :math:`h` in which is nearly even
spacing in the window and ever wider spacing far outside it:

.. math:: x(t) = m + s \, \bigl(t + \alpha \sinh(\beta t)\bigr), \qquad
    \int f(x) \, dx \approx h^d \sum_g f(x(t_g)) \prod_i x'(t_{g,i})

so that one lattice resolves the picture and the tails. For smooth f that fades before the outer border the error falls
faster than any power of h: by Poisson's summation formula it is the Fourier transform of f at the frequencies
:math:`k / h`, k a non-zero vector of integers. The lattice itself shows the transform at up to half of them;
:func:`aliasing` extends what it sees.

References:
    | The exponentially convergent trapezoidal rule (Trefethen & Weideman, 2014)
    | https://doi.org/10.1137/130932132
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ebmlab.engine import tent
from ebmlab.engine.types import Energy, Rng, Window, Work, chunks, finish

REACH = 20.0
"""How far the rule reaches, in half-widths of the window."""

EVEN = 1.5
"""The end of the stretched coordinate; up to 1, the window's border, it is nearly even."""

FOLD = 16
"""The number of points along an axis is a multiple of this."""

_BETA = 12.0
_ALPHA = (REACH - EVEN) / math.sinh(_BETA * EVEN)


class PlaneRule(NamedTuple):
    """Points and weights, in float64 on the CPU, the last axis running fastest."""

    window: Window
    n: int  # points along an axis
    axes: tuple[Tensor, ...]  # of each coordinate, with shape (n)
    points: Tensor  # (n^d, d)
    log_weights: Tensor  # (n^d,)
    shell: Tensor  # (n^d,), the distance from the centre, in octaves below the reach: 0 for the outermost


class Integral(NamedTuple):
    r"""The integral of :math:`\exp(-E)`, and whether it can be believed."""

    log_z: float
    error: float  # of log_z, estimated
    border_mass: float  # share of the mass beyond half the reach: what doubling the box adds
    why: str  # why the energy does not seem normalisable, empty if it does


@lru_cache(maxsize=8)
def rule(window: Window, n: int = 256, dim: int = 2) -> PlaneRule:
    """Returns the rule with n points along each axis, n a multiple of 16.

    In one dimension it is that of the window's horizontal side.
    """

    sides = ((window[0], window[1]), (window[2], window[3]))[:dim]
    t, h = stretched(n)
    axes = tuple((a + b) / 2 + (b - a) / 2 * (t + _ALPHA * torch.sinh(_BETA * t)) for a, b in sides)
    slope = (h * (1 + _ALPHA * _BETA * torch.cosh(_BETA * t))).log()
    logs = [slope + math.log((b - a) / 2) for a, b in sides]
    reach = (t + _ALPHA * torch.sinh(_BETA * t)).abs() / REACH
    if dim == 1:
        return PlaneRule(window, n, axes, axes[0].unsqueeze(-1), logs[0], _octave(reach))
    points = torch.cartesian_prod(axes[1], axes[0]).flip(-1)
    far = torch.maximum(reach[:, None], reach).flatten()
    return PlaneRule(window, n, axes, points, (logs[1][:, None] + logs[0]).flatten(), _octave(far))


def stretched(n: int) -> tuple[Tensor, float]:
    """Returns the points of the stretched coordinate, of which the middle one is 0, and their spacing."""

    h = 2 * EVEN / n
    return (torch.arange(n, dtype=torch.float64) - n // 2) * h, h


def integral(plane: PlaneRule, energy: Tensor, epsilon: float) -> Integral:
    r"""Returns :math:`\log Z` from the energies at the rule's points.

    Arguments:
        plane: The rule.
        energy: Energies, with shape :math:`(n^d)`.
        epsilon: The rounding of the arithmetic that the energies were computed in.
    """

    log_terms = plane.log_weights - energy.double()
    log_z = torch.logsumexp(log_terms, 0).item()
    if not math.isfinite(log_z):
        return Integral(log_z, math.inf, math.nan, "the energy is not finite")
    share = torch.exp(log_terms - log_z)
    border = share[plane.shell == 0].sum().item()
    rounding = epsilon * (1 + (share * energy.double().abs().nan_to_num(posinf=0.0)).sum().item())
    error = aliasing(plane, share) + border + rounding
    return Integral(log_z, error, border, _escape(plane, log_terms, border))


def aliasing(plane: PlaneRule, terms: Tensor) -> float:
    r"""Returns the estimated error of the sum of terms, in the unit of the terms.

    The terms' Fourier amplitudes near one quarter and one half of the frequency of the lattice are extended, by the
    power law through them, to that frequency, where they turn into error. Jumps and kinks have such laws, up to the
    fourth power; smooth terms fall faster, at first at least, and the estimate errs on the safe side.
    """

    d = len(plane.axes)
    folded = terms.view(*[plane.n // FOLD, FOLD] * d).sum(tuple(range(0, 2 * d, 2)))
    amplitude = torch.fft.fftn(folded).abs()
    frequency = (torch.fft.fftfreq(FOLD) * FOLD).abs()
    largest = frequency if d == 1 else torch.maximum(frequency[:, None], frequency)
    low = amplitude[(largest >= 4) & (largest <= 5)].max().item()
    high = amplitude[largest >= 7].max().item()
    if high == 0.0:
        return 0.0
    power = min(math.log(max(low, high) / high) / math.log(7 / 4), _POWER)
    return _ALIASES * high * (7 / FOLD) ** power


_ALIASES, _POWER = 4.0, 4.0
"""How many frequencies turn into error at once; how fast their amplitudes may be trusted to fall."""


def like_of(energy: Energy) -> Tensor:
    """Returns a tensor with the dtype and on the device of an energy: its parameters', or float64 on the CPU."""

    double = torch.empty(0, dtype=torch.float64)
    return next(energy.parameters(), double) if isinstance(energy, nn.Module) else double


def values_at(energy: Energy, points: Tensor, like: Tensor, size: int = 4096) -> Iterator[Tensor]:
    """Yields the energies at points, in float64 on the CPU, piece by piece."""

    for x in chunks(points, size):
        with torch.no_grad():
            value = energy(x.to(like))
        yield value.cpu().double()


def lattice_sampler(energy: Energy, window: Window, like: Tensor, n: int = 256) -> Callable[[int, Rng], Tensor]:
    """Returns what draws points of the model, with shape (n, 2), all but exactly: see :func:`scatter`."""

    return finish(prepare_sampler(energy, window, like, n))


def prepare_sampler(energy: Energy, window: Window, like: Tensor, n: int = 256) -> Work[Callable[[int, Rng], Tensor]]:
    """Makes what :func:`lattice_sampler` returns, in pieces."""

    plane = rule(window, n)
    pieces: list[Tensor] = []
    for piece in values_at(energy, plane.points, like):
        pieces.append(piece)
        yield len(pieces) * 4096 / len(plane.points)
    sums = tent.cumulative(plane.log_weights - torch.cat(pieces))
    return lambda count, rng: scatter(plane, sums, count, rng).to(like)


def scatter(plane: PlaneRule, sums: Tensor, count: int, rng: Rng) -> Tensor:
    r"""Draws points, with shape (count, d), from masses at the rule's points.

    A point of the rule is chosen by its mass and moved by a tent-shaped jitter in the stretched coordinate, so that the
    law is the multilinear interpolant of the masses there. Its variance is too large by :math:`\Delta^2 / 6`,
    :math:`\Delta` the spacing.

    Arguments:
        plane: The rule.
        sums: The cumulative masses, with shape (n^d).
        count: How many points.
        rng: What draws.
    """

    t, h = stretched(plane.n)
    d = len(plane.axes)
    even = torch.cartesian_prod(*[t] * d).view(-1, d).flip(-1).to(rng.device, sums.dtype)
    s = tent.draw(even, sums.to(rng.device), even.new_full((d,), h), count, rng)
    left, right, bottom, top = plane.window
    middle, half = s.new_tensor([[left + right, bottom + top], [right - left, top - bottom]])[:, :d] / 2
    return middle + half * (s + _ALPHA * torch.sinh(_BETA * s))


def _octave(far: Tensor) -> Tensor:
    return torch.floor(-torch.log2(far.clamp(1e-3, 1.0))).long()


def _escape(plane: PlaneRule, log_terms: Tensor, border: float) -> str:
    """Says whether mass escapes to infinity: it must fall from each octave of distance to the next."""

    outer, inner = (torch.logsumexp(log_terms[plane.shell == k], 0).item() for k in (0, 1))
    if outer > inner - math.log(2):
        return "the energy does not grow far out, so log Z grows with the box"
    if border > 1e-6:
        return f"{border:.2g} of the mass lies beyond half the box, so log Z is not settled"
    return ""
