"""The log in a session file: every recipe comes back, at little cost, and what is none is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from boxed import SMALL, read, refused, rewritten

from ebmlab.engine.estimators import ContrastiveDivergence
from ebmlab.engine.targets import Drawing, Points
from ebmlab.engine.targets.marks import Brush, Spray
from ebmlab.session import members
from ebmlab.session.archive import load_run, write_run
from ebmlab.session.checkpoint import save_run
from ebmlab.session.session import Session


def logged(log, tmp_path):
    session = Session(log[-1], "cpu")
    session.log[:] = list(enumerate(log))
    session.count = len(log)
    save_run(session, tmp_path / "run.ebmlab")
    return load_run(tmp_path / "run.ebmlab").log


def test_that_a_log_of_every_kind_of_edit_comes_back(tmp_path):
    brush, spray = Brush(path=((0.0, 0.0), (1.0, 1.0))), Spray(path=((2.0, 1.0),))
    log = [
        SMALL,
        replace(SMALL, batch=9),
        replace(SMALL, target=Drawing(marks=(brush,))),
        replace(SMALL, target=Drawing(marks=(brush, spray))),
        replace(SMALL, target=Drawing(marks=(brush, spray, brush)), window=(-3.0, 3.0, -2.0, 2.0)),
        replace(SMALL, target=Drawing(marks=(spray,))),
        replace(SMALL, target=Points(values=((0.0, 1.0), (2.0, 0.5)))),
        replace(SMALL, target=Points(values=((0.0, 1.0), (2.0, 0.5)), bandwidth=0.25)),
        replace(SMALL, estimator=ContrastiveDivergence(steps=3)),
        replace(SMALL, estimator=ContrastiveDivergence(steps=4), sampler=ContrastiveDivergence().sampler),
        SMALL,
    ]
    assert [recipe for _, recipe in logged(log, tmp_path)] == log


def test_that_a_log_of_a_growing_drawing_takes_no_more_than_the_drawing(tmp_path):
    marks = tuple(Brush(path=tuple((i / 10, j / 10) for j in range(50))) for i in range(60))
    log = [replace(SMALL, target=Drawing(marks=marks[: i + 1])) for i in range(60)]
    assert [recipe for _, recipe in logged(log, tmp_path)] == log
    sizes = {name: len(read(tmp_path / "run.ebmlab", name)) for name in ("log.json", "recipe.json")}
    assert sizes["log.json"] < 1.5 * sizes["recipe.json"]


def test_that_a_log_too_long_to_be_read_is_taken_for_unknown(whole, tmp_path, monkeypatch):
    monkeypatch.setattr(members, "MOST_ENTRIES", 1)
    write_run(whole, tmp_path / "run.ebmlab")
    assert load_run(tmp_path / "run.ebmlab").log == ()


HOSTILE_LOGS = [
    {},
    [1],
    [{"step": 0}],
    [{"step": 0, "change": {}}],
    [{"step": -1, "recipe": {}}],
    [{"step": 10**9, "recipe": {}}],
    [{"step": 1, "recipe": {}}, {"step": 0, "change": {}}],
    [{"step": 0, "recipe": {}}, {"step": 0, "recipe": {}}],
    [{"step": 0, "recipe": {"batch": -1}}],
    [{"step": 0, "recipe": {}, "more": 1}],
    [{"step": 0, "recipe": {}}, {"step": 0, "change": []}],
    [{"step": 0, "recipe": {}}, {"step": 0, "change": {"none": {"is": 1}}}],
    [{"step": 0, "recipe": {}}, {"step": 0, "change": {"batch": {"in": {}}}}],
    [{"step": 0, "recipe": {}}, {"step": 0, "change": {"batch": {"was": 1}}}],
    [{"step": 0, "recipe": {}}, {"step": 0, "change": {"log_z": {"from": 99, "add": []}}}],
    [{"step": 0, "recipe": {}}, {"step": 0, "change": {"log_z": {"from": -1, "add": []}}}],
    [{"step": 0, "recipe": {}}, {"step": 0, "change": {"window": {"from": 1, "add": []}}}],
    [{"step": 0, "recipe": {}}, {"step": 0, "change": {"log_z": {"from": 0, "add": [{"kind": "none"}]}}}],
]


@pytest.mark.parametrize("log", HOSTILE_LOGS, ids=lambda log: json.dumps(log)[-40:])
def test_that_a_log_that_will_not_do_is_refused(log, whole, tmp_path):
    write_run(whole, tmp_path / "run.ebmlab")
    assert "log" in refused(rewritten(tmp_path / "run.ebmlab", "log.json", json.dumps(log).encode()))
