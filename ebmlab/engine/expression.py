r"""Typed formulas: a text such as ``a*(x**2 + y**2)/2`` becomes a function of points and named parameters.

The grammar is arithmetic and nothing else, read by a parser of its own, so that no text reaches Python:

.. math::
    \text{sum} &\to \text{product} \; ((+ \mid -) \; \text{product})^* \\
    \text{product} &\to \text{factor} \; ((* \mid /) \; \text{factor})^* \\
    \text{factor} &\to (- \mid +) \; \text{factor} \;\mid\; \text{atom} \; [** \; \text{factor}] \\
    \text{atom} &\to \text{number} \;\mid\; \text{name} \;\mid\; \text{name} \, ( \text{sum} \, (, \, \text{sum})^* )
        \;\mid\; ( \text{sum} )
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NamedTuple

import torch
from torch import Tensor

from ebmlab.spec import BadInput

LENGTH = 2000
DEPTH = 50

Value = Tensor | float
Function = Callable[..., Tensor]


class Op(NamedTuple):
    """An operation on the topmost values of the stack."""

    name: str
    operands: int


def hypot(a: Tensor, b: Tensor) -> Tensor:
    r"""Returns :math:`\sqrt{a^2 + b^2}`, whose derivatives at the origin are 0 rather than undefined."""

    origin = (a == 0) & (b == 0)
    a, b = torch.broadcast_tensors(a, b)
    return torch.hypot(a.masked_fill(origin, 1.0), b.masked_fill(origin, 0.0)).masked_fill(origin, 0.0)


def softplus(a: Tensor) -> Tensor:
    r"""Returns :math:`\log(1 + e^a)` to full precision."""

    return -torch.nn.functional.logsigmoid(-a)


UNARY: dict[str, Function] = {
    f.__name__: f
    for f in (
        *(torch.sin, torch.cos, torch.tan, torch.sinh, torch.cosh, torch.tanh),
        *(torch.exp, torch.log, torch.sqrt, torch.abs, torch.sigmoid, softplus),
    )
}
BINARY: dict[str, Function] = {"min": torch.minimum, "max": torch.maximum, "atan2": torch.atan2, "hypot": hypot}
FUNCTIONS = UNARY | BINARY
OPERATORS: dict[str, Function] = {"+": torch.add, "-": torch.sub, "*": torch.mul, "/": torch.div, "negative": torch.neg}
CONSTANTS = {"pi": math.pi, "e": math.e}
VARIABLES = ("x", "y", "r", "theta")
RESERVED = {"x", "y", "pi", *FUNCTIONS}


@dataclass(frozen=True, slots=True)
class Expression:
    """A formula, ready to be evaluated at points; a value that compares, copies and pickles.

    Arguments:
        text: What was typed.
        names: The parameters that occur in it, in the order they were declared.
        program: Numbers, names and operations, each operation after its operands.
    """

    text: str
    names: tuple[str, ...]
    program: tuple[float | str | Op, ...]

    def __call__(self, x: Tensor, values: Mapping[str, Value] | None = None) -> Tensor:
        r"""Evaluates the formula, differentiably, in the dtype and on the device of x.

        Arguments:
            x: Points, with shape :math:`(*, d)`, of which the formula sees the first two coordinates.
            values: The value of each parameter in ``names``, a number or a tensor without dimensions.

        Returns:
            The values, with shape :math:`(*)`, also where the formula is constant.
        """

        scope = {name: (values or {})[name] for name in self.names}
        stack: list[Value] = []
        for item in self.program:
            if isinstance(item, Op):
                first = len(stack) - item.operands
                stack[first:] = [_apply(item.name, stack[first:], x)]
            else:
                stack.append(_look_up(item, scope, x) if isinstance(item, str) else item)
        (result,) = stack
        return (result.to(x) if isinstance(result, Tensor) else _number(result, x)).expand(x.shape[:-1])


def parse(text: str, parameters: Collection[str] = ()) -> Expression:
    """Reads a formula.

    It may hold numbers, ``+ - * / **``, brackets, the functions of ``FUNCTIONS``, the constants pi and e, the
    coordinates x and y, the polar ones r and theta, and the parameters. A parameter may be called r, theta or e and
    then hides the other meaning.

    Arguments:
        text: The formula.
        parameters: The names that it may use besides its own.

    Raises:
        BadInput: If it is none, under the key ``expression``, or a parameter's name is taken, under ``parameters``.
    """

    for name in parameters:
        if name in RESERVED:
            raise BadInput(f"{name!r} has a meaning of its own; call the parameter something else", key="parameters")
    if len(text) > LENGTH:
        raise _fault(f"the formula has {len(text)} characters; keep it within {LENGTH}")
    parser = _Parser(text, parameters)
    parser.sum()
    if parser.token:
        parser.refuse()
    used = {item for item in parser.program if isinstance(item, str)}
    return Expression(text, tuple(name for name in parameters if name in used), tuple(parser.program))


def _look_up(name: str, scope: Mapping[str, Value], x: Tensor) -> Value:
    if name in scope:
        return scope[name]
    a, b = x[..., 0], x[..., 1]
    if name == "x":
        return a
    if name == "y":
        return b
    return hypot(a, b) if name == "r" else torch.atan2(b, a)


def _apply(name: str, operands: list[Value], x: Tensor) -> Tensor:
    if name == "**":  # an exponent that is a plain number has the fast derivatives
        return torch.pow(_number(operands[0], x), operands[1])
    return (FUNCTIONS.get(name) or OPERATORS[name])(*(_number(v, x) for v in operands))


def _number(value: Value, x: Tensor) -> Tensor:
    return value if isinstance(value, Tensor) else x.new_full((), value)


_NUMBER, _NAME, _SIGN = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", r"[^\W\d]\w*", r"\*\*|[-+*/(),]"
_TOKEN = re.compile(rf"\s*(?:(?P<number>{_NUMBER})|(?P<name>{_NAME})|(?P<sign>{_SIGN})|(?P<other>\S))")
_ORIGIN = torch.zeros(2, dtype=torch.float64)


class _Parser:
    """Recursive descent over the text; each rule of the grammar appends what it read to the program."""

    def __init__(self, text: str, parameters: Collection[str]) -> None:
        self.text, self.parameters = text, parameters
        self.program: list[float | str | Op] = []
        self.depth = 0
        self.kind = self.token = ""
        self.start = self.end = 0
        self.advance()

    def advance(self) -> str:
        """Moves to the next token, the empty one at the end; returns the one left behind."""

        before = self.token
        match = _TOKEN.match(self.text, self.end)
        if match is None:
            self.kind = self.token = ""
            self.start = len(self.text)
            return before
        self.kind = str(match.lastgroup)
        self.token, self.start, self.end = match[self.kind], match.start(self.kind), match.end()
        return before

    def take(self, *signs: str) -> str:
        """Returns the token and moves on if it is one of these signs; else the empty text."""

        return self.advance() if self.kind == "sign" and self.token in signs else ""

    def sum(self) -> None:
        self.product()
        while sign := self.take("+", "-"):
            self.product()
            self.emit(sign, 2)

    def product(self) -> None:
        self.factor()
        while sign := self.take("*", "/"):
            self.factor()
            self.emit(sign, 2)

    def factor(self) -> None:
        self.depth += 1
        if self.depth > DEPTH:
            raise _fault(f"the formula is nested more than {DEPTH} deep; write it flatter")
        if sign := self.take("-", "+"):
            self.factor()
            if sign == "-":
                self.emit("negative", 1)
        else:
            self.atom()
            if self.take("**"):
                self.factor()
                self.emit("**", 2)
        self.depth -= 1

    def atom(self) -> None:
        if self.take("("):
            self.sum()
            self.close("(")
        elif self.kind == "number":
            self.push(float(self.advance()))
        elif self.kind == "name":
            self.name()
        else:
            self.refuse()

    def name(self) -> None:
        start, name = self.start, self.advance()
        if self.take("("):
            self.call(name, start)
        elif name in self.parameters or name in VARIABLES:
            self.program.append(name)
        elif name in CONSTANTS:
            self.push(CONSTANTS[name])
        elif name in FUNCTIONS:
            raise _fault(f"{name} at character {start + 1} needs brackets, such as {name}(x)")
        else:
            raise _unknown("name", name, start, {*self.parameters, *VARIABLES, *CONSTANTS})

    def call(self, name: str, start: int) -> None:
        if name not in FUNCTIONS:
            raise _unknown("function", name, start, FUNCTIONS)
        given = 0
        while not given or self.take(","):
            self.sum()
            given += 1
        self.close(f"{name}(")
        wanted = 1 if name in UNARY else 2
        if given != wanted:
            raise _fault(f"{name} at character {start + 1} was given {given} values; give it {wanted}")
        self.emit(name, wanted)

    def close(self, opened: str) -> None:
        if not self.take(")"):
            if self.token:
                self.refuse()
            raise _fault(f"a ) is missing at the end; close the {opened}")

    def emit(self, name: str, operands: int) -> None:
        """Appends an operation, or its result if every operand is a plain number."""

        last = self.program[-operands:]
        constants = [item for item in last if isinstance(item, float)]
        if len(constants) < operands:
            self.program.append(Op(name, operands))
            return
        del self.program[-operands:]
        self.push(_apply(name, list(constants), _ORIGIN).item())

    def push(self, value: float) -> None:
        if not math.isfinite(value):
            raise _fault(f"the numbers before character {self.start + 1} do not make a finite one; change them")
        self.program.append(value)

    def refuse(self) -> None:
        """Raises the fault that says what is wrong with the token at hand."""

        where = f"{self.token!r} at character {self.start + 1}"
        if not self.text.strip():
            raise _fault("the formula is empty; write one such as (x**2 + y**2)/2")
        if not self.token:
            raise _fault("the formula ends too early; finish it with a number or a name")
        if self.token == "^":
            raise _fault(f"{where} is no operator; write ** for a power")
        if self.kind in ("number", "name") or self.token == "(":
            raise _fault(f"{where} follows without an operator; put one such as * before it")
        if self.kind == "sign":
            raise _fault(f"{where} is out of place; put a number or a name there")
        raise _fault(f"{where} has no place in a formula; use numbers, names, + - * / ** and brackets")


def _fault(message: str) -> BadInput:
    return BadInput(message, key="expression")


def _unknown(what: str, name: str, start: int, known: Collection[str]) -> BadInput:
    near = get_close_matches(name, known, n=2) or sorted(known)
    return _fault(f"there is no {what} {name[:60]!r} (character {start + 1}); did you mean {' or '.join(near)}?")
