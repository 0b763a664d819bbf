"""What a computation draws at random, taken out of it: drawn beforehand, and handed to it when it asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from torch import Tensor
from torch.overrides import TorchFunctionMode

from ebmlab.engine.types import Rng


class Draw(NamedTuple):
    """A call that draws random numbers, without its generator."""

    function: Callable[..., Tensor]
    args: tuple[Any, ...]
    options: Mapping[str, Any]

    def __call__(self, rng: Rng) -> Tensor:
        """Draws."""

        return self.function(*self.args, **self.options, generator=rng)


class Recording(TorchFunctionMode):
    """Takes note of what is drawn within.

    Attributes:
        draws: The calls, in order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.draws: list[Draw] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Is called by torch in place of each of its functions."""

        options = dict(kwargs or {})
        if "generator" in options:
            self.draws.append(Draw(func, args, {name: v for name, v in options.items() if name != "generator"}))
        return func(*args, **options)


class Playing(TorchFunctionMode):
    """Hands out numbers drawn before, in order, to whatever draws within."""

    def __init__(self, drawn: Sequence[Tensor]) -> None:
        super().__init__()
        self._drawn: Iterator[Tensor] = iter(drawn)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Is called by torch in place of each of its functions."""

        options = kwargs or {}
        return next(self._drawn) if "generator" in options else func(*args, **options)
