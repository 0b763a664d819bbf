from __future__ import annotations

from dataclasses import replace

import pytest

from ebmlab.engine.energies import MLP
from ebmlab.engine.estimators import ImplicitScoreMatching
from ebmlab.engine.oracle import Evaluation, Mode
from ebmlab.engine.samplers import UnadjustedLangevin
from ebmlab.session.honesty import scientific, verdicts
from ebmlab.session.recipe import Recipe
from ebmlab.session.snapshot import Health, Lens, Snapshot

GOOD = Evaluation(step=100, log_z=1.0, log_z_error=1e-9, border_mass=2e-7, normalisable=True, spurious_mass=0.001)
SNAPSHOT = Snapshot(step=100, recipe=Recipe(), lens=Lens(), figures=GOOD, status="running", steps_per_second=100.0)


def said(snapshot, level):
    return " | ".join(v.text for v in verdicts(snapshot) if v.level == level)


def test_that_a_sound_run_has_nothing_but_good_marks():
    healthy = replace(SNAPSHOT, health=Health(r_hat=1.01, draws=1000, stability=0.2))
    assert {v.level for v in verdicts(healthy)} == {"good"}
    assert "samples exp(−E), τ = 1" in said(healthy, "good")
    assert "2·10⁻⁷" in said(healthy, "good")


@pytest.mark.parametrize(
    ("change", "level", "words"),
    [
        ({"status": "failed", "reason": "diverged at step 3"}, "bad", "diverged at step 3"),
        ({"figures": replace(GOOD, normalisable=False, border_mass=0.4)}, "bad", "log Z grows with the window"),
        ({"figures": replace(GOOD, log_z_error=0.02)}, "fair", "log Z known to ± 0.02"),
        ({"figures": replace(GOOD, spurious_mass=0.3)}, "fair", "30% of the model"),
        ({"figures": replace(GOOD, step=5), "step": 5000}, "fair", "figures are of step 5"),
        ({"figures": None}, "fair", "on their way"),
        ({"health": Health(stability=1.3)}, "bad", "1.3 of the stability limit"),
        ({"health": Health(stability=0.7)}, "fair", "0.7 of the stability limit"),
        ({"health": Health(r_hat=1.4, draws=100)}, "fair", "mix slowly: R̂ 1.40"),
        ({"recipe": Recipe(sampler=UnadjustedLangevin(temperature=2.0))}, "fair", "particles show exp(−E / 2)"),
        ({"recipe": Recipe(sampler=UnadjustedLangevin(temperature=0.0))}, "fair", "the minima of E"),
    ],
)
def test_that_each_fault_is_said(change, level, words):
    assert words in said(replace(SNAPSHOT, **change), level)


def test_that_a_hot_sampler_inside_the_estimator_is_said_too():
    recipe = Recipe()
    hot = replace(recipe.estimator, sampler=UnadjustedLangevin(temperature=3.0))
    assert "negatives are drawn from exp(−E / 3)" in said(
        replace(SNAPSHOT, recipe=replace(recipe, estimator=hot)), "fair"
    )


def test_that_particles_in_the_wrong_mode_are_counted():
    modes = (Mode(-3.0, 0.0, 0.8, 0.8), Mode(3.0, 0.0, 0.2, 0.2))
    crowded = replace(SNAPSHOT, figures=replace(GOOD, modes=modes), health=Health(occupancy=(0.5, 0.5)))
    assert "0.50 of 0.80" in said(crowded, "fair")
    assert "0.50" not in said(replace(crowded, health=Health(occupancy=(0.79, 0.21))), "fair")


def test_that_score_matching_with_relu_is_allowed_and_said():
    recipe = Recipe(energy=MLP(activation="relu"), estimator=ImplicitScoreMatching())
    assert "blind score matching" in said(replace(SNAPSHOT, recipe=recipe), "fair")
    smooth = replace(recipe, energy=MLP())
    assert "kinks" not in said(replace(SNAPSHOT, recipe=smooth), "fair")


def test_that_the_worst_comes_first():
    levels = [v.level for v in verdicts(replace(SNAPSHOT, status="failed", reason="x", figures=None))]
    assert levels == sorted(levels, key=("bad", "fair", "good").index)


@pytest.mark.parametrize(("x", "text"), [(0, "0"), (0.5, "0.5"), (2e-7, "2·10⁻⁷"), (1e-12, "1·10⁻¹²"), (12.3, "12")])
def test_that_small_numbers_are_written_as_people_read_them(x, text):
    assert scientific(x) == text
