from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from ebmlab.assets import assets
from ebmlab.engine.energies import Quadratic
from ebmlab.engine.samplers import UnadjustedLangevin
from ebmlab.engine.targets import TwoModes
from ebmlab.engine.types import finish
from ebmlab.session.gallery import Course, Exhibit, exhibits, find_exhibit, perform
from ebmlab.session.gallery.claim import read_claim
from ebmlab.session.gallery.exhibit import load_exhibit
from ebmlab.session.gallery.measures import Sampling
from ebmlab.session.recipe import Recipe
from ebmlab.session.session import Session
from ebmlab.spec import BadInput

EXHIBITS = {exhibit.name: exhibit for exhibit in exhibits()}
every = pytest.mark.parametrize("name", list(EXHIBITS))

SMALL = {
    "format": "ebmlab-exhibit",
    "version": 1,
    "title": "A test",
    "steps": 4,
    "recipe": {"energy": {"kind": "quadratic"}, "target": {"kind": "gaussian"}, "estimator": {"kind": "mle"}},
    "rivals": {"ism": {"recipe": {"estimator": {"kind": "ism"}}, "steps": 2}},
    "claims": ["kl < 1", "abs(ism.log_z - log_z) < 0.5"],
}


@pytest.fixture
def write(tmp_path):
    def write(**changes):
        path = tmp_path / "a-test.json"
        path.write_text(json.dumps(SMALL | changes))
        return path

    return write


@every
def test_that_an_exhibit_says_what_happens_in_two_sentences_and_claims_something(name):
    exhibit = EXHIBITS[name]
    assert exhibit.title
    assert exhibit.title[0].isupper()
    assert not exhibit.title.endswith(".")
    assert 20 < len(exhibit.text) < 400
    assert exhibit.text.count(". ") >= 1
    assert exhibit.text.endswith(".")
    assert exhibit.look.endswith(".")
    assert exhibit.number > 0
    assert exhibit.claims


@every
def test_that_every_run_of_an_exhibit_trains_and_is_measured(name):
    exhibit = EXHIBITS[name]
    for run, course in exhibit.courses.items():
        session = Session(course.recipe, "cpu")
        for _ in replace(course, steps=min(course.steps, 3), edits=()).train(session):
            pass
        assert session.count == min(course.steps, 3), run


@every
def test_that_the_claims_of_an_exhibit_speak_of_runs_that_it_has(name):
    exhibit = EXHIBITS[name]
    for claim in exhibit.claims:
        for figure in claim.figures:
            run, dot, _ = figure.partition(".")
            assert not dot or run in exhibit.courses, claim.text


@every
def test_that_an_exhibit_has_a_picture(name):
    assert (assets() / "recipes" / "thumbnails" / f"{name}.png").is_file(), "run `make thumbnails`"


def test_that_no_two_exhibits_have_the_same_place():
    numbers = [exhibit.number for exhibit in EXHIBITS.values()]
    assert len(set(numbers)) == len(numbers)


def test_that_a_performance_measures_every_run_and_judges_the_claims(write):
    exhibit = load_exhibit(write())
    seen = []
    pieces = perform(exhibit, "cpu")
    try:
        while True:
            seen.append(next(pieces))
    except StopIteration as end:
        found = end.value
    assert [p.share for p in seen] == sorted(p.share for p in seen)
    assert {p.run for p in seen} == {"", "ism"}
    assert all(0 <= p.share <= 1 for p in seen)
    assert (found.figures["step"], found.figures["ism.step"]) == (4, 2)
    assert found.holds
    assert found.findings[0].left == found.figures["kl"]


def test_that_a_rival_is_the_main_run_but_for_what_it_says(write):
    exhibit = load_exhibit(write(recipe=SMALL["recipe"] | {"batch": 64}))
    rival = exhibit.courses["ism"]
    assert (rival.recipe.batch, rival.recipe.estimator.kind, rival.steps) == (64, "ism", 2)
    assert replace(rival.recipe, estimator=exhibit.recipe.estimator) == exhibit.recipe


def test_that_an_edit_takes_effect_at_its_step(write):
    exhibit = load_exhibit(write(edits={"2": {"optimizer": {"rate": 0.0001}}}, rivals={}))
    (course,) = exhibit.courses.values()
    session = Session(course.recipe, "cpu")
    list(course.train(session))
    assert [(step, recipe.optimizer.rate) for step, recipe in session.log] == [(0, 0.001), (2, 0.0001)]


def test_that_a_run_that_diverges_is_measured_as_it_was_before(write):
    formula = {"kind": "formula", "expression": "a*sqrt(x)", "parameters": {"a": 1.0}}
    exhibit = load_exhibit(write(recipe=SMALL["recipe"] | {"energy": formula}, rivals={}, claims=["diverged > 0"]))
    assert finish(perform(exhibit, "cpu")).holds


@pytest.mark.parametrize(
    ("text", "holds"),
    [("kl < 2", True), ("2 < kl", False), ("a.kl > 2 * kl", True), ("abs(kl - 1.5) < 1e-9", True), ("none < 1", False)],
)
def test_that_a_claim_compares_two_formulas_of_figures(text, holds):
    finding = read_claim(text).judge({"kl": 1.5, "a.kl": 4.0})
    assert finding.holds == holds


def test_that_a_figure_withheld_bears_out_no_claim():
    for text in ("kl < 1", "kl > 1"):
        assert not read_claim(text).judge({"kl": math.nan}).holds


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"claims": ["kl"]}, "is no claim"),
        ({"claims": ["kl < "]}, "the formula is empty"),
        ({"claims": [3]}, "is no claim"),
        ({"clams": []}, "did you mean claims"),
        ({"format": "x"}, "is no exhibit"),
        ({"recipe": {"estimator": {"kind": "pdc"}}}, "did you mean pcd"),
        ({"rivals": {"a": {"step": 3}}}, "did you mean steps"),
        ({"measures": [{"kind": "smapling"}]}, "did you mean sampling"),
    ],
)
def test_that_a_broken_exhibit_names_the_fault_and_the_file(changes, said, write):
    with pytest.raises(BadInput, match=said) as caught:
        load_exhibit(write(**changes))
    assert caught.value.source.endswith("a-test.json")


def test_that_an_unknown_exhibit_or_run_names_the_nearest():
    with pytest.raises(BadInput, match="did you mean langevin-inflates"):
        find_exhibit("langevin-inflate")
    with pytest.raises(BadInput, match="no such run"):
        find_exhibit("langevin-inflates/fast")


def test_that_sampling_counts_the_sides_and_those_that_fly_off(rng):
    session = Session(Recipe(target=TwoModes(), energy=Quadratic()), "cpu")
    stay = UnadjustedLangevin(step_size=1e-6)
    found = finish(Sampling(sampler=stay, chains=500, transitions=2, start="left").take(session, {}, rng))
    assert found["left"] == 1.0
    assert found["far"] == 0.0
    assert found["variance"] == pytest.approx((3 + 12) / 2, rel=0.2)  # uniform on [-6, 0] and on [-6, 6]


def test_that_courses_and_exhibits_are_values():
    assert Course(recipe=Recipe(), steps=1) == Course(recipe=Recipe(), steps=1)
    assert isinstance(next(iter(EXHIBITS.values())), Exhibit)
