"""One training step against torchebm's, and against the floor that matrix products set.

Run with ``python -m tests.bench.bench_steps [--json]``; wants the extra ``bench``. Both sides train the same network on
the same batch by Adam, one thread, in turns within one run, timed by the processor's clock, so that a busy machine
slows them alike. Ours is the step as a session takes it, with the fused Adam; theirs is the step of its examples, with
torch's Adam as it comes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torchebm.core import BaseModel
from torchebm.losses import ContrastiveDivergence, DenoisingScoreMatching, ScoreMatching, SlicedScoreMatching
from torchebm.samplers import LangevinDynamics

from ebmlab.engine import estimators
from ebmlab.engine.energies import MLP, EnergyNet
from ebmlab.engine.estimators import Batch, Estimator
from ebmlab.engine.optimizers import Adam
from ebmlab.engine.samplers import UnadjustedLangevin

BATCH, MOVES, STEP_SIZE, SIGMA = 256, 20, 0.02, 0.3
WINDOW = (-4.0, 4.0, -4.0, 4.0)

OURS: dict[str, Estimator] = {
    "pcd": estimators.PersistentContrastiveDivergence(steps=MOVES, sampler=UnadjustedLangevin(step_size=STEP_SIZE)),
    "dsm": estimators.DenoisingScoreMatching(sigma=SIGMA),
    "ssm": estimators.SlicedScoreMatching(variance_reduction=False),
    "ism": estimators.ImplicitScoreMatching(),
}

PRODUCTS = {"pcd": 2 * MOVES + 6, "dsm": 6, "ssm": 9, "ism": 12}
"""Products of a batch with the hidden weight matrix, of n·w² multiplications each, that a step cannot do without."""


class Figures(NamedTuple):
    """Medians, in milliseconds; the floor is the time of the unavoidable matrix products at the rate of this run."""

    kind: str
    width: int
    ours: float
    torchebm: float
    floor: float
    gflops: float

    @property
    def ratio(self) -> float:
        return self.torchebm / self.ours


class Theirs(BaseModel):
    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x).squeeze(-1)


def plain(net: EnergyNet) -> nn.Sequential:
    """Returns the same network as torch's own layers, which is the fastest that torchebm can be given."""

    layers = [*net.hidden, net.head]
    copies = [nn.utils.skip_init(nn.Linear, layer.in_features, layer.out_features) for layer in layers]
    for copy, layer in zip(copies, layers, strict=True):
        copy.load_state_dict(layer.state_dict())
    bent = [module for copy in copies[:-1] for module in (copy, nn.SiLU())]
    return nn.Sequential(*bent, copies[-1])


def our_step(kind: str, net: EnergyNet, x: Tensor) -> Callable[[], None]:
    estimator, batch, rng = OURS[kind], Batch(x, WINDOW), torch.Generator().manual_seed(1)
    memory = estimator.init(net, batch, rng)
    optimizer = Adam().build(net.parameters())

    def step() -> None:
        nonlocal memory
        terms, memory = estimator.loss(net, batch, memory, rng)
        for p in net.parameters():
            p.grad = None
        terms.loss.backward()
        optimizer.step()

    return step


def their_step(kind: str, net: nn.Module, x: Tensor) -> Callable[[], None]:
    model, rng = Theirs(net), torch.Generator().manual_seed(1)
    loss = their_loss(kind, model)
    optimizer = torch.optim.Adam(net.parameters(), lr=Adam().rate)  # as all its examples have it

    def step() -> None:
        # Score matching asks for gradients of the tensor that it is given: hand it a fresh one.
        result = loss(x.clone(), generator=rng)
        optimizer.zero_grad()
        (result[0] if kind == "pcd" else result).backward()
        optimizer.step()

    return step


def their_loss(kind: str, model: Theirs) -> nn.Module:
    if kind == "pcd":
        sampler = LangevinDynamics(model, step_size=STEP_SIZE)
        options = {"buffer_size": BATCH, "init_steps": 0, "energy_reg_weight": 0.0}
        return ContrastiveDivergence(model, sampler, k_steps=MOVES, persistent=True, **options)
    if kind == "dsm":
        return DenoisingScoreMatching(model, noise_scale=SIGMA)
    return SlicedScoreMatching(model, n_projections=1) if kind == "ssm" else ScoreMatching(model, "exact")


def compare(kind: str, width: int = 128, rounds: int = 60, warm_up: int = 10) -> Figures:
    """Times one training step of both, and a matrix product, in turns."""

    rng = torch.Generator().manual_seed(0)
    x = torch.randn(BATCH, 2, generator=rng)
    net = MLP(width=width, confinement=0.0).build(rng)
    a, b = (torch.randn(n, width, generator=rng) for n in (BATCH, width))
    works = [our_step(kind, net, x), their_step(kind, plain(net), x), lambda: [a @ b for _ in range(10)]]
    times: list[list[float]] = [[], [], []]
    for i in range(rounds + warm_up):
        for work, taken in zip(works, times, strict=True):
            start = time.process_time()
            work()
            if i >= warm_up:
                taken.append(1e3 * (time.process_time() - start))
    ours, theirs, ten = map(statistics.median, times)
    return Figures(kind, width, ours, theirs, PRODUCTS[kind] * ten / 10, 2e-5 * BATCH * width**2 / ten)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="write the figures as JSON")
    parser.add_argument("--rounds", type=int, default=60)
    args = parser.parse_args()
    torch.set_num_threads(1)
    figures = [compare(kind, width, args.rounds) for width in (128, 64) for kind in OURS]
    if args.json:
        sys.stdout.write(json.dumps([{**f._asdict(), "ratio": f.ratio} for f in figures], indent=2) + "\n")
        return
    sys.stdout.write("kind width   ours  torchebm  ratio  floor   GFLOP/s\n")
    for f in figures:
        row = f"{f.kind:4} {f.width:5} {f.ours:6.2f} {f.torchebm:9.2f} {f.ratio:6.2f} {f.floor:6.2f} {f.gflops:9.0f}"
        sys.stdout.write(row + "\n")


if __name__ == "__main__":
    main()
