"""The catalogue beside the form, read and used with mouse and keys."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton

from ebmlab.engine.energies import MLP
from ebmlab.engine.estimators import PersistentContrastiveDivergence
from ebmlab.engine.logz import AIS
from ebmlab.gui import equations, theme
from ebmlab.gui.labels import families, label, sections
from ebmlab.gui.panels.catalogue import CataloguePanel, name_of
from ebmlab.gui.panels.sheet import ComponentSheet
from ebmlab.gui.window import LabWindow
from ebmlab.paint.boxes import Box
from ebmlab.session.recipe import Recipe
from ebmlab.spec import FAMILIES, amend, knobs, page
from ebmlab.spec.catalogue import note

SMALL = Recipe(energy=MLP(width=8, depth=1), estimator=PersistentContrastiveDivergence(steps=2), batch=16, log_z=())
LEFT = Qt.MouseButton.LeftButton
EVERY = [f"{family}/{kind}" for family in families() for kind in FAMILIES[family]]

# The offscreen platform says so of every window that has a least size.


@pytest.fixture
def panel(qtbot, monkeypatch):
    monkeypatch.setattr(equations, "typeset", lambda tex: Box("<svg/>", 0.0, 10.0, 10.0, 2.0))  # in no time
    monkeypatch.setattr(equations, "missing", lambda equations, width: None)
    made = CataloguePanel(Recipe())
    qtbot.addWidget(made)
    made.resize(360, 800)
    made.show()
    return made


def click(panel, name):
    """Clicks the component's line in the tree."""

    item = next(item for item in panel._items() if name_of(item) == name)
    item.parent().setExpanded(True)
    panel.tree.scrollToItem(item)
    QTest.mouseClick(panel.tree.viewport(), LEFT, pos=panel.tree.visualItemRect(item).center())


def test_that_every_family_that_a_recipe_holds_has_its_place():
    queue, held = [Recipe], set()
    while queue:
        found = {k.family for _, _, k in knobs(queue.pop()) if k.family} - held
        held |= found
        queue += [cls for family in found for cls in FAMILIES[family].values()]
    assert held == set(families())


def test_that_every_component_is_listed_once_under_its_heading(panel):
    assert sorted(panel.listed()) == sorted(EVERY)
    headings = [top.text(0) for top in panel._tops()]
    assert headings == [section.heading for family in families() for section in sections(family)]
    assert headings[:3] == ["Targets", "Energies", "Normalised models"]


@pytest.fixture(scope="module")
def sheet(qapp):
    made = ComponentSheet()
    yield made
    made.deleteLater()
    QTest.qWait(0)


@pytest.mark.parametrize("name", EVERY)
def test_that_a_page_shows_all_that_its_declaration_says(sheet, name):
    family, kind = name.split("/")
    p = page(FAMILIES[family][kind])
    sheet.show_component(FAMILIES[family][kind])
    assert sheet.title.text() == p.title
    assert sheet.name.text() == f"{family} · {kind}"
    assert sheet.equation.accessibleDescription() == "; ".join(p.equations)
    assert all(link in sheet.text.text().replace("&amp;", "&") for _, link in p.references)
    said = sheet.knobs.text().replace("&#x27;", "'").replace("&quot;", '"').replace("&lt;", "<").replace("&gt;", ">")
    for knob_name, _, k in p.knobs:
        assert label(knob_name, k) in said
        assert k.help in said
        assert note(k) in said
        assert (f"{label(knob_name, k)} ↺" in said) is not k.live


def test_that_the_pages_fit_into_their_column(panel, qtbot):
    for name in ("target/drawing", "target/gaussian-mixture", "estimator/pt-pcd", "log-z/ais", "energy/mixture"):
        panel.open_page(name)
        qtbot.wait(1)
        assert panel.sheet.widget().width() <= panel.sheet.viewport().width()


def test_that_clicking_a_component_turns_to_its_page(panel):
    click(panel, "sampler/mala")
    assert panel.sheet.shown == "sampler/mala"


