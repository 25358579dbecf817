"""The settings of a site whose processes can be killed between two statements; never deployed."""

from arena.settings import *  # noqa: F403
from arena.settings import MIDDLEWARE as SITE_MIDDLEWARE

MIDDLEWARE = ["bench.failpoints.FailpointMiddleware", *SITE_MIDDLEWARE]
