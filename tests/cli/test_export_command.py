from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest

from ebmlab.cli.arguments import parser
from ebmlab.cli.main import main
from ebmlab.record.export import EXPORTS, Check, Exported
from ebmlab.session.archive import load_run
from ebmlab.session.recipe import Recipe
from ebmlab.session.share import SHARES, from_link, link

RECIPE = Recipe.loads('{"energy": {"kind": "mlp", "width": 8, "depth": 1}, "batch": 16, "seed": 4}')


@pytest.fixture
def folder(tmp_path, monkeypatch, quick_figures):
    """The current folder, with a small recipe r.json and a run of it."""

    monkeypatch.chdir(tmp_path)
    RECIPE.save("r.json")
    assert main(["train", "r.json", "-o", "run", "--steps", "2", "--device", "cpu", "--json"]) == 0
    return tmp_path


def answer(capsys, *words):
    capsys.readouterr()
    assert main(list(words)) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out)


def refused(capsys, *words):
    capsys.readouterr()
    assert main(list(words)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


def test_that_export_answers_with_the_file_and_its_check(folder, capsys):
    found = answer(capsys, "export", "run", "--to", "safetensors", "-o", "e.safetensors", "--json")
    assert found["format"] == "safetensors"
    assert found["file"] == "e.safetensors"
    assert found["bytes"] == (folder / "e.safetensors").stat().st_size
    assert set(found["check"]) == {"by", "points", "error", "rounding"}
    assert found["check"]["error"] == 0


def test_that_weights_go_out_and_come_in_with_the_same_figures(folder, capsys):
    answer(capsys, "export", "run", "--to", "safetensors", "-o", "e.safetensors", "--json")
    found = answer(capsys, "import", "e.safetensors", "-o", "again.ebmlab", "--json")
    assert found == {"run": "again.ebmlab", "energy": "mlp", "step": 2, "numbers": 33}
    assert load_run("again.ebmlab").recipe == RECIPE
    figures = [answer(capsys, "evaluate", run, "--json") for run in ("run", "again.ebmlab", "e.safetensors")]
    assert figures[0] == figures[1] == figures[2]


def test_that_a_recipe_is_exported_untrained_and_amended(folder, capsys):
    words = ["export", "r.json", "--to", "csv-trace", "-o", "t.csv", "--set", "energy.width=4"]
    assert answer(capsys, *words, "--json")["check"] is None
    assert (folder / "t.csv").read_text() == "step,training.value,training.accept,training.log_z\n"


def test_that_export_says_it_in_words(folder, capsys):
    assert main(["export", "run", "--to", "safetensors", "-o", "e.safetensors"]) == 0
    assert "read again by the lab at 3,331 points: the same as torch" in capsys.readouterr().out


def test_that_a_failed_check_exits_with_1(folder, capsys, monkeypatch):
    def failed(*_):
        yield 0.5
        return Exported(format="onnx", path="e.onnx", check=Check("x", 1, 1.0), fault="x differs from torch by 1")

    monkeypatch.setattr("ebmlab.cli.export.export", failed)
    capsys.readouterr()
    assert main(["export", "run", "--to", "onnx", "-o", "e.onnx"]) == 1
    assert capsys.readouterr().err == "ebmlab: x differs from torch by 1\n"


def test_that_a_missing_package_is_said_before_the_run_is_read(folder, capsys, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert 'pip install "ebmlab[onnx]"' in refused(capsys, "export", "nosuch", "--to", "onnx", "-o", "e.onnx")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["export", "run", "--to", "csv", "-o", "e"], "csv-particles"),
        (["export", "run", "--to", "pt2", "-o", "no/e.pt2"], "no such folder"),
        (["export", "nosuch", "--to", "pt2", "-o", "e.pt2"], "no such file"),
        (["export", "run", "--to", "pt2"], "-o"),
        (["import", "r.json", "-o", "again"], "no safetensors file"),
        (["import", "nosuch", "-o", "again"], "nosuch"),
        (["import", "r.json", "-o", "r.json"], "in the way"),
        (["share", "nosuch"], "no such file"),
        (["share", "ebmlab:1:abc"], "missing or changed"),
        (["share", "--as", "poem"], "poem"),
        (["share", "--set", "target=points", "--set", "target.path=p.csv"], "a link holds no files"),
    ],
)
def test_that_bad_input_gets_one_line(folder, capsys, words, said):
    assert said in refused(capsys, *words)


def test_that_a_link_stands_for_a_recipe(folder, capsys, monkeypatch):
    text = link(RECIPE)
    trained = answer(capsys, "evaluate", text, "--json")
    assert trained == answer(capsys, "evaluate", "r.json", "--json")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"\n  {text[:20]}\n  {text[20:]}\n"))
    assert answer(capsys, "share", "-", "--json")["text"] == text


def test_that_the_link_of_the_readme_is_one():
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    found = [from_link(text) for text in re.findall(r"`(ebmlab:1:\w[^`]+)`", text)]
    assert [recipe.target.kind for recipe in found] == ["ring"]


@pytest.mark.parametrize("form", SHARES)
def test_that_share_prints_every_form(folder, capsys, form):
    capsys.readouterr()
    assert main(["share", "r.json", "--as", form]) == 0
    said = capsys.readouterr().out
    assert said.rstrip("\n") == SHARES[form](RECIPE).rstrip("\n")


def test_that_the_steps_of_a_run_or_an_exhibit_are_shared_with_it(folder, capsys):
    assert "--steps 2 " in answer(capsys, "share", "run", "--as", "command", "--json")["text"]
    assert "range(1200)" in answer(capsys, "share", "thin-data", "--as", "python", "--json")["text"]
    assert from_link(answer(capsys, "share", "run", "--json")["text"]) == RECIPE


def test_that_the_help_names_every_format(capsys):
    with pytest.raises(SystemExit):
        parser().parse_args(["export", "--help"])
    said = "".join(capsys.readouterr().out.split())
    short = [name if not name.startswith("csv-") else name.removeprefix("csv") for name in EXPORTS]
    assert [name for name in short if name not in said] == []
