from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ebmlab.session.files import MOST_ROWS, Files, parse_points
from ebmlab.spec import BadInput


def refused(function, *args):
    with pytest.raises(BadInput) as caught:
        function(*args)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert ";" in sentence, "the sentence does not say what would be right"
    return sentence


@pytest.mark.parametrize("separator", [",", "\t", ";", " ", ", "])
def test_that_points_are_read_whatever_separates_them(tmp_path, separator):
    path = tmp_path / "p.csv"
    path.write_text(f"x{separator}y\n1{separator}2.5\n\n# a remark\n-3e-1{separator}4\n")
    np.testing.assert_array_equal(Files().points(str(path)), [[1, 2.5], [-0.3, 4]])


def test_that_a_byte_order_mark_is_no_text(tmp_path):
    path = tmp_path / "p.csv"
    path.write_bytes("1,2\n3,4\n".encode("utf-8-sig"))
    assert len(Files().points(str(path))) == 2


@pytest.mark.parametrize("name", ["p.npy", "p.npz"])
def test_that_numpy_files_are_read(tmp_path, name):
    points = np.arange(6.0).reshape(3, 2)
    (np.save if name.endswith("npy") else np.savez)(tmp_path / name, points)
    if name.endswith("npz"):
        np.savez(tmp_path / name, points=points, other=points[:1])
    np.testing.assert_array_equal(Files().points(str(tmp_path / name)), points)


@pytest.mark.parametrize(
    ("text", "row", "what"),
    [
        ("1,2\nhello,world\n", "row 2", "text"),
        ("1\n2\n", "row 1", "one number"),
        ("1,2\n1,2,3\n", "row 2", "3 numbers"),
        ("1,2\nnan,3\n", "row 2", "not finite"),
        ("1,2\n1,inf\n", "row 2", "not finite"),
        ("1,2\n1,1e9\n", "million", "scale"),
        ("", "no rows", "two points"),
        ("x,y\n", "no rows", "two points"),
    ],
)
def test_that_bad_rows_are_named(tmp_path, text, row, what):
    path = tmp_path / "p.csv"
    path.write_text(text)
    sentence = refused(Files().points, str(path))
    assert row in sentence
    assert what in sentence
    assert "p.csv" in sentence


def test_that_ten_million_rows_are_refused_without_reading_them_all(tmp_path):
    np.save(tmp_path / "big.npy", np.zeros((10_000_000, 2), dtype=np.float16))
    assert "10,000,000 rows" in refused(Files().points, str(tmp_path / "big.npy"))
    path = tmp_path / "big.csv"
    path.write_text("1,2\n" * (MOST_ROWS + 5))
    assert "more than" in refused(Files().points, str(path))


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"\x80\x04garbage", b"PK\x03\x04broken"])
@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_that_broken_numpy_files_get_a_sentence(tmp_path, content, name):
    (tmp_path / name).write_bytes(content)
    assert name in refused(Files().points, str(tmp_path / name))


def test_that_an_array_that_unpacks_to_more_than_points_ever_take_is_refused_unread(tmp_path):
    np.savez_compressed(tmp_path / "p.npz", points=np.zeros((5_000_000, 2)))
    assert "64 MiB" in refused(Files().points, str(tmp_path / "p.npz"))


def test_that_objects_in_numpy_files_are_never_unpickled(tmp_path):
    np.save(tmp_path / "o.npy", np.array([[{}, 1]], dtype=object), allow_pickle=True)
    assert "plain numbers" in refused(Files().points, str(tmp_path / "o.npy"))


@pytest.mark.parametrize("array", [np.zeros(3), np.zeros((3, 3)), np.array([["a", "b"]]), np.zeros((2, 2), complex)])
def test_that_arrays_of_another_shape_or_kind_are_refused(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    refused(Files().points, str(tmp_path / "a.npy"))


def test_that_missing_files_and_folders_get_a_sentence(tmp_path):
    for read in (Files().points, Files().image):
        assert "no such file" in refused(read, str(tmp_path / "none.csv"))
        assert "directory" in refused(read, str(tmp_path))


def test_that_a_picture_gives_its_brightness_and_transparency_is_white(tmp_path):
    picture = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    picture.putpixel((1, 0), (0, 0, 0, 255))
    picture.save(tmp_path / "p.png")
    np.testing.assert_allclose(Files().image(str(tmp_path / "p.png")), [[1, 0]])


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n broken"])
def test_that_what_is_no_picture_gets_a_sentence(tmp_path, content):
    (tmp_path / "p.png").write_bytes(content)
    assert "p.png" in refused(Files().image, str(tmp_path / "p.png"))


def test_that_a_picture_cut_short_gets_a_sentence(tmp_path):
    Image.effect_noise((200, 200), 50).save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:3000])
    refused(Files().image, str(tmp_path / "cut.png"))


def test_that_a_huge_picture_is_refused(tmp_path):
    Image.new("1", (12_000, 8_000)).save(tmp_path / "huge.png")
    assert "12000 by 8000" in refused(Files().image, str(tmp_path / "huge.png"))


def test_that_pasted_points_are_read():
    np.testing.assert_array_equal(parse_points("1 2\n3 4"), [[1, 2], [3, 4]])
    assert "row 1" in refused(parse_points, "hello world again")


def test_that_a_text_has_ink_to_its_edges_and_none_in_between():
    ink = Files().text("I I")

    assert ink.max() == 1.0
    assert all(side.max() > 0 for side in (ink[0], ink[-1], ink[:, 0], ink[:, -1]))
    assert ink[:, ink.shape[1] // 2].max() == 0
    assert Files().text("I\nI").shape[0] > 2 * ink.shape[0]


def test_that_a_letter_that_no_font_has_is_named():
    with pytest.raises(BadInput, match="has the letter \U00013000"):
        Files().text("a\U00013000")
