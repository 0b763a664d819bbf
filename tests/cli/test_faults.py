"""Whatever is typed, the answer is one line and an exit code; nothing is written."""

from __future__ import annotations

import io
import json
import re
import zlib

import pytest
from PIL import Image

from ebmlab.cli.main import main
from ebmlab.session.recipe import Recipe

SMALL = ["--set", "target=gaussian", "--set", "energy.width=4", "--set", "energy.depth=1", "--steps", "1"]


def fault(capsys, *words, code=2):
    assert main(list(map(str, words))) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1, err
    assert err.startswith("ebmlab: ")
    assert "Traceback" not in err
    return err


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in; whatever a test leaves there is a fault."""

    monkeypatch.chdir(tmp_path)
    return tmp_path


WORDS = [
    ["trian"],
    ["train"],
    ["train", "two-mons", "-o", "run"],
    ["train", "missing.json", "-o", "run"],
    ["train", "-o", "run", "--steps", "many"],
    ["train", "-o", "run", "--steps", "-3"],
    ["train", "-o", "run", "--steps", "1e9"],
    ["train", "-o", "run", "--seed", "0.5"],
    ["train", "-o", "run", "--seed", str(2**31)],
    ["train", "-o", "run", "--device", "tpu"],
    ["train", "-o", "run", "--set", "energy.width"],
    ["train", "-o", "run", "--set", "=3"],
    ["train", "-o", "run", "--set", "energy.wdith=3"],
    ["train", "-o", "run", "--set", "energy.width=wide"],
    ["train", "-o", "run", "--set", "energy.width=0"],
    ["train", "-o", "run", "--set", "energy.width=1e400"],
    ["train", "-o", "run", "--set", "energy.width=NaN"],
    ["train", "-o", "run", "--set", "energy.width=true"],
    ["train", "-o", "run", "--set", "energy..width=3"],
    ["train", "-o", "run", "--set", "batch.size=3"],
    ["train", "-o", "run", "--set", "log_z.9.particles=3"],
    ["train", "-o", "run", "--set", "log_z.x=3"],
    ["train", "-o", "run", "--set", "window=[6, -6, -6, 6]"],
    ["train", "-o", "run", "--set", "window=[1, 2]"],
    ["train", "-o", "run", "--set", "target=gausian"],
    ["train", "-o", "run", "--set", "target.kind=42"],
    ["train", "-o", "run", "--set", "seed=" + "[" * 5000],
    ["train", "-o", "run", "--unknown"],
    ["train", "-o", "run", "--picture", "picture.doc"],
    ["train", "-o", "missing/run"],
    ["list", "estimators"],
    ["describe", "pdc"],
    ["describe", "target/pcd"],
    ["describe", "nothing/pcd"],
    ["describe", ""],
    ["evaluate", "."],
    ["evaluate", "missing.ebmlab"],
    ["log-z", "missing.json"],
    ["sample", "-n", "3"],
    ["sample", "-n", "0", "-o", "p.npy", "x"],
    ["sample", "-n", "99999999", "-o", "p.npy", "x"],
    ["sample", "-n", "3", "-o", "p.npy", "--steps", "0", "x"],
    ["sample", "-n", "3", "-o", "p.txt", "x"],
    ["sample", "-n", "3", "-o", "missing/p.npy", "x"],
    ["gui", "--for", "soon"],
    ["gui", "--for", "nan"],
    ["bench", "fast"],
]


@pytest.mark.parametrize("words", WORDS, ids=lambda words: " ".join(words)[:60] or "-")
def test_that_a_slip_gets_one_line_and_leaves_nothing_behind(words, here, capsys):
    assert re.search(r";|did you mean|--help", fault(capsys, *words)), "the line does not say what would be right"
    assert list(here.iterdir()) == []


RECIPES = {
    "broken": '{"seed": 1,',
    "not an object": "[1, 2]",
    "text": "hello",
    "empty": "",
    "unknown key": '{"tarjet": {"kind": "gaussian"}}',
    "unknown kind": '{"target": {"kind": "gausian"}}',
    "wrong type": '{"batch": "many"}',
    "out of range": '{"batch": 0}',
    "not finite": '{"optimizer": {"kind": "adam", "rate": NaN}}',
    "newer": '{"format": "ebmlab-recipe", "version": 99}',
    "no version": '{"version": "one"}',
    "other format": '{"format": "ebmlab-run"}',
    "deep": "[" * 100_000,
    "huge number": '{"seed": 1e999}',
    "long number": '{"seed": ' + "9" * 5000 + "}",
    "no positive definite covariance": '{"target": {"kind": "gaussian", "covariance": [[1, 2], [2, 1]]}}',
    "no symmetric covariance": '{"target": {"kind": "gaussian", "covariance": [[1, 0], [0.5, 1]]}}',
    "weights that sum to nothing": '{"target": {"kind": "gaussian-mixture", "weights": [0, 0]}}',
    "an unknown name": '{"target": {"kind": "formula", "expression": "x**2 + q"}}',
    "reaching for Python": '{"target": {"kind": "formula", "expression": "__import__(\'os\').system(\'id\')"}}',
    "an attribute": '{"target": {"kind": "formula", "expression": "x.__class__"}}',
    "a missing file of points": '{"target": {"kind": "points", "path": "none.csv"}}',
    "a missing picture": '{"target": {"kind": "image", "path": "none.png"}}',
    "an empty drawing": '{"target": {"kind": "drawing", "marks": []}}',
    "a mixture of nothing": '{"target": {"kind": "gaussian-mixture", "weights": [], "means": [], "covariances": []}}',
    "no methods but text": '{"log_z": "ais"}',
}


@pytest.mark.parametrize("text", RECIPES.values(), ids=RECIPES)
def test_that_a_recipe_that_will_not_do_is_refused_in_one_line(text, here, capsys):
    (here / "r.json").write_text(text)
    line = fault(capsys, "train", "r.json", "-o", "run", "--steps", 1)
    assert re.search(r";|did you mean|such as", line), "the line does not say what would be right"
    assert [path.name for path in here.iterdir()] == ["r.json"]


POINTS = {
    "text": "1,2\nhello,world\n",
    "one column": "1\n2\n3\n",
    "not a number": "1,2\nnan,3\n",
    "no rows": "",
    "heading only": "x,y\n",
    "three columns": "1,2,3\n",
}


@pytest.mark.parametrize("text", POINTS.values(), ids=POINTS)
def test_that_points_that_will_not_do_are_refused_in_one_line(text, here, capsys):
    (here / "p.csv").write_text(text)
    (here / "r.json").write_text('{"target": {"kind": "points", "path": "p.csv"}}')
    assert "p.csv" in fault(capsys, "train", "r.json", "-o", "run")
    assert sorted(path.name for path in here.iterdir()) == ["p.csv", "r.json"]


def picture(path, size, shade):
    Image.new("L", size, shade).save(path)


PICTURES = {
    "not a picture": lambda path: path.write_text("hello"),
    "empty": lambda path: path.write_bytes(b""),
    "cut short": lambda path: (picture(path, (64, 64), 0), path.write_bytes(path.read_bytes()[:60])),
    "blank": lambda path: picture(path, (16, 16), 255),
    "huge": lambda path: path.write_bytes(
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\1\0\0\0\1\0\0\x08\0\0\0\0"
        + zlib.crc32(b"IHDR\0\1\0\0\0\1\0\0\x08\0\0\0\0").to_bytes(4, "big")
    ),
    "a folder": lambda path: path.mkdir(),
}


@pytest.mark.parametrize("make", PICTURES.values(), ids=PICTURES)
def test_that_a_picture_that_will_not_do_is_refused_in_one_line(make, here, capsys):
    make(here / "i.png")
    (here / "r.json").write_text('{"target": {"kind": "image", "path": "i.png"}}')
    line = fault(capsys, "train", "r.json", "-o", "run")
    assert re.search(r";|try|give", line), "the line does not say what would be right"
    assert sorted(path.name for path in here.iterdir()) == ["i.png", "r.json"]


def test_that_a_recipe_that_is_no_text_is_refused(here, capsys):
    (here / "r.json").write_bytes(b"\xff\xfe\x00\x80")
    assert "r.json" in fault(capsys, "evaluate", "r.json")


def test_that_a_recipe_may_come_from_standard_input(here, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO('{"batch": 0}'))
    assert "standard input: batch" in fault(capsys, "train", "-", "-o", "run")


def test_that_the_fault_names_file_key_and_mend(here, capsys):
    (here / "r.json").write_text('{"estimator": {"kind": "pcd", "stepps": 3}}')
    assert fault(capsys, "evaluate", "r.json") == (
        "ebmlab: r.json: estimator.stepps: there is no such key; did you mean steps?\n"
    )


def test_that_what_is_in_the_way_of_a_run_stays(here, capsys):
    (here / "run").mkdir()
    (here / "run" / "letter.txt").write_text("dear")
    (here / "file").write_text("x")
    for name in ("run", "file"):
        fault(capsys, "train", "-o", name, *SMALL)
    assert (here / "run" / "letter.txt").read_text() == "dear"
    assert len(list(here.rglob("*"))) == 3


def test_that_a_run_that_diverges_exits_1_and_names_step_and_term(here, capsys, quick_figures):
    words = [
        "--set",
        "estimator=dsm",
        "--set",
        "optimizer=sgd",
        "--set",
        "optimizer.rate=10",
        "--set",
        "estimator.sigma=0.001",
    ]
    assert main(["train", "-o", "run", *SMALL, *words, "--steps", "200", "--json"]) == 1
    out, err = capsys.readouterr()
    answer = json.loads(out)
    assert answer["diverged"] is True
    assert answer["steps"] < 200
    assert re.fullmatch(r"ebmlab: diverged at step \d+: the \w+ (is|are) not finite; turn down .*\n", err)


def test_that_an_interrupt_saves_nothing(here, capsys, monkeypatch):
    def interrupt(session):
        raise KeyboardInterrupt

    monkeypatch.setattr("ebmlab.session.session.Session.step", interrupt)
    fault(capsys, "train", "-o", "run", *SMALL, code=130)
    assert list(here.iterdir()) == []


def test_that_without_a_display_the_window_names_what_needs_none(capsys, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("ebmlab.cli.gui.has_display", lambda: False)
    assert "train" in fault(capsys)


def test_that_a_disk_that_refuses_is_one_line(here, capsys, monkeypatch, quick_figures):
    def refuse(*args):
        raise PermissionError(13, "Permission denied", "run")

    monkeypatch.setattr("ebmlab.cli.train.write_run", refuse)
    assert "run: permission denied" in fault(capsys, "train", "-o", "run", *SMALL)


def test_that_the_default_recipe_is_what_an_empty_file_of_json_means(here):
    (here / "r.json").write_text("{}")
    assert Recipe.load(here / "r.json") == Recipe()
