"""python -m arena.markup: render the texts that come in, one a line, as `isolation` beside it asks.

A text that uses up its processor time ends this process, whatever it is doing, regular expressions
and compiled code included: the signal is not handled. Whoever asked starts another.
"""

import json
import os
import resource
import signal
import sys
import time
from contextlib import suppress
from typing import Any

from arena.markup.rendering import render_markdown, render_response

# Pages that only wait for the database come before it.
NICENESS = 5
MAX_MEMORY = 1 << 30  # bytes of addresses; a hostile text of 100 kB takes a few hundred MB


def main() -> None:
    """Answer each line until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends whoever asks, and then this
    os.nice(NICENESS)
    with suppress(ValueError, OSError):  # not every system can
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    for line in sys.stdin.buffer:
        reply = answer(json.loads(line))
        sys.stdout.buffer.write(json.dumps(reply).encode() + b"\n")
        sys.stdout.buffer.flush()


def answer(order: dict[str, Any]) -> dict[str, Any]:
    """The HTML of a text (null where it cannot be made) and the processor time it took."""
    render = render_response if order["is_response"] else render_markdown
    html, failed = None, ""
    started = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, order["seconds"])
    try:
        html = render(order["text"])
    except Exception as error:  # noqa: BLE001 - a text that cannot be rendered is shown as source
        failed = type(error).__name__
    signal.setitimer(signal.ITIMER_PROF, 0)
    return {"html": html, "failed": failed, "seconds": time.process_time() - started}


if __name__ == "__main__":
    main()
