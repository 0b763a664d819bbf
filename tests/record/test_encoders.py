from __future__ import annotations

import sys

import av
import numpy as np
import pytest
from PIL import Image

from ebmlab.record.encoders import changed, codecs, encoder_for, even
from ebmlab.record.encoders_video import AV1, PACKAGE, Video
from ebmlab.spec import BadInput

SIZE = 96, 64
COLOURS = ((28, 31, 37), (240, 160, 75), (88, 166, 255), (242, 243, 245))
ENDINGS = ("mp4", "webm", "gif", "webp", "apng")


def picture(index, size=SIZE):
    """Four flat patches, and a white square that moves across the first."""

    width, height = size
    made = np.zeros((height, width, 3), np.uint8)
    for i, colour in enumerate(COLOURS):
        made[:, i * width // 4 : (i + 1) * width // 4] = colour
    made[2:6, index : index + 4] = 255
    return made


def film(tmp_path, ending, count=12, fps=30.0, size=SIZE):
    path = tmp_path / f"film.{ending}"
    encoder_for(path, fps, size).encode((picture(i, size) for i in range(count)), count, [picture(0, size)])
    return path


def decoded(path):
    if path.suffix in (".mp4", ".webm"):
        with av.open(str(path)) as file:
            frames = list(file.decode(video=0))
            return [f.reformat(format="rgb24", src_colorspace=f.colorspace).to_ndarray() for f in frames]
    with Image.open(path) as image:
        pictures = []
        for i in range(image.n_frames):
            image.seek(i)
            pictures.append(np.asarray(image.convert("RGB")))
        return pictures


@pytest.mark.parametrize("ending", ENDINGS)
def test_that_a_film_holds_every_picture_in_its_colours(tmp_path, ending):
    pictures = decoded(film(tmp_path, ending))
    assert len(pictures) == 12
    for found in pictures:
        assert found.shape == (64, 96, 3)
        for i, colour in enumerate(COLOURS):
            patch = found[20:50, 24 * i + 6 : 24 * i + 18].reshape(-1, 3).astype(int)
            assert np.abs(patch - colour).max() <= (6 if ending in ("mp4", "webm", "webp") else 0), colour
    assert pictures[11][4, 13].min() > 200
    assert pictures[11][4, 3].max() < 70


@pytest.mark.parametrize("ending", ["mp4", "webm"])
def test_that_a_video_says_how_its_colours_are_meant(tmp_path, ending):
    with av.open(str(film(tmp_path, ending))) as file:
        context = file.streams.video[0].codec_context
        assert (context.pix_fmt, context.colorspace, context.color_range) == ("yuv420p", 1, 1)
        assert (context.color_primaries, context.color_trc) == (1, 1)
        assert file.streams.video[0].average_rate == 30


def test_that_an_mp4_begins_with_what_a_browser_must_know(tmp_path):
    content = film(tmp_path, "mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


@pytest.mark.parametrize(
    ("ending", "fps"), [("gif", 30.0), ("webp", 24.0), ("apng", 60.0), ("mp4", 25.0), ("webm", 24.0)]
)
def test_that_a_film_lasts_as_long_as_it_should(tmp_path, ending, fps):
    path = film(tmp_path, ending, 24, fps)
    if ending in ("mp4", "webm"):
        with av.open(str(path)) as file:
            seconds = file.duration / 1e6
    else:
        with Image.open(path) as image:
            seconds, times = 0.0, []
            for i in range(image.n_frames):
                image.seek(i)
                image.load()
                times.append(image.info["duration"] / 1000)
            seconds = sum(times)
    assert seconds == pytest.approx(24 / fps, abs=0.011)


@pytest.mark.parametrize("ending", ["gif", "webp", "apng"])
def test_that_an_animation_plays_over_and_over(tmp_path, ending):
    with Image.open(film(tmp_path, ending)) as image:
        assert image.info["loop"] == 0


def test_that_the_colours_of_a_gif_are_common_to_all_its_pictures(tmp_path):
    path = tmp_path / "film.gif"
    late = np.full((64, 96, 3), (17, 201, 99), np.uint8)
    encoder_for(path, 10, SIZE).encode(iter([picture(0), picture(1), late]), 3, [late])
    content, pictures = path.read_bytes(), decoded(path)
    assert np.abs(pictures[2].astype(int) - late).max() <= 2
    assert content.count(b"\x00\x2c") == 3
    assert not any(content[i + 10] & 0x80 for i in range(len(content) - 10) if content[i : i + 2] == b"\x00\x2c")


@pytest.mark.parametrize("size", [(95, 63), (96, 63)])
@pytest.mark.parametrize("ending", ["mp4", "webm", "gif"])
def test_that_odd_sides_are_no_obstacle(tmp_path, ending, size):
    found = decoded(film(tmp_path, ending, 3, 30.0, size))[0]
    assert found.shape[0] >= size[1]
    assert found.shape[1] - size[0] in (0, 1)
    assert even(picture(0, size)).shape == (64, 96, 3)


@pytest.mark.parametrize("name", ["film.mp4", "film.webm", "film.gif", "film.webp", "film.apng", "film", "f-%03d.png"])
def test_that_a_film_that_is_called_off_leaves_nothing(tmp_path, name):
    def pictures():
        yield picture(0)
        yield picture(1)
        raise InterruptedError

    with pytest.raises(InterruptedError):
        encoder_for(tmp_path / name, 30, SIZE).encode(pictures(), 5)
    assert list(tmp_path.iterdir()) == []


def test_that_a_film_that_is_called_off_leaves_the_one_before_as_it_was(tmp_path):
    path = film(tmp_path, "gif")
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError):
        encoder_for(path, 30, SIZE).encode((picture(1 // i) for i in (1, 0)), 2)
    assert path.read_bytes() == before


@pytest.mark.parametrize(("name", "first"), [("frames", "frame-00001.png"), ("f-%03d.png", "f-001.png")])
def test_that_numbered_pictures_go_to_a_folder_or_follow_a_pattern(tmp_path, name, first):
    encoder_for(tmp_path / name, 30, SIZE).encode((picture(i) for i in range(3)), 3)
    folder = tmp_path / name if name == "frames" else tmp_path
    found = sorted(folder.iterdir())
    assert [found[0].name, len(found)] == [first, 3]
    assert (np.asarray(Image.open(found[2])) == picture(2)).all()


@pytest.mark.parametrize("name", ["film.avi", "film.png", "no/film.mp4", "taken"])
def test_that_a_place_that_will_not_do_is_refused_before_any_work(tmp_path, name):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.txt").write_text("mine")
    with pytest.raises(BadInput) as fault:
        encoder_for(tmp_path / name, 30, SIZE)
    assert name in str(fault.value)


@pytest.mark.parametrize("name", ["film.mp4", "film.webm"])
def test_that_a_missing_package_is_named_before_any_work(tmp_path, monkeypatch, name):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(BadInput, match="package av") as fault:
        encoder_for(tmp_path / name, 30, SIZE)
    assert PACKAGE in str(fault.value)
    assert PACKAGE in codecs()["MP4"]
    assert codecs()["GIF"] == "Pillow"


def test_that_a_missing_codec_is_named_or_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr(av, "codecs_available", {AV1.name})
    with pytest.raises(BadInput, match="libx264"):
        encoder_for(tmp_path / "film.mp4", 30, SIZE)
    assert isinstance(encoder_for(tmp_path / "film.webm", 30, SIZE), Video)
    assert codecs()["WebM"] == AV1.name
    assert len(decoded(film(tmp_path, "webm"))) == 12


def test_that_only_what_changed_is_written_again():
    assert changed(None, picture(0)) == (0, 0, 96, 64)
    assert changed(picture(0), picture(0)) == (0, 0, 1, 1)
    assert changed(picture(0), picture(1)) == (0, 2, 5, 6)


def test_that_a_picture_of_another_size_is_refused(tmp_path):
    with pytest.raises(ValueError, match="does not fit"):
        encoder_for(tmp_path / "film.gif", 30, SIZE).encode([np.zeros((3, 3, 3), np.uint8)], 1)
