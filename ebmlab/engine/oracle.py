r"""The oracle: exact answers, because the plane has two dimensions.

With the target p and the model :math:`p_\theta = \exp(-E_\theta) / Z` on one lattice,

.. math::
    \mathrm{NLL} = \mathbb{E}_p[E_\theta] + \log Z, \qquad
    \mathrm{KL}(p \,\|\, p_\theta) = \mathrm{NLL} - H(p), \qquad
    F = \mathbb{E}_p \, |s_\theta - \nabla \log p|^2

Every figure has an estimated error; one that cannot be given is None, with the reason.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ebmlab.engine.calculus import jet, value_and_grad
from ebmlab.engine.quadrature import Integral, aliasing, integral, like_of, values_at
from ebmlab.engine.reference import Reference, prepare, reference
from ebmlab.engine.targets.base import Density
from ebmlab.engine.types import Energy, Window, Work, chunks, finish

__all__ = [
    "Evaluation",
    "Mode",
    "Reference",
    "evaluate",
    "evaluate_precisely",
    "evaluation",
    "prepare",
    "reference",
]

Reasons = tuple[tuple[str, str], ...]


class Mode(NamedTuple):
    """A mode of the target, and how much mass lies in its basin."""

    x: float
    y: float
    target_mass: float
    model_mass: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The exact figures of a model at a step: plain numbers, safe to hand to any thread.

    Arguments:
        step: The step whose weights they are about.
        log_z: The log of the normaliser.
        log_z_error: Its estimated error.
        nll: The negative log-likelihood of the target, in nats.
        entropy: The target's entropy.
        kl: KL(p || p_θ).
        reverse_kl: KL(p_θ || p).
        fisher: The Fisher divergence, without a factor 1/2.
        border_mass: Share of the model's mass beyond ten half-widths of the window.
        normalisable: Whether log Z is settled: mass neither lies at the border nor escapes.
        modes: The target's modes, from the heaviest.
        spurious_mass: The model's mass outside the smallest region that holds 99.9 % of the target's.
        curvature: The largest eigenvalue of the energy's Hessian over the target.
        parameters: The learnt parameters that have a name.
        bounds: The bounds on the mean log-likelihood that the model has, by their names.
        errors: The estimated error of each figure given.
        why: Why a figure is withheld, or rough.
    """

    step: int = 0
    log_z: float | None = None
    log_z_error: float | None = None
    nll: float | None = None
    entropy: float | None = None
    kl: float | None = None
    reverse_kl: float | None = None
    fisher: float | None = None
    border_mass: float | None = None
    normalisable: bool = False
    modes: tuple[Mode, ...] = ()
    spurious_mass: float | None = None
    curvature: float | None = None
    parameters: tuple[tuple[str, float], ...] = ()
    bounds: tuple[tuple[str, float], ...] = ()
    errors: tuple[tuple[str, float], ...] = ()
    why: Reasons = ()

    def to_json(self) -> dict[str, Any]:
        """Returns the figures as JSON values, a figure withheld as null."""

        data: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        data["modes"] = [mode._asdict() for mode in self.modes]
        return data | {name: dict(data[name]) for name in ("parameters", "bounds", "errors", "why")}


class Figure(NamedTuple):
    """A number with its estimated error, or the reason why there is none."""

    value: float | None
    error: float = 0.0
    why: str = ""


def evaluate(energy: Energy, target: Reference, step: int = 0) -> Evaluation:
    """Returns the exact figures of an energy."""

    return finish(evaluation(energy, target, step))


def evaluation(energy: Energy, target: Reference, step: int = 0) -> Work[Evaluation]:
    """Computes the exact figures of an energy, in pieces."""

    like = like_of(energy)
    plane = target.plane
    pieces: list[Tensor] = []
    for piece in values_at(energy, plane.points, like):
        pieces.append(piece)
        yield 0.7 * len(pieces) * 4096 / len(plane.points)
    values = torch.cat(pieces)
    whole = integral(plane, values, torch.finfo(like.dtype).eps)
    yield 0.75

    fisher = yield from _fisher(energy, target, like)
    curvature = _curvature(energy, target.probes.to(like))
    yield 0.9

    figures = {"fisher": fisher, "curvature": curvature, "entropy": _entropy(target)}
    figures |= _given_log_z(target, values, whole)
    yield 0.95

    return Evaluation(
        step=step,
        log_z_error=None if whole.why else whole.error,
        border_mass=whole.border_mass if math.isfinite(whole.border_mass) else None,
        normalisable=not whole.why,
        modes=_modes(target, values, whole),
        parameters=tuple(getattr(energy, "named_figures", dict)().items()),
        bounds=(),
        errors=tuple((name, f.error) for name, f in figures.items() if f.value is not None and f.error > 0),
        why=tuple((name, reason) for name, f in figures.items() if (reason := f.why or _rough(name, f))),
        **{name: f.value for name, f in figures.items()},
    )


