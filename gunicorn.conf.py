"""Gunicorn, for `make run` and the image alike: it reads this file by itself.

The address and the log level are in the Procfile; GUNICORN_CMD_ARGS overrides everything.
"""

import gc
import os
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings

from arena.metrics_files import (
    FOLDER_VARIABLE,
    PLACE_VARIABLE,
    choose_place,
    make_folder,
    remove_folder,
)

workers = int(os.environ.get("WEB_WORKERS", "2"))
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS", "4"))
# Heartbeats are written to a file; in memory they never wait for a disk.
if Path("/dev/shm").is_dir():  # noqa: S108 - memory, and gunicorn makes the name itself
    worker_tmp_dir = "/dev/shm"  # noqa: S108
# A worker is renewed now and then, not all at once, so that no leak grows for weeks; seldom, since
# a request may meet a kept connection at the moment at which the old worker closes it.
max_requests = 100_000
max_requests_jitter = 20_000
# Longer than the proxy keeps idle connections open, so that it never meets a closed one.
keepalive = 150
# A worker that is silent for so long as a whole is replaced (a thread that spins is not silence:
# arena/request_deadline.py ends that); on SIGTERM requests in hand get so long to end.
timeout = 60
graceful_timeout = 25
# Addresses and paths of visitors are logged nowhere; errors go to standard error, in the words of
# all other lines (arena/logs.py).
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arena.settings")
logconfig_dict = settings.LOGGING
accesslog = None
errorlog = "-"
control_socket_disable = True
if settings.METRICS_TOKEN:
    os.environ.setdefault(FOLDER_VARIABLE, make_folder())


def pre_fork(server: Any, worker: Any) -> None:
    """Give the worker that is about to start a place among the others."""
    worker.metrics_place = choose_place(
        other.metrics_place for other in server.WORKERS.values() if other is not worker
    )


def post_fork(_server: Any, worker: Any) -> None:
    """In the worker: count at that place."""
    os.environ[PLACE_VARIABLE] = str(worker.metrics_place)


def on_exit(_server: Any) -> None:
    """Nobody reads the figures any more."""
    if folder := os.environ.get(FOLDER_VARIABLE):
        remove_folder(folder)


def post_worker_init(worker: Any) -> None:
    """Import every page before the first visitor comes; watch the processor time of requests."""
    from arena.request_deadline import start_watch  # noqa: PLC0415 - Django is set up by now

    worker.notify()  # starting may take its time on a busy machine
    import_module(settings.ROOT_URLCONF)
    start_watch()
    # What is there by now stays: the collector need not look at it again with every request.
    gc.collect()
    gc.freeze()
