"""The functions that bend the units of a network, each with its first three derivatives."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Bend(NamedTuple):
    r"""An activation :math:`\sigma`.

    Attributes:
        value: Maps a to :math:`\sigma(a)`, differentiable by autograd.
        overwrite: The same, into the memory of a where torch can do that, without a graph.
        series: Maps a and an order k of 1, 2 or 3 to :math:`\sigma(a), \sigma'(a), \dots, \sigma^{(k)}(a)`, without a
            graph; it may use up the memory of a.
    """

    value: Callable[[Tensor], Tensor]
    overwrite: Callable[[Tensor], Tensor]
    series: Callable[[Tensor, int], list[Tensor]]

    def __call__(self, a: Tensor) -> Tensor:
        """Returns the activation, in the memory of a where no graph wants that."""

        return self.value(a) if torch.is_grad_enabled() else self.overwrite(a)


def _silu(a: Tensor, order: int) -> list[Tensor]:
    r"""With :math:`s = \operatorname{sigmoid}(a)`.

    .. math:: \sigma = a s, \qquad \sigma' = s + s (a - \sigma), \qquad \sigma'' = s + \sigma' - 2 s \sigma', \qquad
        \sigma''' = s + \sigma'' - s \sigma' - 3 s \sigma''
    """

    s = torch.sigmoid(a)
    terms = [a * s]
    terms.append(torch.addcmul(s, s, a.sub_(terms[0])))
    if order > 1:
        terms.append(torch.add(s, terms[1]).addcmul_(s, terms[1], value=-2))
    if order > 2:
        terms.append(torch.add(s, terms[2]).addcmul_(s, terms[1], value=-1).addcmul_(s, terms[2], value=-3))
    return terms


def _softplus(a: Tensor, order: int) -> list[Tensor]:
    r"""With :math:`s = \operatorname{sigmoid}(a)`.

    .. math:: \sigma' = s, \qquad \sigma'' = s - s^2, \qquad \sigma''' = \sigma'' - 2 s \sigma''
    """

    s = torch.sigmoid(a)
    terms = [nn.functional.softplus(a), s]
    if order > 1:
        terms.append(torch.addcmul(s, s, s, value=-1))
    if order > 2:
        terms.append(torch.addcmul(terms[2], s, terms[2], value=-2))
    return terms


def _tanh(a: Tensor, order: int) -> list[Tensor]:
    r"""With :math:`\sigma = \tanh a`.

    .. math:: \sigma' = 1 - \sigma^2, \qquad \sigma'' = -2 \sigma \sigma', \qquad
        \sigma''' = -2 \sigma'^2 - 2 \sigma \sigma''
    """

    h = torch.tanh(a)
    terms = [h, 1 - h * h]
    if order > 1:
        terms.append(h * terms[1] * -2)
    if order > 2:
        terms.append(torch.addcmul(h * terms[2], terms[1], terms[1]) * -2)
    return terms


def _relu(a: Tensor, order: int) -> list[Tensor]:
    r"""Flat on either side of 0: :math:`\sigma' = [a > 0]`, and the higher derivatives vanish almost everywhere."""

    flat = torch.zeros_like(a)
    return [torch.relu(a), (a > 0).to(a.dtype), flat, flat][: order + 1]


BENDS = {
    "silu": Bend(nn.functional.silu, partial(nn.functional.silu, inplace=True), _silu),
    "softplus": Bend(nn.functional.softplus, nn.functional.softplus, _softplus),
    "tanh": Bend(torch.tanh, torch.tanh_, _tanh),
    "relu": Bend(torch.relu, torch.relu_, _relu),
}
