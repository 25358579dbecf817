"""The embedded Celery broker for a site without Redis: a folder of messages."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

import kombu.utils.json
from kombu.transport import filesystem


class Channel(filesystem.Channel):
    """kombu's filesystem channel with atomic writes.

    kombu creates a message's file and then writes it. A worker that reads in between finds an empty
    file and stops with an error. So do several that start together and note down their queues.
    """

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the tables of queues, which the system releases when a process is killed."""
        with (self.control_folder / "lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def get_table(self, exchange: Any) -> Any:
        with self.locked():
            return super().get_table(exchange)  # type: ignore[no-untyped-call]

    def _queue_bind(self, *args: Any, **kwargs: Any) -> None:
        with self.locked():
            super()._queue_bind(*args, **kwargs)  # type: ignore[no-untyped-call]

    def _delete(self, *args: Any, **kwargs: Any) -> None:
        with self.locked():
            super()._delete(*args, **kwargs)  # type: ignore[no-untyped-call]

    # kombu's own two base classes differ in how they name the parameters
    def _put(self, queue: Any, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]
        folder = Path(self.data_folder_out)
        draft = folder / f"{uuid4()}.draft"
        draft.write_text(kombu.utils.json.dumps(payload))  # type: ignore[no-untyped-call]
        draft.replace(folder / f"{round(monotonic() * 1000)}_{uuid4()}.{queue}.msg")


class Transport(filesystem.Transport):
    """kombu's filesystem transport with this channel."""

    Channel = Channel
