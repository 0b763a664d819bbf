from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from ebmlab.engine.energies import MLP
from ebmlab.session.recipe import Recipe
from ebmlab.session.tried import Tried, append_tried, read_log
from ebmlab.spec import BadInput

ROW = Tried(
    name="a",
    recipe=Recipe(energy=MLP(width=5), seed=3),
    steps=7,
    seconds=0.5,
    figures={"kl": 0.25, "nll": None, "why": {"nll": "none"}},
    diverged=True,
    why="diverged at step 8",
    knobs=(("seed", 3), ("estimator", {"kind": "dsm"})),
    together=4,
    session="a/session.ebmlab",
)


def test_that_a_row_survives_its_json():
    assert Tried.from_json(json.loads(json.dumps(ROW.to_json()))) == ROW


def test_that_the_session_is_found_from_the_folder_of_the_row(tmp_path):
    assert Tried.from_json(ROW.to_json(), tmp_path).session == str(tmp_path / "a" / "session.ebmlab")
    assert Tried.from_json(replace(ROW, session="").to_json(), tmp_path).session == ""


def test_that_a_figure_is_a_number_or_none():
    assert ROW.figure("kl") == 0.25
    assert ROW.figure("nll") is ROW.figure("why") is ROW.figure("unheard of") is None


def test_that_a_number_that_is_not_finite_becomes_null():
    row = replace(ROW, figures={"kl": math.inf, "modes": [{"x": math.nan}]})
    assert row.to_json()["evaluation"] == {"kl": None, "modes": [{"x": None}]}


@pytest.mark.parametrize(
    "change", [{"name": 1}, {"recipe": 3}, {"evaluation": None}, {"steps": "7"}, {"session": None}]
)
def test_that_json_that_is_no_row_is_refused(change):
    with pytest.raises(BadInput):
        Tried.from_json({**ROW.to_json(), **change})
    with pytest.raises(BadInput):
        Tried.from_json([change])


def test_that_a_log_keeps_its_rows_in_order_and_skips_what_is_broken(tmp_path):
    log = tmp_path / "tried.jsonl"
    assert read_log(log) == []
    append_tried(log, ROW)
    with log.open("ab") as file:
        file.write(b'\xff\n[1]\n{"name": "half"')
    append_tried(log, replace(ROW, name="b"))
    assert [row.name for row in read_log(log)] == ["a", "b"]
    assert log.read_bytes().count(b"\n") == 5