def test_that_typing_leaves_what_holds_all_the_words_wherever_they_stand(panel):
    QTest.keyClicks(panel.seek, "metropolis langevin")
    assert "sampler/mala" in panel.listed()
    assert "sampler/slice" not in panel.listed()
    panel.seek.setText("hyvärinen")
    assert "estimator/ism" in panel.listed(), "by the author of its paper"
    panel.seek.setText("step size")
    assert "sampler/ula" in panel.listed(), "by a knob"
    panel.seek.setText("zzz")
    assert panel.listed() == []
    assert panel.nothing.isVisible()
    panel.seek.clear()
    assert len(panel.listed()) == len(EVERY)


def test_that_enter_and_the_arrows_lead_from_the_search_to_what_it_found(panel):
    QTest.keyClicks(panel.seek, "sliced")
    QTest.keyClick(panel.seek, Qt.Key.Key_Return)
    assert panel.sheet.shown == panel.listed()[0]
    QTest.keyClick(panel.seek, Qt.Key.Key_Down)
    assert panel.tree.hasFocus()


def test_that_a_part_leads_to_its_own_page_and_a_paper_to_the_browser(panel, monkeypatch):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()))
    panel.open_page("estimator/pcd")
    panel.sheet.text.linkActivated.emit("https://www.example.org/paper")
    assert opened == ["https://www.example.org/paper"]
    assert 'href="catalogue:sampler/ula"' in panel.sheet.knobs.text()
    panel.sheet.knobs.linkActivated.emit("catalogue:sampler/ula")
    assert panel.sheet.shown == "sampler/ula"
    assert len(opened) == 1


def test_that_a_page_that_the_search_hides_is_shown_all_the_same(panel):
    panel.seek.setText("moons")
    panel.open_page("sampler/hmc")
    assert panel.sheet.shown == "sampler/hmc"
    assert panel.seek.text() == ""


def test_that_another_recipe_turns_no_page(panel):
    panel.open_page("estimator/pcd")
    panel.show_recipe(amend(Recipe(), "estimator", "dsm"))
    assert panel.sheet.shown == "estimator/pcd"


def test_that_only_what_a_recipe_lacks_and_can_have_is_offered_to_it(panel):
    use = panel.sheet.use
    panel.open_page("estimator/pcd")
    assert (use.text(), use.isEnabled()) == ("In use", False)
    panel.show_recipe(amend(Recipe(), "estimator", "dsm"))
    assert (use.text(), use.isEnabled()) == ("Use it", True)
    panel.open_page("log-z/ais")
    assert (use.text(), use.isEnabled()) == ("Add it", True)
    panel.open_page("mark/brush")
    assert not use.isVisible()


def test_that_the_page_follows_the_theme(panel, qapp):
    panel.open_page("estimator/pcd")
    assert theme.DARK.accent in panel.sheet.text.text()
    theme.apply(qapp, theme.Theme(palette=theme.LIGHT))
    assert theme.LIGHT.accent in panel.sheet.text.text()
    theme.apply(qapp, theme.Theme())


@pytest.fixture(scope="module")
def shared(qapp):
    made = LabWindow(None)
    made.resize(1280, 800)
    made.furnish(SMALL)
    made.lab.filing.quiet = True
    made.show()
    for _ in range(300):
        if made.lab.snapshot is None:
            QTest.qWait(50)
    yield made
    made.close()
    made.deleteLater()
    QTest.qWait(0)


@pytest.fixture
def lab(shared, qtbot):
    shared.lab.document.new(SMALL)
    shared.lab.shelf.put_away()
    shared.lab.canvas.setFocus()
    return shared.lab


def is_open(lab):
    return lab.window.shelf.isVisible()


