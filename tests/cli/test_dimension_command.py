from __future__ import annotations

import json
import math

import numpy as np
import pytest
from PIL import Image

from ebmlab.cli.main import main
from ebmlab.engine.dimension import Row
from ebmlab.record.study import draw_study

QUICK = ["dimension", "--problem", "gaussian", "--method", "quadrature", "--method", "importance"]
QUICK += ["--budget", "2000", "--dims", "1,2,16"]


def run(capsys, *words, code=0):
    assert main([*map(str, words)]) == code
    return capsys.readouterr()


def test_that_the_answer_holds_a_row_for_each_method_and_dimension(capsys):
    out, err = run(capsys, *QUICK, "--json")
    assert err == ""
    found = json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is printed"))
    assert set(found) == {"problem", "budget", "seed", "rows"}
    assert found["problem"]["kind"] == "gaussian"
    assert [(row["dim"], row["method"]) for row in found["rows"]] == [
        (d, kind) for d in (1, 2, 16) for kind in ("quadrature", "importance")
    ]
    words = "method dim log_z stderr exact error energy_evaluations ess seconds"
    assert all(set(words.split()) <= set(row) for row in found["rows"])
    plane, space = found["rows"][2], found["rows"][4]
    assert plane["exact"] == pytest.approx(math.log(2 * math.pi * 0.75))
    assert plane["error"] == pytest.approx(abs(plane["log_z"] - plane["exact"]))
    assert space["log_z"] is None
    assert "32^16" in space["why"]


def test_that_a_table_sets_what_was_found_beside_the_truth(capsys):
    out, err = run(capsys, *QUICK)
    lines = out.splitlines()
    assert err == ""
    assert lines[0].startswith("d = 1, log Z = ")
    assert sum(line.startswith("d = ") for line in lines) == 3
    assert "off by" in lines[1]
    assert "none: 32^16 points" in out
    assert "% effective" in out


def test_that_the_problem_can_be_amended(capsys):
    out, _ = run(capsys, *QUICK, "--json", "--set", "least=1", "--set", "most=1")
    found = json.loads(out)
    assert found["problem"]["least"] == 1
    assert found["rows"][-1]["exact"] == pytest.approx(8 * math.log(2 * math.pi))


def test_that_the_same_seed_gives_the_same_figures(capsys):
    def figures(seed):
        out, _ = run(capsys, *QUICK, "--json", "--seed", seed)
        return [row["log_z"] for row in json.loads(out)["rows"]]

    assert figures(1) == figures(1)
    assert figures(1) != figures(2)


def test_that_a_picture_is_drawn(capsys, tmp_path):
    path = tmp_path / "study.png"
    run(capsys, *QUICK, "--picture", path)
    with Image.open(path) as picture:
        assert picture.size[0] > 1000
        assert len(np.unique(np.asarray(picture).reshape(-1, 3), axis=0)) > 10
    assert [p.name for p in tmp_path.iterdir()] == ["study.png"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--problem", "gausian"], "did you mean gaussian"),
        (["--method", "aiss"], "did you mean"),
        (["--dims", "0"], "whole numbers from 1"),
        (["--dims", "2,1"], "from the least"),
        (["--dims", "two"], "whole numbers"),
        (["--budget", "10"], "from 1000"),
        (["--seed", "-1"], "whole number"),
        (["--set", "least"], "PATH=VALUE"),
        (["--set", "barrier=3"], "did you mean"),
        (["--set", "weight=5"], "give a number"),
        (["--picture", "study.doc"], "end it in .png"),
        (["--picture", "missing/study.png", "--dims", "1", "--method", "quadrature"], "missing/study.png"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
def test_that_a_slip_gets_one_line(words, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, err = run(capsys, "dimension", *words, code=2)
    assert err.count("\n") == 1
    assert err.startswith("ebmlab: ")
    assert said in err
    assert list(tmp_path.iterdir()) == []


def test_that_an_interrupt_ends_it_in_one_line(capsys, monkeypatch):
    def interrupted(*args):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr("ebmlab.cli.dimension.study", interrupted)
    _, err = run(capsys, *QUICK, code=130)
    assert err.count("\n") == 1


def test_that_curves_break_where_a_method_has_no_figure():
    rows = [Row("quadrature", d, 1.0, 0.1, 1.5, 100) for d in (1, 2)]
    rows += [Row("quadrature", 4, math.nan, math.nan, 1.5, 0, why="too many")]
    rows += [Row("importance", d, 1.0, 0.1, 1.5 + d, 100) for d in (1, 2, 4)]
    both, one = (np.asarray(draw_study(part, "x")) for part in (rows, rows[:3]))
    assert both.shape[1] == one.shape[1]
    assert np.asarray(draw_study([], "nothing")).ndim == 3
    assert (both != np.asarray(draw_study(rows[3:], "x"))[: len(both)]).any()