def evaluate_precisely(energy: Energy, density: Density, window: Window, step: int = 0) -> Evaluation:
    """Returns the exact figures in float64, on a finer lattice where log Z or the KL is not yet known to 1e-8."""

    if isinstance(energy, nn.Module):
        energy = copy.deepcopy(energy).to("cpu", torch.float64)
    for n in (256, 512):
        found = evaluate(energy, _reference(density, window, n), step)
        if all(error < 1e-8 for name, error in found.errors if name in ("log_z", "kl")):
            break
    return found


@lru_cache(maxsize=2)  # both lattices of the density asked about last, which may be asked about again
def _reference(density: Density, window: Window, n: int) -> Reference:
    return reference(density, window, n)


def _given_log_z(target: Reference, values: Tensor, whole: Integral) -> dict[str, Figure]:
    """Returns what derives from log Z; all of it withheld where there is no log Z."""

    names = ("log_z", "nll", "kl", "reverse_kl", "spurious_mass")
    if whole.why:
        return dict.fromkeys(names, Figure(None, why=whole.why))
    p, p_theta = target.share, _model_share(target, values, whole)
    figures = {
        "log_z": Figure(whole.log_z, whole.error),
        "spurious_mass": _spurious(target, p_theta, whole),
    }
    if why := target.coarse() or ("" if values[p > 0].isfinite().all() else "the energy is infinite inside the target"):
        return figures | dict.fromkeys(names[1:4], Figure(None, why=why))
    log_p = torch.where(p > 0, target.log_p, 0.0)
    nll = _mean(target, p, torch.where(p > 0, values, 0.0), whole, sign=1)
    kl = _mean(target, p, torch.where(p > 0, values, 0.0) + log_p, whole, sign=1)
    reverse = Figure(None, why="the model has mass where the target has none, so it is infinite")
    if not bool((p_theta[target.log_p.isneginf()] > 0).any()):
        inside = p_theta > 0
        gap = torch.where(inside, -values - target.log_p, 0.0)
        reverse = _mean(target, p_theta, gap, whole, sign=-1)
    return figures | {"nll": nll, "kl": kl, "reverse_kl": reverse}


def _spurious(target: Reference, p_theta: Tensor, whole: Integral) -> Figure:
    outside = torch.where(target.typical, 0.0, p_theta)
    mass = outside.sum()
    return Figure(mass.item(), aliasing(target.plane, outside - mass * p_theta) + whole.error)


def _mean(target: Reference, share: Tensor, terms: Tensor, whole: Integral, sign: int) -> Figure:
    """Returns the mean of terms, plus or minus log Z; both errors add up."""

    mean = (share * terms).sum()
    error = aliasing(target.plane, share * (terms - mean)) + whole.error
    return Figure(mean.item() + sign * whole.log_z, error)


def _entropy(target: Reference) -> Figure:
    why = target.coarse()
    return Figure(None, why=why) if why else Figure(target.entropy, target.entropy_error)


def _fisher(energy: Energy, target: Reference, like: Tensor) -> Work[Figure]:
    if target.score is None:
        return Figure(None, why=target.why_no_score)
    pieces: list[Tensor] = []
    points = target.plane.points[target.core]
    for x, score in zip(chunks(points), chunks(target.score)):
        grad = value_and_grad(energy, x.to(like))[1].cpu().double()
        pieces.append((grad + score).square().sum(-1))
        yield 0.75 + 0.1 * len(pieces) * 4096 / max(len(points), 4096)
    terms = torch.zeros_like(target.share)
    terms[target.core] = target.share[target.core] * torch.cat(pieces)
    mean = terms.sum()
    if not math.isfinite(mean):
        return Figure(None, why="the score of the energy is not finite where the target has mass")
    return Figure(mean.item(), aliasing(target.plane, terms - mean * target.share))


def _curvature(energy: Energy, x: Tensor) -> Figure:
    probes = [x.new_tensor(v).expand_as(x) for v in ((1, 0), (0, 1), (1, 1))]
    along = [jet(energy, x, probe).second.detach().cpu().double() for probe in probes]
    half, half_gap = (along[0] + along[1]) / 2, (along[0] - along[1]) / 2
    cross = along[2] / 2 - half
    largest = (half + torch.hypot(half_gap, cross)).max().item()
    return Figure(largest) if math.isfinite(largest) else Figure(None, why="the energy has no finite curvature")


def _modes(target: Reference, values: Tensor, whole: Integral) -> tuple[Mode, ...]:
    k = len(target.basins.peaks)
    truth = target.mode_masses.tolist()
    model: list[float | None] = [None] * k
    if not whole.why:
        model = torch.bincount(target.labels, _model_share(target, values, whole), minlength=k).tolist()
    return tuple(Mode(x, y, p, q) for (x, y), p, q in zip(target.basins.peaks.tolist(), truth, model))


def _model_share(target: Reference, values: Tensor, whole: Integral) -> Tensor:
    return torch.exp(target.plane.log_weights - values - whole.log_z)


def _rough(name: str, figure: Figure) -> str:
    """Says that a figure's error is large: above 0.001, for a share 0.01, and a hundredth of it."""

    least = 1e-2 if name == "spurious_mass" else 1e-3
    if figure.value is None or figure.error <= least + 1e-2 * abs(figure.value):
        return ""
    return f"good to {figure.error:.1g} only: an edge or a detail is finer than the lattice"
