"""Secrets in files: read, never beside a value, and known by name."""

import re
import runpy
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from arena.people.accounts.providers import CLIENT_SECRETS
from arena.secret_files import SECRETS, read_secret_files
from tests.deploy.test_env_example import NAMED, read_by_settings
from tests.services import ROOT

# They look like secrets by their names and hold none.
HARMLESS = {"SITE_URL", "HUGGINGFACE_CLIENT_ID"}


def test_the_settings_read_every_kind_of_secret_from_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {
        "SECRET_KEY": "of-the-file-and-nowhere-else",
        "DATABASE_URL": "postgres://arena:word@database/arena",
        "GITHUB_CLIENT_SECRET": "of-github",
    }
    for name, value in values.items():
        (tmp_path / name).write_text(f"{value}\n")
        monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv(f"{name}_FILE", str(tmp_path / name))
    monkeypatch.setenv("GITHUB_CLIENT_ID", "ours")
    read = runpy.run_path(str(ROOT / "arena" / "settings.py"))
    assert read["SECRET_KEY"] == values["SECRET_KEY"]
    assert read["DATABASES"]["default"]["PASSWORD"] == "word"
    assert read["SOCIALACCOUNT_PROVIDERS"]["github"]["APPS"][0]["secret"] == "of-github"


def test_what_cannot_be_meant_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("one")
    given = {"SECRET_KEY_FILE": str(file), "UNRELATED_FILE": "/no/such"}
    assert read_secret_files(given, SECRETS)["SECRET_KEY"] == "one"
    assert "SECRET_KEY" not in given
    with pytest.raises(ImproperlyConfigured, match="not both"):
        read_secret_files({**given, "SECRET_KEY": "two"}, SECRETS)
    with pytest.raises(ImproperlyConfigured, match="No such file"):
        read_secret_files({"REDIS_URL_FILE": str(tmp_path / "none")}, SECRETS)


def test_every_secret_is_known_as_one() -> None:
    looks_secret = re.compile(r"KEY|PASSWORD|SECRET|TOKEN|_URL$")
    found = {name for name in read_by_settings() if looks_secret.search(name)} - HARMLESS
    assert found == set(SECRETS)
    assert {name for name in NAMED if name.endswith("CLIENT_SECRET")} == set(CLIENT_SECRETS)
