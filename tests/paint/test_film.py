from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ebmlab.paint.film import film, preview
from ebmlab.paint.layout import Layout, columns
from ebmlab.record.belt import Belt
from ebmlab.record.encoders import encoder_for
from ebmlab.record.film import Cut, Progress, cut
from ebmlab.session.errand import Errand
from ebmlab.spec import BadInput

LAYOUT = Layout(columns=columns("energy|objective"), size=(480, 270))


@dataclass
class Fake:
    """Keeps the pictures instead of writing them."""

    path: Path = Path("film.mp4")
    few_colours = False
    delay: float = 0.0
    fault: Exception | None = None

    def encode(self, pictures, count, samples=()):
        self.count, self.samples, self.pictures, self.thread = count, list(samples), [], threading.current_thread()
        for picture in pictures:
            time.sleep(self.delay)
            if self.fault is not None:
                raise self.fault
            self.pictures.append(picture)


def made(reel, encoder, part, layout=LAYOUT, orbit=0.0):
    work, told = film(reel, layout, encoder, part, orbit), []
    try:
        while True:
            told.append(next(work))
    except StopIteration as end:
        return told, end.value


def test_that_a_film_is_painted_in_one_thread_and_written_in_another(reel):
    encoder = Fake()
    told, end = made(reel, encoder, Cut(first=5, last=60, seconds=0.4, fps=30))
    assert [p.done for p in told] == list(range(13))
    assert told[-1].share == 1.0
    assert (end.pictures, end.path, encoder.count) == (12, encoder.path, 12)
    assert encoder.thread is not threading.current_thread()
    assert {p.shape for p in encoder.pictures} == {(270, 480, 3)}
    assert (encoder.pictures[0] != encoder.pictures[-1]).any()


def test_that_the_same_film_comes_out_the_same(reel):
    films = []
    for _ in range(2):
        encoder = Fake()
        made(reel, encoder, Cut(first=0, last=60, seconds=0.3, fps=20))
        films.append(encoder.pictures)
    assert all((a == b).all() for a, b in zip(*films, strict=True))


def test_that_particles_go_on_moving_where_the_timeline_stands_still(reel):
    encoder = Fake()
    made(reel, encoder, Cut(first=59, last=60, seconds=0.2, fps=30), Layout(columns=columns("energy"), size=(300, 300)))
    first, second = encoder.pictures[:2]
    assert (first != second).any()


def test_that_a_film_that_is_called_off_leaves_nothing(reel, tmp_path):
    part = Cut(first=0, last=60, seconds=2, fps=30)
    for name in ("film.gif", "film.mp4", "frames"):
        work = film(reel, LAYOUT, encoder_for(tmp_path / name, 30, LAYOUT.size), part)
        for _ in range(4):
            next(work)
        work.close()
    assert list(tmp_path.iterdir()) == []
    assert not [t for t in threading.enumerate() if t.name == "ebmlab-encoder"]


def test_that_what_the_encoder_meets_reaches_whoever_paints(reel):
    with pytest.raises(OSError, match="no space"):
        made(reel, Fake(fault=OSError("no space")), Cut(first=0, last=60, seconds=2, fps=30))


def test_that_no_more_than_a_few_pictures_wait_for_a_slow_encoder():
    encoder, waited = Fake(delay=0.02), []
    with Belt(encoder, 12) as belt:
        for i in range(12):
            belt.put(np.zeros((2, 2, 3), np.uint8))
            waited.append(i + 1 - len(encoder.pictures))
    assert max(waited) <= 7
    assert len(encoder.pictures) == 12


def test_that_a_gif_chooses_its_colours_from_all_over_the_film(reel, tmp_path):
    part = Cut(first=0, last=60, seconds=0.5, fps=20)
    made(reel, encoder_for(tmp_path / "film.gif", 20, LAYOUT.size), part)
    with Image.open(tmp_path / "film.gif") as image:
        assert (image.n_frames, image.size) == (10, LAYOUT.size)
    encoder = Fake()
    encoder.few_colours = True
    made(reel, encoder, part)
    assert len(encoder.samples) >= 5


def test_that_a_film_is_an_errand_of_the_window(qtbot, reel, tmp_path):
    part = Cut(first=0, last=60, seconds=0.3, fps=30)
    encoder = encoder_for(tmp_path / "film.mp4", 30, LAYOUT.size)
    errand = Errand(lambda: film(reel, LAYOUT, encoder, part))
    errand.start()
    qtbot.waitUntil(lambda: not errand.alive, timeout=20_000)
    outcome = errand.outcome.take()
    assert outcome.fault == ""
    assert outcome.result.pictures == 9
    assert (tmp_path / "film.mp4").stat().st_size > 1000


def test_that_the_preview_is_the_last_picture_but_for_its_particles(reel):
    layout = Layout(columns=columns("target~data|objective"), size=(480, 270))
    encoder, part = Fake(), Cut(first=0, last=60, seconds=0.3, fps=30)
    made(reel, encoder, part, layout)
    image = preview(reel, layout, part)
    assert (image.width(), image.height()) == (480, 270)
    for y in range(40, 220, 20):
        for x in range(20, 220, 20):
            assert tuple(encoder.pictures[-1][y, x]) == image.pixelColor(x, y).getRgb()[:3]


def test_that_a_film_shows_its_part_of_the_run_at_an_even_pace():
    part = Cut(first=100, last=200, seconds=2, fps=5.5)
    assert (part.count, part.steps[0], part.steps[-1]) == (11, 100, 200)
    assert set(np.diff(part.steps)) == {10}
    assert part.samples[0] == 100
    assert part.samples[-1] == 200
    assert Cut(first=0, last=9, seconds=0.01, fps=1).steps == [0]


def test_that_a_cut_is_all_of_the_timeline_unless_said():
    assert cut((5, 10, 20), None, None, 1, 30) == Cut(first=5, last=20, seconds=1, fps=30)
    assert cut((5, 10, 20), 6, 19, 1, 30).first == 6


@pytest.mark.parametrize(
    ("kept", "given", "said"),
    [
        ((), (None, None, 1, 30), "no timeline"),
        ((3,), (None, None, 1, 30), "no timeline"),
        ((5, 20), (1, None, 1, 30), "from 5 to 20"),
        ((5, 20), (None, 21, 1, 30), "from 5 to 20"),
        ((5, 20), (15, 10, 1, 30), "less than"),
        ((5, 20), (None, None, 1, 99), "1 to 60"),
        ((5, 20), (None, None, 1e5, 30), "fewer seconds"),
    ],
)
def test_that_a_part_that_is_not_there_is_refused(kept, given, said):
    with pytest.raises(BadInput, match=said):
        cut(kept, *given)


def test_that_progress_is_a_share():
    assert Progress(3, 12).share == 0.25
    assert Progress(0, 0).share == 0
