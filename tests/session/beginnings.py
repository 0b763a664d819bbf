"""Small sessions of every estimator, some steps old."""

from __future__ import annotations

import json
from dataclasses import replace

from ebmlab.engine.energies import MLP, VAE, Autoregressive, Flow, KernelDensity
from ebmlab.engine.estimators import ESTIMATORS
from ebmlab.engine.targets import TwoMoons
from ebmlab.session.recipe import Recipe
from ebmlab.session.session import Session
from ebmlab.spec import amend

SMALL = Recipe(target=TwoMoons(), energy=MLP(width=8, depth=1), batch=12, seed=5)
TINY = {
    "flow": Flow(transforms=1, width=8),
    "autoregressive": Autoregressive(width=8),
    "kernel-density": KernelDensity(points=32),
    "vae": VAE(width=8, nodes=64),
}
QUICK = {"exact": "resolution=16", "nuts": "step_size=0.5", "slice": "width=8"}
SETTINGS = {
    "tre": "width=8",
    "fce": "warm_up=3",
    "mle": "resolution=24",
    "jarzynski": "walkers=40",
    "lsd": "critic_width=8",
}


def recipe_for(kind):
    estimator = ESTIMATORS[kind]()
    if kind in SETTINGS:
        estimator = amend(estimator, *SETTINGS[kind].split("="))
    energy = next(e for e in (SMALL.energy, TINY["vae"]) if not estimator.refusal(e))
    return replace(SMALL, estimator=estimator, energy=energy)


def trained(recipe, steps=7):
    session = Session(recipe, "cpu")
    for _ in range(steps):
        session.step()
    return session


def skeleton_of(content):
    length = int.from_bytes(content[:8], "little")
    return json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["tree"])
