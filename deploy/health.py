"""Whether the container's main process does its work: exit code 0 or 1, for HEALTHCHECK."""

import os
import socket
import sys
import time
import urllib.request
from pathlib import Path

SECONDS = 10
# Beat writes its schedule down every three minutes.
SILENCE = 10 * 60


def main(words: list[str]) -> int:
    """Ask the program of this command line."""
    checks = {"arena.wsgi": web, "worker": worker, "beat": beat}
    return 0 if all(check(words) for word, check in checks.items() if word in words) else 1


def web(_words: list[str]) -> bool:
    """Gunicorn and Django answer a request that comes as if from the proxy."""
    url = f"http://127.0.0.1:{os.environ['PORT']}/health/"
    host = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0].strip()
    request = urllib.request.Request(url, headers={"Host": host})
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310 - http, here
        return bool(answer.status == 200)


def worker(words: list[str]) -> bool:
    """This container's worker, and no other one, answers through the broker."""
    from arena.celery import app  # noqa: PLC0415 - reads the settings, which web can do without

    name = words[words.index("--hostname") + 1].replace("%h", socket.gethostname())
    return bool(app.control.ping(destination=[name], timeout=SECONDS / 2))


def beat(_words: list[str]) -> bool:
    """Beat has written its schedule lately."""
    files = Path(os.environ["ARENA_VAR"]).glob("beat-schedule*")
    written = max((file.stat().st_mtime for file in files), default=0.0)
    return time.time() - written < SILENCE


if __name__ == "__main__":
    sys.exit(main(Path("/proc/1/cmdline").read_text().split("\0")))
