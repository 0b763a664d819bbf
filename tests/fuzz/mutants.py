"""Session files broken in every way that can be thought of, the same ones for the same seed."""

from __future__ import annotations

import contextlib
import io
import json
import random
import struct
import zipfile

import torch
from boxed import MANIFEST, mended
from safetensors.torch import load, save

BAD_NUMBERS = [True, False, -1, 0, 1, 2, 7, 65536, 10**12, 10**30, 10**400, -0.5, 1e-300, 1e308]
BAD_TEXTS = ["", "x", "mlp", "pcd", "../../etc/passwd", "/dev/zero", "/dev/stdin", "files/../../x", "x" * 10_000, "\0"]
BAD_LISTS = [[], [[]], [1, 2], [0.0] * 1000, [{}], [None]]
BAD_OBJECTS = [{}, {"kind": "mlp"}, {"kind": "flow", "width": 1024}, {"tensor": "data"}, {"tuple": []}]
VALUES = [None, *BAD_NUMBERS, *BAD_TEXTS, *BAD_LISTS, *BAD_OBJECTS, {"named": "Chains", "fields": {}}]
NAMES = [
    "../out.txt",
    "/tmp/out.txt",
    "a\\b",
    "C:out",
    "frames/-1.safetensors",
    "frames/99.safetensors",
    "x" * 300,
    "\n",
    "run.json/",
]
NUMBERS = [0.0, -1.0, 1e-30, 1e30, float("inf"), float("-inf"), float("nan")]


def unzipped(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(members, method=zipfile.ZIP_STORED):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, member in members.items():
            archive.writestr(zipfile.ZipInfo(name), member, method)
    return content.getvalue()


def mutant(rng: random.Random, seeds: list[bytes]) -> bytes:
    """Returns one of some session files, broken in a way or in two."""

    content = rng.choice(seeds)
    if rng.random() < 0.3:
        return rng.choice([flipped, cut, spliced])(rng, content, seeds)
    members = unzipped(content)
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        rng.choice([json_edited, json_edited, tensors_edited, tensors_edited, member_broken, swapped, renamed])(
            rng, members, seeds
        )
    if MANIFEST in members and rng.random() < 0.95:
        with contextlib.suppress(ValueError, KeyError, AttributeError, TypeError, RecursionError):
            members = mended(members)
    return zipped(members, rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))


def flipped(rng, content, seeds):
    content = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 8, 64])):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return bytes(content)


def cut(rng, content, seeds):
    return content[: rng.randrange(len(content))]


def spliced(rng, content, seeds):
    other = rng.choice(seeds)
    a, b = rng.randrange(len(content)), rng.randrange(len(other))
    return content[:a] + other[b : b + rng.randrange(2000)] + content[a + rng.randrange(2000) :]


def member_broken(rng, members, seeds):
    name = rng.choice(list(members))
    if members[name]:
        members[name] = rng.choice([flipped, cut, spliced])(rng, members[name], list(members.values()))


def swapped(rng, members, seeds):
    other = unzipped(rng.choice(seeds))
    name = rng.choice(list(members))
    members[name] = other.get(name, rng.choice(list(other.values())))


def renamed(rng, members, seeds):
    name = rng.choice(list(members))
    if rng.random() < 0.5:
        members[rng.choice(NAMES)] = members[name]
    elif name != MANIFEST:
        del members[name]


def chosen(rng, members, ending):
    return rng.choice([name for name in members if name.endswith(ending)] or list(members))


def json_edited(rng, members, seeds):
    name = chosen(rng, members, ".json")
    try:
        data = edited(rng, json.loads(members[name]))
    except (ValueError, RecursionError):  # it was broken already
        return
    text = json.dumps(data)
    if rng.random() < 0.03:
        text = "[" * 50_000 + text + "]" * 50_000
    members[name] = text.encode()


def edited(rng, data):
    """Returns JSON values with one of them changed, taken away or doubled."""

    if isinstance(data, dict) and data and rng.random() < 0.9:
        key = rng.choice(list(data))
        chance = rng.random()
        if chance < 0.1:
            return {k: v for k, v in data.items() if k != key}
        if chance < 0.15:
            return {**data, str(rng.choice(VALUES))[:50]: rng.choice(VALUES)}
        return {**data, key: edited(rng, data[key])}
    if isinstance(data, list) and data and rng.random() < 0.9:
        at = rng.randrange(len(data))
        return [*data[:at], edited(rng, data[at]), *data[at + 1 :]] if rng.random() < 0.8 else data[:at] + data[at:] * 2
    return rng.choice(VALUES)


def tensors_edited(rng, members, seeds):
    name = chosen(rng, members, ".safetensors")
    content = members[name]
    try:
        if rng.random() < 0.4:
            members[name] = heading_edited(rng, content)
        else:
            members[name] = values_edited(rng, content)
    except Exception:  # it was broken already
        return


def heading_edited(rng, content):
    length = int.from_bytes(content[:8], "little")
    heading = json.loads(content[8 : 8 + length])
    if "__metadata__" in heading and rng.random() < 0.6:
        (key,) = heading["__metadata__"]
        heading["__metadata__"][key] = json.dumps(edited(rng, json.loads(heading["__metadata__"][key])))
    else:
        heading = edited(rng, heading)
    text = json.dumps(heading).encode()
    size = rng.choice([len(text), len(text), len(text), 2**31, 2**62])
    return struct.pack("<Q", size) + text + content[8 + length :]


def values_edited(rng, content):
    length = int.from_bytes(content[:8], "little")
    metadata = json.loads(content[8 : 8 + length]).get("__metadata__")
    tensors = load(content)
    name = rng.choice(list(tensors))
    x = tensors[name]
    change = rng.randrange(6)
    if change == 0:
        tensors[name] = torch.full_like(x, rng.choice(NUMBERS)) if x.is_floating_point() else torch.zeros_like(x)
    elif change == 1:
        tensors[name] = x.flatten()[: rng.randrange(x.numel() + 1)].clone()
    elif change == 2:
        tensors[name] = x.to(
            rng.choice([torch.float64, torch.int64, torch.bool, torch.uint8, torch.float16, torch.complex64])
        )
    elif change == 3:
        tensors[name] = torch.zeros([rng.randrange(4) for _ in range(rng.randrange(4))])
    elif change == 4:
        tensors[name] = torch.cat([x.unsqueeze(0)] * rng.choice([2, 100]))
    else:
        del tensors[name]
    return save(tensors, metadata)
