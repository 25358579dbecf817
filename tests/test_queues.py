"""Queues of tasks: which task waits where, on whose processes, and for how long at most."""

import re
from threading import Barrier, Thread
from typing import Any

import pytest
from django.conf import settings

from arena import celery_app
from arena.queues import QUEUES, TASK_ROUTES
from tests.services import ROOT
from tests.test_broker import connect
from tests.test_broker import options as options  # noqa: PLC0414 - a fixture


def test_every_task_has_a_queue_and_every_route_a_task():
    celery_app.loader.import_default_modules()
    assert set(TASK_ROUTES) == {
        name for name in celery_app.tasks if name.startswith(("arena.", "leaderboard."))
    }
    for name, route in TASK_ROUTES.items():
        found = celery_app.amqp.router.route({}, name)
        assert found["queue"].name == route["queue"]
        assert found["queue"].routing_key == route["queue"]


@pytest.mark.parametrize("procfile", ["Procfile", "deploy/Procfile.one"])
def test_every_queue_is_taken_by_the_processes_of_one_line(procfile):
    text = (ROOT / procfile).read_text()
    taken = re.findall(r"--queues (\S+)", text)
    assert sorted(",".join(taken).split(",")) == sorted(QUEUES)
    assert "ledger" in taken  # by processes that take nothing else
    names = re.findall(r"^(\w+): .*celery .*--hostname (\w+)@", text, re.MULTILINE)
    assert [name for name, _ in names] == [host for _, host in names]


def test_sealing_alone_waits_for_the_ledger():
    waiting = [name for name, route in TASK_ROUTES.items() if route["queue"] == "ledger"]
    assert waiting == ["arena.judging.tasks.seal_ledgers"]


def test_every_task_ends_before_the_broker_gives_it_to_another():
    celery_app.loader.import_default_modules()
    visible = settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]
    for name in TASK_ROUTES:
        task = celery_app.tasks[name]
        soft = task.soft_time_limit or settings.CELERY_TASK_SOFT_TIME_LIMIT
        hard = task.time_limit or settings.CELERY_TASK_TIME_LIMIT
        assert soft < hard < visible, name


@pytest.mark.parametrize("attempt", range(5))
def test_processes_that_start_together_all_find_their_queues(
    options: dict[str, Any], attempt: int
) -> None:
    together, failures = Barrier(8), []

    def bind(number: int) -> None:
        with connect(options) as connection:
            channel = connection.channel()
            together.wait()
            try:
                channel._queue_bind("tasks", f"key-{number}", "", f"queue-{number}")
                channel.get_table("tasks")
            except Exception as error:  # noqa: BLE001 - whatever it is, it is told below
                failures.append(error)

    threads = [Thread(target=bind, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with connect(options) as connection:
        assert len(connection.channel().get_table("tasks")) == 8
