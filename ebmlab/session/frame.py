"""A frame of the timeline: what a run looked like at one step, and its safetensors."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from ebmlab.engine.oracle import Evaluation, Mode
from ebmlab.session.tree import nbytes
from ebmlab.spec import BadInput

_POINTS = ("particles", "data", "negatives")
_NUMBERS = (
    "log_z",
    "log_z_error",
    "nll",
    "entropy",
    "kl",
    "reverse_kl",
    "fisher",
    "border_mass",
    "spurious_mass",
    "curvature",
)


def _none() -> Tensor:
    return torch.empty(0, 2)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """What a run looked like at a step: enough to draw it again, not to train on from it.

    Arguments:
        step: The step.
        edits: How many of the run's recipes had taken effect; the last of them was in force.
        weights: The energy's parameters and buffers by name.
        particles: The particles on the screen, with shape (n, 2); none where nobody watched.
        data: The last batch, with shape (m, 2).
        negatives: The last negatives, with shape (m, 2).
        figures: The latest exact figures then, of the step that they name.
        log_z: Log Z of these very weights, where it was known.
    """

    step: int
    weights: Mapping[str, Tensor]
    edits: int = 1
    particles: Tensor = field(default_factory=_none)
    data: Tensor = field(default_factory=_none)
    negatives: Tensor = field(default_factory=_none)
    figures: Evaluation | None = None
    log_z: float | None = None

    @property
    def size(self) -> int:
        """About how many bytes it takes."""

        return nbytes(self.weights) + sum(nbytes(getattr(self, name)) for name in _POINTS) + 4096

    def dumps(self) -> bytes:
        """Returns the frame as safetensors, with what is no tensor as JSON in its metadata."""

        tensors = {f"weights.{name}": w.detach() for name, w in self.weights.items()}
        tensors |= {name: getattr(self, name).detach().float().clone() for name in _POINTS}  # two may be one
        tensors = {name: x.cpu().contiguous() for name, x in tensors.items()}
        figures = None if self.figures is None else _plain(self.figures.to_json())
        facts = {"step": self.step, "edits": self.edits, "log_z": _plain(self.log_z), "figures": figures}
        return save(tensors, {"frame": json.dumps(facts, allow_nan=False)})

    @classmethod
    def loads(cls, content: bytes) -> Frame:
        """Reads a frame.

        Raises:
            BadInput: If it is broken.
        """

        try:
            tensors, facts = load(content), _facts(content)
            weights = {name[8:]: w for name, w in tensors.items() if name.startswith("weights.")}
            points: dict[str, Any] = {name: tensors[name] for name in _POINTS}
            if any(x.ndim != 2 or x.shape[1] != 2 or x.dtype != torch.float32 for x in points.values()):
                raise ValueError("points")
            figures = None if facts["figures"] is None else figures_of(facts["figures"])
            step, edits, log_z = int(facts["step"]), int(facts["edits"]), _number(facts["log_z"])
            return cls(step=step, edits=edits, weights=weights, figures=figures, log_z=log_z, **points)
        except (SafetensorError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError):
            raise BadInput("a picture of the timeline is broken; save the session again") from None


def figures_of(data: Mapping[str, Any]) -> Evaluation:
    """Returns exact figures from what :meth:`Evaluation.to_json` made of them.

    Raises:
        ValueError, KeyError, TypeError: If they are not.
    """

    modes = tuple(Mode(*(_number(m[key]) for key in Mode._fields)) for m in data["modes"])  # type: ignore[arg-type]
    if any(value is None for mode in modes for value in mode[:3]):
        raise ValueError("a mode without a place")
    named: dict[str, Any] = {
        name: tuple((str(key), float(value)) for key, value in data[name].items())
        for name in ("parameters", "bounds", "errors")
    }
    numbers: dict[str, Any] = {name: _number(data[name]) for name in _NUMBERS}
    return Evaluation(
        step=int(data["step"]),
        normalisable=bool(data["normalisable"]),
        modes=modes,
        why=tuple((str(key), str(value)) for key, value in data["why"].items()),
        **named,
        **numbers,
    )


def _facts(content: bytes) -> dict[str, Any]:
    """Returns the JSON in the metadata; the format is eight bytes of length and then a JSON object."""

    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    facts: dict[str, Any] = json.loads(header["__metadata__"]["frame"])
    return facts


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("no number")
    return float(value)


def _plain(value: Any) -> Any:
    """Returns JSON values with null for every number that is not finite."""

    if isinstance(value, dict):
        return {
            key: _plain(v) for key, v in value.items() if _plain(v) is not None or key in (*_NUMBERS, *Mode._fields)
        }
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
