from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor

from ebmlab.engine.diagnostics import pareto_k, weights_ess
from ebmlab.engine.samplers.base import Sampler
from ebmlab.engine.types import Energy, Rng, Window
from ebmlab.spec import Component, Registry


class LogZ(NamedTuple):
    """An estimate of log Z, ever better as the method goes on."""

    value: float
    stderr: float  # standard error of the value; for a quadrature its estimated error; NaN where none is known
    progress: float  # in [0, 1]
    evaluations: int  # energies evaluated so far, a gradient counting as one
    bound: Literal["lower", "upper"] | None = None  # whether it bounds log Z in expectation
    warning: str = ""  # why the estimate cannot be trusted, empty if nothing is known against it


class Scene(NamedTuple):
    """Where log Z is asked for."""

    energy: Energy
    like: Tensor  # any tensor with the dtype and on the device that points should have
    window: Window
    dim: int = 2
    exact: Callable[[int, Rng], Tensor] | None = None  # draws exact samples, with shape (n, d), where that is possible
    data: Callable[[int, Rng], Tensor] | None = None  # draws points of the target, where there is one


class LogZMethod(Component, ABC):
    r"""Abstract estimator of :math:`\log Z = \log \int \exp(-E(x)) \, dx`."""

    from_exact: ClassVar[bool] = False
    """Whether it asks the scene for exact samples, which the plane affords."""

    size: ClassVar[str] = "particles"
    """The knob that the number of evaluations grows with."""

    @abstractmethod
    def run(self, scene: Scene, rng: Rng) -> Iterator[LogZ]:
        """Yields ever better estimates; each ``next`` takes some milliseconds, and the last has progress 1.

        Raises:
            BadInput: If the scene lacks what the method needs. The message says what.
        """


LOG_ZS: Registry[LogZMethod] = Registry("log-z")


def biased(sampler: Sampler) -> str:
    """Says what a sampler that is not exact does to an estimate, empty for one that is."""

    return "" if sampler.invariant else f"{sampler.kind} leaves its target not quite invariant, so log Z is biased"


def log_mean(log_w: Tensor) -> tuple[float, float]:
    r"""Returns :math:`\log \frac{1}{n} \sum_i w_i` and its standard error.

    .. math:: \operatorname{se} = \frac{1}{\sqrt{n}} \frac{\operatorname{std}(w)}{\operatorname{mean}(w)}

    This is the delta method, the standard deviation being that of a sample. The error is infinite where nothing can be
    said: a single weight, or none above 0.
    """

    log_w = log_w.detach().cpu().double()
    n = len(log_w)
    value = torch.logsumexp(log_w, 0) - math.log(n)
    if n < 2 or not math.isfinite(value):
        return value.item(), math.inf
    stderr = torch.exp(log_w - value).std() / math.sqrt(n)
    return value.item(), stderr.item()


def weights_warning(log_w: Tensor) -> str:
    """Returns why an average of weights is not to be trusted, empty if nothing is known against it."""

    if not bool((log_w > -math.inf).any()) or bool(log_w.isnan().any()):
        return "no weight is a number above 0"
    k, worth = pareto_k(log_w), weights_ess(log_w)
    if k > 0.7 or (worth < 10 and len(log_w) > 10):
        tail = f"; their tail has shape k = {k:.2f}, above 0.7" if k > 0.7 else ""
        return f"{len(log_w)} weights are worth {worth:.0f}{tail}, so the error is not to be trusted"
    return ""
