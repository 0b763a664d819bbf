"""The lists from which a kind is chosen."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QStyleOptionViewItem

from ebmlab.gui import kinds, theme
from ebmlab.gui.kinds import NAME, offer
from ebmlab.gui.labels import families, sections
from ebmlab.gui.panels.recipe import RecipePanel
from ebmlab.gui.widgets import Combo
from ebmlab.session.recipe import Recipe
from ebmlab.spec import FAMILIES

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)  # the offscreen one, of popups


@pytest.fixture
def combo(qtbot):
    def make(family):
        made = Combo()
        qtbot.addWidget(made)
        offer(made, family)
        made.show()
        return made

    return make


def rows(box):
    return [(box.itemText(i), box.itemData(i)) for i in range(box.count())]


def test_that_energies_stand_under_two_headings_that_cannot_be_chosen(combo):
    box = combo("energy")
    headings = [i for i, (_, kind) in enumerate(rows(box)) if kind is None]
    assert [box.itemText(i) for i in headings] == ["Energies", "Normalised models"]
    assert all(box.model().item(i).flags() == Qt.ItemFlag.NoItemFlags for i in headings)
    assert box.findData("mlp") < headings[1] < box.findData("flow")


@pytest.mark.parametrize("family", families())
def test_that_every_kind_of_a_family_is_offered_once(combo, family):
    offered = [kind for _, kind in rows(combo(family)) if kind]
    assert sorted(offered) == sorted(FAMILIES[family])
    assert offered == [cls.kind for section in sections(family) for cls in section.members]


def test_that_a_line_is_wide_enough_for_title_and_kind(combo):
    box = combo("estimator")
    option = QStyleOptionViewItem()
    option.initFrom(box.view())
    index = box.model().index(box.findData("pcd"), 0)
    width = box.itemDelegate().sizeHint(option, index).width()
    metrics = option.fontMetrics
    assert width > metrics.horizontalAdvance(index.data()) + metrics.horizontalAdvance("pcd")


def test_that_the_popup_is_wider_than_the_box_where_titles_need_it(combo):
    box = combo("estimator")
    box.resize(160, 24)
    box.showPopup()
    assert theme.current().px(400) < box.view().width() <= theme.current().px(640)
    box.hidePopup()


def typed(view, text):
    for letter in text:
        QTest.keyClick(view, letter)
    return view.currentIndex().data(NAME)


@pytest.mark.parametrize(
    ("family", "text", "kind"),
    [
        ("estimator", "pt", "pt-pcd"),
        ("estimator", "slic", "ssm"),
        ("estimator", "denois", "dsm"),
        ("sampler", "nuts", "nuts"),
        ("sampler", "tempering", "parallel-tempering"),
        ("energy", "norm", "flow"),
    ],
)
def test_that_typing_in_the_popup_goes_to_the_kind_or_title_that_begins_so(combo, family, text, kind):
    box = combo(family)
    box.showPopup()
    assert typed(box.view(), text) == kind
    box.hidePopup()


def test_that_the_same_letter_again_goes_on_to_the_next(combo):
    box = combo("sampler")
    box.view().setCurrentIndex(box.model().index(0, 0))
    seen = [typed(box.view(), "s") for _ in range(3)]
    assert sorted(seen) == ["slice", "smc", "svgd"]


def test_that_a_pause_begins_another_word(combo, monkeypatch):
    now = [10.0]
    monkeypatch.setattr(kinds, "monotonic", lambda: now[0])
    box = combo("estimator")
    assert typed(box.view(), "s") is not None
    now[0] += 5
    assert typed(box.view(), "nce") == "nce"


def test_that_nothing_is_chosen_by_letters_that_begin_nothing(combo):
    box = combo("sampler")
    box.setCurrentIndex(box.findData("mala"))
    box.view().setCurrentIndex(box.model().index(box.currentIndex(), 0))
    assert typed(box.view(), "zzq") == "mala"


def test_that_enter_in_the_popup_chooses_what_was_typed(qtbot):
    panel = RecipePanel(Recipe())
    qtbot.addWidget(panel)
    panel.show()
    box = panel.estimator.header.combo
    box.showPopup()
    typed(box.view(), "dsm")
    with qtbot.waitSignal(panel.edited) as told:
        QTest.keyClick(box.view(), Qt.Key.Key_Return)
    assert told.args[0].estimator.kind == "dsm"
