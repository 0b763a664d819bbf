"""Trees of tensors and plain values as JSON and safetensors, and back; nothing in them can hold code.

.. code-block:: text

    null, true, 1, 1.5, "a"                             themselves
    {"float": "inf"}                                    a number that JSON cannot write
    {"tensor": "memory.x"}, {"learnt": "memory.c"}      a tensor by its name, and one that is trained
    {"tuple": [...]}, {"dict": {"a": ...}}
    {"named": "Chains", "fields": {"x": ...}}           a named tuple that memories may hold
    {"component": "sampler", "knobs": {"kind": ...}}    a component of a family
"""

from __future__ import annotations

import json
import math
import types
from collections.abc import Iterator, Mapping
from typing import Any, Union, get_args, get_origin, get_type_hints

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from ebmlab.engine.memory import REMEMBERED
from ebmlab.spec import FAMILIES, BadInput, Component, decode, encode

Tree = Any
"""None, a number, a text, a tensor, a component, or a tuple, named tuple or dictionary of trees."""

FAULTS = (SafetensorError, BadInput, ValueError, KeyError, TypeError, OverflowError, RuntimeError, RecursionError)
"""What broken content makes the readers raise."""
MOST_HEADER = 2**24


def dumps(tree: Tree) -> bytes:
    """Returns a tree as safetensors, with the skeleton that holds the tensors together in the metadata."""

    tensors: dict[str, Tensor] = {}
    skeleton = _skeleton(tree, "", tensors)
    return save(tensors, {"tree": json.dumps(skeleton, allow_nan=False)})


def loads(content: bytes) -> Tree:
    """Reads a tree.

    Raises:
        Exception: One of :data:`FAULTS`, if it is broken.
    """

    tensors: dict[str, Tensor] = load(content)
    length = int.from_bytes(content[:8], "little")
    if length > MOST_HEADER:
        raise ValueError("the header is too long")
    skeleton = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["tree"])
    tree = _grown(skeleton, tensors)
    if tensors:
        raise ValueError("there are tensors that belong nowhere")
    return tree


def copied(tree: Tree, device: torch.device | str = "cpu") -> Tree:
    """Returns a tree of copies of all tensors on a device, those that are trained ready to be trained there."""

    if isinstance(tree, Tensor):
        return tree.detach().to(device, copy=True).requires_grad_(tree.requires_grad)
    if isinstance(tree, tuple):
        parts = [copied(part, device) for part in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)
    if isinstance(tree, Mapping):
        return {name: copied(part, device) for name, part in tree.items()}
    return tree


def nbytes(tree: Tree) -> int:
    """Returns how many bytes the tensors of a tree take."""

    if isinstance(tree, Tensor):
        return tree.nbytes
    parts = tree.values() if isinstance(tree, Mapping) else tree if isinstance(tree, tuple) else ()
    return sum(nbytes(part) for part in parts)


def tensors_of(tree: Tree) -> Iterator[Tensor]:
    """Yields every tensor in a tree."""

    if isinstance(tree, Tensor):
        yield tree
    elif isinstance(tree, tuple | Mapping):
        for part in tree.values() if isinstance(tree, Mapping) else tree:
            yield from tensors_of(part)


def suits(value: Any, hint: Any) -> bool:
    """Returns whether a value is what an annotation says, as far as the annotation goes."""

    if hint is Any:
        return True
    if get_origin(hint) in (Union, types.UnionType):
        return any(suits(value, choice) for choice in get_args(hint))
    if get_origin(hint) is tuple:
        return isinstance(value, tuple) and all(suits(part, get_args(hint)[0]) for part in value)
    if get_origin(hint) is Mapping:
        return isinstance(value, Mapping) and all(suits(part, get_args(hint)[1]) for part in value.values())
    if isinstance(value, bool) and hint is not bool:
        return False
    return isinstance(value, hint)


def _skeleton(tree: Tree, path: str, tensors: dict[str, Tensor]) -> Any:
    def inside(name: object, part: Tree) -> Any:
        return _skeleton(part, f"{path}.{name}" if path else str(name), tensors)

    if isinstance(tree, Tensor):
        tensors[path] = tree.detach().cpu().contiguous()
        return {"learnt" if tree.requires_grad else "tensor": path}
    if isinstance(tree, Component):
        return {"component": tree.family, "knobs": encode(tree)}
    if isinstance(tree, tuple) and (name := type(tree).__name__) in REMEMBERED:
        return {"named": name, "fields": {key: inside(key, part) for key, part in tree._asdict().items()}}  # type: ignore[attr-defined]
    if isinstance(tree, tuple):
        return {"tuple": [inside(i, part) for i, part in enumerate(tree)]}
    if isinstance(tree, Mapping):
        return {"dict": {name: inside(name, part) for name, part in tree.items()}}
    if isinstance(tree, float) and not math.isfinite(tree):
        return {"float": str(tree)}
    if tree is None or isinstance(tree, bool | int | float | str):
        return tree
    raise TypeError(f"{type(tree).__name__} cannot be kept in a file")


def _grown(skeleton: Any, tensors: dict[str, Tensor]) -> Tree:
    """Returns the tree of a skeleton, its tensors taken out of a dictionary: each belongs to one place."""

    if not isinstance(skeleton, dict):
        if isinstance(skeleton, list):
            raise TypeError("a list is no tree")
        return skeleton
    match skeleton:
        case {"tensor": name, **rest} if not rest:
            return tensors.pop(name)
        case {"learnt": name, **rest} if not rest:
            return tensors.pop(name).requires_grad_()
        case {"float": "nan" | "inf" | "-inf" as text, **rest} if not rest:
            return float(text)
        case {"tuple": list(parts), **rest} if not rest:
            return tuple(_grown(part, tensors) for part in parts)
        case {"dict": dict(parts), **rest} if not rest:
            return {name: _grown(part, tensors) for name, part in parts.items()}
        case {"component": str(family), "knobs": dict(knobs), **rest} if not rest:
            first = next(iter(FAMILIES[family].values()))
            return decode(knobs, first(), family)
        case {"named": str(name), "fields": dict(parts), **rest} if not rest:
            return _named(REMEMBERED[name], {key: _grown(part, tensors) for key, part in parts.items()})
    raise ValueError("this is no tree")


def _named(cls: type[Any], parts: Mapping[str, Tree]) -> Tree:
    hints = get_type_hints(cls)
    if set(parts) != set(hints) or not all(suits(part, hints[name]) for name, part in parts.items()):
        raise TypeError(f"this is no {cls.__name__}")
    return cls(**parts)
