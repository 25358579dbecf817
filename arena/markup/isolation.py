"""Rendering in a process apart, which is ended where a text costs more than its budget.

Time is the processor's, so that a busy machine decides as an idle one does. A text over its budget
is shown as source; whoever stores the HTML has decided that once.
"""

import atexit
import json
import logging
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from arena.markup.rendering import render_as_source

ROOT = Path(__file__).resolve().parent.parent.parent
COMMAND = (sys.executable, "-m", "arena.markup")
MIN_SECONDS = 0.001
# A process that neither answers nor uses the processor, as long as a busy machine explains it.
HANG_SECONDS = 120.0
READ_BYTES = 1 << 20
# Escaping makes a character six at most, in a text that is shown as source anyway.
SOURCE_GROWTH = 6
# Sent by whoever stops the site: they say nothing about the text.
STOP_SIGNALS = frozenset({-signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP})

log = logging.getLogger(__name__)


class RenderingDelayedError(Exception):
    """There was no result in time, and nothing is decided: show the source, and ask again."""


@dataclass(frozen=True)
class Budget:
    """What rendering may cost: processor seconds, and characters of HTML.

    A page is a record's prompt and all of its responses.
    """

    text_seconds: float = 2.0
    page_seconds: float = 10.0
    text_size: int = 2_000_000
    page_size: int = 8_000_000


@dataclass(frozen=True)
class SourceText:
    """A text to be rendered; an empty response says so."""

    text: str
    is_response: bool = False


DEFAULT_BUDGET = Budget()


class RenderingProcess:
    """The process apart: started by the first text, and again after it was ended. Thread-safe."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.process: subprocess.Popen[bytes] | None = None

    def render(
        self, source: SourceText, seconds: float, deadline: float | None = None
    ) -> tuple[str | None, float]:
        """The HTML of a text, None where it is over this budget, and the processor time it took.

        Raises `RenderingDelayedError` where `deadline` (of `time.monotonic`) comes first.
        """
        until = time.monotonic() + HANG_SECONDS if deadline is None else deadline
        if not self.lock.acquire(timeout=max(until - time.monotonic(), 0)):
            raise RenderingDelayedError
        try:
            line = self._exchange(source, max(seconds, MIN_SECONDS), until)
            if line is None and deadline is not None:
                raise RenderingDelayedError
        except BaseException:
            # A time limit, say: what the process still answers must not answer the next text.
            self.close()
            raise
        finally:
            self.lock.release()
        if not line:
            log.warning("a text was too costly to render")
            return None, seconds
        reply = json.loads(line)
        if reply["failed"]:
            log.warning("a text could not be rendered: %s", reply["failed"])
        return reply["html"], reply["seconds"]

    def close(self) -> None:
        """End the process, if there is one."""
        if self.process is not None:
            self.process.kill()
            self._reap(self.process)

    def _exchange(self, source: SourceText, seconds: float, until: float) -> bytes | None:
        """What the process answers to a text: empty where the text has ended it, None where
        there was no answer in time."""
        process = self._send(source, seconds)
        line = self._receive(process, until)
        if line is None:
            self.close()
        elif not line:
            self._reap(process)
            if process.returncode in STOP_SIGNALS:
                raise RenderingDelayedError
        return line

    def _send(self, source: SourceText, seconds: float) -> "subprocess.Popen[bytes]":
        """Hand a text to the process; starts one where the last has ended."""
        order = {"text": source.text, "is_response": source.is_response, "seconds": seconds}
        line = json.dumps(order).encode() + b"\n"
        for attempt in (1, 2):
            process = self.process or self._start()
            assert process.stdin is not None
            try:
                process.stdin.write(line)
                process.stdin.flush()
            except BrokenPipeError:  # it was ended meanwhile, by somebody else
                self.close()
                if attempt == 2:
                    raise RenderingDelayedError from None
            else:
                break
        return process

    def _start(self) -> "subprocess.Popen[bytes]":
        self.process = subprocess.Popen(  # noqa: S603 - ourselves
            COMMAND, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        return self.process

    def _receive(self, process: "subprocess.Popen[bytes]", until: float) -> bytes | None:
        """The next line; empty where the process has ended, None where time is over first."""
        assert process.stdout is not None
        file, line = process.stdout.fileno(), bytearray()
        poller = select.poll()
        poller.register(file, select.POLLIN)
        while not line.endswith(b"\n"):
            if not poller.poll(max(until - time.monotonic(), 0) * 1000):
                return None
            part = os.read(file, READ_BYTES)
            if not part:
                return b""
            line += part
        return bytes(line)

    def _reap(self, process: "subprocess.Popen[bytes]") -> None:
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                # What was not yet written is lost with the process.
                with suppress(BrokenPipeError):
                    pipe.close()
        self.process = None


def render_page(
    process: RenderingProcess,
    texts: Sequence[SourceText],
    budget: Budget = DEFAULT_BUDGET,
    deadline: float | None = None,
) -> list[str]:
    """The HTML of texts that are shown together, in order; over the page's budget the largest of
    them are shown as source."""
    html = [""] * len(texts)
    seconds, size = budget.page_seconds, 0
    for index in sorted(range(len(texts)), key=lambda index: len(texts[index].text)):
        rendered = None
        if seconds > 0:
            limit = min(seconds, budget.text_seconds)
            rendered, spent = process.render(texts[index], limit, deadline)
            seconds -= spent
        left = min(budget.text_size, budget.page_size - size)
        if rendered is None or len(rendered) > max(left, SOURCE_GROWTH * len(texts[index].text)):
            rendered = render_as_source(texts[index].text)
        html[index] = rendered
        size += len(rendered)
    return html


def get_process() -> RenderingProcess:
    """This process's own rendering process, shared by its threads."""
    return _shared


def _renew() -> None:
    """After a fork: the parent's process, and a lock that one of its threads may hold, are its."""
    global _shared  # noqa: PLW0603
    _shared = RenderingProcess()


def _close() -> None:
    """At the end: whichever is this process's own by then."""
    _shared.close()


_shared = RenderingProcess()
os.register_at_fork(after_in_child=_renew)
atexit.register(_close)
