r"""Derivatives of layered networks in closed form: the gradient and second-order forms in x, and all of these in θ.

With :math:`h_0 = x`, :math:`a_l = W_l h_{l-1} + b_l`, :math:`h_l = \sigma(a_l)` and :math:`f = w^\top h_L + b`,
tangents run upwards from :math:`t_{0k} = v_k` and adjoints downwards from :math:`\beta_L = w`:

.. math:: \dot a_{lk} = W_l t_{l-1,k}, \qquad t_{lk} = \sigma'(a_l) \, \dot a_{lk}, \qquad
    \delta_l = \sigma'(a_l) \, \beta_l, \qquad \beta_{l-1} = W_l^\top \delta_l

.. math:: \nabla_x f = \beta_0, \qquad
    \sum_k v_k^\top \nabla_x^2 f \, v_k = \sum_l \beta_l^\top \Big( \sigma''(a_l) \sum_k \dot a_{lk}^2 \Big)

Let a loss depend on the value by :math:`u`, on the gradient by :math:`g` and on the second-order form by :math:`q`, its
derivatives there. Bars name its derivatives in what stands below them. Those of :math:`\beta` run upwards,

.. math:: \bar \beta_0 = g, \qquad \bar \delta_l = W_l \bar \beta_{l-1}, \qquad
    \bar \beta_l = \sigma'(a_l) \, \bar \delta_l + q \, \sigma''(a_l) \sum_k \dot a_{lk}^2,

then those of h and t downwards, from :math:`\bar h_L = u w` and :math:`\bar t_L = 0`:

.. math:: \bar{\dot a}_{lk} = \sigma' \, \bar t_{lk} + 2 q \, \beta_l \sigma'' \dot a_{lk}, \qquad
    \bar a_l = \sigma' \, \bar h_l + \sigma'' \Big( \beta_l \bar \delta_l + \sum_k \bar t_{lk} \dot a_{lk} \Big)
        + q \, \beta_l \sigma''' \sum_k \dot a_{lk}^2

.. math:: \bar W_l = \bar a_l h_{l-1}^\top + \delta_l \bar \beta_{l-1}^\top + \sum_k \bar{\dot a}_{lk} t_{l-1,k}^\top,
    \qquad \bar b_l = \bar a_l

.. math:: \bar h_{l-1} = W_l^\top \bar a_l, \qquad \bar t_{l-1,k} = W_l^\top \bar{\dot a}_{lk}

What is linear, such as a way past a layer, treats :math:`h, t, \beta` and their bars alike, so other chains only route
these through their layers (:mod:`ebmlab.engine.energies.blocks`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from ebmlab.engine.calculus import Jet
from ebmlab.engine.energies.base import ConfinedNet
from ebmlab.engine.energies.blocks import Bars, Block


class Chain(NamedTuple):
    """A network as blocks from the bottom up and, on top, one linear unit."""

    blocks: Sequence[Block]
    weight: Tensor  # (1, m)
    bias: Tensor  # (1)


class LayeredNet(ConfinedNet, ABC):
    """Abstract network that is a chain; a subclass writes :meth:`field` for autograd and :meth:`chain` for the rest."""

    @abstractmethod
    def chain(self) -> Chain:
        """Returns the network as fresh blocks over its present weights."""

    def field_value_and_grad(self, x: Tensor) -> tuple[Tensor, Tensor]:
        blocks, weight, bias = self.chain()
        for block in blocks:
            x = block.rise(x, None, 1)
        value, beta = torch.mv(x, weight[0]).add_(bias), weight
        for block in reversed(blocks):
            beta = block.fall(beta)
        return value, beta

    def field_grad(self, x: Tensor) -> Tensor:
        return self._jet(x, None)[1]

    def field_jet(self, x: Tensor, probe: Tensor | None) -> Jet:
        basis = torch.eye(x.shape[-1], dtype=x.dtype, device=x.device).unsqueeze(1)
        return Jet(*self._jet(x, basis if probe is None else probe.detach().unsqueeze(0)))

    def _jet(self, x: Tensor, probes: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        blocks, weight, bias = self.chain()
        theta = chain.from_iterable(block.theta for block in blocks)
        return Jets.apply(blocks, x.detach(), probes, *theta, weight, bias)  # type: ignore[no-untyped-call]


class Jets(torch.autograd.Function):
    r"""Value, gradient and second-order form of a layered network; differentiable once, in the parameters."""

    @staticmethod
    def forward(
        ctx: Any, blocks: Sequence[Block], x: Tensor, probes: Tensor | None, *theta: Tensor
    ) -> Sequence[Tensor | None]:
        """Computes value (n), gradient (n, d) and second-order form (n).

        Arguments:
            ctx: Keeps the blocks for the reverse pass.
            blocks: The maps from the bottom up.
            x: Points, with shape (n, d).
            probes: Directions, with shape (k, n or 1, d). Without them there is only the gradient.
            theta: The parameters of each block from the bottom up, then weight and bias of the one unit on top.
        """

        *_, w, b = theta
        h = x
        for i, block in enumerate(blocks):
            t = blocks[i - 1].tangent() if i else probes
            h = block.rise(h, t, 2 if probes is None else 3)
        beta = w
        for block in reversed(blocks):
            beta = block.fall(beta)
        ctx.blocks, ctx.top, ctx.zero = blocks, h, torch.zeros_like(x)
        ctx.save_for_backward(*theta)
        ctx.set_materialize_grads(False)
        if probes is None:
            return None, beta, None
        second = sum((block.bending() for block in blocks), start=beta.new_zeros(()))
        return torch.mv(h, w[0]).add_(b), beta, second

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, u: Tensor | None, g: Tensor | None, q: Tensor | None) -> tuple[Tensor | None, ...]:
        *_, w, b = ctx.saved_tensors  # asking for them checks that no weight was changed in between
        blocks: Sequence[Block] = ctx.blocks
        u, q = (None if bar is None else bar.unsqueeze(-1) for bar in (u, q))
        beta_bar = ctx.zero if g is None else g
        for block in blocks:
            beta_bar = block.rise_back(beta_bar, q)
        top = [beta_bar.sum(0, keepdim=True), torch.zeros_like(b)]
        if u is not None:
            top = [top[0].addmm_(u.t(), ctx.top), u.sum(0)]
        bars: Bars = None if u is None else u * w, None
        for block in reversed(blocks):
            block.fall_back(*bars, q)
            if block is not blocks[0]:
                bars = block.below()
        return None, None, None, *chain.from_iterable(block.bars for block in blocks), *top
