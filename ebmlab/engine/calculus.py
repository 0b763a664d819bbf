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
        (grad,) = torch.autograd.grad(value.sum(), x)
    return value.detach(), grad


def gradient(energy: Energy, x: Tensor) -> Tensor:
    r"""Returns :math:`\nabla_x E_\theta(x)`, with shape :math:`(n, d)`, differentiable in :math:`\theta`."""

    if fast := getattr(energy, "gradient", None):
        return fast(x)
    x = x.detach().requires_grad_()
    (grad,) = torch.autograd.grad(energy(x).sum(), x, create_graph=True)
    return grad


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
    value = energy(x)
    (grad,) = torch.autograd.grad(value.sum(), x, create_graph=True)
    if probe is not None:
        return Jet(value, grad, (_along(grad, x, probe) * probe).sum(-1))
    basis = torch.eye(x.shape[-1], dtype=x.dtype, device=x.device)
    columns = [_along(grad, x, e.expand_as(x))[:, i] for i, e in enumerate(basis)]
    return Jet(value, grad, torch.stack(columns).sum(0))


def _along(grad: Tensor, x: Tensor, v: Tensor) -> Tensor:
    """Returns the Hessian times v. An energy linear in x has no graph beyond its gradient: the product is 0."""

    if not grad.requires_grad:
        return torch.zeros_like(x)
    (column,) = torch.autograd.grad((grad * v).sum(), x, create_graph=True, allow_unused=True)
    return torch.zeros_like(x) if column is None else column
