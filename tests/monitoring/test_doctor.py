"""manage.py doctor: in words, with a remedy, and without a traceback whatever is away."""

import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from arena.beat import SIGN_KEY
from arena.events.models import ImportJob
from arena.judging.models import LedgerCheck
from arena.monitoring.doctor import Examination, Finding
from tests.factories import make_event
from tests.services import ROOT, Services
from tests.test_serve import free_port

pytestmark = pytest.mark.django_db(transaction=True)


def examine() -> dict[str, Finding]:
    """What is known, by part."""
    return {finding.name: finding for finding in Examination(timezone.now()).run()}


def test_what_is_well_is_said_so_and_what_is_not_has_a_remedy() -> None:
    cache.set(SIGN_KEY, time.time())
    event, now = make_event(), timezone.now()
    found = examine()
    well = {"disk", "database", "broker", "beat", "sealing", "boards", "ledgers", "imports"}
    assert {name for name in well if found[name].is_wrong} == set()
    assert found["workers"].text == "nobody takes the messages of ledger, boards, sweeps, " + (
        "imports, exports, mail"
    )
    assert "docker compose up" in found["workers"].remedy

    cache.set(SIGN_KEY, time.time() - 100)
    LedgerCheck.objects.create(event=event, pass_began_at=now, looked_at=now, failed_at=now)
    ImportJob.objects.create(event=event, created_at=now - timedelta(hours=3))
    found = examine()
    assert "100 seconds old" in found["beat"].text
    assert found["ledgers"].text == "1 ledgers differ from what was written down"
    assert found["imports"].text == "1 have waited for two hours"
    assert all(found[name].remedy for name in ("beat", "ledgers", "imports"))


def test_everything_may_be_away(services: Services, tmp_path: Path) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    environment = {
        **os.environ,
        **services.environment(Path(connection.settings_dict["NAME"]).name),
        "DATABASE_URL": f"postgres://arena:the-password@{nowhere}/arena",
        "REDIS_URL": f"redis://:the-password@{nowhere}/0",
        "EMAIL_URL": f"smtp://ada:the-password@{nowhere}",
        "ARENA_VAR": str(tmp_path),
        "DEBUG": "0",
        "SECRET_KEY": "short",
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "doctor"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert "the-password" not in done.stdout + done.stderr
    wrong = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("WRONG")}
    assert {"settings", "database", "broker", "mail", "beat", "sealing"} <= wrong
    assert "not known without the database" in done.stdout
    assert "disk" not in wrong
