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
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

Series = Callable[[Tensor, int], list[Tensor]]
"""Maps a and an order to the activation and its derivatives up to that order."""


class Layer:
    """One layer's part in all derivatives, with n points, k tangents, and m units over r inputs.

    The products are written for speed: the transposed weight is laid out afresh once, since products of rows are
    faster, and what is used up is overwritten.
    """

    dot: Tensor  # (k, n or 1, m); this and the next only with tangents
    curve: Tensor  # (n or 1, m), Σ ȧ²
    beta: Tensor  # (n, m), or (1, m) at the top
    delta: Tensor  # (n, m)
    bent: Tensor  # (n, m), β σ''
    beta_bar: Tensor  # (n, r), of the layer below
    delta_bar: Tensor  # (n, m)
    pushed: Tensor  # (n, m), q Σ ȧ²

    def __init__(self, weight: Tensor, bias: Tensor, series: Series, h: Tensor, t: Tensor | None) -> None:
        self.weight, self.up = weight, weight.t().contiguous()
        self.h, self.t = h, t
        if t is not None:
            self.dot = times(t, self.up)
            self.curve = total(self.dot * self.dot)
        self.terms = series(torch.addmm(bias, h, self.up), 2 if t is None else 3)  # (n, m) each: σ, σ', ...

    def above(self) -> tuple[Tensor, Tensor | None]:
        """Returns h and t as the next layer sees them."""

        return self.terms[0], None if self.t is None else self.terms[1] * self.dot

    def fall(self, beta: Tensor) -> Tensor:
        """Takes β and returns that of the layer below."""

        self.beta, self.delta, self.bent = beta, beta * self.terms[1], beta * self.terms[2]
        return self.delta @ self.weight

    def rise_back(self, beta_bar: Tensor, q: Tensor | None) -> Tensor:
        """Takes the bar of β of the layer below and returns its own."""

        self.beta_bar, self.delta_bar = beta_bar, beta_bar @ self.up
        beta_bar = self.delta_bar * self.terms[1]
        if q is not None:
            self.pushed = q * self.curve
            beta_bar.addcmul_(self.terms[2], self.pushed)
        return beta_bar

    def fall_back(self, h_bar: Tensor | None, t_bar: Tensor | None, q: Tensor | None) -> tuple[Tensor, Tensor | None]:
        r"""Takes the bars of h and t and returns those of a and :math:`\dot a`."""

        _, first, second, *rest = self.terms
        a_bar = self.delta_bar.mul_(self.bent)
        dot_bar = None
        if h_bar is not None:
            a_bar.addcmul_(first, h_bar)
        if q is not None:
            dot_bar = self.dot * (self.bent * (q + q))
            a_bar.addcmul_(self.beta * rest[0], self.pushed)
        if t_bar is not None:
            a_bar.addcmul_(second, total(t_bar * self.dot))
            dot_bar = t_bar.mul_(first) if dot_bar is None else dot_bar.addcmul_(t_bar, first)
        return a_bar, dot_bar

    def weight_bar(self, a_bar: Tensor, dot_bar: Tensor | None) -> Tensor:
        bar = (a_bar.t() @ self.h).addmm_(self.delta.t(), self.beta_bar)
        if dot_bar is None or self.t is None:
            return bar
        if self.t.shape[1] == 1:
            dot_bar = dot_bar.sum(1, keepdim=True)  # the same tangent at all points
        return bar.addmm_(dot_bar.flatten(0, 1).t(), self.t.flatten(0, 1))


class Jets(torch.autograd.Function):
    r"""Value, gradient and second-order form of a layered network; differentiable once, in the parameters."""

    @staticmethod
    def forward(ctx: Any, series: Series, x: Tensor, probes: Tensor | None, *theta: Tensor) -> Sequence[Tensor | None]:
        """Computes value (n), gradient (n, d) and second-order form (n).

        Arguments:
            ctx: Keeps the layers for the reverse pass.
            series: The activation.
            x: Points, with shape (n, d).
            probes: Directions, with shape (k, n or 1, d). Without them there is only the gradient.
            theta: Weight and bias of each layer from the bottom up, the last of one unit.
        """

        *hidden, w, b = theta
        layers: list[Layer] = []
        h, t = x, probes
        for weight, bias in zip(hidden[::2], hidden[1::2], strict=True):
            if layers:
                h, t = layers[-1].above()
            layers.append(Layer(weight, bias, series, h, t))
        beta = w
        for layer in reversed(layers):
            beta = layer.fall(beta)
        ctx.layers = layers
        ctx.save_for_backward(*theta)
        ctx.set_materialize_grads(False)
        if probes is None:
            return None, beta, None
        second = sum(((layer.bent * layer.curve).sum(-1) for layer in layers), start=beta.new_zeros(()))
        return torch.mv(layers[-1].terms[0], w[0]).add_(b), beta, second

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, u: Tensor | None, g: Tensor | None, q: Tensor | None) -> tuple[Tensor | None, ...]:
        *_, w, b = ctx.saved_tensors  # asking for them checks that no weight was changed in between
        layers: list[Layer] = ctx.layers
        u, q = (None if bar is None else bar.unsqueeze(-1) for bar in (u, q))
        beta_bar = torch.zeros_like(layers[0].h) if g is None else g
        for layer in layers:
            beta_bar = layer.rise_back(beta_bar, q)
        bars = [torch.zeros_like(b), beta_bar.sum(0, keepdim=True)]
        if u is not None:
            bars = [u.sum(0), bars[1].addmm_(u.t(), layers[-1].terms[0])]
        h_bar, t_bar = None if u is None else u * w, None
        for layer in reversed(layers):
            a_bar, dot_bar = layer.fall_back(h_bar, t_bar, q)
            bars += [a_bar.sum(0), layer.weight_bar(a_bar, dot_bar)]
            if layer is not layers[0]:
                h_bar, t_bar = a_bar @ layer.weight, None if dot_bar is None else times(dot_bar, layer.weight)
        return None, None, None, *bars[::-1]


def total(of_each: Tensor) -> Tensor:
    """Sums over the tangents; there is nothing to do for one."""

    return of_each[0] if len(of_each) == 1 else of_each.sum(0)


def times(t: Tensor, matrix: Tensor) -> Tensor:
    """Multiplies k times n rows by a matrix in one product."""

    return (t.flatten(0, 1) @ matrix).view(*t.shape[:2], matrix.shape[1])
