r"""The maps that layered networks are chained from, each with its part in all derivatives.

The notation is that of :mod:`ebmlab.engine.energies.layered`. With n points, k tangents and m units over r inputs, h
has shape (n, r), the tangents t have (k, n, r), or (k, 1, r) where they are the same at all points, and the adjoints β
have (n, m), or (1, m) at the top. A bar has the shape of what it is the derivative in, with n written out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

Series = Callable[[Tensor, int], list[Tensor]]
"""Maps a and an order to the activation and its derivatives up to that order."""

Bars = tuple[Tensor | None, Tensor | None]
"""The bars of h and of the tangents; either is None where the loss does not depend on it."""


class Block(ABC):
    r"""Abstract map of a chain; its methods are called in the order in which they stand here.

    Attributes:
        theta: Its parameters.
        bars: Their bars, once :meth:`fall_back` is done.
    """

    theta: tuple[Tensor, ...]
    bars: tuple[Tensor, ...]

    @abstractmethod
    def rise(self, h: Tensor, t: Tensor | None, order: int) -> Tensor:
        """Takes h and t from below and returns the next h; activations are differentiated up to the order."""

    @abstractmethod
    def tangent(self) -> Tensor | None:
        """Returns the next t."""

    @abstractmethod
    def fall(self, beta: Tensor) -> Tensor:
        """Takes β and returns that of the map below."""

    @abstractmethod
    def bending(self) -> Tensor:
        """Returns its part of the second-order form, with shape (n)."""

    @abstractmethod
    def rise_back(self, beta_bar: Tensor, q: Tensor | None) -> Tensor:
        """Takes the bar of β of the map below and returns its own."""

    @abstractmethod
    def fall_back(self, h_bar: Tensor | None, t_bar: Tensor | None, q: Tensor | None) -> None:
        """Takes the bars of the next h and t and finds those of its parameters; the bar of t is used up."""

    @abstractmethod
    def below(self) -> Bars:
        """Returns the bars of the h and t that it took."""


class Layer(Block):
    r"""Units over inputs.

    .. math:: h' = \sigma(W h + b)

    The products are written for speed: the transposed weight is laid out afresh once, since products of rows are
    faster, and what is used up is overwritten.
    """

    h: Tensor
    t: Tensor | None
    up: Tensor  # (r, m)
    terms: list[Tensor]  # (n, m) each: σ, σ', ...
    dot: Tensor  # (k, n or 1, m); this and the next only with tangents
    curve: Tensor  # (n or 1, m), Σ ȧ²
    beta: Tensor
    delta: Tensor  # (n, m)
    bent: Tensor  # (n, m), β σ''
    beta_bar: Tensor  # (n, r), of the map below
    delta_bar: Tensor  # (n, m)
    pushed: Tensor  # (n, m), q Σ ȧ²
    a_bar: Tensor  # (n, m)
    dot_bar: Tensor | None  # (k, n, m)

    def __init__(self, weight: Tensor, bias: Tensor, series: Series) -> None:
        self.weight, self.bias, self.series = weight, bias, series
        self.theta = weight, bias

    def rise(self, h: Tensor, t: Tensor | None, order: int) -> Tensor:
        self.t = t
        if order == 1:
            value, *self.terms = self.series(torch.addmm(self.bias, h, self.weight.t()), order)
            return value  # and keep nothing that memory could be spared of
        self.h, self.up = h, self.weight.t().contiguous()
        if t is not None:
            self.dot = times(t, self.up)
            self.curve = total(self.dot * self.dot)
        self.terms = self.series(torch.addmm(self.bias, h, self.up), order)
        return self.terms[0]

    def tangent(self) -> Tensor | None:
        return None if self.t is None else self.terms[1] * self.dot

    def fall(self, beta: Tensor) -> Tensor:
        if len(self.terms) == 1:
            return self.terms.pop().mul_(beta) @ self.weight
        self.beta, self.delta, self.bent = beta, beta * self.terms[1], beta * self.terms[2]
        return self.delta @ self.weight

    def bending(self) -> Tensor:
        return (self.bent * self.curve).sum(-1)

    def rise_back(self, beta_bar: Tensor, q: Tensor | None) -> Tensor:
        self.beta_bar, self.delta_bar = beta_bar, beta_bar @ self.up
        beta_bar = self.delta_bar * self.terms[1]
        if q is not None:
            self.pushed = q * self.curve
            beta_bar.addcmul_(self.terms[2], self.pushed)
        return beta_bar

    def fall_back(self, h_bar: Tensor | None, t_bar: Tensor | None, q: Tensor | None) -> None:
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
        self.a_bar, self.dot_bar = a_bar, dot_bar
        weight_bar = grown(a_bar.t() @ self.h, self.delta, self.beta_bar)
        self.bars = grown(weight_bar, dot_bar, self.t), a_bar.sum(0)

    def below(self) -> Bars:
        return self.a_bar @ self.weight, None if self.dot_bar is None else times(self.dot_bar, self.weight)


class Residual(Block):
    r"""A layer whose units add to what it was given.

    .. math:: h' = h + V s + c, \qquad s = \sigma(W h + b)
    """

    t: Tensor | None
    risen: Tensor | None  # (k, n, m), the tangents of s
    beta: Tensor
    beta_bar: Tensor  # (n, m), of s
    past: Bars  # what goes past the layer

    def __init__(self, layer: Layer, out: Tensor, shift: Tensor) -> None:
        self.layer, self.out, self.shift = layer, out, shift
        self.theta = *layer.theta, out, shift

    def rise(self, h: Tensor, t: Tensor | None, order: int) -> Tensor:
        self.t, self.risen = t, None
        return torch.addmm(self.shift, self.layer.rise(h, t, order), self.out.t()).add_(h)

    def tangent(self) -> Tensor | None:
        self.risen = self.layer.tangent()
        if self.risen is None or self.t is None:
            return None
        return times(self.risen, self.out.t()).add_(self.t)

    def fall(self, beta: Tensor) -> Tensor:
        self.beta = beta
        return self.layer.fall(beta @ self.out).add_(beta)

    def bending(self) -> Tensor:
        return self.layer.bending()

    def rise_back(self, beta_bar: Tensor, q: Tensor | None) -> Tensor:
        self.beta_bar = self.layer.rise_back(beta_bar, q)
        return torch.addmm(beta_bar, self.beta_bar, self.out.t())

    def fall_back(self, h_bar: Tensor | None, t_bar: Tensor | None, q: Tensor | None) -> None:
        self.past = h_bar, t_bar
        shift_bar = torch.zeros_like(self.shift) if h_bar is None else h_bar.sum(0)
        out_bar = grown(torch.zeros_like(self.out), self.beta, self.beta_bar)
        out_bar = grown(grown(out_bar, h_bar, self.layer.terms[0]), t_bar, self.risen)
        h_inner, t_inner = (None if bar is None else times(bar, self.out) for bar in self.past)
        self.layer.fall_back(h_inner, t_inner, q)
        self.bars = *self.layer.bars, out_bar, shift_bar

    def below(self) -> Bars:
        return joined(self.layer.below(), self.past)


class Carrier(Block):
    r"""A layer that hands on the last d of its inputs beside its units.

    .. math:: h = (z, x), \qquad h' = (\sigma(W h + b), x)
    """

    t: Tensor | None
    past: Bars  # what goes past the layer

    def __init__(self, layer: Layer, dim: int) -> None:
        self.layer, self.dim = layer, dim
        self.theta = layer.theta

    def rise(self, h: Tensor, t: Tensor | None, order: int) -> Tensor:
        self.t = t
        return torch.cat([self.layer.rise(h, t, order), self._last(h)], -1)

    def tangent(self) -> Tensor | None:
        risen = self.layer.tangent()
        if risen is None or self.t is None:
            return None
        return torch.cat([risen, self._last(self.t).expand(*risen.shape[:2], -1)], -1)

    def fall(self, beta: Tensor) -> Tensor:
        below = self.layer.fall(self._first(beta))
        self._last(below).add_(self._last(beta))
        return below

    def bending(self) -> Tensor:
        return self.layer.bending()

    def rise_back(self, beta_bar: Tensor, q: Tensor | None) -> Tensor:
        return torch.cat([self.layer.rise_back(beta_bar, q), self._last(beta_bar)], -1)

    def fall_back(self, h_bar: Tensor | None, t_bar: Tensor | None, q: Tensor | None) -> None:
        bars = h_bar, t_bar
        self.past = self._each(self._last, bars)
        self.layer.fall_back(*self._each(self._first, bars), q)
        self.bars = self.layer.bars

    def below(self) -> Bars:
        bars = self.layer.below()
        joined(self._each(self._last, bars), self.past)
        return bars

    def _first(self, h: Tensor) -> Tensor:
        return h[..., : -self.dim]

    def _last(self, h: Tensor) -> Tensor:
        return h[..., -self.dim :]

    def _each(self, part: Callable[[Tensor], Tensor], bars: Bars) -> Bars:
        h_bar, t_bar = bars
        return None if h_bar is None else part(h_bar), None if t_bar is None else part(t_bar)


def total(of_each: Tensor) -> Tensor:
    """Sums over the tangents; there is nothing to do for one."""

    return of_each[0] if len(of_each) == 1 else of_each.sum(0)


def times(rows: Tensor, matrix: Tensor) -> Tensor:
    """Multiplies rows, of every point or of every tangent and point, by a matrix in one product."""

    return (rows.flatten(0, -2) @ matrix).view(*rows.shape[:-1], matrix.shape[1])


def grown(weight_bar: Tensor, left: Tensor | None, right: Tensor | None) -> Tensor:
    """Adds to a weight's bar the products of rows on its left with rows on its right, summed over all of them.

    One row that stands for all points, on either side, is multiplied with the sum of the other side's.
    """

    if left is None or right is None:
        return weight_bar
    if left.shape[-2] != right.shape[-2]:
        left, right = (side if side.shape[-2] == 1 else side.sum(-2, keepdim=True) for side in (left, right))
    return weight_bar.addmm_(left.flatten(0, -2).t(), right.flatten(0, -2))


def joined(bars: Bars, others: Bars) -> Bars:
    """Adds bars to bars, in place, where there are both."""

    for bar, other in zip(bars, others, strict=True):
        if bar is not None and other is not None:
            bar.add_(other)
    return bars
