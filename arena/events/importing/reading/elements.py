"""The elements of a JSON array, one by one, without holding the array.

Only brackets and strings are followed here; whether an element is JSON is for its parser to say.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from arena.events.importing.report import Unreadable

CHUNK = 256 * 1024
SPACE = re.compile(rb"[ \t\r\n]*")
OUTSIDE = re.compile(rb'["{}\[\]]')
INSIDE = re.compile(rb'["\\]')
SCALAR_END = re.compile(rb"[,\]} \t\r\n]")


ONE_OBJECT = "The file is one JSON object. Write a list, [{…}, {…}], or one object a line."


def json_elements(stream: BinaryIO, limit: int) -> Iterator[tuple[int, bytes | None]]:
    """Line and bytes of each element of `[...]` or `{"records": [...]}`; None for the bytes of one
    that is longer than the limit. Raises `Unreadable`."""
    scan = Scan(stream, limit)
    first = scan.peek()
    if not first:
        return
    wrapped = first == b"{"
    if wrapped:
        enter_records(scan)
    scan.take(b"[")
    if scan.peek() != b"]":
        while True:
            scan.peek()
            line = scan.line
            yield line, scan.element()
            if scan.peek() != b",":
                break
            scan.take(b",")
    scan.take(b"]")
    if wrapped:
        leave_records(scan)
    if scan.peek():
        raise Unreadable(scan.line, "There is more after the end of the list.")


def enter_records(scan: "Scan") -> None:
    """Go on to the list under "records", past what else the object says before it."""
    scan.take(b"{")
    while scan.peek() == b'"':
        key = scan.element()
        scan.take(b":")
        if key == b'"records"':
            return
        scan.element()
        if scan.peek() == b",":
            scan.take(b",")
    raise Unreadable(1, ONE_OBJECT)


def leave_records(scan: "Scan") -> None:
    """Go on to the end of the object, past what else it says."""
    while scan.peek() == b",":
        scan.take(b",")
        if scan.element() == b'"records"':
            raise Unreadable(scan.line, "The object has two lists of records.")
        scan.take(b":")
        scan.element()
    scan.take(b"}")


class Scan:
    """A window on the stream that moves forward."""

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        self.stream = stream
        self.limit = limit
        # Whether the element that is being read has passed the limit, and is dropped.
        self.is_long = False
        self.buffer = b""
        self.at = 0
        self.line = 1

    def fill(self) -> bool:
        """Drop what is consumed and read on; False at the end."""
        chunk = self.stream.read(CHUNK)
        self.buffer, self.at = self.buffer[self.at :] + chunk, 0
        return bool(chunk)

    def peek(self) -> bytes:
        """The next byte that is no space; empty at the end."""
        while True:
            match = SPACE.match(self.buffer, self.at)
            assert match is not None
            self.consume(match.end())
            if self.at < len(self.buffer):
                return self.buffer[self.at : self.at + 1]
            if not self.fill():
                return b""

    def consume(self, end: int) -> bytes:
        """Move on to `end`, counting lines."""
        taken = self.buffer[self.at : end]
        self.line += taken.count(b"\n")
        self.at = end
        return taken

    def take(self, wanted: bytes) -> None:
        """Take one certain byte."""
        if self.peek() != wanted:
            found = self.buffer[self.at : self.at + 1].decode(errors="replace")
            where = f"found {found!r}" if found else "the file ends"
            raise Unreadable(self.line, f"Expected {wanted.decode()!r} here, but {where}.")
        self.consume(self.at + 1)

    def element(self) -> bytes | None:
        """The next value: a string, a number or word, or a bracket with all that it holds; None
        where it was too long to be kept."""
        first = self.peek()
        line, self.is_long = self.line, False
        try:
            # May move the window, and with it `at`.
            is_bracketed = first in (b"{", b"[", b'"')
            length = self.bracketed() if is_bracketed else self.find(SCALAR_END, 0)
        except EOFError as error:
            raise Unreadable(line, "The file ends in the middle of a record.") from error
        if length == 0 and not self.is_long:
            raise Unreadable(self.line, "Expected a record here; is there a comma too many?")
        value = self.consume(self.at + length)
        return None if self.is_long else value

    def bracketed(self) -> int:
        """Length of the value that begins here, to its closing bracket or quotation mark."""
        depth, inside, offset = 0, False, 0
        while True:
            offset = self.find(INSIDE if inside else OUTSIDE, offset)
            char = self.buffer[self.at + offset]
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
            match = pattern.search(self.buffer, self.at + offset)
            if match is not None:
                offset = match.start() - self.at
            else:
                offset = max(offset, len(self.buffer) - self.at)
            if offset > self.limit:
                self.is_long = True
                dropped = min(offset, len(self.buffer) - self.at)
                self.consume(self.at + dropped)
                offset -= dropped
            if match is not None:
                return offset
            if not self.fill():
                raise EOFError
