"""Runs of one shape trained together: their weights are stacked, and one step of all is a ``torch.func.vmap`` of one.

Each run draws from streams of its own, as it would alone, and its numbers never meet another's, so it is the same run
but for rounding. Estimators know nothing of it: what they draw is drawn before the step, for each run, and handed to
them when they ask.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from ebmlab.engine.estimators import Batch, Memory
from ebmlab.engine.types import finish
from ebmlab.session.session import Session
from ebmlab.session.state import State
from ebmlab.session.streams import Streams
from ebmlab.session.sweep.draws import Draw, Playing, Recording
from ebmlab.session.sweep.trainer import Trainer
from ebmlab.session.tree import copied, tensors_of

REACH = 1000
"""How many windows away a negative has flown off."""

Said = dict[str, Tensor]
"""What an estimator says of a step, without what it does not say."""


class Lanes:
    """Sessions that are trained together. Their recipes differ in seed, target, data and optimiser only.

    Each has taken its first step alone, in which the estimator makes its memory.

    Arguments:
        sessions: The sessions; they stay as they are until :meth:`hand_back`.

    Attributes:
        sound: Which runs have met nothing that a session of their own would have called diverged, with shape (runs).
    """

    def __init__(self, sessions: Sequence[Session]) -> None:
        self._sessions = sessions
        self._states = [session.capture() for session in sessions]
        self._recipe, net = sessions[0].recipe, sessions[0].net
        self._methods = Methods(net)
        self._names = [name for name, _ in net.named_parameters()]
        self._weights = [torch.stack([state.weights[name] for state in self._states]) for name in self._names]
        self._carry()
        self._streams = [
            Streams(session.recipe.seed, session.device).resumed(state.streams)
            for session, state in zip(sessions, self._states)
        ]
        self._draws = self._recorded()
        self._step = vmap(self._loss)
        self._x = self._negatives = torch.empty(0)
        self._rows: list[list[list[float]]] = []
        self.sound = torch.ones(len(sessions), dtype=torch.bool)

    def step(self) -> None:
        """Takes one step of every run."""

        pairs = zip(self._sessions, self._streams)
        self._x = torch.stack([run.pool.draw(run.recipe.batch, streams["data"]) for run, streams in pairs])
        drawn = [torch.stack([draw(streams["train"]) for streams in self._streams]) for draw in self._draws]
        weights = [w.detach().requires_grad_() for w in self._weights]
        carried = [x.detach().requires_grad_(i in self._learnt) for i, x in enumerate(self._carried)]
        said, memory = self._step(weights, self._x, drawn, carried)

        trained = [*weights, *(carried[i] for i in self._learnt)]
        grads = torch.autograd.grad(said["loss"].sum(), trained, allow_unused=True)
        self._optimizer.step(grads[: len(weights)])
        self._learner.step(grads[len(weights) :])
        for i, x in enumerate(memory):
            if i not in self._learnt:  # those the learner has changed in place
                self._carried[i] = x.detach()
        self._note(said)

    def hand_back(self) -> None:
        """Gives every session that is sound what it has become."""

        for w in self._weights:
            self.sound &= w.isfinite().reshape(len(w), -1).all(1)
        for i, session in enumerate(self._sessions):
            if self.sound[i]:
                session.resume(self._state(i))
                for number, row in enumerate(self._rows, self._states[i].step + 1):
                    session.trace.append(number, *row[i])

    def _carry(self) -> None:
        """Stacks what the estimator carries, and makes the optimisers."""

        memories = [state.memory for state in self._states]
        first = list(tensors_of(memories[0]))
        learnt = list(self._recipe.estimator.learnt(memories[0]))
        self._learnt = [next(i for i, x in enumerate(first) if x is w) for w in learnt]
        self._carried = [torch.stack([x.detach() for x in each]) for each in zip(*map(tensors_of, memories))]
        kinds = [session.recipe.optimizer for session in self._sessions]
        self._optimizer = Trainer(kinds, self._weights, [s.optimizer for s in self._states], "optimizer")
        learnt = [self._carried[i] for i in self._learnt]
        self._learner = Trainer(kinds, learnt, [s.learner for s in self._states], "learner")

    def _recorded(self) -> list[Draw]:
        """Returns what a step draws, the same at every step; takes one of the first run, in vain."""

        batch = Batch(self._states[0].data, self._recipe.window)
        memory, rng = copied(self._states[0].memory), torch.Generator().manual_seed(0)
        with Recording() as recording:
            finish(self._recipe.estimator.stages(self._sessions[0].net, batch, memory, rng))
        return recording.draws

    def _loss(
        self, weights: Sequence[Tensor], x: Tensor, drawn: Sequence[Tensor], carried: Sequence[Tensor]
    ) -> tuple[Said, list[Tensor]]:
        """Computes the step of one run; returns what the estimator says, and the tensors that it carries on."""

        lane = Lane(self._methods, {f"net.{name}": w for name, w in zip(self._names, weights)})
        memory = refilled(self._states[0].memory, iter(carried))
        with Playing(drawn):
            stages = self._recipe.estimator.stages(lane, Batch(x, self._recipe.window), memory, torch.Generator())
            terms, memory = finish(stages)
        return {name: x for name, x in terms._asdict().items() if x is not None}, list(tensors_of(memory))

    def _note(self, said: Said) -> None:
        """Takes note of what the sessions will want to know, and of who has met what is not finite."""

        runs = len(self.sound)
        self._negatives = said.get("negatives", self._x[:, :0]).detach()
        reach = REACH * max(map(abs, self._recipe.window))
        self.sound &= said["loss"].detach().isfinite()
        self.sound &= (self._negatives.abs() < reach).reshape(runs, -1).all(1)
        nothing = torch.full((runs,), torch.nan)
        columns = said.get("value", nothing), said.get("accept", nothing), said.get("log_z", nothing)
        self._rows.append(torch.stack([x.detach().reshape(runs, -1).mean(1) for x in columns], 1).tolist())

    def _state(self, run: int) -> State:
        """Returns the state of a run as its own session would have it."""

        old = self._states[run]
        memory = refilled(old.memory, (x[run].clone() for x in self._carried))
        for w in self._recipe.estimator.learnt(memory):
            w.requires_grad_()
        return replace(
            old,
            step=old.step + len(self._rows),
            weights={name: w[run].clone() for name, w in zip(self._names, self._weights)},
            optimizer=self._optimizer.kept(run),
            learner=self._learner.kept(run),
            memory=memory,
            streams=self._streams[run].capture(),
            data=self._x[run].clone(),
            negatives=self._negatives[run].clone(),
        )


class Methods(nn.Module):
    """A network whose methods are called by name, so that they too can be given other weights."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, method: str, x: Tensor) -> Any:
        """Calls a method with points."""

        return getattr(self.net, method)(x)


class Lane:
    """The energy of one run as estimators see it, with weights such as a transform of torch hands in."""

    def __init__(self, methods: Methods, weights: Mapping[str, Tensor]) -> None:
        self._methods, self._weights = methods, dict(weights)

    def __call__(self, x: Tensor) -> Tensor:
        """Returns the energies of points."""

        return functional_call(self._methods, self._weights, ("forward", x))

    @torch.no_grad()
    def value_and_grad(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Returns energies and their gradient in x, detached."""

        return functional_call(self._methods, self._weights, ("value_and_grad", x))

    def gradient(self, x: Tensor) -> Tensor:
        """Returns the gradient in x, differentiable in the weights."""

        return grad(lambda points: self(points).sum())(x)


def refilled(memory: Memory, tensors: Iterator[Tensor]) -> Memory:
    """Returns a memory with other tensors in the places of its own."""

    if isinstance(memory, Tensor):
        return next(tensors)
    if isinstance(memory, tuple):
        parts = [refilled(part, tensors) for part in memory]
        return type(memory)(*parts) if hasattr(memory, "_fields") else tuple(parts)
    return memory
