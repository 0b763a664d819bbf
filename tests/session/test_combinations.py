"""Every component works with every other: whatever a person picks from two lists trains, is watched and evaluated."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from ebmlab.engine.energies import ENERGIES, MLP, VAE, Autoregressive, Flow, KernelDensity
from ebmlab.engine.estimators import ESTIMATORS
from ebmlab.engine.logz import LOG_ZS
from ebmlab.engine.optimizers import OPTIMIZERS
from ebmlab.engine.samplers import SAMPLERS
from ebmlab.engine.targets import TARGETS, Drawing, Image, Points
from ebmlab.engine.targets.marks import Brush, Stamp
from ebmlab.session.honesty import verdicts
from ebmlab.session.recipe import Data, Recipe
from ebmlab.session.session import Session
from ebmlab.session.snapshot import Lens
from ebmlab.session.watch import State, Watch
from ebmlab.spec import BadInput, amend

SMALL = Recipe(energy=MLP(width=8), batch=16)
QUICK = {
    "mlp": SMALL.energy,
    "flow": Flow(transforms=1, width=8),
    "autoregressive": Autoregressive(width=8),
    "kernel-density": KernelDensity(points=32),
    "vae": VAE(width=8, nodes=64),
}
"""Small energies, where the default takes its time."""
EVERYTHING = Lens(fields=frozenset({"energy", "target", "score", "target-score"}), quiver=4)
FILLED = {
    "points": Points(values=((0.0, 0.0), (1.0, 1.0), (-1.0, 2.0))),
    "drawing": Drawing(marks=(Brush(path=((-2.0, 0.0), (2.0, 1.0))), Stamp())),
}


def lived(recipe, steps=2):
    """Trains a little, watches, and returns the last snapshot."""

    session = Session(recipe, "cpu")
    watch = Watch(session)
    for _ in range(steps):
        session.step()
        watch.drift(20)
        watch.study()
    snapshot = watch.snapshot(EVERYTHING, 16, State(status="running"))
    assert snapshot.step == steps
    assert all(verdict.text for verdict in verdicts(snapshot))
    return session


def small(energy):
    return QUICK.get(energy) or ENERGIES[energy]()


@pytest.mark.parametrize(("energy", "estimator"), list(product(ENERGIES, ESTIMATORS)))
def test_that_every_estimator_trains_every_energy_or_says_why_not(energy, estimator):
    spec, how = small(energy), ESTIMATORS[estimator]()
    if why := how.refusal(spec):
        with pytest.raises(BadInput, match=why):
            replace(SMALL, energy=spec, estimator=how)
    else:
        lived(replace(SMALL, energy=spec, estimator=how))


@pytest.mark.parametrize(("sampler", "estimator"), list(product(SAMPLERS, ["cd", "pcd"])))
def test_that_every_sampler_moves_negatives_and_particles(sampler, estimator):
    recipe = amend(amend(SMALL, "estimator", estimator), "estimator.sampler", sampler)
    lived(amend(recipe, "sampler", sampler))


@pytest.mark.parametrize("kind", TARGETS)
def test_that_every_target_is_drawn_trained_on_and_evaluated(kind, tmp_path):
    if kind == "image":
        from PIL import Image as Picture

        picture = Picture.new("L", (40, 30), 255)
        picture.paste(0, (10, 5, 25, 20))
        picture.save(tmp_path / "i.png")
        target = Image(path=str(tmp_path / "i.png"))
    else:
        target = FILLED.get(kind) or TARGETS[kind]()
    session = lived(replace(SMALL, target=target, data=Data(size=50)))
    found = session.evaluate()
    assert found.kl is not None or dict(found.why)["kl"]


@pytest.mark.parametrize(("kind", "energy"), list(product(LOG_ZS, ENERGIES)))
def test_that_every_method_of_log_z_normalises_every_energy(kind, energy):
    session = Session(replace(SMALL, energy=small(energy), log_z=(LOG_ZS[kind](),)), "cpu")
    watch = Watch(session)
    while watch.pending:
        watch.study()
    (estimate,) = watch.snapshot(Lens(), 16, State()).estimates
    assert estimate.log_z.progress == 1


@pytest.mark.parametrize(("kind", "estimator"), list(product(OPTIMIZERS, ESTIMATORS)))
def test_that_every_optimizer_follows_every_gradient(kind, estimator):
    how = ESTIMATORS[estimator]()
    spec = QUICK["vae"] if how.refusal(SMALL.energy) else SMALL.energy
    lived(replace(SMALL, energy=spec, optimizer=OPTIMIZERS[kind](), estimator=how))
