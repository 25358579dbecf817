"""compose.yaml: valid, hardened, and asking for nothing that deploy/env.example does not name."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from secrets import token_hex

import jsonschema
import pytest

from arena.people.accounts.providers import CLIENT_SECRETS
from arena.secret_files import SECRETS
from tests.deploy.compose import COMPOSE, OURS, SERVERS, SERVICES, TEXT, read_environment
from tests.services import ROOT

SCHEMA = json.loads((ROOT / "deploy" / "schema" / "compose-spec.json").read_text())


def test_it_follows_the_compose_specification() -> None:
    validator = jsonschema.validators.validator_for(SCHEMA)
    validator.check_schema(SCHEMA)
    problems = [
        f"{error.json_path}: {error.message}" for error in validator(SCHEMA).iter_errors(COMPOSE)
    ]
    assert problems == []


def test_the_schema_would_notice_a_mistake() -> None:
    wrong = {**COMPOSE, "services": {"web": {**SERVICES["web"], "helthcheck": {}}}}
    with pytest.raises(jsonschema.ValidationError, match="helthcheck"):
        jsonschema.validate(wrong, SCHEMA)


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_hardened_and_bounded(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    if name != "migrate":
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize("name", OURS)
def test_ours_run_one_image_without_capabilities(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["image"].startswith("crowd-arena:")
    assert service["volumes"] == ["arena:/var/lib/arena"]


@pytest.mark.parametrize("name", SERVERS)
def test_servers_wait_for_the_migration(name: str) -> None:
    after = SERVICES[name]["depends_on"]
    assert after["migrate"]["condition"] == "service_completed_successfully"
    assert after["database"]["condition"] == after["redis"]["condition"] == "service_healthy"
    assert SERVICES["migrate"]["restart"] == "no"


def test_everything_that_runs_has_a_bound_of_memory() -> None:
    assert {name for name, one in SERVICES.items() if "mem_limit" not in one} == {"migrate"}


def test_an_upgrade_replaces_every_worker() -> None:
    script = (ROOT / "deploy" / "upgrade.sh").read_text()
    (named,) = re.findall(r"^WORKERS='(.*)'$", script, re.MULTILINE)
    assert {*named.split(), "web", "beat"} == set(SERVERS)


def test_only_caddy_can_be_reached_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["caddy"]
    assert COMPOSE["networks"]["data"]["internal"] is True
    assert SERVICES["database"]["networks"] == SERVICES["redis"]["networks"] == ["data"]
    assert SERVICES["caddy"]["networks"] == ["outside"]


def test_what_it_asks_for_is_in_the_example() -> None:
    example = (ROOT / "deploy" / "env.example").read_text()
    caddyfile = (ROOT / "deploy" / "Caddyfile").read_text()
    asked = set(re.findall(r"\$\{(\w+)", TEXT)) | set(re.findall(r"\{\$(\w+)", caddyfile))
    assert {"SITE_HOST", "SECRET_KEY", "POSTGRES_PASSWORD", "CADDY_TLS"} <= asked
    assert asked <= set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))


def test_no_value_that_could_be_a_secret_is_in_it() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search("KEY|PASSWORD|SECRET|TOKEN", name):
                assert value is None or re.fullmatch(r"\$\{\w+:\?[^}]+\}", value)


def test_each_is_told_its_own_secrets_alone() -> None:
    told = {name: set(service.get("environment", {})) for name, service in SERVICES.items()}
    secret = {*SECRETS, *CLIENT_SECRETS}
    of_all = {"DATABASE_URL", "REDIS_URL"}
    expected = dict.fromkeys(OURS, of_all) | {
        "web": secret - {"EMAIL_URL", "LEDGER_HEADS_URL"},
        "imports": {*of_all, "FILES_URL"},
        "exports": {*of_all, "FILES_URL", "LEDGER_HEADS_URL"},
        "mail": {*of_all, "EMAIL_URL"},
    }
    assert {name: told[name] & secret for name in OURS} == expected
    assert all("env_file" not in service for service in SERVICES.values())
    assert {name for name in OURS if "SIGNS_NOTHING" in told[name]} == {*OURS} - {"web"}


def test_every_setting_of_the_example_reaches_somebody() -> None:
    example = (ROOT / "deploy" / "env.example").read_text()
    settable = example.partition("# --- the one-container site alone")[0]
    named = set(re.findall(r"^#?([A-Z_]+)=", settable, re.MULTILINE))
    assert "METRICS_TOKEN" in named
    told = set().union(*(service.get("environment", {}) for service in SERVICES.values()))
    assert named - told - set(re.findall(r"\$\{(\w+)", TEXT)) == set()


def test_the_settings_accept_what_it_sets(tmp_path: Path) -> None:
    values = {"SITE_HOST": "arena.example", "SECRET_KEY": token_hex(32), "POSTGRES_PASSWORD": "p"}
    with pytest.raises(ValueError, match="SECRET_KEY: set it in"):
        read_environment("web", values | {"SECRET_KEY": ""})
    given = read_environment("web", values)
    (tmp_path / "static").mkdir()
    report = (
        "from django.conf import settings as s; print(s.ALLOWED_HOSTS, s.CSRF_TRUSTED_ORIGINS,"
        " s.SITE_URL, s.ALLAUTH_TRUSTED_PROXY_COUNT, s.SECURE_PROXY_SSL_HEADER,"
        " s.DATABASES['default']['HOST'], s.CELERY_BROKER_URL)"
    )
    environment = {"PATH": os.environ["PATH"], "ARENA_VAR": str(tmp_path), **given}
    for command in (
        ["check", "--deploy", "--fail-level", "WARNING"],
        ["shell", "-v0", "-c", report],
    ):
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == (
        "['arena.example'] ['https://arena.example'] https://arena.example 1"
        " ('HTTP_X_FORWARDED_PROTO', 'https') database redis://redis:6379/0"
    )
