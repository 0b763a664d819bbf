"""A graph of torch operations as lines of Python, spelled as a person would."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import fx

from ebmlab.record.export.graph import END

INFIX = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "div": "/",
    "pow": "**",
    "matmul": "@",
    "remainder": "%",
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "__and__": "&",
    "__or__": "|",
}
FUNCTIONAL = {name: name for name in ("linear", "silu", "softplus", "relu", "pad")} | {"log_sigmoid": "logsigmoid"}
METHODS = {"expand", "view", "reshape", "new_full", "new_empty", "new_zeros", "unflatten"}
PLAIN = (int, float, bool, str, type(None))


def constant(name: str) -> str:
    """Returns the name of a constant."""

    return name.upper()


def lines(graph: fx.Graph) -> Iterator[str]:
    """Yields the body of the function, one operation a line; the last returns the result."""

    *steps, last = [node for node in graph.nodes if node.op in ("call_function", "output")]
    for node in steps:
        result = "return" if (node,) == last.args else f"{node.name} ="
        yield f"{result} {_call(node)}"
    if not steps or last.args != (steps[-1],):
        yield f"return {_text(last.args[0])}"


def _call(node: fx.Node) -> str:
    if node.target is operator.getitem:
        return f"{_text(node.args[0])}[{_text(node.args[1])}]"
    if node.target in _SIGNS:
        return f"{_operand(node.args[0])} {_SIGNS[node.target]} {_operand(node.args[1])}"
    _, name, overload = str(node.target).split(".")
    kwargs = {key: value for key, value in node.kwargs.items() if value is not None and value is not False}
    if spell := _SPECIAL.get(f"{name}.{overload}") or _SPECIAL.get(name):
        return spell(*node.args, **kwargs)
    if name in INFIX and len(node.args) == 2 and not kwargs:
        return f"{_operand(node.args[0])} {INFIX[name]} {_operand(node.args[1])}"
    return _function(name, overload, [_text(arg) for arg in node.args], kwargs)


def _function(name: str, overload: str, args: list[str], kwargs: dict[str, Any]) -> str:
    first, *others = args
    named = [f"{key}={_text(value)}" for key, value in kwargs.items()]
    given, rest = ", ".join([*args, *named]), ", ".join([*others, *named])
    if name in FUNCTIONAL:
        return f"F.{FUNCTIONAL[name]}({given})"
    if name in METHODS:
        return f"{first}.{name}({rest})"
    if name.startswith("linalg_"):
        return f"torch.linalg.{name.removeprefix('linalg_')}({given})"
    if hasattr(torch, name) and name not in ("index_put", "slice"):
        return f"torch.{name}({given})"
    return f"torch.ops.aten.{name}.{overload}({given})"


def _text(value: Any) -> str:
    """Returns an argument as Python."""

    if isinstance(value, fx.Node):
        return constant(str(value.target)) if value.op == "get_attr" else value.name
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_text, value)) + "]"
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if isinstance(value, torch.device):
        return repr(str(value))
    return repr(value) if isinstance(value, PLAIN) else str(value)


def _operand(value: Any) -> str:
    text = _text(value)
    return f"({text})" if text.startswith("-") else text


def _at(dim: int, index: str) -> str:
    """Returns what picks along one dimension, counted from the first or from the last."""

    return ":, " * dim + index if dim >= 0 else "..., " + index + ", :" * (-dim - 1)


def _slice(x: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> str:
    low = "" if start in (None, 0) else _text(start)
    high = "" if end in (None, END) else _text(end)
    return f"{_text(x)}[{_at(dim, f'{low}:{high}' + (f':{step}' if step != 1 else ''))}]"


def _index(x: Any, indices: list[Any]) -> str:
    return f"{_text(x)}[{', '.join(':' if i is None else _text(i) for i in indices)}]"


_SPECIAL: dict[str, Callable[..., str]] = {
    "sym_size": lambda x, dim: f"{_text(x)}.shape[{dim}]",
    "neg": lambda x: f"-{_text(x)}",
    "rsub": lambda x, other: f"{_operand(other)} - {_operand(x)}",
    "select": lambda x, dim, i: f"{_text(x)}[{_at(dim, _text(i))}]",
    "slice": _slice,
    "index": _index,
    "broadcast_tensors": lambda tensors: f"torch.broadcast_tensors({', '.join(map(_text, tensors))})",
    "_to_copy": lambda x, **how: f"{_text(x)}.to({_text(how['dtype'])})",
}
_SIGNS: dict[Any, str] = {operator.add: "+", operator.sub: "-", operator.mul: "*", operator.floordiv: "//"}
"""What is done with sizes."""
