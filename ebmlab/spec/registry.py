from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Generic, TypeVar

from ebmlab.spec.component import Component
from ebmlab.spec.errors import BadInput

C = TypeVar("C", bound=Component)
K = TypeVar("K", bound=Component)

FAMILIES: dict[str, Registry[Component]] = {}
"""Every family by its name; filled as the families are imported."""


class Registry(Mapping[str, type[C]], Generic[C]):
    """The components of one family, in the order they were registered."""

    def __init__(self, family: str) -> None:
        self.family = family
        self._kinds: dict[str, type[C]] = {}
        FAMILIES[family] = self  # type: ignore[assignment]

    def register(self, kind: str) -> Callable[[type[K]], type[K]]:
        """Adds the decorated class under the name that users type."""

        def add(cls: type[K]) -> type[K]:
            if kind in self._kinds:
                raise ValueError(f"{self.family} {kind!r} is registered twice")
            cls.family, cls.kind = self.family, kind
            self._kinds[kind] = cls  # type: ignore[assignment]
            return cls

        return add

    def find(self, kind: object) -> type[C]:
        """Returns the class of a kind.

        Raises:
            BadInput: If there is none. The message names the nearest.
        """

        if isinstance(kind, str) and kind in self._kinds:
            return self._kinds[kind]
        near = get_close_matches(str(kind), self._kinds, n=2) or list(self._kinds)
        raise BadInput(f"no {self.family} is called {str(kind)[:60]!r}; did you mean {' or '.join(near)}?")

    def __getitem__(self, kind: str) -> type[C]:
        return self._kinds[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)
