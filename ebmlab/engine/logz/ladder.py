from __future__ import annotations

from abc import ABC
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from torch import Tensor

from ebmlab.engine.calculus import value_and_grad
from ebmlab.engine.logz.base import LogZMethod, biased
from ebmlab.engine.logz.start import Seen, Start, Tempered
from ebmlab.engine.samplers.base import Sampler
from ebmlab.engine.samplers.mala import MetropolisLangevin
from ebmlab.engine.types import Energy, Rng
from ebmlab.spec import BadInput, knob, part


class Counted:
    """An energy that counts the points it has been evaluated at, a gradient counting as one with its value."""

    def __init__(self, energy: Energy) -> None:
        self._energy = energy
        self.evaluations = 0

    def __call__(self, x: Tensor) -> Tensor:
        self.evaluations += len(x)
        return self._energy(x)

    def value_and_grad(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self.evaluations += len(x)
        return value_and_grad(self._energy, x)


class Rung(NamedTuple):
    """Particles at an inverse temperature."""

    beta: float
    seen: Seen  # the points, with the model's energy and gradient there
    gap: Tensor  # (n,), E - E₀ there, float64 on the CPU


@dataclass(frozen=True, kw_only=True)
class Ladder(LogZMethod, ABC):
    r"""Abstract method that moves particles along a ladder of energies between a broad normal law and the model.

    .. math:: E_\beta = (1 - \beta) E_0 + \beta E, \qquad \beta_k = (k / K)^\gamma
    """

    particles: int = knob(128, "Particles that climb the ladder.", low=2, high=100_000, soft=(32, 4096), scale="log")
    rungs: int = knob(64, "Rungs K of the ladder.", low=1, high=100_000, soft=(5, 1000), scale="log", symbol="K")
    steps: int = knob(1, "Transitions on each rung.", low=1, high=1000, soft=(1, 20))
    width: float = knob(
        0.0,
        "Standard deviation of the broad law; 0 for the window's longer side.",
        low=0.0,
        high=1e4,
        soft=(0.0, 20.0),
        symbol="σ",
    )
    power: float = knob(
        1.5, "Power γ of the schedule: above 1 most rungs stand near the broad law.", low=0.1, high=10.0, symbol="γ"
    )
    sampler: Sampler = part("sampler", MetropolisLangevin(step_size=0.3), "What moves the particles on each rung.")

    def validate(self) -> None:
        at_temperature_one(self.sampler)

    def caution(self) -> str:
        return biased(self.sampler)

    def bound(self, side: Literal["lower", "upper"]) -> Literal["lower", "upper"] | None:
        """Returns the side that the estimate errs to on average, where the kernel leaves each rung invariant."""

        return side if self.sampler.invariant else None

    def schedule(self) -> list[float]:
        """Returns the K + 1 inverse temperatures from 0 to 1."""

        return [(k / self.rungs) ** self.power for k in range(self.rungs + 1)]

    def climb(self, energy: Energy, start: Start, x: Tensor, betas: list[float], rng: Rng) -> Iterator[Rung]:
        """Yields the particles on each rung, having moved them there from the last; the first finds them at x."""

        here = look(energy, start, x, betas[0])
        yield here
        for beta in betas[1:]:
            x = move(self.sampler, Tempered(start, energy, beta), here.seen, self.steps, rng)
            here = look(energy, start, x, beta)
            yield here


def at_temperature_one(sampler: Sampler) -> None:
    """Checks that a sampler samples the model itself.

    Raises:
        BadInput: If it samples another temperature.
    """

    if sampler.temperature_sampled() != 1.0:
        message = f"the sampler has temperature {sampler.temperature_sampled():g}; log Z needs temperature 1"
        raise BadInput(message, key="sampler")


def look(energy: Energy, start: Start, x: Tensor, beta: float) -> Rung:
    """Evaluates the model's energy and gradient at particles."""

    value, grad = value_and_grad(energy, x)
    return Rung(beta, Seen(x, value, grad), (value - start(x)).cpu().double())


def move(sampler: Sampler, energy: Tempered, seen: Seen, steps: int, rng: Rng) -> Tensor:
    """Moves particles by the transitions of one rung, and returns them, with shape (n, d)."""

    *_, (x, _) = transitions(sampler, energy, seen, steps, rng)
    return x


def transitions(
    sampler: Sampler, energy: Tempered, seen: Seen, steps: int, rng: Rng
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yields particles after each of some transitions on a rung; the first needs no new evaluation to begin.

    With the points, with shape (n, d), goes the probability that their move was accepted, with shape (n).
    """

    y = seen.x / energy.scale
    energy = replace(energy, seen=seen._replace(x=y))
    chains = sampler.init(energy, y)
    for _ in range(steps):
        chains, info = sampler.step(energy, chains, rng)
        yield chains.x * energy.scale, info.accept
