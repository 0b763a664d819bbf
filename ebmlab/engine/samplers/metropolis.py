"""The test that makes a kernel exact: accept a proposal with the right probability, else stay."""

from __future__ import annotations

import torch
from torch import Tensor

from ebmlab.engine.samplers.base import Chains, Info
from ebmlab.engine.types import Rng, rand


def accept_or_stay(here: Chains, there: Chains, log_ratio: Tensor, rng: Rng) -> tuple[Chains, Info]:
    r"""Moves each chain with probability :math:`\min(1, e^r)`.

    A proposal whose energy or gradient is not finite is never accepted, so that no chain is lost to it.

    Arguments:
        here: Where the chains are.
        there: Where they might go.
        log_ratio: The logarithm r of the Metropolis-Hastings ratio, with shape :math:`(n)`.
        rng: What decides.
    """

    finite = there.energy.isfinite() & ~log_ratio.isnan()
    if there.grad is not None:
        finite &= there.grad.isfinite().all(-1)
    accept = torch.where(finite, log_ratio.clamp(max=0.0).exp(), 0.0)
    moves = rand(accept.shape, rng, accept) < accept
    return select(moves, there, here), Info(accept)


def select(mask: Tensor, there: Chains, here: Chains) -> Chains:
    """Returns the chains there where a mask, with shape (n), is true, and those here elsewhere."""

    wide = mask.unsqueeze(-1)
    return Chains(
        torch.where(wide, there.x, here.x),
        torch.where(mask, there.energy, here.energy),
        None if there.grad is None else torch.where(wide, there.grad, here.grad),
    )
