"""The elements of a JSON array, one by one, without holding the array.

Only brackets and strings are followed here; whether an element is JSON is for its parser to say.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from arena.events.importing.report import UnreadableFileError

CHUNK_BYTES = 256 * 1024
SPACE = re.compile(rb"[ \t\r\n]*")
OUTSIDE_STRINGS = re.compile(rb'["{}\[\]]')
INSIDE_STRINGS = re.compile(rb'["\\]')
SCALAR_END = re.compile(rb"[,\]} \t\r\n]")


ONE_OBJECT_MESSAGE = "The file is one JSON object. Write a list, [{…}, {…}], or one object a line."


def iterate_elements(stream: BinaryIO, limit: int) -> Iterator[tuple[int, bytes | None]]:
    """Line and bytes of each element of `[...]` or `{"records": [...]}`; None for the bytes of one
    that is longer than the limit. Raises `UnreadableFileError`."""
    scan = ElementScanner(stream, limit)
    first = scan.peek_byte()
    if not first:
        return
    wrapped = first == b"{"
    if wrapped:
        enter_records(scan)
    scan.expect(b"[")
    if scan.peek_byte() != b"]":
        while True:
            scan.peek_byte()
            line = scan.line
            yield line, scan.read_element()
            if scan.peek_byte() != b",":
                break
            scan.expect(b",")
    scan.expect(b"]")
    if wrapped:
        leave_records(scan)
    if scan.peek_byte():
        raise UnreadableFileError(scan.line, "There is more after the end of the list.")


def enter_records(scan: "ElementScanner") -> None:
    """Go on to the list under "records", past what else the object says before it."""
    scan.expect(b"{")
    while scan.peek_byte() == b'"':
        key = scan.read_element()
        scan.expect(b":")
        if key == b'"records"':
            return
        scan.read_element()
        if scan.peek_byte() == b",":
            scan.expect(b",")
    raise UnreadableFileError(1, ONE_OBJECT_MESSAGE)


def leave_records(scan: "ElementScanner") -> None:
    """Go on to the end of the object, past what else it says."""
    while scan.peek_byte() == b",":
        scan.expect(b",")
        if scan.read_element() == b'"records"':
            raise UnreadableFileError(scan.line, "The object has two lists of records.")
        scan.expect(b":")
        scan.read_element()
    scan.expect(b"}")


class ElementScanner:
    """A window on the stream that moves forward."""

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        self.stream = stream
        self.limit = limit
        # Whether the element that is being read has passed the limit, and is dropped.
        self.is_long = False
        self.buffer = b""
        self.position = 0
        self.line = 1

    def fill(self) -> bool:
        """Drop what is consumed and read on; False at the end."""
        chunk = self.stream.read(CHUNK_BYTES)
        self.buffer, self.position = self.buffer[self.position :] + chunk, 0
        return bool(chunk)

    def peek_byte(self) -> bytes:
        """The next byte that is no space; empty at the end."""
        while True:
            match = SPACE.match(self.buffer, self.position)
            assert match is not None
            self.consume(match.end())
            if self.position < len(self.buffer):
                return self.buffer[self.position : self.position + 1]
            if not self.fill():
                return b""

    def consume(self, end: int) -> bytes:
        """Move on to `end`, counting lines."""
        taken = self.buffer[self.position : end]
        self.line += taken.count(b"\n")
        self.position = end
        return taken

    def expect(self, wanted: bytes) -> None:
        """Take one certain byte."""
        if self.peek_byte() != wanted:
            found = self.buffer[self.position : self.position + 1].decode(errors="replace")
            where = f"found {found!r}" if found else "the file ends"
            raise UnreadableFileError(self.line, f"Expected {wanted.decode()!r} here, but {where}.")
        self.consume(self.position + 1)

    def read_element(self) -> bytes | None:
        """The next value: a string, a number or word, or a bracket with all that it holds; None
        where it was too long to be kept."""
        first = self.peek_byte()
        line, self.is_long = self.line, False
        try:
            # May move the window, and with it `at`.
            is_bracketed = first in (b"{", b"[", b'"')
            length = self.measure_bracketed() if is_bracketed else self.find(SCALAR_END, 0)
        except EOFError as error:
            raise UnreadableFileError(line, "The file ends in the middle of a record.") from error
        if length == 0 and not self.is_long:
            raise UnreadableFileError(
                self.line, "Expected a record here; is there a comma too many?"
            )
        value = self.consume(self.position + length)
        return None if self.is_long else value

    def measure_bracketed(self) -> int:
        """Length of the value that begins here, to its closing bracket or quotation mark."""
        depth, inside, offset = 0, False, 0
        while True:
            offset = self.find(INSIDE_STRINGS if inside else OUTSIDE_STRINGS, offset)
            char = self.buffer[self.position + offset]
            offset += 1
            if char == 0x5C:  # a backslash and what it escapes
                offset += 1
            elif char == 0x22:  # a quotation mark
                inside = not inside
            else:
                depth += 1 if char in b"{[" else -1
            if depth <= 0 and not inside:
                return offset

    def find(self, pattern: re.Pattern[bytes], offset: int) -> int:
        """Where the pattern is found next, counted from here; reads on as far as needed, and drops
        what is past the limit. Raises `EOFError`."""
        while True:
            match = pattern.search(self.buffer, self.position + offset)
            if match is not None:
                offset = match.start() - self.position
            else:
                offset = max(offset, len(self.buffer) - self.position)
            if offset > self.limit:
                self.is_long = True
                dropped = min(offset, len(self.buffer) - self.position)
                self.consume(self.position + dropped)
                offset -= dropped
            if match is not None:
                return offset
            if not self.fill():
                raise EOFError
