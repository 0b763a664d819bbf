from __future__ import annotations

import numpy as np
from PySide6.QtCore import QByteArray
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

import ebmlab.session.recipe  # noqa: F401  fills the families
from ebmlab.engine.estimators import PersistentContrastiveDivergence
from ebmlab.gui import theme
from ebmlab.gui.equations import EquationView
from ebmlab.gui.tex import inline, rich
from ebmlab.paint import boxes, equations
from ebmlab.paint.equations import lines, paint, pieces, terms, typeset
from ebmlab.spec import FAMILIES, page

# The offscreen platform says so of every window that has a least size.

PHASES, *_ = page(PersistentContrastiveDivergence).equations
LANGEVIN = r"x' = x - \epsilon \, \nabla E(x) + \sqrt{2 \epsilon} \, z, \qquad z \sim \mathcal{N}(0, I)"


def test_that_wide_spaces_hold_formulas_apart():
    assert pieces(r"a = b, \qquad c = d \quad e") == ["a = b,", "c = d", "e"]


def test_that_terms_begin_with_their_operator_and_brackets_stay_whole():
    assert terms(r"L = a - (b + c) + \frac{d - e}{f}") == ["L", "= a", "- (b + c)", r"+ \frac{d - e}{f}"]


def test_that_fences_of_bars_stay_whole():
    assert terms(r"J = \left| a - b \right|^2 + c") == ["J", r"= \left| a - b \right|^2", "+ c"]


def test_that_a_raised_minus_is_no_operator():
    assert terms(r"x^- + y") == ["x^-", "+ y"]


def test_that_a_leading_minus_stays_with_its_term():
    assert terms(r"a = - b") == ["a", "= - b"]


def test_that_the_positive_phase_is_blue_and_the_negative_orange():
    svg = paint(typeset(" ".join(terms(PHASES))).svg, theme.DARK)
    assert all(colour in svg for colour in (theme.DARK.ink, theme.DARK.blue, theme.DARK.orange))


def test_that_an_equation_without_two_phases_is_all_ink():
    svg = paint(typeset(" ".join(terms(LANGEVIN))).svg, theme.LIGHT)
    assert theme.LIGHT.ink in svg
    assert theme.LIGHT.blue not in svg
    assert theme.LIGHT.orange not in svg


def test_that_overlines_are_painted_in_ink_too():
    assert 'fill="black"' not in typeset(r"\overline{E}").svg


def test_that_lines_are_no_wider_than_the_room_where_terms_allow():
    for line in lines((LANGEVIN,), 200.0):
        assert sum(typeset(piece).width for piece in line) <= 200.0
    assert len(lines((LANGEVIN,), 200.0)) > len(lines((LANGEVIN,), 1000.0)) == 1


def test_that_what_cannot_be_typeset_is_shown_as_text():
    assert typeset(r"\frac{").width > 0


def test_that_a_view_paints_its_equation_in_the_colours_of_the_phases(qtbot):
    view = EquationView((PHASES,))
    qtbot.addWidget(view)
    view.resize(260, 40)
    view.typeset()
    image = view.grab().toImage()
    seen = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}
    palette = theme.current().palette
    assert {palette.blue, palette.orange} <= seen
    assert view.height() > 40


def test_that_a_view_typesets_itself_once_it_is_seen(qtbot):
    view = EquationView((r"E = m c^2",))
    qtbot.addWidget(view)
    view.resize(260, 40)
    view.show()
    qtbot.waitUntil(lambda: not view._picture.isNull())
    image, ink = view._picture.toImage(), theme.current().palette.ink
    assert ink in {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}


def test_that_a_narrow_view_takes_more_height(qtbot):
    heights = []
    for width in (600, 150):
        view = EquationView((LANGEVIN,))
        qtbot.addWidget(view)
        view.resize(width, 40)
        view.typeset()
        heights.append(view.height())
    assert heights[0] < heights[1]


def test_that_missing_names_every_piece_that_lines_would_typeset(monkeypatch):
    monkeypatch.setattr(equations, "_known", {})
    while (tex := equations.missing((LANGEVIN,), 400.0)) is not None:
        typeset(tex)
    known = len(equations._known)
    lines((LANGEVIN,), 400.0)
    assert len(equations._known) == known


def test_that_every_equation_of_the_catalogue_was_drawn_ahead():
    stored = set(boxes._stored()["pieces"])
    assert stored == set(equations.catalogue()), "assets/equations.json is stale; run `make equations`"


def test_that_what_was_drawn_ahead_looks_as_ziamath_draws_it_now():
    """Some pieces, since drawing them all takes seconds."""

    for tex in equations.catalogue()[::40]:
        ahead, now = picture(boxes.recall(tex)), picture(boxes.draw(tex))
        assert ahead.shape == now.shape, f"{tex} is stale; run `make equations`"
        assert np.abs(ahead - now).max() < 0.2, f"{tex} is stale; run `make equations`"


def picture(box):
    """Returns the ink of a box at twice its size, as shares of full ink."""

    image = QImage(round(2 * box.width), round(2 * (box.ascent + box.descent)), QImage.Format.Format_ARGB32)
    image.fill(0)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    QSvgRenderer(QByteArray(box.svg.encode())).render(painter)
    painter.end()
    alpha = [[image.pixelColor(x, y).alphaF() for x in range(image.width())] for y in range(image.height())]
    return np.array(alpha)


def test_that_a_new_component_is_drawn_on_the_spot():
    assert boxes.recall(r"q_{new} = 1") is None
    assert typeset(r"q_{new} = 1").width > 0


def test_that_packing_holds_a_glyph_once():
    packed = boxes.pack([(tex, boxes.draw(tex)) for tex in ("a", "a a", "b")])
    assert len(packed["glyphs"]) == 2
    assert boxes.unpack(packed, "a a").svg.count("<path") == 2


def test_that_inline_formulas_become_characters():
    assert inline(r"\tau / (a (1 - \epsilon a / 2))") == "τ / (a (1 − ε a / 2))"
    assert inline(r"e^{-E_\theta(x)}") == "e<sup>−E<sub>θ</sub>(x)</sup>"
    assert inline(r"\frac{a + b}{2}") == "(a + b)/2"
    assert inline(r"\sqrt d < \hat{Z}") == "√d &lt; Z\u0302"


def test_that_a_docstring_becomes_paragraphs_without_markup():
    text = rich("The *blurred* target\nby :math:`\\sigma`, see :func:`step`.\n\nAnd ``x``.")
    assert text == "<p>The <i>blurred</i> target by σ, see step.</p><p>And x.</p>"


def test_that_every_equation_of_the_catalogue_can_be_typeset():
    """By the parser alone, since drawing them all takes seconds."""

    from latex2mathml.converter import convert

    for registry in FAMILIES.values():
        for cls in registry.values():
            for equation in page(cls).equations:
                for piece in pieces(equation):
                    for tex in (piece, *terms(piece), " ".join(terms(piece))):
                        assert convert(tex)
