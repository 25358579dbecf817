"""A site of its own, on SQLite, for parts of `bench.trust` that need the product's models."""

# ruff: noqa: PLC0415 - Django is set up in a process of its own
import os
import subprocess
import sys
from tempfile import TemporaryDirectory

from bench.sites import ROOT


def run_on_site(module: str, *arguments: str) -> str:
    """Run a module of the benchmarks in a process with an empty database; its last line."""
    with TemporaryDirectory(prefix="bench-trust-") as folder:
        environment = os.environ | {
            "ARENA_VAR": folder,
            "DATABASE_URL": f"sqlite:///{folder}/site.sqlite3",
            "DEBUG": "1",
            "DJANGO_SETTINGS_MODULE": "arena.settings",
            "LOG_LEVEL": "CRITICAL",
            "REDIS_URL": "",
            "SECRET_KEY": "for-a-bench-on-this-machine-alone",
        }
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return done.stdout.splitlines()[-1]


def make_tables() -> None:
    """In such a process: Django, and its tables as the models have them, no history of theirs."""
    import django
    from django.apps import apps
    from django.conf import settings
    from django.core.management import call_command

    django.setup()
    settings.MIGRATION_MODULES = {app.label: None for app in apps.get_app_configs()}
    call_command("migrate", run_syncdb=True, verbosity=0, skip_checks=True)
