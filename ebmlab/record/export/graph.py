"""The energy as a graph of torch operations on points with shape (n, 2), for any n of at least 1."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.export import Dim, ExportedProgram, export
from torch.export.graph_signature import InputKind
from torch.fx.experimental.proxy_tensor import make_fx

from ebmlab.engine.calculus import value_and_grad
from ebmlab.engine.energies import EnergyNet
from ebmlab.record.export.quiet import quiet

aten = torch.ops.aten
_ASSERTIONS = {getattr(aten, name).default for name in ("_assert_scalar", "_assert_tensor_metadata")}
_IDLE = {aten.detach.default, aten.alias.default}
MANY = ({0: Dim("n", min=1)},)
"""How many points there are is left open."""
END = 2**63 - 1
"""What a graph has for the end of a dimension."""


class Outer(nn.Module):
    """A network as a plain function of points."""

    def __init__(self, net: EnergyNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class Scored(nn.Module):
    """Energy and score as a traced function of points and weights.

    Arguments:
        traced: The function.
        weights: The weights, in the order of its arguments.
    """

    def __init__(self, traced: fx.GraphModule, weights: dict[str, Tensor]) -> None:
        super().__init__()
        self.traced, self.names = traced, tuple(weights)
        for name, value in weights.items():
            self.register_buffer(name, value)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.traced(x, *(getattr(self, name) for name in self.names))


def graph_of(net: EnergyNet) -> fx.GraphModule:
    """Returns the graph of what depends on the point; what does not is computed at once and kept as buffers.

    The graph maps x to the energies, in functional operations of ATen.

    Arguments:
        net: The energy, on the CPU, without gradients in its weights.
    """

    with quiet(), torch.enable_grad():  # or a network takes many points in blocks
        program = _exported(Outer(net), _example(net)).run_decompositions({})
    return _Folding(program).run()


def energy_program(graph: fx.GraphModule) -> ExportedProgram:
    """Returns the energy as a program with n points, x, for its input."""

    return _exported(graph, _example(graph))


def score_program(graph: fx.GraphModule, plain: Mapping[Any, Callable[..., Tensor]] | None = None) -> ExportedProgram:
    """Returns energy and score as a program with n points, x, for its input.

    Arguments:
        graph: The energy.
        plain: What to write some operations as, in others.
    """

    weights = dict(graph.named_buffers())

    def both(x: Tensor, *values: Tensor) -> tuple[Tensor, Tensor]:
        held = dict(zip(weights, values, strict=True))
        energy, grad = value_and_grad(lambda x: torch.func.functional_call(graph, held, (x,)), x)
        return energy, -grad

    example = _example(graph)
    with quiet():
        traced = make_fx(both, plain, "symbolic")(example, *weights.values())
    return _exported(Scored(traced, weights), example)


def _exported(module: nn.Module, example: Tensor) -> ExportedProgram:
    with quiet():
        return export(module, (example,), dynamic_shapes=MANY)


def _example(module: nn.Module) -> Tensor:
    """Returns points whose number is the size of no weight: the tracer takes equal sizes for the same one."""

    held = itertools.chain(module.parameters(), module.buffers())
    sizes = {size for value in held for size in value.shape}
    return torch.zeros(next(n for n in itertools.count(11) if n not in sizes), 2)


class _Folding:
    """Copies the graph of a program, and computes on the way all that is known without the points."""

    def __init__(self, program: ExportedProgram) -> None:
        self.program = program
        self.root, self.graph = nn.Module(), fx.Graph()
        self.known: dict[fx.Node, Any] = {}
        self.roots: dict[fx.Node, str] = {}  # the weight that what is known was made from
        self.copies: dict[fx.Node, fx.Node] = {}
        self.constants: dict[fx.Node, fx.Node] = {}

    def run(self) -> fx.GraphModule:
        inputs = {spec.arg.name: spec for spec in self.program.graph_signature.input_specs}
        held = {**dict(self.program.constants), **dict(self.program.state_dict)}
        held |= {name: buffer for name, buffer in self.program.named_buffers() if name not in held}
        for node in self.program.graph.nodes:
            if node.op == "placeholder" and inputs[node.name].kind == InputKind.USER_INPUT:
                self.copies[node] = self.graph.placeholder("x")
            elif node.op == "placeholder":
                target = str(inputs[node.name].target)
                self.known[node], self.roots[node] = held[target].detach(), _plain(target.removeprefix("net."))
            elif node.op == "output":
                self.graph.output(self._copy(node.args[0][0]))
            elif node.target not in _ASSERTIONS:
                self._call(node)
        self.graph.eliminate_dead_code()
        return _trimmed(fx.GraphModule(self.root, self.graph))

    def _call(self, node: fx.Node) -> None:
        known = all(source in self.known for source in node.all_input_nodes)
        of: Callable[[fx.Node], Any] = self.known.__getitem__ if known else self._copy
        target: Any = node.target
        args: Any = fx.map_arg(node.args, of)
        kwargs: Any = fx.map_arg(node.kwargs, of)
        if known:
            with torch.no_grad():
                self.known[node] = target(*args, **kwargs)
            self.roots[node] = next((self.roots[source] for source in node.all_input_nodes), "constant")
        else:
            self.copies[node] = self.graph.create_node("call_function", target, args, kwargs, _stem(node))

    def _copy(self, node: fx.Node) -> Any:
        """Returns the node in the new graph, or the value if it is known and no tensor."""

        if node in self.copies:
            return self.copies[node]
        value = self.known[node]
        if not isinstance(value, Tensor):
            return value
        if node not in self.constants:
            root = self.roots[node]
            name = root if node.op == "placeholder" else f"{root}_{node.name}"  # unlike that of any operation
            self.root.register_buffer(name, value.clone())
            self.constants[node] = self.graph.get_attr(name)
        return self.constants[node]


def _plain(name: str) -> str:
    return re.sub(r"\W", "_", name)


def _stem(node: fx.Node) -> str:
    """Returns what to call a node, before it is numbered anew."""

    return "n" if node.target is aten.sym_size.int else re.sub(r"(_\d+)+$", "", node.name).strip("_")


def _trimmed(module: fx.GraphModule) -> fx.GraphModule:
    """Drops buffers that nothing reads any more, and operations that change nothing."""

    for node in list(module.graph.nodes):
        if node.target in _IDLE or (node.target is aten.slice.Tensor and node.args[2:] == (0, END)):
            node.replace_all_uses_with(node.args[0])
            module.graph.erase_node(node)
    module.graph.lint()
    module.delete_all_unused_submodules()
    read = {node.target for node in module.graph.nodes if node.op == "get_attr"}
    for name in [name for name, _ in module.named_buffers() if name not in read]:
        delattr(module, name)
    module.recompile()
    return module
