from __future__ import annotations

import csv
import io
import re

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QByteArray
from PySide6.QtGui import QImage
from PySide6.QtSvg import QSvgRenderer

from ebmlab.paint.figures import check_figure, data, is_figure, lens_of, pdf, png, save_figure, svg
from ebmlab.paint.film import array
from ebmlab.paint.layout import Layout, columns
from ebmlab.paint.look import LIGHT, Theme
from ebmlab.paint.scene import Scene
from ebmlab.paint.shapes import drawing
from ebmlab.spec import BadInput

BRIGHT = Theme(palette=LIGHT)
LAYOUT = Layout(columns=columns("energy+data|objective"), size=(640, 360), theme=BRIGHT, caption="Two words")


def shown(reel, layout=LAYOUT):
    return reel.snapshot(60, lens_of(layout, reel.recipe_at(60).window))


def test_that_an_svg_holds_text_as_text_and_one_raster_for_each_field(reel):
    text = svg(LAYOUT, shown(reel)).decode()
    for words in ("Two words", "Energy", "Objective", "step 60"):
        assert words in text
    assert text.count("<image") == 1
    points = np.concatenate([shown(reel).data, shown(reel).particles])
    assert text.count("<circle") == 2 * (np.abs(points) < 6).all(-1).sum()  # each with its rim
    assert svg(Layout(columns=columns("objective"), size=(640, 360)), shown(reel)).count(b"<image") == 0


@pytest.mark.parametrize("text", ["energy+data|objective", "surface|target", "score,objective"])
def test_that_an_svg_looks_like_the_picture_of_pixels(reel, text):
    layout = Layout(columns=columns(text), size=(640, 360), theme=BRIGHT)
    image = QImage(640, 360, QImage.Format.Format_RGB32)
    with drawing(image) as painter:
        QSvgRenderer(QByteArray(svg(layout, shown(reel, layout)))).render(painter)
    pixels = array(Scene(layout, reel.recipe_at(60).window).image(shown(reel, layout)))
    assert np.abs(array(image).astype(int) - pixels).mean() < 6


def test_that_curves_in_an_svg_stay_within_their_axes(reel):
    layout = Layout(columns=columns("objective"), size=(640, 360))
    for points in re.findall(r'<polyline[^>]*points="([^"]*)"', svg(layout, shown(reel, layout)).decode()):
        at = np.array([pair.split(",") for pair in points.split()], float)
        assert (np.abs(at) < 700).all()


def test_that_a_pdf_is_one_page_of_the_size_asked_for_with_text_in_it(reel):
    content = pdf(LAYOUT, shown(reel))
    assert content.startswith(b"%PDF")
    assert content.count(b"/Type /Page\n") == 1
    left, top, width, height = map(float, re.search(rb"/MediaBox \[(\S+) (\S+) (\S+) (\S+)\]", content).groups())
    assert (left, top) == (0, 0)
    assert (width, height) == pytest.approx((640 * 0.75, 360 * 0.75), abs=1)
    assert b"/Font" in content


def test_that_a_png_has_the_size_asked_for(reel, tmp_path):
    (tmp_path / "p.png").write_bytes(png(LAYOUT, shown(reel)))
    with Image.open(tmp_path / "p.png") as image:
        assert image.size == (640, 360)


def test_that_the_numbers_of_a_picture_are_those_of_the_snapshot(reel):
    snapshot = shown(reel)
    rows = list(csv.DictReader(io.StringIO(data(LAYOUT, snapshot).decode())))
    field = np.array([float(r["value"]) for r in rows if r["figure"] == "energy" and r["value"]])
    np.testing.assert_allclose(field.reshape(snapshot.energy.shape), snapshot.energy, rtol=1e-6)
    points = np.array([[float(r["x"]), float(r["y"])] for r in rows if r["curve"] == "data"])
    np.testing.assert_allclose(points, snapshot.data, rtol=1e-6)
    curve = [(float(r["x"]), float(r["value"])) for r in rows if r["figure"] == "objective"]
    np.testing.assert_allclose(curve, np.stack([snapshot.training["step"], snapshot.training["value"]], -1), rtol=1e-8)


@pytest.mark.parametrize("ending", ["png", "svg", "pdf", "csv"])
def test_that_a_picture_is_written_whole_or_not_at_all(reel, tmp_path, monkeypatch, ending):
    path = tmp_path / f"picture.{ending}"
    save_figure(LAYOUT, shown(reel), path)
    assert path.stat().st_size > 500
    before = path.read_bytes()
    broken = Layout(columns=LAYOUT.columns, size=(100, 100))
    if ending != "csv":
        with pytest.raises(BadInput):
            save_figure(broken, shown(reel), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["p.bmp", "p", "no/p.png", "folder.png"])
def test_that_a_place_for_a_picture_that_will_not_do_is_refused(tmp_path, name):
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(BadInput, match=r"end it in|make it first|name a file"):
        check_figure(tmp_path / name)


def test_that_numbered_pictures_are_no_single_picture(tmp_path):
    assert is_figure(tmp_path / "p.png")
    assert not is_figure(tmp_path / "p-%03d.png")
    assert not is_figure(tmp_path / "p.gif")
