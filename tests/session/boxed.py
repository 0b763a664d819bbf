"""Session files taken apart and put together again, for tests that break them."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile

import pytest
from PIL import Image

from ebmlab.engine.energies import MLP
from ebmlab.engine.targets import TwoMoons
from ebmlab.session.archive import load_run
from ebmlab.session.recipe import Recipe
from ebmlab.spec import BadInput

MANIFEST = "run.json"
SMALL = Recipe(target=TwoMoons(), energy=MLP(width=4, depth=1), batch=8, log_z=())


def names(path):
    if path.is_dir():
        return [place.relative_to(path).as_posix() for place in path.rglob("*") if place.is_file()]
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def read(path, name):
    if path.is_dir():
        return (path / name).read_bytes()
    with zipfile.ZipFile(path) as archive:
        return archive.read(name)


def taken_apart(path):
    return {name: read(path, name) for name in names(path)}


def put_together(path, members):
    """Writes members as they are, their digests too."""

    if path.is_dir():
        for name, content in members.items():
            (path / name).parent.mkdir(exist_ok=True)
            (path / name).write_bytes(content)
        return path
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def mended(members):
    """Returns members with the digests in the manifest made right again."""

    manifest = json.loads(members[MANIFEST])
    if manifest.get("version") == 1:
        both = members["recipe.json"] + members["weights.safetensors"]
        manifest["digest"] = hashlib.sha256(both).hexdigest()
    else:
        manifest["members"] = {n: hashlib.sha256(c).hexdigest() for n, c in members.items() if n != MANIFEST}
    return {**members, MANIFEST: json.dumps(manifest).encode()}


def rewritten(path, name, content):
    """Replaces a member, mending the digests, so that only the content is at fault."""

    members = {**taken_apart(path), name: content}
    return put_together(path, members if name == MANIFEST else mended(members))


def png():
    content = io.BytesIO()
    Image.new("RGB", (4, 3), "red").save(content, "png")
    return content.getvalue()


def refused(path):
    with pytest.raises(BadInput) as caught:
        load_run(path)
    sentence = str(caught.value)
    assert ";" in sentence or "did you mean" in sentence
    assert "\n" not in sentence
    assert path.name in sentence
    return sentence
