"""Rows of models without the ORM: columns, values and instances for SQL that is written out."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model

Instance = TypeVar("Instance", bound=Model)

# A list of primary keys is one value (`write_ids`): the statement is the same however many it has.
IS_ONE_OF = {
    "postgresql": "= ANY(string_to_array(%s, ',')::bigint[])",
    "sqlite": "IN (SELECT value FROM json_each(%s))",
}
IS_NONE_OF = {
    "postgresql": "<> ALL(string_to_array(%s, ',')::bigint[])",
    "sqlite": "NOT IN (SELECT value FROM json_each(%s))",
}


def open_cursor() -> Any:
    """A cursor for statements whose text is one of a few; each is prepared once."""
    return getattr(connection, "prepared_cursor", connection.cursor)()


def list_columns(model: type[Model]) -> tuple[str, ...]:
    """The names of a model's columns in the order in which `read_instance` takes them."""
    return tuple(str(field.column) for field in model._meta.concrete_fields)


def select_columns(parts: Mapping[str, type[Model]]) -> str:
    """Every column of these models under their aliases, as SQL."""
    return ", ".join(
        f'{alias}."{column}"' for alias, model in parts.items() for column in list_columns(model)
    )


@cache
def list_converters(model: type[Model], vendor: str) -> list[tuple[int, Any, Any]]:
    """(index, converter, expression) for every column whose value is not Python's own."""
    assert vendor == connection.vendor
    found = []
    for index, field in enumerate(model._meta.concrete_fields):
        column = field.get_col(model._meta.db_table)
        backend = connection.ops.get_db_converters(column)
        for converter in (*backend, *column.get_db_converters(connection)):
            found.append((index, converter, column))
    return found


def read_instance(model: type[Instance], values: Iterator[Any]) -> Instance:
    """An instance of the model from the next values of a row."""
    row = list(islice(values, len(model._meta.concrete_fields)))
    for index, convert, column in list_converters(model, connection.vendor):
        row[index] = convert(row[index], column, connection)
    names = [field.attname for field in model._meta.concrete_fields]
    return model.from_db("default", names, row)


@cache
def list_fields(model: type[Model], without: str) -> list[Any]:
    """The model's stored fields but its primary key and the column `without`."""
    fields = model._meta.concrete_fields
    return [field for field in fields if not field.primary_key and field.column != without]


@cache
def name_columns(model: type[Model], without: str = "") -> dict[str, str]:
    """The columns of these fields, and a place for each of their values, as SQL."""
    fields = list_fields(model, without)
    columns = ", ".join(field.column for field in fields)
    return {"columns": columns, "places": list_places(fields)}


def list_places(values: Sequence[Any]) -> str:
    """A place for each value."""
    return ", ".join(["%s"] * len(values))


def list_values(instance: Model, without: str = "") -> list[Any]:
    """The instance's values in these fields, as the database takes them."""
    fields = list_fields(type(instance), without)
    return [
        field.get_db_prep_save(getattr(instance, field.attname), connection) for field in fields
    ]


def write_ids(ids: Sequence[int]) -> str:
    """Primary keys as the value for `IS_ONE_OF` and `IS_NONE_OF`."""
    keys = ",".join(map(str, ids))
    return keys if connection.vendor == "postgresql" else f"[{keys}]"
