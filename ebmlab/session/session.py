from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn, optim

from ebmlab.engine.energies import EnergyNet, count
from ebmlab.engine.estimators import Batch, Memory, Terms
from ebmlab.engine.oracle import Evaluation, evaluate_precisely
from ebmlab.engine.targets import Density
from ebmlab.engine.types import Reader, Rng, Stage, Stages, finish
from ebmlab.session.data import Pool
from ebmlab.session.devices import choose
from ebmlab.session.files import Files
from ebmlab.session.fitting import demand_points, demand_weights, demand_whole, learnt_of, revived, trial_of
from ebmlab.session.recipe import Recipe
from ebmlab.session.state import State, moments
from ebmlab.session.streams import Streams
from ebmlab.session.trace import Trace
from ebmlab.session.tree import copied
from ebmlab.spec import BadInput, changes, find, rebuilds

BOUNDED = 1024
"""Points of the target that bounds are the mean over."""


class Diverged(RuntimeError):
    """Training met a number that is not finite. The session is as it was before the step.

    Attributes:
        step: The step that failed.
        term: What was not finite.
    """

    def __init__(self, step: int, term: str, advice: str) -> None:
        super().__init__(f"diverged at step {step}: {term}; {advice}")
        self.step, self.term = step, term


class Session:
    """Owns all that changes while training: weights, optimiser, the estimator's memory, random numbers.

    A session knows nothing of threads and screens. It is driven by :meth:`step` and changed between two steps by
    :meth:`edit`; whoever watches (:class:`ebmlab.session.watch.Watch`) reads it and draws from streams of its own.

    Attributes:
        begun: Whether the estimator has made its memory, at the first step.
        log: Every recipe with the step at which it took effect: enough to run it all again, bit for bit.

    Arguments:
        recipe: The experiment.
        device: One of ``auto``, ``cpu``, ``cuda``, ``mps``.
        read: What reads the files that a target names.

    Raises:
        BadInput: If the target cannot be made or the device is not to be had.
    """

    def __init__(self, recipe: Recipe, device: str = "auto", read: Reader | None = None) -> None:
        self.recipe = recipe
        self.device = choose(device)
        self.count = 0
        self.log: list[tuple[int, Recipe]] = [(0, recipe)]
        self.read = read or Files()
        self._streams = Streams(recipe.seed, self.device)
        self.density = self._build(recipe)
        self.pool = Pool(self.density, recipe.data.size, self._streams, self.device)
        self.net = recipe.energy.build(self._streams.fresh("weights"), self.density.dim).to(self.device)
        self.parameters = count(self.net)
        self.trace = Trace("step", "value", "accept", "log_z")
        self._optimizer: optim.Optimizer | None = None  # made at the first step, for it imports half of torch
        self._memory: Memory = None
        self._learner: optim.Optimizer | None = None  # trains what the estimator itself learns
        self.begun = False
        self.data = self._nothing()
        self.negatives = self.data

    def step(self) -> None:
        """Takes one step of training.

        Raises:
            Diverged: If a number is not finite. Weights and memory stay as they were before the step.
        """

        finish(self.stages())

    def stages(self) -> Stages[None]:
        """Takes one step of training, pausing at each named stage."""

        x = self.pool.draw(self.recipe.batch, self._streams["data"])
        yield Stage("data", f"{len(x)} points are drawn from the target.", x)
        batch = Batch(x, self.recipe.window)
        self._begin(batch)
        estimator, rng = self.recipe.estimator, self._streams["train"]
        terms, memory = yield from estimator.stages(self.net, batch, self._memory, rng)

        yield Stage("update", "The weights follow the gradient.")
        self._update(terms)
        self._memory, self.data = memory, x
        self.net.observe(x)
        self.negatives = self._nothing() if terms.negatives is None else terms.negatives
        self.count += 1
        self.trace.append(self.count, _number(terms.value), _mean(terms.accept), _number(terms.log_z))

    def edit(self, recipe: Recipe) -> bool:
        """Carries on with another recipe, if every change can go live; else returns False and changes nothing.

        Raises:
            BadInput: If the new target cannot be made. Nothing has changed then.
        """

        if rebuilds(self.recipe, recipe):
            return False
        changed = {path.partition(".")[0] for path, _ in changes(self.recipe, recipe)}
        density = self._build(recipe) if changed & {"target", "window"} else self.density
        if changed & {"target", "window", "data"}:
            self.pool = Pool(density, recipe.data.size, self._streams, self.device)
        old, self.recipe, self.density, self.net.spec = self.recipe, recipe, density, recipe.energy
        if type(old.estimator) is not type(recipe.estimator) or not recipe.estimator.fits(self._memory):
            self.begun = False
        if "optimizer" in changed:
            self._retune(old)
        self.log.append((self.count, recipe))
        return True

    def capture(self) -> State:
        """Returns copies of all that changes while training, as it is between two steps."""

        memory, learner = (self._memory, self._learner) if self.begun else (None, None)
        return State(
            step=self.count,
            begun=self.begun,
            device=self.device.type,
            weights=copied(self.net.state_dict()),
            optimizer=copied(moments(self._optimizer)),
            learner=copied(moments(learner)),
            memory=copied(memory),
            streams=self._streams.capture(),
            data=copied(self.data),
            negatives=copied(self.negatives),
        )

    def resume(self, state: State) -> None:
        """Goes on from a state of a session of the same recipe, bit-identically on the same kind of device.

        The log and the trace are left as they are. On another kind of device the random numbers begin anew.

        Raises:
            BadInput: If the state is not of this recipe. Nothing has changed then.
        """

        recipe, streams = self.recipe, Streams(self.recipe.seed, self.device)
        demand_weights(self.net, state.weights)
        demand_points(self.density.dim, data=state.data, negatives=state.negatives)
        if state.device == self.device.type:
            streams = streams.resumed(state.streams)
        memory, learnt = copied(state.memory, self.device), []
        if state.begun:
            n = min(recipe.batch, max(len(state.data), 8))
            batch = Batch(self.pool.draw(n, streams.fresh("trial", self.device)), recipe.window)
            learnt = learnt_of(recipe.estimator, trial_of(self.net, state.weights), batch, memory)
        optimizer = revived(recipe.optimizer, self.net.parameters(), state.optimizer, "optimizer")
        learner = revived(recipe.optimizer, learnt, state.learner, "learner")
        demand_whole(state, learnt)

        self.net.load_state_dict(dict(state.weights))
        self.data, self.negatives = copied(state.data, self.device), copied(state.negatives, self.device)
        self.count, self.begun, self._streams = state.step, state.begun, streams
        self._memory, self._optimizer, self._learner = memory, optimizer, learner

    def evaluate(self) -> Evaluation:
        """Returns the exact figures of the weights as they are, in float64, refined until they stand still."""

        found = evaluate_precisely(self.net, self.density, self.recipe.window, step=self.count)
        rng = Streams(self.recipe.seed, self.device).fresh("bounds", self.device)
        return replace(found, bounds=bounds(self.net, self.density, rng))

    @torch.no_grad()
    def energy(self, x: Tensor) -> Tensor:
        """Returns the energies of points, with shape (n, 2), as a tensor with shape (n,)."""

        return self.net(x.to(self.device, torch.float32))

    def memory(self) -> Memory:
        """Returns what the estimator carries between steps; None before the first."""

        return self._memory

    @torch.no_grad()
    def warning(self) -> str:
        """Returns what the last batch tells against the estimator, empty if nothing."""

        batch = Batch(self.data, self.recipe.window)
        return self.recipe.estimator.warning(self.net, batch, self._memory) if len(self.data) else ""

    def _build(self, recipe: Recipe) -> Density:
        try:
            density = recipe.target.build(self.read, recipe.window)
        except BadInput as fault:
            raise fault.within("target") from None
        if density.dim != 2:
            raise BadInput(f"the target has {density.dim} coordinates; give two, x and y", key="target")
        return density

    def _begin(self, batch: Batch) -> None:
        if self._optimizer is None:
            self._optimizer = _optimizer(self.recipe, self.net.parameters())
        if not self.begun:
            estimator = self.recipe.estimator
            self._memory = estimator.init(self.net, batch, self._streams["train"])
            self._learner = _optimizer(self.recipe, estimator.learnt(self._memory))
            self.begun = True

    def _update(self, terms: Terms) -> None:
        self._demand_near(terms.negatives)
        self._demand(terms.loss, "the loss is not finite")
        optimizers = [o for o in (self._optimizer, self._learner) if o]
        for p in self._trained():
            p.grad = None
        if terms.loss.requires_grad:
            terms.loss.backward()
        weights = [p for p in self._trained() if p.grad is not None]
        self._demand(_norm([p.grad for p in weights if p.grad is not None]), "the gradient is not finite")
        before = [p.detach().clone() for p in weights]
        for optimizer in optimizers:
            optimizer.step()
        try:
            self._demand(_norm(weights), "the weights are not finite")
        except Diverged:
            for p, value in zip(weights, before, strict=True):
                p.data.copy_(value)
            raise

    def _trained(self) -> Iterator[nn.Parameter]:
        for optimizer in filter(None, [self._optimizer, self._learner]):
            yield from optimizer.param_groups[0]["params"]

    def _demand(self, number: Tensor, term: str) -> None:
        if not math.isfinite(number.item()):
            raise Diverged(self.count + 1, term, f"turn down optimizer.rate (now {self.recipe.optimizer.rate:g})")

    def _demand_near(self, negatives: Tensor | None) -> None:
        """Demands that no negative is a thousand windows away, where only an unstable sampler takes it."""

        reach = 1000 * max(map(abs, self.recipe.window))
        if negatives is None or bool((negatives.abs() < reach).all()):
            return
        path, step_size = find(self.recipe.estimator, "step_size", "estimator") or ("optimizer.rate", math.nan)
        advice = f"turn down {path}" + (f" (now {step_size:g})" if math.isfinite(step_size) else "")
        raise Diverged(self.count + 1, "the negatives flew off", advice)

    def _retune(self, old: Recipe) -> None:
        new = self.recipe.optimizer
        if type(new) is not type(old.optimizer):
            self._optimizer = None
            self._learner = self._learner and new.build(self._learner.param_groups[0]["params"])
        for optimizer in filter(None, [self._optimizer, self._learner]):
            optimizer.param_groups[0].update(new.settings())

    def _nothing(self) -> Tensor:
        return torch.empty(0, self.density.dim, device=self.device)


@torch.no_grad()
def bounds(net: EnergyNet, density: Density, rng: Rng) -> tuple[tuple[str, float], ...]:
    """Returns the bounds that a model has on its log-likelihood, over points of the target."""

    return tuple(net.bounds(density.sample(BOUNDED, rng), rng).items())


def _optimizer(recipe: Recipe, parameters: Iterable[Tensor]) -> optim.Optimizer | None:
    """Makes the recipe's optimiser; None if there is nothing to learn, as in a formula without parameters."""

    found = list(parameters)
    return recipe.optimizer.build(found) if found else None


@torch.no_grad()
def _norm(tensors: Sequence[Tensor]) -> Tensor:
    return nn.utils.get_total_norm(tensors) if tensors else torch.zeros(())


def _number(x: Tensor | None) -> float:
    return math.nan if x is None else x.item()


def _mean(x: Tensor | None) -> float:
    return math.nan if x is None else x.mean().item()
