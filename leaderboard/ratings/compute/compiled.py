"""Numba where it is installed (extra `fast`), plain Python where it is not."""

from collections.abc import Callable
from functools import cache, wraps
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeVar

COMPILED = find_spec("numba") is not None
"""Whether loops are compiled here."""

Result = TypeVar("Result")


def compiled(function: Callable[..., Result]) -> Callable[..., Result]:
    """Compile a loop with Numba at its first call; without Numba return it unchanged.

    It holds no lock while it runs, so that several threads can run it at once; see `parallel`.
    """
    if not COMPILED:
        return function

    @cache
    def machine_code() -> Callable[..., Result]:
        fast: Callable[..., Result] = import_module("numba").njit(cache=True, nogil=True)(function)
        return fast

    @wraps(function)
    def call(*columns: Any) -> Result:
        return machine_code()(*columns)

    return call
