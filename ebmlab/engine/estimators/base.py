from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar, NamedTuple

from torch import Tensor

from ebmlab.engine.energies.base import EnergySpec
from ebmlab.engine.types import Energy, Rng, Stages, Window, finish
from ebmlab.spec import Component, Registry

Memory = Any
"""What an estimator carries between steps: None, a tensor, or a NamedTuple of tensors and parameters."""


class Batch(NamedTuple):
    """What a training step works on."""

    x: Tensor  # (n, d), points from the target
    window: Window  # the rectangle that quadrature and starting points cover


class Terms(NamedTuple):
    r"""What an estimator says of one step.

    The gradient of ``loss`` in the parameters is what the optimiser follows. ``value`` is what the estimator itself
    would call its objective, for the chart; None where it has none, such as contrastive divergence.
    """

    loss: Tensor  # (), differentiable
    negatives: Tensor | None = None  # (m, d), detached
    value: Tensor | None = None  # (), detached
    accept: Tensor | None = None  # (m,), acceptance of the negatives' last move
    log_z: Tensor | None = None  # (), detached, where training itself estimates it


class Estimator(Component, ABC):
    r"""Abstract way to fit :math:`\theta` to data."""

    objective: ClassVar[str] = ""
    """What ``Terms.value`` is called on the chart, empty if there is none."""

    def init(self, energy: Energy, batch: Batch, rng: Rng) -> Memory:
        """Returns the memory before the first step."""

        return None

    def misfit(self, energy: EnergySpec) -> str:
        """Says in a few words what this estimator cannot do with an energy; empty if nothing is known against it."""

        return ""

    def refusal(self, energy: EnergySpec) -> str:
        """Says why this estimator makes no sense with an energy, and what would; empty if it does."""

        return ""

    def warning(self, energy: Energy, batch: Batch, memory: Memory) -> str:
        """Says in a few words what a batch tells against this estimator, such as noise that misses the data."""

        return ""

    def fits(self, memory: Memory) -> bool:
        """Returns whether a memory made by another estimator of the same kind, before an edit, still serves."""

        return True

    def learnt(self, memory: Memory) -> Iterable[Tensor]:
        """Yields the parameters in the memory that are trained along with the energy's."""

        return ()

    @abstractmethod
    def stages(self, energy: Energy, batch: Batch, memory: Memory, rng: Rng) -> Stages[tuple[Terms, Memory]]:
        """Computes the loss of one step, pausing at each named stage.

        The memory passed in is never written to: the new one is returned, so that a failed step can be dropped.
        """

    def loss(self, energy: Energy, batch: Batch, memory: Memory, rng: Rng) -> tuple[Terms, Memory]:
        """Computes the loss of one step."""

        return finish(self.stages(energy, batch, memory, rng))


ESTIMATORS: Registry[Estimator] = Registry("estimator")
