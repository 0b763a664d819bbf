"""Targets whose samples are normal numbers bent without change of area, so that density and samples are exact."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ebmlab.engine.targets.base import TARGETS, Density, Target
from ebmlab.engine.types import Reader, Rng, Window
from ebmlab.spec import knob


@TARGETS.register("banana")
@dataclass(frozen=True, kw_only=True)
class Banana(Target):
    r"""Normal distribution bent along a parabola.

    .. math:: x_1 = \sigma z_1, \qquad x_2 = s z_2 + b \left(x_1^2 - \sigma^2\right), \qquad z \sim \mathcal{N}(0, I)

    Bending moves no area, so the density is the normal one at the point bent back.

    References:
        | Adaptive proposal distribution for random walk Metropolis algorithm (Haario, Saksman & Tamminen, 1999)
        | https://doi.org/10.1007/s001800050022
    """

    length: float = knob(
        1.8, "Standard deviation σ along the banana.", low=0.01, high=100.0, soft=(0.5, 3.0), symbol="σ"
    )
    spread: float = knob(0.4, "Standard deviation s across it.", low=0.01, high=10.0, soft=(0.1, 2.0), symbol="s")
    bend: float = knob(0.4, "How much it bends, b.", low=-10.0, high=10.0, soft=(-1.0, 1.0), symbol="b")

    def build(self, read: Reader, window: Window) -> Density:
        return BananaDensity(self)


class BananaDensity(Density):
    """The density of :class:`Banana`."""

    def __init__(self, spec: Banana) -> None:
        self._spec = spec

    def log_density(self, x: Tensor) -> Tensor:
        first, second = x.unbind(-1)
        across = second - self._lift(first)
        s = self._spec
        return _log_normal(first, s.length) + _log_normal(across, s.spread)

    def sample(self, n: int, rng: Rng) -> Tensor:
        z, across = torch.randn(2, n, generator=rng, device=rng.device)
        first = self._spec.length * z
        return torch.stack([first, self._spec.spread * across + self._lift(first)], -1)

    def _lift(self, first: Tensor) -> Tensor:
        return self._spec.bend * (first.square() - self._spec.length**2)


@TARGETS.register("funnel")
@dataclass(frozen=True, kw_only=True)
class Funnel(Target):
    r"""Neal's funnel: a width that is itself drawn at random.

    .. math:: x_2 \sim \mathcal{N}(0, s^2), \qquad x_1 \mid x_2 \sim \mathcal{N}\!\left(0, e^{x_2}\right)

    No one step size suits both its neck and its mouth.

    References:
        | Slice sampling (Neal, 2003)
        | https://doi.org/10.1214/aos/1056562461
    """

    spread: float = knob(
        1.5, "Standard deviation s of the log width.", low=0.01, high=10.0, soft=(0.5, 3.0), symbol="s"
    )

    def build(self, read: Reader, window: Window) -> Density:
        return FunnelDensity(self.spread)


class FunnelDensity(Density):
    """The density of :class:`Funnel`."""

    def __init__(self, spread: float) -> None:
        self._spread = spread

    def log_density(self, x: Tensor) -> Tensor:
        first, second = x.unbind(-1)
        inner = first.square() * torch.exp(-second) / 2 + second / 2 + math.log(2 * math.pi) / 2
        return _log_normal(second, self._spread) - inner

    def sample(self, n: int, rng: Rng) -> Tensor:
        z, height = torch.randn(2, n, generator=rng, device=rng.device)
        second = self._spread * height
        return torch.stack([z * torch.exp(second / 2), second], -1)


@TARGETS.register("pinwheel")
@dataclass(frozen=True, kw_only=True)
class Pinwheel(Target):
    r"""Arms that whirl about the origin.

    .. math:: p(x) = \frac{1}{m} \sum_{k=1}^{m} \mathcal{N}\!\left(\mathcal{R}\!\left(-\tfrac{2 \pi k}{m}
        - \omega \tfrac{|x|^2}{R^2}\right) x; \, (R, 0), \, \operatorname{diag}(\sigma^2, s^2)\right)

    The rotation :math:`\mathcal{R}` by an angle that grows with the distance moves no area, so the density is that of
    the arms before they whirl. The shape is that of Johnson et al., whose own twist has no density in closed form.

    References:
        | Composing graphical models with neural networks for structured representations and fast inference (Johnson et al., 2016)
        | https://arxiv.org/abs/1603.06277
    """  # noqa: E501

    arms: int = knob(5, "Number m of arms.", low=1, high=20, soft=(2, 8), symbol="m")
    radius: float = knob(2.5, "Distance R of the middle of an arm.", low=0.1, high=50.0, soft=(0.5, 4.0), symbol="R")
    length: float = knob(0.8, "Standard deviation σ along an arm.", low=0.01, high=10.0, soft=(0.1, 2.0), symbol="σ")
    spread: float = knob(0.25, "Standard deviation s across it.", low=0.01, high=10.0, soft=(0.05, 1.0), symbol="s")
    twist: float = knob(
        0.6, "Angle ω by which the middle of an arm is turned.", low=-10.0, high=10.0, soft=(-2.0, 2.0), symbol="ω"
    )

    def build(self, read: Reader, window: Window) -> Density:
        return PinwheelDensity(self)


class PinwheelDensity(Density):
    """The density of :class:`Pinwheel`."""

    def __init__(self, spec: Pinwheel) -> None:
        self._spec = spec

    def log_density(self, x: Tensor) -> Tensor:
        s = self._spec
        arm = torch.arange(s.arms, device=x.device, dtype=x.dtype) * (2 * math.pi / s.arms)
        flat = _turned(x.unsqueeze(-2), -self._angle(x).unsqueeze(-1) - arm)
        each = _log_normal(flat[..., 0] - s.radius, s.length) + _log_normal(flat[..., 1], s.spread)
        return torch.logsumexp(each, -1) - math.log(s.arms)

    def sample(self, n: int, rng: Rng) -> Tensor:
        s = self._spec
        along, across = torch.randn(2, n, generator=rng, device=rng.device)
        k = torch.randint(s.arms, (n,), generator=rng, device=rng.device)
        flat = torch.stack([s.radius + s.length * along, s.spread * across], -1)
        return _turned(flat, self._angle(flat) + k * (2 * math.pi / s.arms))

    def _angle(self, x: Tensor) -> Tensor:
        return self._spec.twist / self._spec.radius**2 * x.square().sum(-1)


def _turned(x: Tensor, angle: Tensor) -> Tensor:
    """Returns points turned about the origin, with shape (*, 2)."""

    cos, sin = angle.cos(), angle.sin()
    return torch.stack([x[..., 0] * cos - x[..., 1] * sin, x[..., 0] * sin + x[..., 1] * cos], -1)


def _log_normal(x: Tensor, spread: float) -> Tensor:
    return -(x / spread).square() / 2 - math.log(spread) - math.log(2 * math.pi) / 2
