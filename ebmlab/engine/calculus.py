r"""Derivatives of energies with respect to the point.

Any callable is an energy. One that knows a faster way than automatic differentiation says so by a method of the same
name as the function here: ``value_and_grad(x)``, ``jet(x, probe)``.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ebmlab.engine.types import Energy


class Jet(NamedTuple):
    r"""Value, gradient and one second-order form of an energy, all differentiable in its parameters."""

    value: Tensor  # (n,)
    grad: Tensor  # (n, d)
    second: Tensor  # (n,), tr Hess E or vᵀ Hess E v


def value_and_grad(energy: Energy, x: Tensor) -> tuple[Tensor, Tensor]:
    r"""Returns :math:`E(x)`, with shape :math:`(n)`, and :math:`\nabla_x E(x)`, with shape :math:`(n, d)`, detached."""

    if fast := getattr(energy, "value_and_grad", None):
        return fast(x)
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        value = energy(x)
        grad = _slope(value, x, graph=False)
    return value.detach(), grad


def gradient(energy: Energy, x: Tensor) -> Tensor:
    r"""Returns :math:`\nabla_x E_\theta(x)`, with shape :math:`(n, d)`, differentiable in :math:`\theta`."""

    if fast := getattr(energy, "gradient", None):
        return fast(x)
    x = x.detach().requires_grad_()
    with torch.enable_grad():
        grad = _slope(energy(x), x)
    return grad if torch.is_grad_enabled() else grad.detach()


def jet(energy: Energy, x: Tensor, probe: Tensor | None = None) -> Jet:
    r"""Returns value, gradient and :math:`\operatorname{tr} \nabla^2 E`, or :math:`v^\top \nabla^2 E \, v`.

    Arguments:
        energy: The energy E.
        x: Points, with shape :math:`(n, d)`.
        probe: Directions v, with shape :math:`(n, d)`; None asks for the trace.
    """

    if fast := getattr(energy, "jet", None):
        return fast(x, probe)
    x = x.detach().requires_grad_()
    with torch.enable_grad():
        value = energy(x)
        grad = _slope(value, x)
        if probe is None:
            columns = [_slope(grad[:, i], x)[:, i] for i in range(x.shape[-1])]
            second = torch.stack(columns).sum(0)
        else:
            second = (_slope((grad * probe).sum(-1), x) * probe).sum(-1)
    found = Jet(value, grad, second)
    return found if torch.is_grad_enabled() else Jet(*(part.detach() for part in found))


def _slope(value: Tensor, x: Tensor, graph: bool = True) -> Tensor:
    """Returns the gradient in x of values that each depend on one point; 0 where they depend on none.

    With a graph, even that 0 hangs on the values', so that a loss made of it can be followed backwards.
    """

    grad = None
    if value.requires_grad:
        (grad,) = torch.autograd.grad(value.sum(), x, create_graph=graph, allow_unused=True)
    if grad is None:
        grad = torch.zeros_like(x)
    if graph and value.requires_grad and not grad.requires_grad:
        nothing = value.masked_fill(torch.ones_like(value, dtype=torch.bool), 0.0)  # 0 times an infinite one is not
        grad = grad + nothing.unsqueeze(-1)
    return grad
