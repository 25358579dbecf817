"""Compile what serving imports, while the image is built: later its file system is read-only.

Only that, as bytecode of everything installed would take 50 MB more; what is missed is compiled
in memory each time. PYTHONPYCACHEPREFIX says where it goes. Importing every module of ours also
proves that it can be imported from this image.
"""

import os
import pkgutil
import sys
from importlib import import_module
from py_compile import PycInvalidationMode, compile

import django

OURS = ("arena", "leaderboard")
SERVERS = (
    "gunicorn.app.wsgiapp",
    "gunicorn.workers.gthread",
    "celery.__main__",
    "celery.bin.celery",
    "celery.apps.beat",
    "celery.apps.worker",
    "celery.concurrency.prefork",
    "kombu.transport.redis",
    "arena.people.accounts.sessions",
    "django.core.cache.backends.redis",
    "django.core.mail.backends.smtp",
    "django.core.management.commands.migrate",
    "arena.postgresql.base",
    "django.db.backends.postgresql.base",
)


def main() -> None:
    """Import everything, then compile whatever has been imported from a source file."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arena.settings")
    django.setup()
    for name in SERVERS:
        import_module(name)
    for package in OURS:
        folder = import_module(package).__path__
        for module in pkgutil.walk_packages(folder, f"{package}."):
            import_module(module.name)
    for imported in list(sys.modules.values()):
        source = getattr(imported, "__file__", None) or ""
        if source.endswith(".py"):
            # The same bytes on every build: no times inside, as the sources never change.
            compile(source, doraise=True, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)


if __name__ == "__main__":
    main()
