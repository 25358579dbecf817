"""The columns of an export: names, types and meanings.

The types are in the form that `datasets.Features.from_dict` reads. A reader that goes by the first
rows takes a column for empty where its first megabytes are null (comments that begin late,
exclusions), and refuses the rest of the file. Told the types, it reads it.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

FeatureType = Any


def make_type(dtype: str) -> FeatureType:
    """The type of a column of plain values."""
    return {"dtype": dtype, "_type": "Value"}


TEXT, FLAG, INTEGER = make_type("string"), make_type("bool"), make_type("int64")
NUMBER = make_type("float64")
TIME = make_type("timestamp[us, tz=UTC]")
MESSAGES = [{"role": TEXT, "content": TEXT}]
PREFERENCE = {"outcome": INTEGER, "both_bad": FLAG, "first_on_left": FLAG}


@dataclass(frozen=True)
class ExportColumn:
    """One column.

    type: as `datasets` reads it; meaning: for docs/exports.md; is_nullable: whether values can be
    missing; value: from a row, for formats that write a row's columns one by one.
    """

    name: str
    type: FeatureType
    meaning: str
    is_nullable: bool = False
    value: Callable[[Any], Any] | None = None

    @property
    def type_name(self) -> str:
        """The type in words."""
        return name_type(self.type) + (" or null" if self.is_nullable else "")


def name_type(feature: FeatureType) -> str:
    """A column's type in words."""
    if feature == MESSAGES:
        return "list of `{role, content}`"
    if isinstance(feature, list):
        return f"list of {name_type(feature[0])}"
    if "_type" not in feature:
        return "object"
    names: dict[str, str] = {"int64": "int", "float64": "float", TIME["dtype"]: "ISO 8601"}
    dtype: str = feature["dtype"]
    return names.get(dtype, dtype)


def render_features(columns: Iterable[ExportColumn]) -> str:
    """The file of types that stands beside an export."""
    return json.dumps({column.name: column.type for column in columns}, indent=1) + "\n"
