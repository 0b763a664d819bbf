"""The Langevin move and the ratio that tests it, each chain with a step size and a temperature of its own."""

from __future__ import annotations

from torch import Tensor

from ebmlab.engine.samplers.base import Chains

Each = float | Tensor
"""One number for all chains, or one for each, with shape (n, 1)."""


def langevin(chains: Chains, z: Tensor, step_size: Each, temperature: Each) -> Tensor:
    r"""Returns :math:`x' = x - \epsilon \nabla E(x) + \sqrt{2 \epsilon \tau} \, z`, with shape :math:`(n, d)`."""

    return chains.x - step_size * chains.grad + (2 * step_size * temperature) ** 0.5 * z


def log_ratio(here: Chains, there: Chains, z: Tensor, step_size: Each, temperature: Each) -> Tensor:
    r"""Returns the logarithm of the Metropolis-Hastings ratio of a Langevin move, with shape :math:`(n)`.

    .. math:: \frac{E(x) - E(x')}{\tau} + z \cdot b - \frac{|b|^2}{2},
        \qquad b = \sqrt{\frac{\epsilon}{2 \tau}} \, (\nabla E(x) + \nabla E(x'))

    Arguments:
        here: Where the chains are.
        there: Where the move takes them.
        z: The noise that it added.
        step_size: The step size :math:`\epsilon`.
        temperature: The temperature :math:`\tau` of the target.
    """

    b = (step_size / (2 * temperature)) ** 0.5 * (here.grad + there.grad)
    fall = (here.energy - there.energy).unsqueeze(-1) / temperature
    return fall.squeeze(-1) + ((z - b / 2) * b).sum(-1)
