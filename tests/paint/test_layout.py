from __future__ import annotations

from itertools import pairwise

import pytest

from ebmlab.paint.charts import CHARTS
from ebmlab.paint.layout import LAYOUTS, SIZES, Layout, columns, read_size
from ebmlab.paint.places import Place, places
from ebmlab.paint.shows import SHOWS
from ebmlab.spec import BadInput

ROOM = Place(12, 12, 1256, 678)


def names(text):
    return [[cell.name for cell in column] for column in columns(text)]


def test_that_bars_separate_columns_and_commas_what_stands_below():
    assert names("energy,model|likelihood, log-z") == [["energy", "model"], ["likelihood", "log-z"]]


@pytest.mark.parametrize("name", LAYOUTS)
def test_that_every_named_layout_can_be_read_and_written(name):
    layout = Layout(columns=columns(name))
    assert columns(layout.text) == layout.columns
    assert columns(name.upper()) == layout.columns


def test_that_the_default_is_the_landscape_beside_log_z():
    assert [cell.name for cell in Layout().cells] == ["energy", "log-z"]


@pytest.mark.parametrize("name", [*SHOWS, *CHARTS])
def test_that_every_pane_and_chart_may_stand_in_a_layout(name):
    ((cell,),) = columns(name)
    assert cell.is_chart == (name in CHARTS)
    assert cell.text == name


def test_that_overlays_are_added_and_taken_away():
    ((cell,),) = columns("energy+data+modes~particles")
    assert cell.overlays == {"contours", "data", "modes"}
    assert columns(cell.text) == ((cell,),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("enrgy", "did you mean energy"),
        ("energy|log_z", "log-z"),
        ("energy+mode", "modes"),
        ("log-z+data", "nothing lies over"),
        ("", "give target"),
        ("energy|", "give target"),
        ("energy,,model", "give target"),
        ("|".join(["energy"] * 13), "give 1 to 12"),
    ],
)
def test_that_what_no_layout_knows_is_answered_with_what_is_near(text, said):
    with pytest.raises(BadInput, match=r"^[^.]*layout") as fault:
        Layout(columns=columns(text))
    assert said in str(fault.value)


@pytest.mark.parametrize(("text", "size"), [("720p", (1280, 720)), ("4K", (3840, 2160)), ("640X480", (640, 480))])
def test_that_a_size_is_a_name_or_two_numbers(text, size):
    assert read_size(text) == size


@pytest.mark.parametrize("text", ["", "wide", "640", "640x", "-1x5", "640x480x3", "1e3x5"])
def test_that_a_size_that_is_neither_is_refused(text):
    with pytest.raises(BadInput, match="size"):
        read_size(text)


@pytest.mark.parametrize("size", [(10, 500), (500, 5000)])
def test_that_a_picture_is_neither_too_small_nor_too_large(size):
    with pytest.raises(BadInput, match="64 to 4096"):
        Layout(size=size)
    assert all(Layout(size=each) for each in SIZES.values())


OTHERS = ("energy,log-z|model", "surface", "energy|model|log-z", "target,log-z,health")


@pytest.mark.parametrize("text", [*LAYOUTS, *OTHERS])
def test_that_cells_fill_the_room_and_do_not_overlap(text):
    found = places(columns(text), ROOM, 8, 30)
    cells = [place for column in found for place in column]
    assert min(p.x for p in cells) == ROOM.x
    assert max(p.x + p.width for p in cells) == ROOM.x + ROOM.width
    for column in found:
        assert column[0].y == ROOM.y
        assert column[-1].y + column[-1].height == ROOM.y + ROOM.height
        for above, below in pairwise(column):
            assert above.y + above.height + 8 == below.y
    for left, right in pairwise(found):
        assert left[0].x + left[0].width + 8 == right[0].x


def test_that_a_pane_beside_a_chart_is_square():
    ((pane,), (chart,)) = places(columns("energy|log-z"), ROOM, 8, 30)
    assert pane.width == pane.height - 30
    assert chart.width > 0.3 * ROOM.width
