"""compose.yaml, read as Compose reads it."""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from tests.services import ROOT

TEXT = (ROOT / "compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SERVERS = ["web", "ledger", "boards", "imports", "exports", "mail", "beat"]
OURS = [*SERVERS, "migrate"]
# ${NAME}, and with a word for where it is empty (- or ?) or where it is not (+).
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?+])([^}]*))?\}")


def read_environment(service: str, given: Mapping[str, str]) -> dict[str, str]:
    """What a container of this service is told where these are the lines of .env.

    Raises `ValueError` where one is missing that is needed.
    """
    told = SERVICES[service].get("environment", {})
    filled = {name: given.get(name) if value is None else value for name, value in told.items()}
    return {name: fill(value, given) for name, value in filled.items() if value is not None}


def fill(value: str, given: Mapping[str, str]) -> str:
    """A value with its variables replaced."""

    def replace(match: re.Match[str]) -> str:
        name, kind, word = match.groups()
        known = given.get(name, "")
        if kind == "+":
            return word if known else ""
        if kind == "?" and not known:
            raise ValueError(f"{name}: {word}")
        return known or (word if kind == "-" else "")

    return VARIABLE.sub(replace, value)
