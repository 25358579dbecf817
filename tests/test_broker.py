"""The embedded broker's messages."""

import threading
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from celery import Celery
from kombu import Connection

from arena.broker import Transport

MESSAGES = 300
PADDING = "x" * 20_000  # so that a file takes a while to write


@pytest.fixture
def options(tmp_path: Path) -> dict[str, Any]:
    for name in ("queue", "processed", "control"):
        (tmp_path / name).mkdir()
    return {
        "data_folder_in": str(tmp_path / "queue"),
        "data_folder_out": str(tmp_path / "queue"),
        "processed_folder": str(tmp_path / "processed"),
        "control_folder": str(tmp_path / "control"),
    }


def test_celery_uses_it_where_there_is_no_redis(options):
    app = Celery(broker="filesystem://localhost/")
    app.conf.broker_transport = "arena.broker:Transport"
    app.conf.broker_transport_options = options
    with app.connection_for_write() as connection:
        assert isinstance(connection.transport, Transport)
        with connection.SimpleQueue("tasks") as queue:
            queue.put({"what": "refresh"})
            assert queue.get(timeout=5).payload == {"what": "refresh"}


def test_a_message_is_whole_as_soon_as_it_is_there(options, tmp_path):
    def write() -> None:
        with connect(options) as connection:
            channel = connection.channel()
            for number in range(MESSAGES):
                channel._put("tasks", {"number": number, "padding": PADDING})

    writer = threading.Thread(target=write)
    found = []
    with connect(options) as connection:
        channel = connection.channel()
        writer.start()
        while len(found) < MESSAGES:
            try:
                found.append(channel._get("tasks"))
            except Empty:
                assert writer.is_alive() or channel._size("tasks")
    writer.join()
    assert {message["number"] for message in found} == set(range(MESSAGES))
    assert list((tmp_path / "queue").iterdir()) == []


def connect(options: dict[str, Any]) -> Connection:
    return Connection("filesystem://", transport=Transport, transport_options=options)
