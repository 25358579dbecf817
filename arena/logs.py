"""Log lines: one JSON object each, of every process and library, without keys to anybody's account.

Django, gunicorn's main process and Celery use one configuration, `LOGGING` of the settings.
"""

import logging
import re
import sys
import threading
from types import TracebackType
from typing import Any

import structlog

# Paths with secret tokens: to the first account, printed seats, invitations, confirmations,
# password resets. Django names the path of every refused request.
TOKEN_PATH = re.compile(r"/(first|seats|invitations|confirm-email|key)/[^/\s\"]+")


def hide_tokens(_logger: Any, _method: str, line: dict[str, Any]) -> dict[str, Any]:
    """A structlog processor that hides the tokens in paths."""
    line["event"] = TOKEN_PATH.sub(r"/\1/…", str(line["event"]))
    return line


SHARED_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    hide_tokens,
]


class RefusalFilter(logging.Filter):
    """Logs a refused request as one line without traceback: anybody can send garbage at any
    rate."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Pass every record; those of answers below 500, and of outages, which have a line of their
        own, become warnings without traceback."""
        status = getattr(record, "status_code", None)
        if status is not None and (status < 500 or status == 503):
            record.exc_info = record.exc_text = None
            record.levelno = min(record.levelno, logging.WARNING)
            record.levelname = logging.getLevelName(record.levelno)
        return True


def build_logging(level: str, library_level: str, *, as_json: bool) -> dict[str, Any]:
    """What `logging.config.dictConfig` takes; `library_level` is for gunicorn and Celery, which
    say at INFO what they do all day."""
    if as_json:
        rendering = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        # Plain tracebacks: the default ones print local variables, which hold prompts and answers.
        plain = structlog.dev.plain_traceback
        rendering = [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=plain)]
    own_handler = {"handlers": ["stderr"], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "lines": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    *rendering,
                ],
                "foreign_pre_chain": SHARED_PROCESSORS,
            }
        },
        "filters": {"refusals": {"()": "arena.logs.RefusalFilter"}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "lines",
                "filters": ["refusals"],
            }
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django's own handler, for developers, would say everything twice.
            "django": {"handlers": [], "level": "INFO"},
            "django.server": {**own_handler, "level": "INFO"},
            "gunicorn.error": {**own_handler, "level": library_level},
            "celery": {"level": library_level},
            "celery.app.trace": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING"},
            # Celery's pool, which tells of children that were killed.
            "multiprocessing": {**own_handler, "level": "ERROR"},
        },
    }


def log_outcries() -> None:
    """Log as one line what ends a process or a thread, where no terminal shows it, and warnings."""
    logging.captureWarnings(True)
    sys.excepthook = log_exception
    threading.excepthook = log_thread_exception


def log_exception(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """In place of Python's own words on an exception that nobody has caught."""
    if issubclass(kind, KeyboardInterrupt) or sys.stderr.isatty():
        sys.__excepthook__(kind, error, trace)
    else:
        logging.getLogger(__name__).critical("uncaught", exc_info=(kind, error, trace))


def log_thread_exception(found: threading.ExceptHookArgs) -> None:
    """Likewise for a thread."""
    if found.exc_value is not None:
        log_exception(found.exc_type, found.exc_value, found.exc_traceback)
