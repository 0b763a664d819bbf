"""What a thread keeps for itself: Qt's fonts and laid-out texts hold on to the fonts loaded by their thread."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from threading import local
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def kept_by_thread(most: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Returns a decorator that keeps what a function has returned, for each thread as long as that thread lives.

    A cache keyed by the thread's number would outlive it: numbers are given again, and what Qt loaded is gone by then.

    Arguments:
        most: How many results are kept.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        own = local()

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            if not hasattr(own, "cache"):
                own.cache = lru_cache(maxsize=most)(function)
            found: R = own.cache(*args, **kwargs)
            return found

        return call

    return decorate
