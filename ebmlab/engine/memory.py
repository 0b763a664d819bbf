"""What estimators and samplers remember from one step to the next, by name, so that a file can hold it.

A file names only what is listed here: it cannot ask for anything else to be made.
"""

from __future__ import annotations

from typing import Any, TypeVar

T = TypeVar("T")

REMEMBERED: dict[str, type[Any]] = {}
"""Every named tuple that a memory may hold, by its name; filled as the engine is imported."""


def remembered(cls: type[T]) -> type[T]:
    """Lists a named tuple of tensors, numbers, components and others of its like as what a memory may hold."""

    if cls.__name__ in REMEMBERED:
        raise ValueError(f"{cls.__name__} is listed twice")
    REMEMBERED[cls.__name__] = cls
    return cls
