"""Checks that may hang, each in a thread of its own that nobody waits for longer than agreed."""

import threading
import time
from collections.abc import Callable, Mapping

from django.db import connections

# Says what is wrong; nothing where all is well.
Check = Callable[[], str]


class BoundedChecks:
    """Named checks that run side by side; one that hangs is not begun again until it ends."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self.checks = checks
        self.hanging: dict[str, threading.Thread] = {}
        self.lock = threading.Lock()

    def run(self, seconds: float) -> dict[str, str]:
        """What each of them says, within so many seconds."""
        said: dict[str, str] = {}
        with self.lock:
            until = time.monotonic() + seconds
            for name, check in self.checks.items():
                if name not in self.hanging:
                    arguments = (name, check, said)
                    thread = threading.Thread(target=run_check, args=arguments, daemon=True)
                    self.hanging[name] = thread
                    thread.start()
            for name, thread in list(self.hanging.items()):
                thread.join(max(until - time.monotonic(), 0))
                if not thread.is_alive():
                    del self.hanging[name]
        hung = f"no answer within {seconds:g} seconds"
        return {name: said.get(name, hung) for name in self.checks}


def run_check(name: str, check: Check, said: dict[str, str]) -> None:
    """Note what a check says, or what it raises, in words without values."""
    try:
        said[name] = check()
    except Exception as error:  # noqa: BLE001 - whatever is away, the answer is that it is
        said[name] = describe_failure(error)
    finally:
        connections.close_all()


def describe_failure(error: BaseException) -> str:
    """An exception in words that hold no password: of a long text its first line."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:200]}" if text else type(error).__name__
