"""A chart saved as what it shows: as a picture, as a drawing, as numbers."""

from __future__ import annotations

import csv
import re

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QMessageBox

from ebmlab.gui.views.chart import Chart
from ebmlab.paint.likelihood import Likelihood
from ebmlab.session.recipe import Recipe
from ebmlab.session.snapshot import Lens, Snapshot
from ebmlab.session.trace import Trace


def snapshot(n=50):
    exact = Trace("step", "log_z", "error", "nll", "entropy", "kl", "train_nll", "held_out_nll")
    for i in range(n):
        exact.append(10 * i, 1.0, 0.0, 2 + 1 / (i + 1), 2.0, 1 / (i + 1), float("nan"), float("nan"))
    return Snapshot(step=10 * n, recipe=Recipe(), lens=Lens(), exact=exact.view())


@pytest.fixture
def chart(qtbot):
    made = Chart(Likelihood())
    qtbot.addWidget(made)
    made.resize(420, 220)
    made.show()
    made.take(snapshot(), 500)
    made.redraw()
    return made


def save_as(chart):
    return next(action for action in chart.menu().actions() if action.text() == "Save as…")


def test_that_the_picture_is_twice_as_fine_as_the_screen_and_looks_like_it(chart, tmp_path, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "mine"), ""))
    save_as(chart).trigger()
    saved = QImage(str(tmp_path / "mine.png"))
    assert saved.size().toTuple() == (840, 440)
    assert len({saved.pixelColor(x, 220).name() for x in range(840)}) > 3


def test_that_a_drawing_keeps_its_text(chart, tmp_path):
    chart.save(str(tmp_path / "mine.svg"))
    texts = re.findall(r">([^<>]+)</text>", (tmp_path / "mine.svg").read_text(encoding="utf-8"))
    assert {"Likelihood", "NLL"} <= {text.strip() for text in texts}
    chart.save(str(tmp_path / "mine.pdf"))
    assert (tmp_path / "mine.pdf").read_bytes().startswith(b"%PDF")


def test_that_the_numbers_are_those_of_the_curves_that_can_be_seen(chart, tmp_path):
    chart.save(str(tmp_path / "mine.csv"))
    with (tmp_path / "mine.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["curve"] for row in rows} == {curve.label for curve in chart.curves}
    nll = [(float(row["step"]), float(row["value"])) for row in rows if row["curve"] == "NLL"]
    assert nll[0] == (0.0, 3.0)
    assert len(nll) == 50


def test_that_the_chart_stays_as_it_is(chart, tmp_path):
    before, page = chart.grab().toImage(), chart.painter.plot.page
    chart.save(str(tmp_path / "mine.png"))
    assert chart.painter.plot.page == page
    assert chart.grab().toImage() == before


@pytest.mark.parametrize(("name", "says"), [("mine.xyz", "end it in .png"), ("none/mine.png", "choose another place")])
def test_that_what_cannot_be_saved_is_told_in_one_sentence(chart, tmp_path, monkeypatch, name, says):
    told = []
    monkeypatch.setattr(QMessageBox, "warning", lambda *args: told.append(args[2]))
    chart.save(str(tmp_path / name))
    assert [says in text for text in told] == [True]
    assert list(tmp_path.iterdir()) == []
