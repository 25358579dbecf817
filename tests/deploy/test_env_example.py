"""deploy/env.example names everything that can be set, and sets nothing by itself."""

import ast
import re

import pytest

from arena.people.accounts.providers import PROVIDER_ORIGINS
from tests.services import ROOT

LINES = (ROOT / "deploy" / "env.example").read_text().splitlines()
NAMED = [match[1] for line in LINES if (match := re.match(r"#?([A-Z_]+)=", line))]


def read_by_settings() -> set[str]:
    """The variables that settings.py asks `env` for."""
    names = set()
    for node in ast.walk(ast.parse((ROOT / "arena" / "settings.py").read_text())):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="env")), args=[ast.Constant(value=name), *_]
            ):
                names.add(name)
    return names


def test_it_names_what_the_settings_read() -> None:
    read = read_by_settings()
    assert {"SECRET_KEY", "DATABASE_URL", "TRUSTED_PROXIES"} <= read
    assert read <= set(NAMED)


@pytest.mark.parametrize("provider", PROVIDER_ORIGINS)
def test_it_names_every_identity_provider(provider: str) -> None:
    assert {f"{provider.upper()}_CLIENT_ID", f"{provider.upper()}_CLIENT_SECRET"} <= set(NAMED)


def test_it_names_what_the_processes_read() -> None:
    procfile = (ROOT / "Procfile").read_text()
    assert set(re.findall(r"\$\{([A-Z_]+)", procfile)) <= set(NAMED)


def test_it_names_nothing_twice_and_leaves_what_is_needed_empty() -> None:
    assert len(NAMED) == len(set(NAMED))
    assert [line for line in LINES if re.match("[A-Z]", line)] == [
        "SITE_HOST=",
        "SECRET_KEY=",
        "POSTGRES_PASSWORD=",
    ]
