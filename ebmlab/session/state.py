from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, get_type_hints

from torch import Tensor, optim

from ebmlab.engine.estimators import Memory
from ebmlab.session import tree
from ebmlab.spec import BadInput

Moments = Mapping[str, Mapping[str, Tensor]]
"""What an optimiser keeps for each tensor that it trains, by the tensor's number and then by name."""


@dataclass(frozen=True, kw_only=True, eq=False)
class State:
    """All that changes while a session trains, as it is between two steps; what it needs to go on bit-identically.

    Arguments:
        step: How many steps have been taken.
        begun: Whether the estimator has made its memory.
        device: The kind of device it was on; random numbers go on only on the same.
        weights: The energy's parameters and buffers by name.
        optimizer: What the optimiser keeps; None before it is made.
        learner: What the optimiser of the memory's own parameters keeps; None where there are none.
        memory: What the estimator carries between steps.
        streams: Where each stream of random numbers has come to, by purpose.
        data: The last batch, with shape (n, d).
        negatives: The last negatives, with shape (m, d).
    """

    step: int
    begun: bool
    device: str
    weights: Mapping[str, Tensor]
    optimizer: Moments | None
    learner: Moments | None
    memory: Memory
    streams: Mapping[str, Tensor]
    data: Tensor
    negatives: Tensor

    @property
    def size(self) -> int:
        """About how many bytes it takes."""

        return sum(tree.nbytes(getattr(self, field.name)) for field in fields(self)) + 4096

    def dumps(self) -> bytes:
        """Returns the state as safetensors, with what is no tensor as JSON in its metadata."""

        return tree.dumps({field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def loads(cls, content: bytes) -> State:
        """Reads a state.

        Raises:
            BadInput: If it is broken.
        """

        try:
            parts = tree.loads(content)
            _demand_kinds(parts)
        except tree.FAULTS:
            raise BadInput("the state to go on from is broken; save the session again", key="state") from None
        return cls(**parts)


def moments(optimizer: optim.Optimizer | None) -> Moments | None:
    """Returns what an optimiser keeps, as it is: not copied."""

    if optimizer is None:
        return None
    kept = optimizer.state_dict()["state"].items()
    return {str(i): {name: x for name, x in each.items() if x is not None} for i, each in kept}


def _demand_kinds(parts: Any) -> None:
    hints = get_type_hints(State)
    if not isinstance(parts, dict) or set(parts) != set(hints):
        raise ValueError("parts are missing")
    if not all(tree.suits(part, hints[name]) for name, part in parts.items()) or parts["step"] < 0:
        raise TypeError("a part is of the wrong kind")
