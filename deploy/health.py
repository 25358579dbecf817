"""Whether this container's program does its work: exit code 0 or 1, for HEALTHCHECK.

What it does not know is not healthy, and neither is a container in which no program is found.
"""

import os
import socket
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

SECONDS = 10
# Beat leaves a sign of life each second.
SILENCE = 60
PROCESSES = Path("/proc")


def main(processes: Path = PROCESSES) -> int:
    """Find the container's program and ask it."""
    for words in list_command_lines(processes):
        if check := find_check(words):
            return 0 if check(words) else 1
    sys.stderr.write("health: no program that this script knows is running here\n")
    return 1


def list_command_lines(processes: Path) -> Iterator[list[str]]:
    """The command lines of process 1 and what it has started, a generation at a time: where an init
    is process 1, the program is its child. What came in by `docker exec` is nobody's child here."""
    children: dict[int, list[int]] = {}
    for folder in processes.glob("[0-9]*"):
        try:
            # The name, in brackets, may hold blanks: "1 (python3) S 0 ...".
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended
            continue
        children.setdefault(parent, []).append(int(folder.name))
    generation = [1]
    while generation:
        for number in generation:
            try:
                line = (processes / str(number) / "cmdline").read_text()
            except OSError:
                continue
            yield line.rstrip("\0").split("\0")
        generation = sorted(child for one in generation for child in children.get(one, []))


def find_check(words: list[str]) -> Callable[[list[str]], bool] | None:
    """How to ask the program of this command line; None where it is not one of ours."""
    programs = {Path(word).name for word in words[:2]}  # an interpreter may come first
    if "gunicorn" in programs or "serve.py" in programs:
        return web
    if "celery" in programs and "worker" in words:
        return worker
    if "celery" in programs and "beat" in words:
        return beat
    return command if "manage.py" in programs else None


def web(_words: list[str]) -> bool:
    """Gunicorn and Django answer, and what they stand on is there."""
    url = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/readyz"
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:
            return bool(answer.status == 200)
    except OSError as error:
        sys.stderr.write(f"health: {url}: {error}; `manage.py doctor` says why\n")
        return False


def worker(words: list[str]) -> bool:
    """This container's worker, and no other one, answers through the broker."""
    from arena.celery import app  # noqa: PLC0415 - reads the settings, which web can do without

    name = words[words.index("--hostname") + 1].replace("%h", socket.gethostname())
    return bool(app.control.ping(destination=[name], timeout=SECONDS / 2))


def beat(_words: list[str]) -> bool:
    """Beat has left a sign of life lately."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arena.settings")
    from arena.beat import get_sign_age  # noqa: PLC0415 - as above

    age = get_sign_age(time.time())
    return age is not None and age < SILENCE


def command(_words: list[str]) -> bool:
    """A command of manage.py has nothing to answer."""
    return True


if __name__ == "__main__":
    sys.exit(main())
