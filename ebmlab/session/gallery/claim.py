"""A claim: two formulas in the figures of runs, and which of them is the greater."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from ebmlab.engine.expression import Expression, parse
from ebmlab.spec import BadInput

_FIGURE = re.compile(r"[a-z]\w*(?:\.[a-z]\w*)?")
_ORIGIN = torch.zeros(2, dtype=torch.float64)
_DOT = "__of__"
"""What stands for the dot between a run and its figure, since a formula knows no dots."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A claim beside what was found."""

    claim: str
    left: float
    right: float
    holds: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """A comparison such as ``relu.kl > 5 * kl``: a figure of the main run goes by its name alone.

    Arguments:
        text: The claim, as it is written.
        left: The formula before the sign.
        right: The formula after it.
        figures: The figures that it speaks of.
    """

    text: str
    left: Expression
    right: Expression
    figures: tuple[str, ...]

    def judge(self, found: Mapping[str, float]) -> Finding:
        """Compares; a figure that is missing or withheld is NaN, and a claim about it does not hold."""

        values = {_plain(name): found.get(name, math.nan) for name in self.figures}
        left, right = (side(_ORIGIN, values).item() for side in (self.left, self.right))
        return Finding(self.text, left, right, left < right if "<" in self.text else left > right)


def read_claim(text: object) -> Claim:
    """Reads a claim.

    Raises:
        BadInput: If it is not two formulas with < or > between them.
    """

    sides = re.split("[<>]", text) if isinstance(text, str) else []
    if not isinstance(text, str) or len(sides) != 2:
        raise BadInput(f"{str(text)[:60]!r} is no claim; write one such as kl < 0.05", key="claims")
    figures = tuple(dict.fromkeys(name for name in _FIGURE.findall(text) if not _is_word(name, text)))
    plain = [_FIGURE.sub(lambda m: _plain(m[0]), side) for side in sides]
    try:
        left, right = (parse(side, [_plain(name) for name in figures]) for side in plain)
    except BadInput as fault:
        raise BadInput(f"{text[:80]!r}: {fault.message}", key="claims") from None
    return Claim(text, left, right, figures)


def _plain(name: str) -> str:
    return name.replace(".", _DOT)


def _is_word(name: str, text: str) -> bool:
    """Returns whether a name is a function's or a constant's, not a figure's."""

    return name in ("pi", "abs", "log", "exp", "sqrt", "min", "max") or re.search(rf"\d{name}", text) is not None
