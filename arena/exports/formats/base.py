"""What an export format declares: who it is, which options it takes, and how rows become bytes."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django import forms
from django.utils.functional import Promise

from arena.events.models import Event
from arena.exports.consistent_reads import read_consistently
from arena.exports.formats.columns import ExportColumn

Text = str | Promise
RowT = TypeVar("RowT")
OptionsT = TypeVar("OptionsT")


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes to be written next, how many rows they are, and to which part they belong."""

    data: bytes
    rows: int = 1
    part: str = ""


class OptionsForm(forms.Form):
    """The options of a format; without fields it takes none.

    The page draws its fields, the address takes them as a query and the command as arguments.
    What is left out has the field's `initial` value.
    """

    def __init__(
        self, event: Event | None, given: Mapping[str, Any] | None = None, **more: Any
    ) -> None:
        self.event = event
        defaults = {name: field.initial for name, field in self.base_fields.items()}
        chosen = None if given is None else {n: given.get(n, d) for n, d in defaults.items()}
        super().__init__(chosen, **more)

    @property
    def options(self) -> Any:
        """What was chosen, once the form is valid, in the form that the format wants."""
        return self.cleaned_data


class ExportFormat(ABC, Generic[RowT, OptionsT]):
    """One way to write an event's judgments. A subclass says what it does; nobody else lists it.

    identifier: after `--format`; name: of the file, and its address, before the extension;
    label, help: for people; notes: what else they should know; action: on the button.
    """

    identifier: str
    name: str
    label: Text
    help: Text
    action: Text
    notes: Sequence[Text] = ()
    extension = "jsonl"
    content_type = "application/jsonl; charset=utf-8"
    options_form: type[OptionsForm] = OptionsForm

    @abstractmethod
    def read_rows(self, event: Event) -> Iterable[RowT]:
        """The neutral rows that the format is made of: a function of `arena.exports.rows`."""

    @abstractmethod
    def list_columns(self, event: Event | None, options: OptionsT) -> Sequence[ExportColumn]:
        """The columns of a file with these options; for the documentation without an event."""

    @abstractmethod
    def write(self, event: Event, rows: Iterable[RowT], options: OptionsT) -> Iterator[Piece]:
        """The file's bytes, a little at a time: an event of any size passes through."""

    def list_parts(self, options: OptionsT) -> tuple[str, ...]:
        """The files that the command writes: one, or several with these before the extension."""
        return ("",)

    def name_file(self, options: OptionsT) -> str:
        """What the download is called, after the event's slug."""
        return self.file

    def describe_omissions(self, event: Event) -> str:
        """What somebody might look for in the file and not find; empty where nothing is missing."""
        return ""

    def show_usage(self, event: Event) -> str:
        """Code that reads the file, for the page."""
        return ""

    def export(self, event: Event, options: OptionsT) -> Iterator[Piece]:
        """The file's pieces, as everything was at one moment."""
        with read_consistently():
            yield from self.write(event, self.read_rows(event), options)

    @property
    def file(self) -> str:
        """The last part of the file's address."""
        return f"{self.name}.{self.extension}"


def encode_line(value: Any) -> bytes:
    """Compact JSON in one line; text stays readable in every script."""
    return f"{json.dumps(value, ensure_ascii=False, separators=(',', ':'))}\n".encode()
