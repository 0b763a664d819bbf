"""Whether what a file holds is of a recipe: weights of its energy, a memory of its estimator, and so on."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterable, Mapping
from typing import Any, get_type_hints

import torch
from torch import Tensor, optim

from ebmlab.engine.energies import EnergyNet, EnergySpec
from ebmlab.engine.estimators import Batch, Estimator, Memory, Terms
from ebmlab.engine.optimizers import Optimizer
from ebmlab.session.state import Moments, State
from ebmlab.session.tree import FAULTS, copied, suits, tensors_of
from ebmlab.spec import BadInput

STAGES = 8
"""Stages of a step that a memory is tried in: until its chains have moved, if it has any."""


def demand_same(wanted: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> None:
    """Demands that weights are like those of a network, by names, shapes and types.

    Raises:
        BadInput: If they are not.
    """

    theirs, found = _looks(wanted), _looks(weights)
    if theirs != found:
        odd = next(name for name in [*theirs, *found] if theirs.get(name) != found.get(name))
        message = f"{odd[:80]} is {found.get(odd, 'missing')}, and in the recipe's energy {theirs.get(odd, 'missing')}"
        raise BadInput(f"{message}; {_MEND_WEIGHTS}", key="weights")


def demand_weights(net: EnergyNet, weights: Mapping[str, Tensor]) -> None:
    """Demands that weights are those of a network, by names, shapes and types, and finite.

    Raises:
        BadInput: If they are not.
    """

    demand_same(net.state_dict(), weights)
    for name, w in weights.items():
        if not bool(w.isfinite().all()):
            raise BadInput(f"{name[:80]} holds a number that is not finite; go back to an earlier run", key="weights")


def demand_size(energy: EnergySpec, weights: Mapping[str, Tensor]) -> None:
    """Demands that weights are of the size of an energy, before it is built: a file may ask for any size.

    Raises:
        BadInput: If they are not.
    """

    try:
        with torch.device("meta"):
            demand_same(energy.build(torch.Generator()).state_dict(), weights)
    except NotImplementedError:  # a part of torch that cannot do without numbers
        layers = getattr(energy, "transforms", 1) * (getattr(energy, "depth", 1) - 1)
        if layers * getattr(energy, "width", 1) ** 2 > sum(w.numel() for w in weights.values()):
            raise BadInput(f"they are too few for this {energy.kind} energy; {_MEND_WEIGHTS}", key="weights") from None


def learnt_of(estimator: Estimator, net: EnergyNet, batch: Batch, memory: Memory) -> list[Tensor]:
    """Returns what is trained of a memory; tries it in the first stages of a step to see whether it serves.

    Raises:
        BadInput: If the memory does not serve the estimator.
    """

    try:
        if _is_kind_of(estimator, memory) and estimator.fits(memory):
            learnt = list(estimator.learnt(memory))
            if all(w.requires_grad for w in learnt):
                _try(estimator, net, batch, memory)
                return learnt
    except (*FAULTS, AttributeError, IndexError, ArithmeticError, AssertionError):
        pass
    raise BadInput(f"the memory is none of the estimator {estimator.kind}; {_MEND}", key="state.memory")


def demand_whole(state: State, learnt: list[Tensor]) -> None:
    """Demands that a state has all its parts and no others.

    Raises:
        BadInput: If it does not.
    """

    idle = state.begun or (state.memory is None and state.learner is None)
    known = set(state.streams) <= {"data", "train"}
    if not (idle and known and (not state.begun or bool(learnt) == (state.learner is not None))):
        raise BadInput(f"its parts do not fit together; {_MEND}", key="state")


def revived(optimizer: Optimizer, weights: Iterable[Tensor], kept: Moments | None, key: str) -> optim.Optimizer | None:
    """Makes an optimiser of tensors that goes on from what another had kept of such ones; None if that is None.

    Raises:
        BadInput: If that is not of these tensors.
    """

    weights = list(weights)
    if kept is None:
        return None
    numbered = {str(i): w for i, w in enumerate(weights)}
    if not weights or not all(i in numbered and _kept_for(optimizer, numbered[i], each) for i, each in kept.items()):
        raise BadInput(f"this is not what {optimizer.kind} keeps of the weights; {_MEND}", key=f"state.{key}")
    made = optimizer.build(weights)
    made.load_state_dict({**made.state_dict(), "state": {int(i): copied(each) for i, each in kept.items()}})
    return made


def demand_points(dim: int, **points: Tensor) -> None:
    """Demands that tensors hold points, with shape (n, d).

    Raises:
        BadInput: If one does not.
    """

    for name, x in points.items():
        if x.ndim != 2 or x.shape[1] != dim or x.dtype != torch.float32:
            raise BadInput(f"these are no points of {dim} coordinates; {_MEND}", key=f"state.{name}")


def trial_of(net: EnergyNet, weights: Mapping[str, Tensor]) -> EnergyNet:
    """Returns a copy of a network with other weights."""

    other = copy.deepcopy(net)
    other.load_state_dict(dict(weights))
    return other


_MEND_WEIGHTS = "give the recipe that they were trained with"
_MEND = "give the state and the recipe of one session"


def _is_kind_of(estimator: Estimator, memory: Memory) -> bool:
    kind = get_type_hints(type(estimator).stages)["memory"]
    sound = memory is None if kind is Any else suits(memory, kind)
    return sound and all(x.is_floating_point() for x in tensors_of(memory))


def _try(estimator: Estimator, net: EnergyNet, batch: Batch, memory: Memory) -> None:
    stages = estimator.stages(net, batch, memory, torch.Generator(batch.x.device).manual_seed(0))
    with contextlib.suppress(BadInput):  # the estimator's own word, such as on an energy that is infinite everywhere
        estimator.warning(net, batch, memory)
        try:
            for _ in range(STAGES):
                next(stages)
        except StopIteration as end:
            _demand_numbers(end.value[0])


def _demand_numbers(terms: Terms) -> None:
    if any(x is not None and x.ndim for x in (terms.loss, terms.value, terms.log_z)):
        raise ValueError("the loss is no number")


def _kept_for(optimizer: Optimizer, w: Tensor, each: Mapping[str, Tensor]) -> bool:
    if not each:
        return True
    shapes = {name: torch.Size() if name == "step" else w.shape for name in optimizer.keeps}
    return {name: x.shape for name, x in each.items()} == shapes and all(x.dtype == w.dtype for x in each.values())


def _looks(weights: Mapping[str, Tensor]) -> dict[str, str]:
    return {name: f"{str(w.dtype).removeprefix('torch.')} of shape {tuple(w.shape)}" for name, w in weights.items()}
