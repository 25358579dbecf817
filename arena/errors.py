"""Errors the domain raises on purpose; `arena.middleware` turns them into a page or JSON."""

from django.http import HttpRequest

HTML, JSON = "text/html", "application/json"


class ArenaError(Exception):
    """Something the person can understand and act on.

    `message` is shown to the person; `code` is stable and machine-readable.
    """

    status = 400

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class NotFoundError(ArenaError):
    """The object does not exist, or not for this person: the two are never told apart."""

    status = 404

    def __init__(self, message: str = "Page not found.", code: str = "not_found") -> None:
        super().__init__(message, code)


class ConflictError(ArenaError):
    """The state has moved on since the person last saw it."""

    status = 409


class TooLargeError(ArenaError):
    """More was sent than the page takes."""

    status = 413


class LimitError(ArenaError):
    """Too many requests, or no room left."""

    status = 429

    def __init__(self, message: str, code: str, retry_after: int | None = None) -> None:
        super().__init__(message, code)
        # Seconds until another try can succeed; None: nobody knows.
        self.retry_after = retry_after


def wants_json(request: HttpRequest) -> bool:
    """Whether the client wants JSON, by header or by path."""
    preferred = request.get_preferred_type([HTML, JSON])
    return preferred == JSON or request.path.endswith((".json", ".jsonl"))