def test_that_a_key_opens_and_closes_it_between_form_and_canvas(lab):
    QTest.keyClick(lab.window, Qt.Key.Key_F2)
    assert is_open(lab)
    shelf = lab.window.shelf
    assert lab.window.side.geometry().right() < shelf.x() < shelf.geometry().right() < lab.window.centre.x()
    assert shelf.width() == pytest.approx(360, abs=3)
    assert lab.shelf.catalogue.seek.hasFocus()
    QTest.keyClick(lab.window, Qt.Key.Key_F2)
    assert not is_open(lab)
    assert lab.canvas.hasFocus()


def test_that_in_a_small_window_it_takes_the_place_of_the_form(lab):
    size = lab.window.size()
    lab.window.resize(800, 600)
    QTest.qWait(10)
    lab.window.actions_["catalogue"].trigger()
    assert lab.window.width() == 800
    assert lab.window.shelf.width() >= 240
    assert not lab.window.side.isVisible()
    lab.window.actions_["catalogue"].trigger()
    assert lab.window.side.isVisible()
    lab.window.resize(size)


def test_that_escape_and_the_cross_close_it(lab):
    lab.window.actions_["catalogue"].trigger()
    QTest.keyClick(lab.shelf.catalogue.seek, Qt.Key.Key_Escape)
    assert not is_open(lab)
    lab.window.actions_["catalogue"].trigger()
    QTest.mouseClick(lab.shelf.catalogue.findChild(QToolButton, "close-catalogue"), LEFT)
    assert not is_open(lab)
    assert not lab.window.actions_["catalogue"].isChecked()


def test_that_the_text_under_an_i_leads_to_the_page(lab):
    sampler = lab.panel.estimator.form.editors["sampler"]
    QTest.mouseClick(sampler.header.info, LEFT)
    assert 'href="catalogue:sampler/ula"' in sampler.about.text.text()
    sampler.about.text.linkActivated.emit("catalogue:sampler/ula")
    assert is_open(lab)
    assert lab.shelf.catalogue.sheet.shown == "sampler/ula"
    QTest.mouseClick(sampler.header.info, LEFT)


def test_that_use_it_puts_a_component_into_the_recipe_and_undo_takes_it_out(lab, qtbot):
    lab.shelf.open_page("sampler/mala")
    QTest.mouseClick(lab.shelf.catalogue.sheet.use, LEFT)
    assert lab.document.recipe.sampler.kind == "mala"
    assert lab.shelf.catalogue.sheet.use.text() == "In use"
    qtbot.waitUntil(lambda: lab.snapshot.recipe.sampler.kind == "mala", timeout=20000)
    lab.document.undo()
    assert lab.document.recipe == SMALL
    assert lab.shelf.catalogue.sheet.use.text() == "Use it"


def test_that_a_method_for_log_z_is_added_and_its_section_unfolded(lab):
    lab.shelf.open_page("log-z/ais")
    QTest.mouseClick(lab.shelf.catalogue.sheet.use, LEFT)
    assert lab.document.recipe.log_z == (AIS(),)
    assert lab.panel.log_z_fold.unfolded
    lab.document.undo()
    assert lab.document.recipe == SMALL


def test_that_what_makes_no_sense_together_is_refused_with_the_reason(lab):
    lab.shelf.open_page("estimator/elbo")
    QTest.mouseClick(lab.shelf.catalogue.sheet.use, LEFT)
    assert lab.document.recipe == SMALL
    assert lab.window.error_bar.text == lab.panel.estimator.fault.text() != ""
    lab.window.error_bar.clear()


def test_that_it_gives_way_to_an_audience(lab):
    lab.window.actions_["catalogue"].trigger()
    lab.window.present(True)
    assert not is_open(lab)
    lab.window.present(False)
    assert is_open(lab)


def test_that_a_recipe_from_a_file_is_what_use_it_works_upon(lab):
    lab.shelf.open_page("sampler/mala")
    other = replace(SMALL, seed=5)
    lab.document.new(other)
    QTest.mouseClick(lab.shelf.catalogue.sheet.use, LEFT)
    assert lab.document.recipe == replace(other, sampler=lab.document.recipe.sampler)
