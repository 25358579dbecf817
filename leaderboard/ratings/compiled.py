"""Numba where it is installed (extra `fast`), plain Python where it is not."""

from collections.abc import Callable
from typing import TypeVar

try:
    from numba import njit
except ImportError:
    njit = None

COMPILED = njit is not None
"""Whether loops are compiled here."""

Result = TypeVar("Result")


def compiled(function: Callable[..., Result]) -> Callable[..., Result]:
    """Compile a loop at its first call, or leave it as it is without Numba."""
    if njit is None:
        return function
    fast: Callable[..., Result] = njit(cache=True)(function)
    return fast
