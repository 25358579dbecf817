"""Killing this process between two statements of a request; for benchmarks and tests alone.

The product knows nothing of it: `bench.failpoint_settings` and the tests put the middleware in
front of the others. A request with the header `X-Failpoint: 7` ends this process by SIGKILL before
its seventh step. A step is a statement, the beginning or the end of a COMMIT, or the end of the
request; the response tells their number in `X-Steps`.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse


class Steps:
    """The steps of one request, counted; the fatal one is not survived."""

    def __init__(self, fatal: int) -> None:
        self.fatal, self.done = fatal, 0

    def take(self) -> None:
        self.done += 1
        if self.done == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def execute(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        """Around a statement, as Django calls it."""
        self.take()
        return execute(sql, params, many, context)

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count the statements and the commits of this thread's connection."""
        commit = connection._commit

        def count_commit() -> None:
            self.take()
            commit()
            self.take()

        connection._commit = count_commit  # type: ignore[method-assign]
        try:
            with connection.execute_wrapper(self.execute):
                yield
        finally:
            del connection._commit  # type: ignore[attr-defined] # the class's own shows again


class FailpointMiddleware:
    """Count the steps of a request that asks for it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "X-Failpoint" not in request.headers:
            return self.get_response(request)
        steps = Steps(int(request.headers["X-Failpoint"]))
        with steps.counted():
            response = self.get_response(request)
        steps.take()
        response["X-Steps"] = str(steps.done)
        return response
