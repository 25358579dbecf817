"""Run the image's containers with Docker where it works, else with Podman."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tests.services import Services

IMAGE = os.environ.get("IMAGE", "crowd-arena")
# As in compose.yaml: nothing but the volume and /tmp can be written, no privilege can be had.
HARDENED = ["--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"]
HARDENED += ["--security-opt", "no-new-privileges", "--network", "host", "--no-healthcheck"]
# Podman inside a container may not raise limits; runc starts there where crun does not.
PODMAN = ["podman", "--runtime", "runc"]
PODMAN_LIMITS = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096"]
SECONDS = 300
LONGEST = 4_000


@cache
def engine() -> tuple[str, ...]:
    """The command that runs containers here."""
    if shutil.which("docker"):
        known = subprocess.run(["docker", "info"], capture_output=True, check=False)
        if known.returncode == 0:
            return ("docker",)
    return tuple(PODMAN)


def ask(*words: str) -> str:
    """What the engine prints; fails the test with what it said where it fails."""
    done = subprocess.run(
        [*engine(), *words], capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert done.returncode == 0, f"{words}: {(done.stdout + done.stderr)[-LONGEST:]}"
    return done.stdout


def about_image() -> dict[str, Any]:
    """What the engine knows of the image: size, user, environment."""
    (about,) = json.loads(ask("image", "inspect", IMAGE))
    return dict(about)


def run_words(*options: str) -> list[str]:
    """`run` with what every container of the image gets; it is gone when it ends."""
    limits = PODMAN_LIMITS if engine()[0] == "podman" else []
    return ["run", "--rm", *limits, *HARDENED, *options]


def run(*command: str, environment: dict[str, str] | None = None) -> str:
    """Run one command of the image's entry script to its end."""
    return ask(*run_words(*env_words(environment or {}), IMAGE), *command)


def shell(script: str, *options: str) -> str:
    """Run a shell script in a container of the image; as root with `--user 0`."""
    return ask(*run_words("--entrypoint", "/bin/sh", *options, IMAGE), "-c", script)


def env_words(environment: dict[str, str]) -> list[str]:
    """The options that set a container's environment."""
    return [word for name, value in environment.items() for word in ("--env", f"{name}={value}")]


class Container:
    """A long-running container: a child of this process, which ends with it."""

    def __init__(
        self,
        services: Services,
        role: str,
        environment: dict[str, str],
        options: Sequence[str] = (),
        host: str = "",
    ) -> None:
        name = f"{role}-{host}" if host else role
        self.name = f"crowd-arena-test-{os.getpid()}-{name}"
        self.log: Path = services.folder / f"{name}.log"
        words = run_words("--name", self.name, *options, *env_words(environment), IMAGE)
        self.process = services.start([*engine(), *words, role], self.log)

    def is_healthy(self) -> bool:
        """Whether the image's own health check passes."""
        words = [*engine(), "exec", self.name, "python3", "deploy/health.py"]
        return subprocess.run(words, capture_output=True, check=False).returncode == 0

    def shell(self, script: str) -> str:
        """Run a shell script inside."""
        return ask("exec", self.name, "/bin/sh", "-c", script)

    def said(self) -> str:
        """Its output so far."""
        return self.log.read_text(errors="replace")
