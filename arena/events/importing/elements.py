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


def json_elements(stream: BinaryIO, limit: int, too_long: str) -> Iterator[tuple[int, bytes]]:
    """Line and bytes of each element of `[...]` or `{"records": [...]}`. Raises `Unreadable`."""
    scan = Scan(stream, limit, too_long)
    first = scan.peek()
    if not first:
        return
    wrapped = first == b"{"
    if wrapped:
        scan.take(b"{")
        if scan.element() != b'"records"':
            raise Unreadable(scan.line, 'An object must begin with "records": [...].')
        scan.take(b":")
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
        scan.take(b"}")
    if scan.peek():
        raise Unreadable(scan.line, "There is more after the end of the list.")


class Scan:
    """A window on the stream that moves forward."""

    def __init__(self, stream: BinaryIO, limit: int, too_long: str) -> None:
        self.stream = stream
        self.limit = limit
        self.too_long = too_long
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

    def element(self) -> bytes:
        """The next value: a string, a number or word, or a bracket with all that it holds."""
        first = self.peek()
        if first in (b"{", b"[", b'"'):
            length = self.bracketed()  # may move the window, and with it `at`
            return self.consume(self.at + length)
        length = self.find(SCALAR_END, 0)
        if length == 0:
            raise Unreadable(self.line, "Expected a record here; is there a comma too many?")
        return self.consume(self.at + length)

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
        """Where the pattern is found next, counted from here; reads on as far as needed."""
        while True:
            match = pattern.search(self.buffer, self.at + offset)
            if match is not None:
                offset = match.start() - self.at
            else:
                offset = max(offset, len(self.buffer) - self.at)
            if offset > self.limit:
                raise Unreadable(self.line, f"The record {self.too_long}.")
            if match is not None:
                return offset
            if not self.fill():
                raise Unreadable(self.line, "The file ends in the middle of a record.")
