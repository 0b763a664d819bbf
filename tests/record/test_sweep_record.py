from __future__ import annotations

import csv
import html.parser
import sys

import pytest
from PIL import Image

from ebmlab.engine.energies import MLP
from ebmlab.record.sweep import columns, save_csv, save_page, save_parquet
from ebmlab.record.sweep_pictures import ACROSS, DOWN, draw_models, draw_pages, save_pages, width
from ebmlab.session.checkpoint import save_run
from ebmlab.session.recipe import Recipe
from ebmlab.session.session import Session
from ebmlab.session.tried import Tried


def row(i, knobs, **parts):
    figures = {"kl": 0.5 + i, "nll": 1.0, "log_z": 2.0, "log_z_error": 1e-9}
    recipe = Recipe(energy=MLP(width=4), seed=i)
    return Tried(
        **{"name": f"{i:03}", "recipe": recipe, "steps": 7, "seconds": 0.5, "figures": figures, "knobs": knobs} | parts
    )


def grid(*sizes):
    """Returns rows of a sweep over knobs a, b, ... with so many values each."""

    places = [()]
    for name, size in zip("abcd", sizes):
        places = [(*place, (f"x.{name}", value)) for place in places for value in range(size)]
    return [row(i, place) for i, place in enumerate(places)]


def blank(rows):
    return [Image.new("RGB", (132, 132), "#404040") for _ in rows]


ODD = [
    row(0, (("estimator", "dsm"), ("seed", 0))),
    row(1, (("estimator", {"kind": "dsm", "sigma": 0.1}), ("seed", 1)), diverged=True, why="diverged at <step> 3"),
    row(2, (("estimator", "cd"), ("seed", 2)), figures={"kl": None, "why": {"kl": "not settled"}}),
]


def test_that_the_table_has_a_row_a_run_and_says_why_a_figure_is_missing(tmp_path):
    save_csv(ODD, tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    wanted = "run estimator seed steps seconds kl nll log_z error diverged why together"
    assert list(found[0]) == wanted.split()
    assert [line["estimator"] for line in found] == ["dsm", '{"kind": "dsm", "sigma": 0.1}', "cd"]
    assert [line["kl"] for line in found] == ["0.5", "1.5", ""]
    assert [line["why"] for line in found] == ["", "diverged at <step> 3", "not settled"]


def test_that_the_seed_is_a_column_even_where_it_does_not_vary():
    assert columns(grid(2))["seed"] == [0, 1]


def test_that_parquet_holds_the_same_table(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    assert save_parquet(ODD, tmp_path / "t.parquet")
    assert parquet.read_table(tmp_path / "t.parquet").to_pydict() == columns(ODD)


def test_that_numbers_of_two_kinds_share_a_column(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [row(0, (("batch", 1), ("k", 1))), row(1, (("batch", 0.5), ("k", "a")))]
    save_parquet(rows, tmp_path / "t.parquet")
    table = parquet.read_table(tmp_path / "t.parquet").to_pydict()
    assert table["batch"] == [1.0, 0.5]
    assert table["k"] == ["1", "a"]


def test_that_there_is_no_parquet_without_pyarrow(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert not save_parquet(ODD, tmp_path / "t.parquet")
    assert list(tmp_path.iterdir()) == []


def test_that_the_page_stands_by_itself(tmp_path):
    save_page(ODD, blank(ODD), "a & b", tmp_path / "p.html")
    tags, text = [], (tmp_path / "p.html").read_text()

    class Reader(html.parser.HTMLParser):
        def handle_starttag(self, tag, attrs):
            tags.append((tag, dict(attrs)))

    Reader().feed(text)
    assert "a &amp; b" in text
    assert "diverged at &lt;step&gt; 3" in text
    pictures = [attrs["src"] for tag, attrs in tags if tag == "img"]
    assert len(pictures) == 3
    assert all(source.startswith("data:image/png;base64,") for source in pictures)
    assert not {tag for tag, _ in tags} & {"script", "link", "iframe"}


@pytest.mark.parametrize(
    ("sizes", "across"),
    [
        ((8, 8), 8),
        ((2, 3, 2), 6),
        ((5, 2, 4), 8),
        ((64,), ACROSS),
        ((3,), 3),
        ((3, 3, 3), 9),
        ((2, 17), ACROSS),
        ((), 1),
    ],
)
def test_that_a_row_of_pictures_is_a_round_of_the_knobs_that_vary_fastest(sizes, across):
    assert width(grid(*sizes)) == across


def test_that_many_runs_are_spread_over_pages(tmp_path):
    rows = grid(3, 40)
    pages = list(draw_pages(rows, blank(rows), "many"))
    assert len(pages) == 2
    assert all(max(page.size) < 2200 for page in pages)
    assert save_pages(rows, blank(rows), "many", tmp_path / "p.png") == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p-2.png", "p.png"]
    assert len(rows) <= 2 * ACROSS * DOWN


def test_that_each_run_has_the_picture_of_its_own_model(tmp_path):
    rows = []
    for i in range(2):
        session = Session(Recipe(energy=MLP(width=4, confinement=1.0), seed=i), "cpu")
        save_run(session, tmp_path / f"{i}.ebmlab")
        rows.append(row(i, (("seed", i),), session=str(tmp_path / f"{i}.ebmlab")))
    one, other = draw_models(rows)
    assert one.size == other.size == (132, 132)
    assert one.tobytes() != other.tobytes()
