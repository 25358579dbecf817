"""The embedded broker, for a site without Redis: a folder of messages."""

from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

import kombu.utils.json
from kombu.transport import filesystem


class Channel(filesystem.Channel):
    """Kombu's, but that a message is whole as soon as it is there.

    Kombu opens a message's file and then writes it. A worker that looks between the two finds an
    empty file, and ends with an error.
    """

    # kombu's own two base classes differ in how they name the parameters
    def _put(self, queue: Any, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]
        folder = Path(self.data_folder_out)
        draft = folder / f"{uuid4()}.draft"
        draft.write_text(kombu.utils.json.dumps(payload))  # type: ignore[no-untyped-call]
        draft.replace(folder / f"{round(monotonic() * 1000)}_{uuid4()}.{queue}.msg")


class Transport(filesystem.Transport):
    """Kombu's transport with such a channel."""

    Channel = Channel
