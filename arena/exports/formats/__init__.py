"""The formats in which judgments leave, one module each: a module with a `FORMAT` is registered.

The command, the downloads page, the addresses and the tables in docs/exports.md follow from
`FORMATS`. Which rows there are is decided in `arena.exports.rows`, not here.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from arena.exports.formats.base import ExportFormat


def find_formats() -> dict[str, ExportFormat[Any, Any]]:
    """The formats of this package's modules by their identifiers, in the order of the modules."""
    modules = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
    formats = [module.FORMAT for module in modules if hasattr(module, "FORMAT")]
    return {each.identifier: each for each in formats}


FORMATS = find_formats()
