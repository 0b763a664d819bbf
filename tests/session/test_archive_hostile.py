"""Hostile session files: bombs, odd zips and broken members are refused in one sentence, and harm nothing."""

from __future__ import annotations

import struct
import zipfile
from dataclasses import replace

import pytest
import torch
from boxed import MANIFEST, SMALL, mended, png, put_together, refused, rewritten, taken_apart

from ebmlab.engine.targets import Gaussian
from ebmlab.session import members
from ebmlab.session.archive import load_run, write_run
from ebmlab.session.blob import Held
from ebmlab.session.checkpoint import open_run
from ebmlab.session.frame import Frame
from ebmlab.session.timeline import Kept
from ebmlab.session.zipped import Zipped
from ebmlab.spec import BadInput

SMALL_BOMB = bytes(2**22)


def test_that_a_zip_bomb_is_refused_before_it_is_unpacked(whole, tmp_path, monkeypatch):
    path = tmp_path / "run.ebmlab"
    write_run(whole, path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("files/bomb.csv", bytes(2**24))
    monkeypatch.setattr(Zipped, "pieces", lambda *args: pytest.fail("it was unpacked"))
    assert "unpacks to more" in refused(path)


def test_that_many_small_bombs_are_refused_too(whole, tmp_path):
    path = tmp_path / "run.ebmlab"
    write_run(whole, path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for i in range(33):
            archive.writestr(f"files/{i}", SMALL_BOMB)
    assert "unpack to more" in refused(path)


def patched(path, what):
    """Changes every entry of a name in local and central headers of a zip."""

    content = bytearray(path.read_bytes())
    place = content.find(b"PK\1\2")
    what(content, place)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("offset", "value", "word"),
    [
        (8, struct.pack("<H", 1), "encrypted"),
        (10, struct.pack("<H", 14), "unusual"),
        (10, struct.pack("<H", 99), "unusual"),
        (20, struct.pack("<I", 2**31), "unpack"),
        (24, struct.pack("<I", 2**31), "unpack"),
        (38, struct.pack("<I", 0o120777 << 16), "link"),
        (42, struct.pack("<I", 2**30), "whole"),
    ],
)
def test_that_entries_that_no_session_has_are_refused(offset, value, word, whole, tmp_path):
    write_run(whole, tmp_path / "run.ebmlab")

    def what(content, place):
        content[place + offset : place + offset + len(value)] = value

    assert word in refused(patched(tmp_path / "run.ebmlab", what))


def test_that_two_members_of_one_name_are_refused(whole, tmp_path):
    path = tmp_path / "run.ebmlab"
    write_run(whole, path)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(MANIFEST, "{}")
    assert "two files" in refused(path)


def test_that_a_directory_of_too_many_entries_is_refused_unread(whole, tmp_path):
    path = tmp_path / "run.ebmlab"
    write_run(whole, path)
    content = bytearray(path.read_bytes())
    end = content.rfind(b"PK\5\6")
    content[end + 8 : end + 12] = struct.pack("<HH", 60_000, 60_000)
    path.write_bytes(content)
    assert "more than" in refused(path)


def test_that_members_that_the_manifest_does_not_name_are_not_read(whole, tmp_path):
    path = tmp_path / "run.ebmlab"
    write_run(whole, path)
    before = load_run(path)
    put_together(path, {**taken_apart(path), "frames/7777.safetensors": b"junk", "evil.py": b"import os"})
    assert [k.step for k in load_run(path).kept] == [k.step for k in before.kept]


HOSTILE_MEMBERS = {
    "series.safetensors": [b"", b"junk", b"\0" * 100],
    "state.safetensors": [b"junk", b"\xff" * 100],
    "moments.json": [
        b"{}",
        b"[1]",
        b'[{"step": -1, "name": "a", "note": ""}]',
        b'[{"step": 1, "name": 1, "note": ""}]',
    ],
    "view.json": [b"[]", b"1", b"{", b'{"a": NaN}', b"\xff", b'{"a":' * 5000 + b"1" + b"}" * 5000],
    "thumbnail.png": [
        b"junk",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 30,
        png()[:16] + struct.pack(">2I", 10**5, 10**5) + png()[24:],
    ],
}


@pytest.mark.parametrize(
    ("name", "content"), [(n, c) for n, cs in HOSTILE_MEMBERS.items() for c in cs], ids=lambda v: v[:9]
)
def test_that_a_member_that_will_not_do_is_refused(name, content, whole, place):
    write_run(whole, place)
    if content:
        refused(rewritten(place, name, content))


@pytest.mark.parametrize(
    "rows",
    [
        torch.zeros(3, 4),
        torch.zeros(3, 5, dtype=torch.float64),
        torch.zeros(12, dtype=torch.float64),
        torch.tensor([[2.0, 0, 0, 0], [1.0, 0, 0, 0]], dtype=torch.float64),
        torch.tensor([[torch.nan, 0, 0, 0]], dtype=torch.float64),
        torch.tensor([[-1.0, 0, 0, 0]], dtype=torch.float64),
    ],
    ids=lambda rows: f"{tuple(rows.shape)} {rows.dtype}",
)
def test_that_a_history_of_another_shape_or_of_falling_steps_is_refused(rows, whole, place):
    write_run(whole, place)
    content = members.tree.dumps({"training": rows})
    assert "series" in refused(rewritten(place, "series.safetensors", content))


def test_that_a_history_of_an_unknown_name_is_refused(whole, place):
    write_run(whole, place)
    content = members.tree.dumps({"other": torch.zeros(1, 4, dtype=torch.float64)})
    assert "series" in refused(rewritten(place, "series.safetensors", content))


def test_that_a_state_of_another_step_is_refused(whole, place):
    write_run(whole, place)
    content = replace(whole.state, step=3).dumps()
    assert "step 3" in refused(rewritten(place, "state.safetensors", content))


def test_that_frames_named_oddly_are_not_read(whole, tmp_path):
    path = tmp_path / "run.ebmlab"
    write_run(whole, path)
    kept = {n: c for n, c in taken_apart(path).items() if not n.startswith(("frames/", "states/"))}
    odd = [
        "frames/-1.safetensors",
        "frames/1e3.safetensors",
        "frames/007.safetensors",
        f"frames/{'9' * 40}.safetensors",
    ]
    put_together(path, mended({**kept, **dict.fromkeys(odd, b"x"), "states/4.safetensors": b"x"}))
    assert load_run(path).kept == ()


def test_that_a_frame_that_is_broken_is_told_when_it_is_looked_at(whole, tmp_path):
    write_run(replace(whole, kept=(Kept(1, Held(b"junk")),)), tmp_path / "run.ebmlab")
    with pytest.raises(BadInput, match=";"):
        Frame.loads(load_run(tmp_path / "run.ebmlab").kept[0].frame.read())


def test_that_a_state_is_opened_only_by_its_own_recipe(whole, tmp_path):
    path = tmp_path / "run.ebmlab"
    write_run(whole, path)
    other = replace(SMALL, target=Gaussian())
    rewritten(path, "recipe.json", other.dumps().encode())
    with pytest.raises(BadInput, match="memory"):
        open_run(load_run(path), "cpu")
