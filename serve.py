"""Run the processes of a Procfile together, in the foreground.

They start together and stop together: on Ctrl-C, on SIGTERM, or as soon as one of them ends; with
--keep-running one that ends is started again instead, after pauses that grow while it keeps ending.
Runners of Procfiles usually signal whole process groups; that would shoot Celery's pool in the
middle of a task. Here each main process gets SIGTERM alone and finishes what it has in hand.
"""

import argparse
import contextlib
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent
HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8000"))
AS_JSON = os.environ.get("LOG_JSON") == "1"  # our own lines, too: deploy/entry.sh sets it
START_SECONDS = 180
STOP_SECONDS = 20
# Before a process that ended is started again; doubled each time, unless it had run for long.
MIN_PAUSE, MAX_PAUSE, STEADY_SECONDS = 1.0, 60.0, 300.0


@dataclass
class Child:
    """One line of the Procfile, and the process that runs it."""

    name: str
    command: str
    process: subprocess.Popen[bytes]
    started: float
    pause: float = MIN_PAUSE
    # When to start it again, by the monotonic clock; None while it runs.
    due: float | None = None


Children = list[Child]


class StopRequested(Exception):
    """Somebody asked us to stop."""


def main() -> int:
    """Check the port; unless that was all, serve until something ends it."""
    parser = argparse.ArgumentParser(description="Run web, workers and beat together.")
    parser.add_argument("--check-port", action="store_true", help="only tell whether PORT is free")
    parser.add_argument("--then", metavar="COMMAND", help="run this once the web server answers")
    parser.add_argument("--procfile", type=Path, default=ROOT / "Procfile", help="another one")
    parser.add_argument("--keep-running", action="store_true", help="start again what ends")
    options = parser.parse_args()
    if problem := find_port_problem():
        say(problem, "error")
        return 1
    if options.check_port:
        return 0
    then = shlex.split(options.then or "")
    return serve(read_procfile(options.procfile), then, keep_running=options.keep_running)


def say(words: str, level: str) -> None:
    """A line of our own: to the terminal, or into a log as the processes write theirs."""
    if AS_JSON:
        now = datetime.now(UTC).isoformat()
        words = json.dumps({"event": words, "level": level, "logger": "serve", "timestamp": now})
    print(words, file=sys.stdout if level == "info" else sys.stderr, flush=True)


def find_port_problem() -> str:
    """Why the port cannot be had; empty if it can."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, PORT))
        except OSError as error:
            reason = f"Cannot listen on {HOST}:{PORT}: {error.strerror}."
            return f"{reason} Choose another port, as in PORT={PORT + 1}"
    return ""


def serve(commands: list[tuple[str, str]], then: list[str], *, keep_running: bool) -> int:
    """Start everything, wait, stop everything. Return the exit code: 0 if we were told to stop."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, raise_stop_requested)
    children: Children = []
    look = start_ended_again if keep_running else fail_if_ended
    try:
        write_address()
        for name, command in commands:
            children.append(Child(name, command, start_process(command), time.monotonic()))
        wait_for_web(children, look)
        if then:
            subprocess.run(then, check=not keep_running)
        while True:
            look(children)
            time.sleep(0.2)
    except StopRequested:
        return 0
    except (RuntimeError, subprocess.CalledProcessError) as error:
        say(f"serve: {error}", "error")
        return 1
    finally:
        stop_processes(children)


def write_address() -> None:
    """Write down where we serve: commands print it on slips and in links (arena/address.py)."""
    folder = Path(os.environ.get("ARENA_VAR", ROOT / "var"))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "served-at").write_text(f"{HOST}:{PORT}\n", encoding="utf-8")


def raise_stop_requested(number: int, frame: object) -> None:
    """Turn a signal into an exception in the main thread."""
    raise StopRequested(signal.Signals(number).name)


def read_procfile(path: Path = ROOT / "Procfile") -> list[tuple[str, str]]:
    """The lines of a Procfile as (name, shell command)."""
    lines = path.read_text().splitlines()
    pairs = (line.split(":", 1) for line in lines if ":" in line and not line.startswith("#"))
    return [(name.strip(), command.strip()) for name, command in pairs]


def start_process(command: str) -> subprocess.Popen[bytes]:
    """Start one process in a group of its own, out of reach of the terminal's Ctrl-C.

    In a session of its own it would not matter how nice it is: Linux weighs sessions first.
    """
    programs = Path(sys.executable).parent
    environment = {
        "OPENBLAS_NUM_THREADS": "1",  # processes side by side share the cores already
        "PYTHONUNBUFFERED": "1",
        # Whoever tries this out in a container is root and cannot act on it.
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}",
    }
    return subprocess.Popen(
        ["/bin/sh", "-c", f"exec {command}"], cwd=ROOT, env=environment, process_group=0
    )


def wait_for_web(children: Children, look: Callable[[Children], None]) -> None:
    """Return when the web server answers anything at all."""
    host = "127.0.0.1" if HOST == "0.0.0.0" else HOST  # noqa: S104 - compared, not bound
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        look(children)
        try:
            urllib.request.urlopen(f"http://{host}:{PORT}/health/", timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"the web server did not answer within {START_SECONDS} seconds")


def fail_if_ended(children: Children) -> None:
    """Complain of the first process that is no longer there."""
    for child in children:
        if child.process.poll() is not None:
            code = child.process.returncode
            raise RuntimeError(f"{child.name} ended with code {code}; stopping the others")


def start_ended_again(children: Children) -> None:
    """Start what has ended, once its pause is over."""
    now = time.monotonic()
    for child in children:
        if child.process.poll() is None:
            continue
        if child.due is None:
            kill_group(child)  # what a killed one left behind would work beside the new one
            if now - child.started > STEADY_SECONDS:
                child.pause = MIN_PAUSE
            child.due = now + child.pause
            code, pause = child.process.returncode, child.pause
            again = f"starting it again in {pause:.0f} s"
            say(f"serve: {child.name} ended with code {code}; {again}", "error")
            child.pause = min(2 * child.pause, MAX_PAUSE)
        elif now >= child.due:
            child.process, child.started, child.due = start_process(child.command), now, None


def stop_processes(children: Children) -> None:
    """Ask every process to end; kill, with all it started, what has not after STOP_SECONDS."""
    say("serve: stopping; another Ctrl-C does not wait for running tasks", "info")
    for child in children:
        child.process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        try:
            child.process.wait(max(0.1, deadline - time.monotonic()))
        except (
            subprocess.TimeoutExpired,
            StopRequested,
        ):  # a second Ctrl-C: do not wait any longer
            deadline = time.monotonic()
        kill_group(child)


def kill_group(child: Child) -> None:
    """Kill whatever of its group still runs; mostly it left nobody behind."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.process.pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
