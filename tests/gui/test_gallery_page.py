from __future__ import annotations

import json

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from ebmlab.gui.panels import gallery as module
from ebmlab.gui.panels.gallery import GalleryPage
from ebmlab.session.gallery import exhibits
from ebmlab.session.gallery.exhibit import load_exhibit

QUICK = {
    "format": "ebmlab-exhibit",
    "version": 1,
    "number": 1,
    "title": "A quick one",
    "text": "It learns a Gaussian. It takes no time.",
    "look": "Look at the density.",
    "steps": 3,
    "recipe": {"target": {"kind": "gaussian"}, "energy": {"kind": "quadratic"}, "estimator": {"kind": "mle"}},
    "rivals": {"score": {"recipe": {"estimator": {"kind": "ism"}}}},
    "claims": ["kl < 1", "score.kl > 5"],
}


@pytest.fixture
def shown(tmp_path, monkeypatch):
    made = []
    for name, changes in (("quick", {}), ("other", {"number": 2, "title": "Another one", "steps": 10**6})):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(QUICK | changes))
        made.append(load_exhibit(path))
    monkeypatch.setattr(module, "exhibits", lambda: tuple(made))
    return made


@pytest.fixture
def page(shown, qtbot):
    page = GalleryPage("cpu")
    qtbot.addWidget(page)
    page.resize(900, 600)
    page.show()
    yield page
    page.close_down()


def test_that_every_exhibit_has_a_card_in_order(page, shown):
    model = page.cards.model()
    assert [model.index(i, 0).data() for i in range(model.rowCount())] == ["A quick one", "Another one"]
    assert page.cards.current == shown[0]


def test_that_a_word_leaves_only_the_cards_that_hold_it(page, qtbot):
    qtbot.keyClicks(page.seek, "another")
    assert page.cards.model().rowCount() == 1
    assert page.cards.current.title == "Another one"
    qtbot.keyClicks(page.seek, " zebra")
    assert page.cards.model().rowCount() == 0
    assert page._nothing.isVisible()
    page.seek.clear()
    assert page.cards.model().rowCount() == 2
    assert not page._nothing.isVisible()


def test_that_a_button_opens_each_run_of_the_exhibit(page, qtbot):
    for name in ("", "score"):
        button = page.sheet.findChild(QPushButton, f"open-{name}")
        with qtbot.waitSignal(page.opened) as caught:
            qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert caught.args[1] == name
        assert caught.args[0].name == "quick"


def test_that_return_opens_the_chosen_card(page, qtbot):
    page.cards.setFocus()
    qtbot.keyClick(page.cards, Qt.Key.Key_Right)
    with qtbot.waitSignal(page.cards.entered) as caught:
        qtbot.keyClick(page.cards, Qt.Key.Key_Return)
    assert caught.args[0].title == "Another one"


def test_that_checking_the_claims_shows_which_hold_and_what_was_measured(page, qtbot):
    qtbot.mouseClick(page.sheet.check, Qt.MouseButton.LeftButton)
    assert page.sheet.errand.busy
    assert not page.sheet.check.isEnabled()
    qtbot.waitUntil(lambda: not page.sheet.errand.busy, timeout=30_000)
    text = page.sheet._claims.text()
    assert text.count("✓") == 1
    assert text.count("✗") == 1
    assert page.sheet.check.isEnabled()


def test_that_a_check_can_be_called_off(page, qtbot):
    page.cards.setCurrentIndex(page.cards.model().index(1, 0))
    qtbot.mouseClick(page.sheet.check, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(page.sheet.errand.stop, Qt.MouseButton.LeftButton)
    assert not page.sheet.errand.busy
    assert page.sheet.check.isEnabled()
    assert "✓" not in page.sheet._claims.text()


def test_that_the_gallery_of_the_program_fills_the_page(qtbot):
    page = GalleryPage("cpu")
    qtbot.addWidget(page)
    assert page.cards.model().rowCount() == len(exhibits())
