"""Under which address people find the site: in links, on slips, in what commands print."""

import shutil
import subprocess
import sys
from pathlib import Path

import environ
import pytest

from arena.address import find_site_address
from tests.services import ROOT, Services

pytestmark = pytest.mark.any_database

LOCAL = ["localhost", "127.0.0.1", "[::1]"]


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> environ.Env:
    monkeypatch.delenv("SITE_URL", raising=False)
    monkeypatch.delenv("PORT", raising=False)
    return environ.Env()


@pytest.mark.parametrize(
    ("served", "hosts", "url"),
    [
        ("127.0.0.1:8123", LOCAL, "http://127.0.0.1:8123"),
        ("192.168.1.5:80", LOCAL, "http://192.168.1.5:80"),
        ("0.0.0.0:8123", [*LOCAL, "hall.example"], "http://hall.example:8123"),
        ("0.0.0.0:8123", LOCAL, "http://127.0.0.1:8123"),
        ("0.0.0.0:8123", ["*"], "http://127.0.0.1:8123"),
        ("0.0.0.0:8123", [".example"], "http://127.0.0.1:8123"),
        ("[::]:8123", [*LOCAL, "hall.example"], "http://hall.example:8123"),
    ],
)
def test_it_is_where_the_site_serves(
    env: environ.Env, tmp_path: Path, served: str, hosts: list[str], url: str
) -> None:
    (tmp_path / "served-at").write_text(served + "\n")
    assert find_site_address(env, tmp_path, hosts, is_https=False).url == url


def test_site_url_wins(env: environ.Env, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "served-at").write_text("127.0.0.1:8123\n")
    monkeypatch.setenv("SITE_URL", "https://arena.example/")
    found = find_site_address(env, tmp_path, LOCAL, is_https=False)
    assert (found.url, found.origin) == ("https://arena.example", "from SITE_URL")


def test_behind_a_proxy_it_is_the_first_host(env: environ.Env, tmp_path: Path) -> None:
    (tmp_path / "served-at").write_text("0.0.0.0:8000\n")
    found = find_site_address(env, tmp_path, ["arena.example", "b.example"], is_https=True)
    assert found.url == "https://arena.example"


def test_before_the_first_start_it_is_the_port_it_would_have(
    env: environ.Env, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_site_address(env, tmp_path, LOCAL, is_https=False).url == "http://127.0.0.1:8000"
    monkeypatch.setenv("PORT", "8123")
    assert find_site_address(env, tmp_path, LOCAL, is_https=False).url == "http://127.0.0.1:8123"


def test_commands_say_which_address_they_used(
    services: Services, migrated: Path, tmp_path: Path
) -> None:
    """In a process of its own: the address is read when the settings are."""
    (tmp_path / "served-at").write_text("127.0.0.1:8123\n")
    environment = services.environment() | {"ARENA_VAR": str(tmp_path), "REDIS_URL": ""}
    database = shutil.copy(migrated, tmp_path / "arena.sqlite3")
    environment["DATABASE_URL"] = f"sqlite:///{database}"
    printed = subprocess.run(
        [sys.executable, "manage.py", "create_organizer", "olga"],
        check=True,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    ).stdout
    assert "http://127.0.0.1:8123/account/login/" in printed
    assert "where the site serves, or served last" in printed
