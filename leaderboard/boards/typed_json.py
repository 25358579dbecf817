"""Frozen dataclasses as JSON and back, and the JSON Schema of what they become.

Written are a dataclass's fields by their names and in their order. Known are numbers, strings,
truth values, `X | None`, `tuple[X, ...]`, `dict[str, X]` and further dataclasses; a field may say
more of itself by `optional`, `merged` or `documented`. Keys that no field names are not read.
"""

from collections.abc import Mapping
from dataclasses import MISSING, Field, field, fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

PLAIN: dict[type, str] = {int: "integer", float: "number", str: "string", bool: "boolean"}
"""Types that are JSON values as they are, and what JSON Schema calls them."""


def optional(help: str = "") -> Any:
    """A field whose key is left out where it is None."""
    return field(default=None, metadata={"optional": True, "help": help})


def merged() -> Any:
    """A field, a dataclass or None, whose keys stand among those of its owner, or not at all."""
    return field(default=None, metadata={"merged": True})


def documented(help: str, schema: dict[str, Any] | None = None) -> Any:
    """A required field with a description; `schema` where its type does not say enough."""
    return field(metadata={"help": help, "schema": schema})


def to_json(value: Any) -> Any:
    """A dataclass, or what may stand in one, as JSON."""
    if is_dataclass(value):
        found: dict[str, Any] = {}
        for part in fields(value):
            inside = getattr(value, part.name)
            if part.metadata.get("merged"):
                found |= {} if inside is None else to_json(inside)
            elif inside is not None or not part.metadata.get("optional"):
                found[part.name] = to_json(inside)
        return found
    if isinstance(value, Mapping):
        return {key: to_json(inside) for key, inside in value.items()}
    if isinstance(value, tuple):
        # Rows of numbers are long, and need no look at each.
        is_plain = not value or type(value[0]) in PLAIN
        return list(value) if is_plain else [to_json(inside) for inside in value]
    return value


def from_json(kind: Any, value: Any) -> Any:
    """The inverse of `to_json`, for a value of this type.

    Raises `TypeError` where a key is missing whose field has no default.
    """
    arguments = get_args(kind)
    if is_union(kind):
        return None if value is None else from_json(arguments[0], value)
    if get_origin(kind) is tuple:
        is_plain = arguments[0] in PLAIN
        return tuple(value if is_plain else (from_json(arguments[0], one) for one in value))
    if get_origin(kind) is dict:
        return {key: from_json(arguments[1], inside) for key, inside in value.items()}
    if not (isinstance(kind, type) and is_dataclass(kind)):
        return value
    found = {}
    for part, hint in typed_fields(kind):
        if part.metadata.get("merged"):
            inside = get_args(hint)[0]
            is_there = any(other.name in value for other, _ in typed_fields(inside))
            found[part.name] = from_json(inside, value) if is_there else None
        elif part.name in value:
            found[part.name] = from_json(hint, value[part.name])
    return kind(**found)


def is_union(kind: Any) -> bool:
    """Whether a type is `X | None`: other unions are not used."""
    return get_origin(kind) in (UnionType, Union)


@cache
def typed_fields(kind: Any) -> tuple[tuple[Field[Any], Any], ...]:
    """The fields of a dataclass with their types."""
    hints = get_type_hints(kind)
    return tuple((part, hints[part.name]) for part in fields(kind))


def schema_of(kind: Any) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a dataclass: no key but those of its fields."""
    definitions: dict[str, dict[str, Any]] = {}
    refer_to(kind, definitions)
    return definitions.pop(kind.__name__) | {"$defs": definitions}


def refer_to(kind: Any, definitions: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The schema of a type; dataclasses are defined once and named."""
    arguments = get_args(kind)
    if is_union(kind):
        return {"anyOf": [refer_to(arguments[0], definitions), {"type": "null"}]}
    if get_origin(kind) is tuple:
        return {"type": "array", "items": refer_to(arguments[0], definitions)}
    if get_origin(kind) is dict:
        return {"type": "object", "additionalProperties": refer_to(arguments[1], definitions)}
    if not is_dataclass(kind):
        return {"type": PLAIN[kind]}
    name = str(getattr(kind, "__name__", ""))
    if name not in definitions:
        properties, required = properties_of(kind, definitions)
        definitions[name] = {
            "type": "object",
            "description": " ".join((kind.__doc__ or "").split()),
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        }
    return {"$ref": f"#/$defs/{name}"}


def properties_of(
    kind: Any, definitions: dict[str, dict[str, Any]]
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """The schemas of a dataclass's keys, and which of them are always there."""
    properties: dict[str, dict[str, Any]] = {}
    required = []
    for part, hint in typed_fields(kind):
        if part.metadata.get("merged"):
            properties |= properties_of(get_args(hint)[0], definitions)[0]
            continue
        is_optional = part.metadata.get("optional")
        shown = get_args(hint)[0] if is_optional else hint
        own = part.metadata.get("schema") or refer_to(shown, definitions)
        help = part.metadata.get("help")
        properties[part.name] = own | ({"description": help} if help else {})
        if part.default is MISSING and not is_optional:
            required.append(part.name)
    return properties, required
